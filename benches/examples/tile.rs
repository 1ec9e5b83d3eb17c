//! Measures tiles of a million synthetic parcels:
//! `cargo run --release -p citymap-benches --example tile [ZOOM…] [edited]`.
//!
//! Slightly turned rows of narrow lots, as dense as the middle of the city: about 1 100 in a z16 tile. One
//! thread; the lower quartile over tiles that were not requested before, because other work on the machine
//! only ever adds. With `edited`, 10 000 parcels (one in a hundred) were edited since the layer was packed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::time::Instant;

use chrono::{Days, NaiveDate};
use citymap_engine::{LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
use citymap_tile::{TileId, TileOptions, encode, gzip};
use geo::{Coord, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MIDDLE: Coord<f64> = Coord { x: 106.66, y: 10.78 };
/// Degrees: with these a z16 tile (0.0055° wide) holds about 1 090 lots.
const FRONT: f64 = 0.000_115;
const DEPTH: f64 = 0.000_236;
const ANGLE: f64 = 0.2;

/// A point of the lots' grid, its place a little off, the same for all lots that share it.
fn corner(column: i64, row: i64, middle: bool) -> Coord<f64> {
    let mut dice = ChaCha8Rng::seed_from_u64((column as u64) << 32 ^ row as u64 ^ u64::from(middle) << 63);
    let along = (column as f64 + if middle { 0.5 } else { 0.0 } + dice.random_range(-0.05..0.05)) * FRONT;
    let across = (row as f64 + dice.random_range(-0.02..0.02)) * DEPTH;
    let (sin, cos) = ANGLE.sin_cos();
    Coord { x: MIDDLE.x + along * cos - across * sin, y: MIDDLE.y + along * sin + across * cos }
}

fn layer() -> Layer {
    let id = "parcels".parse().unwrap();
    let mut layer = Layer::new(id, Title::new("Thửa đất", "Parcels"), Role::Parcel, GeometryKind::Polygon);
    layer.key = Some("key".into());
    layer.fields = [
        ("key", FieldType::Text),
        ("commune", FieldType::Text),
        ("so_to", FieldType::Int),
        ("so_thua", FieldType::Int),
        ("land_use", FieldType::Text),
        ("area", FieldType::Real),
        ("address", FieldType::Text),
        ("updated", FieldType::Date),
    ]
    .map(|(name, kind)| Field::new(name, kind))
    .to_vec();
    layer
}

fn parcels(count: i64) -> LayerSnapshot {
    let uses = ["ODT", "ODT", "ODT", "ODT", "TMD", "CLN", "DGT", "DGD", "SKC"];
    let columns = (count as f64).sqrt() as i64 * 2;
    let rows = count / columns;
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut builder = SnapshotBuilder::new(layer());
    for number in 0..columns * rows {
        let (column, row) = (number % columns - columns / 2, number / columns - rows / 2);
        let mut ring = vec![
            corner(column, row, false),
            corner(column + 1, row, false),
            corner(column + 1, row + 1, false),
        ];
        if number % 2 == 0 {
            ring.push(corner(column, row + 1, true));
        }
        ring.push(corner(column, row + 1, false));
        let (sheet, lot) = (number / 400 % 120 + 1, number % 400 + 1);
        let commune = 26_700 + number / 50_000;
        builder
            .push(&Feature {
                fid: number + 1,
                geometry: Some(Polygon::new(ring.into(), vec![]).into()),
                values: vec![
                    Value::Text(format!("{commune}-{sheet}-{lot}")),
                    Value::Text(commune.to_string()),
                    Value::Int(sheet),
                    Value::Int(lot),
                    Value::Text(uses[dice.random_range(0..uses.len())].into()),
                    Value::Real((dice.random_range(30.0..400.0f64) * 10.0).round() / 10.0),
                    Value::Text(format!("{lot}/{sheet} Lê Văn Sỹ")),
                    Value::Date(day(dice.random_range(0..4000))),
                ],
            })
            .unwrap();
    }
    builder.finish(1)
}

fn day(days: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2015, 1, 1).unwrap() + Days::new(days)
}

/// The same parcels, one in a hundred of them with another address.
fn edited(parcels: &LayerSnapshot) -> LayerSnapshot {
    let changes = parcels.rows().step_by(100).map(|row| {
        let mut feature = parcels.feature(row);
        feature.values[6] = Value::Text(format!("{} (mới)", feature.fid));
        (feature.fid, Some(feature))
    });
    parcels.apply(layer(), 2, changes).unwrap()
}

fn quartile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 4]
}

fn main() {
    let start = Instant::now();
    let mut layer = parcels(1_000_000);
    println!("{} parcels in {:.1?}", layer.len(), start.elapsed());
    if std::env::args().any(|argument| argument == "edited") {
        layer = edited(&layer);
        println!("{} of them edited", layer.delta_len());
    }
    println!("zoom  parcels   encode ms      kB  gzip level: ms (kB)");
    let asked: Vec<u8> = std::env::args().skip(1).filter_map(|zoom| zoom.parse().ok()).collect();
    for (z, reach) in [(18u8, 20i64), (17, 12), (16, 9), (15, 4), (14, 2), (12, 0)] {
        if !asked.is_empty() && !asked.contains(&z) {
            continue;
        }
        let middle = TileId::at([MIDDLE.x, MIDDLE.y], z).unwrap();
        let mut encoded = vec![];
        let mut packed = vec![vec![]; 4];
        let (mut sizes, mut packed_sizes, mut features) = (vec![], vec![vec![]; 4], vec![]);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let tile = TileId::new(
                    z,
                    middle.x().wrapping_add_signed(dx as i32),
                    middle.y().wrapping_add_signed(dy as i32),
                )
                .unwrap();
                let start = Instant::now();
                let bytes = encode(&[&layer], tile, &TileOptions::default());
                encoded.push(start.elapsed().as_secs_f64() * 1e3);
                sizes.push(bytes.len() as f64 / 1e3);
                let mut count = 0f64;
                layer.candidates(&tile.bounds(), |_| count += 1.0);
                features.push(count);
                for (slot, level) in [1, 2, 4, 6].into_iter().enumerate() {
                    let start = Instant::now();
                    let small = gzip(&bytes, level);
                    packed[slot].push(start.elapsed().as_secs_f64() * 1e3);
                    packed_sizes[slot].push(small.len() as f64 / 1e3);
                }
            }
        }
        print!("z{z:<4} {:7.0} {:11.3} {:7.1}  ", quartile(features), quartile(encoded), quartile(sizes));
        for (slot, level) in [1, 2, 4, 6].into_iter().enumerate() {
            print!(
                "{level}: {:.3} ({:.1})  ",
                quartile(packed[slot].clone()),
                quartile(packed_sizes[slot].clone())
            );
        }
        println!();
    }
}
