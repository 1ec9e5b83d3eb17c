//! Comma-separated values (RFC 4180) in UTF-8, geometry as well-known text.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use citymap_engine::ValueRef;
use citymap_geometry::wkt;
use citymap_model::{
    Geometry, GeometryKind,
    text::{push_csv_cell, without_formula},
};

use crate::{OutputError, RowWriter, Table};

pub(crate) struct CsvWriter {
    out: BufWriter<File>,
    path: PathBuf,
    spatial: bool,
    /// Whether a spreadsheet will read it, which must not take a text for a formula.
    excel: bool,
    line: Vec<u8>,
    written: u64,
}

impl CsvWriter {
    pub(crate) fn create(path: &Path, table: &Table, excel: bool) -> Result<Self, OutputError> {
        let file = File::create_new(path).map_err(|error| OutputError::io(path, error))?;
        let spatial = table.geometry != GeometryKind::None;
        let out = BufWriter::with_capacity(1 << 20, file);
        let mut csv = Self { out, path: path.to_owned(), spatial, excel, line: Vec::new(), written: 0 };
        if excel {
            csv.line.extend("\u{feff}".as_bytes());
        }
        for (position, column) in table.columns.iter().enumerate() {
            csv.separate(position);
            match without_formula(&column.name).filter(|_| excel) {
                Some(guarded) => push_csv_cell(&mut csv.line, &guarded),
                None => push_csv_cell(&mut csv.line, &column.name),
            }
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
        self.written += self.line.len() as u64;
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
                ValueRef::Text(value) => match without_formula(value).filter(|_| self.excel) {
                    Some(guarded) => push_csv_cell(&mut self.line, &guarded),
                    None => push_csv_cell(&mut self.line, value),
                },
                // Numbers, days and instants never need quotes.
                value => self.line.extend(value.to_text().as_bytes()),
            }
        }
        if self.spatial {
            self.separate(values.len());
            if let Some(geometry) = geometry {
                self.line.push(b'"');
                wkt::write(&mut self.line, geometry);
                self.line.push(b'"');
            }
        }
        self.end()
    }

    fn bytes(&self) -> u64 {
        self.written
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.out.flush().map_err(|error| OutputError::io(&self.path, error))
    }
}
