//! What styles are made of, and the label points of areas, which are computed once for each state of a layer.

use std::{path::Path, sync::Arc};

use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_model::Role;
use citymap_render::styles::{AreaLabel, StyleBook, StylesError, area_labels};
use moka::sync::Cache;

use super::parsed::{ParsedKey, ParsedStyle};

/// Number of states of layers whose label points are kept.
const STATES_MAX: u64 = 32;

/// Number of styles whose parsed form is kept.
const PARSED_MAX: u64 = 64;

/// The label points of one state of a layer.
type Labels = Arc<Vec<AreaLabel>>;

/// The styles of the server.
pub(crate) struct StyleService {
    /// What there is to choose from.
    pub(crate) book: StyleBook,
    labels: Cache<(u64, Option<TimeInterval>), Labels>,
    /// Styles as pictures are drawn from them.
    pub(super) parsed: Cache<ParsedKey, Arc<ParsedStyle>>,
}

impl StyleService {
    /// The standard styles, and those of an operator's folder.
    ///
    /// # Errors
    /// [`StylesError`] for the first file that cannot be used.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, StylesError> {
        let (labels, parsed) = (Cache::new(STATES_MAX), Cache::new(PARSED_MAX));
        Ok(Self { book: StyleBook::load(folder)?, labels, parsed })
    }

    /// The points at which a style labels the areas of a layer that are valid at `time` ([`area_labels`]).
    /// CPU work of some milliseconds for a new state.
    pub(crate) fn labels(&self, snapshot: &LayerSnapshot, time: Option<TimeInterval>) -> Labels {
        if snapshot.layer().role != Role::AdminUnit {
            return Labels::default();
        }
        // No other snapshot has this id.
        self.labels.get_with((snapshot.delta().id(), time), || Arc::new(area_labels(snapshot, time)))
    }
}
