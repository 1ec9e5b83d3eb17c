//! The start, and what a city takes of memory.

use std::time::{Duration, Instant};

use citymap_live::Live;
use citymap_tests::{Bench, Server};

use crate::table::Table;

/// Measures starts; the city in memory.
pub(crate) fn run(table: &mut Table, bench: &Bench) -> Live {
    let start = Instant::now();
    let store = citymap_store::open(&bench.store().to_string_lossy(), false).expect("the store opens");
    let live = Live::open(store).expect("the city fits");
    table.times(
        "start, all layers in memory",
        start.elapsed().as_secs_f64(),
        None,
        "in process, read from the store",
    );
    live
}
