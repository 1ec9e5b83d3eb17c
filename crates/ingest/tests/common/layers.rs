//! Layers to export, and how they come back.

use std::{collections::BTreeSet, path::PathBuf};

use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_ingest::{Export, ExportError, ExportOptions, export};
use citymap_model::{
    CommitMeta, Feature, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
    parse_date, parse_datetime,
};
use geo_types::{Geometry, LineString, MultiPolygon, Polygon};

use super::{City, parts};

pub(crate) const ALL: [&str; 10] =
    ["gpkg", "geojson", "geojsonl", "fgb", "shp", "tab", "mif", "csv", "kml", "dxf"];
/// WGS 84 by definition.
pub(crate) const FIXED: [&str; 2] = ["geojsonl", "kml"];

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn grid() -> Crs {
    Crs::new(9210).unwrap()
}

/// Puts a layer `lop` into the store.
pub(crate) fn put(city: &City, kind: GeometryKind, fields: &[(&str, FieldType)], features: Vec<NewFeature>) {
    let mut layer = Layer::new("lop".parse().unwrap(), Title::same("Lớp"), Role::Other, kind);
    layer.fields = fields.iter().map(|(name, field_type)| Field::new(*name, *field_type)).collect();
    let meta =
        CommitMeta { author: "test".into(), message: "test".into(), source: None, source_sha256: None };
    let mut transaction = city.store.begin(meta).unwrap();
    transaction.layer(&layer, Mode::Replace).unwrap();
    for feature in features {
        transaction.put(feature).unwrap();
    }
    transaction.commit().unwrap();
}

pub(crate) fn out(city: &City, name: &str, crs: Crs) -> Result<(Export, PathBuf), ExportError> {
    let path = city.folder.path().join("out").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let view = city.store.view().unwrap();
    export(view.as_ref(), &"lop".parse().unwrap(), &path, &ExportOptions::new(crs, Audience::OPERATOR))
        .map(|done| (done, path))
}

pub(crate) fn listing(city: &City) -> BTreeSet<String> {
    let Ok(folder) = std::fs::read_dir(city.folder.path().join("out")) else { return BTreeSet::new() };
    folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// The file imported again, as layer `test`, in the order of the layer exported (west to east).
pub(crate) fn back(city: &City, path: &std::path::Path, crs: Crs) -> (Vec<Feature>, Vec<Field>) {
    let says = !path.extension().unwrap().eq_ignore_ascii_case("dxf");
    let report = city.import(path, |r| r.crs = (!says).then_some(crs)).unwrap();
    assert_eq!(report.rejected, 0, "{report:#?}");
    if says && report.layers[0].geometry != GeometryKind::None {
        assert_eq!(report.layers[0].crs.as_ref().unwrap().crs, crs.to_string());
    }
    let mut features = city.features("test");
    features.sort_by(|a, b| {
        let west = |f: &Feature| f.geometry.as_ref().and_then(|g| parts(g).first().map(|part| part[0][0]));
        west(a).partial_cmp(&west(b)).unwrap()
    });
    (features, report.layers[0].fields.clone())
}

pub(crate) fn square(x: f64) -> Polygon<f64> {
    let ring = |inset: f64| {
        LineString::from(vec![
            (x + inset, 10.77 + inset),
            (x + 0.001 - inset, 10.770_000_123 + inset),
            (x + 0.001 - inset, 10.771 - inset),
            (x + inset, 10.771 - inset),
        ])
    };
    Polygon::new(ring(0.0), vec![ring(0.000_3)])
}

pub(crate) const FIELDS: [(&str, FieldType); 6] = [
    ("ten", FieldType::Text),
    ("so", FieldType::Int),
    ("rong", FieldType::Real),
    ("dung", FieldType::Bool),
    ("ngay", FieldType::Date),
    ("luc", FieldType::DateTime),
];

/// Two parcels and a multi-polygon with every type of value, empty text and nulls.
pub(crate) fn parcels() -> Vec<NewFeature> {
    let day = |text| Value::Date(parse_date(text).unwrap());
    let instant = |text| Value::DateTime(parse_datetime(text).unwrap());
    vec![
        NewFeature {
            geometry: Some(square(106.69).into()),
            values: vec![
                text("Đường Nguyễn Huệ, \"Q.1\"\nhẻm 5"),
                Value::Int(9_007_199_254_740_993),
                Value::Real(0.1),
                Value::Bool(true),
                day("2025-07-01"),
                instant("2025-07-01T08:30:15Z"),
            ],
        },
        NewFeature {
            geometry: Some(MultiPolygon(vec![square(106.7), square(106.705)]).into()),
            values: vec![
                text(""),
                Value::Int(-7),
                Value::Real(-1234.5),
                Value::Bool(false),
                day("1999-12-31"),
                instant("1999-12-31T23:59:59Z"),
            ],
        },
        NewFeature { geometry: Some(square(106.71).into()), values: vec![Value::Null; 6] },
    ]
}

pub(crate) fn bare(geometry: impl Into<Geometry<f64>>) -> NewFeature {
    NewFeature { geometry: Some(geometry.into()), values: vec![text("A")] }
}
