//! Properties of every coordinate, not only of known ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_crs::{Crs, CrsError, Transform, vn2000::ZONES};
use geo::{Geometry, MapCoords};
use proptest::prelude::*;

fn there_and_back(lonlat: [f64; 2], over: Crs) -> f64 {
    let there = Transform::new(Crs::WGS84, over).unwrap().point(lonlat).unwrap();
    let back = Transform::new(over, Crs::WGS84).unwrap().point(there).unwrap();
    (back[0] - lonlat[0]).abs().max((back[1] - lonlat[1]).abs())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn there_and_back_is_within_1e_9_degrees_over_the_city(lon in 106.0..107.7_f64, lat in 8.5..11.6_f64) {
        for crs in ZONES.iter().map(|zone| zone.crs).chain([Crs::VN2000, Crs::WEB_MERCATOR]) {
            let error = there_and_back([lon, lat], crs);
            prop_assert!(error <= 1e-9, "{crs}: {error}");
        }
    }

    #[test]
    fn there_and_back_is_within_1e_9_degrees_over_every_zone(
        zone in 0..ZONES.len(), east in -3.0..3.0_f64, lat in 7.0..24.0_f64,
    ) {
        let zone = ZONES[zone];
        let error = there_and_back([zone.central_meridian + east, lat], zone.crs);
        prop_assert!(error <= 1e-9, "{}: {error}", zone.name);
    }

    #[test]
    fn no_number_panics_and_what_comes_out_is_finite(x: f64, y: f64, zone in 0..ZONES.len(), back: bool) {
        let crs = ZONES[zone].crs;
        let (from, to) = if back { (crs, Crs::WGS84) } else { (Crs::WGS84, crs) };
        match Transform::new(from, to).unwrap().point([x, y]) {
            Ok([a, b]) => prop_assert!(a.is_finite() && b.is_finite()),
            Err(error) => prop_assert!(matches!(error, CrsError::OutOfRange { .. }), "{error}"),
        }
    }

    #[test]
    fn a_batch_gives_what_each_pair_gives(
        points in prop::collection::vec((106.0..107.7_f64, 8.5..11.6_f64), 0..1_500),
    ) {
        let transform = Transform::new(Crs::WGS84, Crs::home()).unwrap();
        let mut batch: Vec<[f64; 2]> = points.iter().map(|&(x, y)| [x, y]).collect();
        transform.apply(&mut batch).unwrap();
        for (&(x, y), &moved) in points.iter().zip(&batch) {
            prop_assert_eq!(transform.point([x, y]).unwrap(), moved);
        }
    }
}

#[test]
fn out_of_range_is_said_with_the_pair_as_given() {
    let transform = Transform::new(Crs::WGS84, Crs::home()).unwrap();
    for bad in [[106.7, 90.5], [181.0, 10.0], [f64::NAN, 10.0], [106.7, f64::INFINITY], [10.77, 106.7]] {
        let mut pairs = vec![[106.7, 10.8]; 700];
        pairs[600] = bad;
        match transform.apply(&mut pairs) {
            Err(CrsError::OutOfRange { x, y, crs }) => {
                assert_eq!((x.to_bits(), y.to_bits(), crs), (bad[0].to_bits(), bad[1].to_bits(), Crs::WGS84));
            }
            other => panic!("{bad:?}: {other:?}"),
        }
    }
    let back = Transform::new(Crs::home(), Crs::WGS84).unwrap();
    assert!(matches!(back.point([1e12, 1e12]), Err(CrsError::OutOfRange { .. })));
    // A transformation to the same system checks its input too.
    let same = Transform::new(Crs::WGS84, Crs::WGS84).unwrap();
    assert!(same.point([0.0, 91.0]).is_err());
}

#[test]
fn every_kind_of_geometry_is_carried_whole() {
    use geo::{
        Coord, GeometryCollection, Line, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
        Polygon, Rect, Triangle,
    };
    let c = |x: f64, y: f64| Coord { x: 106.6 + x, y: 10.7 + y };
    let ring =
        |at: f64| LineString::new(vec![c(at, at), c(at + 0.01, at), c(at + 0.01, at + 0.01), c(at, at)]);
    let polygon = Polygon::new(ring(0.0), vec![ring(0.001)]);
    let all = [
        Geometry::Point(Point(c(0.0, 0.0))),
        Geometry::MultiPoint(MultiPoint::new(vec![Point(c(0.1, 0.0)), Point(c(0.0, 0.1))])),
        Geometry::Line(Line::new(c(0.0, 0.0), c(0.1, 0.2))),
        Geometry::LineString(ring(0.2)),
        Geometry::MultiLineString(MultiLineString::new(vec![ring(0.0), ring(0.1)])),
        Geometry::Polygon(polygon.clone()),
        Geometry::MultiPolygon(MultiPolygon::new(vec![polygon.clone(), Polygon::new(ring(0.3), vec![])])),
        Geometry::Triangle(Triangle::new(c(0.0, 0.0), c(0.1, 0.0), c(0.0, 0.1))),
        Geometry::Rect(Rect::new(c(0.0, 0.0), c(0.1, 0.2))),
        Geometry::Polygon(Polygon::new(LineString::new(vec![]), vec![])),
    ];
    let collection = Geometry::GeometryCollection(GeometryCollection::new_from(all.to_vec()));
    let transform = Transform::new(Crs::WGS84, Crs::home()).unwrap();
    for geometry in all.into_iter().chain([collection]) {
        let point_by_point = |coord: Coord| {
            let [x, y] = transform.point([coord.x, coord.y]).unwrap();
            Coord { x, y }
        };
        let as_polygons = match &geometry {
            Geometry::Rect(rect) => Geometry::Polygon(rect.to_polygon()),
            Geometry::GeometryCollection(parts) => Geometry::GeometryCollection(
                parts
                    .iter()
                    .map(|part| {
                        if let Geometry::Rect(rect) = part { rect.to_polygon().into() } else { part.clone() }
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        let expected = as_polygons.map_coords(point_by_point);
        let mut moved = geometry;
        transform.geometry(&mut moved).unwrap();
        assert_eq!(moved, expected);
    }
}

#[test]
fn threads_come_and_go_without_disturbing_each_other() {
    // PROJ cleans up global state whenever an object is dropped; a fault in that would show here.
    let expected = Transform::new(Crs::WGS84, Crs::home()).unwrap().point([106.698, 10.7725]).unwrap();
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for turn in 0..8 {
                scope.spawn(move || {
                    for code in [9210, 27700 + turn % 2, 2249, 3148] {
                        if let Ok(crs) = Crs::new(code) {
                            Transform::new(crs, Crs::WGS84).unwrap();
                        }
                    }
                    let got =
                        Transform::new(Crs::WGS84, Crs::home()).unwrap().point([106.698, 10.7725]).unwrap();
                    assert_eq!(got, expected);
                });
            }
        });
    }
}
