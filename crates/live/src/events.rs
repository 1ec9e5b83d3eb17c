//! What a revision changed, as the change feed tells it.

use citymap_engine::Bbox;
use citymap_model::{FeatureId, Fid, LayerId, Mode, Revision};

/// Maximum number of features that a [`LayerEvent`] lists. With more changed features, the layer counts as
/// changed as a whole.
pub const FEATURES_MAX: u64 = 1_000;

/// What one revision changed.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionEvent {
    /// The revision as the log has it.
    pub revision: Revision,
    /// The changed layers, each once.
    pub layers: Vec<LayerEvent>,
}

/// What one revision changed in one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEvent {
    /// The id of the layer.
    pub layer: LayerId,
    /// How the change set treated the features that were there.
    pub mode: Mode,
    /// The number of new features.
    pub added: u64,
    /// The number of features whose geometry or values changed.
    pub changed: u64,
    /// The number of removed features.
    pub removed: u64,
    /// The number of features of the source that were not accepted.
    pub rejected: u64,
    /// Whether readers must read the whole layer again: its fields or its key changed, it was created or
    /// dropped, more
    /// than [`FEATURES_MAX`] of its features changed, or the revision is older than the history.
    pub whole: bool,
    /// The box around all changed features, before and after (WGS 84 degrees); `None` if none of them has a
    /// geometry, or if the whole layer would have to be read to find it.
    pub bbox: Option<Bbox>,
    /// The changed features in the order of their numbers, and those whose id changed because of them; empty
    /// if `whole`.
    pub features: Vec<FeatureEvent>,
    /// Whether `features` is empty because more than [`FEATURES_MAX`] features changed.
    pub truncated: bool,
}

/// What one revision changed in one feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureEvent {
    /// The number of the feature in the store.
    pub fid: Fid,
    /// The id of the feature at that revision, of a removed one the id before. Where a later event of the
    /// layer is `whole`, whether the key was repeated is taken from the newest snapshot.
    pub id: FeatureId,
    /// The id before the revision, if it was another one.
    pub former_id: Option<FeatureId>,
    /// What happened to the feature. One that only has another id counts as changed.
    pub op: FeatureOp,
    /// The box around the feature after the revision, in WGS 84 degrees; `None` without geometry.
    pub bbox: Option<Bbox>,
    /// The box around the feature before the revision.
    pub before: Option<Bbox>,
}

/// What happened to a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeatureOp {
    /// The feature is new.
    Added,
    /// Its geometry, its values or its id changed.
    Changed,
    /// The feature was removed.
    Removed,
}

impl FeatureOp {
    /// The name in JSON: `added`, `changed` or `removed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
