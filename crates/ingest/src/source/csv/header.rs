//! The line with the names of the columns, and what stands before it.

use super::Rows;
use crate::{
    ImportError, Request,
    encoding::TextDecoder,
    source::{distinct, table},
};

/// The first line that is not empty.
pub(super) struct Header {
    cells: Vec<Vec<u8>>,
    line: u64,
    /// Where the rows begin, and on which line.
    pub(super) end: (usize, u64),
}

impl Header {
    pub(super) fn read(
        bytes: &[u8],
        start: (usize, u64),
        delimiter: u8,
        shown: &str,
    ) -> Result<Self, ImportError> {
        let mut rows = Rows::new(bytes, start.0, start.1, delimiter);
        let header = loop {
            match rows.next() {
                None => {
                    return Err(ImportError::unreadable(
                        shown,
                        "holds nothing but empty lines",
                        "a first line with the columns' names is needed",
                    ));
                }
                Some(row) if row.is_blank() => {}
                Some(row) => break row,
            }
        };
        let line = header.line;
        let cells = header
            .cells
            .map_err(|reason| ImportError::malformed(shown, format!("line {line}"), reason))?
            .iter()
            .map(|cell| cell.to_vec())
            .collect();
        Ok(Self { cells, line, end: (rows.position(), rows.line()) })
    }

    /// The columns' names, each given and different.
    pub(super) fn names(
        &self,
        decoder: TextDecoder,
        shown: &str,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<String>, ImportError> {
        let mut names: Vec<String> = self.cells.iter().map(|cell| decoder.decode(cell).text).collect();
        check(&names, shown, request, self.line)?;
        for (i, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("field_{}", i + 1);
                warnings.push(format!("column {} has no name; it is called `{name}`", i + 1));
            }
        }
        warnings.extend(distinct(&mut names));
        Ok(names)
    }
}

/// Refuses a first line that looks like data.
fn check(names: &[String], shown: &str, request: &Request, line: u64) -> Result<(), ImportError> {
    let numbers = names.iter().filter(|name| name.parse::<f64>().is_ok()).count();
    if numbers >= 2 && !table::is_header(names, request) {
        return Err(ImportError::malformed(
            shown,
            format!("line {line}"),
            format!(
                "the first line ({}) looks like data; a line with the columns' names must stand before it",
                names.join(", ")
            ),
        ));
    }
    Ok(())
}

/// Where the header is looked for, on which line, and the delimiter: what a first line `sep=;` says, which
/// spreadsheet programs write; else of comma, semicolon, tab and bar the one that stands most often outside
/// quotes in the first line that is not empty.
pub(super) fn delimiter(bytes: &[u8]) -> ((usize, u64), u8) {
    let first = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let said = first.trim_ascii().trim_ascii_start();
    if said.len() == 5 && said[..4].eq_ignore_ascii_case(b"sep=") {
        let mut rows = Rows::new(bytes, 0, 1, 0);
        rows.skip_row();
        return ((rows.position(), rows.line()), said[4]);
    }
    ((0, 1), super::rows::delimiter(bytes))
}
