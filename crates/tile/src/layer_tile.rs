//! One layer of one tile, as the drawing methods take it.

use citymap_engine::{Bbox, Cancel, Filter, LayerSnapshot, Row};
use citymap_model::TileRule;

use crate::{TileId, TileOptions};

/// What to draw: a layer in a tile, by a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerTile<'a> {
    pub(crate) snapshot: &'a LayerSnapshot,
    pub(crate) rule: &'a TileRule,
    pub(crate) tile: TileId,
    pub(crate) options: &'a TileOptions,
    /// Only features for which this is true; `None` for all.
    pub(crate) filter: Option<&'a Filter>,
    /// Once it is set, what is drawn is incomplete, and whoever set it must not use it.
    pub(crate) cancel: &'a Cancel,
}

impl LayerTile<'_> {
    /// Calls `visit` for each row to draw whose bounding box meets `reach`, in no particular order.
    pub(crate) fn candidates(&self, reach: &Bbox, visit: impl FnMut(Row)) {
        let moment = self.snapshot.during(self.options.time);
        match self.filter {
            Some(filter) => moment.until(self.cancel).candidates_where(filter, reach, visit),
            None => moment.candidates(reach, visit),
        }
    }
}
