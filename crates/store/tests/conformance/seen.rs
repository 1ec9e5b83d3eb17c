//! What a view shows, to hold it against what another one shows.

use std::collections::BTreeMap;

use citymap_model::{Feature, Layer, RevisionNumber};
use citymap_store::{Change, LayerEntry, ReadView, Store, StoreError, Touched};

use super::parts::id;

/// All that a view shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) revision: RevisionNumber,
    pub(crate) layers: Vec<LayerEntry>,
    pub(crate) features: BTreeMap<String, Vec<Feature>>,
}

impl Seen {
    pub(crate) fn entry(&self, layer: &str) -> Option<&LayerEntry> {
        self.layers.iter().find(|entry| entry.layer.id.as_str() == layer)
    }
}

pub(crate) fn see(view: &dyn ReadView) -> Seen {
    let layers = view.layers().unwrap();
    let mut features = BTreeMap::new();
    for entry in &layers {
        let mut all = Vec::new();
        view.read(&entry.layer.id, &mut |feature| {
            all.push(feature);
            Ok(())
        })
        .unwrap();
        assert_eq!(entry.count, all.len() as u64, "the count of {} at {}", entry.layer.id, view.revision());
        features.insert(entry.layer.id.to_string(), all);
    }
    Seen { revision: view.revision(), layers, features }
}

/// What the newest view shows.
pub(crate) fn see_newest(store: &dyn Store) -> Seen {
    see(store.view().unwrap().as_ref())
}

pub(crate) fn changes(view: &dyn ReadView, layer: &str, from: RevisionNumber) -> Vec<Change> {
    let mut changes = Vec::new();
    view.changes(&id(layer), from, &mut |change| {
        changes.push(change);
        Ok(())
    })
    .unwrap();
    changes
}

fn same_shape(a: &Layer, b: &Layer) -> (bool, bool) {
    let shape = |layer: &Layer| -> Vec<_> {
        layer.fields.iter().map(|field| (field.name.clone(), field.field_type)).collect()
    };
    let fields = shape(a) == shape(b);
    (fields, fields && a.geometry == b.geometry)
}

/// What two full reads differ in.
fn expected(before: &Seen, after: &Seen, layer: &str) -> Vec<Change> {
    let map = |seen: &Seen| -> BTreeMap<i64, Feature> {
        let features = seen.features.get(layer).cloned().unwrap_or_default();
        features.into_iter().map(|feature| (feature.fid, feature)).collect()
    };
    let comparable = match (before.entry(layer), after.entry(layer)) {
        (Some(a), Some(b)) => same_shape(&a.layer, &b.layer).0,
        _ => true,
    };
    let (mut before, mut after) = (map(before), map(after));
    let fids: std::collections::BTreeSet<i64> = before.keys().chain(after.keys()).copied().collect();
    fids.into_iter()
        .map(|fid| Change { fid, before: before.remove(&fid), after: after.remove(&fid) })
        .filter(|change| !comparable || change.before != change.after)
        .collect()
}

/// `changes` and `touched` of every layer between two revisions are what two full reads tell.
pub(crate) fn differ_as_read(store: &dyn Store, before: &Seen, after: &Seen) {
    let view = store.view_at(after.revision).unwrap();
    let mut layers: Vec<&String> = before.features.keys().chain(after.features.keys()).collect();
    layers.sort_unstable();
    layers.dedup();
    for layer in layers {
        let (from, to) = (before.revision, after.revision);
        let told = changes(view.as_ref(), layer, from);
        assert_eq!(told, expected(before, after, layer), "{layer} from {from} to {to}");
        let whole = match (before.entry(layer), after.entry(layer)) {
            (Some(a), Some(b)) => !same_shape(&a.layer, &b.layer).1,
            _ => true,
        };
        match view.touched(&id(layer), from).unwrap() {
            Touched::Whole => assert!(whole, "{layer} from {from} to {to} is touched as a whole"),
            Touched::Features(most) => {
                assert!(!whole && told.len() as u64 <= most, "{layer} from {from} to {to}: {most}");
            }
        }
    }
    let gone = id("never_there");
    assert!(matches!(view.touched(&gone, before.revision), Err(StoreError::NoLayer(_))));
}

/// Each former revision is as it was when it was the newest, and any two differ as full reads of them do.
/// With many revisions, neighbours and some others are compared.
pub(crate) fn the_past_is_as_it_was(store: &dyn Store, seen: &[Seen]) {
    for then in seen {
        assert_eq!(see(store.view_at(then.revision).unwrap().as_ref()), *then, "revision {}", then.revision);
    }
    for (at, after) in seen.iter().enumerate() {
        for before in &seen[..=at] {
            let apart = after.revision - before.revision;
            if seen.len() <= 15 || apart < 3 || (after.revision * 31 + before.revision * 17) % 13 == 0 {
                differ_as_read(store, before, after);
            }
        }
    }
}
