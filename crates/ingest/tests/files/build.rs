//! Polygons built of the lines of drawings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use crate::common::{City, city};
use citymap_ingest::{BuildPolygons, BuildPreset, ImportError, Request};
use citymap_model::{FieldType, Role, Value};
use geo::Area;

const LINES: Option<BuildPolygons> = Some(BuildPolygons { preset: BuildPreset::Lines, snap: 0.01 });

fn feature(kind: &str, coordinates: &str, properties: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{{properties}}},
"geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}"#
    )
}

fn line(coordinates: &str) -> String {
    feature("LineString", coordinates, r#""ma":null"#)
}

fn label(coordinates: &str, ma: &str) -> String {
    feature("Point", coordinates, &format!(r#""ma":"{ma}""#))
}

fn collection(features: &[String]) -> String {
    format!(
        r#"{{"type":"FeatureCollection","crs":{{"type":"name",
"properties":{{"name":"urn:ogc:def:crs:EPSG::9210"}}}},"features":[{}]}}"#,
        features.join(",")
    )
}

/// Two parcels of 10 m × 20 m with ends that miss by some mm, and a third that is open by half a metre.
fn drawing() -> Vec<String> {
    vec![
        line("[[603000,1191000],[603020,1191000.004],[603020,1191020]]"),
        line("[[603020.003,1191020],[603000,1191020],[603000,1191000]]"),
        line("[[603010,1191000.005],[603010,1191019.996]]"),
        line("[[603030,1191000],[603040,1191000],[603040,1191010],[603030,1191010],[603030,1191000.5]]"),
        label("[603005,1191010]", "A"),
        label("[603100,1191100]", "lost"),
    ]
}

#[test]
fn parcels_are_built_of_lines_and_get_the_fields_of_their_labels() {
    let city = city();
    let path = city.write("drawing.geojson", collection(&drawing()));
    let report = city.import(&path, |request| request.build_polygons = LINES).unwrap();
    assert_eq!((report.read, report.accepted, report.rejected), (2, 2, 0));
    let layer = &report.layers[0];
    let places: Vec<_> = layer.issues.iter().filter(|issue| issue.place.is_some()).collect();
    assert!(places.iter().all(|issue| issue.lonlat.is_some()));
    let about = |text: &str| places.iter().filter(|issue| issue.reason.contains(text)).count();
    // Both ends of the open parcel's outline.
    assert_eq!(about("ends here without meeting another"), 2, "{places:#?}");
    assert_eq!((about("is in no polygon"), about("without a label")), (1, 1));
    let mut found: Vec<(Value, f64)> = city
        .features("test")
        .into_iter()
        .map(|feature| {
            let shape = feature.geometry.unwrap();
            let area = citymap_crs::ellipsoidal_area(&shape);
            assert!(shape.unsigned_area() > 0.0);
            (feature.values[0].clone(), area)
        })
        .collect();
    found.sort_by_key(|(value, _)| value.is_null());
    assert_eq!(found[0].0, Value::Text("A".into()));
    assert!(found[1].0.is_null());
    assert!(found.iter().all(|(_, area)| (area - 200.0).abs() < 0.5), "{found:?}");
}

#[test]
fn a_larger_tolerance_closes_what_is_open() {
    let city = city();
    let path = city.write("drawing.geojson", collection(&drawing()));
    let build = BuildPolygons { preset: BuildPreset::Lines, snap: 0.6 };
    let report = city.import(&path, |request| request.build_polygons = Some(build)).unwrap();
    assert_eq!(report.accepted, 3);
    assert!(!report.layers[0].issues.iter().any(|issue| issue.reason.contains("ends here")));
}

#[test]
fn labels_may_come_from_another_file_and_may_disagree() {
    let city = city();
    let mut drawing = drawing();
    drawing.truncate(3);
    let lines = city.write("lines.geojson", collection(&drawing));
    let points = [
        feature("Point", "[603005,1191010]", r#""so":1,"loai":"ODT""#),
        feature("Point", "[603015,1191010]", r#""so":2,"loai":"CLN""#),
        feature("Point", "[603015,1191012]", r#""so":3,"loai":"CLN""#),
    ];
    let points = city.write("points.geojson", collection(&points));
    let report = city
        .import(&lines, |request| {
            request.files.push(points);
            request.build_polygons = LINES;
        })
        .unwrap();
    let layer = &report.layers[0];
    assert_eq!(report.accepted, 2);
    assert_eq!(report.files.len(), 2);
    assert!(layer.issues.iter().any(|issue| issue.reason.contains("2 labels that say different things")));
    let features = city.features("test");
    let value = |name: &str| {
        let column = layer.fields.iter().position(|field| field.name == name).unwrap();
        let mut values: Vec<Value> = features.iter().map(|one| one.values[column].clone()).collect();
        values.sort_by_key(|value| format!("{value:?}"));
        values
    };
    assert_eq!(value("so"), [Value::Int(1), Value::Null]);
    assert_eq!(value("loai"), [Value::Text("CLN".into()), Value::Text("ODT".into())]);
}

#[test]
fn files_in_different_systems_and_lines_that_enclose_nothing_are_refused() {
    let city = city();
    let open = city.write("open.geojson", collection(&drawing()[2..3]));
    let error = city.import(&open, |request| request.build_polygons = LINES).unwrap_err();
    assert!(matches!(&error, ImportError::Usage(text) if text.contains("--snap")), "{error}");
    let lines = city.write("lines.geojson", collection(&drawing()));
    let points = city.write("points.geojsonl", label("[106.7,10.77]", "A").replace('\n', ""));
    let error = city
        .import(&lines, |request| {
            request.files.push(points);
            request.build_polygons = LINES;
        })
        .unwrap_err();
    assert!(matches!(&error, ImportError::Usage(text) if text.contains("EPSG:9210")), "{error}");
    let preset = |request: &mut Request| {
        request.build_polygons = Some(BuildPolygons { preset: BuildPreset::DgnCadastral, snap: 0.01 });
    };
    let error = city.import(&lines, preset).unwrap_err();
    assert!(matches!(&error, ImportError::Usage(text) if text.contains("Level")), "{error}");
}

/// Writes elements of a level, as WKT or a text at a point, to a DGN file.
fn write_dgn(path: &Path, elements: &[(i32, &str, Option<&str>)]) {
    use gdal::{
        DriverManager,
        vector::{Feature, Geometry, LayerAccess, LayerOptions},
    };
    let driver = DriverManager::get_driver_by_name("DGN").unwrap();
    let mut dataset = driver.create_vector_only(path).unwrap();
    let layer = dataset.create_layer(LayerOptions { name: "elements", ..Default::default() }).unwrap();
    for (level, wkt, text) in elements {
        let mut feature = Feature::new(layer.defn()).unwrap();
        feature.set_geometry(Geometry::from_wkt(wkt).unwrap()).unwrap();
        feature.set_field_integer(layer.defn().field_index("Level").unwrap(), *level).unwrap();
        if let Some(text) = text {
            feature.set_field_string(layer.defn().field_index("Text").unwrap(), text).unwrap();
        }
        feature.create(&layer).unwrap();
    }
}

fn import_dgn(city: &City, elements: &[(i32, &str, Option<&str>)]) -> citymap_ingest::Report {
    let path = city.folder.path().join("dc26.dgn");
    write_dgn(&path, elements);
    city.import(&path, |request| {
        request.crs = Some("EPSG:9210".parse().unwrap());
        request.build_polygons = Some(BuildPolygons { preset: BuildPreset::DgnCadastral, snap: 0.02 });
    })
    .unwrap()
}

/// A boundary along a road is drawn once, on the road's level; number, area and use are texts.
#[test]
fn cadastral_drawings_are_built_of_several_levels() {
    let city = city();
    let report = import_dgn(
        &city,
        &[
            (10, "LINESTRING(603000 1191000,603000 1191020,603020 1191020,603020 1191000)", None),
            (23, "LINESTRING(602990 1191000,603030 1191000)", None),
            (10, "LINESTRING(603010 1191000,603010 1191020)", None),
            (55, "LINESTRING(603005 1190990,603005 1191030)", None),
            (13, "POINT(603003 1191010)", Some("12")),
            (4, "POINT(603003 1191006)", Some("200.5")),
            (2, "POINT(603003 1191003)", Some("ODT")),
            (13, "POINT(603014 1191010)", Some("13")),
        ],
    );
    assert_eq!((report.accepted, report.rejected), (2, 0));
    let layer = &report.layers[0];
    assert_eq!(layer.role, Role::Parcel);
    let types: Vec<_> = layer.fields.iter().map(|field| (field.name.as_str(), field.field_type)).collect();
    assert_eq!(types[..2], [("so_thua", FieldType::Text), ("dien_tich", FieldType::Real)]);
    let mut rows: Vec<Vec<Value>> = city.features("test").into_iter().map(|one| one.values).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(rows[0], [text("12"), Value::Real(200.5), text("ODT"), Value::Null]);
    assert_eq!(rows[1], [text("13"), Value::Null, Value::Null, Value::Null]);
    // The road's line goes on to both sides; the power line is no boundary.
    let reasons: Vec<&str> = layer.issues.iter().map(|issue| issue.reason.as_str()).collect();
    assert_eq!(reasons.iter().filter(|reason| reason.contains("ends here")).count(), 2, "{reasons:#?}");
    assert!(reasons.iter().any(|reason| reason.contains("1 other feature was not used")), "{reasons:#?}");
}
