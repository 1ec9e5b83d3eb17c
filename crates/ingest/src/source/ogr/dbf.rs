//! Cells of a `.dbf` as they lie in it, where GDAL gives less: whole numbers of 19 digits and more come as
//! numbers with decimals, numbers too large for their column (`****`) as nothing, and texts in the encoding
//! that the file declares, whatever they are in.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
};

use citymap_model::{FieldType, Value};

use crate::encoding::{Encoding, contradicts, detect};

/// Digits that 64 bits hold for certain.
const CERTAIN_DIGITS: usize = 18;
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

/// A `.dbf` and its columns.
struct Table {
    file: File,
    columns: Vec<Column>,
    head: u64,
    row: usize,
}

/// Whole numbers whose digits GDAL does not keep.
pub(super) struct Digits {
    table: Table,
    /// Columns with the type that all their numbers fit: whole numbers, or text.
    columns: Vec<(Column, FieldType)>,
    /// What there is to say of numbers that did not fit their columns.
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
        row.get(self.at..self.at + self.width).unwrap_or_default().trim_ascii()
    }
}

impl Digits {
    /// Looks through the table, once.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be read.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        let Some(table) = Table::open(path)? else { return Ok(None) };
        let numbers: Vec<&Column> = table.columns.iter().filter(|column| column.is_number()).collect();
        let mut overflows = vec![0_u64; numbers.len()];
        let mut fits = vec![true; numbers.len()];
        if !numbers.is_empty() {
            table.rows(&mut |row| {
                for (i, column) in numbers.iter().enumerate() {
                    let cell = column.cell(row);
                    overflows[i] += u64::from(cell.first() == Some(&b'*'));
                    if column.width > CERTAIN_DIGITS && column.decimals == 0 {
                        fits[i] &= whole(cell) != Some(Value::Null) || cell.is_empty();
                    }
                }
                true
            })?;
        }
        let notes = numbers
            .iter()
            .zip(&overflows)
            .filter(|(_, count)| **count > 0)
            .map(|(column, count)| {
                format!(
                    "field `{}`: {count} numbers were too large for the column when the file was written \
                     (`****`); they are null",
                    column.name
                )
            })
            .collect();
        let columns = numbers
            .iter()
            .zip(&fits)
            .filter(|(column, _)| column.width > CERTAIN_DIGITS && column.decimals == 0)
            .map(|(column, fits)| ((*column).clone(), if *fits { FieldType::Int } else { FieldType::Text }))
            .collect();
        Ok(Some(Self { columns, notes, table }))
    }

    /// The type of a column whose digits are read here, by its name as GDAL gives it byte by byte.
    pub(super) fn type_of(&self, name: &str) -> Option<FieldType> {
        self.columns.iter().find(|(column, _)| column.name == name).map(|(_, own)| *own)
    }

    /// Puts the digits of a record in the place of what GDAL made of them. `names` are the fields' names
    /// byte by byte.
    pub(super) fn put_back(&self, record: Option<u64>, names: &[String], values: &mut [Value]) {
        let Some(record) = record.filter(|_| !self.columns.is_empty()) else { return };
        let mut row = vec![0; self.table.row];
        let at = self.table.head + record * self.table.row as u64;
        if self.table.file.read_exact_at(&mut row, at).is_err() {
            return;
        }
        for (column, own) in &self.columns {
            let slot = names.iter().position(|name| *name == column.name).and_then(|at| values.get_mut(at));
            if let Some(slot) = slot {
                *slot = match (whole(column.cell(&row)), own) {
                    (Some(value @ Value::Int(_)), FieldType::Int) => value,
                    (Some(_), FieldType::Text) => Value::Text(text(column.cell(&row))),
                    _ => Value::Null,
                };
            }
        }
    }
}

/// A cell as a whole number; null if it has too many digits, none if it is blank, overflown or no number.
fn whole(cell: &[u8]) -> Option<Value> {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text(cell).parse().map_or(Value::Null, Value::Int))
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
    fn cells_are_whole_numbers_or_not() {
        assert_eq!(whole(b"1234567890123456789"), Some(Value::Int(1_234_567_890_123_456_789)));
        assert_eq!(whole(b"12345678901234567890"), Some(Value::Null));
        assert_eq!(whole(b"-7"), Some(Value::Int(-7)));
        for cell in [&b""[..], b"***", b"1.5", b"-"] {
            assert_eq!(whole(cell), None);
        }
    }
}
