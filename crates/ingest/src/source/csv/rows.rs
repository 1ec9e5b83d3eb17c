//! Rows of delimited text (RFC 4180, with line ends of every kind and spaces around quotes).

/// A row of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Row<'a> {
    /// The line on which it starts, from 1.
    pub line: u64,
    /// Its cells, without quotes and outer spaces; or why there are none.
    pub cells: Result<Vec<Vec<u8>>, String>,
    /// Its text as it is in the file.
    pub text: &'a [u8],
}

impl Row<'_> {
    /// Whether nothing is in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.as_ref().is_ok_and(|cells| cells.iter().all(Vec::is_empty))
    }

    /// Whether it has more than one cell.
    pub(super) fn has_delimiters(&self) -> bool {
        self.cells.as_ref().is_ok_and(|cells| cells.len() > 1)
    }
}

/// The rows from a place on.
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    position: usize,
    line: u64,
    delimiter: u8,
    /// Cells that lost spaces so far.
    trimmed: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(bytes: &'a [u8], position: usize, line: u64, delimiter: u8) -> Self {
        Self { bytes, position, line, delimiter, trimmed: 0 }
    }

    /// How many cells so far lost spaces around them, outside quotes.
    pub(super) fn trimmed(&self) -> u64 {
        self.trimmed
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Steps over the line that it is on.
    pub(super) fn skip_row(&mut self) {
        self.skip_line();
        self.line_end();
    }

    /// Steps over one line end of any kind.
    fn line_end(&mut self) {
        match self.bytes.get(self.position) {
            Some(b'\r') => {
                self.position += 1 + usize::from(self.bytes.get(self.position + 1) == Some(&b'\n'));
                self.line += 1;
            }
            Some(b'\n') => {
                self.position += 1;
                self.line += 1;
            }
            _ => {}
        }
    }

    /// Steps to the end of the line.
    fn skip_line(&mut self) {
        while self.bytes.get(self.position).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn cells(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell(cells.len() + 1)?);
            match self.bytes.get(self.position) {
                Some(byte) if *byte == self.delimiter => self.position += 1,
                _ => return Ok(cells),
            }
        }
    }

    fn at_end(&self) -> bool {
        self.bytes
            .get(self.position)
            .is_none_or(|byte| *byte == self.delimiter || matches!(byte, b'\n' | b'\r'))
    }

    fn spaces(&mut self) {
        while !self.at_end() && matches!(self.bytes[self.position], b' ' | b'\t') {
            self.position += 1;
        }
    }

    fn cell(&mut self, column: usize) -> Result<Vec<u8>, String> {
        let begin = self.position;
        self.spaces();
        if self.bytes.get(self.position) != Some(&b'"') {
            while !self.at_end() {
                self.position += 1;
            }
            let (whole, cell) = (self.position - begin, self.bytes[begin..self.position].trim_ascii());
            self.trimmed += u64::from(!cell.is_empty() && cell.len() < whole);
            return Ok(cell.to_vec());
        }
        self.position += 1;
        let mut cell = Vec::new();
        loop {
            match self.bytes.get(self.position) {
                None => return Err(format!("the quote that opens column {column} is never closed")),
                Some(b'"') if self.bytes.get(self.position + 1) == Some(&b'"') => {
                    cell.push(b'"');
                    self.position += 2;
                }
                Some(b'"') => {
                    self.position += 1;
                    break;
                }
                Some(byte) => {
                    if *byte == b'\n' || (*byte == b'\r' && self.bytes.get(self.position + 1) != Some(&b'\n'))
                    {
                        self.line += 1;
                    }
                    cell.push(*byte);
                    self.position += 1;
                }
            }
        }
        self.spaces();
        if self.at_end() {
            Ok(cell)
        } else {
            Err(format!(
                "something follows the closing quote of column {column}; a quote inside a text is written \
                 twice (\"\")"
            ))
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.position >= self.bytes.len() {
            return None;
        }
        let (start, line) = (self.position, self.line);
        let cells = self.cells();
        if cells.is_err() {
            // The damage ends with its first line: what follows may be sound.
            (self.position, self.line) = (start, line);
            self.skip_line();
        }
        let text = &self.bytes[start..self.position];
        self.line_end();
        Some(Row { line, cells, text })
    }
}

/// The delimiter: of comma, semicolon, tab and bar the one that stands most often outside quotes in
/// the first line that is not empty.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        if let (false, Some(slot)) = (quoted, counts.iter_mut().find(|(delimiter, _)| delimiter == byte)) {
            slot.1 += 1;
        }
    }
    // The first of equals: a comma.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let bytes = text.as_bytes();
        Rows::new(bytes, 0, 1, delimiter(bytes))
            .map(|row| {
                (
                    row.line,
                    row.cells.map(|cells| {
                        cells.into_iter().map(|cell| String::from_utf8(cell).unwrap()).collect()
                    }),
                )
            })
            .collect()
    }

    fn good(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, String>) {
        (line, Ok(cells.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn every_line_end_delimiter_and_quote_is_understood() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a;b", " 1 ; \"x;\"\"y\" ", ";"].join(end);
            assert_eq!(
                rows(&text),
                [good(1, &["a", "b"]), good(2, &["1", "x;\"y"]), good(3, &["", ""])],
                "{end:?}"
            );
        }
        assert_eq!(
            rows("a\tb\n\"1\n2\"\t3\n4\t5"),
            [good(1, &["a", "b"]), good(2, &["1\n2", "3"]), good(4, &["4", "5"])]
        );
    }

    #[test]
    fn an_unclosed_quote_spoils_its_line_only() {
        let found = rows("a,b\n1,\"x\n2,y");
        assert!(found[1].1.as_ref().unwrap_err().contains("never closed"));
        assert_eq!(found[2], good(3, &["2", "y"]));
        assert!(rows("a,b\n1,\"x\"z\n2,y")[1].1.is_err());
    }
}
