//! Rows in PostgreSQL's binary COPY format: encoding, sending, and reading.

use std::hash::{DefaultHasher, Hasher as _};

use chrono::NaiveDate;
use citymap_model::{Fid, Value};
use sqlx::Error as Sql;
use tokio::{sync::mpsc, task::JoinHandle};

use super::pool::Lease;

/// The header of a binary COPY: signature, flags, length of the extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of a binary COPY: a column count that no row has.
const TAIL: [u8; 2] = (-1i16).to_be_bytes();
/// The length of a field that is null.
const NULL: [u8; 4] = (-1i32).to_be_bytes();
/// Bytes of rows that are sent together.
pub(super) const CHUNK: usize = 256 * 1024;
/// Maximum number of chunks that wait to be sent, which limits the memory.
const WAITING: usize = 8;

/// Encoded rows, without header and end.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) bytes: Vec<u8>,
    pub(super) count: usize,
}

/// The geometry of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GeometryCell<'a> {
    /// The table has no geometry.
    NoColumn,
    /// The feature has no geometry.
    Null,
    /// Extended WKB, which names the coordinate system.
    Wkb(&'a [u8]),
}

impl Rows {
    /// Adds a row: its number, its geometry, its values.
    pub(super) fn add(&mut self, fid: Fid, geometry: GeometryCell<'_>, values: &[Value]) {
        let out = &mut self.bytes;
        let columns = 1 + usize::from(geometry != GeometryCell::NoColumn) + values.len();
        // PostgreSQL allows 1600 columns, which was checked when the table was created.
        out.extend_from_slice(&i16::try_from(columns).unwrap_or(i16::MAX).to_be_bytes());
        put(out, &fid.to_be_bytes());
        match geometry {
            GeometryCell::NoColumn => {}
            GeometryCell::Null => out.extend_from_slice(&NULL),
            GeometryCell::Wkb(bytes) => put(out, bytes),
        }
        for value in values {
            match binary(value) {
                Binary::Null => out.extend_from_slice(&NULL),
                Binary::One(bytes) => put(out, &bytes),
                Binary::Four(bytes) => put(out, &bytes),
                Binary::Eight(bytes) => put(out, &bytes),
                Binary::Text(text) => put(out, text.as_bytes()),
            }
        }
        self.count += 1;
    }
}

/// The fingerprint of a row's content: geometry as extended WKB, then the values. [`Unpacker::contents`]
/// gives the same for a row of the table.
pub(super) fn print(geometry: Option<&[u8]>, values: &[Value]) -> u64 {
    let mut rows = Rows::default();
    rows.add(0, geometry.map_or(GeometryCell::Null, GeometryCell::Wkb), values);
    hash(rows.bytes.get(ROW_HEAD..).unwrap_or_default())
}

/// Bytes of a row before its content: the number of columns, and the feature's number with its length.
const ROW_HEAD: usize = 2 + 4 + 8;

fn hash(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // A field holds at most 1 GB; the server refuses what is longer.
    out.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

enum Binary<'a> {
    Null,
    One([u8; 1]),
    Four([u8; 4]),
    Eight([u8; 8]),
    Text(&'a str),
}

/// Appends a value in PostgreSQL's binary format. NaN becomes null, and minus zero becomes zero, so that
/// equal values have equal bytes.
fn binary(value: &Value) -> Binary<'_> {
    match value {
        Value::Null => Binary::Null,
        Value::Bool(value) => Binary::One([u8::from(*value)]),
        Value::Int(value) => Binary::Eight(value.to_be_bytes()),
        Value::Real(value) if value.is_nan() => Binary::Null,
        Value::Real(value) => Binary::Eight((value + 0.0).to_be_bytes()),
        Value::Text(text) => Binary::Text(text),
        Value::Date(day) => {
            let since = NaiveDate::from_ymd_opt(2000, 1, 1).map_or(0, |epoch| (*day - epoch).num_days());
            // The years that are accepted are 4 million days, which fits.
            Binary::Four(i32::try_from(since).unwrap_or(i32::MAX).to_be_bytes())
        }
        Value::DateTime(time) => {
            // Truncated to the millisecond; counted from 2000 in microseconds.
            Binary::Eight(((time.timestamp_millis() - 946_684_800_000) * 1000).to_be_bytes())
        }
    }
}

enum Part {
    Bytes(Vec<u8>),
    End,
}

/// A COPY that is running. Encoding, sending and the server's work overlap.
pub(super) struct Copying {
    sender: mpsc::Sender<Part>,
    task: JoinHandle<(Lease, Result<u64, Sql>)>,
}

impl Copying {
    /// Starts the statement. Must be called within a runtime.
    pub(super) fn start(mut lease: Lease, sql: String) -> Self {
        let (sender, mut parts) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            let outcome = async {
                let mut copy = lease.copy_in_raw(&sql).await?;
                copy.send(HEAD).await?;
                while let Some(part) = parts.recv().await {
                    match part {
                        Part::Bytes(bytes) => copy.send(bytes).await?,
                        Part::End => {
                            copy.send(&TAIL[..]).await?;
                            return copy.finish().await;
                        }
                    };
                }
                copy.abort("the change set was given up").await?;
                Ok(0)
            }
            .await;
            (lease, outcome)
        });
        Self { sender, task }
    }

    /// Sends rows, and blocks while the server is behind. Errors are reported at the end.
    pub(super) fn send(&self, rows: &mut Rows) {
        if rows.bytes.is_empty() {
            return;
        }
        let next = Vec::with_capacity(CHUNK + CHUNK / 8);
        let bytes = std::mem::replace(&mut rows.bytes, next);
        rows.count = 0;
        let _ = self.sender.blocking_send(Part::Bytes(bytes));
    }

    /// Waits for the end. Gives the connection, and how many rows were taken.
    pub(super) async fn finish(self) -> (Option<Lease>, Result<u64, Sql>) {
        let Self { sender, task } = self;
        let _ = sender.send(Part::End).await;
        match task.await {
            Ok((lease, outcome)) => (Some(lease), outcome),
            Err(_) => (None, Err(Sql::WorkerCrashed)),
        }
    }

    /// Aborts the statement. Gives the connection if it can still be used.
    pub(super) async fn abort(self) -> Option<Lease> {
        let Self { sender, task } = self;
        drop(sender);
        match task.await {
            Ok((lease, Ok(_))) => Some(lease),
            _ => None,
        }
    }
}

/// Parses the rows of a binary COPY that arrives in pieces of any length.
#[derive(Default)]
pub(super) struct Unpacker {
    rest: Vec<u8>,
    begun: bool,
}

impl Unpacker {
    /// Takes in the next piece; where the first row that was not handed over begins.
    fn take_in(&mut self, bytes: &[u8]) -> Option<usize> {
        self.rest.extend_from_slice(bytes);
        if self.begun {
            return Some(0);
        }
        self.begun = self.rest.len() >= HEAD.len();
        self.begun.then_some(HEAD.len())
    }

    /// Hands the first column of each complete row and the fingerprint of the others to `sink`.
    pub(super) fn contents(&mut self, bytes: &[u8], mut sink: impl FnMut(Option<&[u8]>, u64)) {
        let Some(mut at) = self.take_in(bytes) else { return };
        while let Some((first, (from, to))) = content(&self.rest, at) {
            sink(first.map(|(from, to)| &self.rest[from..to]), hash(&self.rest[from..to]));
            at = to;
        }
        self.rest.drain(..at);
    }

    /// Hands the two columns of each complete row to `sink`; `None` is a null.
    pub(super) fn pairs(&mut self, bytes: &[u8], mut sink: impl FnMut(Option<&[u8]>, Option<&[u8]>)) {
        let Some(mut at) = self.take_in(bytes) else { return };
        while let Some((one, two, next)) = pair(&self.rest, at) {
            sink(one.map(|(from, to)| &self.rest[from..to]), two.map(|(from, to)| &self.rest[from..to]));
            at = next;
        }
        self.rest.drain(..at);
    }
}

/// The position of a field in the bytes; `None` for null.
type Span = Option<(usize, usize)>;

fn pair(bytes: &[u8], at: usize) -> Option<(Span, Span, usize)> {
    let count = i16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
    if count != 2 {
        return None; // the end
    }
    let (one, at) = field(bytes, at + 2)?;
    let (two, at) = field(bytes, at)?;
    Some((one, two, at))
}

/// The first field of a row, and where the others are.
fn content(bytes: &[u8], at: usize) -> Option<(Span, (usize, usize))> {
    let count = i16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
    if count < 1 {
        return None; // the end
    }
    let (first, from) = field(bytes, at + 2)?;
    let mut to = from;
    for _ in 1..count {
        to = field(bytes, to)?.1;
    }
    Some((first, (from, to)))
}

fn field(bytes: &[u8], at: usize) -> Option<(Span, usize)> {
    let length = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    let Ok(length) = usize::try_from(length) else { return Some((None, at + 4)) };
    let (from, to) = (at + 4, at + 4 + length);
    (to <= bytes.len()).then_some((Some((from, to)), to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_apart_wherever_they_are_cut() {
        let mut rows = Rows::default();
        for (fid, text) in [(1, "một"), (2, ""), (3, "ba")] {
            rows.add(
                fid,
                GeometryCell::NoColumn,
                &[if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) }],
            );
        }
        let all = [HEAD, &rows.bytes, &TAIL].concat();
        for step in 1..all.len() {
            let (mut unpacker, mut found) = (Unpacker::default(), Vec::new());
            for piece in all.chunks(step) {
                unpacker.pairs(piece, |fid, text| {
                    let fid = i64::from_be_bytes(fid.unwrap().try_into().unwrap());
                    found.push((fid, text.map(|text| String::from_utf8(text.to_vec()).unwrap())));
                });
            }
            assert_eq!(found, [(1, Some("một".to_owned())), (2, None), (3, Some("ba".to_owned()))]);
        }
    }

    #[test]
    fn the_content_of_a_row_has_one_fingerprint_wherever_it_is_cut() {
        let values = [Value::Text("một".to_owned()), Value::Null, Value::Real(-0.0)];
        let mut rows = Rows::default();
        rows.add(7, GeometryCell::Wkb(&[1, 2, 3]), &values);
        rows.add(8, GeometryCell::Null, &values);
        let all = [HEAD, &rows.bytes, &TAIL].concat();
        let expected = [(7, print(Some(&[1, 2, 3]), &values)), (8, print(None, &values))];
        for step in 1..all.len() {
            let (mut unpacker, mut found) = (Unpacker::default(), Vec::new());
            for piece in all.chunks(step) {
                unpacker.contents(piece, |fid, print| {
                    found.push((i64::from_be_bytes(fid.unwrap().try_into().unwrap()), print));
                });
            }
            assert_eq!(found, expected);
        }
    }
}
