//! Comma-separated values (RFC 4180) in UTF-8, geometry as well-known text.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use citymap_engine::ValueRef;
use citymap_model::{Geometry, GeometryKind};

use crate::{OutputError, RowWriter, Table};

pub(crate) struct CsvWriter {
    out: BufWriter<File>,
    path: PathBuf,
    spatial: bool,
    line: Vec<u8>,
}

impl CsvWriter {
    pub(crate) fn create(path: &Path, table: &Table, excel: bool) -> Result<Self, OutputError> {
        let file = File::create_new(path).map_err(|error| OutputError::io(path, error))?;
        let spatial = table.geometry != GeometryKind::None;
        let out = BufWriter::with_capacity(1 << 20, file);
        let mut csv = Self { out, path: path.to_owned(), spatial, line: Vec::new() };
        if excel {
            csv.line.extend("\u{feff}".as_bytes());
        }
        for (position, column) in table.columns.iter().enumerate() {
            csv.separate(position);
            text(&mut csv.line, &column.name);
        }
        if spatial {
            csv.separate(table.columns.len());
            csv.line.extend(b"wkt");
        }
        csv.end()?;
        Ok(csv)
    }

    fn separate(&mut self, position: usize) {
        if position > 0 {
            self.line.push(b',');
        }
    }

    fn end(&mut self) -> Result<(), OutputError> {
        self.line.extend(b"\r\n");
        self.out.write_all(&self.line).map_err(|error| OutputError::io(&self.path, error))?;
        self.line.clear();
        Ok(())
    }
}

impl RowWriter for CsvWriter {
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        for (position, value) in values.iter().enumerate() {
            self.separate(position);
            match value {
                ValueRef::Null => {}
                ValueRef::Text(value) => text(&mut self.line, value),
                // Numbers, days and instants never need quotes.
                value => self.line.extend(value.to_text().as_bytes()),
            }
        }
        if self.spatial {
            self.separate(values.len());
            if let Some(geometry) = geometry {
                self.line.push(b'"');
                wkt(&mut self.line, geometry);
                self.line.push(b'"');
            }
        }
        self.end()
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.out.flush().map_err(|error| OutputError::io(&self.path, error))
    }
}

/// Appends a text, in quotes where it needs them. An empty text is quoted too, which tells it from a missing
/// value.
fn text(out: &mut Vec<u8>, text: &str) {
    let special = |byte: u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let quoted = text.is_empty() || text.bytes().any(special) || text.starts_with(' ') || text.ends_with(' ');
    if !quoted {
        out.extend(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends well-known text; each number is the shortest that reads back as the same.
fn wkt(out: &mut Vec<u8>, geometry: &Geometry) {
    match geometry {
        Geometry::Point(point) => {
            out.extend(b"POINT ");
            coords(out, [&point.0]);
        }
        Geometry::LineString(line) => {
            out.extend(b"LINESTRING ");
            coords(out, &line.0);
        }
        Geometry::Polygon(polygon) => {
            out.extend(b"POLYGON ");
            rings(out, polygon);
        }
        Geometry::MultiPoint(points) => {
            out.extend(b"MULTIPOINT ");
            list(out, &points.0, |out, point| coords(out, [&point.0]));
        }
        Geometry::MultiLineString(lines) => {
            out.extend(b"MULTILINESTRING ");
            list(out, &lines.0, |out, line| coords(out, &line.0));
        }
        Geometry::MultiPolygon(polygons) => {
            out.extend(b"MULTIPOLYGON ");
            list(out, &polygons.0, rings);
        }
        Geometry::GeometryCollection(parts) => {
            out.extend(b"GEOMETRYCOLLECTION ");
            list(out, &parts.0, wkt);
        }
        Geometry::Line(line) => {
            out.extend(b"LINESTRING ");
            coords(out, [&line.start, &line.end]);
        }
        Geometry::Rect(rect) => wkt(out, &rect.to_polygon().into()),
        Geometry::Triangle(triangle) => wkt(out, &triangle.to_polygon().into()),
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    if items.is_empty() {
        out.extend(b"EMPTY");
        return;
    }
    out.push(b'(');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b')');
}

fn rings(out: &mut Vec<u8>, polygon: &geo_types::Polygon) {
    let rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
    list(out, &rings, |out, ring| coords(out, &ring.0));
}

fn coords<'a>(out: &mut Vec<u8>, coords: impl IntoIterator<Item = &'a geo_types::Coord>) {
    out.push(b'(');
    for (position, coord) in coords.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend(format!("{} {}", coord.x, coord.y).as_bytes());
    }
    out.push(b')');
}
