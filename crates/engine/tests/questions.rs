//! Compares every kind of question with a plain loop over all features.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_engine::{
    Area, Bbox, Comparison, EngineError, Filter, Grouping, LayerSnapshot, Measure, Query, ShareTotals,
    SnapshotBuilder, TimeInterval,
};
use citymap_model::{
    Feature, FeatureId, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, parse_date,
    parse_datetime,
};
use geo::{Contains, Distance, Geodesic, Intersects, Point, line_string, polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CENTER: [f64; 2] = [106.698, 10.7725];

/// Points, lines, triangles and rectangles around the centre; keys repeat, some are missing.
fn features(count: i64, seed: u64) -> Vec<Feature> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (1..=count)
        .map(|n| {
            let (x, y) =
                (CENTER[0] + rng.random_range(-0.01..0.01), CENTER[1] + rng.random_range(-0.01..0.01));
            let d = rng.random_range(0.0001..0.001);
            let geometry: Option<Geometry> = match n % 6 {
                0 => None,
                1 => Some(Point::new(x, y).into()),
                2 => Some(line_string![(x: x, y: y), (x: x + d, y: y + d), (x: x + d, y: y)].into()),
                3 => Some(polygon![(x: x, y: y), (x: x + d, y: y), (x: x, y: y + d)].into()),
                _ => Some(geo::Rect::new((x, y), (x + d, y + d / 2.0)).to_polygon().into()),
            };
            let key = if n % 10 == 0 { Value::Null } else { Value::Text(format!("P{:03}", n % 400)) };
            let since = parse_date(&format!("20{:02}-01-01", n % 30)).map_or(Value::Null, Value::Date);
            // Two fids in three are used, as after deletions.
            Feature { fid: n + n / 2, geometry, values: vec![key, Value::Int(n % 7), since] }
        })
        .collect()
}

fn snapshot(features: &[Feature]) -> LayerSnapshot {
    let mut layer =
        Layer::new("things".parse().unwrap(), Title::same("Things"), Role::Other, GeometryKind::Mixed);
    layer.fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("class", FieldType::Int),
        Field::new("since", FieldType::Date),
    ];
    layer.key = Some("key".into());
    layer.valid_from = Some("since".into());
    let mut builder = SnapshotBuilder::new(layer);
    features.iter().for_each(|feature| builder.push(feature).unwrap());
    builder.finish(1)
}

fn fids(snapshot: &LayerSnapshot, rows: &[u32]) -> Vec<i64> {
    rows.iter().map(|&row| snapshot.fid(row)).collect()
}

#[test]
fn select_equals_the_plain_loop() {
    let features = features(3000, 1);
    let snapshot = snapshot(&features);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut found = 0;
    for _ in 0..200 {
        let (x, y) =
            (CENTER[0] + rng.random_range(-0.011..0.011), CENTER[1] + rng.random_range(-0.011..0.011));
        let d = rng.random_range(0.0001..0.006);
        let bbox = Bbox::new(x, y, x + d, y + d);
        let wanted: Geometry = polygon![(x: x, y: y), (x: x + d, y: y), (x: x + d / 2.0, y: y + d)].into();
        let class = rng.random_range(0..8);
        let shapeless = rng.random_bool(0.5);
        let query = Query {
            bbox: Some(bbox),
            intersects: Some(wanted.clone()),
            shapeless,
            filters: vec![Filter::compare(1, Comparison::Ge, Value::Int(class))],
            ..Query::default()
        };
        let plain: Vec<i64> = features
            .iter()
            .filter(|feature| {
                let meets = match &feature.geometry {
                    None => shapeless,
                    Some(own) => own.intersects(&bbox.to_polygon()) && own.intersects(&wanted),
                };
                meets && matches!(feature.values[1], Value::Int(value) if value >= class)
            })
            .map(|feature| feature.fid)
            .collect();
        found += plain.len();
        assert_eq!(fids(&snapshot, &snapshot.select(&query).rows), plain);
    }
    assert!(found > 1000, "the boxes must meet something: {found}");
}

#[test]
fn pages_bring_every_row_once_and_end() {
    let features = features(1000, 3);
    let snapshot = snapshot(&features);
    let some = Some(Bbox::new(106.695, 10.77, 106.7, 10.775));
    for (bbox, shapeless) in [(None, false), (some, false), (some, true)] {
        let all = snapshot.select(&Query { bbox, shapeless, ..Query::default() }).rows;
        let (mut after, mut walked) = (None, Vec::new());
        loop {
            let page = snapshot.select(&Query { bbox, shapeless, after, limit: Some(7), ..Query::default() });
            assert!(page.rows.len() <= 7);
            walked.extend(page.rows);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(walked, all);
        assert!(!walked.is_empty());
    }
    // A page may continue from a fid that no longer exists.
    let gap = Query { after: Some(2), limit: Some(1), ..Query::default() };
    assert_eq!(fids(&snapshot, &snapshot.select(&gap).rows), [3]);
}

#[test]
fn near_equals_the_geodesic_order() {
    let features = features(2000, 4);
    let snapshot = snapshot(&features);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..100 {
        let point =
            Point::new(CENTER[0] + rng.random_range(-0.01..0.01), CENTER[1] + rng.random_range(-0.01..0.01));
        let hits = snapshot.near([point.x(), point.y()], 500.0, 10);
        assert_eq!(hits.len(), 10);
        assert!(hits.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
        // geo measures points geodesically: each must be where the order says.
        for feature in &features {
            let Some(Geometry::Point(other)) = feature.geometry else { continue };
            let distance = Geodesic.distance(point, other);
            match hits.iter().find(|hit| snapshot.fid(hit.row) == feature.fid) {
                Some(hit) => {
                    assert!((hit.distance - distance).abs() <= 1e-4 * distance, "{hit:?} {distance}");
                }
                None => assert!(distance >= hits[9].distance * (1.0 - 1e-4)),
            }
        }
    }
    assert!(snapshot.near([0.0, 0.0], 5000.0, 10).is_empty());
}

#[test]
fn at_finds_what_covers_the_point() {
    let features = features(3000, 6);
    let snapshot = snapshot(&features);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut found = 0;
    for _ in 0..500 {
        let point = [CENTER[0] + rng.random_range(-0.01..0.01), CENTER[1] + rng.random_range(-0.01..0.01)];
        let plain: Vec<i64> = features
            .iter()
            .filter(|feature| {
                feature
                    .geometry
                    .as_ref()
                    .is_some_and(|geometry| geometry.intersects(&Point::new(point[0], point[1])))
            })
            .map(|feature| feature.fid)
            .collect();
        found += plain.len();
        assert_eq!(fids(&snapshot, &snapshot.at(point)), plain);
    }
    assert!(found > 100);
}

#[test]
fn within_counts_cuts_and_measures() {
    let features = features(2000, 8);
    let snapshot = snapshot(&features);
    let drawn = polygon![
        (x: 106.69, y: 10.765), (x: 106.705, y: 10.768), (x: 106.70, y: 10.78), (x: 106.694, y: 10.772),
    ];
    let area = Area::new(drawn.clone().into()).unwrap();
    let share = snapshot.within(&area).unwrap();
    let touching: Vec<&Feature> = features
        .iter()
        .filter(|feature| feature.geometry.as_ref().is_some_and(|geometry| geometry.intersects(&drawn)))
        .collect();
    assert_eq!(fids(&snapshot, &share.rows), touching.iter().map(|feature| feature.fid).collect::<Vec<_>>());
    let whole = touching.iter().filter(|feature| drawn.contains(feature.geometry.as_ref().unwrap())).count();
    assert_eq!((share.totals.count, share.totals.whole), (touching.len(), whole));
    assert!(whole > 0 && whole < touching.len());
    // The parts inside and outside add up to the whole.
    let outside =
        geo::BooleanOps::difference(&geo::Rect::new((106.0, 10.0), (107.0, 11.0)).to_polygon(), &drawn);
    let rest = snapshot.within(&Area::new(outside.into()).unwrap()).unwrap();
    let total = |measure: fn(&Geometry) -> Result<Measure, citymap_crs::CrsError>| -> f64 {
        features
            .iter()
            .filter_map(|feature| feature.geometry.as_ref())
            .map(|geometry| measure(geometry).unwrap().value)
            .sum()
    };
    let (inside, outside) = (share.totals, rest.totals);
    for (inside, outside, total) in [
        (inside.area.unwrap(), outside.area.unwrap(), total(Measure::area)),
        (inside.length.unwrap(), outside.length.unwrap(), total(Measure::length)),
    ] {
        let sum = inside + outside;
        assert!((sum - total).abs() < 1e-6 * total, "{sum} ≠ {total}");
    }
    // Together the single features have what all of them have, cut and in full.
    let shares = snapshot.during(None).shares(&area, &share.rows).unwrap();
    let sum = |part: fn(&ShareTotals) -> Option<f64>| shares.iter().filter_map(part).sum::<f64>();
    assert!((sum(|own| own.area) - inside.area.unwrap()).abs() < 1e-6);
    let full: f64 =
        touching.iter().map(|own| Measure::area(own.geometry.as_ref().unwrap()).unwrap().value).sum();
    assert!((inside.full_area.unwrap() - full).abs() < 1e-6 * full);
    assert!((sum(|own| own.full_length) - inside.full_length.unwrap()).abs() < 1e-6);
    assert_eq!(shares.iter().map(|own| own.whole).sum::<usize>(), whole);
}

#[test]
fn groups_have_the_sums_of_the_features_with_their_values() {
    let features = features(2000, 11);
    let snapshot = snapshot(&features);
    let drawn = polygon![(x: 106.69, y: 10.765), (x: 106.705, y: 10.768), (x: 106.70, y: 10.78)];
    let area = Area::new(drawn.clone().into()).unwrap();
    let by =
        |fields, max, filters| snapshot.during(None).within_by(&area, &Grouping { fields, max, filters });
    let share = by(&[0, 1], 2000, &[]).unwrap();
    // A plain computation: features that meet the area, by the values of both fields.
    let mut plain: std::collections::BTreeMap<String, (usize, usize, f64)> =
        std::collections::BTreeMap::new();
    for feature in &features {
        let Some(geometry) = feature.geometry.as_ref().filter(|geometry| geometry.intersects(&drawn)) else {
            continue;
        };
        let entry = plain.entry(format!("{:?}", [&feature.values[0], &feature.values[1]])).or_default();
        entry.0 += 1;
        entry.1 += usize::from(drawn.contains(geometry));
        entry.2 += Measure::area(geometry).unwrap().value;
    }
    assert!(plain.len() > 20 && plain.len() == share.groups.len(), "{}", plain.len());
    for group in &share.groups {
        let (count, whole, full) = plain[&format!("{:?}", [&group.values[0], &group.values[1]])];
        assert_eq!((group.totals.count, group.totals.whole), (count, whole), "{:?}", group.values);
        assert!((group.totals.full_area.unwrap_or(0.0) - full).abs() < 1e-6 * full.max(1.0));
    }
    let sum: f64 = share.groups.iter().filter_map(|group| group.totals.area).sum();
    assert!((sum - share.totals.area.unwrap()).abs() < 1e-6 * sum);
    assert!(share.groups.is_sorted_by_key(|group| !group.values[0].is_null()), "null comes first");

    assert!(matches!(by(&[0, 1], 20, &[]), Err(EngineError::TooManyGroups { max: 20 })));
    // A filter leaves the rows of one group.
    let group = share.groups.iter().find(|group| group.totals.count > 1).unwrap();
    let filters: Vec<Filter> = [0, 1]
        .into_iter()
        .zip(&group.values)
        .map(|(field, value)| Filter::compare(field, Comparison::Eq, value.clone()))
        .collect();
    let only = by(&[], 0, &filters).unwrap();
    assert_eq!((only.totals, only.groups.len()), (group.totals, 0));
}

#[test]
fn neighbours_of_a_feature_only_touch_its_area() {
    // Two long strips with a common border that runs aslant, and one that overlaps both.
    let strip = |fid, from: f64, to: f64| Feature {
        fid,
        geometry: Some(
            polygon![
                (x: 106.70 + from, y: 10.77), (x: 106.70 + to, y: 10.77),
                (x: 106.703 + to, y: 10.79), (x: 106.703 + from, y: 10.79),
            ]
            .into(),
        ),
        values: vec![Value::Null; 3],
    };
    let snapshot = snapshot(&[strip(1, 0.0, 0.001), strip(2, 0.001, 0.002), strip(3, 0.0005, 0.0015)]);
    let area = Area::of_feature(snapshot.geometry(0).unwrap()).unwrap();
    let share = snapshot.within(&area).unwrap();
    assert_eq!((share.totals.count, share.totals.whole, share.totals.contacts), (3, 1, 1));
    let shares = snapshot.during(None).shares(&area, &share.rows).unwrap();
    let own = shares[0].area.unwrap();
    assert!((own / area.measure().unwrap().value - 1.0).abs() < 1e-9, "{own} {:?}", area.measure());
    assert!(shares[1].contacts == 1 && shares[1].area.unwrap() <= 1e-6, "{:?}", shares[1]);
    assert!((shares[2].area.unwrap() / own - 0.5).abs() < 1e-3);
}

#[test]
fn ids_are_unique_and_lead_back() {
    let features = features(2000, 9);
    let snapshot = snapshot(&features);
    let mut seen = std::collections::HashSet::new();
    for row in 0..snapshot.len() as u32 {
        let id = snapshot.id(row);
        assert!(seen.insert(id.to_string()), "{id} twice");
        assert_eq!(snapshot.row_of_id(&id.to_string()), Some(row), "{id}");
        assert_eq!(snapshot.id_is_key(row), matches!(id, FeatureId::Key(_)), "{id}");
    }
    // Fid 1 is the first with its key, 401 has the same key again, and 10 has no key.
    assert_eq!(snapshot.id(0), FeatureId::Key("P001".into()));
    assert_eq!(snapshot.id(400).to_string(), "P001~601");
    assert_eq!(snapshot.id(9).to_string(), "~15");
    assert_eq!(snapshot.row_of_id("P001~1"), None, "the first has no second name");
    assert_eq!(snapshot.row_of_id("nothing"), None);
    assert_eq!(snapshot.rows_of_key(&Value::Text("P001".into())).len(), 5);
    assert_eq!(snapshot.rows_of_key_prefix("P00").count(), 45);
}

#[test]
fn equality_time_and_key_filters() {
    let features = features(600, 10);
    let snapshot = snapshot(&features);
    let key = Query {
        filters: vec![Filter::compare(0, Comparison::Eq, Value::Text("P005".into()))],
        ..Query::default()
    };
    assert_eq!(fids(&snapshot, &snapshot.select(&key).rows), [7, 607]);
    let instant = parse_datetime("2010-06-01T00:00:00Z");
    let time = Query { time: Some(TimeInterval { start: instant, end: instant }), ..Query::default() };
    let plain = features.iter().filter(|feature| {
        matches!(feature.values[2], Value::Date(since) if since <= parse_date("2010-06-01").unwrap())
    });
    assert_eq!(snapshot.select(&time).rows.len(), plain.count());
    let nothing =
        Query { filters: vec![Filter::compare(0, Comparison::Eq, Value::Null)], ..Query::default() };
    assert_eq!(snapshot.select(&nothing).rows.len(), 60);
}

#[test]
fn a_box_across_the_antimeridian_finds_both_sides() {
    let feature = |fid, x: f64| Feature {
        fid,
        geometry: Some(Point::new(x, 0.0).into()),
        values: vec![Value::Null, Value::Null, Value::Null],
    };
    let snapshot = snapshot(&[feature(1, 179.5), feature(2, -179.5), feature(3, 0.0)]);
    let query = Query { bbox: Some(Bbox::new(179.0, -1.0, -179.0, 1.0)), ..Query::default() };
    assert_eq!(fids(&snapshot, &snapshot.select(&query).rows), [1, 2]);
}

#[test]
fn an_area_that_crosses_itself_is_refused() {
    let bow_tie = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 1.0), (x: 1.0, y: 0.0), (x: 0.0, y: 1.0)];
    assert!(Area::new(bow_tie.into()).is_err());
    assert!(Area::new(Point::new(0.0, 0.0).into()).is_err());
}
