//! How the reading process and its parent talk: frames over one socket, of which the parent trusts none.
//!
//! A frame is a tag, the length of its content as eight bytes (little endian), and the content. What comes
//! once is JSON; features are [`postcard`], their geometry WKB.

use std::{
    fmt::{self, Display},
    io::{self, Read, Write},
    str::FromStr,
};

use chrono::{DateTime, NaiveDate};
use citymap_crs::Crs;
use citymap_geometry::wkb;
use citymap_model::{Layer, NewFeature, Value};
use geo_types::Geometry;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

use crate::{
    CrsReport, ImportError, Request,
    check::Checked,
    produce::{Item, PIECE},
};

/// Maximum size of a frame in bytes; a larger one ends the import.
pub(super) const FRAME: u64 = 1 << 30;
/// Values of a feature for which memory is reserved before they have come.
const FIELDS: usize = 256;
/// About how many bytes a feature takes in a frame, to reserve memory for those of a frame.
const FEATURE: usize = 256;
/// About how many bytes of features go into one frame.
const BATCH: usize = 4 << 20;

/// What the parent asks of the child: the first frame.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub request: Request,
    /// The layers that the record has.
    pub present: Vec<Layer>,
    /// Maximum address space of the child in bytes; 0 for no limit.
    pub memory: u64,
    /// The limit on its temporary files together, in bytes; 0 for none.
    pub temporary: u64,
    /// The only folder in which the child may write.
    #[serde(with = "path")]
    pub folder: std::path::PathBuf,
}

/// Why the reading side failed, as it crosses the socket.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failed {
    Unreadable { file: String, reason: String, advice: String },
    Malformed { file: String, place: String, reason: String },
    UnknownCrs { file: String, layer: String, reason: String, proposals: Vec<String> },
    Other(String),
}

impl From<ImportError> for Failed {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Unreadable { file, reason, advice } => Self::Unreadable { file, reason, advice },
            ImportError::Malformed { file, place, reason } => Self::Malformed { file, place, reason },
            ImportError::UnknownCrs { file, layer, reason, proposals } => {
                Self::UnknownCrs { file, layer, reason, proposals }
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Failed> for ImportError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unreadable { file, reason, advice } => Self::Unreadable { file, reason, advice },
            Failed::Malformed { file, place, reason } => Self::Malformed { file, place, reason },
            Failed::UnknownCrs { file, layer, reason, proposals } => {
                Self::UnknownCrs { file, layer, reason, proposals }
            }
            Failed::Other(message) => Self::Usage(message),
        }
    }
}

/// A frame from the child.
#[derive(Debug)]
pub(super) enum Frame {
    /// The limits that the kernel took, as the first frame.
    Confined(super::Confinement),
    Item(Item),
    Failed(Failed),
}

const CONFINED: u8 = b'C';
const LOOKING: u8 = b'L';
const OPENED: u8 = b'O';
const BATCHES: u8 = b'B';
const LAYER_END: u8 = b'E';
const END: u8 = b'Z';
const FAILED: u8 = b'F';
const TASK: u8 = b'T';

/// Writes what the parent asks of the child.
pub(super) fn write_task(out: &mut impl Write, task: &Task) -> io::Result<()> {
    write_json(out, TASK, task)
}

/// Reads what the parent asks, in the child.
pub(super) fn read_task(input: &mut impl Read) -> io::Result<Task> {
    match read(input)? {
        Some((TASK, content)) => json(&content),
        _ => Err(bad("the task is missing")),
    }
}

/// Writes a frame of the child; a batch may become several.
pub(super) fn write_frame(out: &mut impl Write, frame: Frame) -> io::Result<()> {
    match frame {
        Frame::Confined(confinement) => write_json(out, CONFINED, &confinement),
        Frame::Failed(failed) => write_json(out, FAILED, &failed),
        Frame::Item(Item::Looking(file)) => write_json(out, LOOKING, &file),
        Frame::Item(Item::Opened(opened)) => write_json(out, OPENED, &opened),
        Frame::Item(Item::LayerEnd(notes)) => write_json(out, LAYER_END, &notes),
        Frame::Item(Item::End(stages)) => write_json(out, END, &stages),
        Frame::Item(Item::Batch(batch)) => write_batch(out, &batch),
    }
}

fn write_batch(out: &mut impl Write, batch: &[Checked]) -> io::Result<()> {
    let mut content = Vec::new();
    for one in batch {
        content = postcard::to_extend(one, content).map_err(io::Error::other)?;
        if content.len() >= BATCH {
            write_content(out, BATCHES, &content)?;
            content.clear();
        }
    }
    write_content(out, BATCHES, &content)
}

/// Reads a frame of the child; none at the end.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for anything that a sound child does not send.
pub(super) fn read_frame(input: &mut impl Read) -> io::Result<Option<Frame>> {
    let Some((tag, content)) = read(input)? else { return Ok(None) };
    Ok(Some(match tag {
        CONFINED => Frame::Confined(json(&content)?),
        FAILED => Frame::Failed(json(&content)?),
        LOOKING => Frame::Item(Item::Looking(json(&content)?)),
        OPENED => Frame::Item(Item::Opened(json(&content)?)),
        LAYER_END => Frame::Item(Item::LayerEnd(json(&content)?)),
        END => Frame::Item(Item::End(json(&content)?)),
        BATCHES => Frame::Item(Item::Batch(batch(&content)?)),
        _ => return Err(bad("a frame has an unknown tag")),
    }))
}

fn batch(mut content: &[u8]) -> io::Result<Vec<Checked>> {
    let mut batch = Vec::with_capacity(content.len().div_ceil(FEATURE).min(PIECE));
    while !content.is_empty() {
        let (one, rest) = postcard::take_from_bytes(content)
            .map_err(|error| bad(&format!("a feature cannot be read: {error}")))?;
        batch.push(one);
        content = rest;
    }
    Ok(batch)
}

fn read(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 9];
    match input.read(&mut head[..1])? {
        0 => return Ok(None),
        _ => input.read_exact(&mut head[1..])?,
    }
    let mut length = [0; 8];
    length.copy_from_slice(&head[1..]);
    let length = u64::from_le_bytes(length);
    if length > FRAME {
        return Err(bad("a frame is too large"));
    }
    // Memory is reserved for what has come, not for what is said to come.
    let length = usize::try_from(length).map_err(|_large| bad("a frame is too large"))?;
    let mut content = Vec::new();
    while content.len() < length {
        let from = content.len();
        content.resize(length.min(from + 2 * BATCH), 0);
        input.read_exact(&mut content[from..])?;
    }
    Ok(Some((head[0], content)))
}

fn write_json(out: &mut impl Write, tag: u8, content: &impl Serialize) -> io::Result<()> {
    write_content(out, tag, &serde_json::to_vec(content)?)
}

fn write_content(out: &mut impl Write, tag: u8, content: &[u8]) -> io::Result<()> {
    out.write_all(&[tag])?;
    out.write_all(&(content.len() as u64).to_le_bytes())?;
    out.write_all(content)
}

fn json<T: for<'a> Deserialize<'a>>(content: &[u8]) -> io::Result<T> {
    serde_json::from_slice(content).map_err(|error| bad(&format!("a frame cannot be read ({error})")))
}

fn bad(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// A coordinate system with its report: the report names it.
pub(crate) mod crs {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        crs: &Option<(Crs, CrsReport)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        crs.as_ref().map(|(crs, report)| (crs.to_string(), report)).serialize(serializer)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Option<(Crs, CrsReport)>, D::Error> {
        let crs: Option<(String, CrsReport)> = Option::deserialize(deserializer)?;
        crs.map(|(crs, report)| Ok((crs.parse().map_err(D::Error::custom)?, report))).transpose()
    }
}

/// What has a text form and no other.
pub(crate) mod text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(crate) fn deserialize<'a, T: FromStr<Err: Display>, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text: Option<String> = Option::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Names with what has a text form and no other.
pub(crate) mod named {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        pairs: &[(String, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(pairs.iter().map(|(name, value)| (name, value.to_string())))
    }

    pub(crate) fn deserialize<'a, T: FromStr<Err: Display>, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Vec<(String, T)>, D::Error> {
        let pairs: Vec<(String, String)> = Vec::deserialize(deserializer)?;
        let pair = |(name, text): (String, String)| Ok((name, text.parse().map_err(D::Error::custom)?));
        pairs.into_iter().map(pair).collect()
    }
}

/// A path, which need not be UTF-8.
pub(crate) mod path {
    use std::{
        ffi::OsString,
        os::unix::ffi::{OsStrExt, OsStringExt},
        path::{Path, PathBuf},
    };

    use super::*;

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(serializer)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|bytes| OsString::from_vec(bytes).into())
    }
}

/// Paths, which need not be UTF-8.
pub(crate) mod paths {
    use std::path::PathBuf;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "path")] PathBuf);

    pub(crate) fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().cloned().map(One))
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(Vec::<One>::deserialize(deserializer)?.into_iter().map(|one| one.0).collect())
    }
}

/// A feature: its geometry as WKB, and its values.
pub(crate) mod feature {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(feature: &NewFeature, serializer: S) -> Result<S::Ok, S::Error> {
        (feature.geometry.as_ref().map(wkb::to_wkb).as_deref().map(Bytes), Values(&feature.values))
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<NewFeature, D::Error> {
        let (geometry, values): (Option<&[u8]>, ReadValues) = Deserialize::deserialize(deserializer)?;
        let geometry: Option<Geometry> = geometry.map(wkb::read).transpose().map_err(D::Error::custom)?;
        Ok(NewFeature { geometry, values: values.0 })
    }
}

/// The values of a feature.
pub(crate) mod values {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(values: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
        Values(values).serialize(serializer)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
        ReadValues::deserialize(deserializer).map(|values| values.0)
    }
}

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// A value as it crosses the socket.
#[derive(Serialize, Deserialize)]
enum Plain<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    #[serde(borrow)]
    Text(&'a str),
    /// Days since the first of January of year 1.
    Date(i32),
    /// Seconds since 1970, and nanoseconds.
    DateTime(i64, u32),
}

struct Values<'a>(&'a [Value]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| match value {
            Value::Null => Plain::Null,
            Value::Bool(value) => Plain::Bool(*value),
            Value::Int(value) => Plain::Int(*value),
            Value::Real(value) => Plain::Real(*value),
            Value::Text(value) => Plain::Text(value),
            Value::Date(value) => Plain::Date(chrono::Datelike::num_days_from_ce(value)),
            Value::DateTime(value) => Plain::DateTime(value.timestamp(), value.timestamp_subsec_nanos()),
        }))
    }
}

struct ReadValues(Vec<Value>);

impl<'a> Deserialize<'a> for ReadValues {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ReadValues(Vec::new()))
    }
}

impl<'a> Visitor<'a> for ReadValues {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the values of a feature")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut sequence: A) -> Result<Self, A::Error> {
        // A length that is too large is not believed.
        self.0.reserve_exact(sequence.size_hint().unwrap_or(0).min(FIELDS));
        while let Some(plain) = sequence.next_element()? {
            self.0.push(value(plain).map_err(A::Error::custom)?);
        }
        Ok(self)
    }
}

/// A value that crossed the socket.
fn value(plain: Plain<'_>) -> Result<Value, &'static str> {
    Ok(match plain {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Bool(value),
        Plain::Int(value) => Value::Int(value),
        Plain::Real(value) => Value::Real(value),
        Plain::Text(value) => Value::Text(value.to_owned()),
        Plain::Date(days) => {
            Value::Date(NaiveDate::from_num_days_from_ce_opt(days).ok_or("a day outside of the calendar")?)
        }
        Plain::DateTime(seconds, nanos) => Value::DateTime(
            DateTime::from_timestamp(seconds, nanos).ok_or("an instant outside of the calendar")?,
        ),
    })
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
