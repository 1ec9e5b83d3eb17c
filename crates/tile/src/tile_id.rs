//! Tiles of the Web Mercator quad tree by zoom, column and row.

use std::fmt;

use citymap_engine::{Bbox, mercator};

/// The deepest zoom that has tiles.
pub const MAX_ZOOM: u8 = 22;

/// A tile of the Web Mercator quad tree (WebMercatorQuad): zoom, column from the west, row from the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    z: u8,
    x: u32,
    y: u32,
}

/// Why three numbers do not identify a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// The zoom is deeper than [`MAX_ZOOM`].
    #[error("zoom {0} is beyond the deepest, {MAX_ZOOM}")]
    Zoom(u8),
    /// The column or the row is beyond the last one of the zoom.
    #[error("tile {z}/{x}/{y} does not exist: columns and rows of zoom {z} end at {last}")]
    Position {
        /// Zoom that was requested.
        z: u8,
        /// Column that was requested.
        x: u32,
        /// Row that was requested.
        y: u32,
        /// Last column and row of the zoom.
        last: u32,
    },
}

impl TileId {
    /// The tile at zoom `z`, column `x`, row `y`.
    ///
    /// # Errors
    /// [`TileError`] if the zoom is beyond [`MAX_ZOOM`] or has no such tile.
    pub fn new(z: u8, x: u32, y: u32) -> Result<Self, TileError> {
        if z > MAX_ZOOM {
            return Err(TileError::Zoom(z));
        }
        let last = (1 << z) - 1;
        if x > last || y > last {
            return Err(TileError::Position { z, x, y, last });
        }
        Ok(Self { z, x, y })
    }

    /// A tile that is known to exist.
    pub(crate) fn of(z: u8, x: u32, y: u32) -> Self {
        Self { z, x, y }
    }

    /// The tile of zoom `z` that contains a position (WGS 84 longitude, latitude in degrees). Positions
    /// beyond the square world are moved to its edge.
    ///
    /// # Errors
    /// [`TileError::Zoom`] if the zoom is beyond [`MAX_ZOOM`].
    pub fn at(lonlat: [f64; 2], z: u8) -> Result<Self, TileError> {
        let [x, y] = mercator::project(lonlat)
            .map(|world| (u64::from(world) >> (32 - u32::from(z.min(MAX_ZOOM)))) as u32);
        Self::new(z, x, y)
    }

    /// The zoom, from 0 for the whole world to [`MAX_ZOOM`].
    pub fn z(self) -> u8 {
        self.z
    }

    /// The column, counted from the west.
    pub fn x(self) -> u32 {
        self.x
    }

    /// The row, counted from the north.
    pub fn y(self) -> u32 {
        self.y
    }

    /// The square of the tile in WGS 84 degrees.
    pub fn bounds(self) -> Bbox {
        self.grown(0.0)
    }

    /// The square of the tile grown by `units` ([`EXTENT`](crate::EXTENT) to its side) on each side, in WGS
    /// 84 degrees. It may reach beyond the world.
    pub fn grown(self, units: f64) -> Bbox {
        let side = f64::from(1u32 << (31 - self.z)) * 2.0;
        let margin = units / f64::from(crate::EXTENT) * side;
        let [west, north] =
            mercator::unproject([f64::from(self.x) * side - margin, f64::from(self.y) * side - margin]);
        let [east, south] = mercator::unproject([
            f64::from(self.x + 1) * side + margin,
            f64::from(self.y + 1) * side + margin,
        ]);
        Bbox::new(west, south, east, north)
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.z, self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tiles_that_exist_are_named() {
        assert!(TileId::new(0, 0, 0).is_ok());
        assert_eq!(TileId::new(23, 0, 0), Err(TileError::Zoom(23)));
        assert_eq!(TileId::new(1, 2, 0), Err(TileError::Position { z: 1, x: 2, y: 0, last: 1 }));
        assert!(TileId::new(22, (1 << 22) - 1, (1 << 22) - 1).is_ok());
    }

    #[test]
    fn a_tile_holds_the_position_it_was_found_by() {
        for z in 0..=MAX_ZOOM {
            let tile = TileId::at([106.698, 10.7725], z).unwrap();
            let bounds = tile.bounds();
            assert!(bounds.min[0] <= 106.698 && 106.698 <= bounds.max[0], "{tile}");
            assert!(bounds.min[1] <= 10.7725 && 10.7725 <= bounds.max[1], "{tile}");
        }
        assert_eq!(TileId::at([180.0, -90.0], 2), TileId::new(2, 3, 3));
    }

    #[test]
    fn the_whole_world_is_one_tile() {
        let bounds = TileId::new(0, 0, 0).unwrap().bounds();
        assert_eq!((bounds.min[0], bounds.max[0]), (-180.0, 180.0));
        assert!(
            (bounds.max[1] - mercator::MAX_LAT).abs() < 1e-9
                && (bounds.min[1] + mercator::MAX_LAT).abs() < 1e-9
        );
    }
}
