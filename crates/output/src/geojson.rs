//! GeoJSON (RFC 7946): a feature collection, one feature a line.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use citymap_engine::ValueRef;
use citymap_model::{Geometry, json};
use geo::{Orient, orient::Direction};

use crate::{OutputError, RowWriter, Table};

pub(crate) struct GeoJsonWriter {
    out: BufWriter<File>,
    path: PathBuf,
    /// The name of each column as a JSON text.
    names: Vec<Vec<u8>>,
    line: Vec<u8>,
    rows: u64,
    written: u64,
}

impl GeoJsonWriter {
    pub(crate) fn create(path: &Path, table: &Table) -> Result<Self, OutputError> {
        let file = File::create_new(path).map_err(|error| OutputError::io(path, error))?;
        let text = |text: &str| {
            let mut out = Vec::new();
            json::text(&mut out, text);
            out
        };
        let names = table.columns.iter().map(|column| text(&column.name)).collect();
        let mut line = b"{\"type\":\"FeatureCollection\",\"name\":".to_vec();
        line.extend(text(&table.name.to_string()));
        line.extend(b",\"features\":[");
        let out = BufWriter::with_capacity(1 << 20, file);
        let mut writer = Self { out, path: path.to_owned(), names, line, rows: 0, written: 0 };
        writer.flush_line()?;
        Ok(writer)
    }

    fn flush_line(&mut self) -> Result<(), OutputError> {
        self.out.write_all(&self.line).map_err(|error| OutputError::io(&self.path, error))?;
        self.written += self.line.len() as u64;
        self.line.clear();
        Ok(())
    }
}

/// The geometry with outer rings counterclockwise and holes clockwise (RFC 7946, 3.1.6).
fn oriented(geometry: &Geometry) -> Cow<'_, Geometry> {
    match geometry {
        Geometry::Polygon(polygon) => Cow::Owned(polygon.orient(Direction::Default).into()),
        Geometry::MultiPolygon(polygons) => Cow::Owned(polygons.orient(Direction::Default).into()),
        other => Cow::Borrowed(other),
    }
}

fn push(out: &mut Vec<u8>, value: &ValueRef<'_>) {
    match value {
        ValueRef::Null => out.extend(b"null"),
        ValueRef::Text(value) => json::text(out, value),
        ValueRef::Date(_) | ValueRef::DateTime(_) => json::text(out, &value.to_text()),
        ValueRef::Real(value) => json::number(out, *value),
        ValueRef::Bool(_) | ValueRef::Int(_) => out.extend(value.to_text().as_bytes()),
    }
}

impl RowWriter for GeoJsonWriter {
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        self.line.extend(if self.rows > 0 { &b",\n"[..] } else { b"\n" });
        self.rows += 1;
        self.line.extend(b"{\"type\":\"Feature\",\"properties\":{");
        for (position, (name, value)) in self.names.iter().zip(values).enumerate() {
            if position > 0 {
                self.line.push(b',');
            }
            self.line.extend(name);
            self.line.push(b':');
            push(&mut self.line, value);
        }
        self.line.extend(b"},\"geometry\":");
        match geometry {
            None => self.line.extend(b"null"),
            Some(geometry) => {
                json::value(&mut self.line, &geojson::Geometry::from(oriented(geometry).as_ref()));
            }
        }
        self.line.push(b'}');
        self.flush_line()
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.line.extend(b"\n]}\n");
        self.flush_line()?;
        self.out.flush().map_err(|error| OutputError::io(&self.path, error))
    }
}
