//! Valid and invalid geometry on its way into the record, with GEOS as the oracle.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, fmt::Write};

use crate::common::city;
use citymap_geometry::{check_validity, wkb};
use citymap_ingest::{ImportError, IssueKind, Report};
use citymap_model::{Geometry, Value};
use gdal::vector::Geometry as Ogr;

/// Numbers below `below` that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % below
    }

    /// The rings of a polygon of up to 12 corners on a grid of `size` metres, as WKT.
    fn polygon(&mut self, size: u32) -> String {
        let holes = if self.below(3) == 0 { 1 + self.below(2) } else { 0 };
        let rings: Vec<String> = (0..=holes)
            .map(|hole| {
                let corners = 3 + self.below(if hole == 0 { 10 } else { 3 });
                let mut ring: Vec<[u32; 2]> = (0..corners).map(|_| self.corner(size)).collect();
                // Many of the holes lie inside of a square.
                if hole == 0 && holes > 0 && self.below(2) == 0 {
                    ring = vec![[0, 0], [size, 0], [size, size], [0, size]];
                }
                // In the order of their directions, corners often make a valid ring.
                if self.below(2) == 0 {
                    let angle = |[x, y]: [u32; 2]| {
                        (2.0 * f64::from(y) - f64::from(size)).atan2(2.0 * f64::from(x) - f64::from(size))
                    };
                    ring.sort_by(|a, b| angle(*a).total_cmp(&angle(*b)));
                }
                let mut ring: Vec<String> = ring.into_iter().map(|[x, y]| at(x, y)).collect();
                ring.push(ring[0].clone());
                format!("({})", ring.join(","))
            })
            .collect();
        format!("({})", rings.join(","))
    }

    fn corner(&mut self, size: u32) -> [u32; 2] {
        [self.below(size + 1), self.below(size + 1)]
    }
}

fn at(x: u32, y: u32) -> String {
    format!("{} {}", 603_000 + x, 1_191_000 + y)
}

fn ogr(geometry: &Geometry) -> Ogr {
    Ogr::from_wkb(&wkb::to_wkb(geometry)).unwrap()
}

/// What became of each feature of the first layer, by its number.
fn verdicts(report: &Report) -> BTreeMap<u64, IssueKind> {
    let issues = report.layers[0].issues.iter();
    issues
        .filter(|issue| issue.kind != IssueKind::Warning)
        .filter_map(|issue| issue.feature.map(|feature| (feature, issue.kind)))
        .collect()
}

/// No polygon that GEOS calls invalid is accepted as it is, and none that it calls valid is rejected.
#[test]
fn random_small_polygons_are_judged_as_geos_does() {
    let mut random = Random(26);
    let shapes: Vec<String> = (0..6_000)
        .map(|_| {
            let size = 3 + random.below(6);
            if random.below(4) == 0 {
                format!("MULTIPOLYGON({},{})", random.polygon(size), random.polygon(size))
            } else {
                format!("POLYGON{}", random.polygon(size))
            }
        })
        .collect();
    let mut table = "ma,wkt\n".to_owned();
    for (number, shape) in shapes.iter().enumerate() {
        writeln!(table, "{},\"{shape}\"", number + 1).unwrap();
    }
    let city = city();
    let path = city.write("polygons.csv", table);
    let report = city
        .import(&path, |request| {
            request.crs = Some("EPSG:9210".parse().unwrap());
            request.key = Some("ma".into());
        })
        .unwrap();
    assert_eq!(report.read, 6_000);
    let verdicts = verdicts(&report);
    let (mut valid, mut repaired) = (0, 0);
    for (number, shape) in (1..).zip(&shapes) {
        let given = Ogr::from_wkt(shape).unwrap();
        let by_geos = given.is_valid();
        // Edits are judged without GEOS, and alike.
        let geometry = wkb::read_source(&given.wkb().unwrap()).unwrap().geometry;
        let by_edits = check_validity(&geometry);
        assert_eq!(by_edits.is_ok(), by_geos, "{by_edits:?}: {shape}");
        valid += u32::from(by_geos);
        match verdicts.get(&number) {
            None => assert!(by_geos, "accepted as it is: {shape}"),
            Some(IssueKind::Reject) => assert!(!by_geos, "rejected: {shape}"),
            Some(_) => repaired += 1,
        }
    }
    assert!(valid > 1_000 && repaired > 50 && report.rejected > 1_000, "{valid} valid, {repaired} repaired");
    assert_eq!(report.layers[0].repaired, repaired);
    for feature in city.features("test") {
        let stored = feature.geometry.unwrap();
        assert!(ogr(&stored).is_valid(), "stored invalid: {:?} {stored:?}", feature.values);
    }
}

/// A hole that touches the side of its polygon is on the other side of it after the move to degrees.
#[test]
fn geometry_is_looked_at_again_after_its_move_to_degrees() {
    let city = city();
    let square = "603000 1191000,603010 1191000,603010 1191010,603000 1191010,603000 1191000";
    let mut table = "ma,wkt\n".to_owned();
    for (number, west) in (0..20).enumerate() {
        let hole = format!("603000 119100{},60300{} 1191002,603005 1191008", west % 9 + 1, west % 3 + 5);
        let first = hole.split(',').next().unwrap();
        writeln!(table, "{number},\"POLYGON(({square}),({hole},{first}))\"").unwrap();
    }
    let path = city.write("touch.csv", table);
    let report = city.import(&path, |request| request.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    assert_eq!((report.accepted, report.rejected), (20, 0), "{:?}", report.layers[0].issues);
    assert!(report.layers[0].issues.iter().any(|issue| {
        issue.kind == IssueKind::Repair
            && issue.reason.starts_with("in longitude and latitude: ")
            && issue.lonlat.is_some()
    }));
    assert!(city.features("test").iter().all(|feature| ogr(feature.geometry.as_ref().unwrap()).is_valid()));
}

/// Shapes in degrees with a hole that reaches a hair over a long edge: a repair moves a corner onto the
/// edge, which changes the area of the geodesic polygon by thousands of square metres and that of the shape
/// by none.
#[test]
fn repairs_on_long_edges_are_judged_where_the_edges_are_straight() {
    let city = city();
    let mut lines = String::new();
    for width in [0.001, 0.005, 0.01, 0.02, 0.1, 0.5] {
        let at = |x: f64, y: f64| format!("[{},{}]", 106.7 + x * width, 10.7 + y * width);
        let over = format!("[{},{}]", 106.7 + 0.5 * width, 10.7 + width + 1e-12);
        let square = [at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0), at(0.0, 1.0), at(0.0, 0.0)].join(",");
        let hole = [at(0.4, 0.5), over, at(0.6, 0.5), at(0.4, 0.5)].join(",");
        writeln!(
            lines,
            "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Polygon\",\
             \"coordinates\":[[{square}],[{hole}]]}}}}"
        )
        .unwrap();
    }
    let path = city.write("long.geojsonl", lines);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.layers[0].repaired), (6, 6), "{:?}", report.layers[0].issues);
    for issue in &report.layers[0].issues {
        assert!((issue.area_before.unwrap() - issue.area_after.unwrap()).abs() < 0.01, "{issue:?}");
    }
}

/// The same in a projected system, where the edges of the source are straight too.
#[test]
fn repairs_in_a_projected_system_are_judged_on_its_plane() {
    let city = city();
    let shape = "POLYGON((590000 1190000,620000 1190000,620000 1210000,590000 1210000,590000 1190000),\
                 (600000 1200000,605000 1210000.0000001,610000 1200000,600000 1200000))";
    let path = city.write("wide.csv", format!("ma,wkt\n1,\"{shape}\"\n"));
    let report = city.import(&path, |request| request.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    let issue = &report.layers[0].issues[0];
    assert_eq!((report.accepted, issue.kind), (1, IssueKind::Repair));
    // Within 0.1 % of the area on the plane, which is 600 km² less 50 km².
    assert!((issue.area_before.unwrap() / 550e6 - 1.0).abs() < 1e-3, "{issue:?}");
}

/// The bound of a repair is an option, and the message names it.
#[test]
fn a_polygon_that_crosses_itself_often_is_rejected_by_a_bound() {
    let city = city();
    let mut random = Random(7);
    let mut corners: Vec<String> = (0..60).map(|_| random.corner(1_000)).map(|[x, y]| at(x, y)).collect();
    corners.push(corners[0].clone());
    let path = city.write("tangle.csv", format!("ma,wkt\n1,\"POLYGON(({}))\"\n", corners.join(",")));
    let refused = city.import(&path, |request| {
        request.crs = Some("EPSG:9210".parse().unwrap());
        request.repair.crossings = 10;
    });
    let Err(ImportError::NothingAccepted { first, .. }) = refused else { panic!("{refused:?}") };
    assert!(first.contains("more than 10 times") && first.contains("--max-repair-crossings"), "{first}");
}

#[test]
fn a_hole_without_positions_is_dropped_with_a_note() {
    let city = city();
    let square = "[[106.7,10.7],[106.8,10.7],[106.8,10.8],[106.7,10.7]]";
    let lines = format!(
        "{{\"type\":\"Feature\",\"properties\":{{\"a\":1}},\"geometry\":{{\"type\":\"Polygon\",\
         \"coordinates\":[{square},[]]}}}}\n"
    );
    let report = city.import(city.write("hole.geojsonl", lines), |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 0));
    assert!(report.layers[0].issues.iter().any(|issue| issue.reason.contains("hole without positions")));
    let table = "a,wkt\n1,\"POLYGON((106.7 10.7,106.8 10.7,106.8 10.8,106.7 10.7),EMPTY)\"\n";
    let report = city.import(city.write("h.csv", table), |r| r.crs = Some("EPSG:4326".parse().unwrap()));
    assert_eq!(report.unwrap().accepted, 1);
    let Some(Geometry::Polygon(polygon)) = &city.features("test")[0].geometry else { panic!("no polygon") };
    assert!(polygon.interiors().is_empty());
}

#[test]
fn arcs_in_the_wkt_of_a_table_are_counted() {
    let city = city();
    let table = "ma,wkt\nA,\"CURVEPOLYGON(CIRCULARSTRING(603040 1191000,603045 1191005,603050 1191000,\
                 603045 1190995,603040 1191000))\"\nB,\"POLYGON((603000 1191000,603010 1191000,603010 \
                 1191010,603000 1191000))\"\n";
    let report = city.import(city.write("arc.csv", table), |r| r.crs = Some("EPSG:9210".parse().unwrap()));
    assert_eq!(report.unwrap().layers[0].curves_linearised, 1);
    assert_eq!(city.features("test")[0].values[0], Value::Text("A".into()));
}
