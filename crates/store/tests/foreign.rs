//! What other programs do to the file, and what earlier versions of this one left.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;
#[allow(dead_code, reason = "the suite's comparisons")]
#[path = "conformance/seen.rs"]
mod seen;

use std::path::{Path, PathBuf};

use citymap_model::{CommitMeta, Mode};
use citymap_store::{Edit, GeoPackage, Put, ReadView, Severity, Store, StoreError, Touched};
use parts::{areas, id, parcel, parcels, put_all, write};
use rusqlite::{Connection, functions::FunctionFlags};
use seen::{changes, see, see_newest, the_past_is_as_it_was};

struct City {
    folder: tempfile::TempDir,
}

impl City {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("city.gpkg")
    }

    fn store(&self) -> GeoPackage {
        GeoPackage::open_or_create(&self.path()).unwrap()
    }
}

/// An edit that another program makes.
fn edited(path: &Path, sql: &str) {
    let conn = Connection::open(path).unwrap();
    // The triggers ask for functions that GDAL and QGIS bring. The boxes are all in one place here.
    for (name, value) in
        [("ST_IsEmpty", 0), ("ST_MinX", 1), ("ST_MaxX", 180), ("ST_MinY", 1), ("ST_MaxY", 90)]
    {
        conn.create_scalar_function(name, 1, FunctionFlags::SQLITE_UTF8, move |_| Ok(value)).unwrap();
    }
    conn.execute_batch(sql).unwrap();
}

fn errors(store: &GeoPackage) -> Vec<String> {
    let found = store.check().unwrap().into_iter();
    found.filter(|finding| finding.severity == Severity::Error).map(|finding| finding.message).collect()
}

/// QGIS adds, changes, removes and renumbers; then each of our modes goes on from there.
#[test]
fn our_history_goes_on_from_what_another_program_left() {
    for mode in [Mode::Append, Mode::Upsert, Mode::Replace, Mode::Edit, Mode::Restore, Mode::Drop] {
        let city = City::new();
        let store = city.store();
        let all = |area: f64| (0..20).map(move |at| parcel(&format!("k{at}"), at, area)).collect::<Vec<_>>();
        write(&store, &parcels(), Mode::Replace, all(1.0));
        edited(
            &city.path(),
            "INSERT INTO parcels (geom, ma, dien_tich) SELECT geom, 'qgis', 7 FROM parcels WHERE fid = 1; \
             UPDATE parcels SET dien_tich = 8 WHERE fid = 2; DELETE FROM parcels WHERE fid = 3; \
             UPDATE parcels SET fid = 500 WHERE fid = 4",
        );
        // Two revisions of ours on top.
        let mut shown = vec![];
        for area in [2.0, 3.0] {
            let mut change = store.begin(CommitMeta::default()).unwrap();
            change.layer(&parcels(), mode).unwrap();
            match mode {
                Mode::Edit => {
                    assert_eq!(
                        change.edit(Edit::Update(500, parcel("k3", 3, area))).unwrap(),
                        Put::Changed(500)
                    );
                    assert_eq!(
                        change.edit(Edit::Delete(5 + area as i64)).unwrap(),
                        Put::Removed(5 + area as i64)
                    );
                    let Put::Added(fid) = change.edit(Edit::Insert(None, parcel("new", 3, area))).unwrap()
                    else {
                        panic!()
                    };
                    assert!(fid > 500, "{fid}");
                }
                Mode::Restore => {
                    for fid in [1, 3, 21, 600] {
                        change.put_at(fid, parcel("r", 1, area)).unwrap();
                    }
                }
                Mode::Drop => {
                    change.layer(&parcels(), Mode::Append).unwrap();
                    assert_eq!(change.put(parcel("again", 1, area)).unwrap(), Put::Added(499 + area as i64));
                }
                _ => drop(put_all(change.as_mut(), all(area))),
            }
            change.commit().unwrap();
            shown.push(see_newest(&store));
        }
        assert_eq!(errors(&store), [""; 0], "{mode}");
        the_past_is_as_it_was(&store, &shown);
        // Revision 1: what was added since is not there, what was removed outside of a revision is lost.
        let view = store.view_at(1).unwrap();
        let mut fids = Vec::new();
        view.read(&id("parcels"), &mut |feature| {
            fids.push(feature.fid);
            Ok(())
        })
        .unwrap();
        let expected: Vec<i64> = (1..=20).filter(|fid| *fid != 3 && *fid != 4).collect();
        assert_eq!(fids, expected, "{mode}");
        let added = changes(store.view_at(2).unwrap().as_ref(), "parcels", 1);
        let is_new = |fid| added.iter().any(|change| change.fid == fid && change.before.is_none());
        assert_eq!(is_new(21), !matches!(mode, Mode::Drop | Mode::Replace), "{mode}: {added:?}");
    }
}

/// A view that another program made of a layer goes on meaning the layer while it is replaced.
#[test]
fn another_programs_view_outlives_a_replace() {
    let city = City::new();
    let store = city.store();
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    edited(&city.path(), "CREATE VIEW big AS SELECT ma FROM parcels WHERE dien_tich > 5");
    write(&store, &parcels(), Mode::Replace, vec![parcel("b", 1, 9.0)]);
    edited(&city.path(), "CREATE TABLE copied AS SELECT * FROM big");
    let conn = Connection::open(city.path()).unwrap();
    let found: String = conn.query_row("SELECT ma FROM copied", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "b");
    assert_eq!(errors(&store), [""; 0]);
}

/// Makes of a store what version 1 of the program left: no history.
fn downgrade(path: &Path) {
    let conn = Connection::open(path).unwrap();
    let histories: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'citymap_history_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for table in histories {
        conn.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    conn.execute_batch(
        "DROP TABLE citymap_generation; DROP TABLE citymap_layer_version; DROP TABLE citymap_added; DROP \
         TABLE citymap_last_fid; DROP TABLE citymap_document; DROP INDEX citymap_change_layer; ALTER TABLE \
         citymap_layer DROP COLUMN generation; ALTER TABLE citymap_change DROP COLUMN count_after; UPDATE \
         citymap_store SET value = 1 WHERE key = 'version'",
    )
    .unwrap();
}

#[test]
fn a_store_without_history_is_taken_over_and_begins_one() {
    let city = City::new();
    for number in 0..3 {
        write(&city.store(), &parcels(), Mode::Replace, vec![parcel("a", number, 1.0), parcel("b", 2, 2.0)]);
    }
    let before = see_newest(&city.store());
    let log = city.store().log(10).unwrap();
    downgrade(&city.path());
    // Many open it at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(GeoPackage::open(&city.path()).unwrap().revision().unwrap(), 3));
        }
    });
    let store = GeoPackage::open(&city.path()).unwrap();
    assert_eq!((see_newest(&store), store.log(10).unwrap()), (before.clone(), log));
    let (_, puts) = write(&store, &parcels(), Mode::Replace, vec![parcel("a", 9, 9.0), parcel("c", 3, 3.0)]);
    assert_eq!(puts, [Put::Changed(1), Put::Added(3)]);
    write(&store, &parcels(), Mode::Upsert, vec![parcel("c", 4, 4.0)]);
    assert_eq!(see(store.view_at(3).unwrap().as_ref()), before);
    assert_eq!(changes(store.view().unwrap().as_ref(), "parcels", 3).len(), 3);
    assert_eq!(see(store.view_at(0).unwrap().as_ref()).layers, []);
    let view = store.view().unwrap();
    assert_eq!(view.touched(&id("parcels"), 0).unwrap(), Touched::Whole);
    assert_eq!(changes(view.as_ref(), "parcels", 0).len(), 2);
    // Before that, nothing was kept, and it is said so.
    for refused in
        [store.view_at(2).err().unwrap(), view.changes(&id("parcels"), 1, &mut |_| Ok(())).unwrap_err()]
    {
        assert!(matches!(refused, StoreError::NoHistory { since: 3, .. }), "{refused}");
        let message = refused.to_string();
        assert!(message.contains("revision 3") && message.contains("city.gpkg"), "{message}");
    }
    assert_eq!(errors(&store), [""; 0]);
}

#[test]
fn the_check_finds_a_spoilt_history() {
    for (spoil, words) in [
        ("DROP TABLE citymap_history_1", "is missing"),
        ("UPDATE citymap_history_1 SET revision = 9 WHERE fid = 3", "of no revision"),
        ("UPDATE citymap_history_1 SET fid = 9999 WHERE fid = 3", "never had a number"),
        ("UPDATE citymap_added SET last = 9999", "never were"),
        ("UPDATE citymap_added SET revision = 7", "of no revision"),
        ("UPDATE citymap_layer_version SET definition = '{}'", "another definition"),
        ("DELETE FROM citymap_layer_version", "another definition"),
        ("UPDATE citymap_change SET count_after = 7 WHERE revision = 3", "how many features"),
        ("UPDATE citymap_revision SET time = '2001-01-01T00:00:00.000Z' WHERE number = 2", "before that of"),
    ] {
        let city = City::new();
        let store = city.store();
        let features = || (0..9).map(|at| parcel(&at.to_string(), at, 1.0)).collect();
        write(&store, &parcels(), Mode::Replace, features());
        write(&store, &parcels(), Mode::Append, features());
        write(&store, &parcels(), Mode::Replace, vec![]);
        assert_eq!(errors(&store), [""; 0]);
        drop(store);
        Connection::open(city.path()).unwrap().execute_batch(spoil).unwrap();
        let found = errors(&city.store());
        assert!(found.iter().any(|message| message.contains(words)), "{spoil}: {found:?}");
    }
}

#[test]
fn a_backup_is_a_whole_store_of_one_moment() {
    let city = City::new();
    let store = city.store();
    let count = |view: &dyn ReadView| view.layers().unwrap().first().map_or(0, |entry| entry.count);
    write(&store, &parcels(), Mode::Replace, (0..2000).map(|at| parcel(&at.to_string(), at, 1.0)).collect());
    write(&store, &parcels(), Mode::Replace, (0..1000).map(|at| parcel(&at.to_string(), at, 2.0)).collect());
    assert!(store.put_document("webhooks", 0, Some("kept")).unwrap());
    let to = |name: &str| city.folder.path().join(name);
    // While a change set is under way, and others commit.
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Append).unwrap();
    put_all(change.as_mut(), (0..3000).map(|at| parcel("x", at, 1.0)).collect());
    store.back_up(&to("one.gpkg")).unwrap();
    change.commit().unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for _ in 0..30 {
                write(&store, &parcels(), Mode::Append, vec![parcel("y", 1, 1.0)]);
            }
        });
        for number in 0..4 {
            store.back_up(&to(&format!("busy{number}.gpkg"))).unwrap();
        }
        writing.join().unwrap();
    });
    let one = GeoPackage::open(&to("one.gpkg")).unwrap();
    assert_eq!((one.revision().unwrap(), count(one.view().unwrap().as_ref())), (2, 1000));
    assert_eq!(see(one.view_at(1).unwrap().as_ref()), see(store.view_at(1).unwrap().as_ref()));
    assert_eq!(one.log(9).unwrap(), store.log_after(0, 2).unwrap().into_iter().rev().collect::<Vec<_>>());
    assert_eq!(one.document("webhooks").unwrap().unwrap().body, "kept");
    assert_eq!(errors(&one), [""; 0]);
    assert_eq!(write(&one, &parcels(), Mode::Append, vec![parcel("z", 1, 1.0)]).1, [Put::Added(2001)]);
    for number in 0..4 {
        let busy = GeoPackage::open(&to(&format!("busy{number}.gpkg"))).unwrap();
        let revision = busy.revision().unwrap();
        assert_eq!(count(busy.view().unwrap().as_ref()), 4000 + revision - 3, "{revision}");
        assert_eq!(errors(&busy), [""; 0]);
    }
    // What is there is left alone, and a failure leaves nothing.
    let error = store.back_up(&to("one.gpkg")).unwrap_err().to_string();
    assert!(error.contains("another name"), "{error}");
    assert!(store.back_up(&to("nowhere/b.gpkg")).is_err());
    let left: Vec<String> = std::fs::read_dir(city.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("part"))
        .collect();
    assert_eq!(left, [""; 0]);
    assert_eq!(areas(&GeoPackage::open(&to("one.gpkg")).unwrap()).len(), 1001);
}

/// A commit through another handle, as another process makes it, is noticed by looking.
#[test]
fn a_waiter_sees_what_another_process_commits() {
    let city = City::new();
    let store = city.store();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| store.wait(0, std::time::Duration::from_secs(20)).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(100));
        // Written without this program: no commit of this process is told.
        Connection::open(city.path())
            .unwrap()
            .execute_batch(
                "INSERT INTO citymap_revision VALUES (1, '2025-07-01T00:00:00.000Z', 'x', 'y', NULL, NULL)",
            )
            .unwrap();
        let start = std::time::Instant::now();
        assert_eq!(waiter.join().unwrap(), 1);
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    });
}
