//! Cells of a `.dbf`, or of the `.dat` of a MapInfo table, as they lie in it, where GDAL gives less: whole
//! numbers of 19 digits and more come as numbers with decimals, cells that are no numbers as the number
//! that they begin with (`7,5` as 7), `****` as nothing, and texts in the encoding that the file declares,
//! whatever they are in.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use citymap_model::{FieldType, Value};

use crate::{
    encoding::{Encoding, contradicts, detect},
    source::keeps_digits,
};

/// Digits that 64 bits hold for certain.
const CERTAIN_DIGITS: usize = 18;
/// Whole numbers that a number with decimals next to them keeps exactly.
const EXACT: u64 = 1 << 53;
/// Texts beyond ASCII that are looked at.
const TEXTS: usize = 20_000;

/// A column of a `.dbf`.
#[derive(Clone, Debug)]
struct Column {
    /// Its name, each byte as the character of that number.
    name: String,
    /// Its type: `C` text, `N` and `F` numbers, …
    kind: u8,
    /// Where it is in a row, and how many bytes it has.
    at: usize,
    width: usize,
    decimals: u8,
}

/// A table whose digits are read here.
pub(super) struct Source {
    /// The `.dbf`, or the `.dat` of a MapInfo table.
    pub path: PathBuf,
    /// The names of its columns, where the table cuts them short.
    pub names: Option<Vec<String>>,
    /// The number that GDAL gives the first row.
    pub first: u64,
}

impl Source {
    /// A `.dbf` with its own names.
    pub(super) fn dbf(path: PathBuf) -> Self {
        Self { path, names: None, first: 0 }
    }
}

/// A `.dbf` and its columns.
struct Table {
    file: File,
    columns: Vec<Column>,
    head: u64,
    row: usize,
}

/// Columns of numbers that GDAL does not give as they are written.
pub(super) struct Digits {
    table: Table,
    /// Columns with the type that all their cells fit: numbers, or text.
    columns: Vec<(Column, FieldType)>,
    /// The number that GDAL gives the first row.
    first: u64,
    /// What there is to say of cells that are no numbers.
    pub notes: Vec<String>,
}

impl Table {
    /// Reads the head; none of a file that is too short to have one, which GDAL refuses.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let mut head = [0; 32];
        if file.read_exact_at(&mut head, 0).is_err() {
            return Ok(None);
        }
        let size = u64::from(u16::from_le_bytes([head[8], head[9]]));
        let row = usize::from(u16::from_le_bytes([head[10], head[11]]));
        let mut described = Vec::new();
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        let mut at = 1;
        for field in bytes.get(32..).unwrap_or_default().chunks_exact(32).take_while(|f| f[0] != 0x0D) {
            let name =
                field[..11].iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
            let width = usize::from(field[16]);
            described.push(Column { name, kind: field[11], at, width, decimals: field[17] });
            at += width;
        }
        Ok(Some(Self { file, columns: described, head: size, row: row.max(1) }))
    }

    /// Hands over every row until `false` comes back.
    fn rows(&self, each: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
        let mut source = BufReader::with_capacity(1 << 18, Positioned { file: &self.file, at: self.head });
        let mut row = vec![0; self.row];
        loop {
            match source.read_exact(&mut row) {
                Ok(()) if row[0] == 0x1A => return Ok(()),
                Ok(()) => {
                    if !each(&row) {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// A file that is read from a position of its own.
struct Positioned<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Column {
    fn is_number(&self) -> bool {
        matches!(self.kind, b'N' | b'F')
    }

    fn cell<'a>(&self, row: &'a [u8]) -> &'a [u8] {
        let cell = row.get(self.at..self.at + self.width).unwrap_or_default();
        let end = cell.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        cell[..end].trim_ascii()
    }
}

/// What a cell of a column of numbers holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Blank,
    /// `****`: absent (GDAL and QGIS write that), or too large for the column (dBASE does).
    Stars,
    Whole(i64),
    /// More digits than 64 bits hold.
    Long,
    Real(f64),
    /// No number, or one with zeros before it, which may be a code.
    Other,
}

/// What the cells of a column of numbers showed.
#[derive(Clone, Default)]
struct Seen {
    stars: u64,
    long: bool,
    real: bool,
    /// Numbers with more digits than one with decimals keeps.
    rounded: bool,
    /// Whole numbers that a number with decimals would not hold.
    inexact: bool,
    others: u64,
    /// The row of the first of them, from 1.
    first_other: u64,
}

impl Seen {
    fn see(&mut self, bytes: &[u8], row: u64) {
        let cell = number(bytes);
        match cell {
            Cell::Blank => {}
            Cell::Stars => self.stars += 1,
            Cell::Whole(number) => self.inexact |= number.unsigned_abs() > EXACT,
            Cell::Long => self.long = true,
            Cell::Real(_) => {
                self.real = true;
                self.rounded |= !keeps_digits(&text(bytes));
            }
            Cell::Other => {
                self.others += 1;
                if self.first_other == 0 {
                    self.first_other = row;
                }
            }
        }
    }

    /// Whether neither whole numbers nor ones with decimals keep all digits.
    fn loses_digits(&self, whole: bool) -> bool {
        self.long || self.rounded || (self.inexact && (self.real || !whole))
    }

    /// The type by which the cells are read here; `None` where GDAL reads them as they are.
    fn type_of(&self, column: &Column) -> Option<FieldType> {
        let whole = column.decimals == 0;
        if self.others > 0 || self.loses_digits(whole) {
            Some(FieldType::Text)
        } else if whole && self.real {
            Some(FieldType::Real)
        } else {
            (whole && column.width > CERTAIN_DIGITS).then_some(FieldType::Int)
        }
    }
}

impl Digits {
    /// Looks through the table, once. `is_text` says whether a field is to be text, as it is written.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be read.
    pub(super) fn of(source: &Source, is_text: &dyn Fn(&str) -> bool) -> io::Result<Option<Self>> {
        let Some(mut table) = Table::open(&source.path)? else { return Ok(None) };
        if let Some(names) = &source.names {
            if names.len() != table.columns.len() {
                return Ok(None);
            }
            table.columns.iter_mut().zip(names).for_each(|(column, name)| column.name.clone_from(name));
        }
        let numbers: Vec<Column> =
            table.columns.iter().filter(|column| column.is_number()).cloned().collect();
        let mut seen = vec![Seen::default(); numbers.len()];
        if !numbers.is_empty() {
            let mut at = 0;
            table.rows(&mut |row| {
                at += 1;
                // Deleted rows are not read.
                if row.first() != Some(&b'*') {
                    seen.iter_mut().zip(&numbers).for_each(|(seen, own)| seen.see(own.cell(row), at));
                }
                true
            })?;
        }
        let mut notes: Vec<String> = stars_note(&numbers, &seen).into_iter().collect();
        let mut columns = Vec::new();
        for (column, seen) in numbers.into_iter().zip(&seen) {
            if is_text(&column.name) {
                columns.push((column, FieldType::Text));
            } else if let Some(own) = seen.type_of(&column) {
                notes.extend(type_note(&column, own, seen));
                columns.push((column, own));
            }
        }
        Ok(Some(Self { columns, first: source.first, notes, table }))
    }

    /// The type of a column whose digits are read here, by its name as GDAL gives it byte by byte.
    pub(super) fn type_of(&self, name: &str) -> Option<FieldType> {
        self.columns.iter().find(|(column, _)| column.name == name).map(|(_, own)| *own)
    }

    /// Puts the digits of a record in the place of what GDAL made of them. `names` are the fields' names
    /// byte by byte.
    pub(super) fn put_back(&self, record: Option<u64>, names: &[String], values: &mut [Value]) {
        let record = record.filter(|_| !self.columns.is_empty()).and_then(|own| own.checked_sub(self.first));
        let Some(record) = record else { return };
        let mut row = vec![0; self.table.row];
        let at = self.table.head + record * self.table.row as u64;
        if self.table.file.read_exact_at(&mut row, at).is_err() {
            return;
        }
        for (column, own) in &self.columns {
            let slot = names.iter().position(|name| *name == column.name).and_then(|at| values.get_mut(at));
            if let Some(slot) = slot {
                let cell = column.cell(&row);
                *slot = match (number(cell), own) {
                    (Cell::Blank | Cell::Stars, _) => Value::Null,
                    (Cell::Whole(number), FieldType::Int) => Value::Int(number),
                    (Cell::Whole(number), FieldType::Real) => Value::Real(number as f64),
                    (Cell::Real(number), FieldType::Real) => Value::Real(number),
                    _ => Value::Text(text(cell)),
                };
            }
        }
    }
}

/// What a cell of a column of numbers holds.
fn number(cell: &[u8]) -> Cell {
    if cell.is_empty() || [&b"nan"[..], b"-nan", b"inf", b"-inf"].iter().any(|w| cell.eq_ignore_ascii_case(w))
    {
        return Cell::Blank;
    }
    if cell.iter().all(|byte| *byte == b'*') {
        return Cell::Stars;
    }
    let digits = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
    let code = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    if code || !digits.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return Cell::Other;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        return text(cell).parse().map_or(Cell::Long, Cell::Whole);
    }
    match text(cell).parse::<f64>() {
        Ok(number) if number.is_finite() => Cell::Real(number),
        _ => Cell::Other,
    }
}

/// What there is to say of `****`.
fn stars_note(columns: &[Column], seen: &[Seen]) -> Option<String> {
    let count: u64 = seen.iter().map(|seen| seen.stars).sum();
    let with = columns.iter().zip(seen).filter(|(_, seen)| seen.stars > 0);
    let fields: Vec<String> = with.map(|(own, seen)| format!("`{}` {}", own.name, seen.stars)).collect();
    (count > 0).then(|| {
        format!(
            "cells with `****` in place of a number: {count} ({}); GDAL and QGIS write that where a value is \
             absent, dBASE also where it is too large for its column; they are null",
            fields.join(", ")
        )
    })
}

/// What there is to say of a column that is not of the type that the file declares.
fn type_note(column: &Column, own: FieldType, seen: &Seen) -> Option<String> {
    let name = &column.name;
    match own {
        FieldType::Text if seen.others > 0 => Some(format!(
            "field `{name}` is declared as a number and is text, as it is written: cells that are no plain \
             numbers: {}, the first one in row {}; --type {name}=real makes it a number",
            seen.others, seen.first_other
        )),
        FieldType::Text if seen.loses_digits(column.decimals == 0) => Some(format!(
            "field `{name}` holds numbers with more digits than a number keeps and is text, as it is \
             written; --type \
             {name}=real makes it a number"
        )),
        FieldType::Real if column.decimals == 0 => Some(format!(
            "field `{name}` is declared for whole numbers and holds numbers with decimals: they \
             were kept"
        )),
        _ => None,
    }
}

fn text(cell: &[u8]) -> String {
    cell.iter().map(|byte| char::from(*byte)).collect()
}

/// What the texts of a table plainly are, although it declares a page that is not one of ours; none if they
/// may be in that.
///
/// # Errors
/// [`io::Error`] if it cannot be read.
pub(super) fn plain_encoding(path: &Path) -> io::Result<Option<Encoding>> {
    let Some(table) = Table::open(path)? else { return Ok(None) };
    let mut texts: Vec<Vec<u8>> = Vec::new();
    table.rows(&mut |row| {
        for column in table.columns.iter().filter(|column| column.kind == b'C') {
            let cell = column.cell(row);
            if !cell.is_ascii() {
                texts.push(cell.to_vec());
            }
        }
        texts.len() < TEXTS
    })?;
    let found = detect(texts.iter().map(Vec::as_slice));
    let valid = texts.iter().filter(|text| std::str::from_utf8(text).is_ok()).count();
    // Two letters of a double-byte page may be valid UTF-8 by chance; several are not.
    let letters: usize = texts.iter().flatten().filter(|byte| **byte >= 0xC0).count();
    let utf8 = found.encoding == Encoding::Utf8 && valid * 10 >= texts.len() * 9 && letters >= 3;
    let other = contradicts(&texts, Encoding::Cp1252, &found);
    Ok((utf8 || other).then_some(found.encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_or_not() {
        assert_eq!(number(b"1234567890123456789"), Cell::Whole(1_234_567_890_123_456_789));
        assert_eq!(number(b"12345678901234567890"), Cell::Long);
        assert_eq!(number(b"-7"), Cell::Whole(-7));
        assert_eq!(number(b"1E5"), Cell::Real(1e5));
        assert_eq!(number(b".5"), Cell::Real(0.5));
        assert_eq!((number(b""), number(b"***")), (Cell::Blank, Cell::Stars));
        for cell in [&b"7,5"[..], b"12 345", b"12abc", b"007", b"-", b"*1", b"0x10", b"1.2.3"] {
            assert_eq!(number(cell), Cell::Other);
        }
    }
}
