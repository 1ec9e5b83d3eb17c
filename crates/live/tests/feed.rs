//! The change feed of a city in a GeoPackage.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use citymap_live::{FeatureOp, Live, RevisionEvent};
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

/// What a client that follows the feed holds: the features by id.
type Mirror = BTreeMap<String, (i64, String, Option<[f64; 2]>)>;

/// The features of a former state by id.
fn shown(live: &Live, revision: u64) -> Mirror {
    let city = live.snapshot_at(revision).unwrap().city;
    let layer = city.layer("places").unwrap();
    let entry = |row: u32| {
        let place = layer.bbox(row).map(|bbox| bbox.min);
        (layer.id(row).to_string(), (layer.fid(row), layer.value(row, 0).to_text(), place))
    };
    layer.rows().map(entry).collect()
}

/// Follows one event as the documentation says: first drop the ids that are gone, then take what is named.
fn follow(mirror: &mut Mirror, live: &Live, event: &RevisionEvent) {
    let now = shown(live, event.revision.number);
    let layer = &event.layers[0];
    if layer.whole {
        *mirror = now;
        return;
    }
    for feature in &layer.features {
        let gone =
            if feature.op == FeatureOp::Removed { Some(&feature.id) } else { feature.former_id.as_ref() };
        if let Some(gone) = gone {
            let held = mirror.remove(&gone.to_string());
            assert_eq!(held.map(|held| held.0), Some(feature.fid), "{feature:?}");
        }
    }
    for feature in layer.features.iter().filter(|feature| feature.op != FeatureOp::Removed) {
        let id = feature.id.to_string();
        let content = now.get(&id).unwrap_or_else(|| panic!("{id} is not there: {feature:?}"));
        assert_eq!(content.0, feature.fid);
        assert_eq!(content.2, feature.bbox.map(|bbox| bbox.min), "{feature:?}");
        mirror.insert(id, content.clone());
    }
}

#[test]
fn a_mirror_by_id_equals_the_city_whatever_keys_are_edited() {
    for seed in 0..8_u64 {
        let (_folder, path, store) = city();
        import(&store, 6);
        let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
        let mut mirror = shown(&live, 1);
        let mut seen = 1;
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
        let mut dice = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        // Few keys, so that they repeat; some that cannot stand alone, and none.
        let keys = ["a", "b", "c", "p1", "p2", "", "x~2"];
        let mut alive: Vec<i64> = (1..=6).collect();
        for round in 0..40 {
            let mut edits = Vec::new();
            let mut left = alive.clone();
            for _ in 0..=dice(3) {
                let mut new = point(keys[dice(keys.len() as u64) as usize], 106.0 + f64::from(round) * 1e-3);
                if dice(5) == 0 {
                    new.values = vec![Value::Null];
                }
                let one = if left.is_empty() { 0 } else { dice(left.len() as u64) as usize };
                match dice(4) {
                    0 if !left.is_empty() => {
                        let fid = left.remove(one);
                        alive.retain(|own| *own != fid);
                        edits.push(Edit::Delete(fid));
                    }
                    1 => edits.push(Edit::Insert(None, new)),
                    _ if !left.is_empty() => edits.push(Edit::Update(left.remove(one), new)),
                    _ => edits.push(Edit::Insert(None, new)),
                }
            }
            edit(&store, edits);
            live.refresh().unwrap();
            alive = live.snapshot().city.layer("places").unwrap().features().map(|own| own.fid).collect();
            // Sometimes several revisions are told at once.
            if dice(3) > 0 {
                for event in live.events_after(seen, 100).unwrap() {
                    seen = event.revision.number;
                    follow(&mut mirror, &live, &event);
                    assert_eq!(mirror, shown(&live, seen), "seed {seed}, revision {seen}");
                }
            }
        }
        let last = live.snapshot().revision();

        // From the record alone, by pages.
        let other = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
        let mut mirror = shown(&other, 1);
        let mut after = 1;
        while after < last {
            for event in other.events_after(after, 7).unwrap() {
                after = event.revision.number;
                follow(&mut mirror, &other, &event);
                assert_eq!(mirror, shown(&other, after), "seed {seed}, revision {after} by pages");
            }
        }
    }
}

#[test]
fn another_key_field_changes_the_layer_as_a_whole() {
    let (_folder, path, store) = city();
    import(&store, 3);
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    let nameless = Layer { key: None, ..layer("places") };
    transaction.layer(&nameless, Mode::Edit).unwrap();
    transaction.commit().unwrap();
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    let event = live.events_after(1, 1).unwrap().remove(0);
    assert!(event.layers[0].whole && !event.layers[0].truncated, "{event:?}");
}

#[test]
fn the_neighbour_that_takes_a_key_over_is_told() {
    let (_folder, path, store) = city();
    import(&store, 2);
    edit(&store, vec![Edit::Update(2, point("p0", 107.0))]);
    edit(&store, vec![Edit::Delete(1)]);
    let live = Live::open(Box::new(GeoPackage::open(&path).unwrap())).unwrap();
    let events = live.events_after(1, 9).unwrap();
    let told = |index: usize| -> Vec<(i64, FeatureOp, String, Option<String>)> {
        let features = events[index].layers[0].features.iter();
        let former = |id: &Option<FeatureId>| id.as_ref().map(ToString::to_string);
        features.map(|own| (own.fid, own.op, own.id.to_string(), former(&own.former_id))).collect()
    };
    assert_eq!(told(0), [(2, FeatureOp::Changed, "p0~2".into(), Some("p1".into()))]);
    let removed = (1, FeatureOp::Removed, "p0".into(), None);
    assert_eq!(told(1), [removed, (2, FeatureOp::Changed, "p0".into(), Some("p0~2".into()))]);
}
