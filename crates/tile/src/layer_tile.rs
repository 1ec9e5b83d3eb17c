//! One layer of one tile, as the drawing methods take it.

use citymap_engine::{Cancel, LayerSnapshot};
use citymap_model::TileRule;

use crate::{TileId, TileOptions};

/// What to draw: a layer in a tile, by a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerTile<'a> {
    pub(crate) snapshot: &'a LayerSnapshot,
    pub(crate) rule: &'a TileRule,
    pub(crate) tile: TileId,
    pub(crate) options: &'a TileOptions,
    /// Once it is set, what is drawn is incomplete, and whoever set it must not use it.
    pub(crate) cancel: &'a Cancel,
}
