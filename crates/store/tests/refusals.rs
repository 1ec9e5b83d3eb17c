//! What the store refuses at the door, and what its check finds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use std::{fs, path::Path};

use citymap_model::Mode;
use citymap_store::{Finding, GeoPackage, Severity, Store, StoreError, open};
use parts::{areas, parcel, parcels, write};
use rusqlite::Connection;

fn refused(path: &Path) -> (StoreError, String) {
    let error = open(path.to_str().unwrap(), true).err().unwrap();
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    (error, message)
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (error, message) = refused(folder.path());
    assert!(matches!(error, StoreError::Format { .. }) && message.contains("folder"), "{message}");

    fs::write(path("garbage.gpkg"), "đây không phải là một tệp SQLite ".repeat(200)).unwrap();
    let (error, message) = refused(&path("garbage.gpkg"));
    assert!(matches!(error, StoreError::Format { .. }) && message.contains("SQLite"), "{message}");

    Connection::open(path("plain.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let before = fs::read(path("plain.db")).unwrap();
    let (_, message) = refused(&path("plain.db"));
    assert!(message.contains("no GeoPackage"), "{message}");
    assert_eq!(fs::read(path("plain.db")).unwrap(), before);

    Connection::open(path("other.gpkg")).unwrap().execute_batch("CREATE TABLE gpkg_contents (a)").unwrap();
    let before = fs::read(path("other.gpkg")).unwrap();
    let (_, message) = refused(&path("other.gpkg"));
    assert!(message.contains("citymap import"), "{message}");
    assert_eq!(fs::read(path("other.gpkg")).unwrap(), before);

    fs::write(path("file"), "x").unwrap();
    let (error, _) = refused(&path("file/city.gpkg"));
    assert!(matches!(error, StoreError::Database { .. }));
}

#[test]
fn a_real_geopackage_of_another_program_is_refused() {
    let Some(real) = citymap_testing::real_data("cambridge/parcels_fy2013.gpkg") else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("parcels.gpkg");
    fs::write(&copy, fs::read(&real).unwrap()).unwrap();
    let (_, message) = refused(&copy);
    assert!(message.contains("citymap import"), "{message}");
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    drop(GeoPackage::open_or_create(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("UPDATE citymap_store SET value = 99").unwrap();
    let (_, message) = refused(&path);
    assert!(message.contains("later version") && message.contains("99"), "{message}");
}

#[test]
fn nothing_there_is_missing_unless_it_is_to_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/city.gpkg");
    assert!(matches!(GeoPackage::open(&path), Err(StoreError::Missing { .. })));
    assert!(!folder.path().join("a").exists(), "looking makes nothing");
    // An empty file is what a process leaves that was killed while it made the store.
    let empty = folder.path().join("empty.gpkg");
    fs::write(&empty, "").unwrap();
    assert!(matches!(GeoPackage::open(&empty), Err(StoreError::Missing { .. })));
    assert_eq!(GeoPackage::open_or_create(&empty).unwrap().revision().unwrap(), 0);
    assert_eq!(open(path.to_str().unwrap(), true).unwrap().location(), path.to_str().unwrap());
    assert_eq!(open(path.to_str().unwrap(), false).unwrap().revision().unwrap(), 0);
}

#[test]
fn a_database_that_is_away_is_refused_without_telling_the_password() {
    // Nothing listens on port 1.
    let error = open("postgres://city:secret@127.0.0.1:1/city", true).err().unwrap();
    let message = error.to_string();
    assert!(matches!(error, StoreError::Away { .. }), "{message}");
    assert!(message.contains("127.0.0.1") && !message.contains("secret"), "{message}");
}

#[test]
fn closing_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let before = areas(&store);
    drop(store);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["city.gpkg"]);
    assert_eq!(areas(&GeoPackage::open(&path).unwrap()), before);
}

#[test]
fn two_processes_worth_of_handles_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let (one, two) = (GeoPackage::open_or_create(&path).unwrap(), GeoPackage::open_or_create(&path).unwrap());
    for round in 1..5 {
        let (from, to) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        write(from, &parcels(), Mode::Append, vec![parcel("a", 1, 1.0)]);
        assert_eq!((to.revision().unwrap(), areas(to).len() as u64), (round, round));
    }
}

/// An edit that another program makes.
fn edited(path: &Path, sql: &str) {
    let conn = Connection::open(path).unwrap();
    // The triggers ask for functions that GDAL and QGIS bring.
    for name in ["ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"] {
        conn.create_scalar_function(name, 1, rusqlite::functions::FunctionFlags::SQLITE_UTF8, |_| Ok(0))
            .unwrap();
    }
    conn.execute_batch(sql).unwrap();
}

/// Spoils a good store and gives what the check finds wrong.
fn found(spoil: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    for _ in 0..3 {
        write(
            &store,
            &parcels(),
            Mode::Append,
            (0..500).map(|at| parcel(&at.to_string(), at, 1.0)).collect(),
        );
    }
    drop(store);
    edited(&path, spoil);
    let store = GeoPackage::open(&path).unwrap();
    store.check().unwrap().into_iter().filter(|finding| finding.severity != Severity::Good).collect()
}

#[test]
fn the_check_finds_what_is_spoilt() {
    assert!(found("SELECT 1").is_empty());
    let drop_triggers = "DROP TRIGGER rtree_parcels_geom_insert; DROP TRIGGER rtree_parcels_geom_update1;";
    for (spoil, severity, words) in [
        ("DELETE FROM citymap_revision WHERE number = 2", Severity::Error, "missing from the log"),
        ("DELETE FROM citymap_revision WHERE number = 3", Severity::Error, "belong to revisions"),
        ("DROP TABLE parcels", Severity::Error, "has no table"),
        ("ALTER TABLE parcels DROP COLUMN dien_tich", Severity::Error, "dien_tich"),
        ("DROP TABLE rtree_parcels_geom", Severity::Error, "no spatial index"),
        ("DELETE FROM rtree_parcels_geom WHERE id = 7", Severity::Error, "1 of them missing"),
        ("INSERT INTO rtree_parcels_geom VALUES (9999, 1, 2, 1, 2)", Severity::Error, "1501 boxes"),
        ("UPDATE rtree_parcels_geom SET maxx = minx WHERE id = 9", Severity::Error, "1 too small"),
        ("DELETE FROM parcels WHERE fid = 3", Severity::Warning, "another program edited"),
        ("UPDATE gpkg_ogr_contents SET feature_count = 7", Severity::Error, "own count says 7"),
        ("UPDATE gpkg_contents SET max_x = 106.1", Severity::Warning, "extent"),
        ("DROP TRIGGER rtree_parcels_geom_delete", Severity::Warning, "rtree_parcels_geom_delete"),
        ("PRAGMA application_id = 5", Severity::Error, "header"),
        (
            &format!("{drop_triggers} UPDATE parcels SET geom = x'4750' WHERE fid = 4"),
            Severity::Error,
            "cannot be read",
        ),
    ] {
        let found = found(spoil);
        let hit = found.iter().any(|finding| finding.severity == severity && finding.message.contains(words));
        assert!(hit, "{spoil}: {found:#?}");
    }
}

#[test]
fn the_check_tells_of_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    write(&store, &parcels(), Mode::Replace, (0..2000).map(|at| parcel(&at.to_string(), at, 1.0)).collect());
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 30 * 4096;
    bytes[last..last + 20 * 4096].fill(0xAB);
    fs::write(&path, bytes).unwrap();
    let store = GeoPackage::open(&path).unwrap();
    let found = store.check().unwrap();
    assert!(found.iter().any(|finding| finding.message.contains("backup")), "{found:#?}");
}

#[test]
fn a_value_that_another_program_spoilt_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0), parcel("b", 2, 1.0)]);
    edited(&path, "UPDATE parcels SET dien_tich = 'nhiều' WHERE fid = 2");
    let error = store.view().unwrap().read(&parts::id("parcels"), &mut |_| Ok(())).unwrap_err().to_string();
    for word in ["parcels", "feature 2", "dien_tich", "5 letters"] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_table_of_another_program_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE Parcels (a); INSERT INTO parcels VALUES (7)")
        .unwrap();
    for mode in [Mode::Replace, Mode::Append] {
        let error = store.begin(Default::default()).unwrap().layer(&parcels(), mode).unwrap_err();
        assert!(error.to_string().contains("another program"), "{error}");
    }
}

/// Many at once come to a place where nothing is: one makes the store, all open it.
#[test]
fn a_store_that_many_make_at_once_is_made_once() {
    for _ in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/city.gpkg");
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    let store = GeoPackage::open_or_create(&path).unwrap();
                    write(&store, &parcels(), Mode::Append, vec![parcel("a", 1, 1.0)]);
                });
            }
        });
        let store = GeoPackage::open(&path).unwrap();
        assert_eq!((store.revision().unwrap(), areas(&store).len()), (8, 8));
    }
}
