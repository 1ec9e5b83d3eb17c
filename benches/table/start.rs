//! The start, and what a city takes of memory.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use citymap_live::Live;
use citymap_tests::{Bench, Server};

use crate::{fair::memory, table::Table};

/// Measures starts and memory; the city in memory.
pub(crate) fn run(table: &mut Table, bench: &Bench, parcels: u32) -> Live {
    let start = Instant::now();
    let store = citymap_store::open(&bench.store().to_string_lossy(), false).expect("the store opens");
    let live = Live::open(store).expect("the city fits");
    table.times(
        "all layers read into memory",
        start.elapsed().as_secs_f64(),
        None,
        "in process, from the store",
    );
    first_answer(table, bench, "off", "first answer after the start, without snapshot", 6.0);

    // One server writes the snapshot files; the next one finds them.
    let folder = bench.path("snapshots");
    let folder = folder.to_str().expect("a plain path");
    let layers = live.snapshot().city.layers.len();
    let writer = Server::start(bench.store(), &["--snapshots", folder]);
    let waited = Instant::now();
    while files(folder) < layers {
        assert!(waited.elapsed() < Duration::from_secs(120), "the snapshot files were not written");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(writer);
    let server = first_answer(table, bench, folder, "first answer after the start, with snapshot", 0.5);
    let features: usize = live.snapshot().city.layers.values().map(|layer| layer.len()).sum();
    let (resident, private) = (memory(server.pid(), "Rss:"), memory(server.pid(), "Anonymous:"));
    let note = format!(
        "{features} features of {layers} layers; {:.0} bytes a feature resident, {private:.0} MB of it not \
         of mapped files; {parcels} parcels among them",
        resident * 1_048_576.0 / features as f64
    );
    table.figure("memory of the server after the start", &format!("{resident:.0} MB"), &note);
    let layer = live.snapshot().city;
    let layer = layer.layer("parcels").expect("the demo city has parcels");
    let bytes: usize = layer.memory().iter().map(|(_, bytes)| bytes).sum();
    table.limit("parcels with all fields, bytes each", bytes as f64 / layer.len() as f64, 400.0, "B");
    live
}

/// Starts a server and asks for a tile.
fn first_answer(table: &mut Table, bench: &Bench, snapshots: &str, what: &str, limit: f64) -> Server {
    let start = Instant::now();
    let server = Server::start(bench.store(), &["--snapshots", snapshots]);
    let (status, _) = server.get("/api/at?layers=parcels&lon=106.698&lat=10.7725");
    assert_eq!(status, 200);
    table.limit(what, start.elapsed().as_secs_f64(), limit, "s");
    server
}

/// How many finished files are in a folder.
fn files(folder: impl AsRef<Path>) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| !entry.file_name().to_string_lossy().contains("tmp")).count()
}
