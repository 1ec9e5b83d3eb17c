//! Spreadsheets (XLSX, ODS): each sheet is a table, read by the rules for CSV.
//!
//! GDAL reads the cells as text. The rows above the line with the columns' names (titles, dates, offices) are
//! passed over, and columns of coordinates are found as they are in a CSV.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use gdal::{
    Dataset, DatasetOptions, GdalOpenFlags,
    vector::{Layer, LayerAccess},
};
use tempfile::TempDir;

use super::{
    Body, Format, Parsed, Reader, Sink, SourceLayer, archive,
    csv::CsvReader,
    foreign,
    markup::{Tag, Tags},
    zipped::{renamed, without_folder},
};
use crate::{ImportError, Request, gdal_log};

/// Rows in which the line with the columns' names is looked for.
const LOOKED_AT: usize = 50;
/// Decimal digits from which on a number is the nearest text of a binary one.
const DIGITS: usize = 16;

/// A spreadsheet, each sheet as a table.
pub(crate) struct SpreadsheetReader {
    driver: &'static str,
    notes: Vec<String>,
    shown: String,
    sheets: Vec<CsvReader>,
    folder: TempDir,
}

impl Reader for SpreadsheetReader {
    fn driver(&self) -> &str {
        self.driver
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        self.sheets.iter().flat_map(Reader::layers).collect()
    }

    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let Some(sheet) = self.sheets.get(layer) else { return Ok(Vec::new()) };
        sheet.read(0, sink).map_err(|error| renamed(error, &self.shown, self.folder.path()))
    }

    fn parse(&self, layer: usize, body: Body) -> Parsed {
        match self.sheets.get(layer) {
            Some(sheet) => sheet.parse(0, body),
            None => foreign(body),
        }
    }
}

impl SpreadsheetReader {
    /// Opens a spreadsheet and looks its sheets through.
    ///
    /// # Errors
    /// [`ImportError`] if it is damaged or holds no row, or the request names a column that is not there.
    pub(crate) fn open(path: &Path, format: Format, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let damaged = |reason: String| {
            ImportError::unreadable(&shown, reason, "it may be damaged or cut off: get it again")
        };
        archive::verify(path)
            .map_err(|error| damaged(format!("is a spreadsheet that cannot be unpacked ({error})")))?;
        let dataset = opened(path, format).map_err(damaged)?;
        let folder = tempfile::tempdir().map_err(|error| damaged(error.to_string()))?;
        let mut reader = Self {
            driver: if format == Format::Ods { "ODS" } else { "XLSX" },
            notes: Vec::new(),
            shown: shown.clone(),
            sheets: Vec::new(),
            folder,
        };
        let from_1904 = counts_from_1904(path).map_err(|error| damaged(error.to_string()))?;
        let mut empty = Vec::new();
        for mut sheet in dataset.layers() {
            let name = sheet.name();
            let rows = cells(&mut sheet);
            if from_1904 && rows.iter().flatten().any(|cell| begins_with_day(cell, b'-')) {
                return Err(ImportError::unreadable(
                    &shown,
                    "counts its days from 1904 and not from 1900: they would be four years off",
                    "save it as CSV or ODS, and import that",
                ));
            }
            let Some(header) = header(&rows) else {
                empty.push(name);
                continue;
            };
            if header > 0 {
                reader.notes.push(format!(
                    "sheet `{name}`: the columns' names were found in row {}; the rows above were left out",
                    header + 1
                ));
            }
            let file = reader.folder.path().join(format!("{}.csv", name.replace(['/', '\0'], "_")));
            write(&file, &rows, header).map_err(|error| damaged(error.to_string()))?;
            let table = CsvReader::open(&file, request)
                .map_err(|error| renamed(error, &shown, reader.folder.path()))?;
            let notes = table.notes().iter().map(|note| without_folder(note, reader.folder.path()));
            reader.notes.extend(notes.map(|note| format!("sheet `{name}`: {note}")));
            reader.sheets.push(table);
        }
        if let Some(message) = gdal_log::take().into_iter().find(|message| message.error) {
            return Err(damaged(message.text));
        }
        if reader.sheets.is_empty() {
            return Err(ImportError::unreadable(&shown, "holds no row", "check that it is the right file"));
        }
        if !empty.is_empty() {
            reader.notes.push(format!("empty sheets were left out: {}", empty.join(", ")));
        }
        Ok(reader)
    }
}

/// Opens a spreadsheet so that each cell comes as text, the first row too.
fn opened(path: &Path, format: Format) -> Result<Dataset, String> {
    for (key, setting) in [
        ("OGR_XLSX_HEADERS", "DISABLE"),
        ("OGR_ODS_HEADERS", "DISABLE"),
        ("OGR_XLSX_FIELD_TYPES", "STRING"),
        ("OGR_ODS_FIELD_TYPES", "STRING"),
    ] {
        gdal::config::set_thread_local_config_option(key, setting).map_err(|error| error.to_string())?;
    }
    gdal_log::take();
    Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
            allowed_drivers: Some(format.drivers()),
            open_options: None,
            sibling_files: None,
        },
    )
    .map_err(|error| gdal_log::first().unwrap_or_else(|| error.to_string()))
}

/// The cells of a sheet as text.
fn cells(sheet: &mut Layer<'_>) -> Vec<Vec<String>> {
    let columns = sheet.defn().fields().count();
    let text = |row: &gdal::vector::Feature<'_>, column| row.field_as_string(column).ok().flatten();
    sheet
        .features()
        .map(|row| (0..columns).map(|column| plain(text(&row, column).unwrap_or_default())).collect())
        .collect()
}

/// A cell as a CSV would have it: days and times in ISO 8601, and numbers without the digits that only tell
/// how a machine keeps them (`0.10000000000000001`).
fn plain(text: String) -> String {
    if begins_with_day(&text, b'/') {
        let day = text[..10].replace('/', "-");
        return match text[10..].trim() {
            "" => day,
            clock => format!("{day}T{clock}"),
        };
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits >= DIGITS
        && text.contains('.')
        && let Ok(number) = text.parse::<f64>()
        && number.is_finite()
    {
        return number.to_string();
    }
    text
}

/// Whether a text begins with four, two and two digits and this sign between them.
fn begins_with_day(text: &str, sign: u8) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == sign,
            _ => byte.is_ascii_digit(),
        })
}

/// Whether a workbook counts its days from 1 January 1904, as those of old Macintosh programs do. GDAL does
/// not look at that.
fn counts_from_1904(path: &Path) -> io::Result<bool> {
    let members = archive::members(path)?;
    let Some(workbook) = members.iter().find(|member| member.name == "xl/workbook.xml") else {
        return Ok(false);
    };
    let folder = tempfile::tempdir()?;
    let text = fs::read_to_string(archive::unpack(path, workbook, folder.path())?)?;
    let says_so = |tag: Tag<'_>| {
        let value = tag.attribute("date1904").filter(|_| tag.name == "workbookPr");
        value.is_some_and(|value| matches!(value.as_str(), "1" | "true" | "on"))
    };
    Ok(Tags::of(&text).any(says_so))
}

/// The row with the columns' names: the first one that fills most of the columns. None of an empty sheet.
fn header(rows: &[Vec<String>]) -> Option<usize> {
    let filled = |row: &Vec<String>| row.iter().filter(|cell| !cell.trim().is_empty()).count();
    let widest = rows.iter().take(LOOKED_AT).map(filled).max().filter(|width| *width > 0)?;
    rows.iter().take(LOOKED_AT).position(|row| 5 * filled(row) >= 3 * widest)
}

/// Writes a sheet as CSV. Rows above the header are empty lines, so that a line is a row of the sheet.
fn write(path: &Path, rows: &[Vec<String>], header: usize) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for (index, row) in rows.iter().enumerate() {
        if index >= header && row.iter().any(|cell| !cell.is_empty()) {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| {
                    let needed = cell.contains(['"', ',', '\n', '\r', ';', '\t', '|']);
                    if needed { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
                })
                .collect();
            out.write_all(cells.join(",").as_bytes())?;
        }
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_a_csv_has_them() {
        for (cell, expected) in [
            ("2025/07/01", "2025-07-01"),
            ("2025/07/01 08:30:00", "2025-07-01T08:30:00"),
            ("123/45/6", "123/45/6"),
            ("0.10000000000000001", "0.1"),
            ("603481.58799999999", "603481.588"),
            ("079123456789012345", "079123456789012345"),
        ] {
            assert_eq!(plain(cell.to_owned()), expected);
        }
    }

    #[test]
    fn titles_stand_above_the_header() {
        let rows = |rows: &[&[&str]]| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
        };
        assert_eq!(header(&rows(&[&["a", "b"], &["1", "2"]])), Some(0));
        let titled = rows(&[&["UBND", "", ""], &["", "", ""], &["TT", "X (m)", "Y (m)"], &["1", "2", "3"]]);
        assert_eq!(header(&titled), Some(2));
        assert_eq!(header(&rows(&[&["", ""]])), None);
    }
}
