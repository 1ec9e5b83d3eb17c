//! How fast the store writes and reads: `cargo run --release -p citymap-store --example throughput [FEATURES] [PATH]`.
//!
//! Parcels of five corners with ten fields. Prints features a second, and beside them what bare
//! SQLite takes for rows of the same bytes without geometry columns, R-tree, catalogue or log:
//! the limit of this file format, measured in the same run.

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::Instant,
};

use chrono::NaiveDate;
use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{GeoPackage, Store, StoreError};
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
        (x: x, y: y), (x: x + 5e-5, y: y), (x: x + 5e-5, y: y + 1.5e-4), (x: x + 2e-5, y: y + 1.6e-4), (x: x, y: y + 1.5e-4)
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
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (fid INTEGER PRIMARY KEY, geom, ma_thua, \
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

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = arguments.next().map_or_else(|| folder.path().join("city.gpkg"), PathBuf::from);
    let layer = layer()?;
    let make = |area: f64, part: u32| (0..count / part).map(|at| parcel(at * part, area)).collect::<Vec<_>>();

    let store = timed("open or create", 1, || GeoPackage::open_or_create(&path))?;
    let (first, same, other, few) = (make(50.0, 1), make(50.0, 1), make(60.0, 1), make(70.0, 100));
    timed("replace, nothing before", count, || write(&store, &layer, Mode::Replace, first))?;
    for _ in 0..2 {
        let mut coords = 0;
        timed("read all", count, || {
            store.view()?.read(&layer.id, &mut |feature| {
                coords += feature.values.len();
                Ok(())
            })
        })?;
        println!("    {coords} values");
    }
    timed("replace by the same", count, || write(&store, &layer, Mode::Replace, same))?;
    timed("replace by changed ones", count, || write(&store, &layer, Mode::Replace, other))?;
    timed("upsert a hundredth", count / 100, || write(&store, &layer, Mode::Upsert, few))?;
    timed("upsert one", 1, || write(&store, &layer, Mode::Upsert, vec![parcel(7, 99.0)]))?;
    timed("revision(), 10 000 times", 10_000, || (0..10_000).try_for_each(|_| store.revision().map(|_| ())))?;
    timed("open a view, 100 times", 100, || (0..100).try_for_each(|_| store.view().map(|_| ())))?;
    for finding in timed("check", count, || store.check())? {
        println!("    {:?}: {}", finding.severity, finding.message);
    }
    timed("close", 1, || {
        drop(store);
        Ok::<_, StoreError>(())
    })?;
    println!("    {} MB", std::fs::metadata(&path)?.len() / 1_000_000);
    bare(&folder.path().join("bare.db"), count)?;
    Ok(())
}
