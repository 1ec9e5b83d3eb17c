//! A city that starts from its snapshot files shows what the store holds, whatever has become of the files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use citymap_live::{Live, Options};
use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, LayerId, Mode, NewFeature, Role, Title, Value,
};
use citymap_search::SearchQuery;
use citymap_store::{Edit, GeoPackage, Store};
use geo_types::{Geometry, LineString, MultiPolygon, Point, Polygon};

/// A store and the folder of its files.
struct Place {
    _folder: tempfile::TempDir,
    store: PathBuf,
    files: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, files) = (folder.path().join("city.gpkg"), folder.path().join("city.gpkg.snapshot"));
        let place = Self { _folder: folder, store, files };
        let store = GeoPackage::open_or_create(&place.store).unwrap();
        replace(&store, "parcels", 60);
        replace(&store, "markets", 3);
        place
    }

    fn options(&self) -> Options {
        Options { snapshots: Some(self.files.clone()) }
    }

    fn open(&self) -> Live {
        Live::open_with(Box::new(GeoPackage::open(&self.store).unwrap()), &self.options()).unwrap()
    }

    fn edit(&self, fid: i64, name: &str) {
        let store = GeoPackage::open(&self.store).unwrap();
        let mut transaction = store.begin(CommitMeta::default()).unwrap();
        transaction.layer(&layer("parcels"), Mode::Edit).unwrap();
        transaction.edit(Edit::Update(fid, feature(fid, name))).unwrap();
        transaction.commit().unwrap();
    }

    /// Runs a statement as another program would, which has the functions that a GeoPackage's triggers ask
    /// for.
    fn foreign(&self, sql: &str) {
        let conn = rusqlite::Connection::open(&self.store).unwrap();
        let flags = rusqlite::functions::FunctionFlags::default();
        for name in ["ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"] {
            conn.create_scalar_function(name, 1, flags, |_| Ok(10.77)).unwrap();
        }
        conn.create_scalar_function("ST_IsEmpty", 1, flags, |_| Ok(false)).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
    }

    fn file(&self, layer: &str) -> PathBuf {
        self.files.join(format!("{layer}.snapshot"))
    }

    /// The inode, which changes when the file is written again.
    fn inode(&self, layer: &str) -> Option<u64> {
        fs::metadata(self.file(layer)).ok().map(|metadata| metadata.ino())
    }

    /// Starts from the files and from the store alone, and compares; then brings the files up to date.
    fn check(&self) {
        let from_files = self.open();
        let from_store = Live::open(Box::new(GeoPackage::open(&self.store).unwrap())).unwrap();
        assert_eq!(from_files.snapshot().revision(), from_store.snapshot().revision());
        let layers = |live: &Live| -> BTreeMap<LayerId, u64> {
            live.snapshot().city.layers.iter().map(|(id, layer)| (id.clone(), layer.revision())).collect()
        };
        assert_eq!(layers(&from_files), layers(&from_store));
        for (id, layer) in &from_store.snapshot().city.layers {
            let own = &from_files.snapshot().city.layers[id];
            assert_eq!(own.layer(), layer.layer());
            assert!(own.features_equal(layer), "{id}");
            assert_eq!(own.extent(), layer.extent());
            let ids = |layer: &citymap_engine::LayerSnapshot| -> Vec<String> {
                layer.rows().map(|row| layer.id(row).to_string()).collect()
            };
            assert_eq!(ids(own), ids(layer));
            for lonlat in [[106.7, 10.77], [106.703, 10.7701]] {
                let hits = |layer: &citymap_engine::LayerSnapshot| -> Vec<i64> {
                    layer.near(lonlat, 400.0, 9).iter().map(|hit| layer.fid(hit.row)).collect()
                };
                assert_eq!(hits(own), hits(layer));
            }
        }
        from_files.write_snapshots();
    }
}

fn layer(id: &str) -> Layer {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Place, GeometryKind::Mixed);
    layer.fields = vec![
        Field::new("name", FieldType::Text),
        Field::new("note", FieldType::Text),
        Field::new("count", FieldType::Int),
        Field::new("size", FieldType::Real),
        Field::new("since", FieldType::Date),
        Field::new("seen", FieldType::DateTime),
        Field::new("open", FieldType::Bool),
    ];
    layer.key = Some("name".into());
    layer.label = Some("note".into());
    layer
}

fn feature(number: i64, name: &str) -> NewFeature {
    let (x, y) = (106.7 + number as f64 * 1e-4, 10.77);
    let square = Polygon::new(
        LineString::from(vec![(x, y), (x + 1e-4, y), (x + 1e-4, y + 1e-4), (x, y + 1e-4), (x, y)]),
        vec![],
    );
    let geometry: Option<Geometry> = match number % 5 {
        0 => None,
        1 => Some(square.into()),
        2 => Some(Point::new(x, y).into()),
        3 => Some(MultiPolygon::new(vec![square.clone(), square]).into()),
        _ => Some(LineString::from(vec![(x, y), (x + 1e-4, y)]).into()),
    };
    let some = |value: Value| if number % 7 == 0 { Value::Null } else { value };
    let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 1 + (number % 28) as u32).unwrap();
    NewFeature {
        geometry,
        values: vec![
            Value::Text(name.to_owned()),
            some(Value::Text(format!("lô đất {}", number % 4))),
            some(Value::Int(number - 3)),
            some(Value::Real(number as f64 / 3.0)),
            some(Value::Date(day)),
            some(Value::DateTime(chrono::DateTime::from_timestamp(1_600_000_000 + number, 0).unwrap())),
            some(Value::Bool(number % 2 == 0)),
        ],
    }
}

fn replace(store: &dyn Store, id: &str, count: i64) {
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer(id), Mode::Replace).unwrap();
    for number in 1..=count {
        // Every tenth key is a repeated one.
        transaction.put(feature(number, &format!("{id} {}", number - i64::from(number % 10 == 0)))).unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn a_start_takes_the_layers_from_their_files() {
    let place = Place::new();
    place.check();
    let first = [place.inode("parcels"), place.inode("markets")];
    assert!(first.iter().all(Option::is_some));
    place.check();
    assert_eq!([place.inode("parcels"), place.inode("markets")], first, "they were of use");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&place.files), mode(&place.file("parcels"))),
        (0o700, 0o600),
        "personal data is in them"
    );

    let live = place.open();
    assert!(live.wait_for_names(Duration::from_secs(20)));
    let hits =
        live.snapshot().find(&SearchQuery { text: "lo dat 2".into(), limit: 3, near: None, lang: "vi" }).hits;
    assert_eq!(hits[0].label, "lô đất 2");
}

#[test]
fn what_was_committed_since_is_applied() {
    let place = Place::new();
    place.check();
    let written = place.inode("parcels");
    for number in 0..5 {
        place.edit(7, &format!("thửa {number}"));
        place.check();
    }
    assert_eq!(place.inode("parcels"), written, "a few edits are no reason to write it all again");
    // And goes on from there.
    let live = place.open();
    place.edit(8, "một thửa khác");
    live.refresh().unwrap();
    let city_snapshot = live.snapshot();
    let parcels = city_snapshot.city.layer("parcels").unwrap();
    assert_eq!(
        (parcels.delta_len(), parcels.id(parcels.row_of_fid(8).unwrap()).to_string()),
        (2, "một thửa khác".into())
    );

    let store = GeoPackage::open(&place.store).unwrap();
    replace(&store, "parcels", 90);
    place.check();
    assert_ne!(place.inode("parcels"), written);
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer("markets"), Mode::Drop).unwrap();
    transaction.commit().unwrap();
    place.check();
    assert_eq!(place.inode("markets"), None, "a layer that is gone leaves no file");
}

#[test]
fn a_layer_that_another_program_edited_is_read_from_the_store() {
    let place = Place::new();
    place.check();
    let edits = [
        "UPDATE parcels SET note = 'sửa trong QGIS' WHERE fid = 4",
        "DELETE FROM parcels WHERE fid = 9",
        "INSERT INTO parcels (name) VALUES ('mới')",
    ];
    for sql in edits {
        let before = [place.inode("parcels"), place.inode("markets")];
        place.foreign(sql);
        place.check();
        assert_ne!(place.inode("parcels"), before[0], "{sql}");
        assert_eq!(place.inode("markets"), before[1], "the other layer's file is as good as before");
        let written = place.inode("parcels");
        place.check();
        assert_eq!(place.inode("parcels"), written, "once is enough");
        // Our own edit does not hide the next one of theirs, nor does it look like one.
        place.edit(12, sql);
        place.check();
        assert_eq!(place.inode("parcels"), written, "our own edit is none of theirs");
    }
    place.edit(13, "của ta");
    place.foreign(edits[0]);
    place.edit(14, "của ta");
    place.check();
    // Without the triggers nobody counts.
    place.foreign("INSERT INTO parcels (name) VALUES ('nữa')");
    let conn = rusqlite::Connection::open(&place.store).unwrap();
    conn.execute_batch("DROP TRIGGER citymap_edited_update_parcels").unwrap();
    conn.execute("UPDATE markets SET note = 'x'", []).unwrap_err();
    drop(conn);
    place.foreign("UPDATE parcels SET note = 'không ai đếm' WHERE fid = 5");
    place.check();
    place.check();
}

#[test]
fn edits_by_gdal_are_noticed() {
    let place = Place::new();
    place.check();
    let ogrinfo =
        |sql: &str| Command::new("ogrinfo").args([place.store.to_str().unwrap(), "-sql", sql]).output();
    let Ok(_) = ogrinfo("SELECT 1") else {
        citymap_testing::skip("`ogrinfo` is not installed; it is in the Debian package gdal-bin");
        return;
    };
    for sql in ["UPDATE parcels SET note = 'gdal' WHERE fid = 3", "DELETE FROM parcels WHERE fid = 2"] {
        let before = place.inode("parcels");
        assert!(ogrinfo(sql).unwrap().status.success());
        place.check();
        assert_ne!(place.inode("parcels"), before, "{sql}");
    }
}

#[test]
fn a_file_damaged_anywhere_is_noticed_and_written_anew() {
    let place = Place::new();
    place.check();
    let good = fs::read(place.file("parcels")).unwrap();
    let mut noticed = 0;
    for (step, at) in (0..good.len()).step_by(61).enumerate() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (step % 8);
        fs::write(place.file("parcels"), &bad).unwrap();
        place.check();
        // What lies between two parts is of no matter.
        noticed += usize::from(fs::read(place.file("parcels")).unwrap() != bad);
    }
    assert!(noticed * 61 > good.len() * 8 / 10, "{noticed} of {}", good.len() / 61);
    for length in (0..good.len()).step_by(499).chain([good.len() - 1]) {
        fs::write(place.file("parcels"), &good[..length]).unwrap();
        place.check();
        assert!(fs::metadata(place.file("parcels")).unwrap().len() > 1000, "{length}");
    }
    fs::write(place.file("parcels"), [good.as_slice(), b"more"].concat()).unwrap();
    place.check();
    fs::copy(place.file("markets"), place.file("parcels")).unwrap();
    place.check();
    fs::remove_dir_all(&place.files).unwrap();
    place.check();
    assert!(place.inode("parcels").is_some());
}

#[test]
fn the_files_of_another_record_are_of_no_use() {
    let [one, other] = [Place::new(), Place::new()];
    other.edit(3, "chỉ ở đây");
    one.edit(3, "chỉ ở kia");
    one.check();
    other.check();
    fs::copy(one.file("parcels"), other.file("parcels")).unwrap();
    let foreign = other.inode("parcels");
    let copied = fs::read(other.file("parcels")).unwrap();
    other.check();
    assert!(foreign.is_some() && fs::read(other.file("parcels")).unwrap() != copied);
}

#[test]
fn a_folder_that_cannot_be_written_is_no_failure() {
    let place = Place::new();
    fs::write(&place.files, b"in the way").unwrap();
    place.check();
    assert_eq!(fs::read(&place.files).unwrap(), b"in the way");
}

/// The variable that makes [`child_that_writes`] one.
const CHILD: &str = "CITYMAP_TEST_SNAPSHOT_CHILD";

#[test]
#[ignore = "the process that a test kills"]
fn child_that_writes() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let (store, files) =
        (Path::new(&folder).join("city.gpkg"), Path::new(&folder).join("city.gpkg.snapshot"));
    println!("ready");
    loop {
        let live = Live::open_with(
            Box::new(GeoPackage::open(&store).unwrap()),
            &Options { snapshots: Some(files.clone()) },
        )
        .unwrap();
        live.write_snapshots();
        let _ = fs::remove_file(files.join("parcels.snapshot"));
    }
}

#[test]
fn a_process_killed_while_it_writes_leaves_nothing_that_is_believed() {
    let place = Place::new();
    replace(&GeoPackage::open(&place.store).unwrap(), "parcels", 5_000);
    let folder = place.store.parent().unwrap();
    let mut halves = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes", "--ignored"])
            .env(CHILD, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + round * 13));
        child.kill().unwrap();
        child.wait().unwrap();
        let entries = fs::read_dir(&place.files).into_iter().flatten().flatten();
        halves += entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count();
        place.check();
    }
    println!("{halves} unfinished files");
    place.check();
}

/// What is edited straight in a database is a revision, and applied like any other.
#[test]
fn the_files_of_a_database() {
    let Some(server) = citymap_testing::database() else { return };
    let (front, _) = server.rsplit_once('/').unwrap();
    let name = format!("citymap_files_{}", std::process::id());
    let address = format!("{front}/{name}");
    let psql = |address: &str, sql: &str| {
        let done = Command::new("psql").args(["-q", "-v", "ON_ERROR_STOP=1", address, "-c", sql]).status();
        assert!(done.unwrap().success(), "{sql}");
    };
    psql(&server, &format!("CREATE DATABASE {name}"));
    let options = citymap_store::Options { migrate: true, ..citymap_store::Options::default() };
    let store = || citymap_store::open_with(&address, &options).unwrap();
    replace(store().as_ref(), "parcels", 60);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parcels.snapshot");
    let check = || {
        let options = Options { snapshots: Some(folder.path().to_owned()) };
        let (from_files, from_store) =
            (Live::open_with(store(), &options).unwrap(), Live::open(store()).unwrap());
        let [own, other] =
            [&from_files, &from_store].map(|live| live.snapshot().city.layer("parcels").unwrap().clone());
        assert!(own.features_equal(&other) && own.revision() == other.revision());
        from_files.write_snapshots();
        fs::metadata(&file).unwrap().ino()
    };
    let written = check();
    assert_eq!(check(), written, "it was of use");
    psql(&address, "UPDATE city.parcels SET note = 'psql' WHERE fid = 4");
    assert_eq!(check(), written, "the edit was applied to it");
    psql(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
}
