//! Compares a snapshot that followed random changes with one that was built from scratch, question by
//! question.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Days, NaiveDate};
use citymap_engine::{
    Area, Bbox, Comparison, EngineError, Filter, Grouping, LayerSnapshot, Query, Row, SnapshotBuilder,
    TimeInterval,
};
use citymap_model::{
    Feature, Fid, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, parse_datetime,
};
use geo::{GeometryCollection, MultiPoint, Point, line_string, polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Model = BTreeMap<Fid, Feature>;

fn layer(key: FieldType) -> Layer {
    let mut layer =
        Layer::new("things".parse().unwrap(), Title::same("Things"), Role::Other, GeometryKind::Mixed);
    layer.fields = vec![
        Field::new("key", key),
        Field::new("name", FieldType::Text),
        Field::new("count", FieldType::Int),
        Field::new("size", FieldType::Real),
        Field::new("since", FieldType::Date),
        Field::new("until", FieldType::DateTime),
        Field::new("open", FieldType::Bool),
    ];
    layer.key = Some("key".into());
    layer.label = Some("name".into());
    layer.valid_from = Some("since".into());
    layer.valid_to = Some("until".into());
    layer
}

/// Few places, so that shapes share edges, touch and overlap.
fn geometry(rng: &mut ChaCha8Rng) -> Option<Geometry> {
    let (x, y) = (
        106.7 + f64::from(rng.random_range(0..20)) * 1e-4,
        10.77 + f64::from(rng.random_range(0..20)) * 1e-4,
    );
    let d = f64::from(rng.random_range(1..4)) * 1e-4;
    Some(match rng.random_range(0..9) {
        0 => return None,
        1 => Point::new(x, y).into(),
        2 => line_string![(x: x, y: y), (x: x + d, y: y + d), (x: x + d, y: y)].into(),
        3 => polygon![(x: x, y: y), (x: x + d, y: y), (x: x, y: y + d)].into(),
        4 => MultiPoint::<f64>::new(vec![]).into(),
        5 => MultiPoint::new(vec![Point::new(x, y), Point::new(x + d, y)]).into(),
        6 => Geometry::GeometryCollection(GeometryCollection::new_from(vec![Point::new(x, y).into()])),
        _ => geo::Rect::new((x, y), (x + d, y + d / 2.0)).to_polygon().into(),
    })
}

fn feature(fid: Fid, key: FieldType, rng: &mut ChaCha8Rng) -> Feature {
    let number = rng.random_range(0..12i64);
    let own_key = match (number, key) {
        (0, _) => Value::Null,
        (_, FieldType::Text) => Value::Text(format!("P{}", number * 3)),
        (1, FieldType::Real) => Value::Real(-0.0),
        (2, FieldType::Real) => Value::Real(0.0),
        (_, FieldType::Real) => Value::Real(number as f64 / 2.0),
        (_, _) => Value::Int(number - 5),
    };
    let names = ["", "chợ", "đình", "trường", "công viên"];
    let mut or_null = |value: Value| if rng.random_range(0..5) == 0 { Value::Null } else { value };
    let mut values = vec![own_key];
    values.extend([
        or_null(Value::Text(names[number as usize % 5].into())),
        or_null(Value::Int(number)),
        or_null(Value::Real(number as f64 / 3.0)),
        or_null(Value::Date(NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + Days::new(number as u64 * 30))),
        or_null(Value::DateTime(DateTime::from_timestamp(1_600_000_000 + number * 5_000_000, 0).unwrap())),
        or_null(Value::Bool(number % 2 == 0)),
    ]);
    // Some names are new each time, as in real edits.
    if rng.random_range(0..3) == 0 {
        values[1] = Value::Text(format!("số {}", rng.random_range(0..1000)));
    }
    Feature { fid, geometry: geometry(rng), values }
}

fn build(layer: Layer, model: &Model) -> LayerSnapshot {
    let mut builder = SnapshotBuilder::new(layer);
    model.values().for_each(|feature| builder.push(feature).unwrap());
    builder.finish(1)
}

fn fids(snapshot: &LayerSnapshot, rows: impl IntoIterator<Item = Row>) -> Vec<Fid> {
    rows.into_iter().map(|row| snapshot.fid(row)).collect()
}

/// Asks both many random questions.
fn same_answers(found: &LayerSnapshot, model: &Model, rng: &mut ChaCha8Rng) {
    let fresh = build(found.layer().clone(), model);
    assert!(found.features().eq(model.values().cloned()), "features");
    assert!(found.features_equal(&fresh) && fresh.features_equal(found));
    assert_eq!((found.len(), found.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(found.extent(), fresh.extent());
    assert_eq!(found.repeated_keys(), fresh.repeated_keys());
    assert_eq!(fids(found, found.rows()), fids(&fresh, fresh.rows()));
    for (row, other) in found.rows().zip(fresh.rows()) {
        let id = found.id(row);
        assert_eq!(id, fresh.id(other));
        assert_eq!(found.id_is_key(row), fresh.id_is_key(other), "{id}");
        assert_eq!(found.label(row), fresh.label(other));
        assert_eq!(found.row_of_id(&id.to_string()), Some(row), "{id}");
        assert_eq!(found.row_of_fid(found.fid(row)), Some(row));
        assert_eq!((found.bbox(row), found.geometry(row)), (fresh.bbox(other), fresh.geometry(other)));
        assert_eq!(found.shape(row).mercator_coords(), fresh.shape(other).mercator_coords());
    }
    for fid in 0..60 {
        assert_eq!(found.row_of_fid(fid).is_some(), model.contains_key(&fid));
        let id = format!("P3~{fid}");
        assert_eq!(
            found.row_of_id(&id).map(|row| found.fid(row)),
            fresh.row_of_id(&id).map(|row| fresh.fid(row))
        );
    }
    for prefix in ["", "P", "P1", "P3", "x"] {
        assert_eq!(
            fids(found, found.rows_of_key_prefix(prefix)),
            fids(&fresh, fresh.rows_of_key_prefix(prefix))
        );
    }
    for _ in 0..8 {
        let like = feature(0, found.layer().fields[0].field_type, rng);
        assert_eq!(
            fids(found, found.rows_of_key(&like.values[0])),
            fids(&fresh, fresh.rows_of_key(&like.values[0]))
        );
        let (x, y) = (106.7 + rng.random_range(-0.0005..0.0025), 10.77 + rng.random_range(-0.0005..0.0025));
        let on_grid = [
            106.7 + f64::from(rng.random_range(0..20)) * 1e-4,
            10.77 + f64::from(rng.random_range(0..20)) * 1e-4,
        ];
        let instant = parse_datetime(&format!("2020-{:02}-15T00:00:00Z", rng.random_range(1..13)));
        let time = rng.random_bool(0.5).then_some(TimeInterval { start: instant, end: instant });
        let d = rng.random_range(0.0..0.001);
        let field = rng.random_range(0..7);
        let comparisons = [Comparison::Eq, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];
        let comparison = comparisons[rng.random_range(0..5)];
        let query = Query {
            bbox: rng.random_bool(0.5).then_some(Bbox::new(x, y, x + d, y + d)),
            intersects: if rng.random_bool(0.3) { geometry(rng) } else { None },
            filters: if rng.random_bool(0.6) {
                vec![Filter::compare(field, comparison, like.values[field].clone())]
            } else {
                vec![]
            },
            time,
            ..Query::default()
        };
        let all = fids(found, found.select(&query).rows);
        assert_eq!(all, fids(&fresh, fresh.select(&query).rows), "{query:?}");
        let (mut after, mut walked) = (None, Vec::new());
        loop {
            let asked = Query { after, limit: Some(3), ..query.clone() };
            let (page, other) = (found.select(&asked), fresh.select(&asked));
            assert_eq!((fids(found, page.rows.clone()), page.next), (fids(&fresh, other.rows), other.next));
            walked.extend(fids(found, page.rows));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(walked, all);
        for point in [[x, y], on_grid] {
            let (own, other) = (found.during(time), fresh.during(time));
            assert_eq!(fids(found, own.at(point)), fids(&fresh, other.at(point)));
            for limit in [2, 100] {
                let hits = |snapshot: &LayerSnapshot| -> Vec<(Fid, u64)> {
                    let hits = snapshot.during(time).near(point, 60.0, limit);
                    hits.iter().map(|hit| (snapshot.fid(hit.row), hit.distance.to_bits())).collect()
                };
                assert_eq!(hits(found), hits(&fresh));
            }
        }
        let drawn = polygon![(x: x, y: y), (x: x + d + 1e-4, y: y), (x: x + 1e-4, y: y + d + 1e-4)];
        let area = Area::new(drawn.into()).unwrap();
        let grouping = Grouping { fields: &[field], max: usize::MAX, filters: &query.filters };
        let share = |snapshot: &LayerSnapshot| snapshot.during(time).within_by(&area, &grouping).unwrap();
        let (own, other) = (share(found), share(&fresh));
        assert_eq!(fids(found, own.rows), fids(&fresh, other.rows));
        assert_eq!((own.totals, own.groups), (other.totals, other.groups));
    }
}

/// The sections of a snapshot, each aligned as in a mapped file.
struct Pieces {
    layer: Layer,
    revision: u64,
    bytes: BTreeMap<String, Bytes>,
}

fn pieces(snapshot: &LayerSnapshot) -> Pieces {
    let sections = snapshot.sections().unwrap();
    let bytes = sections.into_iter().map(|section| (section.name, aligned(&section.bytes))).collect();
    Pieces { layer: snapshot.layer().clone(), revision: snapshot.revision(), bytes }
}

/// A copy of the bytes at an address that is a multiple of 8.
fn aligned(bytes: &[u8]) -> Bytes {
    let room = Bytes::from(vec![0; bytes.len() + 8]);
    let skip = room.as_ptr().align_offset(8);
    let mut room = Vec::from(room);
    room[skip..skip + bytes.len()].copy_from_slice(bytes);
    Bytes::from(room).slice(skip..skip + bytes.len())
}

impl Pieces {
    fn read(&self) -> Result<LayerSnapshot, EngineError> {
        LayerSnapshot::from_sections(self.layer.clone(), self.revision, &|name| self.bytes.get(name).cloned())
    }
}

fn random_changes(
    model: &mut Model,
    next: &mut Fid,
    key: FieldType,
    rng: &mut ChaCha8Rng,
) -> Vec<(Fid, Option<Feature>)> {
    let mut changes = BTreeMap::new();
    for _ in 0..rng.random_range(0..6) {
        // Fids that do not exist too, among them those of removed features that come back.
        let fid = if rng.random_bool(0.4) { *next } else { rng.random_range(1..=*next) };
        *next = (*next).max(fid + 1);
        let becomes = if rng.random_bool(0.35) { None } else { Some(feature(fid, key, rng)) };
        changes.insert(fid, becomes);
    }
    if rng.random_bool(0.02) {
        changes.extend(model.keys().map(|&fid| (fid, None)));
    }
    for (fid, becomes) in &changes {
        match becomes {
            Some(feature) => model.insert(*fid, feature.clone()),
            None => model.remove(fid),
        };
    }
    changes.into_iter().collect()
}

#[test]
fn any_sequence_of_changes_equals_a_snapshot_built_afresh() {
    let mut renamings = 0;
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let key = [FieldType::Text, FieldType::Int, FieldType::Real][seed as usize % 3];
        let layer = layer(key);
        let mut model = Model::new();
        let mut next = 1;
        for fid in 1..rng.random_range(1..40) {
            model.insert(fid, feature(fid, key, &mut rng));
            next = fid + 1;
        }
        let mut snapshot = build(layer.clone(), &model);
        for step in 0..25 {
            let before = (snapshot.clone(), model.clone());
            let changes = random_changes(&mut model, &mut next, key, &mut rng);
            let changed: Vec<Fid> = changes.iter().map(|(fid, _)| *fid).collect();
            snapshot = snapshot.apply(layer.clone(), step + 2, changes).unwrap();
            assert_eq!(snapshot.revision(), step + 2);
            same_answers(&snapshot, &model, &mut rng);
            if rng.random_bool(0.15) {
                let merged = snapshot.merged();
                assert_eq!(merged.delta_len(), 0);
                assert_eq!(merged.base().len(), model.len());
                assert_eq!(merged.revision(), snapshot.revision());
                same_answers(&merged, &model, &mut rng);
                // Read back from its sections it is the same, and later changes apply to it.
                snapshot = pieces(&merged).read().unwrap();
                assert_eq!(snapshot.revision(), merged.revision());
                same_answers(&snapshot, &model, &mut rng);
            }
            let renamed: Vec<Fid> = fids(&snapshot, snapshot.renamed(&before.0, &changed));
            let id = |snapshot: &LayerSnapshot, fid| snapshot.row_of_fid(fid).map(|row| snapshot.id(row));
            let others = model.keys().copied().filter(|fid| !changed.contains(fid));
            let expected: Vec<Fid> = others.filter(|&fid| id(&snapshot, fid) != id(&before.0, fid)).collect();
            assert_eq!(renamed, expected);
            renamings += renamed.len();
            // A reader that holds the snapshot before continues with it.
            assert!(before.0.features().eq(before.1.into_values()));
        }
    }
    assert!(renamings > 100, "{renamings}");
}

#[test]
fn a_merged_base_is_what_a_builder_makes() {
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let mut model: Model = (1..50).map(|fid| (fid, feature(fid, FieldType::Text, &mut rng))).collect();
    let mut next = 50;
    let mut snapshot = build(layer(FieldType::Text), &model);
    for _ in 0..30 {
        let changes = random_changes(&mut model, &mut next, FieldType::Text, &mut rng);
        snapshot = snapshot.apply(layer(FieldType::Text), 2, changes).unwrap();
    }
    let (merged, fresh) = (snapshot.merged(), build(layer(FieldType::Text), &model));
    for field in 0..7 {
        // The dictionaries too: no text of a removed feature is left.
        let [a, b] = [&merged, &fresh].map(|snapshot| format!("{:?}", snapshot.base().column(field)));
        assert_eq!(a, b, "field {field}");
    }
}

#[test]
fn the_delta_counts_what_differs_from_the_base_and_keeps_nothing_of_former_edits() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let model: Model = (1..10).map(|fid| (fid, feature(fid, FieldType::Text, &mut rng))).collect();
    let base = build(layer(FieldType::Text), &model);
    let apply = |snapshot: &LayerSnapshot, changes: Vec<(Fid, Option<Feature>)>| {
        snapshot.apply(layer(FieldType::Text), 2, changes).unwrap()
    };
    assert_eq!((base.delta_len(), apply(&base, vec![]).delta_len()), (0, 0));
    let one = apply(&base, vec![(3, None), (4, Some(feature(4, FieldType::Text, &mut rng))), (99, None)]);
    assert_eq!((one.delta_len(), one.len()), (2, 8));
    let two = apply(
        &one,
        vec![
            (3, Some(feature(3, FieldType::Text, &mut rng))),
            (11, Some(feature(11, FieldType::Text, &mut rng))),
        ],
    );
    assert_eq!((two.delta_len(), two.len()), (3, 10));
    let three = apply(&two, vec![(4, None), (11, None)]);
    assert_eq!((three.delta_len(), three.len()), (2, 8));
    let mut snapshot = base.clone();
    for number in 0..200 {
        let mut edited = feature(5, FieldType::Text, &mut rng);
        edited.values[1] = Value::Text(format!("lần {number}"));
        snapshot = apply(&snapshot, vec![(5, Some(edited))]);
    }
    assert_eq!(snapshot.delta_len(), 1);
    let citymap_engine::Column::Text(_, names) = snapshot.delta().column(1) else {
        panic!("names are texts")
    };
    assert_eq!(names.len(), 1);
    assert_ne!(base.delta().id(), apply(&base, vec![]).delta().id());
    assert_eq!(base.base().id(), snapshot.base().id());
    assert_ne!(base.base().id(), snapshot.merged().base().id());
}

#[test]
fn what_cannot_be_a_change_is_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut feature = |fid| feature(fid, FieldType::Text, &mut rng);
    let base = build(layer(FieldType::Text), &(1..5).map(|fid| (fid, feature(fid))).collect());
    let try_with = |layer: Layer, changes: Vec<(Fid, Option<Feature>)>| base.apply(layer, 2, changes);
    let good = layer(FieldType::Text);
    let mut renamed = good.clone();
    renamed.fields[1].name = "ten".into();
    let mut keyless = good.clone();
    keyless.key = None;
    for other in [layer(FieldType::Int), renamed, keyless] {
        assert!(!base.takes(&other));
        assert!(matches!(try_with(other, vec![]), Err(EngineError::Definition { .. })));
    }
    let mut titled = good.clone();
    titled.fields[0] = titled.fields[0].clone().titled("Mã", "Key");
    assert_eq!(try_with(titled.clone(), vec![]).unwrap().layer(), &titled);
    assert!(matches!(
        try_with(good.clone(), vec![(2, None), (2, None)]),
        Err(EngineError::Order { fid: 2, .. })
    ));
    assert!(matches!(
        try_with(good.clone(), vec![(3, None), (2, Some(feature(2)))]),
        Err(EngineError::Order { .. })
    ));
    assert!(matches!(
        try_with(good.clone(), vec![(2, Some(feature(3)))]),
        Err(EngineError::Number { fid: 2, found: 3, .. })
    ));
    let mut narrow = feature(2);
    narrow.values.pop();
    assert!(matches!(try_with(good.clone(), vec![(2, Some(narrow))]), Err(EngineError::Width { .. })));
    let mut wrong = feature(2);
    wrong.values[2] = Value::Text("ba".into());
    assert!(matches!(try_with(good, vec![(2, Some(wrong))]), Err(EngineError::Type { .. })));
}

#[test]
fn damaged_pieces_are_an_error_or_some_snapshot_and_never_a_panic() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..3_000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let key = [FieldType::Text, FieldType::Int, FieldType::Real][seed as usize % 3];
        let model: Model = (1..30).map(|fid| (fid, feature(fid, key, &mut rng))).collect();
        let snapshot = build(layer(key), &model);
        let mut damaged = pieces(&snapshot);
        let names: Vec<String> = damaged.bytes.keys().cloned().collect();
        let name = names[rng.random_range(0..names.len())].clone();
        let mut bytes = damaged.bytes[&name].to_vec();
        match rng.random_range(0..10) {
            0 => drop(damaged.bytes.remove(&name)),
            1 => bytes.truncate(rng.random_range(0..bytes.len())),
            2 => bytes.extend_from_within(..8.min(bytes.len())),
            _ => {
                let at = rng.random_range(0..bytes.len());
                bytes[at] =
                    if rng.random() { bytes[at].wrapping_add(rng.random_range(1..4)) } else { rng.random() };
            }
        }
        if damaged.bytes.contains_key(&name) {
            damaged.bytes.insert(name.clone(), aligned(&bytes));
        }
        let Ok(found) = damaged.read() else {
            refused += 1;
            continue;
        };
        taken += 1;
        let everywhere = Bbox::new(-180.0, -90.0, 180.0, 90.0);
        let mut met = Vec::new();
        found.candidates(&everywhere, |row| met.push(row));
        found.features().for_each(drop);
        for row in found.rows() {
            let _ = (found.id(row), found.label(row), found.bbox(row), found.shape(row).mercator_coords());
            found.rows_of_key(&found.value(row, 0).to_value());
        }
        found.near([106.7, 10.77], 300.0, 5);
        found.at([106.7, 10.77]);
        found.rows_of_key_prefix("P").for_each(drop);
        found.select(&Query { bbox: Some(Bbox::new(106.7, 10.77, 106.8, 10.8)), ..Query::default() });
        found.apply(layer(key), 2, vec![(3, None), (7, Some(feature(7, key, &mut rng)))]).unwrap().merged();
    }
    assert!(refused > 500 && taken > 500, "{refused} refused, {taken} taken");
}
