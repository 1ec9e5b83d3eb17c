//! The city in memory while others write to its store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{path::Path, sync::Arc};

use citymap_live::Live;
use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, LayerId, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{GeoPackage, Store};

fn layer(id: &str) -> Layer {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Place, GeometryKind::Point);
    layer.fields = vec![Field::new("name", FieldType::Text)];
    layer.key = Some("name".into());
    layer.label = Some("name".into());
    layer
}

fn commit(store: &dyn Store, id: &str, names: &[&str]) {
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer(id), Mode::Replace).unwrap();
    for (n, name) in names.iter().enumerate() {
        let point = geo_types::Point::new(106.7 + n as f64 * 1e-3, 10.77);
        let values = vec![Value::Text((*name).to_owned())];
        transaction.put(NewFeature { geometry: Some(point.into()), values }).unwrap();
    }
    transaction.commit().unwrap();
}

fn open(path: &Path) -> Live {
    Live::open(Box::new(GeoPackage::open(path).unwrap())).unwrap()
}

#[test]
fn a_refresh_reads_what_was_touched_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let writer = GeoPackage::open_or_create(&path).unwrap();
    commit(&writer, "markets", &["Chợ Bến Thành"]);
    commit(&writer, "schools", &["Trường Lê Quý Đôn"]);
    let live = open(&path);
    let before = live.snapshot();
    assert_eq!(before.revision(), 2);
    assert!(live.refresh().unwrap().is_empty(), "nothing has changed");

    commit(&writer, "markets", &["Chợ Bến Thành", "Chợ Tân Định"]);
    let markets: LayerId = "markets".parse().unwrap();
    assert_eq!(live.refresh().unwrap(), [markets]);
    let after = live.snapshot();
    assert_eq!(after.revision(), 3);
    assert_eq!(after.city.layer("markets").unwrap().len(), 2);
    let schools =
        |city_snapshot: &citymap_live::CitySnapshot| Arc::clone(city_snapshot.city.layer("schools").unwrap());
    assert!(Arc::ptr_eq(&schools(&before), &schools(&after)), "an untouched layer is the same one");
    // Who began before the refresh goes on with the city as it was.
    assert_eq!(before.city.layer("markets").unwrap().len(), 1);
    assert_eq!(live.failure(), None);
}

#[test]
fn a_store_that_is_gone_leaves_the_city_in_memory_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let writer = GeoPackage::open_or_create(&path).unwrap();
    commit(&writer, "markets", &["Chợ Bến Thành"]);
    let live = open(&path);
    commit(&writer, "markets", &["Chợ Bến Thành", "Chợ Tân Định"]);
    // The catalogue's table goes, as it would with a damaged file.
    let broken = rusqlite::Connection::open(&path).unwrap();
    broken.execute_batch("ALTER TABLE citymap_layer RENAME TO elsewhere").unwrap();
    assert!(live.refresh().is_err());
    assert!(live.failure().is_some());
    assert_eq!(live.snapshot().city.layer("markets").unwrap().len(), 1);
    broken.execute_batch("ALTER TABLE elsewhere RENAME TO citymap_layer").unwrap();
    assert_eq!(live.refresh().unwrap().len(), 1);
    assert_eq!(live.failure(), None);
    assert_eq!(live.snapshot().city.layer("markets").unwrap().len(), 2);
}
