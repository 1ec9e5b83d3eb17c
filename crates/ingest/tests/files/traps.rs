//! Traps of the field, each a small file.

use crate::common::city;
use citymap_ingest::{Encoding, ImportError, RepairTolerance};
use citymap_model::{FieldType, Mode, Value};
use geo_types::{Geometry, Point};

const POINT: &str =
    r#"{"type":"Feature","properties":{"so":"A1"},"geometry":{"type":"Point","coordinates":[106.7,10.8]}}"#;

#[test]
fn northings_first_are_exchanged_and_said() {
    let city = city();
    let path = city.write("moc.csv", "ten;X;Y\nA;1191454.611;603481.588\nB;1191500,5;603500,5\n");
    let error = city.import(&path, |_| {}).unwrap_err();
    // Without a system it is refused, and the right grid is among the proposals.
    assert!(error.to_string().contains("EPSG:9210"), "{error}");
    assert_eq!(city.store.revision().unwrap(), 0);
    let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    assert!(report.layers[0].issues.iter().any(|issue| issue.reason.contains("exchanged")));
    let Some(Geometry::Point(Point(at))) = city.features("test")[0].geometry.clone() else {
        panic!("no point")
    };
    assert!((at.x - 106.698).abs() < 1e-8 && (at.y - 10.7725).abs() < 1e-8, "{at:?}");
}

#[test]
fn codes_with_leading_zeros_stay_text() {
    let city = city();
    let path = city.write("t.csv", "lon,lat,ma,so\n106.7,10.8,00123,5\n106.8,10.9,26734,\n");
    city.import(&path, |_| {}).unwrap();
    let layer = &city.layers()[0].layer;
    let types: Vec<_> = layer.fields.iter().map(|f| (f.name.as_str(), f.field_type)).collect();
    assert_eq!(types[2..], [("ma", FieldType::Text), ("so", FieldType::Int)]);
    assert_eq!(city.features("test")[1].values[3], Value::Null);
}

#[test]
fn a_table_in_vni_is_converted_and_can_be_overridden() {
    let city = city();
    let mut bytes = b"lon,lat,ten\n".to_vec();
    for name in ["Phường Tân Định", "Xã Bình Chánh", "Đường Nguyễn Huệ"] {
        bytes.extend(b"106.7,10.8,");
        bytes.extend(Encoding::Vni.encode(name).unwrap());
        bytes.push(b'\n');
    }
    let path = city.write("vni.csv", bytes);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(report.layers[0].encoding.encoding, Encoding::Vni);
    assert_eq!(city.features("test")[2].values[2], Value::Text("Đường Nguyễn Huệ".into()));
    let report = city.import(&path, |r| r.encoding = Some(Encoding::Cp1252)).unwrap();
    assert_eq!(report.layers[0].encoding.how, "as asked for (--encoding)");
    assert_ne!(city.features("test")[2].values[2], Value::Text("Đường Nguyễn Huệ".into()));
}

#[test]
fn a_dry_run_and_an_error_change_nothing() {
    let city = city();
    let path = city.write("p.geojsonl", format!("{POINT}\n{POINT}\n"));
    let report = city.import(&path, |r| r.dry_run = true).unwrap();
    assert_eq!((report.accepted, report.revision, city.store.revision().unwrap()), (2, None, 0));
    let error = city.import(&path, |r| r.key = Some("nothing".into())).unwrap_err();
    assert!(matches!(&error, ImportError::Usage(text) if text.contains("so")), "{error}");
    assert!(city.import(&path, |r| r.mode = Mode::Upsert).is_err());
    assert_eq!(city.store.revision().unwrap(), 0);
}

#[test]
fn a_bad_line_of_a_sequence_is_rejected_alone() {
    let city = city();
    let path = city.write("p.geojsonl", format!("{POINT}\n{{\"type\":\n{POINT}\n"));
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected, report.exit_code()), (2, 1, 3));
    assert_eq!(report.layers[0].issues[0].line, Some(2));
    assert!(std::path::Path::new(&report.rejects_file.unwrap()).exists());
}

#[test]
fn upsert_keeps_the_key_and_counts_what_the_store_refuses() {
    let city = city();
    let path = city.write("p.geojsonl", format!("{POINT}\n"));
    let with_key = |mode| move |r: &mut citymap_ingest::Request| (r.key, r.mode) = (Some("so".into()), mode);
    city.import(&path, with_key(Mode::Replace)).unwrap();
    let path = city
        .write("p.geojsonl", format!("{}\n{}\n", POINT.replace("10.8", "10.9"), POINT.replace("A1", "B2")));
    let report = city.import(&path, with_key(Mode::Upsert)).unwrap();
    assert_eq!(report.read, report.accepted + report.rejected);
    let features = city.features("test");
    assert_eq!(features.len(), 2);
    assert_eq!(features[0].geometry, Some(Point::new(106.7, 10.9).into()));
}

#[test]
fn null_and_empty_geometry_stay_what_they_are() {
    let city = city();
    let text = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{},"geometry":null},
        {"type":"Feature","properties":{},"geometry":{"type":"MultiPoint","coordinates":[]}},
        {"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[106.7,10.8,5.0]}}]}"#;
    let report = city.import(city.write("n.geojson", text), |_| {}).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.null_geometry, layer.empty_geometry, layer.z_dropped, layer.accepted), (1, 1, 1, 3));
    let features = city.features("test");
    assert_eq!(features[0].geometry, None);
    assert!(features[1].geometry.is_some());
}

#[test]
fn a_tolerance_decides_between_repair_and_reject() {
    let city = city();
    // A sliver of a bow tie: a repair changes its area by some 100 m².
    let text = r#"{"type":"Polygon","coordinates":[[[106.7,10.8],[106.701,10.801],[106.701,10.8],
[106.7,10.8001],[106.7,10.8]]]}"#;
    let path = city.write("b.geojson", text);
    let error = city.import(&path, |_| {}).unwrap_err();
    assert!(
        matches!(
            &error,
            ImportError::NothingAccepted { report, .. } if report.layers[0].issues[0].lonlat.is_some()
        ),
        "{error}"
    );
    let generous = RepairTolerance { relative: 2.0, absolute_m2: 1e6 };
    let report = city.import(&path, |r| r.repair.tolerance = generous).unwrap();
    let issue = &report.layers[0].issues[0];
    assert!(issue.area_before.unwrap() > 0.0 && issue.area_after.unwrap() > issue.area_before.unwrap());
    assert_eq!(report.layers[0].repaired, 1);
}

#[test]
fn the_old_crs_member_is_honoured() {
    let city = city();
    let text = r#"{"type":"FeatureCollection","crs":{"type":"name",
"properties":{"name":"urn:ogc:def:crs:EPSG::9210"}},"features":[
        {"type":"Feature","properties":{},"geometry":{"type":"Point",
"coordinates":[603481.588,1191454.611]}}]}"#;
    let report = city.import(city.write("c.geojson", text), |_| {}).unwrap();
    assert_eq!(report.layers[0].crs.as_ref().unwrap().crs, "EPSG:9210");
    let Some(Geometry::Point(Point(at))) = city.features("test")[0].geometry.clone() else {
        panic!("no point")
    };
    assert!((at.x - 106.698).abs() < 1e-8 && (at.y - 10.7725).abs() < 1e-8, "{at:?}");
}

fn collection(places: &[&str], more: &str) -> String {
    let features: Vec<String> = places.iter().map(|lon| POINT.replace("106.7", lon)).collect();
    format!(r#"{{"type":"FeatureCollection"{more},"features":[{}]}}"#, features.join(","))
}

#[test]
fn a_sequence_that_is_cut_off_replaces_nothing() {
    let city = city();
    city.import(city.write("p.geojsonl", format!("{POINT}\n{POINT}\n")), |_| {}).unwrap();
    let texts = [
        format!("{POINT}\n{}", &POINT[..60]),
        format!("{POINT}\n{}\n\n", &POINT[..60]),
        format!("\x1E{POINT}\n\x1E{}", &POINT[..60]),
        format!("{POINT}\n{}", &collection(&["106.7"], "")[..80]),
    ];
    for text in texts {
        let error = city.import(city.write("p.geojsonl", &text), |_| {}).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("cut off"), "{error}");
        assert_eq!(city.features("test").len(), 2, "{text}");
    }
}

#[test]
fn sequences_hold_objects_of_several_lines_collections_and_geometries() {
    let city = city();
    let lines = format!("{}\n{}\n", collection(&["106.6", "106.7"], ""), collection(&["106.8"], ""));
    let pretty = POINT.replace(',', ",\n");
    for (name, text, count) in [
        ("p.ndjson", lines, 3),
        ("p.geojsons", format!("\x1E{pretty}\n\x1E{pretty}\n"), 2),
        (
            "q.geojsons",
            format!("\u{feff}\x1E{POINT}\n{POINT}\n\x1E{}", collection(&["106.6", "106.9"], "")),
            4,
        ),
        ("g.geojsonl", "{\"type\":\"Point\",\"coordinates\":[106.7,10.8]}\n".repeat(2), 2),
    ] {
        let report = city.import(city.write(name, text), |_| {}).unwrap();
        assert_eq!((report.accepted, report.rejected), (count, 0), "{name}");
        assert!(city.features("test").iter().all(|feature| feature.geometry.is_some()), "{name}");
    }
    let grid = r#","crs":{"type":"name","properties":{"name":"EPSG:9210"}}"#;
    let mixed = format!("{}\n{}\n", collection(&["106.6"], ""), collection(&["106.8"], grid));
    let error = city.import(city.write("m.ndjson", mixed), |_| {}).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("crs"), "{error}");
}

/// A batch whose geometry is null throughout: the layer has a kind, and the batch none.
#[test]
fn features_without_geometry_can_be_added_and_take_none_away() {
    let city = city();
    city.import(city.write("a.csv", "ma,lon,lat\n1,106.7,10.7\n"), |r| r.key = Some("ma".into())).unwrap();
    let null = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"ma":2},"geometry":null}]}"#;
    let table = "ma\n3\n";
    let report = city.import(city.write("b.geojson", null), |r| r.mode = Mode::Append).unwrap();
    assert_eq!((report.accepted, report.layers[0].null_geometry), (1, 1));
    for (name, content, mode) in [("b.geojson", null, Mode::Upsert), ("c.csv", table, Mode::Append)] {
        let error = city.import(city.write(name, content), |r| r.mode = mode).unwrap_err().to_string();
        assert!(error.contains("no geometry was found"), "{error}");
    }
    let placed = city.features("test").iter().filter(|feature| feature.geometry.is_some()).count();
    assert_eq!((city.features("test").len(), placed), (2, 1));
}

/// Two files of one call into one layer: each has its own counts.
#[test]
fn each_of_two_files_says_what_it_added() {
    let city = city();
    city.import(city.write("a.csv", "ma,lon,lat\n1,106.7,10.7\n"), |_| {}).unwrap();
    let second = city.write("c.csv", "ma,lon,lat\n3,106.7,10.7\n4,106.7,10.71\n");
    let report = city.import(city.write("b.csv", "ma,lon,lat\n2,106.7,10.7\n"), |request| {
        request.mode = Mode::Append;
        request.files.push(second);
    });
    let added: Vec<u64> = report.unwrap().layers.iter().map(|layer| layer.added).collect();
    assert_eq!(added, [1, 2]);
}
