//! Finds the tiles that a bake has to process.

use std::ops::RangeInclusive;

use citymap_engine::{Bbox, LayerSnapshot};

use super::{error::BakeError, number::tile_number};
use crate::{TileId, TileOptions};

/// Maximum number of tiles of a bake; an archive of more would take days.
const MAX_TILES: usize = 50_000_000;

/// Distance in tile units beyond a tile's square within which features may affect it: buffers and the reach
/// of merges.
const REACH: f64 = 512.0;

/// The numbers, ascending, of all tiles of the zooms that may have content. A tile's quarters are visited
/// only if a feature's box meets the tile.
pub(crate) fn tiles(
    layers: &[&LayerSnapshot],
    zooms: &RangeInclusive<u8>,
    bbox: Option<&Bbox>,
    options: &TileOptions,
) -> Result<Vec<u64>, BakeError> {
    let reach = REACH + f64::from(options.buffer);
    let mut out = Vec::new();
    let mut open = vec![TileId::of(0, 0, 0)];
    while let Some(tile) = open.pop() {
        if bbox.is_some_and(|bbox| !tile.bounds().intersects(bbox)) {
            continue;
        }
        let around = tile.grown(reach);
        let any = layers.iter().any(|layer| {
            // The upper zooms are taken without reading features.
            let Some(extent) = layer.extent().filter(|extent| extent.intersects(&around)) else {
                return false;
            };
            let mut any = tile.z() < 8 && extent.min[0] <= extent.max[0];
            if !any {
                layer.during(options.time).candidates(&around, |_| any = true);
            }
            any
        });
        if !any {
            continue;
        }
        if zooms.contains(&tile.z()) {
            out.push(tile_number(tile));
            if out.len() > MAX_TILES {
                return Err(BakeError::TooMany { max: MAX_TILES });
            }
        }
        if tile.z() < *zooms.end() {
            for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                open.push(TileId::of(tile.z() + 1, 2 * tile.x() + right, 2 * tile.y() + down));
            }
        }
    }
    out.sort_unstable();
    Ok(out)
}
