//! What is exported comes back by an import.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{apart, city, layers::*};
use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_ingest::{ExportOptions, export};
use citymap_model::{FieldType, GeometryKind, NewFeature, Value};
use geo_types::{Geometry, Point};

/// What a format makes of a value, as the import reads it again.
fn kept(ending: &str, column: usize, value: &Value) -> Value {
    let (ints, slashes) = (matches!(ending, "fgb" | "shp" | "tab" | "mif"), value.clone());
    let absent_is_zero = matches!(ending, "tab" | "mif");
    match (value, column) {
        // Blank and absent are one.
        (Value::Text(text), _)
            if text.is_empty() && !matches!(ending, "gpkg" | "geojson" | "geojsonl" | "tab" | "mif") =>
        {
            Value::Null
        }
        (Value::Bool(truth), _) if ints => Value::Int(i64::from(*truth)),
        (Value::DateTime(instant), _) if matches!(ending, "shp" | "tab" | "mif") => {
            text(&citymap_model::format_datetime(instant))
        }
        (Value::Text(one), _) if ending == "mif" => text(&one.replace('\n', "\\n")),
        // Too long for the format.
        (Value::Int(number), 1) if absent_is_zero || ending == "kml" => text(&number.to_string()),
        (Value::Null, 0 | 1 | 5) if absent_is_zero => text(""),
        (Value::Null, 3) if ending == "tab" => Value::Int(0),
        (Value::Null, 2) if ending == "tab" => Value::Real(0.0),
        _ => slashes,
    }
}

#[test]
fn every_format_comes_back_in_both_systems() {
    for ending in ALL {
        for crs in [Crs::WGS84, grid()] {
            if crs == grid() && FIXED.contains(&ending) {
                continue;
            }
            let city = city();
            put(&city, GeometryKind::Polygon, &FIELDS, parcels());
            let (done, path) =
                out(&city, &format!("a.{ending}"), crs).unwrap_or_else(|e| panic!("{ending}: {e}"));
            assert_eq!(done.written, 3);
            let (features, fields) = back(&city, &path, crs);
            let original = parcels();
            if ending == "dxf" {
                // A drawing has neither fields nor multi-polygons: the parts are what counts.
                let all = |geometries: Vec<Geometry<f64>>| {
                    Geometry::GeometryCollection(geo_types::GeometryCollection(geometries))
                };
                let found = all(features.into_iter().filter_map(|f| f.geometry).collect());
                let expected = all(original.into_iter().filter_map(|f| f.geometry).collect());
                assert!(apart(Some(&found), Some(&expected)) <= 1e-9, "{found:?}");
                continue;
            }
            assert_eq!(features.len(), 3, "{ending}");
            for (row, (one, expected)) in features.iter().zip(&original).enumerate() {
                let off = apart(one.geometry.as_ref(), expected.geometry.as_ref());
                assert!(off <= 1e-9, "{ending} {crs}, feature {row}: {off}°");
                for (column, (name, _)) in FIELDS.iter().enumerate() {
                    let at = fields.iter().position(|field| field.name == *name).unwrap();
                    let expected = kept(ending, column, &expected.values[column]);
                    assert_eq!(one.values[at], expected, "{ending} {crs}, feature {row}, {name}");
                }
            }
        }
    }
}

#[test]
fn grid_coordinates_are_ours_to_the_millimetre() {
    use gdal::vector::LayerAccess;
    for ending in ALL.into_iter().filter(|ending| !FIXED.contains(ending)) {
        let city = city();
        let points =
            vec![NewFeature { geometry: Some(Point::new(106.698, 10.7725).into()), values: vec![text("A")] }];
        put(&city, GeometryKind::Point, &[("ten", FieldType::Text)], points);
        let (done, path) = out(&city, &format!("a.{ending}"), grid()).unwrap();
        assert_eq!(done.written, 1);
        let dataset = gdal::Dataset::open(&path).unwrap();
        let mut layer = dataset.layer(0).unwrap();
        let (x, y, _) = match layer.features().next().unwrap().geometry() {
            Some(point) if ending != "csv" => point.get_point(0),
            // GDAL's reader of tables wants to be told which column it is.
            _ => {
                let line = std::fs::read_to_string(&path).unwrap();
                let start = line.find("POINT (").unwrap() + "POINT (".len();
                let mut numbers = line[start..].split([' ', ')']).map(|n| n.parse().unwrap_or(f64::NAN));
                (numbers.next().unwrap(), numbers.next().unwrap(), 0.0)
            }
        };
        assert!((x - 603_481.588).abs() < 1e-3 && (y - 1_191_454.611).abs() < 1e-3, "{ending}: {x}, {y}");
    }
}

#[test]
fn fields_called_like_a_format_s_own_columns_are_kept() {
    let names = ["FID", "Geom", "Name", "order", "tên \"đường\"", "type"];
    for ending in ["gpkg", "geojson", "geojsonl", "fgb", "csv", "kml"] {
        let city = city();
        let fields = names.map(|name| (name, FieldType::Text));
        let values: Vec<Value> = (0..names.len()).map(|at| text(&format!("v{at}"))).collect();
        let one = NewFeature { geometry: Some(Point::new(106.69, 10.77).into()), values: values.clone() };
        put(&city, GeometryKind::Point, &fields, vec![one]);
        let (_, path) =
            out(&city, &format!("a.{ending}"), Crs::WGS84).unwrap_or_else(|e| panic!("{ending}: {e}"));
        let (features, fields) = back(&city, &path, Crs::WGS84);
        for (name, value) in names.iter().zip(&values) {
            let at = fields.iter().position(|field| field.name == *name);
            let at = at.unwrap_or_else(|| panic!("{ending}: no {name} in {fields:?}"));
            assert_eq!(features[0].values[at], *value, "{ending} {name}");
        }
    }
}

/// `A.SHP` is written as `A.SHP`, `A.DBF` and so on, and read again.
#[test]
fn endings_in_capitals_are_written_and_read() {
    for ending in ALL {
        for name in [
            format!("A.{}", ending.to_uppercase()),
            format!("a.{}", ending[..1].to_uppercase()) + &ending[1..],
        ] {
            let city = city();
            put(
                &city,
                GeometryKind::Point,
                &[("ten", FieldType::Text)],
                vec![bare(Point::new(106.69, 10.77))],
            );
            let (done, path) =
                out(&city, &name, Crs::WGS84).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(done.written == 1 && path.is_file() && path.ends_with(&name), "{path:?}");
            assert_eq!(back(&city, &path, Crs::WGS84).0.len(), 1, "{name}");
        }
    }
}

#[test]
fn a_table_for_spreadsheets_comes_back() {
    let city = city();
    let texts = ["=1+1", "'=1", "''-2", "-5", "+84", "@x", "\tx", " x ", "'n", "a"];
    let fields = [("=ma", FieldType::Text), ("so", FieldType::Real)];
    let features = texts
        .iter()
        .map(|one| NewFeature { values: vec![text(one), Value::Real(1e308)], ..parcels().remove(0) });
    put(&city, GeometryKind::Polygon, &fields, features.collect());
    let path = city.folder.path().join("o.csv");
    let mut options = ExportOptions::new(Crs::WGS84, Audience::OPERATOR);
    options.excel = true;
    let view = city.store.view().unwrap();
    export(view.as_ref(), &"lop".parse().unwrap(), &path, &options).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.lines().next().unwrap().contains("'=ma"), "{written}");
    let report = city.import(&path, |_| {}).unwrap();
    let notes = format!("{:?}", report.files);
    assert!(notes.contains("`export --excel` writes before formulas: 8;"), "{notes}");
    assert_eq!(report.layers[0].fields[0].name, "=ma");
    let mut found: Vec<Value> = city.features("test").into_iter().map(|one| one.values[0].clone()).collect();
    found.sort_by_key(|value| value.to_key());
    let mut expected = texts.map(text).to_vec();
    expected.sort_by_key(|value| value.to_key());
    assert_eq!(found, expected);
}
