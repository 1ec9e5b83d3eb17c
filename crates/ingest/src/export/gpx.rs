//! GPX as we write it: points are waypoints, lines are tracks, and fields are extensions in the namespace in
//! which GDAL writes them, each with its type, so that the text `12` comes back as a text.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use citymap_model::{GeometryKind, Layer};
use geo_types::{Coord, Geometry, LineString};

use super::{
    Failure,
    kml::{escaped, text},
    names,
    ogr::Job,
    scan::Scan,
};

/// Why a layer cannot be written.
///
/// # Errors
/// What GPX has no room for.
pub(super) fn fits(definition: &Layer, scan: &Scan) -> Result<(), String> {
    let others = scan.polygons + scan.multipolygons + scan.collections + scan.multipoints;
    if matches!(definition.geometry, GeometryKind::Point | GeometryKind::Line)
        && others + scan.null + scan.empty == 0
    {
        return Ok(());
    }
    Err("GPX holds points (waypoints) and lines (tracks), each feature one of them with a geometry; use \
         .kml, .gpkg \
         or .geojson"
        .to_owned())
}

/// Writes a file. Gives the number of features.
pub(super) fn write(job: &Job<'_>, path: &Path) -> Result<u64, Failure> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"citymap\" \
          xmlns=\"http://www.topografix.com/GPX/1/1\" xmlns:ogr=\"http://osgeo.org/gdal\">\n",
    )?;
    let fields = &job.definition.fields;
    let names = names::names(job.format, fields);
    let label = job.definition.label.as_deref().and_then(|label| job.definition.field_index(label));
    let mut written = 0;
    job.each(&mut |record| {
        let mut inside = String::new();
        if let Some(name) = label.and_then(|label| record.values.get(label)).and_then(text) {
            inside.push_str(&format!("<name>{}</name>", escaped(&name)));
        }
        inside.push_str("<extensions>");
        for ((field, name), value) in fields.iter().zip(&names).zip(&record.values) {
            if let Some(text) = value.to_key() {
                let kind = format!(" type=\"{}\"", field.field_type.as_str());
                // Writing to a text does not fail.
                let _ = write!(inside, "<ogr:{name}{kind}>{}</ogr:{name}>", escaped(&text));
            }
        }
        inside.push_str("</extensions>");
        let shape = record.geometry.as_ref().map(|shape| element(shape, &inside)).unwrap_or_default();
        writeln!(out, "{shape}")?;
        written += 1;
        Ok(())
    })?;
    out.write_all(b"</gpx>\n")?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written)
}

fn position(element: &str, at: &Coord<f64>) -> String {
    format!("<{element} lat=\"{}\" lon=\"{}\">", at.y, at.x)
}

fn element(shape: &Geometry<f64>, inside: &str) -> String {
    let segment = |line: &LineString<f64>| {
        let points: String = line.coords().map(|at| position("trkpt", at) + "</trkpt>").collect();
        format!("<trkseg>{points}</trkseg>")
    };
    let track = |segments: String| format!("<trk>{inside}{segments}</trk>");
    match shape {
        Geometry::Point(point) => format!("{}{inside}</wpt>", position("wpt", &point.0)),
        Geometry::LineString(line) => track(segment(line)),
        Geometry::MultiLineString(lines) => track(lines.iter().map(segment).collect()),
        // What else there is was refused before.
        _ => String::new(),
    }
}
