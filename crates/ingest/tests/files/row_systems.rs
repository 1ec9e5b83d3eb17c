//! Tables whose rows name their coordinate systems: each row is read, judged and counted in its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{City, city};
use citymap_crs::{Crs, Transform};
use citymap_ingest::{Issue, IssueKind, Report};
use geo_types::Geometry;

/// Places in the city, WGS 84.
const PLACES: [[f64; 2]; 3] = [[106.698, 10.7725], [106.7, 10.78], [106.75, 10.85]];

fn crs(code: u32) -> Crs {
    Crs::new(code).unwrap()
}

/// A row in the system `said`, with the coordinates that the place has in the system `really`.
fn row(said: &str, really: u32, place: [f64; 2]) -> String {
    let [x, y] = Transform::new(Crs::WGS84, crs(really)).unwrap().point(place).unwrap();
    format!("\"{said}POINT({x} {y})\"\n")
}

fn own(code: u32, place: [f64; 2]) -> String {
    row(&format!("SRID={code};"), code, place)
}

fn table(rows: &[String]) -> String {
    format!("geom\n{}", rows.concat())
}

fn notes(report: &Report) -> String {
    report.layers[0].issues.iter().map(|issue| issue.reason.clone()).collect::<Vec<_>>().join("\n")
}

fn reject(report: &Report, feature: u64) -> &Issue {
    let of = |one: &&Issue| one.kind == IssueKind::Reject && one.feature == Some(feature);
    report.layers[0].issues.iter().find(of).unwrap_or_else(|| panic!("{feature}: {}", notes(report)))
}

/// Asserts that the features lie at the places, in any order.
fn assert_places(city: &City, places: &[[f64; 2]]) {
    let mut found: Vec<[f64; 2]> = city
        .features("test")
        .iter()
        .map(|feature| match &feature.geometry {
            Some(Geometry::Point(at)) => [at.x(), at.y()],
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found.len(), places.len());
    for place in places {
        let near = |at: &[f64; 2]| (at[0] - place[0]).abs() < 1e-7 && (at[1] - place[1]).abs() < 1e-7;
        let position = found.iter().position(near).unwrap_or_else(|| panic!("{place:?}: {found:?}"));
        found.swap_remove(position);
    }
}

/// A row that names another system than the first thousands keeps it, with and without `--crs`.
#[test]
fn a_late_row_of_another_system_keeps_it() {
    for (asked, first) in [(None, "SRID=9210;"), (Some(9210), "SRID=9210;"), (Some(9210), "")] {
        for at in [0, 1_500, 3_000] {
            let mut rows = vec![row(first, 9210, PLACES[0]); 3_000];
            rows.insert(at, own(3405, PLACES[1]));
            rows.insert(at, own(4326, PLACES[2]));
            let city = city();
            let path = city.write("p.csv", table(&rows));
            let report = city.import(&path, |request| request.crs = asked.map(crs)).unwrap();
            assert_eq!((report.accepted, report.rejected), (3_002, 0), "{}", notes(&report));
            let mut places = vec![PLACES[0]; 3_000];
            places.extend([PLACES[1], PLACES[2]]);
            assert_places(&city, &places);
            let said = notes(&report);
            assert!(said.contains("1 row in EPSG:3405") && said.contains("1 row in EPSG:4326"), "{said}");
            assert!(said.contains("3000 rows"), "{said}");
        }
    }
}

/// `--crs` replaces the system that all rows name, and says so with their number.
#[test]
fn the_system_of_all_rows_is_replaced_with_a_note() {
    for said in ["SRID=4326;", "SRID=999999;"] {
        let city = city();
        let path = city.write("p.csv", table(&PLACES.map(|place| row(said, 9210, place))));
        assert!(city.import(&path, |_| {}).is_err());
        let report = city.import(&path, |request| request.crs = Some(crs(9210))).unwrap();
        assert_eq!((report.accepted, report.rejected), (3, 0));
        assert_places(&city, &PLACES);
        let notes = notes(&report);
        assert!(notes.contains("3 rows") && notes.contains(&said[..said.len() - 1]), "{notes}");
        assert!(notes.contains("EPSG:9210 was asked for (--crs)"), "{notes}");
    }
}

/// A row is odd by the area of its own system, and stays where that allows it.
#[test]
fn each_row_is_held_against_its_own_system() {
    let london = [-0.1275, 51.507];
    let rows = [
        own(9210, PLACES[0]),
        own(9210, PLACES[1]),
        own(27700, london),
        own(9210, PLACES[2]),
        // Degrees under a grid, metres under degrees, and an exchanged pair.
        row("SRID=3405;", 4326, PLACES[0]),
        row("SRID=4756;", 9210, PLACES[0]),
        "\"SRID=5899;POINT(1191454.611 603481.588)\"\n".to_owned(),
        // Where no zone of Vietnam is used.
        "\"SRID=5899;POINT(500000 9000000)\"\n".to_owned(),
        "\"SRID=999999;POINT(1 2)\"\n".to_owned(),
        "\"SRID=vn2000;POINT(1 2)\"\n".to_owned(),
        "\"SRID=0;POINT(603481.588 1191454.611)\"\n".to_owned(),
    ];
    let city = city();
    let path = city.write("p.csv", table(&rows));
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (4, 7), "{}", notes(&report));
    assert_places(&city, &[PLACES[0], PLACES[1], PLACES[2], london]);
    for (feature, word) in [
        (5, "degrees"),
        (6, "EPSG:4756"),
        (7, "exchanged"),
        (8, "VN-2000 / TM-3 107-45"),
        (9, "SRID=999999"),
        (10, "SRID=vn2000"),
        (11, "names no coordinate system"),
    ] {
        let reason = &reject(&report, feature).reason;
        assert!(reason.contains(word), "{feature}: {reason}");
    }
    // What is far from the others is said, whatever its system.
    assert!(notes(&report).contains("CHECK THE PLACE: feature 3"), "{}", notes(&report));
    // The rejects can be corrected: they are in the system of the layer, or say which they are in.
    let rejects = gdal::Dataset::open(city.folder.path().join("rejects.gpkg")).unwrap();
    let mut layer = gdal::vector::LayerAccess::features(&mut rejects.layer(0).unwrap())
        .map(|feature| {
            let text = feature.field_as_string(3).unwrap().unwrap_or_default();
            (text, feature.geometry().and_then(|geometry| geometry.wkt().ok()))
        })
        .collect::<Vec<_>>();
    assert_eq!(layer.len(), 7);
    layer.retain(|(text, geometry)| text.is_empty() && geometry.is_none());
    assert_eq!(layer, [], "a reject without its geometry");
}

/// Where rows name several systems, `--crs` is for those that name none; so is a `.prj` beside the table.
#[test]
fn rows_without_a_system_are_in_the_one_that_is_said_of_the_table() {
    let rows = [own(4326, PLACES[0]), own(3405, PLACES[1]), row("", 9210, PLACES[2])];
    for by in ["--crs", "--crs NAME", ".prj"] {
        let city = city();
        let path = city.write("p.csv", table(&rows));
        if by == ".prj" {
            let srs = gdal::spatial_ref::SpatialRef::from_epsg(9210).unwrap();
            city.write("p.prj", srs.to_wkt().unwrap());
        }
        let report = city
            .import(&path, |request| match by {
                "--crs" => request.crs = Some(crs(9210)),
                "--crs NAME" => request.layer_crs = vec![("p".into(), crs(9210))],
                _ => {}
            })
            .unwrap();
        assert_eq!((report.accepted, report.rejected), (3, 0), "{by}: {}", notes(&report));
        assert_places(&city, &PLACES);
        assert!(notes(&report).contains("1 row without a system, read in EPSG:9210"), "{}", notes(&report));
    }
    // One row without a system, among rows that all name the same: they keep it.
    let city = city();
    let rows = [own(4326, PLACES[0]), own(4326, PLACES[1]), row("", 9210, PLACES[2])];
    let path = city.write("p.csv", table(&rows));
    let report = city.import(&path, |request| request.crs = Some(crs(9210))).unwrap();
    assert_eq!((report.accepted, report.rejected), (3, 0), "{}", notes(&report));
    assert_places(&city, &PLACES);
}

/// GeoJSON in a cell is WGS 84, unless it says otherwise; extended WKB says it in its head.
#[test]
fn every_form_of_geometry_names_its_system() {
    let [x, y] = Transform::new(Crs::WGS84, crs(9210)).unwrap().point(PLACES[1]).unwrap();
    let mut wkb = vec![1, 1, 0, 0, 0x20];
    wkb.extend(9210_u32.to_le_bytes());
    wkb.extend(x.to_le_bytes());
    wkb.extend(y.to_le_bytes());
    let hexadecimal: String = wkb.iter().map(|byte| format!("{byte:02X}")).collect();
    let [lon, lat] = PLACES[0];
    let plain = format!(r#"{{"type":"Point","coordinates":[{lon},{lat}]}}"#);
    let [x, y] = Transform::new(Crs::WGS84, crs(5899)).unwrap().point(PLACES[2]).unwrap();
    let member = r#""crs":{"type":"name","properties":{"name":"EPSG:5899"}}"#;
    let named = format!(r#"{{"type":"Point",{member},"coordinates":[{x},{y}]}}"#);
    let quoted = |text: &str| format!("\"{}\"\n", text.replace('"', "\"\""));
    let city = city();
    let path = city.write("p.csv", format!("geom\n{}{}{hexadecimal}\n", quoted(&plain), quoted(&named)));
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (3, 0), "{}", notes(&report));
    assert_places(&city, &PLACES);
}

/// Two columns with geometry: the one that was read is named, and the other can be.
#[test]
fn a_second_geometry_column_is_named_and_can_be_chosen() {
    let city = city();
    let path = city.write(
        "p.csv",
        "wkt,tam,phone\n\"SRID=4326;LINESTRING(106.7 10.8, 106.71 10.81)\",\"SRID=4326;POINT(106.7 10.8)\",\
         0123456789\n",
    );
    let report = city.import(&path, |_| {}).unwrap();
    let said = notes(&report);
    assert!(said.contains("`wkt`") && said.contains("`tam`") && said.contains("--geometry-column"), "{said}");
    assert!(!said.contains("`phone`"), "{said}");
    let report = city.import(&path, |request| request.columns.geometry = Some("tam".into())).unwrap();
    assert!(notes(&report).contains("from the column `tam`, not from `wkt`"), "{}", notes(&report));
    assert_places(&city, &[[106.7, 10.8]]);
}

/// GML of points, each with its own `srsName` or none.
fn gml(points: &[(&str, [f64; 2])]) -> String {
    let members: String = points
        .iter()
        .enumerate()
        .map(|(i, (srs, [a, b]))| {
            let srs = if srs.is_empty() { String::new() } else { format!(" srsName=\"{srs}\"") };
            let point = format!("<gml:Point{srs}><gml:pos>{a} {b}</gml:pos></gml:Point>");
            format!(
                "<c:m><c:diem gml:id=\"d{i}\"><c:ten>{i}</c:ten><c:vi_tri>{point}</c:vi_tri></c:diem></c:m>\n"
            )
        })
        .collect();
    let spaces = "xmlns:c=\"http://example.org/c\" xmlns:gml=\"http://www.opengis.net/gml/3.2\"";
    let members = members.replace("c:m>", "gml:featureMember>");
    format!("<?xml version=\"1.0\"?>\n<gml:FeatureCollection {spaces}>\n{members}</gml:FeatureCollection>\n")
}

#[test]
fn geometries_of_gml_keep_the_systems_that_they_name() {
    let on = |code: u32, place| Transform::new(Crs::WGS84, crs(code)).unwrap().point(place).unwrap();
    let [lon, lat] = PLACES[1];
    let text = gml(&[
        ("urn:ogc:def:crs:EPSG::9210", on(9210, PLACES[0])),
        ("urn:ogc:def:crs:EPSG::4326", [lat, lon]),
        ("", on(9210, PLACES[2])),
    ]);
    let city = city();
    let path = city.write("p.gml", text);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (2, 1), "{}", notes(&report));
    assert!(reject(&report, 3).reason.contains("srsName"), "{}", notes(&report));
    assert_places(&city, &PLACES[..2]);
    let report = city.import(&path, |request| request.crs = Some(crs(9210))).unwrap();
    assert_eq!((report.accepted, report.rejected), (3, 0), "{}", notes(&report));
    assert_places(&city, &PLACES);
}

/// Two geometries a feature in GML: GDAL would keep the last one of them without a word.
#[test]
fn no_geometry_of_gml_is_lost_without_a_word() {
    let [x, y] = Transform::new(Crs::WGS84, crs(9210)).unwrap().point(PLACES[0]).unwrap();
    let edge = format!("{x} {y} {} {y} {} {} {x} {y}", x + 50.0, x + 50.0, y + 50.0);
    let [lon, lat] = PLACES[0];
    let members: String = (0..3)
        .map(|i| {
            format!(
                "<gml:featureMember><c:thua gml:id=\"t{i}\"><c:so>00{i}</c:so><c:ranh><gml:Polygon \
                 srsName=\"urn:ogc:def:crs:EPSG::9210\"><gml:exterior><gml:LinearRing><gml:posList>{edge}\
                 </gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></c:ranh><c:tam><gml:Point \
                 srsName=\"urn:ogc:def:crs:EPSG::4326\"><gml:pos>{lat} {lon}</gml:pos></gml:Point></c:tam>\
                 </c:thua></gml:featureMember>\n"
            )
        })
        .collect();
    let spaces = "xmlns:c=\"http://example.org/c\" xmlns:gml=\"http://www.opengis.net/gml/3.2\"";
    let text = format!(
        "<?xml version=\"1.0\"?>\n<gml:FeatureCollection {spaces}>\n{members}</gml:FeatureCollection>\n"
    );
    let city = city();
    let path = city.write("p.gml", &text);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (3, 0), "{}", notes(&report));
    assert!(notes(&report).contains("from the column `ranh`, not from `tam`"), "{}", notes(&report));
    let polygons = city.features("test");
    assert!(polygons.iter().all(|one| matches!(one.geometry, Some(Geometry::Polygon(_)))));
    let so = report.layers[0].fields.iter().position(|field| field.name == "so").unwrap();
    assert_eq!(polygons[2].values[so].to_key().unwrap(), "002");
    let report = city.import(&path, |request| request.columns.geometry = Some("tam".into())).unwrap();
    assert!(notes(&report).contains("from the column `tam`, not from `ranh`"), "{}", notes(&report));
    assert_places(&city, &[PLACES[0]; 3]);
    // A feature without the first of them is not lost either, unless that one was asked for.
    let start = text.find("<c:ranh>").unwrap();
    let end = text.find("</c:ranh>").unwrap() + "</c:ranh>".len();
    let fewer = city.write("fewer.gml", [&text[..start], &text[end..]].concat());
    let report = city.import(&fewer, |_| {}).unwrap();
    assert_eq!((report.accepted, report.layers[0].null_geometry), (3, 0), "{}", notes(&report));
    let said = notes(&report);
    assert!(said.contains("1 features have no `ranh`; their `tam` was taken"), "{said}");
    let report = city.import(&fewer, |request| request.columns.geometry = Some("ranh".into())).unwrap();
    assert_eq!((report.accepted, report.layers[0].null_geometry), (3, 1), "{}", notes(&report));
    let error = city.import(&path, |request| request.columns.geometry = Some("tim".into())).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("`tim`") && error.contains("ranh, tam"), "{error}");
}
