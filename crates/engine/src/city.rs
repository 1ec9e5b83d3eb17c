use std::{collections::BTreeMap, sync::Arc};

use citymap_model::{LayerId, RevisionNumber};

use crate::LayerSnapshot;

/// All layers as of one revision. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct City {
    /// The revision.
    pub revision: RevisionNumber,
    /// The layers by id.
    pub layers: BTreeMap<LayerId, Arc<LayerSnapshot>>,
}

impl City {
    /// The layer called `id`.
    pub fn layer(&self, id: &str) -> Option<&Arc<LayerSnapshot>> {
        self.layers.iter().find(|(name, _)| name.as_str() == id).map(|(_, snapshot)| snapshot)
    }
}
