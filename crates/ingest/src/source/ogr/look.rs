//! The look through a layer before its features are read for good.

use citymap_geometry::wkb;
use citymap_model::{Field, FieldType, GeometryKind, Value};
use gdal::{
    Dataset,
    vector::{Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType, geometry_type_flatten},
};

use super::{
    OgrLayer, blank_is_null, dgn,
    prepare::Declared,
    value::{How, value},
};
use crate::{
    ImportError, Request,
    encoding::Encoding,
    gdal_log,
    source::{
        SourceLayer, distinct,
        survey::{SAMPLE, Survey, from_latin1, latin1_bytes, settle, unicode},
    },
    srs,
};

/// Finds out a layer's fields, kind, system and encoding.
#[allow(clippy::too_many_arguments, reason = "one caller, which has them all at hand")]
pub(super) fn look_through(
    dataset: &Dataset,
    mut ogr: Layer<'_>,
    position: usize,
    driver: &str,
    dgn_texts: &dgn::Texts,
    declared: &Declared,
    request: &Request,
    shown: &str,
) -> Result<OgrLayer, ImportError> {
    let name = ogr.name();
    let mut warnings = Vec::new();
    let booleans = if driver == "GPKG" { gpkg_booleans(dataset, &name) } else { Vec::new() };
    let mut names = Vec::new();
    let mut hows = Vec::new();
    for field in ogr.defn().fields() {
        let (mut how, note) = How::of(field.field_type());
        let field_name = field.name();
        if field.field_type() == OGRFieldType::OFTInteger && booleans.contains(&field_name) {
            how = How::Bool;
        }
        if let Some(note) = note {
            warnings.push(format!("field `{field_name}`: {note}"));
        }
        names.push(field_name);
        hows.push(how);
    }
    let kind = declared_kind(ogr.defn().geometry_type());
    let has_geometry = kind != Some(GeometryKind::None);
    if ogr.defn().geom_fields().count() > 1 {
        warnings.push("the layer has several geometry columns; the first one was read".into());
    }
    let blank = blank_is_null(driver);
    let plain: Vec<Field> = names.iter().map(|name| Field::new(name, FieldType::Text)).collect();

    // One look through: all of it where kinds or bytes must be known, else the beginning.
    let whole = kind.is_none() || declared.by_bytes;
    let mut survey = Survey::default();
    let mut texts: Vec<Vec<u8>> = names.iter().map(|name| latin1_bytes(name)).collect();
    let mut ended = true;
    for feature in ogr.features() {
        if !whole && survey.sample.len() >= SAMPLE {
            ended = false;
            break;
        }
        let mut values: Vec<Value> = hows
            .iter()
            .enumerate()
            .map(|(i, how)| value(&feature, i, *how, blank).unwrap_or_default())
            .collect();
        dgn::put_back(dgn_texts, &feature, &plain, &mut values);
        if declared.by_bytes {
            texts.extend(values.iter().filter_map(|v| match v {
                Value::Text(text) if !text.is_ascii() && text.chars().all(|c| u32::from(c) < 256) => {
                    Some(latin1_bytes(text))
                }
                _ => None,
            }));
        }
        survey.values(&values);
        if has_geometry
            && (kind.is_none() || survey.points.len() < SAMPLE)
            && let Ok(geometry) = feature.geometry_by_index(0)
            && let Ok(bytes) = geometry.iso_wkb()
            && let Ok(read) = wkb::read_source(&bytes)
        {
            survey.geometry(&read.geometry);
        }
    }
    let errors: Vec<String> = gdal_log::take()
        .into_iter()
        .filter(|m| m.error && !m.text.contains("NULL"))
        .map(|m| m.text)
        .collect();
    if let (true, Some(error)) = (survey.count == 0, errors.first()) {
        return Err(ImportError::malformed(
            shown,
            format!("layer `{name}`"),
            format!("{error}; the file is cut off or damaged: get it again"),
        ));
    }

    let encoding = if declared.by_bytes {
        let asked = request.encoding;
        let report = settle(&texts, asked, declared.encoding.clone(), &mut warnings);
        for name in &mut names {
            *name = from_latin1(name, report.encoding);
        }
        for value in survey.sample.iter_mut().flatten() {
            if let Value::Text(text) = value {
                *text = from_latin1(text, report.encoding);
            }
        }
        report
    } else {
        if request.encoding.is_some_and(|asked| asked != Encoding::Utf8) {
            warnings.push(format!("--encoding has no effect here: {}", declared.how));
        }
        unicode(&declared.how)
    };
    warnings.extend(distinct(&mut names));
    let kind = kind.or(survey.kind).unwrap_or(GeometryKind::None);
    let srs = if kind == GeometryKind::None {
        srs::Srs::None
    } else {
        srs::identify(ogr.spatial_ref().as_ref(), said(driver))
    };
    let fields = names.into_iter().zip(&hows).map(|(name, how)| Field::new(name, how.field_type())).collect();
    // What a Shapefile says of its number counts deleted rows; what was seen to the end is exact.
    let count = if ended {
        Some(survey.count)
    } else {
        ogr.try_feature_count().filter(|_| driver != "ESRI Shapefile")
    };
    Ok(OgrLayer {
        bytes: declared.by_bytes.then_some(encoding.encoding),
        layer: SourceLayer {
            name,
            fields,
            kind,
            srs,
            points: survey.points,
            encoding,
            count,
            sample: survey.sample,
            role: None,
            warnings,
            title: None,
            attribution: None,
        },
        position,
        fields: hows,
    })
}

fn said(driver: &str) -> &'static str {
    match driver {
        "ESRI Shapefile" => "the .prj file",
        "LIBKML" | "KML" | "GPX" => "the format",
        _ => "the file",
    }
}

/// GDAL's geometry types as ours; `None` where the layer may hold anything.
fn declared_kind(kind: OGRwkbGeometryType::Type) -> Option<GeometryKind> {
    Some(match geometry_type_flatten(kind) {
        OGRwkbGeometryType::wkbPoint | OGRwkbGeometryType::wkbMultiPoint => GeometryKind::Point,
        OGRwkbGeometryType::wkbLineString
        | OGRwkbGeometryType::wkbMultiLineString
        | OGRwkbGeometryType::wkbCircularString
        | OGRwkbGeometryType::wkbCompoundCurve
        | OGRwkbGeometryType::wkbMultiCurve => GeometryKind::Line,
        OGRwkbGeometryType::wkbPolygon
        | OGRwkbGeometryType::wkbMultiPolygon
        | OGRwkbGeometryType::wkbCurvePolygon
        | OGRwkbGeometryType::wkbMultiSurface
        | OGRwkbGeometryType::wkbPolyhedralSurface
        | OGRwkbGeometryType::wkbTIN
        | OGRwkbGeometryType::wkbTriangle => GeometryKind::Polygon,
        OGRwkbGeometryType::wkbGeometryCollection => GeometryKind::Mixed,
        OGRwkbGeometryType::wkbNone => GeometryKind::None,
        _ => return None,
    })
}

/// The boolean columns of a GeoPackage table: GDAL gives them as integers.
fn gpkg_booleans(dataset: &Dataset, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT name FROM pragma_table_info('{}') WHERE upper(type) = 'BOOLEAN'",
        table.replace('\'', "''")
    );
    let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, gdal::vector::sql::Dialect::DEFAULT) else {
        return Vec::new();
    };
    rows.features().filter_map(|row| row.field_as_string(0).ok().flatten()).collect()
}
