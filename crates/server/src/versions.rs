use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

use citymap_access::{Audience, visible};
use citymap_engine::LayerSnapshot;
use citymap_model::LayerId;

/// Versions of the layers shown last, so that not every tile works them out again.
#[derive(Default)]
pub(crate) struct Versions(RwLock<HashMap<LayerId, (u64, Arc<str>)>>);

impl Versions {
    /// The layer's [`fingerprint`].
    pub(crate) fn of(&self, snapshot: &LayerSnapshot) -> Arc<str> {
        // No other snapshot has this block, merged ones included.
        let block = snapshot.delta().id();
        let layer = &snapshot.layer().id;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((own, version)) = known.get(layer)
            && *own == block
        {
            return Arc::clone(version);
        }
        drop(known);
        let version: Arc<str> = fingerprint(snapshot).into();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(layer.clone(), (block, Arc::clone(&version)));
        version
    }
}

/// A short text that changes when the layer does, and differs between stores that count their revisions alike: of the
/// revision, the definition, the count, the extent and some coordinates. Answers kept for a year by browsers carry it.
pub(crate) fn fingerprint(snapshot: &LayerSnapshot) -> String {
    let mut hasher = DefaultHasher::new();
    let layer = snapshot.layer();
    layer.id.hash(&mut hasher);
    (snapshot.len(), layer.fields.len()).hash(&mut hasher);
    let fields = visible(layer, &Audience::Public);
    for (index, field) in layer.fields.iter().enumerate() {
        (&field.name, !fields.contains(index)).hash(&mut hasher);
    }
    let mut hash = |pair: [f64; 2]| pair.map(f64::to_bits).hash(&mut hasher);
    if let Some(extent) = snapshot.extent() {
        hash(extent.min);
        hash(extent.max);
    }
    // The first by number: the same however the features lie in memory, so that all servers of a store agree.
    for row in snapshot.rows().take(16) {
        for pair in snapshot.shape(row).coords().iter().take(4) {
            hash(*pair);
        }
    }
    format!("{}-{:012x}", snapshot.revision(), hasher.finish() & 0xffff_ffff_ffff)
}
