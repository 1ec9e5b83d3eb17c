//! What a look through a layer finds out before its features are read for good.

use citymap_model::{GeometryKind, Value};

use super::join_kinds;
use crate::{
    encoding::{Encoding, detect},
    report::EncodingReport,
};
use geo::CoordsIter;
use geo_types::Geometry;

/// Features whose values are kept for guesses.
pub(crate) const SAMPLE: usize = 2_000;
/// Converted texts that the report shows, to judge the encoding by.
pub(crate) const SHOWN: usize = 8;

/// What the first features, or all, of a layer show.
#[derive(Default)]
pub(crate) struct Survey {
    pub kind: Option<GeometryKind>,
    pub points: Vec<[f64; 2]>,
    pub sample: Vec<Vec<Value>>,
    pub count: u64,
}

impl Survey {
    pub(crate) fn geometry(&mut self, geometry: &Geometry<f64>) {
        let coord = geometry.coords_iter().next();
        // An empty geometry says nothing of its layer.
        let Some(coord) = coord else { return };
        self.kind = join_kinds(self.kind, GeometryKind::of(geometry));
        if self.points.len() < SAMPLE {
            self.points.push([coord.x, coord.y]);
        }
    }

    pub(crate) fn values(&mut self, values: &[Value]) {
        self.count += 1;
        if self.sample.len() < SAMPLE {
            self.sample.push(values.to_vec());
        }
    }
}

/// Text that came byte by byte as the first 256 characters of Unicode, as text. Characters beyond
/// them (from escapes) stay.
pub(crate) fn from_latin1(text: &str, encoding: Encoding) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut bytes = Vec::new();
    for letter in text.chars() {
        match u8::try_from(u32::from(letter)) {
            Ok(byte) => bytes.push(byte),
            Err(_beyond) => {
                out.push_str(&encoding.decode(&bytes).text);
                bytes.clear();
                out.push(letter);
            }
        }
    }
    out.push_str(&encoding.decode(&bytes).text);
    out
}

/// The bytes of such text.
pub(crate) fn latin1_bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

/// Settles the encoding of byte texts: what was asked for, else what the file declares if the bytes
/// agree, else what they look like.
pub(crate) fn settle(
    texts: &[Vec<u8>],
    asked: Option<Encoding>,
    declared: Option<(Encoding, String)>,
    warnings: &mut Vec<String>,
) -> EncodingReport {
    let found = detect(texts.iter().map(Vec::as_slice));
    let (encoding, how, confidence) = if let Some(asked) = asked {
        (asked, "as asked for (--encoding)".to_owned(), None)
    } else if let Some((encoding, how)) = declared {
        if encoding == Encoding::Utf8 && found.encoding != Encoding::Utf8 {
            warnings.push(format!(
                "{how} says UTF-8, but the bytes are not; they were read as {}",
                found.encoding
            ));
            (found.encoding, format!("detected, against {how}"), Some(found.confidence))
        } else {
            if encoding != found.encoding
                && found.encoding != Encoding::Cp1252
                && found.encoding != Encoding::Utf8
            {
                warnings.push(format!(
                    "{how} says {encoding}, but the bytes look like {} ({:.0} %); if the texts are wrong, \
                     import again with --encoding {}",
                    found.encoding,
                    100.0 * found.confidence,
                    found.encoding
                ));
            }
            (encoding, how, None)
        }
    } else if found.words == 0 {
        (Encoding::Utf8, "only ASCII".to_owned(), Some(1.0))
    } else {
        if found.confidence < 0.4 {
            warnings.push(format!(
                "the encoding was detected as {} with little confidence ({:.0} %); look at the sample and \
                 say it with --encoding if it is wrong",
                found.encoding,
                100.0 * found.confidence
            ));
        }
        (found.encoding, format!("detected from {} words", found.words), Some(found.confidence))
    };
    let mut unknown = 0;
    let mut sample = Vec::new();
    for text in texts.iter().filter(|text| !text.is_ascii()) {
        let decoded = encoding.decode(text);
        unknown += usize::from(decoded.unknown > 0);
        if sample.len() < SHOWN && !sample.contains(&decoded.text) {
            sample.push(decoded.text);
        }
    }
    if unknown > 0 {
        warnings.push(format!(
            "{unknown} texts hold bytes that mean nothing in {encoding}; they were kept as \
             they look in Windows-1252, or as U+FFFD"
        ));
    }
    EncodingReport { encoding, how, confidence, sample }
}

/// The report for a format that is UTF-8 by definition.
pub(crate) fn unicode(how: &str) -> EncodingReport {
    EncodingReport { encoding: Encoding::Utf8, how: how.to_owned(), confidence: None, sample: Vec::new() }
}
