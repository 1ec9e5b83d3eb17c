//! A layer of the store as a file in a format of GDAL's.

use std::{fs, path::Path};

use citymap_crs::{Crs, CrsError, Transform};
use citymap_model::{Feature as Record, FieldType, Layer, LayerId, Value, format_datetime};
use citymap_store::{StoreError, View};
use gdal::{
    Dataset, DriverManager,
    errors::GdalError,
    spatial_ref::{AxisMappingStrategy, SpatialRef},
    vector::{Feature, FieldDefn, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType},
};
use serde::Serialize;

use crate::{gdal_log, validity::to_ogr};

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// The file.
    pub path: String,
    /// GDAL's driver.
    pub driver: String,
    /// Features written: all that the layer has.
    pub written: u64,
    /// What the format could not keep as it is.
    pub notes: Vec<String>,
}

/// Why a layer could not be written. What was begun is removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file's ending names no format.
    #[error(
        "{0}: the ending names no format; use .gpkg, .geojson, .geojsonl, .fgb, .shp, .tab, .mif, .csv, .kml or .dxf"
    )]
    Format(String),
    /// Something is there already.
    #[error("{0} is there already; remove it or give another name")]
    Exists(String),
    /// There is no such layer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The coordinates cannot be carried.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// The format refused.
    #[error("{path}: {reason}")]
    Write {
        /// The file.
        path: String,
        /// What GDAL said.
        reason: String,
    },
}

/// GDAL's driver for a file's ending, and the options to make a layer with.
fn driver(path: &Path) -> Option<(&'static str, &'static [&'static str])> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "gpkg" => ("GPKG", &["GEOMETRY_NAME=geom"]),
        "geojson" | "json" => ("GeoJSON", &["COORDINATE_PRECISION=15", "WRITE_NAME=NO"]),
        "geojsonl" | "ndjson" | "geojsonseq" => ("GeoJSONSeq", &["COORDINATE_PRECISION=15"]),
        "fgb" => ("FlatGeobuf", &[]),
        "shp" => ("ESRI Shapefile", &["ENCODING=UTF-8"]),
        "tab" => ("MapInfo File", &["ENCODING=UTF-8"]),
        "mif" => ("MapInfo File", &["FORMAT=MIF", "ENCODING=UTF-8"]),
        "csv" => ("CSV", &["GEOMETRY=AS_WKT", "CREATE_CSVT=YES"]),
        "kml" => ("KML", &[]),
        "dxf" => ("DXF", &[]),
        _ => return None,
    })
}

/// Writes all features of `layer` to the file `to`, whose ending says the format, in the system `crs`.
///
/// Dates stay dates where the format has them; truths are 0 and 1. Personal fields are written: this is the
/// steward's tool, not a public door.
///
/// # Errors
/// [`ExportError`]; whatever was begun is removed then.
pub fn export(view: &dyn View, layer: &LayerId, to: &Path, crs: Crs) -> Result<Export, ExportError> {
    let shown = to.display().to_string();
    let (driver, options) = driver(to).ok_or_else(|| ExportError::Format(shown.clone()))?;
    if to.exists() {
        return Err(ExportError::Exists(shown));
    }
    let entries = view.layers()?;
    let entry = entries.into_iter().find(|entry| entry.layer.id == *layer);
    let definition = entry.ok_or_else(|| StoreError::NoLayer(layer.clone()))?.layer;
    let transform = if crs == Crs::WGS84 { None } else { Some(Transform::new(Crs::WGS84, crs)?) };
    gdal_log::listen();
    gdal_log::take();
    let outcome = write(view, &definition, to, driver, options, crs, transform.as_ref());
    outcome.inspect_err(|_| {
        // Best effort: the error is what counts.
        let _ = fs::remove_file(to);
    })
}

fn write(
    view: &dyn View,
    definition: &Layer,
    to: &Path,
    driver: &str,
    options: &[&str],
    crs: Crs,
    transform: Option<&Transform>,
) -> Result<Export, ExportError> {
    let refused = |error: GdalError| ExportError::Write {
        path: to.display().to_string(),
        reason: gdal_log::first().unwrap_or_else(|| error.to_string()),
    };
    let mut dataset = DriverManager::get_driver_by_name(driver)
        .and_then(|driver| driver.create_vector_only(to))
        .map_err(refused)?;
    let mut srs = SpatialRef::from_epsg(crs.code()).map_err(refused)?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    // A KML and a DXF have fields of their own, which cannot be made.
    let own_fields = driver == "DXF";
    {
        let layer = dataset
            .create_layer(LayerOptions {
                name: definition.id.as_str(),
                srs: Some(&srs),
                ty: OGRwkbGeometryType::wkbUnknown,
                options: Some(options),
            })
            .map_err(refused)?;
        for field in definition.fields.iter().filter(|_| !own_fields) {
            FieldDefn::new(&field.name, kind(field.field_type))
                .and_then(|defn| defn.add_to_layer(&layer))
                .map_err(refused)?;
        }
    }
    let mut written = 0;
    let mut sink = Sink { dataset: &mut dataset, definition, transform, own_fields, written: &mut written };
    sink.run(view).map_err(|failure| match failure {
        Failure::Store(error) => error.into(),
        Failure::Crs(error) => error.into(),
        Failure::Gdal(error) => refused(error),
    })?;
    dataset.close().map_err(refused)?;
    let mut notes: Vec<String> = gdal_log::take().into_iter().map(|message| message.text).collect();
    notes.dedup();
    if own_fields {
        notes.push("DXF holds no fields: only the geometry was written".to_owned());
    }
    Ok(Export { path: to.display().to_string(), driver: driver.to_owned(), written, notes })
}

fn kind(field_type: FieldType) -> OGRFieldType::Type {
    match field_type {
        FieldType::Bool => OGRFieldType::OFTInteger,
        FieldType::Int => OGRFieldType::OFTInteger64,
        FieldType::Real => OGRFieldType::OFTReal,
        FieldType::Text => OGRFieldType::OFTString,
        FieldType::Date => OGRFieldType::OFTDate,
        FieldType::DateTime => OGRFieldType::OFTDateTime,
    }
}

enum Failure {
    Store(StoreError),
    Crs(CrsError),
    Gdal(GdalError),
}

struct Sink<'a> {
    dataset: &'a mut Dataset,
    definition: &'a Layer,
    transform: Option<&'a Transform>,
    own_fields: bool,
    written: &'a mut u64,
}

impl Sink<'_> {
    /// All features; in one transaction where the format is a database.
    fn run(&mut self, view: &dyn View) -> Result<(), Failure> {
        if self.dataset.driver().short_name() != "GPKG" {
            let layer = self.dataset.layer(0).map_err(Failure::Gdal)?;
            return put_all(view, self.definition, &layer, self.transform, self.own_fields, self.written);
        }
        let transaction = self.dataset.start_transaction().map_err(Failure::Gdal)?;
        let layer = transaction.layer(0).map_err(Failure::Gdal)?;
        put_all(view, self.definition, &layer, self.transform, self.own_fields, self.written)?;
        transaction.commit().map_err(Failure::Gdal)
    }
}

fn put_all(
    view: &dyn View,
    definition: &Layer,
    layer: &gdal::vector::Layer<'_>,
    transform: Option<&Transform>,
    own_fields: bool,
    written: &mut u64,
) -> Result<(), Failure> {
    let mut failure = None;
    let outcome = view.read(&definition.id, &mut |record| {
        put(layer, record, transform, own_fields).map_err(|error| {
            failure = Some(error);
            StoreError::Stopped("the file cannot be written".to_owned())
        })?;
        *written += 1;
        Ok(())
    });
    match failure {
        Some(failure) => Err(failure),
        None => outcome.map_err(Failure::Store),
    }
}

fn put(
    layer: &gdal::vector::Layer<'_>,
    mut record: Record,
    transform: Option<&Transform>,
    own_fields: bool,
) -> Result<(), Failure> {
    let mut feature = Feature::new(layer.defn()).map_err(Failure::Gdal)?;
    if let Some(geometry) = &mut record.geometry {
        if let Some(transform) = transform {
            transform.geometry(geometry).map_err(Failure::Crs)?;
        }
        let shape = to_ogr(geometry).map_err(|reason| Failure::Gdal(GdalError::BadArgument(reason)))?;
        feature.set_geometry(shape).map_err(Failure::Gdal)?;
    }
    for (index, value) in record.values.iter().enumerate().filter(|_| !own_fields) {
        let outcome = match value {
            Value::Null => feature.set_field_null(index),
            Value::Bool(value) => feature.set_field_integer(index, i32::from(*value)),
            Value::Int(value) => feature.set_field_integer64(index, *value),
            Value::Real(value) => feature.set_field_double(index, *value),
            Value::Text(value) => feature.set_field_string(index, &value.replace('\0', "\u{FFFD}")),
            // GDAL reads ISO 8601, with milliseconds and Z, into its own dates and instants.
            Value::Date(day) => feature.set_field_string(index, &day.to_string()),
            Value::DateTime(instant) => feature.set_field_string(index, &format_datetime(instant)),
        };
        outcome.map_err(Failure::Gdal)?;
    }
    feature.create(layer).map_err(Failure::Gdal)
}
