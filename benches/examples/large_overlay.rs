//! Measures the overlay of two polygons with very many corners, next to GEOS in the same run:
//! `cargo run --release -p citymap-benches --example large_overlay -- [CORNERS]` (250 000 by default).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and fails by panicking")]

use std::time::Instant;

use citymap_crs::{Crs, Transform};
use citymap_engine::{LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece, SnapshotBuilder};
use citymap_model::{Feature, Geometry, GeometryKind, Layer, Role, Title};
use gdal::vector::Geometry as Ogr;
use geo_types::{LineString, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    let corners: usize = std::env::args().nth(1).map_or(250_000, |text| text.parse().unwrap());
    for (name, noise) in [("a smooth outline", 0.001), ("a ragged outline", 0.1)] {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let shapes = [0.0, 2_500.0].map(|east| star(&mut random, 600_000.0 + east, corners, noise));
        let [a, b] = [0, 1].map(|i| layer(&shapes[i]));
        let (figures, ours) = ours(&a, &b);
        let overlay = Overlay::new(Operand::new(&a), Operand::new(&b)).unwrap();
        let clock = Instant::now();
        let shape = overlay.shapes().of(&ours).unwrap();
        let with_shape = figures + clock.elapsed().as_secs_f64();
        let [first, second] = shapes.map(|shape| {
            let text: Vec<u8> = wkb_of(&shape);
            Ogr::from_wkb(&text).unwrap()
        });
        let clock = Instant::now();
        let theirs = first.intersection(&second).unwrap();
        let geos = clock.elapsed().as_secs_f64();
        println!(
            "{name}, 2 × {corners} corners: GEOS {geos:.2} s; figures {figures:.2} s ({:.2} × GEOS), with \
             the shape {with_shape:.2} s ({:.2} × GEOS); areas {} and {} m²; shape: {}",
            figures / geos,
            with_shape / geos,
            ours.area,
            theirs.area(),
            shape.is_some(),
        );
    }
}

/// The time of the overlay in seconds, and its only piece.
fn ours(a: &LayerSnapshot, b: &LayerSnapshot) -> (f64, OverlayPiece) {
    let clock = Instant::now();
    let overlay = Overlay::new(Operand::new(a), Operand::new(b)).unwrap();
    let mut pieces = Vec::new();
    overlay
        .run(&OverlayOptions::default(), |some| {
            pieces.extend_from_slice(some);
            Ok::<(), ()>(())
        })
        .unwrap();
    (clock.elapsed().as_secs_f64(), pieces[0])
}

/// A polygon on the home grid whose radius goes out and in.
fn star(random: &mut ChaCha8Rng, east: f64, corners: usize, noise: f64) -> Polygon<f64> {
    let ring: Vec<(f64, f64)> = (0..corners)
        .map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / corners as f64;
            let radius = 5_000.0 * (1.0 - noise * random.random_range(0.0..1.0));
            (east + radius * angle.cos(), 1_190_000.0 + radius * angle.sin())
        })
        .collect();
    Polygon::new(LineString::from(ring), vec![])
}

fn layer(shape: &Polygon<f64>) -> LayerSnapshot {
    let mut geometry = Geometry::from(shape.clone());
    Transform::new(Crs::home(), Crs::WGS84).unwrap().geometry(&mut geometry).unwrap();
    let layer = Layer::new("one".parse().unwrap(), Title::same("one"), Role::Other, GeometryKind::Polygon);
    let mut builder = SnapshotBuilder::new(layer);
    builder.push(&Feature { fid: 1, geometry: Some(geometry), values: vec![] }).unwrap();
    builder.finish(1)
}

fn wkb_of(shape: &Polygon<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, shape, &Default::default()).unwrap();
    bytes
}
