//! The state of a merge in progress: what is committed to its layer in the meantime.

use citymap_model::{Layer, LayerId, RevisionNumber};

use crate::read::Changes;

/// What brought a layer from one revision to a later one.
pub(crate) struct LayerStep {
    pub(crate) layer: Layer,
    pub(crate) revision: RevisionNumber,
    pub(crate) changes: Changes,
}

/// A merge in progress.
pub(crate) struct RunningMerge {
    pub(crate) layer: LayerId,
    /// The layer's changes since the merge began.
    pub(crate) since: Vec<LayerStep>,
    /// Whether the layer was replaced, so that the result of the merge cannot be used.
    pub(crate) abandoned: bool,
}

impl RunningMerge {
    /// Remembers the steps of its layer. `replaced` lists layers that were read as a whole or removed.
    pub(crate) fn follow(&mut self, steps: Vec<LayerStep>, replaced: &[LayerId]) {
        self.abandoned |= replaced.contains(&self.layer);
        self.since.extend(steps.into_iter().filter(|step| step.layer.id == self.layer));
    }

    /// Marks the result as unusable.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
    }
}
