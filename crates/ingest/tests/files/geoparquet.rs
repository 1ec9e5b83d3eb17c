//! GeoParquet files, written by the `parquet` crate.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs::File, path::PathBuf, sync::Arc};

use crate::common::{City, city, parts};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array, types::Int64Type,
};
use arrow_schema::{Field, Schema};
use citymap_geometry::wkb;
use citymap_model::{FieldType, GeometryKind, Value, parse_date, parse_datetime};
use geo_types::Point;
use parquet::{
    arrow::ArrowWriter, basic::Compression, file::metadata::KeyValue, file::properties::WriterProperties,
};

/// A file of these columns with metadata `geo`.
fn written(
    city: &City,
    columns: Vec<(&str, ArrayRef)>,
    geo: Option<&str>,
    compression: Compression,
) -> PathBuf {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect())
            .unwrap();
    let path = city.folder.path().join("a.parquet");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    if let Some(geo) = geo {
        writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo.to_owned()));
    }
    writer.close().unwrap();
    path
}

fn points(at: &[Option<(f64, f64)>]) -> ArrayRef {
    let bytes: Vec<Option<Vec<u8>>> =
        at.iter().map(|at| at.map(|(x, y)| wkb::to_wkb(&Point::new(x, y).into()))).collect();
    Arc::new(BinaryArray::from_iter(bytes))
}

const GEO: &str = r#"{"version":"1.1.0","primary_column":"hinh",
    "columns":{"hinh":{"encoding":"WKB","geometry_types":[]}}}"#;

#[test]
fn columns_keep_their_types_and_digits() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        let city = city();
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None]);
        let decimals =
            Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(10, 2).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("ten", Arc::new(StringArray::from(vec![Some("Đường Nguyễn Huệ"), None]))),
            ("so", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None]))),
            ("rong", Arc::new(Float32Array::from(vec![Some(0.1), Some(f32::NAN)]))),
            ("dung", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("ngay", Arc::new(Date32Array::from(vec![Some(20_270), None]))),
            (
                "luc",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(1_751_328_000_000_000), None])
                        .with_timezone("UTC"),
                ),
            ),
            ("gia", Arc::new(decimals)),
            ("ds", Arc::new(list)),
            ("hinh", points(&[Some((106.7, 10.77)), None])),
        ];
        let path = written(&city, columns, Some(GEO), compression);
        let report = city.import(&path, |_| {}).unwrap();
        let layer = &report.layers[0];
        assert_eq!((layer.read, layer.accepted, layer.geometry), (2, 2, GeometryKind::Point));
        assert_eq!(layer.crs.as_ref().unwrap().crs, "EPSG:4326");
        let types: Vec<FieldType> = layer.fields.iter().map(|field| field.field_type).collect();
        let expected = [
            FieldType::Text,
            FieldType::Int,
            FieldType::Real,
            FieldType::Bool,
            FieldType::Date,
            FieldType::DateTime,
            FieldType::Text,
        ];
        assert_eq!(types, expected);
        assert!(report.files[0].notes.iter().any(|note| note.contains("`ds` holds lists")));
        let features = city.features("test");
        assert_eq!(
            features[0].values,
            [
                Value::Text("Đường Nguyễn Huệ".into()),
                Value::Int(9_007_199_254_740_993),
                Value::Real(0.1),
                Value::Bool(true),
                Value::Date(parse_date("2025-07-01").unwrap()),
                Value::DateTime(parse_datetime("2025-07-01T00:00:00Z").unwrap()),
                Value::Text("123.45".into()),
            ]
        );
        assert!(features[1].values.iter().all(Value::is_null), "{:?}", features[1].values);
        assert_eq!(parts(features[0].geometry.as_ref().unwrap()), [[[106.7, 10.77]]]);
        assert_eq!(layer.null_geometry, 1);
    }
}

#[test]
fn the_metadata_say_where_the_geometry_lies() {
    let known = citymap_crs::Crs::new(9210).unwrap();
    let projjson = gdal::spatial_ref::SpatialRef::from_epsg(known.code()).unwrap().to_projjson().unwrap();
    let with =
        |crs: &str| GEO.replace("\"geometry_types\":[]", &format!("\"geometry_types\":[],\"crs\":{crs}"));
    let city = city();
    let at = || points(&[Some((603_481.588, 1_191_454.611))]);
    let path = written(&city, vec![("hinh", at())], Some(&with(&projjson)), Compression::UNCOMPRESSED);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(report.layers[0].crs.as_ref().unwrap().crs, "EPSG:9210");
    let [x, y] = parts(city.features("test")[0].geometry.as_ref().unwrap())[0][0];
    assert!((x - 106.698).abs() < 1e-8 && (y - 10.7725).abs() < 1e-8, "{x} {y}");
    let path = written(&city, vec![("hinh", at())], Some(&with("null")), Compression::UNCOMPRESSED);
    let error = city.import(&path, |_| {}).unwrap_err().to_string();
    assert!(error.contains("--crs") && error.contains("EPSG:9210"), "{error}");
}

#[test]
fn what_is_not_read_is_a_reject_or_an_error() {
    let city = city();
    let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
    let broken: ArrayRef = Arc::new(BinaryArray::from_iter([Some(&b"\x01\x02"[..]), None]));
    let path = written(
        &city,
        vec![("so", numbers), ("hinh", points(&[None, None]))],
        Some(GEO),
        Compression::UNCOMPRESSED,
    );
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1));
    let path = written(&city, vec![("hinh", broken)], Some(GEO), Compression::UNCOMPRESSED);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.read, report.rejected), (2, 1));
    // Without metadata it is a table; its bytes are text.
    let path = written(&city, vec![("hinh", points(&[None]))], None, Compression::UNCOMPRESSED);
    assert_eq!(city.import(&path, |_| {}).unwrap().layers[0].geometry, GeometryKind::None);
    let arrow = GEO.replace("WKB", "point");
    let path = written(&city, vec![("hinh", points(&[None]))], Some(&arrow), Compression::UNCOMPRESSED);
    let error = city.import(&path, |_| {}).unwrap_err().to_string();
    assert!(error.contains("encoding WKB"), "{error}");
    let whole = std::fs::read(&path).unwrap();
    for length in [4, whole.len() / 2, whole.len() - 3] {
        let path = city.write("b.parquet", &whole[..length]);
        assert!(city.import(&path, |_| {}).is_err(), "{length}");
    }
}
