//! The bytes of a GeoJSON file, whatever they are in (JSON is UTF-8, but not every program knows), and the
//! texts of its features.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use citymap_model::{
    counted,
    quote::{described, without_values},
};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    splitter::{Piece, SplitError, split},
    survey, utf16,
};
use crate::{EncodingReport, ImportError, Request, encoding::TextDecoder};

/// A file, to be read as often as it takes.
pub(super) struct Input {
    path: PathBuf,
    /// What was UTF-16 in it, as UTF-8.
    text: Option<Vec<u8>>,
    /// How features that are not UTF-8 are read.
    decoder: Option<TextDecoder>,
}

impl Input {
    /// Looks whether a file is UTF-16. `notes` gets what there is to say of it.
    ///
    /// # Errors
    /// [`ImportError::Unreadable`] if it cannot be read.
    pub(super) fn open(path: &Path, notes: &mut Vec<String>) -> Result<Self, ImportError> {
        let mut input = Self { path: path.to_owned(), text: None, decoder: None };
        let read = || -> io::Result<Option<utf16::FromUtf16>> {
            let mut head = Vec::new();
            File::open(path)?.take(utf16::LOOK as u64).read_to_end(&mut head)?;
            let Some(order) = utf16::order(&head) else { return Ok(None) };
            Ok(Some(utf16::to_utf8(&fs::read(path)?, order)))
        };
        let found = read().map_err(|error| {
            let shown = path.display().to_string();
            ImportError::unreadable(shown, format!("cannot be read ({error})"), "check the disk it is on")
        })?;
        if let Some(text) = found {
            notes.push(text.note());
            input.text = Some(text.bytes);
        }
        Ok(input)
    }

    /// The bytes from the beginning.
    fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.text {
            Some(text) => Box::new(Cursor::new(text)),
            None => Box::new(File::open(&self.path)?),
        })
    }

    /// Settles how features that are not UTF-8 are read.
    pub(super) fn settle(
        &mut self,
        features: &survey::ByteTexts,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> EncodingReport {
        if features.texts.is_empty() {
            return survey::unicode("JSON is UTF-8");
        }
        let (report, decoder) = survey::settle(features, request.encoding, None, warnings);
        self.decoder = Some(decoder);
        warnings.push(format!(
            "{} not UTF-8, as JSON must be, and read as {} ({}): if the texts are wrong, import again with \
             --encoding NAME",
            counted(features.texts.len(), "feature is", "features are"),
            report.encoding,
            report.how
        ));
        let how = format!("JSON is UTF-8, but not all features are: {}", report.how);
        EncodingReport { how, sample: Vec::new(), ..report }
    }

    /// The text of a feature as UTF-8.
    pub(super) fn utf8<'a>(&self, text: &'a [u8], warnings: &mut Vec<String>) -> Cow<'a, [u8]> {
        match self.decoder {
            Some(decoder) if std::str::from_utf8(text).is_err() => {
                let decoded = decoder.decode(text);
                if decoded.unknown > 0 {
                    warnings.push(format!(
                        "it holds bytes that mean nothing in {}; they were kept as they look in \
                         Windows-1252, or as U+FFFD",
                        decoder.encoding_of(text)
                    ));
                }
                Cow::Owned(decoded.text.into_bytes())
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// The object around the features.
#[derive(Deserialize)]
pub(super) struct Top {
    #[serde(rename = "type")]
    kind: Option<Json>,
    pub(super) crs: Option<Json>,
    features: Option<Json>,
}

/// What a serde message says, without its own place (ours counts from the file's start), and without the
/// value that it quotes.
pub(in crate::source) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Faults of syntax quote signs that were expected; those of data quote the value.
    let text = if error.is_data() { without_values(&text, &[]) } else { text };
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// A feature's text, or what stands in its place.
pub(super) enum One {
    Feature { text: Vec<u8>, line: u64 },
    Broken { text: Vec<u8>, line: u64, reason: String },
}

impl One {
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Feature { text, .. } => Some(text),
            Self::Broken { .. } => None,
        }
    }
}

/// The types of geometries.
const GEOMETRIES: [&str; 7] =
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];

/// A bare geometry as a feature without properties.
fn as_feature(geometry: &[u8]) -> Vec<u8> {
    let mut text = br#"{"type":"Feature","properties":null,"geometry":"#.to_vec();
    text.extend_from_slice(geometry);
    text.push(b'}');
    text
}

/// Hands over every feature; gives the object around them, if there is one.
///
/// # Errors
/// [`ImportError`] if the file cannot be read, is no GeoJSON, or is cut off.
pub(super) fn each(
    input: &Input,
    lines: bool,
    sink: &mut dyn FnMut(One) -> bool,
) -> Result<Option<Top>, ImportError> {
    let shown = input.path.display().to_string();
    let unreadable = |error: std::io::Error| {
        ImportError::unreadable(&shown, format!("cannot be read ({error})"), "check the disk it is on")
    };
    let file = input.reader().map_err(unreadable)?;
    if lines {
        let mut sequence = Sequence { shown: &shown, sink, unfinished: None, crs: None };
        sequence.read(file, &unreadable)?;
        let crs = sequence.crs.and_then(|member| member.0);
        return Ok(crs.map(|crs| Top { kind: None, crs: Some(crs), features: None }));
    }
    let mut rest = None;
    let mut stopped = false;
    let mut any = false;
    split(file, &mut |piece| match piece {
        Piece::Feature { text, line } => {
            any = true;
            stopped = !sink(One::Feature { text, line });
            !stopped
        }
        Piece::Rest(text) => {
            rest = Some(text);
            true
        }
    })
    .map_err(|error| match error {
        SplitError::Io(error) => unreadable(error),
        SplitError::Broken { line, column, reason } => {
            ImportError::malformed(&shown, format!("line {line}, column {column}"), reason)
        }
    })?;
    let Some(rest) = rest else { return Ok(None) };
    debug_assert!(!stopped);
    let top: Top = serde_json::from_slice(&rest)
        .map_err(|error| ImportError::malformed(&shown, format!("line {}", error.line()), plain(&error)))?;
    let malformed = |reason: String| Err(ImportError::malformed(&shown, "line 1", reason));
    match &top.kind {
        Some(Json::String(kind)) => match kind.as_str() {
            "FeatureCollection" => match &top.features {
                Some(Json::Array(_)) => {}
                Some(_) => return malformed("`features` must be a list".into()),
                None => return malformed("a FeatureCollection must have a list `features`".into()),
            },
            "Feature" if !any => {
                sink(One::Feature { text: rest, line: 1 });
            }
            kind if !any && GEOMETRIES.contains(&kind) => {
                sink(One::Feature { text: as_feature(&rest), line: 1 });
            }
            "Topology" => {
                return malformed(
                    "this is TopoJSON; give the file a name that ends in .topojson and import it again"
                        .into(),
                );
            }
            other => {
                return malformed(format!(
                    "the type is {}, none of GeoJSON's (upper and lower case matter): a \
                     FeatureCollection should stand here",
                    described(other)
                ));
            }
        },
        Some(_) => return malformed("`type` must be a text".into()),
        None => return malformed("the object has no `type`: this is no GeoJSON".into()),
    }
    Ok(Some(top))
}

/// Before each object of a text sequence (RFC 8142).
const SEPARATOR: u8 = 0x1E;

/// What tells a collection or a geometry from a feature.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: Option<Json>,
}

/// A sequence of GeoJSON objects: one a line, or each after a record separator, where it may take several
/// lines. Each object stands for itself; a FeatureCollection among them is its features.
struct Sequence<'a> {
    shown: &'a str,
    sink: &'a mut dyn FnMut(One) -> bool,
    /// An object that ends too early: it is broken if others follow, else the file is cut off.
    unfinished: Option<One>,
    /// The `crs` member of the objects so far; `None` before the first one.
    crs: Option<CrsMember>,
}

/// The `crs` member of an object, if it has one.
#[derive(PartialEq)]
struct CrsMember(Option<Json>);

impl Sequence<'_> {
    /// Reads a file to its end, or until nobody wants more.
    fn read(
        &mut self,
        file: impl Read,
        failed: &dyn Fn(io::Error) -> ImportError,
    ) -> Result<(), ImportError> {
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let head = reader.fill_buf().map_err(failed)?;
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
        let separator = if head.first() == Some(&SEPARATOR) { SEPARATOR } else { b'\n' };
        let mut line = 1;
        loop {
            let mut text = Vec::new();
            if reader.read_until(separator, &mut text).map_err(failed)? == 0 {
                break;
            }
            let own = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
            let going_on = if separator == SEPARATOR {
                self.record(own.strip_suffix(&[SEPARATOR]).unwrap_or(own), line)?
            } else {
                let own = own.strip_prefix(&[SEPARATOR]).unwrap_or(own);
                self.object(own.trim_ascii(), line)?
            };
            if !going_on {
                return Ok(());
            }
            line += newlines(&text);
        }
        match self.unfinished.take() {
            Some(One::Broken { line, reason, .. }) => Err(ImportError::malformed(
                self.shown,
                format!("line {line}"),
                format!("{reason}; the file is cut off in its last object: get it again"),
            )),
            _ => Ok(()),
        }
    }

    /// What is between two separators: one object, or several where separators were left out.
    fn record(&mut self, text: &[u8], mut line: u64) -> Result<bool, ImportError> {
        let mut rest = text;
        loop {
            let blank = rest.len() - rest.trim_ascii_start().len();
            line += newlines(&rest[..blank]);
            rest = &rest[blank..];
            if rest.is_empty() {
                return Ok(true);
            }
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
            let end = match values.next() {
                Some(Ok(_)) => values.byte_offset(),
                _ => rest.len(),
            };
            if !self.object(rest[..end].trim_ascii_end(), line)? {
                return Ok(false);
            }
            line += newlines(&rest[..end]);
            rest = &rest[end..];
        }
    }

    /// Hands over what one object is; `false` if nobody wants more.
    fn object(&mut self, text: &[u8], line: u64) -> Result<bool, ImportError> {
        if text.is_empty() {
            return Ok(true);
        }
        if let Some(unfinished) = self.unfinished.take()
            && !(self.sink)(unfinished)
        {
            return Ok(false);
        }
        let owned = || text.to_vec();
        let kind = match serde_json::from_slice::<Kind>(text) {
            Ok(Kind { kind: Some(Json::String(kind)) }) => kind,
            Err(error) if !error.is_data() => {
                let reason = format!("column {}: {}", error.column(), plain(&error));
                let broken = One::Broken { text: owned(), line, reason };
                if error.is_eof() {
                    self.unfinished = Some(broken);
                    return Ok(true);
                }
                return Ok((self.sink)(broken));
            }
            // What is no object or has no type is told of where features are read.
            _ => return Ok((self.sink)(One::Feature { text: owned(), line })),
        };
        match kind.as_str() {
            "FeatureCollection" => self.collection(text, line),
            kind if GEOMETRIES.contains(&kind) => {
                self.system(None, line)?;
                Ok((self.sink)(One::Feature { text: as_feature(text), line }))
            }
            _ => {
                self.system(None, line)?;
                Ok((self.sink)(One::Feature { text: owned(), line }))
            }
        }
    }

    /// Hands over the features of a collection.
    fn collection(&mut self, text: &[u8], line: u64) -> Result<bool, ImportError> {
        let (mut going_on, mut rest) = (true, None);
        let outcome = split(text, &mut |piece| {
            match piece {
                Piece::Feature { text, line: own } => {
                    going_on = (self.sink)(One::Feature { text, line: line + own - 1 });
                }
                Piece::Rest(text) => rest = Some(text),
            }
            going_on
        });
        if let Err(SplitError::Broken { reason, .. }) = outcome {
            return Err(ImportError::malformed(self.shown, format!("line {line}"), reason));
        }
        let top = rest.and_then(|rest| serde_json::from_slice::<Top>(&rest).ok());
        match top {
            Some(Top { features: Some(Json::Array(_)), crs, .. }) => self.system(crs, line)?,
            Some(_) => {
                let reason = "a FeatureCollection must have a list `features`";
                return Err(ImportError::malformed(self.shown, format!("line {line}"), reason));
            }
            None => {}
        }
        Ok(going_on)
    }

    /// Refuses objects of several coordinate systems: the layer has one.
    fn system(&mut self, crs: Option<Json>, line: u64) -> Result<(), ImportError> {
        let own = CrsMember(crs);
        if *self.crs.get_or_insert_with(|| CrsMember(own.0.clone())) == own {
            return Ok(());
        }
        Err(ImportError::malformed(
            self.shown,
            format!("line {line}"),
            "its `crs` member is not that of the objects before it: import objects of each coordinate system \
             from a file of their own",
        ))
    }
}

fn newlines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}
