//! OpenStreetMap files: every relation that stands for an area is accepted or rejected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::city;
use citymap_ingest::{LayerReport, Report};
use geo::Area;
use geo_types::Geometry;

/// The number of a way, the nodes that it runs through, and its tags.
type Way<'a> = (i64, &'a [(i64, i64)], &'a str);

/// A file of nodes at whole numbers of thousandths of a degree, with ways and relations.
fn osm(first: i64, ways: &[Way<'_>], relations: &str) -> String {
    let mut text = String::from("<?xml version='1.0' encoding='UTF-8'?>\n<osm version='0.6'>\n");
    let mut seen = Vec::new();
    for at in ways.iter().flat_map(|(_, nodes, _)| nodes.iter()) {
        if !seen.contains(at) {
            seen.push(*at);
        }
    }
    let step = if first < 0 { -1 } else { 1 };
    let node = |at: &(i64, i64)| {
        first + step * i64::try_from(seen.iter().position(|own| own == at).unwrap()).unwrap()
    };
    for at in &seen {
        let (lon, lat) = (106.7 + at.0 as f64 / 1e3, 10.7 + at.1 as f64 / 1e3);
        text.push_str(&format!("<node id='{}' version='1' lat='{lat}' lon='{lon}'/>\n", node(at)));
    }
    for (id, nodes, tags) in ways {
        let refs: String = nodes.iter().map(|at| format!("<nd ref='{}'/>", node(at))).collect();
        text.push_str(&format!("<way id='{id}' version='1'>{refs}{tags}</way>\n"));
    }
    text.push_str(relations);
    text.push_str("</osm>\n");
    text
}

const SHELL: [(i64, i64); 5] = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)];
const BUILDING: &str = "<tag k='building' v='yes'/>";

fn relation(id: i64, ways: &[i64], tags: &str) -> String {
    let members: String =
        ways.iter().map(|way| format!("<member type='way' ref='{way}' role='outer'/>")).collect();
    format!("<relation id='{id}' version='1'>{members}<tag k='type' v='multipolygon'/>{tags}</relation>\n")
}

fn layer<'a>(report: &'a Report, id: &str) -> &'a LayerReport {
    report.layers.iter().find(|layer| layer.id.as_str() == id).unwrap()
}

#[test]
fn a_relation_that_is_cut_off_is_a_reject_with_its_name() {
    let city = city();
    let relations = relation(100, &[10, 11], "<tag k='natural' v='water'/><tag k='name' v='Sông Sài Gòn'/>")
        + &relation(101, &[10], "<tag k='note' v='x'/><tag k='name' v='Vùng'/>");
    let text = osm(1, &[(10, &SHELL[..3], ""), (20, &SHELL, BUILDING)], &relations);
    let report = city.import(city.write("a.osm", text), |r| r.layer = None).unwrap();
    let water = layer(&report, "water");
    assert_eq!((water.read, water.rejected, report.read, report.accepted), (1, 1, 2, 1));
    let issue = &water.issues[0];
    assert_eq!(issue.key.as_deref(), Some("r100"));
    assert!(issue.reason.contains("Sông Sài Gòn") && issue.reason.contains("way 11"), "{}", issue.reason);
    // What no theme takes is in a note.
    assert!(
        report.files[0].notes.iter().any(|note| note.contains("101 (Vùng)")),
        "{:?}",
        report.files[0].notes
    );
}

#[test]
fn an_open_relation_says_where_it_is_open() {
    let city = city();
    let relations = relation(100, &[10], "<tag k='landuse' v='forest'/>");
    let text = osm(1, &[(10, &SHELL[..4], ""), (20, &SHELL, BUILDING)], &relations);
    let report = city.import(city.write("a.osm", text), |r| r.layer = None).unwrap();
    let issue = &layer(&report, "land_use").issues[0];
    assert!(issue.reason.contains("do not close") && issue.reason.contains("106.7"), "{}", issue.reason);
}

#[test]
fn relations_whose_rings_touch_are_made_valid_areas() {
    let hole = [(0, 0), (5, 4), (10, 10), (4, 5), (0, 0)];
    let neighbour = [(10, 0), (20, 0), (20, 10), (10, 10), (10, 0)];
    let side = [(0, 0), (10, 0), (5, 5), (0, 0)];
    for (inner, expected) in [(&hole[..], 90.0), (&neighbour, 200.0), (&side, 75.0)] {
        let city = city();
        let relations = relation(100, &[10, 11], "<tag k='landuse' v='forest'/>");
        let text = osm(1, &[(10, &SHELL, ""), (11, inner, "")], &relations);
        let report = city.import(city.write("a.osm", text), |_| {}).unwrap();
        assert_eq!((report.read, report.accepted), (1, 1), "{:?}", report.layers[0].issues);
        let Some(Geometry::MultiPolygon(area)) = city.features("test")[0].geometry.clone() else {
            panic!("no area")
        };
        assert!((area.unsigned_area() * 1e6 - expected).abs() < 1e-6, "{}", area.unsigned_area() * 1e6);
    }
}

#[test]
fn files_of_editors_with_negative_and_unsorted_numbers_are_read() {
    let city = city();
    let lake = [(20, 0), (30, 0), (30, 10), (20, 0)];
    let relations = relation(-5, &[-201], "<tag k='natural' v='water'/>");
    let text = osm(-101, &[(-201, &lake, ""), (-7, &SHELL, BUILDING)], &relations);
    let report = city.import(city.write("a.osm", text), |r| r.layer = None).unwrap();
    assert_eq!((layer(&report, "buildings").accepted, layer(&report, "water").accepted), (1, 1));
}

/// Before 2014 the ways said what an area is, and the relation said nothing.
#[test]
fn areas_whose_outer_ways_have_the_tags_are_read_once() {
    const WATER: &str = "<tag k='natural' v='water'/><tag k='name' v='Hồ'/>";
    let hole = [(2, 2), (4, 2), (4, 4), (2, 2)];
    let halves: [Way<'_>; 2] = [(10, &SHELL[..3], WATER), (11, &SHELL[2..], "<tag k='natural' v='water'/>")];
    let whole: [Way<'_>; 2] = [(10, &SHELL, WATER), (12, &hole, "")];
    for own in ["", "<tag k='source' v='survey'/>", "<tag k='name' v='Hồ'/>"] {
        for (ways, area) in [(&halves[..], 100.0), (&whole, 98.0)] {
            let city = city();
            let ids: Vec<i64> = ways.iter().map(|(id, ..)| *id).collect();
            let relations =
                relation(100, &ids, own).replace("ref='12' role='outer'", "ref='12' role='inner'");
            let report =
                city.import(city.write("a.osm", osm(1, ways, &relations)), |r| r.layer = None).unwrap();
            let found: Vec<(&str, u64)> =
                report.layers.iter().map(|layer| (layer.source.as_str(), layer.accepted)).collect();
            assert_eq!(found, [("water", 1)], "{own} {area}");
            let one = &city.features(report.layers[0].id.as_str())[0];
            let text = |text: &str| citymap_model::Value::Text(text.into());
            assert_eq!(one.values[..2], [text("r100"), text("Hồ")]);
            let Some(Geometry::MultiPolygon(shape)) = one.geometry.clone() else { panic!("no area") };
            assert!((shape.unsigned_area() * 1e6 - area).abs() < 1e-6);
            let notes = report.files[0].notes.join("\n");
            assert!(!notes.contains("match no theme"), "{notes}");
        }
    }
}

#[test]
fn roads_around_an_area_stay_roads_and_areas_that_do_not_close_are_named() {
    let road = "<tag k='highway' v='service'/><tag k='landuse' v='grass'/><tag k='name' v='Vườn'/>";
    let city = city();
    let relations = relation(100, &[10, 11], "") + &relation(101, &[20], "<tag k='note' v='x'/>");
    let open = [(20, 0), (30, 0), (30, 10)];
    let ways: [Way<'_>; 3] =
        [(10, &SHELL[..3], road), (11, &SHELL[2..], road), (20, &open, "<tag k='natural' v='water'/>")];
    let report = city.import(city.write("a.osm", osm(1, &ways, &relations)), |r| r.layer = None).unwrap();
    assert_eq!((layer(&report, "roads").accepted, layer(&report, "land_use").accepted), (2, 1));
    let water = layer(&report, "water");
    assert_eq!(water.rejected, 1, "{report:#?}");
    assert!(water.issues[0].reason.contains("101"), "{}", water.issues[0].reason);
}
