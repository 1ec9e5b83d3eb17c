//! One small layer in every format that is read, written by GDAL: Vietnamese text, numbers, days, nulls,
//! empty text, several parts with a hole, in VN-2000.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use std::path::PathBuf;

use crate::common::{City, apart, city, gdal};
use citymap_crs::{Crs, Transform};
use citymap_ingest::Encoding;
use citymap_model::{Feature, FieldType, GeometryKind, Value, parse_date};
use geo_types::Geometry;

/// In EPSG:9210, so that nothing but our own transformation moves it.
const LAYER: &str = r#"{"type":"FeatureCollection","crs":{"type":"name",
"properties":{"name":"urn:ogc:def:crs:EPSG::9210"}},"features":[
{"type":"Feature","properties":{"ten":"Đường Nguyễn Huệ","so":7,"rong":12.5,"ngay":"2025-07-01",
"trong":""},"geometry":{"type":"MultiPolygon","coordinates":[[[[603000.125,1191000.5],[603100,1191000],
[603100,1191100],[603000,1191100],[603000.125,1191000.5]],[[603040,1191040],[603040,1191060],
[603060,1191060],[603060,1191040],[603040,1191040]]],[[[603200,1191000],[603250,1191000],[603250,1191050],
[603200,1191000]]]]}},
{"type":"Feature","properties":{"ten":"Hẻm giới Phạm Ngũ Lão","so":null,"rong":0,"ngay":null,"trong":"x"},
"geometry":{"type":"MultiPolygon","coordinates":[[[[603300,1191000],[603350,1191000],[603350,1191050],
[603300,1191000]]]]}},
{"type":"Feature","properties":{"ten":null,"so":-3,"rong":null,"ngay":"1999-12-31","trong":"y"},
"geometry":{"type":"MultiPolygon","coordinates":[[[[603400,1191000],[603450,1191000],[603450,1191050],
[603400,1191000]]]]}}]}"#;

/// The layer as the import must give it.
struct Expected {
    values: [[Value; 5]; 3],
    geometry: [Geometry<f64>; 3],
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn expected() -> Expected {
    let day = |text| Value::Date(parse_date(text).unwrap());
    let values = [
        [text("Đường Nguyễn Huệ"), Value::Int(7), Value::Real(12.5), day("2025-07-01"), text("")],
        [text("Hẻm giới Phạm Ngũ Lão"), Value::Null, Value::Real(0.0), Value::Null, text("x")],
        [Value::Null, Value::Int(-3), Value::Null, day("1999-12-31"), text("y")],
    ];
    let polygon = |rings: &[&[(f64, f64)]]| {
        let ring = |at: usize| geo_types::LineString::from(rings[at].to_vec());
        geo_types::Polygon::new(ring(0), (1..rings.len()).map(ring).collect())
    };
    let triangle = |x: f64| polygon(&[&[(x, 1_191_000.0), (x + 50.0, 1_191_000.0), (x + 50.0, 1_191_050.0)]]);
    let outer = [
        (603_000.125, 1_191_000.5),
        (603_100.0, 1_191_000.0),
        (603_100.0, 1_191_100.0),
        (603_000.0, 1_191_100.0),
    ];
    let hole = [
        (603_040.0, 1_191_040.0),
        (603_040.0, 1_191_060.0),
        (603_060.0, 1_191_060.0),
        (603_060.0, 1_191_040.0),
    ];
    let transform = Transform::new(Crs::new(9210).unwrap(), Crs::WGS84).unwrap();
    let geometry = [
        vec![polygon(&[&outer, &hole]), triangle(603_200.0)],
        vec![triangle(603_300.0)],
        vec![triangle(603_400.0)],
    ]
    .map(|polygons| {
        let mut all = Geometry::from(geo_types::MultiPolygon(polygons));
        transform.geometry(&mut all).unwrap();
        all
    });
    Expected { values, geometry }
}

/// The layer in a format of GDAL's.
fn made(city: &City, driver: &str, name: &str, options: &[&str]) -> PathBuf {
    let source = city.write("source.geojson", LAYER);
    let path = city.folder.path().join(name);
    let mut arguments = vec!["-f", driver, path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "lop"];
    arguments.extend(options);
    gdal("ogr2ogr", &arguments);
    path
}

/// The layer imported, in the order of its numbers in [`LAYER`].
fn imported(
    city: &City,
    path: &std::path::Path,
    crs: Option<&str>,
) -> (Vec<Feature>, Vec<(String, FieldType)>) {
    let report = city.import(path, |r| r.crs = crs.map(|crs| crs.parse().unwrap())).unwrap();
    assert_eq!((report.accepted, report.rejected), (3, 0), "{report:#?}");
    let layer = &report.layers[0];
    if crs.is_none() {
        assert_eq!(layer.crs.as_ref().unwrap().crs, "EPSG:9210");
    }
    let fields = layer.fields.iter().map(|f| (f.name.clone(), f.field_type)).collect();
    let mut features = city.features("test");
    // An indexed format gives them in another order: west to east they are again as they were.
    features.sort_by(|a, b| {
        let west = |f: &Feature| crate::common::parts(f.geometry.as_ref().unwrap())[0][0][0];
        west(a).total_cmp(&west(b))
    });
    (features, fields)
}

fn same_places(features: &[Feature], tolerance: f64) {
    for (one, expected) in features.iter().zip(&expected().geometry) {
        let off = apart(one.geometry.as_ref(), Some(expected));
        assert!(off <= tolerance, "{off}° apart: {:?} and {expected:?}", one.geometry);
    }
}

/// Compares values; `lost` says what a format makes of one it cannot keep.
fn same_values(features: &[Feature], lost: impl Fn(usize, usize, &Value) -> Option<Value>) {
    for (row, (one, expected)) in features.iter().zip(&expected().values).enumerate() {
        for (column, (value, expected)) in one.values.iter().zip(expected).enumerate() {
            let expected = lost(row, column, expected).unwrap_or_else(|| expected.clone());
            assert_eq!(*value, expected, "feature {row}, field {column}");
        }
    }
}

/// Empty text is null.
fn blank(_: usize, _: usize, value: &Value) -> Option<Value> {
    (*value == text("")).then_some(Value::Null)
}

const TYPES: [FieldType; 5] =
    [FieldType::Text, FieldType::Int, FieldType::Real, FieldType::Date, FieldType::Text];

fn types(fields: &[(String, FieldType)]) {
    let found: Vec<FieldType> = fields.iter().map(|(_, field_type)| *field_type).collect();
    assert_eq!(found, TYPES);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ten", "so", "rong", "ngay", "trong"]);
}

#[test]
fn geopackage_keeps_everything() {
    let city = city();
    let (features, fields) = imported(&city, &made(&city, "GPKG", "a.gpkg", &[]), None);
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, |_, _, _| None);
}

/// A day is an instant where a format knows no days.
fn instant(_: usize, column: usize, value: &Value) -> Option<Value> {
    match value {
        Value::Date(day) if column == 3 => {
            Some(Value::DateTime(day.and_time(chrono::NaiveTime::MIN).and_utc()))
        }
        _ => None,
    }
}

/// Numbers cannot be absent in MapInfo tables.
fn zero(_: usize, column: usize, value: &Value) -> Option<Value> {
    match (value, column) {
        (Value::Null, 0) => Some(text("")),
        (Value::Null, 1) => Some(Value::Int(0)),
        (Value::Null, 2) => Some(Value::Real(0.0)),
        _ => None,
    }
}

#[test]
fn flatgeobuf_keeps_all_but_empty_text() {
    let city = city();
    let (features, fields) = imported(&city, &made(&city, "FlatGeobuf", "a.fgb", &[]), None);
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, blank);
}

#[test]
fn a_file_geodatabase_makes_days_instants_and_keeps_the_rest() {
    let city = city();
    let (mut features, mut fields) = imported(&city, &made(&city, "OpenFileGDB", "a.gdb", &[]), None);
    // The file's own numbers come first.
    assert_eq!(fields.remove(0), ("OBJECTID".to_owned(), FieldType::Int));
    features.iter_mut().for_each(|one| drop(one.values.remove(0)));
    assert_eq!(fields[1], ("so".to_owned(), FieldType::Int));
    same_places(&features, 1e-9);
    same_values(&features, instant);
}

#[test]
fn a_shapefile_keeps_all_but_empty_text() {
    let city = city();
    let path = made(&city, "ESRI Shapefile", "a.shp", &["-lco", "ENCODING=UTF-8"]);
    let (features, fields) = imported(&city, &path, None);
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, blank);
}

#[test]
fn a_zipped_shapefile_is_read_by_its_cpg() {
    let city = city();
    let path = made(&city, "ESRI Shapefile", "a.shp.zip", &["-lco", "ENCODING=UTF-8"]);
    let report = city.import(&path, |_| {}).unwrap();
    let encoding = &report.layers[0].encoding;
    assert_eq!((encoding.encoding, encoding.how.as_str()), (Encoding::Utf8, "the .cpg file (`UTF-8`)"));
    let (features, fields) = imported(&city, &path, None);
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, blank);
}

#[test]
fn mapinfo_tab_and_mif_keep_text_and_days() {
    for (name, options, tolerance) in [
        // GDAL's grid of whole numbers for this system is 15 mm wide.
        ("a.tab", &["-lco", "ENCODING=UTF-8"][..], 3e-7),
        ("a.mif", &["-dsco", "FORMAT=MIF"], 1e-12),
    ] {
        let city = city();
        let (features, fields) = imported(&city, &made(&city, "MapInfo File", name, options), None);
        types(&fields);
        same_places(&features, tolerance);
        // A blank number in a .mid is none.
        let is_mif = name.ends_with(".mif");
        same_values(&features, |row, column, value| {
            zero(row, column, value).filter(|kept| !is_mif || matches!(kept, Value::Text(_)))
        });
    }
}

#[test]
fn geojson_and_its_sequence_keep_everything() {
    let city = city();
    let (features, fields) = imported(&city, &city.write("a.geojson", LAYER), None);
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, |_, _, _| None);

    let whole: serde_json::Value = serde_json::from_str(LAYER).unwrap();
    let lines: Vec<String> =
        whole["features"].as_array().unwrap().iter().map(serde_json::Value::to_string).collect();
    let path = city.write("a.geojsonl", lines.join("\n"));
    let (features, fields) = imported(&city, &path, Some("EPSG:9210"));
    types(&fields);
    same_places(&features, 1e-12);
    same_values(&features, |_, _, _| None);
}

#[test]
fn csv_with_wkt_has_days_by_year_with_slashes() {
    let city = city();
    let path = made(&city, "CSV", "a.csv", &["-lco", "GEOMETRY=AS_WKT"]);
    let (features, fields) = imported(&city, &path, Some("EPSG:9210"));
    // GDAL writes days as 2025/07/01.
    assert_eq!(fields[3], ("ngay".to_owned(), FieldType::Date));
    same_places(&features, 1e-9);
    same_values(&features, blank);
}

#[test]
fn spreadsheets_are_tables() {
    for (driver, name) in [("XLSX", "a.xlsx"), ("ODS", "a.ods")] {
        let city = city();
        let report = city.import(made(&city, driver, name, &[]), |_| {}).unwrap();
        let layer = &report.layers[0];
        assert_eq!((layer.geometry, layer.accepted), (GeometryKind::None, 3));
        assert_eq!(layer.fields.iter().map(|f| f.field_type).collect::<Vec<_>>(), TYPES);
        same_values(&city.features("test"), blank);
    }
}

#[test]
fn kml_keeps_values_and_is_in_wgs84() {
    let city = city();
    let source = city.write(
        "s.geojson",
        LAYER.replace("EPSG::9210", "EPSG::4326").replace("603", "106.603").replace("1191", "10.1191"),
    );
    let path = city.folder.path().join("a.kml");
    gdal("ogr2ogr", &["-f", "KML", path.to_str().unwrap(), source.to_str().unwrap()]);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.layers[0].crs.as_ref().unwrap().crs.as_str()), (3, "EPSG:4326"));
    let at = |name| report.layers[0].fields.iter().position(|f| f.name == name).unwrap();
    let features = city.features("test");
    assert_eq!(features[0].values[at("ten")], text("Đường Nguyễn Huệ"));
    assert_eq!(features[1].values[at("so")], Value::Null);
    assert_eq!(features[2].values[at("so")], Value::Int(-3));
    let first = crate::common::parts(features[1].geometry.as_ref().unwrap());
    assert!((first[0][0][0] - 106.6033).abs() < 1e-3, "{first:?}");
}

#[test]
fn gpx_waypoints_and_tracks_are_layers() {
    let city = city();
    let path = city.write(
        "a.gpx",
        r#"<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="x"
xmlns="http://www.topografix.com/GPX/1/1">
        <wpt lat="10.7725" lon="106.698"><ele>3.5</ele><time>2025-07-01T01:30:00Z</time>
<name>Chợ Bến Thành</name></wpt>
        <trk><name>Đi bộ</name><trkseg><trkpt lat="10.77" lon="106.69"/>
<trkpt lat="10.78" lon="106.7"/></trkseg></trk></gpx>"#,
    );
    let report = city.import(&path, |r| r.layer = None).unwrap();
    let ids: Vec<&str> = report.layers.iter().map(|layer| layer.id.as_str()).collect();
    assert_eq!(ids, ["waypoints", "tracks", "track_points"]);
    let waypoints = report.layers.iter().find(|layer| layer.source == "waypoints").unwrap();
    let at = |name| waypoints.fields.iter().position(|f| f.name == name).unwrap();
    let one = &city.features(waypoints.id.as_str())[0];
    assert_eq!(one.values[at("name")], text("Chợ Bến Thành"));
    assert_eq!(one.values[at("ele")], Value::Real(3.5));
    assert!(matches!(one.values[at("time")], Value::DateTime(_)));
    assert_eq!(one.geometry, Some(geo_types::Point::new(106.698, 10.7725).into()));
    let tracks = report.layers.iter().find(|layer| layer.source == "tracks").unwrap();
    assert_eq!((tracks.geometry, tracks.read), (GeometryKind::Line, 1));
}

#[test]
fn a_geopackage_of_several_layers_becomes_several_layers() {
    let city = city();
    let path = made(&city, "GPKG", "a.gpkg", &[]);
    let points = city.write("p.csv", "ten,x,y\nCột đèn 1,603481.588,1191454.611\n");
    gdal(
        "ogr2ogr",
        &[
            "-update",
            path.to_str().unwrap(),
            points.to_str().unwrap(),
            "-nln",
            "Cột đèn",
            "-a_srs",
            "EPSG:9210",
            "-oo",
            "X_POSSIBLE_NAMES=x",
            "-oo",
            "Y_POSSIBLE_NAMES=y",
        ],
    );
    let report = city.import(&path, |r| r.layer = None).unwrap();
    let ids: Vec<(&str, u64)> =
        report.layers.iter().map(|layer| (layer.id.as_str(), layer.accepted)).collect();
    assert_eq!(ids, [("lop", 3), ("cot_den", 1)]);
    let Some(Geometry::Point(at)) = city.features("cot_den")[0].geometry.clone() else { panic!("no point") };
    assert!((at.x() - 106.698).abs() < 1e-8 && (at.y() - 10.7725).abs() < 1e-8, "{at:?}");
}

#[test]
fn csv_of_x_and_y_in_a_grid() {
    let city = city();
    let path = city.write("p.csv", "ten,x,y\nCột đèn 1,603481.588,1191454.611\n");
    city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    let Some(Geometry::Point(at)) = city.features("test")[0].geometry.clone() else { panic!("no point") };
    assert!((at.x() - 106.698).abs() < 1e-8 && (at.y() - 10.7725).abs() < 1e-8, "{at:?}");
}

#[test]
fn drawings_keep_the_geometry() {
    for (driver, name) in [("DXF", "a.dxf"), ("DGN", "a.dgn")] {
        let city = city();
        // Neither has fields of ours, nor polygons of several parts.
        let path = made(
            &city,
            driver,
            name,
            &["-sql", "SELECT ten AS Layer FROM source WHERE so = -3", "-explodecollections"],
        );
        let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 0), "{name}");
        let off = apart(city.features("test")[0].geometry.as_ref(), Some(&expected().geometry[2]));
        assert!(off <= 1e-9, "{name}: {off}°");
    }
}
