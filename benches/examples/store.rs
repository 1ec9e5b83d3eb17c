//! Measures how fast a store writes and reads:
//! `cargo run --release -p citymap-benches --example store [FEATURES] [LOCATION]`.
//!
//! Parcels of five corners with ten fields. The location is that of a new GeoPackage or of an empty PostGIS
//! database. Prints features a second, and next to them the time of bare SQLite for rows of the same bytes
//! without geometry columns, R-tree, catalogue, history or log: the limit of the file format, measured in the
//! same run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{error::Error, path::Path, time::Instant};

use chrono::NaiveDate;
use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Edit, Options, Store, StoreError, open_with};
use geo_types::polygon;

fn layer() -> Result<Layer, Box<dyn Error>> {
    let mut layer = Layer::new(
        "parcels".parse()?,
        Title::new("Thửa đất", "Parcels"),
        Role::Parcel,
        GeometryKind::Polygon,
    );
    layer.fields = [
        ("ma_thua", FieldType::Text),
        ("ma_xa", FieldType::Text),
        ("so_to", FieldType::Int),
        ("so_thua", FieldType::Int),
        ("loai_dat", FieldType::Text),
        ("dien_tich", FieldType::Real),
        ("dia_chi", FieldType::Text),
        ("ngay_cap", FieldType::Date),
        ("tranh_chap", FieldType::Bool),
        ("ghi_chu", FieldType::Text),
    ]
    .map(|(name, field_type)| Field::new(name, field_type))
    .into();
    layer.key = Some("ma_thua".to_owned());
    Ok(layer)
}

fn parcel(at: u32, area: f64) -> NewFeature {
    let (x, y) = (106.5 + f64::from(at % 1000) * 2e-4, 10.6 + f64::from(at / 1000) * 2e-4);
    let geometry = polygon![
        (x: x, y: y), (x: x + 5e-5, y: y), (x: x + 5e-5, y: y + 1.5e-4),
        (x: x + 2e-5, y: y + 1.6e-4), (x: x, y: y + 1.5e-4)
    ];
    NewFeature {
        geometry: Some(geometry.into()),
        values: vec![
            Value::Text(format!("26740.{}.{}", at / 300, at % 300)),
            Value::Text("26740".to_owned()),
            Value::Int(i64::from(at / 300)),
            Value::Int(i64::from(at % 300)),
            Value::Text("ODT".to_owned()),
            Value::Real(area + f64::from(at % 77) / 10.0),
            Value::Text(format!("{}/{} Đường Nguyễn Thị Minh Khai", at % 400, at % 7)),
            Value::Date(NaiveDate::default()),
            Value::Bool(at.is_multiple_of(500)),
            Value::Null,
        ],
    }
}

fn write(store: &dyn Store, layer: &Layer, mode: Mode, features: Vec<NewFeature>) -> Result<(), StoreError> {
    let mut change = store.begin(CommitMeta::default())?;
    change.layer(layer, mode)?;
    for feature in features {
        change.put(feature)?;
    }
    let revision = change.commit()?;
    println!("    {:?}", revision.changes[0]);
    Ok(())
}

fn timed<T, E>(what: &str, count: u32, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let start = Instant::now();
    let outcome = work()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<44} {seconds:>7.2} s {:>9.0} features/s", f64::from(count) / seconds);
    Ok(outcome)
}

fn bare(path: &Path, count: u32) -> rusqlite::Result<()> {
    let mut conn = rusqlite::Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (fid INTEGER PRIMARY KEY, \
         geom, ma_thua, \
         ma_xa, so_to, so_thua, loai_dat, dien_tich, dia_chi, ngay_cap, tranh_chap, ghi_chu)",
    )?;
    let blob = [7u8; 144];
    timed("bare SQLite, the same rows, one table: write", count, || {
        let transaction = conn.transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")?;
            for at in 0..count {
                insert.execute(rusqlite::params![
                    at,
                    blob,
                    format!("26740.{}.{}", at / 300, at % 300),
                    "26740",
                    at / 300,
                    at % 300,
                    "ODT",
                    f64::from(at % 77) / 10.0,
                    format!("{}/{} Đường Nguyễn Thị Minh Khai", at % 400, at % 7),
                    "2021-04-01",
                    false,
                    None::<i64>
                ])?;
            }
        }
        transaction.commit()
    })?;
    timed("bare SQLite, the same rows, one table: read", count, || {
        let mut statement = conn.prepare("SELECT * FROM t")?;
        let mut rows = statement.query([])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            for index in 0..12 {
                bytes += match row.get_ref(index)? {
                    rusqlite::types::ValueRef::Text(text) | rusqlite::types::ValueRef::Blob(text) => {
                        text.len()
                    }
                    _ => 8,
                };
            }
        }
        println!("    {bytes} bytes");
        rusqlite::Result::Ok(())
    })
}

/// Reads all of a layer as of a revision; how many values there are.
fn read(store: &dyn Store, layer: &Layer, revision: Option<u64>) -> Result<(), StoreError> {
    let view = revision.map_or_else(|| store.view(), |revision| store.view_at(revision))?;
    let mut values = 0;
    view.read(&layer.id, &mut |feature| {
        values += feature.values.len();
        Ok(())
    })?;
    println!("    {values} values");
    Ok(())
}

/// Edits features spread over the layer, each in a revision of its own or all in one.
fn edit(store: &dyn Store, layer: &Layer, count: u32, of: u32, one_by_one: bool) -> Result<(), StoreError> {
    let begin = || -> Result<_, StoreError> {
        let mut change = store.begin(CommitMeta::default())?;
        change.layer(layer, Mode::Edit)?;
        Ok(change)
    };
    let edits = (0..count).map(|at| {
        let place = at * (of / count);
        Edit::Update(i64::from(place) + 1, parcel(place, 200.0 + f64::from(u8::from(one_by_one))))
    });
    if one_by_one {
        for edit in edits {
            let mut change = begin()?;
            change.edit(edit)?;
            change.commit()?;
        }
        return Ok(());
    }
    let mut change = begin()?;
    for edit in edits {
        change.edit(edit)?;
    }
    println!("    {:?}", change.commit()?.changes[0]);
    Ok(())
}

/// Hands over what differs between a revision and now.
fn changes(store: &dyn Store, layer: &Layer, from: u64) -> Result<(), StoreError> {
    let view = store.view()?;
    let mut seen = 0;
    view.changes(&layer.id, from, &mut |_| {
        seen += 1;
        Ok(())
    })?;
    println!("    {seen} changes, {:?}", view.touched(&layer.id, from)?);
    Ok(())
}

/// Brings the layer back as it was, feature by feature.
fn restore(store: &dyn Store, layer: &Layer, revision: u64) -> Result<(), StoreError> {
    let view = store.view_at(revision)?;
    let mut change = store.begin(CommitMeta::default())?;
    change.layer(layer, Mode::Restore)?;
    view.read(&layer.id, &mut |feature| {
        change
            .put_at(feature.fid, NewFeature { geometry: feature.geometry, values: feature.values })
            .map(drop)
    })?;
    println!("    {:?}", change.commit()?.changes[0]);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let location = arguments.next().unwrap_or_else(|| folder.path().join("city.gpkg").display().to_string());
    let options = Options { create: true, migrate: true, ..Options::default() };
    let layer = layer()?;
    let make = |area: f64, part: u32| (0..count / part).map(|at| parcel(at * part, area)).collect::<Vec<_>>();

    let store = timed("open or create", 1, || open_with(&location, &options))?;
    let store = store.as_ref();
    let features = make(50.0, 1);
    timed("replace, nothing before", count, || write(store, &layer, Mode::Replace, features))?;
    timed("read all", count, || read(store, &layer, None))?;
    timed("read all", count, || read(store, &layer, None))?;
    let features = make(50.0, 1);
    timed("replace by the same", count, || write(store, &layer, Mode::Replace, features))?;
    let features = make(60.0, 1);
    timed("replace by changed ones", count, || write(store, &layer, Mode::Replace, features))?;
    timed("read all as of revision 1", count, || read(store, &layer, Some(1)))?;
    timed("changes since revision 1", count, || changes(store, &layer, 1))?;
    let features = make(70.0, 100);
    timed("upsert a hundredth", count / 100, || write(store, &layer, Mode::Upsert, features))?;
    timed("upsert one", 1, || write(store, &layer, Mode::Upsert, vec![parcel(7, 99.0)]))?;
    let few = 1_000.min(count);
    timed("1000 edits, a revision each", few, || edit(store, &layer, few, count, true))?;
    timed("changes since the last of them", 1, || changes(store, &layer, store.revision()? - 1))?;
    timed("changes since the first of them", few, || {
        changes(store, &layer, store.revision()? - u64::from(few))
    })?;
    timed("edits of a tenth in one revision", count / 10, || edit(store, &layer, count / 10, count, false))?;
    timed("read all as of revision 2", count, || read(store, &layer, Some(2)))?;
    timed("restore revision 2", count, || restore(store, &layer, 2))?;
    timed("revision(), 10 000 times", 10_000, || (0..10_000).try_for_each(|_| store.revision().map(drop)))?;
    timed("open a view, 100 times", 100, || (0..100).try_for_each(|_| store.view().map(drop)))?;
    for finding in timed("check", count, || store.check())? {
        println!("    {:?}: {}", finding.severity, finding.message);
    }
    if let Ok(file) = std::fs::metadata(&location) {
        println!("    {} MB", file.len() / 1_000_000);
    }
    bare(&folder.path().join("bare.db"), count)?;
    Ok(())
}
