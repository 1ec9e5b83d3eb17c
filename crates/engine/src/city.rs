//! The snapshots of all layers at one revision.

use std::{collections::BTreeMap, sync::Arc};

use citymap_model::{CityProfile, LayerId, RevisionNumber};

use crate::LayerSnapshot;

/// All layers as of one revision. Cloning copies only `Arc`s.
#[derive(Clone, Debug, Default)]
pub struct City {
    /// The revision that all layers are at.
    pub revision: RevisionNumber,
    /// The snapshots of the layers, by layer id.
    pub layers: BTreeMap<LayerId, Arc<LayerSnapshot>>,
    /// What is known of the city beyond its layers: its names, its time. As of now, whatever the revision.
    pub profile: Arc<CityProfile>,
}

impl City {
    /// The snapshot of the layer with the id `id`.
    pub fn layer(&self, id: &str) -> Option<&Arc<LayerSnapshot>> {
        self.layers.iter().find(|(name, _)| name.as_str() == id).map(|(_, snapshot)| snapshot)
    }
}
