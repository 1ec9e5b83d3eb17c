//! Reports on parcels of small cities whose areas are known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test support")]

mod checks;

use std::sync::Arc;

use chrono::NaiveDate;
use citymap_access::set_personal;
use citymap_crs::PolynomialGrid;
use citymap_engine::{Cancel, City, LayerSnapshot, SnapshotBuilder};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Meaning, Role, Title, Value, parse_date,
};
use citymap_planning::{ParcelReport, PlanLevel, Precedence, ReportOptions, Status, Theme, report_hash};
use geo_types::{Coord, LineString, Polygon};
use proptest::prelude::*;

/// South-west corner of the test parcel on the home grid, in m: easting and northing.
const ORIGIN: [f64; 2] = [603_000.0, 1_191_000.0];

fn lonlat([x, y]: [f64; 2]) -> Coord<f64> {
    let [lon, lat] = PolynomialGrid::from_home().point([ORIGIN[0] + x, ORIGIN[1] + y]).unwrap();
    Coord { x: lon, y: lat }
}

/// A rectangle by metres east and north of the origin.
fn rect(west: f64, south: f64, east: f64, north: f64) -> Geometry {
    polygon(&[[west, south], [east, south], [east, north], [west, north]])
}

fn polygon(corners: &[[f64; 2]]) -> Geometry {
    let mut ring: LineString<f64> = corners.iter().map(|at| lonlat(*at)).collect();
    ring.close();
    Polygon::new(ring, vec![]).into()
}

fn layer(id: &str, role: Role, geometry: GeometryKind, fields: Vec<Field>) -> Layer {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), role, geometry);
    layer.key = Some("key".into());
    layer.fields = fields;
    layer
}

fn snapshot(layer: Layer, rows: Vec<(Geometry, Vec<Value>)>) -> Arc<LayerSnapshot> {
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, (geometry, values)) in (1..).zip(rows) {
        builder.push(&Feature { fid, geometry: Some(geometry), values }).unwrap();
    }
    Arc::new(builder.finish(1))
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn day(value: &str) -> NaiveDate {
    parse_date(value).unwrap()
}

/// One parcel of 20 m by 30 m, whose owner is personal.
fn parcels() -> Arc<LayerSnapshot> {
    let mut fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("sheet", FieldType::Int).means(Meaning::Sheet),
        Field::new("paper", FieldType::Real).means(Meaning::Area),
        Field::new("commune", FieldType::Text).means(Meaning::CommuneCode),
        Field::new("owner", FieldType::Text).means(Meaning::Owner),
    ];
    set_personal(&mut fields[4], true);
    let values =
        vec![text("p1"), Value::Int(12), Value::Real(610.5), text("26743"), text("Nguyễn Văn Bí Mật")];
    let layer = layer("parcels", Role::Parcel, GeometryKind::Polygon, fields);
    snapshot(layer, vec![(rect(0.0, 0.0, 20.0, 30.0), values)])
}

/// A zone: key, level, function, day of the decision, shape.
type Zone<'a> = (&'a str, &'a str, &'a str, &'a str, Geometry);

fn zones(rows: Vec<Zone<'_>>) -> Arc<LayerSnapshot> {
    let mut fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("level", FieldType::Text).means(Meaning::PlanLevel),
        Field::new("function", FieldType::Text).coded("planning_function").means(Meaning::PlanFunction),
        Field::new("decided", FieldType::Date).means(Meaning::Instant),
        Field::new("coverage", FieldType::Real).unit("%"),
        Field::new("drafted_by", FieldType::Text),
    ];
    set_personal(&mut fields[5], true);
    let rows = rows.into_iter().map(|(key, level, function, decided, shape)| {
        let decided = Value::Date(day(decided));
        (
            shape,
            vec![text(key), text(level), text(function), decided, Value::Real(60.0), text("Trần Thị Kín")],
        )
    });
    snapshot(layer("zones", Role::Zone, GeometryKind::Polygon, fields), rows.collect())
}

/// A road along a line, with a right-of-way.
fn roads(rows: Vec<(&str, f64, Vec<[f64; 2]>)>) -> Arc<LayerSnapshot> {
    let fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("width", FieldType::Real).unit("m").means(Meaning::RightOfWay),
    ];
    let rows = rows.into_iter().map(|(key, width, line)| {
        let line: LineString<f64> = line.into_iter().map(lonlat).collect();
        (line.into(), vec![text(key), Value::Real(width)])
    });
    snapshot(layer("roads", Role::Road, GeometryKind::Line, fields), rows.collect())
}

fn city(layers: impl IntoIterator<Item = Arc<LayerSnapshot>>) -> City {
    let layers = layers.into_iter().map(|layer| (layer.layer().id.clone(), layer)).collect();
    City { revision: 7, layers, ..City::default() }
}

fn report(city: &City) -> ParcelReport {
    report_with(city, &ReportOptions::default())
}

fn report_with(city: &City, options: &ReportOptions) -> ParcelReport {
    let parcels = city.layer("parcels").unwrap();
    ParcelReport::make(city, (parcels, parcels.row_of_id("p1").unwrap()), options, &Cancel::new()).unwrap()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-3
}

/// The keys of the pieces with the area in which each prevails.
fn prevailing(report: &ParcelReport) -> Vec<(String, f64)> {
    let pieces = report.plans.pieces.iter();
    pieces.map(|piece| (piece.id.as_str().unwrap().to_owned(), piece.prevailing.area)).collect()
}

#[test]
fn a_finer_plan_prevails_and_the_rest_is_named() {
    let zones = zones(vec![
        ("general", "QHC", "O_HH", "2010-01-01", rect(-500.0, -500.0, 500.0, 25.0)),
        ("zoning", "QHPK", "CX", "2015-01-01", rect(-50.0, -50.0, 10.0, 50.0)),
        ("detailed", "QHCT", "Y_TE", "2012-01-01", rect(5.0, 0.0, 20.0, 10.0)),
    ]);
    let report = report(&city([parcels(), zones]));
    assert!(near(report.areas.grid, 600.0) && report.areas.certificate == Some(610.5));
    assert!(near(report.areas.difference.unwrap(), -10.5));
    // Zoning: 10 × 30 less 5 × 10 of the detailed plan; general: 10 × 15 north of the detailed plan.
    let expected = [("detailed", 150.0), ("zoning", 250.0), ("general", 150.0)];
    let found = prevailing(&report);
    assert_eq!(found.len(), expected.len());
    for ((key, area), (own, value)) in expected.iter().zip(&found) {
        assert!(key == own && near(*area, *value), "{found:?}");
    }
    assert!(near(report.plans.uncovered, 50.0) && near(report.plans.overlapping, 0.0));
    let [detailed, zoning, general] = &report.plans.pieces[..] else { unreachable!("three pieces") };
    assert!(near(general.area, 500.0) && near(zoning.area, 300.0));
    assert_eq!(detailed.prevailing.overruled_by, Vec::<usize>::new());
    assert_eq!(
        (zoning.prevailing.overruled_by.as_slice(), general.prevailing.overruled_by.as_slice()),
        (&[0][..], &[0, 1][..])
    );
    assert_eq!(general.level.as_ref().unwrap().title.as_ref().unwrap().vi, "Quy hoạch chung 1/10.000");
    assert_eq!(general.indicators.iter().map(|own| own.field.as_str()).collect::<Vec<_>>(), ["coverage"]);
}

#[test]
fn the_order_of_levels_can_be_set_and_the_later_decision_prevails_within_one() {
    let city = city([
        parcels(),
        zones(vec![
            ("old", "QHPK", "CX", "2009-05-01", rect(-5.0, -5.0, 12.0, 40.0)),
            ("new", "QHPK", "CX", "2019-05-01", rect(8.0, -5.0, 40.0, 40.0)),
            ("general", "QHC", "CX", "2020-01-01", rect(-5.0, -5.0, 40.0, 40.0)),
        ]),
    ]);
    let found = report(&city);
    assert!(near(found.plans.overlapping, 4.0 * 30.0), "{}", found.plans.overlapping);
    let areas: Vec<_> = prevailing(&found);
    assert!(areas[0].0 == "new" && near(areas[0].1, 360.0), "{areas:?}");
    assert!(areas[1].0 == "old" && near(areas[1].1, 240.0), "{areas:?}");
    assert!(near(areas[2].1, 0.0), "the general plan prevails nowhere: {areas:?}");
    let precedence = Precedence::new([PlanLevel::General, PlanLevel::Zoning]);
    let found = report_with(&city, &ReportOptions { precedence, ..ReportOptions::default() });
    assert!(prevailing(&found)[0].0 == "general" && near(prevailing(&found)[0].1, 600.0));
}

#[test]
fn a_sliver_is_named_and_not_hidden() {
    let sliver = rect(-10.0, 0.0, 0.01, 30.0);
    let report = report(&city([parcels(), zones(vec![("edge", "QHPK", "CX", "2019-05-01", sliver)])]));
    let [piece] = &report.plans.pieces[..] else { unreachable!("one piece") };
    assert!(piece.sliver && near(piece.area, 0.3) && report.plans.status == Status::Touched);
    assert!(near(report.plans.uncovered, 599.7));
}

#[test]
fn an_empty_answer_differs_from_missing_data() {
    let empty = report(&city([parcels()]));
    assert_eq!((empty.plans.status, empty.right_of_way.status), (Status::NoData, Status::NoData));
    let far = zones(vec![("far", "QHC", "CX", "2019-05-01", rect(900.0, 0.0, 950.0, 30.0))]);
    let road = roads(vec![("road", 12.0, vec![[-100.0, 60.0], [100.0, 60.0]])]);
    let found = report(&city([parcels(), far, road]));
    assert_eq!((found.plans.status, found.right_of_way.status), (Status::NotTouched, Status::NotTouched));
    assert!(near(found.plans.uncovered, 600.0) && near(found.right_of_way.remaining, 600.0));
}

#[test]
fn rights_of_way_cut_the_parcel_once_where_they_overlap() {
    // A road 3 m south of the parcel, 16 m wide, and one 2 m west of it, 8 m wide; they meet at a corner.
    let found = report(&city([
        parcels(),
        roads(vec![
            ("south", 16.0, vec![[-2.0, -3.0], [200.0, -3.0]]),
            ("west", 8.0, vec![[-2.0, 200.0], [-2.0, -3.0]]),
            ("unknown", 0.0, vec![[10.0, -100.0], [10.0, 100.0]]),
        ]),
    ]));
    let cut = &found.right_of_way;
    let roads: Vec<_> = cut.roads.iter().map(|road| (road.id.as_str().unwrap(), road.area)).collect();
    assert!(roads[0].0 == "south" && near(roads[0].1, 100.0), "{roads:?}");
    assert!(roads[1].0 == "west" && near(roads[1].1, 60.0), "{roads:?}");
    assert!(roads.len() == 2 && near(cut.cut, 150.0) && near(cut.remaining, 450.0), "{cut:?}");
}

#[test]
fn corners_are_those_of_the_papers() {
    let found = report(&city([parcels()]));
    let corners: Vec<_> = found.corners.iter().map(|own| (own.number, own.x, own.y, own.edge)).collect();
    let [x, y] = [ORIGIN[1], ORIGIN[0]];
    let expected =
        [(1, x + 30.0, y, 20.0), (2, x + 30.0, y + 20.0, 30.0), (3, x, y + 20.0, 20.0), (4, x, y, 30.0)];
    assert_eq!(corners, expected);
    let bounded = ReportOptions { corners_max: 3, ..ReportOptions::default() };
    let found = report_with(&city([parcels()]), &bounded);
    assert_eq!((found.corners.len(), found.corners_total), (3, 4));
}

#[test]
fn personal_fields_are_in_no_report() {
    let zones = zones(vec![("zone", "QHC", "CX", "2019-05-01", rect(-5.0, -5.0, 40.0, 40.0))]);
    let written = serde_json::to_string(&report(&city([parcels(), zones]))).unwrap();
    assert!(written.contains("Phường Bến Thành") && written.contains("coverage"));
    for secret in ["Bí Mật", "Kín", "owner", "drafted_by"] {
        assert!(!written.contains(secret), "{secret}");
    }
}

#[test]
fn a_cancelled_report_ends() {
    let zones = zones(vec![("zone", "QHC", "CX", "2019-05-01", rect(5.0, -5.0, 40.0, 40.0))]);
    let city = city([parcels(), zones]);
    let parcels = city.layer("parcels").unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let ended = ParcelReport::make(&city, (parcels, 0), &ReportOptions::default(), &cancel);
    assert!(ended.is_err());
}

/// A convex zone around a point near the parcel.
fn any_zone() -> impl Strategy<Value = (usize, Geometry)> {
    (0..4_usize, -10.0..30.0, -10.0..40.0, 1.0..40.0, 3..9_u32).prop_map(|(level, x, y, radius, corners)| {
        let corner = |step: u32| {
            let angle = f64::from(step) / f64::from(corners) * std::f64::consts::TAU + 0.1;
            [x + radius * angle.cos(), y + radius * angle.sin()]
        };
        let corners: Vec<[f64; 2]> = (0..corners).map(corner).collect();
        (level, polygon(&corners))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn pieces_and_the_rest_sum_to_the_parcel(drawn in prop::collection::vec(any_zone(), 0..7)) {
        let keys: Vec<String> = (0..drawn.len()).map(|position| format!("z{position}")).collect();
        let rows = drawn.iter().zip(&keys).map(|((level, shape), key)| {
            (key.as_str(), ["QHC", "QHPK", "QHCT", "khác"][*level], "CX", "2019-05-01", shape.clone())
        });
        let found = report(&city([parcels(), zones(rows.collect())]));
        let sum: f64 = found.plans.pieces.iter().map(|piece| piece.prevailing.area).sum();
        prop_assert!((sum + found.plans.uncovered - found.areas.grid).abs() < 5e-3, "{found:?}");
        for piece in &found.plans.pieces {
            prop_assert!(piece.prevailing.area <= piece.area + 1e-3, "{piece:?}");
            let lost = piece.area - piece.prevailing.area;
            let overruled = !piece.prevailing.overruled_by.is_empty();
            prop_assert!(overruled || lost < 5e-3, "{:?}", piece);
            prop_assert!(!overruled || lost > 1e-4, "{:?}", piece);
        }
    }
}

#[test]
fn a_hash_covers_what_a_report_says_and_not_how_it_explains_it() {
    let zoning =
        |grid: f64| zones(vec![("zoning", "QHPK", "CX", "2015-01-01", rect(-50.0, -50.0, grid, 50.0))]);
    let first = city([parcels(), zoning(10.0)]);
    let said = report(&first);
    assert_eq!(said.verification, report(&first).verification, "the same record gives the same hash");
    assert_eq!(said.verification.hash.len(), 64);
    let document = serde_json::to_value(&said).unwrap();
    assert_eq!(report_hash(&document), said.verification.hash, "a reader computes it from the document");
    let wider = report(&city([parcels(), zoning(10.01)]));
    assert_ne!(said.verification, wider.verification, "a border that moved by a centimetre");
    assert_ne!(said.verification, report(&City { revision: 8, ..first }).verification);
}

#[test]
fn changes_between_reports_are_named_by_zone_road_and_member() {
    let before = report(&city([
        parcels(),
        zones(vec![
            ("a", "QHPK", "CX", "2015-01-01", rect(-50.0, -50.0, 10.0, 50.0)),
            ("b", "QHPK", "CX", "2015-01-01", rect(10.0, -50.0, 50.0, 50.0)),
        ]),
        roads(vec![("r", 8.0, vec![[-50.0, -2.0], [50.0, -2.0]])]),
    ]));
    let after = report(&city([
        parcels(),
        zones(vec![
            ("a", "QHPK", "O_HH", "2015-01-01", rect(-50.0, -50.0, 10.0, 50.0)),
            ("c", "QHPK", "CX", "2015-01-01", rect(10.0, -50.0, 50.0, 50.0)),
        ]),
        roads(vec![("r", 12.0, vec![[-50.0, -2.0], [50.0, -2.0]])]),
    ]));
    assert_eq!(before.changes_until(&before), []);
    let found = before.changes_until(&after);
    let named: Vec<(Theme, &str, &str, bool, bool)> = found
        .iter()
        .map(|own| {
            let id = own.id.as_ref().and_then(|id| id.as_str()).unwrap_or_default();
            (own.theme, id, own.member, own.before.is_null(), own.after.is_null())
        })
        .collect();
    assert_eq!(
        named,
        [
            (Theme::Plans, "a", "function", false, false),
            (Theme::Plans, "b", "area", false, true),
            (Theme::Plans, "c", "area", true, false),
            (Theme::RightOfWay, "r", "width", false, false),
            (Theme::RightOfWay, "r", "area", false, false),
        ]
    );
}
