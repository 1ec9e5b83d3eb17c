//! Tiles of a snapshot that followed changes equal those of one built from scratch, byte by byte.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use citymap_engine::{LayerSnapshot, SnapshotBuilder, TimeInterval};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, parse_datetime,
};
use citymap_tile::{TileId, TileOptions, encode, touched_tiles};
use common::decode;
use geo::{Point, line_string, polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn layer() -> Layer {
    let mut layer =
        Layer::new("things".parse().unwrap(), Title::same("Things"), Role::Other, GeometryKind::Mixed);
    layer.fields = [
        ("key", FieldType::Text),
        ("name", FieldType::Text),
        ("count", FieldType::Int),
        ("size", FieldType::Real),
        ("since", FieldType::Date),
        ("seen", FieldType::DateTime),
        ("open", FieldType::Bool),
    ]
    .map(|(name, kind)| Field::new(name, kind))
    .to_vec();
    layer.key = Some("key".into());
    layer.valid_from = Some("since".into());
    layer
}

fn feature(fid: i64, rng: &mut ChaCha8Rng) -> Feature {
    let (x, y) = (106.7 + rng.random_range(0.0..0.02), 10.77 + rng.random_range(0.0..0.02));
    let d = rng.random_range(0.0001..0.003);
    let geometry: Option<Geometry> = match fid % 4 {
        0 => Some(Point::new(x, y).into()),
        1 => Some(line_string![(x: x, y: y), (x: x + d, y: y + d)].into()),
        2 => Some(polygon![(x: x, y: y), (x: x + d, y: y), (x: x, y: y + d)].into()),
        _ => Some(geo::Rect::new((x, y), (x + d, y + d / 2.0)).to_polygon().into()),
    };
    let number = rng.random_range(-4..8i64);
    let names = ["", "chợ", "đình", "trường"];
    let values = vec![
        Value::Text(format!("K{}", number.abs())),
        Value::Text(names[rng.random_range(0..4)].into()),
        Value::Int(number),
        Value::Real(if number == 0 { f64::NAN } else { number as f64 / 4.0 }),
        Value::Date(NaiveDate::from_ymd_opt(1969, 12, 1).unwrap() + Days::new(number.unsigned_abs() * 20)),
        Value::DateTime(DateTime::from_timestamp(number * 1_000, 0).unwrap()),
        Value::Bool(number % 2 == 0),
    ];
    let values =
        values.into_iter().map(|value| if rng.random_range(0..6) == 0 { Value::Null } else { value });
    Feature { fid, geometry, values: values.collect() }
}

fn build(model: &BTreeMap<i64, Feature>) -> LayerSnapshot {
    let mut builder = SnapshotBuilder::new(layer());
    model.values().for_each(|feature| builder.push(feature).unwrap());
    builder.finish(1)
}

#[test]
fn a_tile_does_not_show_how_its_features_came() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut model: BTreeMap<i64, Feature> = (1..200).map(|n| (2 * n, feature(2 * n, &mut rng))).collect();
    let mut snapshot = build(&model);
    let instant = parse_datetime("1970-01-20T00:00:00Z");
    let moment = Some(TimeInterval { start: instant, end: instant });
    let mut found = 0;
    for step in 0..40 {
        let changes: BTreeMap<i64, Option<Feature>> = (0..rng.random_range(1..8))
            .map(|_| {
                let fid = rng.random_range(1..420);
                (fid, if rng.random_bool(0.3) { None } else { Some(feature(fid, &mut rng)) })
            })
            .collect();
        for (fid, change) in &changes {
            match change {
                Some(feature) => model.insert(*fid, feature.clone()),
                None => model.remove(fid),
            };
        }
        snapshot = snapshot.apply(layer(), step, changes).unwrap();
        let fresh = build(&model);
        for (z, time) in [(12, None), (14, None), (16, moment), (16, None)] {
            let at = [106.7 + rng.random_range(0.0..0.02), 10.77 + rng.random_range(0.0..0.02)];
            let tile = TileId::at(at, z).unwrap();
            let options = TileOptions::default().during(time);
            let bytes = encode(&[&snapshot], tile, &options);
            assert_eq!(bytes, encode(&[&fresh], tile, &options), "{tile} after {step}");
            found += decode(&bytes, "things").len();
        }
    }
    assert!(found > 2_000, "the tiles must hold something: {found}");
}

#[test]
fn a_tile_of_a_moment_holds_what_was_valid_then() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let model: BTreeMap<i64, Feature> = (1..300).map(|fid| (fid, feature(fid, &mut rng))).collect();
    let snapshot = build(&model);
    let instant = parse_datetime("1970-01-20T00:00:00Z");
    let day = instant.unwrap().date_naive();
    let options = TileOptions::default().during(Some(TimeInterval { start: instant, end: instant }));
    let tile = TileId::at([106.71, 10.78], 10).unwrap();
    let found: Vec<i64> =
        decode(&encode(&[&snapshot], tile, &options), "things").iter().map(|found| found.id as i64).collect();
    let valid = model.values().filter(|feature| match feature.values[4] {
        Value::Date(since) => since <= day,
        _ => true,
    });
    let expected: Vec<i64> = valid.map(|feature| feature.fid).collect();
    assert_eq!(found, expected);
    assert!(found.len() > 100 && found.len() < 290);
}

#[test]
fn only_touched_tiles_change() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let model: BTreeMap<i64, Feature> = (1..200).map(|fid| (fid, feature(fid, &mut rng))).collect();
    let before = build(&model);
    let options = TileOptions::default();
    let mut changed = 0;
    for fid in 1..40 {
        let moved = Feature { fid, ..feature(fid, &mut rng) };
        let after = before.apply(layer(), 2, [(fid, Some(moved))]).unwrap();
        let boxes =
            [&before, &after].map(|snapshot| snapshot.bbox(snapshot.row_of_fid(fid).unwrap()).unwrap());
        let renamed = after.renamed(&before, &[fid]).into_iter().filter_map(|row| after.bbox(row));
        let touched: Vec<_> = boxes
            .into_iter()
            .chain(renamed)
            .map(|bbox| touched_tiles(&bbox, 16, options.buffer).unwrap())
            .collect();
        let all = touched_tiles(&before.extent().unwrap(), 16, options.buffer).unwrap();
        for tile in all.tiles() {
            let differs = encode(&[&before], tile, &options) != encode(&[&after], tile, &options);
            changed += usize::from(differs);
            assert!(!differs || touched.iter().any(|range| range.contains(tile)), "{tile} for {fid}");
        }
    }
    assert!(changed > 50, "{changed}");
}
