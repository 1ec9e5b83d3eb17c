//! KML as we write it: fields are declared with their types, names and texts may hold any letter, and numbers
//! and coordinates keep every digit.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use citymap_model::{FieldType, Value};
use geo::CoordsIter;
use geo_types::{Coord, Geometry, LineString, Polygon};

use super::{Failure, ogr::Job, scan::is_unwritable};

/// Writes a document. Gives the number of features.
pub(super) fn write(job: &Job<'_>, path: &Path) -> Result<u64, Failure> {
    let mut out = BufWriter::new(File::create(path)?);
    let fields = &job.definition.fields;
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\">\n\
          <Document id=\"root_doc\">\n<Schema name=\"fields\" id=\"fields\">\n",
    )?;
    for (field, long) in fields.iter().zip(&job.scan.long) {
        let kind = match field.field_type {
            FieldType::Bool => "bool",
            FieldType::Int if !long => "int",
            FieldType::Real => "double",
            // Days, times and whole numbers beyond 32 bits have no type in KML.
            _ => "string",
        };
        writeln!(out, "<SimpleField name=\"{}\" type=\"{kind}\"/>", escaped(&field.name))?;
    }
    writeln!(out, "</Schema>\n<Folder>\n<name>{}</name>", escaped(job.definition.id.as_str()))?;
    let label = job.definition.label.as_deref().and_then(|label| job.definition.field_index(label));
    let mut written = 0;
    job.each(&mut |record| {
        out.write_all(b"<Placemark>\n")?;
        if let Some(name) = label.and_then(|label| record.values.get(label)).and_then(text) {
            writeln!(out, "<name>{}</name>", escaped(&name))?;
        }
        out.write_all(b"<ExtendedData><SchemaData schemaUrl=\"#fields\">\n")?;
        for (field, value) in fields.iter().zip(&record.values) {
            if let Some(text) = text(value) {
                let (name, text) = (escaped(&field.name), escaped(&text));
                writeln!(out, "<SimpleData name=\"{name}\">{text}</SimpleData>")?;
            }
        }
        out.write_all(b"</SchemaData></ExtendedData>\n")?;
        if let Some(shape) = record.geometry.as_ref().filter(|shape| shape.coords_count() > 0) {
            let mut text = String::new();
            geometry(&mut text, shape);
            writeln!(out, "{text}")?;
        }
        out.write_all(b"</Placemark>\n")?;
        written += 1;
        Ok(())
    })?;
    out.write_all(b"</Folder>\n</Document>\n</kml>\n")?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written)
}

/// A value as a text of KML, whose truths are 1 and 0; `None` if there is none.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(u8::from(*truth).to_string()),
        Value::Real(number) if !number.is_finite() => None,
        other => other.to_key(),
    }
}

/// A text as XML 1.0 takes it: control characters, which it cannot hold, become U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Readers would make blanks and line feeds of them.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            letter if is_unwritable(letter) => out.push('\u{FFFD}'),
            letter => out.push(letter),
        }
    }
    out
}

fn positions<'a>(out: &mut String, all: impl IntoIterator<Item = &'a Coord<f64>>) {
    out.push_str("<coordinates>");
    for (at, position) in all.into_iter().enumerate() {
        let blank = if at > 0 { " " } else { "" };
        // Writing to a text does not fail.
        let _ = write!(out, "{blank}{},{}", position.x, position.y);
    }
    out.push_str("</coordinates>");
}

fn line(out: &mut String, line: &LineString<f64>) {
    out.push_str("<LineString>");
    positions(out, line.coords());
    out.push_str("</LineString>");
}

fn polygon(out: &mut String, polygon: &Polygon<f64>) {
    let ring = |out: &mut String, element: &str, ring: &LineString<f64>| {
        let _ = write!(out, "<{element}><LinearRing>");
        positions(out, ring.coords());
        let _ = write!(out, "</LinearRing></{element}>");
    };
    out.push_str("<Polygon>");
    ring(out, "outerBoundaryIs", polygon.exterior());
    for hole in polygon.interiors() {
        ring(out, "innerBoundaryIs", hole);
    }
    out.push_str("</Polygon>");
}

fn geometry(out: &mut String, shape: &Geometry<f64>) {
    let several = |out: &mut String, parts: &mut dyn FnMut(&mut String)| {
        out.push_str("<MultiGeometry>");
        parts(out);
        out.push_str("</MultiGeometry>");
    };
    let point = |out: &mut String, at: &Coord<f64>| {
        out.push_str("<Point>");
        positions(out, [at]);
        out.push_str("</Point>");
    };
    match shape {
        Geometry::Point(one) => point(out, &one.0),
        Geometry::MultiPoint(many) => several(out, &mut |out| many.iter().for_each(|one| point(out, &one.0))),
        Geometry::Line(one) => line(out, &LineString::from(one)),
        Geometry::LineString(one) => line(out, one),
        Geometry::MultiLineString(many) => {
            several(out, &mut |out| many.iter().for_each(|one| line(out, one)));
        }
        Geometry::Polygon(one) => polygon(out, one),
        Geometry::MultiPolygon(many) => {
            several(out, &mut |out| many.iter().for_each(|one| polygon(out, one)));
        }
        Geometry::Rect(rect) => polygon(out, &rect.to_polygon()),
        Geometry::Triangle(triangle) => polygon(out, &triangle.to_polygon()),
        Geometry::GeometryCollection(many) => {
            several(out, &mut |out| many.iter().for_each(|one| geometry(out, one)));
        }
    }
}
