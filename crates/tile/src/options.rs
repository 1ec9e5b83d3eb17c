//! The options of cutting a tile.

use citymap_engine::TimeInterval;

/// How tiles are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TileOptions {
    /// How far content reaches beyond the tile's square on each side, in tile units
    /// ([`EXTENT`](crate::EXTENT) to the tile), so that strokes and symbols at the seam are complete.
    pub buffer: u16,
    /// Only features that are valid at some instant of this interval; `None` for all features.
    pub time: Option<TimeInterval>,
}

impl Default for TileOptions {
    fn default() -> Self {
        Self { buffer: 64, time: None }
    }
}

impl TileOptions {
    /// The same options with another buffer, in tile units.
    pub fn buffer(mut self, units: u16) -> Self {
        self.buffer = units;
        self
    }

    /// The same options restricted to features that are valid at some instant of `time`.
    pub fn during(mut self, time: Option<TimeInterval>) -> Self {
        self.time = time;
        self
    }
}
