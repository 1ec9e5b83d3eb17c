//! Measures tiles of each zoom of a layer of a store, without a cache, on two threads and on one:
//! `cargo run --release -p citymap-benches --example zooms -- CITY.gpkg parcels [FOLDER]`.
//!
//! Places are those of random features, so that tiles are weighted by their content. Tiles are encoded and
//! compressed with gzip; nothing except what [`Tiler::prepare`] derives is kept from one to the next. Tiles
//! of each zoom are written to FOLDER if it is given.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use citymap_engine::{LayerSnapshot, SnapshotBuilder};
use citymap_store::LayerEntry;
use citymap_tile::{ContentEncoding, TileId, TileOptions, Tiler, compress};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn read(path: &str, name: &str) -> LayerSnapshot {
    let store = citymap_store::open(path, false).unwrap();
    let view = store.view().unwrap();
    let entry: LayerEntry =
        view.layers().unwrap().into_iter().find(|entry| entry.layer.id.as_str() == name).unwrap();
    let mut builder = SnapshotBuilder::new(entry.layer.clone());
    view.read(&entry.layer.id, &mut |feature| {
        builder.push(&feature).unwrap();
        Ok(())
    })
    .unwrap();
    builder.finish(entry.revision)
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part) as usize]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let layer = read(&arguments[0], &arguments[1]);
    println!("{}: {} features, rule {:?}", arguments[1], layer.len(), layer.layer().tile_rule());
    let tiler = Tiler::new();
    let start = Instant::now();
    tiler.prepare(&layer);
    let seconds = start.elapsed().as_secs_f64();
    let bytes = tiler.memory() as f64;
    println!(
        "prepare: {seconds:.2} s, {:.1} MB, {:.1} bytes a feature",
        bytes / 1e6,
        bytes / layer.len() as f64
    );
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let options = TileOptions::default();
    println!("zoom   tiles/s (2 threads)   one thread: p50 ms  p95 ms   gzip kB: p50   p95   max");
    for z in [8u8, 10, 11, 12, 13, 14, 15, 16] {
        let count = if z <= 10 { 60 } else { 300 };
        let tiles: Vec<TileId> = std::iter::repeat_with(|| dice.random_range(0..layer.len() as u32))
            .filter_map(|row| layer.bbox(row).map(|bbox| bbox.center()))
            .map(|place| TileId::at(place, z).unwrap())
            .take(count)
            .collect();
        let (mut times, mut sizes) = (vec![], vec![]);
        for &tile in &tiles {
            let start = Instant::now();
            let packed = compress(&tiler.encode(&[&layer], tile, &options), ContentEncoding::Gzip);
            times.push(start.elapsed().as_secs_f64() * 1e3);
            sizes.push(packed.len() as f64 / 1e3);
        }
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(&tile) = tiles.get(next.fetch_add(1, Ordering::Relaxed)) {
                        compress(&tiler.encode(&[&layer], tile, &options), ContentEncoding::Gzip);
                    }
                });
            }
        });
        let rate = count as f64 / start.elapsed().as_secs_f64();
        println!(
            "z{z:<4} {rate:12.1} {:28.2} {:7.2} {:16.1} {:6.1} {:6.1}",
            percentile(&mut times, 0.5),
            percentile(&mut times, 0.95),
            percentile(&mut sizes, 0.5),
            percentile(&mut sizes, 0.95),
            percentile(&mut sizes, 1.0)
        );
    }
    // For pictures: the busiest tile of each zoom and one of the middle.
    if let Some(folder) = arguments.get(2) {
        for z in 8..=16u8 {
            let center = layer.bbox(layer.rows().nth(layer.len() / 3).unwrap()).unwrap().center();
            for (name, place) in [("a", center), ("b", [106.6983, 10.7766])] {
                let tile = TileId::at(place, z).unwrap();
                let bytes = tiler.encode(&[&layer], tile, &options);
                std::fs::write(format!("{folder}/{}_{z}_{name}.mvt", arguments[1]), bytes).unwrap();
            }
        }
    }
}
