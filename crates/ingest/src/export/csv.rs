//! CSV as we write it: numbers and coordinates keep every digit, and an empty text is told from a missing
//! one. Next to it a `.csvt` file says the types of the columns, as QGIS and GDAL read it, and a `.prj`
//! file the coordinate system.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use citymap_crs::Crs;
use citymap_geometry::wkt;
use citymap_model::{
    FieldType, GeometryKind, Value,
    text::{push_csv_cell, without_formula},
};

use gdal::spatial_ref::SpatialRef;

use super::{Failure, format::free, ogr::Job};

/// Writes a table with the geometry as well-known text in its first column. Gives the number of features.
pub(super) fn write(job: &Job<'_>, path: &Path, crs: Crs) -> Result<u64, Failure> {
    let spatial = job.definition.geometry != GeometryKind::None;
    write_types(job, &path.with_extension("csvt"), spatial)?;
    if spatial {
        std::fs::write(path.with_extension("prj"), SpatialRef::from_epsg(crs.code())?.to_wkt()?)?;
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut line = Vec::new();
    if job.excel {
        line.extend("\u{feff}".as_bytes());
    }
    let geometry = spatial.then(|| free("WKT", job.definition));
    let names = job.definition.fields.iter().map(|field| field.name.as_str());
    for (position, name) in geometry.as_deref().into_iter().chain(names).enumerate() {
        separate(&mut line, position);
        push_text(&mut line, name, job.excel);
    }
    let mut written = 0;
    job.each(&mut |record| {
        line.extend(b"\r\n");
        out.write_all(&line)?;
        line.clear();
        if let (true, Some(geometry)) = (spatial, &record.geometry) {
            line.push(b'"');
            wkt::write(&mut line, geometry);
            line.push(b'"');
        }
        for (position, value) in record.values.iter().enumerate() {
            separate(&mut line, position + usize::from(spatial));
            cell(&mut line, value, job.excel);
        }
        written += 1;
        Ok(())
    })?;
    line.extend(b"\r\n");
    out.write_all(&line)?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written)
}

fn separate(line: &mut Vec<u8>, position: usize) {
    if position > 0 {
        line.push(b',');
    }
}

fn cell(line: &mut Vec<u8>, value: &Value, excel: bool) {
    match value {
        Value::Text(text) => push_text(line, text, excel),
        // Numbers, days and instants never need quotes.
        other => line.extend(other.to_key().unwrap_or_default().as_bytes()),
    }
}

/// Appends a text, guarded where a spreadsheet will read it.
fn push_text(line: &mut Vec<u8>, text: &str, excel: bool) {
    match without_formula(text).filter(|_| excel) {
        Some(guarded) => push_csv_cell(line, &guarded),
        None => push_csv_cell(line, text),
    }
}

fn write_types(job: &Job<'_>, path: &Path, spatial: bool) -> Result<(), Failure> {
    let types = job.definition.fields.iter().map(|field| match field.field_type {
        FieldType::Bool => "Integer(Boolean)",
        FieldType::Int => "Integer64",
        FieldType::Real => "Real",
        FieldType::Text => "String",
        FieldType::Date => "Date",
        FieldType::DateTime => "DateTime",
    });
    let all: Vec<&str> = spatial.then_some("WKT").into_iter().chain(types).collect();
    Ok(std::fs::write(path, format!("{}\n", all.join(",")))?)
}
