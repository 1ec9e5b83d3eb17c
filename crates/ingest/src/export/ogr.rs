//! The formats that GDAL writes.

use std::path::Path;

use citymap_crs::{Crs, Transform};
use citymap_gpkg::{GpkgError, data_columns};
use citymap_model::{Feature as Record, Field, FieldType, Layer, Value, counted, format_datetime};
use citymap_store::StoreError;
use gdal::{
    Dataset, DatasetOptions, DriverManager, GdalOpenFlags,
    errors::GdalError,
    spatial_ref::{AxisMappingStrategy, SpatialRef},
    vector::{
        Feature, FieldDefn, Layer as OgrLayer, LayerAccess, LayerOptions, OGRwkbGeometryType, sql::Dialect,
    },
};
use geo::CoordsIter;
use geo_types::{Geometry, MultiPoint};
use rusqlite::Connection;

use super::{
    Failure, Format, Rows,
    format::Shape,
    names,
    scan::{LONGEST, Scan},
};
use crate::validity::to_ogr;

/// What is to be written.
pub(super) struct Job<'a> {
    pub rows: Rows<'a>,
    pub definition: &'a Layer,
    pub format: Format,
    pub scan: &'a Scan,
    pub shape: Shape,
    pub transform: Option<&'a Transform>,
    /// Whether a spreadsheet will read it.
    pub excel: bool,
}

impl Job<'_> {
    /// Hands over every feature, in the system that is written.
    pub(super) fn each(&self, sink: &mut dyn FnMut(Record) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut failure = None;
        let outcome = self.rows.read(&self.definition.id, &mut |mut record| {
            let moved = match (self.transform, &mut record.geometry) {
                (Some(transform), Some(geometry)) => transform.geometry(geometry).map_err(Failure::Crs),
                _ => Ok(()),
            };
            moved.and_then(|()| sink(record)).map_err(|error| {
                failure = Some(error);
                StoreError::Stopped("the file cannot be written".to_owned())
            })
        });
        match failure {
            Some(failure) => Err(failure),
            None => outcome.map_err(Failure::Store),
        }
    }
}

/// Writes the file and looks whether all of it is there. Gives the number of features.
pub(super) fn write(job: &Job<'_>, path: &Path, crs: Crs) -> Result<u64, Failure> {
    let driver = DriverManager::get_driver_by_name(job.format.driver())?;
    let mut dataset = driver.create_vector_only(path)?;
    let own = make_layer(job, &mut dataset, crs)?;
    if job.format == Format::GeoPackage {
        // GDAL's binding makes no truths; SQL does, and GDAL sees them when it opens the file anew.
        for field in &job.definition.fields {
            let sql = format!(
                "ALTER TABLE {} ADD COLUMN {} {}",
                quoted(job.definition.id.as_str()),
                quoted(&field.name),
                sql_type(field.field_type)
            );
            dataset.execute_sql(sql, None, Dialect::DEFAULT)?;
        }
        dataset.close()?;
        dataset = Dataset::open_ex(
            path,
            DatasetOptions {
                open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_UPDATE,
                allowed_drivers: Some(&["GPKG"]),
                ..DatasetOptions::default()
            },
        )?;
        let transaction = dataset.start_transaction()?;
        let layer = transaction.layer(0)?;
        let written = put_all(job, &layer, 0)?;
        transaction.commit()?;
        dataset.close()?;
        describe(job.definition, path)?;
        return check(job, path, written);
    }
    let written = put_all(job, &dataset.layer(0)?, own)?;
    dataset.close()?;
    check(job, path, written)
}

/// Writes titles, units and domains of the fields, which GDAL's binding has no way to.
fn describe(definition: &Layer, path: &Path) -> Result<(), Failure> {
    let said = |field: &Field| {
        !field.title.is_empty() || field.unit.is_some() || field.domain.is_some() || !field.codes().is_empty()
    };
    if !definition.fields.iter().any(said) {
        return Ok(());
    }
    let failed = |error: GpkgError| Failure::Other(error.to_string());
    let conn = Connection::open(path).map_err(|error| failed(error.into()))?;
    let columns: Vec<String> = definition.fields.iter().map(|field| field.name.clone()).collect();
    data_columns::create(&conn).map_err(failed)?;
    data_columns::describe(&conn, definition, &columns).map_err(failed)?;
    conn.close().map_err(|(_, error)| failed(error.into()))
}

/// Makes the layer with its fields; gives how many the format put before ours.
fn make_layer(job: &Job<'_>, dataset: &mut Dataset, crs: Crs) -> Result<usize, Failure> {
    let mut srs = SpatialRef::from_epsg(crs.code())?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let options = job.format.options(job.definition, job.scan);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let table = job.shape.kind == OGRwkbGeometryType::wkbNone;
    let layer = dataset.create_layer(LayerOptions {
        name: job.definition.id.as_str(),
        srs: (!table).then_some(&srs),
        ty: job.shape.kind,
        options: Some(&options),
    })?;
    let own = layer.defn().fields().count();
    if job.format.has_fields() && job.format != Format::GeoPackage {
        let names = names::names(job.format, &job.definition.fields);
        for (index, (field, name)) in job.definition.fields.iter().zip(&names).enumerate() {
            let long = job.scan.long[index];
            let defn = FieldDefn::new(name, job.format.field(field.field_type, long))?;
            if job.format == Format::Shapefile {
                set_width(&defn, field.field_type, job.scan.widths[index]);
            }
            defn.add_to_layer(&layer)?;
        }
    }
    Ok(own)
}

/// The width of a column of a .dbf, so that every value has room; with GDAL's own widths it warns, and quotes
/// the value.
fn set_width(defn: &FieldDefn, field_type: FieldType, width: usize) {
    /// What a number has room for, and how many characters of it are sign and point.
    const NUMBER: i32 = 24;
    const SIGN_AND_POINT: i32 = 2;
    /// The width of a whole number that readers take for one.
    const WHOLE: i32 = 18;
    let width = i32::try_from(width).unwrap_or(i32::MAX);
    match field_type {
        FieldType::Text => defn.set_width(width.clamp(1, LONGEST as i32)),
        FieldType::Int if width > WHOLE => defn.set_width(width),
        FieldType::Real => {
            defn.set_width(NUMBER);
            defn.set_precision((NUMBER - SIGN_AND_POINT - width).clamp(0, 15));
        }
        _ => {}
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Bool => "BOOLEAN",
        FieldType::Int => "INTEGER",
        FieldType::Real => "REAL",
        FieldType::Text => "TEXT",
        FieldType::Date => "DATE",
        FieldType::DateTime => "DATETIME",
    }
}

fn put_all(job: &Job<'_>, layer: &OgrLayer<'_>, own: usize) -> Result<u64, Failure> {
    let mut written = 0;
    job.each(&mut |record| {
        written += u64::from(put(job, layer, own, record)?);
        Ok(())
    })?;
    Ok(written)
}

/// Writes one feature; false if the format has no room for it.
fn put(job: &Job<'_>, layer: &OgrLayer<'_>, own: usize, record: Record) -> Result<bool, Failure> {
    let kept = record.geometry.filter(|one| job.format.has_empty_geometry() || one.coords_count() > 0);
    if kept.is_none() && job.format == Format::Dxf {
        return Ok(false);
    }
    let mut feature = Feature::new(layer.defn())?;
    if let Some(mut geometry) = kept {
        if let (true, Geometry::Point(point)) = (job.shape.promote_points, &geometry) {
            geometry = MultiPoint(vec![*point]).into();
        }
        let shape = to_ogr(&geometry).map_err(|reason| Failure::Gdal(GdalError::BadArgument(reason)))?;
        feature.set_geometry(shape)?;
    }
    if job.format.has_fields() {
        for (index, value) in record.values.iter().enumerate() {
            set(job.format, &mut feature, own + index, value)?;
        }
    }
    feature.create(layer)?;
    Ok(true)
}

fn set(format: Format, feature: &mut Feature<'_>, index: usize, value: &Value) -> Result<(), GdalError> {
    match value {
        Value::Null => feature.set_field_null(index),
        Value::Bool(value) => feature.set_field_integer(index, i32::from(*value)),
        Value::Int(value) => feature.set_field_integer64(index, *value),
        Value::Real(value) => feature.set_field_double(index, *value),
        Value::Text(value) if format.cuts_texts() && value.len() > LONGEST => {
            // GDAL would cut through a letter, without a word.
            let end = (0..=LONGEST).rev().find(|&end| value.is_char_boundary(end)).unwrap_or(0);
            feature.set_field_string(index, &value[..end].replace('\0', "?"))
        }
        Value::Text(value) => feature.set_field_string(index, &value.replace('\0', "\u{FFFD}")),
        // GDAL reads ISO 8601, with milliseconds and Z, into its own dates and instants.
        Value::Date(day) => feature.set_field_string(index, &day.to_string()),
        Value::DateTime(instant) => feature.set_field_string(index, &format_datetime(instant)),
    }
}

/// Opens the file again and counts: a format may leave out what it has no room for, and a disk may be full.
pub(super) fn check(job: &Job<'_>, path: &Path, written: u64) -> Result<u64, Failure> {
    // One feature may become several things in a drawing.
    if job.format == Format::Dxf {
        return Ok(written);
    }
    let dataset = Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
            // GDAL's plain reader of KML passes over features without geometry.
            allowed_drivers: Some(&[if job.format == Format::Kml { "LIBKML" } else { job.format.driver() }]),
            ..DatasetOptions::default()
        },
    )?;
    let held = if job.format == Format::Gpx {
        // Points are in the one layer, lines in the other.
        let count = |name| dataset.layer_by_name(name).map(|layer| layer.feature_count());
        count("waypoints")? + count("tracks")?
    } else if dataset.layer_count() == 0 {
        0
    } else {
        dataset.layer(0)?.feature_count()
    };
    if held == written {
        return Ok(written);
    }
    Err(Failure::Other(format!(
        "{} written, but the file holds {held}; the disk may be full, or the format has no room for some",
        counted(written, "feature was", "features were")
    )))
}
