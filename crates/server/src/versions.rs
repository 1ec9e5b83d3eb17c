use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use citymap_engine::LayerSnapshot;
use citymap_model::LayerId;

use crate::app::fingerprint;

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
