//! What tiles guarantee below the detail zoom.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use citymap_engine::{Bbox, Cancel, LayerSnapshot, SnapshotBuilder};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, propose_meanings,
};
use citymap_tile::{Method, TileId, TileOptions, TileRange, Tiler, encode, touched_tiles};
use common::{Decoded, decode, valid_polygons};
use geo::{Area, Coord, LineString, Point, Polygon, polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type City = BTreeMap<i64, Feature>;

const USES: [&str; 4] = ["ODT", "TMD", "CLN", "DGD"];
const FRONT: f64 = 0.000_09;
const DEPTH: f64 = 0.000_2;

fn layer(role: Role, geometry: GeometryKind, class: &str) -> Layer {
    let mut layer = Layer::new("things".parse().unwrap(), Title::same("Things"), role, geometry);
    layer.fields = vec![Field::new("name", FieldType::Text), Field::new(class, FieldType::Text)];
    propose_meanings(&mut layer);
    layer
}

fn build(layer: &Layer, city: &City) -> LayerSnapshot {
    let mut builder = SnapshotBuilder::new(layer.clone());
    city.values().for_each(|feature| builder.push(feature).unwrap());
    builder.finish(1)
}

fn values(number: i64, class: &str) -> Vec<Value> {
    let class = if class.is_empty() { Value::Null } else { Value::Text(class.into()) };
    vec![Value::Text(format!("N{number}")), class]
}

/// A corner of lots, equal for all lots that share it.
fn corner(column: i64, row: i64) -> Coord<f64> {
    let mut dice = ChaCha8Rng::seed_from_u64((column as u64) << 32 ^ row as u64);
    let mut off = || dice.random_range(-0.08..0.08);
    // A lane after every ninth row.
    let lane = (row / 9) as f64 * 0.000_06;
    Coord {
        x: 106.69 + (column as f64 + off()) * FRONT,
        y: 10.77 + lane + (row as f64 + off()) * DEPTH + column as f64 * 0.000_01,
    }
}

fn lot(column: i64, row: i64, wide: i64) -> Geometry {
    // Lots end at a lane.
    let above = |column: i64| match row % 9 {
        8 => {
            let Coord { x, y } = corner(column, row + 1);
            Coord { x, y: y - 0.000_06 }
        }
        _ => corner(column, row + 1),
    };
    let ring = vec![
        corner(column, row),
        corner(column + wide, row),
        above(column + wide),
        above(column),
        corner(column, row),
    ];
    Polygon::new(LineString(ring), vec![]).into()
}

/// Lots in rows. Every fifth is two wide and lacks the vertices of the lots behind it.
fn parcels() -> City {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let mut city = City::new();
    for row in 0..60 {
        let mut column = 0;
        while column < 60 {
            let wide = if dice.random_range(0..5) == 0 { 2 } else { 1 };
            let class = match dice.random_range(0..12) {
                0 => "",
                n if n < 8 => USES[0],
                n => USES[n as usize % 4],
            };
            let fid = city.len() as i64 + 1;
            city.insert(
                fid,
                Feature { fid, geometry: Some(lot(column, row, wide)), values: values(fid, class) },
            );
            column += wide;
        }
    }
    // The same house twice, a feature without geometry, and land far wider than what tiles merge.
    let again = city[&7].clone();
    let big = polygon![
        (x: 106.70, y: 10.768), (x: 106.74, y: 10.768), (x: 106.74, y: 10.7695), (x: 106.70, y: 10.7695),
    ];
    for geometry in [again.geometry, None, Some(big.into()), Some(Point::new(106.6901, 10.7701).into())] {
        let fid = city.len() as i64 + 1;
        city.insert(fid, Feature { fid, geometry, values: values(fid, USES[0]) });
    }
    city
}

fn tiles(layer: &LayerSnapshot, zoom: u8) -> TileRange {
    touched_tiles(&layer.extent().unwrap(), zoom, 64).unwrap()
}

fn tag(feature: &Decoded, name: &str) -> Option<u64> {
    let text = &feature.tags.iter().find(|(key, _)| key == name)?.1;
    Some(text.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn no_feature_gets_lost_at_any_zoom() {
    let city = parcels();
    let layer = build(&layer(Role::Parcel, GeometryKind::Polygon, "loai_dat"), &city);
    let tiler = Tiler::new();
    let with_geometry = city.values().filter(|feature| feature.geometry.is_some()).count() as u64;
    for zoom in 6..=14 {
        let mut total = 0;
        let mut known = BTreeSet::new();
        for tile in tiles(&layer, zoom).tiles() {
            for feature in decode(&tiler.encode(&[&layer], tile, &TileOptions::default()), "things") {
                if feature.kind == 3 {
                    valid_polygons(&feature, 64.0);
                }
                // A feature with an id may be in several tiles; one without an id counts the features in this
                // tile.
                if feature.id == 0 || known.insert(feature.id) {
                    total += tag(&feature, "_count").unwrap();
                }
            }
        }
        assert_eq!(total, with_geometry, "zoom {zoom}");
    }
}

#[test]
fn merged_areas_cover_what_parcels_cover_and_know_their_class() {
    let city = parcels();
    let layer = build(&layer(Role::Parcel, GeometryKind::Polygon, "loai_dat"), &city);
    let tiler = Tiler::new();
    let options = TileOptions::default().buffer(0);
    let by_class = |bytes: &[u8]| {
        let mut areas: BTreeMap<String, f64> = BTreeMap::new();
        let mut count = 0;
        for feature in decode(bytes, "things").iter().filter(|feature| feature.kind == 3) {
            let class = feature.tags.iter().find(|(key, _)| key == "loai_dat");
            *areas.entry(class.map_or(String::new(), |(_, value)| value.clone())).or_default() +=
                valid_polygons(feature, 0.0).unsigned_area();
            count += 1;
        }
        (areas, count)
    };
    let mut compared = 0;
    for tile in tiles(&layer, 14).tiles() {
        let (whole, parcels) = by_class(&encode(&[&layer], tile, &options));
        let (merged, areas) = by_class(&tiler.encode(&[&layer], tile, &options));
        if parcels < 100 {
            continue;
        }
        compared += 1;
        assert!(areas * 2 < parcels, "{areas} areas of {parcels}");
        assert_eq!(whole.keys().collect::<Vec<_>>(), merged.keys().collect::<Vec<_>>());
        for (class, area) in &whole {
            let off = (merged[class] - area).abs() / area;
            assert!(off < 0.02, "{tile}: class {class} is off by {off}");
        }
        let sum = |areas: &BTreeMap<String, f64>| areas.values().sum::<f64>();
        let off = (sum(&merged) - sum(&whole)).abs() / sum(&whole);
        assert!(off < 0.005, "{tile} is off by {off}");
    }
    assert!(compared >= 1);
    // Nothing is merged from the detail zoom on.
    let tile = TileId::at([106.691, 10.772], 15).unwrap();
    assert_eq!(tiler.encode(&[&layer], tile, &options), encode(&[&layer], tile, &options));
}

/// A few random changes.
fn changes(
    city: &mut City,
    dice: &mut ChaCha8Rng,
    change: impl Fn(i64, &mut ChaCha8Rng) -> Feature,
) -> BTreeMap<i64, Option<Feature>> {
    let last = city.keys().last().copied().unwrap();
    let count = dice.random_range(1..4);
    let changes: BTreeMap<i64, Option<Feature>> = (0..count)
        .map(|_| {
            let fid = dice.random_range(1..last + 3);
            let gone = dice.random_bool(0.3);
            (fid, if gone { None } else { Some(change(fid, dice)) })
        })
        .collect();
    for (fid, change) in &changes {
        match change {
            Some(feature) => city.insert(*fid, feature.clone()),
            None => city.remove(fid),
        };
    }
    changes
}

/// Follows random edits: tiles equal those of a city built from scratch, and only tiles within reach change.
fn follow(
    definition: &Layer,
    mut city: City,
    zooms: std::ops::RangeInclusive<u8>,
    steps: u64,
    change: impl Fn(i64, &mut ChaCha8Rng) -> Feature,
) {
    let mut dice = ChaCha8Rng::seed_from_u64(17);
    let tiler = Tiler::new();
    let options = TileOptions::default();
    let mut now = build(definition, &city);
    let everywhere = |layer: &LayerSnapshot| layer.extent().unwrap();
    let all = |layer: &LayerSnapshot, extent: &Bbox| -> BTreeMap<TileId, Vec<u8>> {
        let tiles = zooms
            .clone()
            .flat_map(|zoom| touched_tiles(extent, zoom, 64).unwrap().tiles().collect::<Vec<_>>());
        tiles.map(|tile| (tile, tiler.encode(&[layer], tile, &options))).collect()
    };
    let mut differing = 0;
    for step in 0..steps {
        let changed = changes(&mut city, &mut dice, &change);
        let fids: Vec<i64> = changed.keys().copied().collect();
        let next = now.apply(definition.clone(), step + 2, changed).unwrap();
        let extent = everywhere(&now).union(everywhere(&next));
        let (before, after) = (all(&now, &extent), all(&next, &extent));
        let fresh = build(definition, &city);
        let other = Tiler::new();
        let boxes: Vec<Bbox> = fids
            .iter()
            .flat_map(|&fid| [&now, &next].map(|layer| layer.row_of_fid(fid).and_then(|row| layer.bbox(row))))
            .flatten()
            .collect();
        for (tile, bytes) in &after {
            assert_eq!(*bytes, other.encode(&[&fresh], *tile, &options), "{tile} after step {step}");
            if before[tile] != *bytes {
                differing += 1;
                let reached = boxes.iter().any(|bbox| {
                    let reach = tiler.reach(&next, bbox, tile.z());
                    touched_tiles(&reach, tile.z(), options.buffer).unwrap().contains(*tile)
                });
                assert!(reached, "{tile} changed beyond the reach of step {step}");
            }
        }
        now = next;
    }
    assert!(differing > 10, "{differing}");
}

#[test]
fn merged_tiles_follow_edits_and_no_others_change() {
    let definition = layer(Role::Parcel, GeometryKind::Polygon, "loai_dat");
    follow(&definition, parcels(), 10..=15, 8, |fid, dice| {
        let (column, row) = (dice.random_range(0..60), dice.random_range(0..60));
        let wide = dice.random_range(1..6);
        Feature { fid, geometry: Some(lot(column, row, wide)), values: values(fid, USES[(fid % 4) as usize]) }
    });
}

fn points() -> City {
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    (1..=800).map(|fid| (fid, somewhere(fid, &mut dice))).collect()
}

fn somewhere(fid: i64, dice: &mut ChaCha8Rng) -> Feature {
    let place = Point::new(106.69 + dice.random_range(0.0..0.03), 10.77 + dice.random_range(0.0..0.03));
    Feature { fid, geometry: Some(place.into()), values: values(fid, USES[(fid % 4) as usize]) }
}

#[test]
fn clusters_count_every_point_once() {
    let mut definition = layer(Role::Place, GeometryKind::Point, "kind");
    for class in [None, Some("kind".to_owned())] {
        let mut rule = definition.default_tile_rule();
        rule.class = class.clone();
        definition.tiles = Some(rule);
        let layer = build(&definition, &points());
        let tiler = Tiler::new();
        let mut clusters = 0;
        for zoom in 8..=13 {
            let mut total = 0;
            for tile in tiles(&layer, zoom).tiles() {
                let options = TileOptions::default().buffer(0);
                for feature in decode(&tiler.encode(&[&layer], tile, &options), "things") {
                    // A feature on a border is in both tiles.
                    if feature
                        .paths
                        .iter()
                        .flat_map(|path| &path.0)
                        .any(|at| at.x >= 4096.0 || at.y >= 4096.0)
                    {
                        continue;
                    }
                    let count = tag(&feature, "point_count");
                    total += count.unwrap_or(1);
                    clusters += usize::from(count.is_some());
                    let has = |name: &str| feature.tags.iter().any(|(key, _)| key == name);
                    assert_eq!(has("cluster"), count.is_some());
                    assert_eq!(has("name"), count.is_none(), "a single point keeps its fields");
                    assert_eq!(has("kind"), count.is_none() || class.is_some());
                }
            }
            assert_eq!(total, 800, "zoom {zoom}");
        }
        assert!(clusters > 50);
    }
}

#[test]
fn clusters_follow_edits_and_no_others_change() {
    let definition = layer(Role::Place, GeometryKind::Point, "kind");
    follow(&definition, points(), 8..=14, 12, somewhere);
}

fn road(fid: i64, dice: &mut ChaCha8Rng) -> Feature {
    let classes = ["cao_toc", "duong_chinh", "lien_khu_vuc", "noi_bo", "hem", "other"];
    let mut at = Coord { x: 106.69 + dice.random_range(0.0..0.03), y: 10.77 + dice.random_range(0.0..0.03) };
    let line: LineString<f64> = std::iter::repeat_with(|| {
        at = Coord { x: at.x + dice.random_range(0.0..0.0003), y: at.y + dice.random_range(-0.0001..0.0001) };
        at
    })
    .take(20)
    .collect();
    Feature { fid, geometry: Some(line.into()), values: values(fid, classes[(fid % 6) as usize]) }
}

fn roads() -> City {
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    (1..=300).map(|fid| (fid, road(fid, &mut dice))).collect()
}

#[test]
fn roads_are_thinned_by_class_and_told_of() {
    let layer = build(&layer(Role::Road, GeometryKind::Line, "cap_duong"), &roads());
    let tiler = Tiler::new();
    let tile = TileId::at([106.7, 10.785], 10).unwrap();
    let options = TileOptions::default();
    let classes = |zoom: u8| -> BTreeSet<String> {
        let tile = TileId::at([106.7, 10.785], zoom).unwrap();
        let features = decode(&tiler.encode(&[&layer], tile, &options), "things");
        features
            .iter()
            .map(|feature| feature.tags.iter().find(|(key, _)| key == "cap_duong").unwrap().1.clone())
            .collect()
    };
    assert_eq!(
        classes(8),
        ["\"cao_toc\"", "\"other\""].map(String::from).into(),
        "what no rule names always shows"
    );
    assert_eq!(classes(10).len(), 3);
    assert_eq!(classes(14).len(), 6);
    let told = &tiler.explain(&[&layer], tile, &options)[0];
    assert_eq!(told.method, Method::Lines);
    assert_eq!((told.candidates, told.drawn, told.dropped.values().sum::<u64>()), (300, 150, 150));
    assert!(told.simplified_vertices > 500, "{told}");
    assert!(serde_json::to_value(told).unwrap()["gzip"].as_u64().unwrap() > 0);
    let (thin, whole) = (tiler.encode(&[&layer], tile, &options), encode(&[&layer], tile, &options));
    assert!(thin.len() * 2 < whole.len());
}

#[test]
fn thinned_roads_follow_edits_and_no_others_change() {
    let definition = layer(Role::Road, GeometryKind::Line, "cap_duong");
    follow(&definition, roads(), 9..=14, 10, road);
}

#[test]
fn a_budget_makes_tiles_coarser_and_is_told_of() {
    let mut definition = layer(Role::Parcel, GeometryKind::Polygon, "loai_dat");
    let plain = build(&definition, &parcels());
    let mut rule = definition.default_tile_rule();
    rule.budget = 6_000;
    definition.tiles = Some(rule);
    let tight = build(&definition, &parcels());
    let tiler = Tiler::new();
    let options = TileOptions::default();
    let tile = TileId::at([106.6925, 10.776], 14).unwrap();
    let [plain, tight] = [&plain, &tight].map(|layer| tiler.explain(&[layer], tile, &options).remove(0));
    assert_eq!((plain.method, plain.own_rule), (Method::Areas, false));
    assert_eq!((tight.method, tight.own_rule), (Method::Raster, true));
    assert!(plain.gzip > 6_000 && tight.gzip <= 6_000, "{} {}", plain.gzip, tight.gzip);
    assert!(tight.why.iter().any(|why| why.contains("budget")), "{tight}");
    assert!(tiler.memory() > 10_000);
}

#[test]
fn a_cancelled_tile_leaves_nothing_half_made_behind() {
    let parcels = build(&layer(Role::Parcel, GeometryKind::Polygon, "loai_dat"), &parcels());
    let options = TileOptions::default();
    let (gone, wanted) = (Cancel::new(), Cancel::new());
    gone.cancel();
    for zoom in [9, 12, 14, 15, 16, 18] {
        let tile = tiles(&parcels, zoom).tiles().next().unwrap();
        let tiler = Tiler::new();
        assert!(tiler.encode_until(&[&parcels], tile, &options, &gone).is_err(), "zoom {zoom}");
        let bytes = tiler.encode_until(&[&parcels], tile, &options, &wanted).unwrap();
        assert_eq!(bytes, Tiler::new().encode(&[&parcels], tile, &options), "zoom {zoom}");
        assert!(!bytes.is_empty(), "zoom {zoom}");
    }
}
