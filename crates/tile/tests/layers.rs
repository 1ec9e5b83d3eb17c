//! Names, ids, attributes, points, lines and collections in tiles.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use chrono::{DateTime, NaiveDate};
use citymap_model::{Field, FieldType, Geometry, Value};
use citymap_tile::{MAX_ZOOM, TileId, TileOptions, encode, tilejson};
use common::{Decoded, decode, layer_of, layer_with, to_lonlat};
use fast_mvt::MvtReaderRef;
use geo::{
    Coord, GeometryCollection, Intersects, LineString, MapCoords, MultiLineString, MultiPoint, Point, Rect,
    line_string, point,
};
use proptest::prelude::*;

fn tile() -> TileId {
    TileId::at([106.7, 10.77], 16).unwrap()
}

fn at(x: f64, y: f64) -> Geometry {
    to_lonlat(tile(), &point!(x: x, y: y).into())
}

fn cut(geometry: &Geometry, tile: TileId) -> Vec<Decoded> {
    let layer = layer_of("things", [geometry.clone()]);
    decode(&encode(&[&layer], tile, &TileOptions::default()), "things")
}

#[test]
fn values_of_every_type_arrive_and_nulls_do_not() {
    let fields = [
        ("flag", FieldType::Bool),
        ("count", FieldType::Int),
        ("area", FieldType::Real),
        ("name", FieldType::Text),
        ("day", FieldType::Date),
        ("seen", FieldType::DateTime),
        ("never", FieldType::Text),
    ]
    .map(|(name, kind)| Field::new(name, kind));
    let day = NaiveDate::from_ymd_opt(2025, 7, 1).unwrap();
    let seen = DateTime::from_timestamp_millis(1_751_355_000_250).unwrap();
    let long = "đất ở ".repeat(40);
    let row = |flag, count, area, name: &str| {
        vec![
            Value::Bool(flag),
            Value::Int(count),
            Value::Real(area),
            Value::Text(name.into()),
            Value::Date(day),
            Value::DateTime(seen),
            Value::Null,
        ]
    };
    let rows = [
        (Some(at(1.0, 1.0)), row(true, i64::MAX, 0.1, "đất ở")),
        (Some(at(2.0, 2.0)), vec![Value::Null; 7]),
        (Some(at(3.0, 3.0)), row(false, i64::MIN, f64::NAN, &long)),
        (None, row(false, 0, 0.0, "nowhere")),
        (Some(at(4.0, 4.0)), row(true, 0, -0.0, "")),
    ];
    let layer = layer_with("things", fields.to_vec(), None, rows);
    let bytes = encode(&[&layer], tile(), &TileOptions::default());
    let features = decode(&bytes, "things");
    let tags = |index: usize| -> Vec<(&str, &str)> {
        features[index].tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    };
    assert_eq!(features.iter().map(|feature| feature.id).collect::<Vec<_>>(), [1, 2, 3, 5]);
    assert_eq!(
        tags(0),
        [
            ("flag", "true (bool)"),
            ("count", "9223372036854775807 (uint)"),
            ("area", "0.1 (double)"),
            ("name", "\"đất ở\""),
            ("day", "\"2025-07-01\""),
            ("seen", "\"2025-07-01T07:30:00.250Z\""),
        ]
    );
    assert_eq!(tags(1), []);
    assert_eq!(
        tags(2)[1..3],
        [("count", "-9223372036854775808 (sint)"), ("name", format!("{long:?}").as_str())]
    );
    assert_eq!(tags(3)[1..4], [("count", "0 (uint)"), ("area", "-0 (double)"), ("name", "\"\"")]);

    let reader = MvtReaderRef::new(&bytes).unwrap();
    let layer = reader.layers().next().unwrap();
    assert!(!layer.keys().contains(&"never"), "a key that no feature has");
    assert_eq!(layer.values().len(), 12, "each distinct value of a field once");
}

#[test]
fn personal_fields_are_absent_and_keys_give_ids() {
    let mut owner = Field::new("owner", FieldType::Text);
    owner.personal = true;
    let fields = vec![Field::new("so_thua", FieldType::Int), owner, Field::new("key", FieldType::Text)];
    let row = |key: Value| vec![Value::Int(7), Value::Text("Nguyễn Văn A".into()), key];
    let text = |key: &str| Value::Text(key.into());
    let rows = [text("a"), text("b"), text("a"), Value::Null].map(|key| (Some(at(5.0, 5.0)), row(key)));
    let layer = layer_with("parcels", fields.clone(), Some("key"), rows.clone());
    let bytes = encode(&[&layer], tile(), &TileOptions::default());
    assert!(!bytes.windows(6).any(|window| window == "Nguyễ".as_bytes().get(..6).unwrap()));
    let ids: Vec<String> = decode(&bytes, "parcels")
        .iter()
        .map(|feature| feature.tags.iter().find(|(key, _)| key == "_id").unwrap().1.clone())
        .collect();
    assert_eq!(ids, ["\"a\"", "\"b\"", "\"a~3\"", "\"~4\""]);

    let description = tilejson(&[&layer], "http://localhost/{z}/{x}/{y}");
    assert_eq!(
        description["vector_layers"][0]["fields"],
        serde_json::json!({ "so_thua": "Number", "key": "String", "_id": "String" })
    );

    let secret = layer_with("parcels", fields, Some("owner"), rows);
    let bytes = encode(&[&secret], tile(), &TileOptions::default());
    assert!(decode(&bytes, "parcels").iter().all(|feature| feature.tags.iter().all(|(key, _)| key != "_id")));
    assert!(tilejson(&[&secret], "")["vector_layers"][0]["fields"].get("_id").is_none());
}

#[test]
fn ids_of_keys_that_are_not_texts_are_texts() {
    let layer = layer_with(
        "lots",
        vec![Field::new("number", FieldType::Int)],
        Some("number"),
        [12, 12].map(|number| (Some(at(5.0, 5.0)), vec![Value::Int(number)])),
    );
    let features = decode(&encode(&[&layer], tile(), &TileOptions::default()), "lots");
    let tag = |index: usize| features[index].tags[1].clone();
    assert_eq!((tag(0), tag(1)), (("_id".into(), "\"12\"".into()), ("_id".into(), "\"12~2\"".into())));
}

#[test]
fn layers_share_a_tile_in_the_order_given_and_empty_ones_are_left_out() {
    let here = layer_of("here", [at(5.0, 5.0)]);
    let there = layer_of("there", [at(9000.0, 5.0)]);
    let also = layer_of("also", [at(6.0, 6.0), at(7.0, 7.0)]);
    let bytes = encode(&[&here, &there, &also], tile(), &TileOptions::default());
    let reader = MvtReaderRef::new(&bytes).unwrap();
    assert_eq!(reader.layers().map(|layer| layer.name().to_owned()).collect::<Vec<_>>(), ["here", "also"]);
    assert_eq!(decode(&bytes, "also").len(), 2);
    assert!(encode(&[&there], tile(), &TileOptions::default()).is_empty());
    assert!(encode(&[], tile(), &TileOptions::default()).is_empty());
}

#[test]
fn a_point_on_the_seam_is_in_both_tiles() {
    let seam = at(4096.0, 77.0);
    let east = TileId::new(16, tile().x() + 1, tile().y()).unwrap();
    assert_eq!(cut(&seam, tile())[0].paths[0].0, [Coord { x: 4096.0, y: 77.0 }]);
    assert_eq!(cut(&seam, east)[0].paths[0].0, [Coord { x: 0.0, y: 77.0 }]);
    assert!(cut(&at(4161.0, 77.0), tile()).is_empty());
    let narrow = TileOptions::default().buffer(0);
    let layer = layer_of("things", [at(4097.0, 5.0), at(4096.0, 5.0)]);
    assert_eq!(decode(&encode(&[&layer], tile(), &narrow), "things").len(), 1);
}

#[test]
fn a_collection_comes_as_one_feature_of_each_kind() {
    let square = Rect::new((10.0, 10.0), (20.0, 20.0)).to_polygon();
    let collection = GeometryCollection::new_from(vec![
        point!(x: 1.0, y: 1.0).into(),
        square.into(),
        line_string![(x: 1.0, y: 1.0), (x: 5.0, y: 5.0)].into(),
        point!(x: 3.0, y: 2.0).into(),
    ]);
    let geometry = to_lonlat(tile(), &Geometry::GeometryCollection(collection));
    let field = Field::new("key", FieldType::Int);
    let layer = layer_with("things", vec![field], Some("key"), [(Some(geometry), vec![Value::Int(4)])]);
    let features = decode(&encode(&[&layer], tile(), &TileOptions::default()), "things");
    assert_eq!(
        features.iter().map(|feature| (feature.id, feature.kind)).collect::<Vec<_>>(),
        [(1, 1), (1, 2), (1, 3)]
    );
    assert_eq!(features[0].paths.len(), 2);
    assert!(features.iter().all(|feature| feature.tags == features[0].tags && feature.tags.len() == 2));
}

#[test]
fn empty_geometries_do_no_harm() {
    let empty = [
        MultiPoint::<f64>::new(vec![]).into(),
        LineString::<f64>::new(vec![]).into(),
        MultiLineString::<f64>::new(vec![]).into(),
        geo::Polygon::<f64>::new(LineString::new(vec![]), vec![]).into(),
        Geometry::GeometryCollection(GeometryCollection::new_from(vec![])),
    ];
    let layer = layer_of("things", empty.into_iter().chain([at(5.0, 5.0)]));
    let features = decode(&encode(&[&layer], tile(), &TileOptions::default()), "things");
    assert_eq!(features.iter().map(|feature| feature.id).collect::<Vec<_>>(), [6]);
}

/// Where the lines cross x = 4096 or y = 4096, in order.
fn crossings(features: &[Decoded], axis: usize) -> Vec<i64> {
    let mut found = vec![];
    for path in features.iter().flat_map(|feature| &feature.paths) {
        for point in &path.0 {
            let [on, along] = if axis == 0 { [point.x, point.y] } else { [point.y, point.x] };
            if on == 4096.0 && (0.0..=4096.0).contains(&along) {
                found.push(along as i64);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn lines_are_present_sound_and_agree_at_seams(
        z in 4..=MAX_ZOOM,
        place in (0.3..0.7, 0.3..0.7),
        // The step from one point to the next: from less than a unit to more than two tiles.
        steps in prop::collection::vec((-1.0..1.0f64, -1.0..1.0f64), 1..30),
        scale in (-1.0..4.0f64).prop_map(|exponent| 10f64.powf(exponent)),
        start in (-200.0..4300.0f64, -200.0..4300.0f64),
    ) {
        let count = 2f64.powi(z.into());
        let tile = TileId::new(z, (place.0 * count) as u32, (place.1 * count) as u32).unwrap();
        let mut at: Coord<f64> = Coord { x: start.0, y: start.1 };
        let mut line = vec![at];
        for (x, y) in steps {
            at = Coord { x: (at.x + x * scale).clamp(-15e3, 15e3), y: (at.y + y * scale).clamp(-15e3, 15e3) };
            line.push(at);
        }
        let line = LineString::new(line);
        let lonlat = to_lonlat(tile, &line.clone().into());
        let found = cut(&lonlat, tile);
        if line.intersects(&Rect::new((0.0, 0.0), (4096.0, 4096.0))) {
            prop_assert!(!found.is_empty(), "lost");
        }
        for path in found.iter().flat_map(|feature| &feature.paths) {
            prop_assert!(path.0.len() >= 2 && path.0.windows(2).all(|edge| edge[0] != edge[1]));
            let inside = |v: &f64| (-64.0..=4160.0).contains(v);
            prop_assert!(path.0.iter().all(|point| [point.x, point.y].iter().all(inside)));
        }
        // A line too short for the grid is extended by a unit to the east in both tiles, so it may end on the
        // seam in one tile and begin there in the other.
        if scale > 10.0 {
            for (axis, east, south) in [(0, 1, 0), (1, 0, 1)] {
                let next = TileId::new(z, tile.x() + east, tile.y() + south).unwrap();
                let shift = Coord { x: f64::from(east) * 4096.0, y: f64::from(south) * 4096.0 };
                let there: Vec<Decoded> = cut(&lonlat, next).into_iter().map(|mut feature| {
                    feature.paths.iter_mut().for_each(|path| *path = path.map_coords(|coord| coord + shift));
                    feature
                }).collect();
                prop_assert_eq!(crossings(&found, axis), crossings(&there, axis));
            }
        }
    }

    #[test]
    fn points_are_where_they_were(x in 0.0..4096.0, y in 0.0..4096.0, z in 0..=20u8) {
        let count = f64::from(1u32 << z);
        let tile = TileId::new(z, (count * 0.6) as u32, (count * 0.4) as u32).unwrap();
        let found = cut(&to_lonlat(tile, &Point::new(x, y).into()), tile);
        let point = found[0].paths[0].0[0];
        prop_assert!((point.x - x).abs() <= 1.001 && (point.y - y).abs() <= 1.001);
    }
}
