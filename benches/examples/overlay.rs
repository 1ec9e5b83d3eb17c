//! Measures the overlay of two whole layers:
//! `cargo run --release -p citymap-benches --example overlay -- CITY.gpkg [parcels zones]`.
//!
//! With `--dump FOLDER` it also writes both layers on the home grid, and the pieces, as files for
//! PostgreSQL's COPY, to compare them with PostGIS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use citymap_crs::{Crs, Transform};
use citymap_engine::{LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece};
use citymap_live::Live;
use geo::{Coord, MapCoords};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dump = args.iter().position(|arg| arg == "--dump").map(|at| args[at + 1].clone());
    let (first, second) = match args.get(1..3) {
        Some([a, b]) if !a.starts_with("--") => (a.clone(), b.clone()),
        _ => ("parcels".to_owned(), "zones".to_owned()),
    };
    let live = Live::open(citymap_store::open(&args[0], false).unwrap()).unwrap();
    let city = live.snapshot().city;
    let (a, b) = (city.layer(&first).unwrap(), city.layer(&second).unwrap());
    println!("{} {first} × {} {second}, {} threads", a.len(), b.len(), rayon::current_num_threads());
    for _ in 0..3 {
        let clock = Instant::now();
        let overlay = Overlay::new(Operand::new(a), Operand::new(b)).unwrap();
        let summary = overlay.run(&OverlayOptions::default(), |_| Ok::<(), ()>(())).unwrap();
        println!("{:.3} s: {summary:?}", clock.elapsed().as_secs_f64());
    }
    if let Some(folder) = dump {
        let folder = Path::new(&folder);
        write(a, &folder.join("a.tsv"));
        write(b, &folder.join("b.tsv"));
        let mut pieces: Vec<OverlayPiece> = Vec::new();
        let overlay = Overlay::new(Operand::new(a), Operand::new(b)).unwrap();
        overlay
            .run(&OverlayOptions::default(), |some| {
                pieces.extend_from_slice(some);
                Ok::<(), ()>(())
            })
            .unwrap();
        let mut out = BufWriter::new(File::create(folder.join("pieces.tsv")).unwrap());
        for piece in &pieces {
            writeln!(out, "{}\t{}\t{:?}", a.fid(piece.row_a), b.fid(piece.row_b), piece.area).unwrap();
        }
    }
}

/// The layer on the home grid, as text.
fn write(layer: &LayerSnapshot, path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let home = Transform::new(Crs::WGS84, Crs::home()).unwrap();
    for row in layer.rows() {
        let Some(geometry) = layer.geometry(row) else { continue };
        let planar = geometry.map_coords(|coord| {
            let [x, y] = home.point([coord.x, coord.y]).unwrap();
            Coord { x, y }
        });
        let geo::Geometry::Polygon(polygon) = planar else { panic!("polygons only") };
        let ring = |ring: &geo::LineString<f64>| {
            let coords: Vec<String> = ring.0.iter().map(|at| format!("{:?} {:?}", at.x, at.y)).collect();
            format!("({})", coords.join(","))
        };
        let rings: Vec<String> =
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect();
        writeln!(out, "{}\tPOLYGON({})", layer.fid(row), rings.join(",")).unwrap();
    }
}
