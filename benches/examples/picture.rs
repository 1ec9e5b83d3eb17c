//! Measures map pictures of a store, on one thread and without a cache of pictures:
//! `cargo run --release -p citymap-benches --example picture -- CITY.gpkg STYLE.json [FOLDER]`.
//!
//! The style is one that the server hands out (`/api/styles/{id}?f=mbs`). For each zoom, pictures of 512 ×
//! 512 pixels around random parcels (so weighted by where parcels are) are drawn and written as PNG; what
//! [`Tiler::prepare`] derives is made before. `ground` is the same picture with the background alone, the
//! limit that memory and PNG set on this machine. Pictures of each zoom are written to FOLDER if it is
//! given.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{sync::Arc, time::Instant};

use citymap_crs::{Crs, Transform};
use citymap_engine::{Cancel, City, SnapshotBuilder};
use citymap_render::{
    raster::{Ground, ImageFormat, Picture, Source, View, draw},
    spec::Style,
};
use citymap_tile::Tiler;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Width and height of the pictures.
const SIDE: u32 = 512;
/// Pictures of each zoom.
const COUNT: usize = 40;

fn city(path: &str) -> City {
    let store = citymap_store::open(path, false).unwrap();
    let view = store.view().unwrap();
    let mut city = City::default();
    for entry in view.layers().unwrap() {
        let mut builder = SnapshotBuilder::new(entry.layer.clone());
        view.read(&entry.layer.id, &mut |feature| {
            builder.push(&feature).unwrap();
            Ok(())
        })
        .unwrap();
        city.layers.insert(entry.layer.id.clone(), Arc::new(builder.finish(entry.revision)));
    }
    city
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part) as usize]
}

/// Draws and encodes a picture; its milliseconds for each, and its bytes.
fn one(style: &Style, view: &View, source: &Source<'_>) -> (f64, f64, Vec<u8>) {
    let start = Instant::now();
    let mut picture = Picture::new(view.size()).unwrap();
    draw(style, view, source, Ground::Style, &mut picture).unwrap();
    let drawn = start.elapsed().as_secs_f64() * 1e3;
    let bytes = picture.encode(ImageFormat::Png).unwrap();
    (drawn, start.elapsed().as_secs_f64() * 1e3 - drawn, bytes)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let city = city(&arguments[0]);
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&arguments[1]).unwrap()).unwrap();
    let style = Style::parse(&document).unwrap();
    let mut ground = style.clone();
    ground.layers.truncate(1);
    let tiler = Tiler::new();
    for layer in city.layers.values() {
        tiler.prepare(layer);
    }
    let parcels = city.layer("parcels").unwrap();
    let to_mercator = Transform::new(Crs::WGS84, Crs::WEB_MERCATOR).unwrap();
    let cancel = Cancel::new();
    let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    println!("{} parcels, {} layers of the style", parcels.len(), style.layers.len());
    println!("zoom   draw p50 ms   p95 ms   PNG p50 ms   kB p50   times the ground alone");
    for zoom in [10, 12, 14, 15, 16, 17, 18, 19] {
        let (mut drawn, mut encoded, mut sizes, mut alone) = (vec![], vec![], vec![], vec![]);
        for number in 0..COUNT {
            let row = dice.random_range(0..parcels.len() as u32);
            let Some(bbox) = parcels.bbox(row) else { continue };
            let center = to_mercator.point(bbox.center()).unwrap();
            let half = 40_075_016.685_578_49 / f64::from(1u32 << zoom) / 2.0;
            let extent = [center.map(|value| value - half), center.map(|value| value + half)];
            let view = View::new(Crs::WEB_MERCATOR, extent, [SIDE; 2]).unwrap();
            let (draw_ms, encode_ms, bytes) = one(&style, &view, &source);
            let (ground_draw, ground_encode, _) = one(&ground, &view, &source);
            drawn.push(draw_ms);
            encoded.push(encode_ms);
            sizes.push(bytes.len() as f64 / 1e3);
            alone.push(ground_draw + ground_encode);
            if let (Some(folder), 0) = (arguments.get(2), number) {
                std::fs::write(format!("{folder}/z{zoom}.png"), &bytes).unwrap();
            }
        }
        let (p50, p95) = (percentile(&mut drawn, 0.5), percentile(&mut drawn, 0.95));
        let png = percentile(&mut encoded, 0.5);
        let kilobytes = percentile(&mut sizes, 0.5);
        let times = (p50 + png) / percentile(&mut alone, 0.5);
        println!("{zoom:4} {p50:13.1} {p95:8.1} {png:12.1} {kilobytes:8.0} {times:8.1}");
    }
}
