//! The database crashes, the wire is cut, the disk is full, the primary dies: what was acknowledged is there,
//! the rest wholly or not at all. `CITYMAP_FAULT_ROUNDS` says how often each is tried.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cluster;
#[path = "cluster/ledger.rs"]
mod ledger;
#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;
#[path = "cluster/proxy.rs"]
mod proxy;

use std::{
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use citymap_store::{Options, Postgis, Store, StoreError};
use cluster::{Cluster, folder, give, programs, rounds, until};
use ledger::{Dice, Ledger, Told};
use proxy::{Cut, Proxy};

/// Small and impatient, so that rounds are short.
fn options() -> Options {
    let mut options = Options { migrate: true, ..Options::default() };
    options.pool.connect_timeout = Duration::from_secs(2);
    options
}

const SMALL: &str = "shared_buffers = 32MB\nmax_wal_size = 256MB\nfsync = on";

/// Ends what loops until this is set, also where the test fails meanwhile: it is to say so, not to wait for
/// its own threads.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Writes and follows while `fault` does what it does, until something more is acknowledged after it.
fn through(store: &Postgis, ledger: &mut Ledger, fault: impl FnOnce()) {
    let (stop, done, heard) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let ending = Ending(&stop);
        let writer = scope.spawn(|| ledger.keep_writing(store, &stop, &done));
        let follower = scope.spawn(|| {
            while !stop.load(Relaxed) {
                match store.wait(heard.load(Relaxed), Duration::from_millis(500)) {
                    Ok(newest) => heard.store(newest, Relaxed),
                    Err(StoreError::Away { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        fault();
        let before = done.load(Relaxed);
        until("a write after the fault", || done.load(Relaxed) > before);
        drop(ending);
        writer.join().unwrap();
        follower.join().unwrap();
    });
    let newest = store.revision().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while store.wait(newest - 1, Duration::from_secs(1)).ok() != Some(newest) {
        assert!(Instant::now() < until, "the follower has not caught up");
    }
}

#[test]
fn a_crash_of_the_server_loses_nothing_acknowledged() {
    let Some(bin) = programs() else { return };
    let cluster = Cluster::new(&bin, "crash", SMALL);
    let store = Postgis::open(&cluster.database("city"), &options()).unwrap();
    let (mut ledger, mut dice) = (Ledger::default(), Dice(0x2545_F491_4F6C_DD1D));
    ledger.attempt(&store).unwrap();
    for _ in 0..rounds() {
        let moment = Duration::from_micros(dice.below(300_000));
        through(&store, &mut ledger, || {
            thread::sleep(moment);
            cluster.stop("immediate");
            cluster.start();
        });
        ledger.judge(&store, &[]);
    }
    println!("{} crashes, {}", rounds(), ledger.summary());
}

#[test]
fn a_session_that_is_ended_loses_nothing_acknowledged() {
    let Some(bin) = programs() else { return };
    let cluster = Cluster::new(&bin, "ended", SMALL);
    let store = Postgis::open(&cluster.database("city"), &options()).unwrap();
    let (mut ledger, mut dice) = (Ledger::default(), Dice(0x9E37_79B9_7F4A_7C15));
    ledger.attempt(&store).unwrap();
    for _ in 0..rounds() {
        let moment = Duration::from_micros(dice.below(200_000));
        through(&store, &mut ledger, || {
            thread::sleep(moment);
            cluster.psql(
                "postgres",
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = \
                 'citymap'",
            );
        });
        ledger.judge(&store, &[]);
    }
    println!("{} times all sessions ended, {}", rounds(), ledger.summary());
}

#[test]
fn a_cut_wire_is_told_as_what_became_of_the_commit() {
    let Some(bin) = programs() else { return };
    let cluster = Cluster::new(&bin, "cut", SMALL);
    let proxy = Proxy::new(cluster.port);
    let address = cluster.database("city").replace(&cluster.port.to_string(), &proxy.port.to_string());
    let store = Postgis::open(&address, &options()).unwrap();
    let (mut ledger, mut dice) = (Ledger::default(), Dice(0xD1B5_4A32_D192_ED03));
    ledger.attempt(&store).unwrap();
    for _ in 0..rounds() {
        // An answer that is lost: the commit is there, and is told as done.
        proxy.cut(Cut::AfterCommit);
        let revision = store.revision().unwrap();
        assert_eq!(ledger.attempt(&store).unwrap(), revision + 1);
        assert!(proxy.is_done());
        // A question that is lost: nothing was changed, and the next one goes through.
        proxy.cut(Cut::BeforeCommit);
        let error = ledger.attempt(&store).unwrap_err();
        assert!(
            matches!(error, StoreError::Away { .. }) && error.to_string().contains("nothing was changed"),
            "{error}"
        );
        assert!(proxy.is_done());
        ledger.attempt(&store).unwrap();
        // Anywhere else: which of the two it is depends on where.
        proxy.cut(Cut::After(usize::try_from(dice.below(60_000)).unwrap()));
        while !proxy.is_done() {
            let _ = ledger.attempt(&store);
        }
        ledger.attempt(&store).unwrap();
        ledger.judge(&store, &[]);
    }
    assert!(!ledger.told.contains(&Told::Uncertain), "{}", ledger.summary());
    println!("{} rounds of 3 cuts, {}", rounds(), ledger.summary());
}

/// Mounts a small file system; `None`, and a word about it, where that may not be.
fn small_disk(name: &str, size: &str) -> Option<std::path::PathBuf> {
    let dir = folder(name);
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
        .arg(&dir)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        citymap_testing::skip("mounting a small tmpfs needs root on Linux");
        std::fs::remove_dir(&dir).unwrap();
        return None;
    }
    give(&dir);
    Some(dir)
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        for _ in 0..20 {
            if Command::new("umount").arg(&self.0).status().is_ok_and(|status| status.success()) {
                let _ = std::fs::remove_dir(&self.0);
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_full_disk_changes_nothing_and_says_so() {
    let Some(bin) = programs() else { return };
    let Some(dir) = small_disk("full", "64m") else { return };
    let mounted = Mounted(dir);
    let cluster = Cluster::new(&bin, "fulldata", SMALL);
    cluster.psql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", mounted.0.display()));
    cluster.psql("postgres", "CREATE DATABASE city TABLESPACE small");
    cluster.psql("city", "CREATE EXTENSION postgis");
    let store = Postgis::open(&cluster.address("city"), &options()).unwrap();
    let (mut ledger, mut dice) = (Ledger::default(), Dice(0x94D0_49BB_1331_11EB));
    ledger.attempt(&store).unwrap();
    for _ in 0..rounds() {
        // Something else takes the room, all but a random rest.
        let free = Command::new("df").args(["--output=avail", "-k"]).arg(&mounted.0).output().unwrap();
        let free: u64 =
            String::from_utf8(free.stdout).unwrap().lines().nth(1).unwrap().trim().parse().unwrap();
        let ballast = mounted.0.join("ballast");
        let taken = free.saturating_sub(dice.below(160));
        std::fs::write(&ballast, vec![0; usize::try_from(taken).unwrap() * 1024]).unwrap();
        let mut error = None;
        for _ in 0..60 {
            if let Err(said) = ledger.attempt(&store) {
                error = Some(said);
                break;
            }
        }
        let error = error.expect("the disk is not full");
        assert!(error.to_string().contains("disk is full"), "{error}");
        std::fs::remove_file(&ballast).unwrap();
        ledger.attempt(&store).unwrap();
        ledger.judge(&store, &[]);
    }
    println!("{} times the disk was full, {}", rounds(), ledger.summary());
    drop(store);
    drop(cluster);
}

#[test]
fn a_promoted_standby_has_all_that_was_acknowledged() {
    let Some(bin) = programs() else { return };
    // The writer looks up on the standby what it wrote just before, so a commit waits until it is there.
    let settings = "wal_level = replica\nmax_wal_senders = 5\nsynchronous_commit = remote_apply";
    let mut primary = Cluster::new(&bin, "one", &format!("{SMALL}\n{settings}"));
    primary.database("city");
    let mut standby = primary.standby("two", None);
    let wait_for_sync = |primary: &Cluster| {
        primary.configure("synchronous_standby_names = '*'");
        primary.reload();
        until("a synchronous standby", || {
            primary.psql("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
                == "1"
        });
    };
    // The near standby first: reads go there.
    let address = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/city", standby.port, primary.port);
    let store = Postgis::open(&address, &options()).unwrap();
    until("the tables on the standby", || Postgis::open(&address, &Options::default()).is_ok());
    wait_for_sync(&primary);
    let mut ledger = Ledger::default();
    let mut dice = Dice(0xBF58_476D_1CE4_E5B9);
    ledger.attempt(&store).unwrap();
    for round in 0..rounds() {
        let moment = Duration::from_micros(dice.below(400_000));
        let begun = Instant::now();
        through(&store, &mut ledger, || {
            thread::sleep(moment);
            primary.kill();
            // Writes fail meanwhile; reads go on, from the standby or, where the primary is nearer, past it.
            assert!(store.view().unwrap().layers().unwrap()[0].count >= 150);
            standby.promote();
        });
        ledger.judge(&store, &["does not answer"]);
        println!("round {round}: writing again {:.1} s after the beginning", begun.elapsed().as_secs_f64());
        // The former primary becomes the standby of the new one, at its old address.
        let port = primary.port;
        drop(primary);
        let next = standby.standby("again", Some(port));
        primary = standby;
        standby = next;
        wait_for_sync(&primary);
    }
    ledger.judge(&store, &[]);
    println!("{} failovers, {}", rounds(), ledger.summary());
}
