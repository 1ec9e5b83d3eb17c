//! The bytes of a GeoJSON file, whatever they are in (JSON is UTF-8, but not every program knows), and the
//! texts of its features.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
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
        features: &[Vec<u8>],
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> EncodingReport {
        if features.is_empty() {
            return survey::unicode("JSON is UTF-8");
        }
        let (report, decoder) = survey::settle(features, request.encoding, None, warnings);
        self.decoder = Some(decoder);
        warnings.push(format!(
            "{} features are not UTF-8, as JSON must be; they were read as {} ({}): if the texts are wrong, \
             import again with --encoding NAME",
            features.len(),
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

/// What a serde message says, without its own place (ours counts from the file's start).
pub(super) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
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

/// Hands over every feature; gives the object around them, if there is one.
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
        each_line(file, sink).map_err(unreadable)?;
        return Ok(None);
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
            "Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
            | "GeometryCollection"
                if !any =>
            {
                // A bare geometry is a feature without properties.
                let mut text = br#"{"type":"Feature","properties":null,"geometry":"#.to_vec();
                text.extend_from_slice(&rest);
                text.push(b'}');
                sink(One::Feature { text, line: 1 });
            }
            "Topology" => {
                return malformed(
                    "this is TopoJSON; give the file a name that ends in .topojson and import it again"
                        .into(),
                );
            }
            other => {
                return malformed(format!(
                    "the type `{other}` is none of GeoJSON's (upper and lower case matter): a \
                     FeatureCollection should stand here"
                ));
            }
        },
        Some(_) => return malformed("`type` must be a text".into()),
        None => return malformed("the object has no `type`: this is no GeoJSON".into()),
    }
    Ok(Some(top))
}

/// Newline-delimited features, with or without record separators (RFC 8142). Each line stands for itself.
fn each_line(file: impl Read, sink: &mut dyn FnMut(One) -> bool) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut line = 0;
    loop {
        let mut text = Vec::new();
        if reader.read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        line += 1;
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
        let text = text.strip_prefix(b"\x1E").unwrap_or(text).trim_ascii().to_vec();
        if text.is_empty() {
            continue;
        }
        let one = match serde_json::from_slice::<serde::de::IgnoredAny>(&text) {
            Ok(_) => One::Feature { text, line },
            Err(error) => {
                let reason = format!("column {}: {}", error.column(), plain(&error));
                One::Broken { text, line, reason }
            }
        };
        if !sink(one) {
            return Ok(());
        }
    }
}
