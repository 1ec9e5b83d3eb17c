//! Versions of layers for the addresses of tiles, which browsers cache for a year.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

use citymap_access::{Audience, visible};
use citymap_engine::LayerSnapshot;
use citymap_model::LayerId;

/// The versions of the newest layers, so that they are not computed again for every tile.
#[derive(Default)]
pub(crate) struct Versions(RwLock<HashMap<LayerId, (u64, Arc<str>)>>);

impl Versions {
    /// The [`fingerprint`] of the layer.
    pub(crate) fn of(&self, snapshot: &LayerSnapshot) -> Arc<str> {
        // No other snapshot has this id, not even a merged one of the same revision.
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

/// A short text that changes whenever the layer does, and differs between stores with the same revision
/// numbers. It is made of the revision, the definition, the number of features, the extent and some
/// coordinates.
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
    // The first features by number, whatever their order in memory, so that all servers of a store agree.
    for row in snapshot.rows().take(16) {
        for pair in snapshot.shape(row).coords().iter().take(4) {
            hash(*pair);
        }
    }
    format!("{}-{:012x}", snapshot.revision(), hasher.finish() & 0xffff_ffff_ffff)
}
