//! Tables of text: delimiter, quotes, line ends and encoding found out; points from two columns, or geometry
//! from a column with it as text.

mod header;
mod rows;
mod seen;
mod sidecar;

use std::{fs, path::Path};

use citymap_model::{Field, GeometryKind, counted, text::with_formula};

use super::{
    Body, Parsed, Raw, Reader, Shape, Sink, SourceLayer, foreign,
    record::ValueReader,
    survey::{ByteTexts, SAMPLE, SeenPoints, Survey, first_position, settle, undecoded},
    table::{self, TablePlace},
    utf16,
};
use crate::{ImportError, Request, dates::DateStyle, encoding::TextDecoder, srs::Srs};

use header::{Header, delimiter};
use rows::Rows;
use seen::SeenRows;

/// A table, held in memory.
pub(crate) struct CsvReader {
    pub notes: Vec<String>,
    pub layer: SourceLayer,
    bytes: Vec<u8>,
    /// Where the rows begin, and on which line.
    start: (usize, u64),
    delimiter: u8,
    decoder: TextDecoder,
    /// The names of all columns, that of the geometry among them.
    names: Vec<String>,
    place: TablePlace,
    reader: ValueReader,
    /// How the dates of each field are written, where they are not as ISO 8601 has them.
    styles: Vec<Option<DateStyle>>,
    /// Whether it may be our own table for spreadsheets, with apostrophes before formulas.
    guarded: bool,
}

impl Reader for CsvReader {
    fn driver(&self) -> &str {
        "CSV"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        vec![&self.layer]
    }

    fn read(&self, _layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let mut index = 0;
        for row in Rows::new(&self.bytes, self.start.0, self.start.1, self.delimiter) {
            if row.is_blank() {
                continue;
            }
            index += 1;
            let line = row.line;
            let body = match row.cells {
                // Decoding is work for many threads: bytes go as they are.
                Ok(cells) => Body::Cells(cells),
                Err(reason) => Body::Broken { text: self.decoder.decode(row.text).text.into_bytes(), reason },
            };
            if !sink(Raw { index, line: Some(line), body }) {
                break;
            }
        }
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        match body {
            Body::Cells(cells) => self.feature(&cells),
            other => foreign(other),
        }
    }
}

impl CsvReader {
    /// Opens a table: finds out its delimiter, header, encoding, types and coordinates, with one look at
    /// every row.
    ///
    /// # Errors
    /// [`ImportError`] if the file cannot be read or has no line with the columns' names, or the request
    /// names a column that is not there.
    pub(crate) fn open(path: &Path, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        let (bytes, guarded) = text_of(path, &shown, &mut notes)?;
        let (start, delimiter) = delimiter(&bytes);
        let header = Header::read(&bytes, start, delimiter, &shown)?;
        let texts = texts(&bytes, start, delimiter);
        let (encoding, decoder) = settle(&texts, request.encoding, None, &mut warnings);
        let mut names = header.names(decoder, &shown, request, &mut warnings)?;
        let mut formulas = 0;
        if guarded {
            formulas += names.iter_mut().map(|name| u64::from(take_guard(name))).sum::<u64>();
            warnings.extend(super::distinct(&mut names));
        }
        let rows = Rows::new(&bytes, header.end.0, header.end.1, delimiter);
        let seen = SeenRows::of(rows, names.len(), decoder);
        if guarded {
            formulas += seen.formulas;
        }
        if formulas > 0 {
            notes.push(format!(
                "texts with the apostrophe that `export --excel` writes before formulas: {formulas}; it was \
                 taken away"
            ));
        }
        if seen.trimmed > 0 {
            notes.push(format!(
                "cells with spaces around a text that is not in quotes: {}; the spaces were left out",
                seen.trimmed
            ));
        }
        if seen.blank > 0 {
            notes.push(format!(
                "{} left out",
                counted(
                    seen.blank,
                    "row of nothing but delimiters was",
                    "rows of nothing but delimiters were"
                )
            ));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut found = table::find(&names, seen.rows.items(), request, &shown)?;
        if let Some(column) = found.place.geometry_column() {
            let rows = Rows::new(&bytes, header.end.0, header.end.1, delimiter);
            let cells = rows.filter_map(|row| Some(decoder.decode(row.cells.ok()?.get(column)?).text));
            found.settle(&names, cells, request.asked_crs(&name), sidecar::system(path));
        } else if found.place != TablePlace::None {
            found.settle(&names, std::iter::empty(), None, sidecar::system(path));
        } else {
            notes.push(table::NO_PLACE.into());
        }
        warnings.append(&mut found.warnings);
        let declared = sidecar::types(path, names.len());
        let (types, mut of_types) = seen.types(&names, &found.place, request, &declared);
        warnings.append(&mut of_types);
        let (fields, styles) = names
            .iter()
            .zip(types)
            .enumerate()
            .filter(|(column, _)| found.place.geometry_column() != Some(*column))
            .map(|(_, (name, (field_type, style)))| (Field::new(name.clone(), field_type), style))
            .unzip();
        let points = found.place.coordinate_columns().is_some();
        let mut source = Self {
            notes,
            layer: SourceLayer {
                name,
                fields,
                kind: if points { GeometryKind::Point } else { GeometryKind::None },
                systems: found.place.systems(),
                srs: found.srs,
                exchangeable: found.exchangeable,
                points: SeenPoints::default(),
                encoding,
                count: Some(seen.count),
                sample: Vec::new(),
                role: None,
                warnings,
                title: None,
                attribution: None,
            },
            bytes,
            start: header.end,
            delimiter,
            decoder,
            names,
            place: found.place,
            reader: ValueReader::of(request),
            styles,
            guarded,
        };
        source.look();
        Ok(source)
    }

    /// Kinds of geometry and some places, through the same eyes as the reading.
    fn look(&mut self) {
        let mut survey = Survey::default();
        for row in Rows::new(&self.bytes, self.start.0, self.start.1, self.delimiter) {
            if row.is_blank() {
                continue;
            }
            let Ok(cells) = row.cells else { continue };
            if self.place.coordinate_columns().is_some() && survey.sample.len() >= SAMPLE {
                survey.points.take_later(|| self.first_position(&cells));
                continue;
            }
            if self.place == TablePlace::None && survey.sample.len() >= SAMPLE {
                break;
            }
            let parsed = self.feature(&cells);
            if parsed.fault.is_none() {
                survey.values(&parsed.values);
            }
            if let Shape::Good(geometry) = &parsed.geometry {
                survey.geometry(geometry, parsed.system);
            }
        }
        if let Some(kind) = survey.kind {
            self.layer.kind = kind;
        }
        if self.layer.kind == GeometryKind::None {
            self.layer.srs = Srs::None;
        }
        self.layer.points = survey.points;
        self.layer.sample = survey.sample;
    }

    /// The position of a row, from its cells.
    fn first_position(&self, cells: &[Vec<u8>]) -> Option<[f64; 2]> {
        let [x, y] = self.place.coordinate_columns()?;
        let text = |column: usize| {
            let mut text = self.decoder.decode(cells.get(column)?).text;
            if self.guarded {
                take_guard(&mut text);
            }
            Some(text)
        };
        let (x_text, y_text) = (text(x)?, text(y)?);
        let row = self.place.shape(&self.names, |column| if column == x { &x_text } else { &y_text });
        if let Shape::Good(geometry) = &row.shape { first_position(geometry) } else { None }
    }

    /// One feature of the file, from its cells.
    fn feature(&self, cells: &[Vec<u8>]) -> Parsed {
        let columns = self.names.len();
        let mut warnings = Vec::new();
        let mut texts: Vec<String> = Vec::with_capacity(columns.max(cells.len()));
        for (column, cell) in cells.iter().enumerate() {
            let decoded = self.decoder.decode(cell);
            if decoded.unknown > 0 {
                let name = self.names.get(column).map_or("", String::as_str);
                warnings.push(undecoded(name, self.decoder.encoding_of(cell)));
            }
            let mut text = decoded.text;
            if self.guarded {
                take_guard(&mut text);
            }
            texts.push(text);
        }
        if texts.len() > columns {
            if texts[columns..].iter().any(|cell| !cell.is_empty()) {
                let reason = format!(
                    "the row has {} and the header {columns}; a text with the delimiter in it must stand in \
                     quotes (\")",
                    counted(texts.len(), "column", "columns")
                );
                return super::broken(texts.join(" | ").as_bytes(), reason);
            }
            texts.truncate(columns);
        }
        if texts.len() < columns {
            warnings.push(format!(
                "the row has {} and the header {columns}; the missing ones are null",
                counted(texts.len(), "column", "columns")
            ));
            texts.resize(columns, String::new());
        }
        let row = self.place.shape(&self.names, |column| texts.get(column).map_or("", String::as_str));
        if let Some(column) = self.place.geometry_column() {
            texts.remove(column);
        }
        let values = texts
            .into_iter()
            .zip(self.layer.fields.iter().zip(&self.styles))
            .map(|(cell, (field, style))| self.reader.dated(cell, field.field_type, *style))
            .collect();
        Parsed {
            id: None,
            geometry: row.shape,
            values,
            fault: None,
            warnings,
            dropped_z: row.dropped_z,
            curved: row.curved,
            system: row.system,
        }
    }
}

/// Takes the apostrophe away that our export for spreadsheets writes before formulas; false if there is none.
fn take_guard(text: &mut String) -> bool {
    let Some(own) = with_formula(text) else { return false };
    *text = own.to_owned();
    true
}

/// The bytes of a table in an encoding of one byte a sign or UTF-8, without a mark at their beginning; and
/// whether there was a mark of UTF-8, as our export for spreadsheets writes it.
fn text_of(path: &Path, shown: &str, notes: &mut Vec<String>) -> Result<(Vec<u8>, bool), ImportError> {
    let mut bytes = fs::read(path).map_err(|error| {
        ImportError::unreadable(shown, format!("cannot be read ({error})"), "check the disk it is on")
    })?;
    if let Some(order) = utf16::order(&bytes) {
        let text = utf16::to_utf8(&bytes, order);
        notes.push(text.note());
        return Ok((text.bytes, false));
    }
    let marked = bytes.starts_with(b"\xEF\xBB\xBF");
    if marked {
        bytes.drain(..3);
    }
    Ok((bytes, marked))
}

/// The cells of a table that need an encoding.
fn texts(bytes: &[u8], start: (usize, u64), delimiter: u8) -> ByteTexts {
    let mut texts = ByteTexts::default();
    for row in Rows::new(bytes, start.0, start.1, delimiter) {
        if row.text.is_ascii() {
            continue;
        }
        match row.cells {
            Ok(cells) => {
                let marked = cells.into_iter().filter(|cell| !cell.is_ascii());
                marked.for_each(|cell| texts.push(row.line, cell));
            }
            Err(_broken) => texts.push(row.line, row.text.to_vec()),
        }
    }
    texts
}

/// The rows of a small table in UTF-8, without those that are blank.
///
/// # Errors
/// The first line that cannot be read, and why.
pub(crate) fn text_rows(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>, String> {
    let mut table = Vec::new();
    for row in Rows::new(text.as_bytes(), 0, 1, delimiter) {
        if row.is_blank() {
            continue;
        }
        let cells = row.cells.map_err(|reason| format!("line {}: {reason}", row.line))?;
        table.push(cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
    }
    Ok(table)
}
