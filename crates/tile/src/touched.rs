//! Finds the tiles that a change touches.

use std::ops::RangeInclusive;

use citymap_engine::{Bbox, mercator};

use crate::{EXTENT, MAX_ZOOM, TileError, TileId};

/// A rectangle of tiles of one zoom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TileRange {
    z: u8,
    x: RangeInclusive<u32>,
    y: RangeInclusive<u32>,
}

/// The tiles of a zoom whose squares, each grown by `buffer` tile units, meet a box in WGS 84 degrees. These
/// are all tiles whose bytes may change with a feature in the box, if they are cut with the same
/// [`TileOptions::buffer`](crate::TileOptions::buffer). At the edge there may be one tile more. A box beyond
/// the square world counts as on its edge. A box across the antimeridian counts as all around the world, so
/// [`Bbox::split`] it first.
///
/// # Errors
/// [`TileError::Zoom`] if the zoom is beyond [`MAX_ZOOM`].
pub fn touched_tiles(bbox: &Bbox, zoom: u8, buffer: u16) -> Result<TileRange, TileError> {
    if zoom > MAX_ZOOM {
        return Err(TileError::Zoom(zoom));
    }
    // The side of a tile as a power of two of world units, and the margin in world units: the buffer, one
    // tile unit for rounding, and one world unit for the rounding of the box itself.
    let shift = 32 - u32::from(zoom);
    let margin = ((u64::from(buffer) + 1) << shift).div_ceil(u64::from(EXTENT)) + 1;
    let span = |low: u32, high: u32| {
        let (first, end) = (u64::from(low).saturating_sub(margin), u64::from(high) + margin);
        let last = (1u64 << zoom) - 1;
        (first >> shift) as u32..=(end >> shift).min(last) as u32
    };
    let [west, north] = mercator::project([bbox.min[0], bbox.max[1]]);
    let [east, south] = mercator::project([bbox.max[0], bbox.min[1]]);
    let x = if bbox.min[0] > bbox.max[0] { span(0, u32::MAX) } else { span(west, east) };
    Ok(TileRange { z: zoom, x, y: span(north, south) })
}

impl TileRange {
    /// The zoom of all tiles of the range.
    pub fn z(&self) -> u8 {
        self.z
    }

    /// The columns, counted from the west.
    pub fn x(&self) -> RangeInclusive<u32> {
        self.x.clone()
    }

    /// The rows, counted from the north.
    pub fn y(&self) -> RangeInclusive<u32> {
        self.y.clone()
    }

    /// The number of tiles, computed without visiting them.
    pub fn count(&self) -> u64 {
        let span = |range: &RangeInclusive<u32>| u64::from(range.end() - range.start()) + 1;
        span(&self.x) * span(&self.y)
    }

    /// Whether the tile is in the range.
    pub fn contains(&self, tile: TileId) -> bool {
        tile.z() == self.z && self.x.contains(&tile.x()) && self.y.contains(&tile.y())
    }

    /// Iterates over the tiles row by row.
    pub fn tiles(&self) -> impl Iterator<Item = TileId> + '_ {
        self.y.clone().flat_map(move |y| self.x.clone().map(move |x| TileId::of(self.z, x, y)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_touched_tile_is_left_out_and_no_far_one_is_in(
            x in -180.0..180.0f64, y in -80.0..80.0f64, w in 0.0..0.02f64, h in 0.0..0.02f64,
            z in 0..=MAX_ZOOM, buffer in 0..300u16,
        ) {
            // A few tiles at any zoom.
            let scale = 1e4 / f64::from(1u32 << z).min(1e4);
            let bbox = Bbox::new(x, y, (x + w / 20.0 * scale).min(180.0), y + h / 20.0 * scale);
            let range = touched_tiles(&bbox, z, buffer).unwrap();
            let [near, far] = [buffer, buffer + 4];
            for tile in range.tiles() {
                prop_assert!(tile.grown(f64::from(far)).intersects(&bbox), "{tile} is far from {bbox:?}");
            }
            // The ring of tiles around the range.
            let last = (1u32 << z) - 1;
            let around =
                |span: RangeInclusive<u32>| span.start().saturating_sub(1)..=(span.end() + 1).min(last);
            for y in around(range.y()) {
                for x in around(range.x()) {
                    let tile = TileId::new(z, x, y).unwrap();
                    if tile.grown(f64::from(near)).intersects(&bbox) {
                        prop_assert!(range.contains(tile), "{tile} meets {bbox:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_range_counts_what_it_goes_through() {
        let range = touched_tiles(&Bbox::new(106.6, 10.7, 106.8, 10.9), 13, 64).unwrap();
        assert_eq!(range.tiles().count() as u64, range.count());
        assert!(range.count() > 20 && range.tiles().all(|tile| range.contains(tile)));
        let point = TileId::at([106.698, 10.7725], 13).unwrap();
        assert!(range.contains(point) && !range.contains(TileId::at([106.698, 10.7725], 14).unwrap()));
    }

    #[test]
    fn the_world_ends_at_its_edges() {
        let world = touched_tiles(&Bbox::new(-180.0, -90.0, 180.0, 90.0), 3, 64).unwrap();
        assert_eq!((world.count(), world.x(), world.y()), (64, 0..=7, 0..=7));
        let across = touched_tiles(&Bbox::new(179.9, 0.0, -179.9, 0.1), 3, 0).unwrap();
        assert_eq!(across.x(), 0..=7);
        assert_eq!(touched_tiles(&Bbox::new(0.0, 0.0, 0.0, 0.0), 23, 0), Err(TileError::Zoom(23)));
    }
}
