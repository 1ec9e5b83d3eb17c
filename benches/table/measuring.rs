//! What the measurements of one city share: places, servers, peers, and how long a rate is measured.

use std::time::Duration;

use citymap_engine::Row;
use citymap_tests::Server;

use crate::{ceiling::Ceiling, programs::Martin};

/// What all measurements of a city share.
pub(crate) struct Measuring<'a> {
    /// Rows and places of parcels, random, so weighted to the dense core.
    pub(crate) places: Vec<(Row, [f64; 2])>,
    /// A server without a tile cache.
    pub(crate) cold: &'a Server,
    /// A server as it comes.
    pub(crate) warm: &'a Server,
    /// Martin over the same parcels, where it is installed.
    pub(crate) martin: Option<Martin>,
    /// A server that only sends bytes.
    pub(crate) ceiling: &'a Ceiling,
    /// How long each rate is measured.
    pub(crate) time: Duration,
    /// How many threads or connections do the work in process and in PostGIS.
    pub(crate) processors: usize,
}

impl Measuring<'_> {
    /// The n-th place, WGS 84 degrees.
    pub(crate) fn place(&self, n: u64) -> [f64; 2] {
        self.places[n as usize % self.places.len()].1
    }

    /// The parcel at that point.
    pub(crate) fn row(&self, n: u64) -> Row {
        self.places[n as usize % self.places.len()].0
    }
}
