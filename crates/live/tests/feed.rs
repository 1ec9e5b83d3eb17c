//! The change feed of a city in a GeoPackage.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_live::{FeatureOp, Live};
use citymap_model::{
    CommitMeta, FeatureId, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Edit, GeoPackage, Store};

fn layer(id: &str) -> Layer {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Place, GeometryKind::Point);
    layer.fields = vec![Field::new("name", FieldType::Text)];
    layer.key = Some("name".into());
    layer
}

fn point(name: &str, lon: f64) -> NewFeature {
    let point = geo_types::Point::new(lon, 10.77);
    NewFeature { geometry: Some(point.into()), values: vec![Value::Text(name.to_owned())] }
}

fn import(store: &dyn Store, count: usize) {
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer("places"), Mode::Replace).unwrap();
    for index in 0..count {
        transaction.put(point(&format!("p{index}"), 106.0 + index as f64 * 1e-4)).unwrap();
    }
    transaction.commit().unwrap();
}

fn edit(store: &dyn Store, edits: Vec<Edit>) {
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer("places"), Mode::Edit).unwrap();
    for edit in edits {
        transaction.edit(edit).unwrap();
    }
    transaction.commit().unwrap();
}

fn city() -> (tempfile::TempDir, std::path::PathBuf, GeoPackage) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    let store = GeoPackage::open_or_create(&path).unwrap();
    (folder, path, store)
}

#[test]
fn events_are_the_same_from_memory_and_from_the_store() {
    let (_folder, path, store) = city();
    import(&store, 5);
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    for round in 0..6 {
        edit(&store, vec![Edit::Update(round % 5 + 1, point("moved", 107.0 + round as f64))]);
        live.refresh().unwrap();
        // Asked for as they come, they are kept.
        assert_eq!(live.events_after(round as u64 + 1, 10).unwrap().len(), 1);
    }
    let kept = live.events_after(1, 100).unwrap();
    let other = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    let read = other.events_after(1, 100).unwrap();
    assert_eq!(read.len(), 6);
    for (kept, read) in kept.iter().zip(&read) {
        assert_eq!(kept.revision, read.revision);
        let layer = &kept.layers[0];
        assert_eq!((layer.changed, layer.features.len()), (1, 1));
        assert_eq!(
            (layer.bbox, &layer.features[0].before),
            (read.layers[0].bbox, &read.layers[0].features[0].before)
        );
        assert_eq!(layer.features[0].op, FeatureOp::Changed);
    }
    assert_eq!(other.events_after(0, 2).unwrap().len(), 2);
    assert!(other.events_after(7, 2).unwrap().is_empty() && other.events_after(99, 2).unwrap().is_empty());
}

#[test]
fn no_event_is_told_before_the_city_shows_it() {
    let (_folder, path, store) = city();
    import(&store, 1);
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    edit(&store, vec![Edit::Delete(1)]);
    assert!(live.events_after(1, 10).unwrap().is_empty());
    live.refresh().unwrap();
    let event = live.events_after(1, 10).unwrap().remove(0);
    assert_eq!(event.layers[0].features[0].op, FeatureOp::Removed);
    assert_eq!(event.layers[0].features[0].id, FeatureId::Key("p0".into()));
}

#[test]
fn what_is_the_same_afterwards_did_not_happen() {
    let (_folder, path, store) = city();
    import(&store, 3);
    edit(&store, vec![Edit::Update(2, point("x", 107.0)), Edit::Update(2, point("p1", 106.0 + 1e-4))]);
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    let event = live.events_after(1, 1).unwrap().remove(0);
    assert!(!event.layers[0].whole && event.layers[0].features.is_empty(), "{event:?}");
}

#[test]
fn revisions_older_than_the_history_are_told_from_the_log() {
    let (_folder, path, store) = city();
    import(&store, 2);
    edit(&store, vec![Edit::Delete(1)]);
    edit(&store, vec![Edit::Delete(2)]);
    edit(&store, vec![Edit::Insert(None, point("new", 106.5))]);
    drop(store);
    // As it is when a store of an earlier version was taken over at revision 3.
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute("INSERT INTO citymap_store VALUES ('history_since', 3)", []).unwrap();
    drop(file);
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    let events = live.events_after(0, 10).unwrap();
    let whole: Vec<bool> = events.iter().map(|event| event.layers[0].whole).collect();
    assert_eq!(whole, [true, true, true, false]);
    assert_eq!((events[1].layers[0].removed, events[3].layers[0].features[0].fid), (1, 3));
}
