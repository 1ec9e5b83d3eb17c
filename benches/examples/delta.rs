//! Measures edits of a layer: `cargo run --release -p citymap-benches --example delta [PARCELS]`.
//!
//! Over a million synthetic parcels by default: the time of a change by the number of edits that the delta
//! already holds, the time of merging the delta into the base, and how much queries slow down. Medians,
//! because other work on the machine only ever adds. Tiles and search are measured by `--example tile 16
//! edited` and `--example search`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chrono::{Days, NaiveDate};
use citymap_engine::{LayerSnapshot, Query, SnapshotBuilder};
use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
use geo::{Coord, Rect};
use rand::{RngExt, SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;

/// Degrees: as dense as the middle of the city.
const FRONT: f64 = 0.000_115;
const DEPTH: f64 = 0.000_236;
const MIDDLE: [f64; 2] = [106.66, 10.78];

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

/// The parcel with this number of a city of `count`; `edit` numbers its versions.
fn parcel(fid: i64, count: i64, edit: i64) -> Feature {
    let columns = (count as f64).sqrt() as i64 * 2;
    let number = fid - 1;
    let (column, row) = (number % columns - columns / 2, number / columns - count / columns / 2);
    let west = Coord { x: MIDDLE[0] + column as f64 * FRONT, y: MIDDLE[1] + row as f64 * DEPTH };
    let shape = Rect::new(west, Coord { x: west.x + FRONT, y: west.y + DEPTH }).to_polygon();
    let (sheet, lot, commune) = (number / 400 % 120 + 1, number % 400 + 1, 26_700 + number / 50_000);
    let values = vec![
        Value::Text(format!("{commune}-{sheet}-{lot}")),
        Value::Text(commune.to_string()),
        Value::Int(sheet),
        Value::Int(lot),
        Value::Text(["ODT", "TMD", "CLN"][((number + edit) % 3) as usize].into()),
        Value::Real((number % 3_700) as f64 / 10.0 + 30.0),
        Value::Text(format!("{lot}/{sheet} Lê Văn Sỹ{}", if edit > 0 { " (mới)" } else { "" })),
        Value::Date(NaiveDate::from_ymd_opt(2015, 1, 1).unwrap() + Days::new(edit as u64)),
    ];
    Feature { fid, geometry: Some(shape.into()), values }
}

fn edits(fids: impl IntoIterator<Item = i64>, count: i64, edit: i64) -> Vec<(i64, Option<Feature>)> {
    let mut fids: Vec<i64> = fids.into_iter().collect();
    fids.sort_unstable();
    fids.into_iter().map(|fid| (fid, Some(parcel(fid, count, edit)))).collect()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median time of `work`, done `rounds` times.
fn time(rounds: usize, mut work: impl FnMut(usize)) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let clock = Instant::now();
            work(round);
            clock.elapsed()
        })
        .collect();
    median(&mut times)
}

fn main() {
    let count: i64 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let mut builder = SnapshotBuilder::new(layer());
    (1..=count).for_each(|fid| builder.push(&parcel(fid, count, 0)).unwrap());
    let clock = Instant::now();
    let base = builder.finish(1);
    println!("{count} parcels; indexes built in {:.2?}", clock.elapsed());
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    println!(
        "overlay   change one   remove one   change 100   in a row, each     merged        at      near    \
         a page"
    );
    for overlay in [0usize, 1_000, 10_000, 100_000] {
        let picked = sample(&mut dice, count as usize, overlay.min(count as usize / 2));
        let fids = picked.into_iter().map(|index| index as i64 + 1);
        let snapshot = base.apply(layer(), 2, edits(fids, count, 1)).unwrap();
        let some: Vec<i64> = (0..300).map(|_| dice.random_range(1..=count)).collect();
        let mut changes: Vec<_> = some.iter().map(|&fid| edits([fid], count, 2)).collect();
        let one = time(101, |round| {
            let changes = std::mem::take(&mut changes[round]);
            black_box(snapshot.apply(layer(), 3, changes).unwrap());
        });
        let removed = time(101, |round| {
            black_box(snapshot.apply(layer(), 3, [(some[round], None)]).unwrap());
        });
        let hundreds: Vec<Vec<i64>> = (0..11)
            .map(|_| sample(&mut dice, count as usize, 100).into_iter().map(|i| i as i64 + 1).collect())
            .collect();
        let hundred = time(11, |round| {
            let changes = edits(hundreds[round].iter().copied(), count, 2);
            black_box(snapshot.apply(layer(), 3, changes).unwrap());
        });
        let mut following: LayerSnapshot = snapshot.clone();
        let in_a_row = time(200, |round| {
            following = following.apply(layer(), 3, edits([some[round]], count, 3)).unwrap();
        });
        let merged = time(3, |_| {
            black_box(snapshot.merged());
        });
        let mut place = || {
            let at = |dice: &mut ChaCha8Rng| dice.random_range(-0.02..0.02);
            [MIDDLE[0] + at(&mut dice), MIDDLE[1] + at(&mut dice)]
        };
        let places: Vec<[f64; 2]> = (0..2_000).map(|_| place()).collect();
        let at = time(2_000, |round| {
            black_box(snapshot.at(places[round]));
        });
        let near = time(2_000, |round| {
            black_box(snapshot.near(places[round], 200.0, 10));
        });
        let page = time(2_000, |round| {
            let after = Some(some[round % some.len()]);
            black_box(snapshot.select(&Query { after, limit: Some(100), ..Query::default() }));
        });
        println!(
            "{overlay:7} {one:>12.2?} {removed:>12.2?} {hundred:>12.2?} {in_a_row:>16.2?} {merged:>10.2?} \
             {at:>9.2?} {near:>9.2?} {page:>9.2?}"
        );
    }
}
