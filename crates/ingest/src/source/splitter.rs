//! Cuts a GeoJSON file into its features without reading them: braces, strings and line numbers only.

use std::io::{BufRead, BufReader, Read};

/// A piece of the file.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// An element of the top-level `features` array.
    Feature { text: Vec<u8>, line: u64 },
    /// The top-level object without the elements of `features`: `{"type":…,"features":[],…}`.
    Rest(Vec<u8>),
}

/// Why the file cannot be cut.
#[derive(Debug)]
pub(crate) enum SplitError {
    Io(std::io::Error),
    /// The text ended inside something, or is no JSON object.
    Broken {
        line: u64,
        column: u64,
        reason: String,
    },
}

/// Longest feature, bytes: a missing quote must not swallow the memory.
const LONGEST: usize = 256 << 20;
/// Maximum depth of nested values.
const DEEPEST: usize = 100;

struct Cursor<R: Read> {
    input: BufReader<R>,
    line: u64,
    column: u64,
}

impl<R: Read> Cursor<R> {
    fn peek(&mut self) -> Result<Option<u8>, SplitError> {
        Ok(self.input.fill_buf().map_err(SplitError::Io)?.first().copied())
    }

    fn next(&mut self) -> Result<Option<u8>, SplitError> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.input.consume(1);
            if byte == b'\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
        }
        Ok(byte)
    }

    fn space(&mut self) -> Result<Option<u8>, SplitError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    self.next()?;
                }
                other => return Ok(other),
            }
        }
    }

    fn broken<T>(&self, reason: impl Into<String>) -> Result<T, SplitError> {
        Err(SplitError::Broken { line: self.line, column: self.column, reason: reason.into() })
    }

    /// One value of any sort into `out`.
    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), SplitError> {
        let Some(first) = self.space()? else {
            return self.broken("the file ends where a value should stand");
        };
        match first {
            b'"' => self.string(out),
            b'{' | b'[' => {
                let mut open = Vec::new();
                loop {
                    let Some(byte) = self.peek()? else {
                        return self.broken("the file ends inside an object or array: it is cut off");
                    };
                    match byte {
                        b'"' => {
                            self.string(out)?;
                            continue;
                        }
                        b'{' | b'[' => {
                            open.push(byte);
                            if open.len() > DEEPEST {
                                return self
                                    .broken(format!("objects and arrays are nested deeper than {DEEPEST}"));
                            }
                        }
                        b'}' | b']' => {
                            let expected = if byte == b'}' { b'{' } else { b'[' };
                            if open.pop() != Some(expected) {
                                return self
                                    .broken(format!("`{}` closes what it did not open", char::from(byte)));
                            }
                        }
                        _ => {}
                    }
                    self.next()?;
                    out.push(byte);
                    if open.is_empty() {
                        return Ok(());
                    }
                    if out.len() > LONGEST {
                        return self.broken("a value is longer than 256 MB");
                    }
                }
            }
            _ => {
                let before = out.len();
                while let Some(byte) = self.peek()? {
                    if matches!(
                        byte,
                        b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"' | b'{' | b'['
                    ) {
                        break;
                    }
                    self.next()?;
                    out.push(byte);
                    if out.len() - before > 1_000 {
                        return self.broken("this is no JSON value");
                    }
                }
                if out.len() == before { self.broken("a value is missing") } else { Ok(()) }
            }
        }
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), SplitError> {
        let (line, column) = (self.line, self.column + 1);
        out.extend(self.next()?);
        loop {
            let Some(byte) = self.next()? else {
                return Err(SplitError::Broken {
                    line,
                    column,
                    reason:
                        "the text that starts here does not end: the file is cut off, or a quote is missing"
                            .into(),
                });
            };
            out.push(byte);
            match byte {
                b'"' => return Ok(()),
                b'\\' => out.extend(self.next()?),
                _ => {}
            }
            if out.len() > LONGEST {
                return Err(SplitError::Broken {
                    line,
                    column,
                    reason: "a text is longer than 256 MB".into(),
                });
            }
        }
    }
}

/// Cuts the file; `sink` gives `false` when it has enough.
pub(crate) fn split(input: impl Read, sink: &mut dyn FnMut(Piece) -> bool) -> Result<(), SplitError> {
    let mut cursor = Cursor { input: BufReader::with_capacity(1 << 18, input), line: 1, column: 0 };
    if cursor.peek()? == Some(0xEF) {
        for _ in 0..3 {
            cursor.next()?;
        }
        cursor.column = 0;
    }
    match cursor.space()? {
        Some(b'{') => {}
        Some(b'[') => return cursor.broken("the file holds an array where a GeoJSON object should stand"),
        Some(_) => return cursor.broken("a GeoJSON file must hold an object"),
        None => return cursor.broken("the file holds nothing but spaces"),
    }
    cursor.next()?;
    let mut rest = vec![b'{'];
    let mut first = true;
    loop {
        match cursor.space()? {
            Some(b'}') => {
                cursor.next()?;
                rest.push(b'}');
                break;
            }
            Some(b',') if !first => {
                cursor.next()?;
                rest.push(b',');
                cursor.space()?;
            }
            Some(_) if first => {}
            Some(byte) => {
                return cursor.broken(format!("`{}` stands where `,` or `}}` should", char::from(byte)));
            }
            None => return cursor.broken("the file ends inside the object: it is cut off"),
        }
        first = false;
        if cursor.space()? != Some(b'"') {
            return cursor.broken("a member's name in quotes should stand here");
        }
        let start = rest.len();
        cursor.string(&mut rest)?;
        let features = &rest[start..] == b"\"features\"";
        if cursor.space()? != Some(b':') {
            return cursor.broken("`:` should stand here");
        }
        cursor.next()?;
        rest.push(b':');
        if features && cursor.space()? == Some(b'[') {
            rest.extend(b"[]");
            if !elements(&mut cursor, sink)? {
                return Ok(());
            }
        } else {
            cursor.value(&mut rest)?;
        }
    }
    if cursor.space()?.is_some() {
        return cursor.broken(
            "something stands behind the end of the GeoJSON object; a file of several objects, one a line, \
             has a name that ends in .ndjson",
        );
    }
    sink(Piece::Rest(rest));
    Ok(())
}

fn elements<R: Read>(
    cursor: &mut Cursor<R>,
    sink: &mut dyn FnMut(Piece) -> bool,
) -> Result<bool, SplitError> {
    cursor.next()?;
    if cursor.space()? == Some(b']') {
        cursor.next()?;
        return Ok(true);
    }
    loop {
        cursor.space()?;
        let line = cursor.line;
        let mut text = Vec::new();
        cursor.value(&mut text)?;
        if !sink(Piece::Feature { text, line }) {
            return Ok(false);
        }
        match cursor.space()? {
            Some(b',') => cursor.next()?,
            Some(b']') => {
                cursor.next()?;
                return Ok(true);
            }
            Some(byte) => {
                return cursor.broken(format!("`{}` stands where `,` or `]` should", char::from(byte)));
            }
            None => return cursor.broken("the file ends inside the list of features: it is cut off"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Result<Vec<Piece>, SplitError> {
        let mut out = Vec::new();
        split(text.as_bytes(), &mut |piece| {
            out.push(piece);
            true
        })?;
        Ok(out)
    }

    #[test]
    fn features_come_with_their_lines_and_the_rest_without_them() {
        let found =
            pieces("{\"a\":[1],\n\"features\":[{\"x\":\"]}\\\"\"},\n null ],\"type\":\"F\"}").unwrap();
        assert_eq!(
            found,
            [
                Piece::Feature { text: b"{\"x\":\"]}\\\"\"}".to_vec(), line: 2 },
                Piece::Feature { text: b"null".to_vec(), line: 3 },
                Piece::Rest(b"{\"a\":[1],\"features\":[],\"type\":\"F\"}".to_vec()),
            ]
        );
    }

    #[test]
    fn every_cut_file_is_an_error_with_its_line() {
        let whole = "{\"type\":\"FeatureCollection\",\n\"features\":[{\"a\":[1,\"b\"]},{}]}";
        for length in 0..whole.len() {
            assert!(pieces(&whole[..length]).is_err(), "{length}");
        }
        let Err(SplitError::Broken { line, .. }) = pieces("{\"features\":[\n{},\n{]") else {
            panic!("not broken")
        };
        assert_eq!(line, 3);
    }
}
