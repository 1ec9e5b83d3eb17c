//! `kill -9` at random moments, and a full disk: the old revision or the new one, never between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use citymap_model::{Mode, NewFeature, Value};
use citymap_store::{Edit, GeoPackage, Severity, Store, StoreError};
use parts::{areas, parcel, parcels, write};

const CHILD: &str = "CITYMAP_TEST_CRASH_CHILD";

/// What revision `number` writes: its number stands in each feature, and how many it has tells it too.
fn content(number: u64) -> Vec<NewFeature> {
    let count = 1500 + u32::try_from(number % 7).unwrap() * 100;
    (0..count).map(|at| parcel(&format!("k{at}"), at, number as f64)).collect()
}

/// Runs in a process of its own until it is killed: writes revision after revision, each of which leaves its
/// number in every feature, by replacing all or by editing all.
#[test]
fn child_that_is_killed() {
    let Some(path) = env::var_os(CHILD) else { return };
    loop {
        let store = GeoPackage::open_or_create(Path::new(&path)).unwrap();
        for _ in 0..6 {
            let number = store.revision().unwrap() + 1;
            if number % 3 == 1 {
                write(&store, &parcels(), Mode::Replace, content(number));
            } else {
                edit_all(&store, number);
            }
        }
    }
}

/// Gives every feature the number, takes one away and adds two.
fn edit_all(store: &GeoPackage, number: u64) {
    let before = areas(store);
    let mut change = store.begin(Default::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    for (at, (key, fid, _)) in (0..).zip(&before) {
        let edit = match at {
            0 => Edit::Delete(*fid),
            _ => Edit::Update(*fid, parcel(key, at, number as f64)),
        };
        change.edit(edit).unwrap();
    }
    for at in 0..2 {
        change.edit(Edit::Insert(None, parcel("", at, number as f64))).unwrap();
    }
    change.commit().unwrap();
}

/// The store holds whole revisions, the newest and those before it: which one, by what its features say.
fn judge(path: &Path) -> u64 {
    let store = match GeoPackage::open(path) {
        Err(StoreError::Missing { .. }) => return 0,
        opened => opened.unwrap(),
    };
    let revision = store.revision().unwrap();
    assert_eq!(store.log(1_000_000).unwrap().len() as u64, revision);
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
    for number in (1..=revision).rev().take(6) {
        let view = store.view_at(number).unwrap();
        let entry = &view.layers().unwrap()[0];
        assert_eq!(entry.revision, number);
        let mut count = 0;
        view.read(&entry.layer.id, &mut |feature| {
            assert_eq!(feature.values[1], Value::Real(number as f64), "feature {} at {number}", feature.fid);
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(count, entry.count);
        let filled = (1..=number).rev().find(|number| number % 3 == 1).unwrap();
        assert_eq!(count, content(filled).len() as u64 + number - filled, "revision {number}");
    }
    revision
}

#[test]
fn killed_at_any_moment_the_store_holds_a_whole_revision() {
    if env::var_os(CHILD).is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let mut last = 0;
    let rounds = env::var("CITYMAP_FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(25);
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    for round in 0..rounds {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child_that_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // The first rounds hit the making of the store.
        thread::sleep(Duration::from_micros(if round < 8 {
            random % 20_000
        } else {
            5_000 + random % 400_000
        }));
        child.kill().unwrap();
        child.wait().unwrap();
        let revision = judge(&path);
        assert!(revision >= last, "what was committed stays: {last}, then {revision}");
        last = revision;
    }
    assert!(last >= rounds / 5, "the children got nowhere: {last} revisions");
    println!("{rounds} kills, {last} revisions");
}

/// On a file system of 3 MB; what does not fit is not half there.
#[test]
fn a_full_disk_changes_nothing_and_says_so() {
    // This program again, as the child of another test.
    if env::var_os(CHILD).is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        citymap_testing::skip("mounting a small tmpfs needs root on Linux");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let path = folder.path().join("city.gpkg");
        let store = GeoPackage::open_or_create(&path).unwrap();
        write(&store, &parcels(), Mode::Replace, content(1)[..200].to_vec());
        let before = areas(&store);
        let mut change = store.begin(Default::default()).unwrap();
        let layer = change.layer(&parcels(), Mode::Append);
        let mut error = layer.err();
        for at in 0..100_000 {
            if error.is_some() {
                break;
            }
            error = change.put(parcel(&at.to_string(), at, 1.0)).err();
        }
        let error = match error {
            Some(error) => {
                assert!(change.commit().is_err());
                error
            }
            None => change.commit().unwrap_err(),
        };
        assert!(error.to_string().contains("disk is full"), "{error}");
        assert_eq!((store.revision().unwrap(), areas(&store)), (1, before));
        drop(store);
        judge_small(&path);
    });
    let unmounted = Command::new("umount").arg(folder.path()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    outcome.unwrap();
}

fn judge_small(path: &Path) {
    let store = GeoPackage::open(path).unwrap();
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}
