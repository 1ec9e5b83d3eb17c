//! An index that followed edits answers as one built afresh.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use citymap_engine::{City, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Layer, Role, Value, units};
use citymap_search::{Hit, SearchIndex, SearchQuery};
use common::{communes, layer, line, lot};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Model = BTreeMap<i64, Feature>;

const STREETS: [&str; 9] = [
    "Nguyễn Trãi",
    "Đường Nguyễn Trãi",
    "Nguyễn Huệ",
    "Nguyễn Thái Học",
    "Đường số 7",
    "Dương Bá Trạc",
    "Đường Bá Trạc",
    "3 Tháng 2",
    "Phường Sài Gòn",
];

fn parcel_layer() -> Layer {
    let fields = ["ma_thua", "so_to", "so_thua", "dia_chi"];
    layer("parcels", Role::Parcel, &fields, Some("ma_thua"), Some("so_thua"))
}

fn road_layer() -> Layer {
    layer("roads", Role::Road, &["name"], None, Some("name"))
}

fn parcel(fid: i64, rng: &mut ChaCha8Rng) -> Feature {
    let (sheet, number) = (rng.random_range(1..4), rng.random_range(1..12));
    let (x, y) = (106.69 + rng.random_range(0.0..0.1), 10.77 + rng.random_range(0.0..0.02));
    let house = ["12", "12/3", "12/3/4", "120", "12A", "7"][rng.random_range(0..6)];
    let street = STREETS[rng.random_range(0..STREETS.len())];
    let commune = ["", ", Phường Bến Thành", ", Phường Chợ Lớn"][rng.random_range(0..3)];
    let text = |text: String| if text.is_empty() { Value::Null } else { Value::Text(text) };
    let values = vec![
        text(format!("26740-{sheet}-{number}")),
        text(sheet.to_string()),
        text(number.to_string()),
        text(if rng.random_bool(0.1) { String::new() } else { format!("{house} {street}{commune}") }),
    ];
    Feature { fid, geometry: Some(lot(x, y)), values }
}

fn road(fid: i64, rng: &mut ChaCha8Rng) -> Feature {
    let (x, y) = (106.69 + rng.random_range(0.0..0.1), 10.77 + rng.random_range(0.0..0.02));
    let name = Value::Text(STREETS[rng.random_range(0..STREETS.len())].to_owned());
    Feature { fid, geometry: Some(line((x, y), (x + 0.001, y + 0.001))), values: vec![name] }
}

fn build(layer: &Layer, model: &Model) -> Arc<LayerSnapshot> {
    let mut builder = SnapshotBuilder::new(layer.clone());
    model.values().for_each(|feature| builder.push(feature).unwrap());
    Arc::new(builder.finish(1))
}

/// The answers, without the rows, which are of one snapshot only.
fn answers(index: &SearchIndex, city: &City, text: &str, near: Option<[f64; 2]>) -> Vec<Hit> {
    let query = SearchQuery { text: text.to_owned(), limit: 12, near, lang: "vi" };
    index.search(city, &query).hits.into_iter().map(|hit| Hit { row: None, ..hit }).collect()
}

fn city_of(layers: [Arc<LayerSnapshot>; 3]) -> City {
    common::city(layers)
}

#[test]
fn edits_are_found_as_if_they_had_always_been_there() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let units = communes();
    let layers = [parcel_layer(), road_layer()];
    let make: [fn(i64, &mut ChaCha8Rng) -> Feature; 2] = [parcel, road];
    let mut models: [Model; 2] =
        [0, 1].map(|which| (1..60).map(|fid| (fid, make[which](fid, &mut rng))).collect());
    let mut snapshots = [0, 1].map(|which| build(&layers[which], &models[which]));
    let city = city_of([Arc::clone(&units), Arc::clone(&snapshots[0]), Arc::clone(&snapshots[1])]);
    let mut index = SearchIndex::build(&city);
    let mut found = 0;
    for step in 0..60u64 {
        let which = rng.random_range(0..2);
        let changes: BTreeMap<i64, Option<Feature>> = (0..rng.random_range(1..5))
            .map(|_| {
                let fid = rng.random_range(1..80);
                (fid, if rng.random_bool(0.35) { None } else { Some(make[which](fid, &mut rng)) })
            })
            .collect();
        for (&fid, change) in &changes {
            match change {
                Some(feature) => models[which].insert(fid, feature.clone()),
                None => models[which].remove(&fid),
            };
        }
        let after = snapshots[which].apply(layers[which].clone(), step + 2, changes).unwrap();
        snapshots[which] = Arc::new(if rng.random_bool(0.1) { after.merged() } else { after });
        let city = city_of([Arc::clone(&units), Arc::clone(&snapshots[0]), Arc::clone(&snapshots[1])]);
        index = SearchIndex::update(&index, &city);
        let fresh_city =
            city_of([Arc::clone(&units), build(&layers[0], &models[0]), build(&layers[1], &models[1])]);
        let fresh = SearchIndex::build(&fresh_city);
        for text in [
            "12 nguyễn trãi",
            "12/3 Nguyen Trai, phường bến thành",
            "12/9 nguyen hue",
            "nguyen",
            "trai nguyen",
            "duong ba trac",
            "Dương Bá Trạc",
            "sai gon",
            "đường số 7",
            "tờ 2 thửa 5",
            "26740-1-3",
            "26740-2",
            "1/7",
            "7 3 thang 2",
        ] {
            let near = rng.random_bool(0.7).then_some([106.74, 10.78]);
            let own = answers(&index, &city, text, near);
            let expected = answers(&fresh, &fresh_city, text, near);
            assert_eq!(own, expected, "`{text}` after step {step}");
            found += own.len();
        }
    }
    assert!(found > 3_000, "{found}");
}

#[test]
fn an_index_of_another_snapshot_finds_nothing_in_it() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let model: Model = (1..20).map(|fid| (fid, parcel(fid, &mut rng))).collect();
    let old = build(&parcel_layer(), &model);
    let before = common::city([Arc::clone(&old)]);
    let index = SearchIndex::build(&before);
    let ask = |index: &SearchIndex, city: &City| {
        let hits = answers(index, city, "26740-", None);
        hits.into_iter().filter(|hit| hit.layer.is_some()).count()
    };
    assert_eq!(ask(&index, &before), 12);
    // The same revision, but other rows: merged, or only the definition is another.
    let removed = old.apply(parcel_layer(), 1, [(3, None)]).unwrap();
    for other in [removed.merged(), removed, old.apply(parcel_layer(), 1, []).unwrap()] {
        let after = common::city([Arc::new(other)]);
        assert_eq!(ask(&index, &after), 0);
        assert_eq!(ask(&SearchIndex::update(&index, &after), &after), 12);
    }
}

#[test]
fn a_field_that_becomes_personal_is_no_longer_found() {
    let roads = road_layer();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let feature =
        Feature { values: vec![Value::Text("Đường Nguyễn Trãi".into())], ..road(1, &mut rng) };
    let snapshot = build(&roads, &BTreeMap::from([(1, feature)]));
    let city = common::city([Arc::clone(&snapshot)]);
    let index = SearchIndex::build(&city);
    let found = |index: &SearchIndex, city: &City| {
        answers(index, city, "nguyen trai", None).iter().filter(|hit| hit.layer.is_some()).count()
    };
    assert_eq!(found(&index, &city), 1);
    let mut secret = roads.clone();
    secret.fields[0].personal = true;
    let city = common::city([Arc::new(snapshot.apply(secret, 2, []).unwrap())]);
    assert_eq!(found(&SearchIndex::update(&index, &city), &city), 0);
}

#[test]
fn a_commune_that_is_edited_away_is_found_in_the_built_in_table() {
    let units_layer = communes();
    let city = common::city([Arc::clone(&units_layer)]);
    let index = SearchIndex::build(&city);
    let name = units::communes()[0].name;
    let layered = |index: &SearchIndex, city: &City| answers(index, city, name, None)[0].layer.is_some();
    assert!(layered(&index, &city));
    let gone = units_layer.apply(units_layer.layer().clone(), 2, [(1, None)]).unwrap();
    let city = common::city([Arc::new(gone)]);
    assert!(!layered(&SearchIndex::update(&index, &city), &city));
}
