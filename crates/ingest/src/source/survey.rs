//! What a look through a layer finds out before its features are read for good.

use citymap_model::{GeometryKind, Value, counted, plural};

use super::join_kinds;
use crate::{
    encoding::{Decoded, Encoding, Mixture, TextDecoder, contradicts, detect},
    report::EncodingReport,
    sample::Reservoir,
};
use citymap_crs::Crs;
use geo::CoordsIter;
use geo_types::Geometry;

/// Features whose values are kept for guesses.
pub(crate) const SAMPLE: usize = 2_000;
/// Converted texts that the report shows, to judge the encoding by.
pub(crate) const SHOWN: usize = 8;

/// Where a feature of a layer is, as stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SeenPoint {
    /// The first position of its geometry.
    pub at: [f64; 2],
    /// Its values in the sample, if they are in it.
    pub row: Option<usize>,
    /// The system that the feature names for itself; none for that of its layer.
    pub system: Option<Crs>,
}

/// Where the features of a layer are, as stored.
#[derive(Clone, Debug)]
pub(crate) struct SeenPoints {
    /// The first ones, with their values.
    pub first: Vec<SeenPoint>,
    /// A sample of the whole layer: the first features may be odd ones.
    pub spread: Reservoir<SeenPoint>,
}

impl Default for SeenPoints {
    fn default() -> Self {
        Self { first: Vec::new(), spread: Reservoir::new(SAMPLE) }
    }
}

impl SeenPoints {
    /// Takes the next feature of the layer.
    pub(crate) fn take(&mut self, point: SeenPoint) {
        if self.first.len() < SAMPLE {
            self.first.push(point);
        }
        self.spread.offer(|| point);
    }

    /// Takes a feature beyond the first ones. `at` is called only if it comes into the sample; it gives none
    /// for a feature without a place.
    pub(crate) fn take_later(&mut self, at: impl FnOnce() -> Option<[f64; 2]>) {
        if let Some(slot) = self.spread.slot()
            && let Some(at) = at()
        {
            self.spread.put(slot, SeenPoint { at, row: None, system: None });
        }
    }
}

/// The first position of a geometry; none of an empty one.
pub(crate) fn first_position(geometry: &Geometry<f64>) -> Option<[f64; 2]> {
    geometry.coords_iter().next().map(|at| [at.x, at.y])
}

/// What the first features, or all, of a layer show.
#[derive(Default)]
pub(crate) struct Survey {
    pub kind: Option<GeometryKind>,
    pub points: SeenPoints,
    pub sample: Vec<Vec<Value>>,
    pub count: u64,
    /// Where the values of the feature that is looked at are in the sample.
    row: Option<usize>,
}

impl Survey {
    /// Takes a geometry. `system` is the one that its feature names for itself.
    pub(crate) fn geometry(&mut self, geometry: &Geometry<f64>, system: Option<Crs>) {
        // An empty geometry says nothing of its layer.
        let Some(at) = first_position(geometry) else { return };
        self.kind = join_kinds(self.kind, GeometryKind::of(geometry));
        self.points.take(SeenPoint { at, row: self.row.take(), system });
    }

    /// Counts a feature whose values are not looked at.
    pub(crate) fn pass(&mut self) {
        self.count += 1;
        self.row = None;
    }

    pub(crate) fn values(&mut self, values: &[Value]) {
        self.pass();
        if self.sample.len() < SAMPLE {
            self.row = Some(self.sample.len());
            self.sample.push(values.to_vec());
        }
    }
}

/// Text that came byte by byte as the first 256 characters of Unicode, as text. Characters beyond
/// them (from escapes) stay.
pub(crate) fn from_latin1(text: &str, decoder: TextDecoder) -> Decoded {
    if text.is_ascii() {
        return Decoded { text: text.to_owned(), unknown: 0 };
    }
    let mut out = Decoded { text: String::with_capacity(text.len()), unknown: 0 };
    let mut bytes = Vec::new();
    let put = |bytes: &mut Vec<u8>, out: &mut Decoded| {
        let decoded = decoder.decode(bytes);
        out.text.push_str(&decoded.text);
        out.unknown += decoded.unknown;
        bytes.clear();
    };
    for letter in text.chars() {
        match u8::try_from(u32::from(letter)) {
            Ok(byte) => bytes.push(byte),
            Err(_beyond) => {
                put(&mut bytes, &mut out);
                out.text.push(letter);
            }
        }
    }
    put(&mut bytes, &mut out);
    out
}

/// The bytes of such text.
pub(crate) fn latin1_bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

/// What is said of a text that holds bytes without a meaning.
pub(crate) fn undecoded(field: &str, encoding: Encoding) -> String {
    format!(
        "the text in field `{field}` holds bytes that mean nothing in {encoding}; they were kept as they \
         look in Windows-1252, or as U+FFFD"
    )
}

/// Texts as the bytes that they are, and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByteTexts {
    pub texts: Vec<Vec<u8>>,
    /// The line or the number of the feature of each text; 0 for names of fields.
    rows: Vec<u64>,
}

impl ByteTexts {
    pub(crate) fn push(&mut self, row: u64, text: Vec<u8>) {
        self.texts.push(text);
        self.rows.push(row);
    }
}

/// Settles how byte texts are decoded: what was asked for, else what the file declares where the bytes agree,
/// else what they look like; text by text where they disagree.
pub(crate) fn settle(
    ByteTexts { texts, rows }: &ByteTexts,
    asked: Option<Encoding>,
    declared: Option<(Encoding, String)>,
    warnings: &mut Vec<String>,
) -> (EncodingReport, TextDecoder) {
    let (decoder, how, confidence) = match (asked, declared) {
        (Some(asked), _) => (TextDecoder::only(asked), "as asked for (--encoding)".to_owned(), None),
        (None, Some((encoding, how))) => against_declared(texts, encoding, how, warnings),
        (None, None) => detected(texts, warnings),
    };
    let mixture = decoder.mixture(texts, rows);
    let encoding = decoder.encoding();
    if mixture.utf8 > 0 {
        warnings.push(format!(
            "{} of {} with letters beyond ASCII {} valid UTF-8 and read as that, the rest as {encoding}; if \
             that is wrong, import again with --encoding {encoding}",
            mixture.utf8,
            counted(mixture.marked, "text", "texts"),
            plural(mixture.utf8 as u64, "is", "are")
        ));
    }
    if let (Some(second), true) = (decoder.second(), mixture.second > 0) {
        warnings.push(format!(
            "the texts mix two encodings: {} of {} with letters beyond ASCII {} read as {second}, the rest \
             as {}; {} of those {} words in both and may be wrong: compare with the source, or import again \
             with --encoding NAME",
            mixture.second,
            mixture.marked,
            plural(mixture.second as u64, "was", "were"),
            decoder.first(),
            mixture.either,
            plural(mixture.either as u64, "makes", "make")
        ));
    }
    if let (Some(rest), true) = (decoder.rest(), mixture.rest > 0) {
        warnings.push(format!(
            "{} of {} with letters beyond ASCII {} read as {rest}",
            mixture.rest,
            counted(mixture.marked, "text", "texts"),
            plural(mixture.rest as u64, "is not UTF-8 and was", "are not UTF-8 and were")
        ));
    }
    warnings.extend(rows_note(&mixture));
    let mut unknown = 0;
    let mut sample = Vec::new();
    for text in texts.iter().filter(|text| !text.is_ascii()) {
        let decoded = decoder.decode(text);
        unknown += usize::from(decoded.unknown > 0);
        if sample.len() < SHOWN && !sample.contains(&decoded.text) {
            sample.push(decoded.text);
        }
    }
    if unknown > 0 {
        warnings.push(format!(
            "{} bytes that mean nothing in {encoding}; they were kept as they look in Windows-1252, or as \
             U+FFFD, and each text is listed",
            counted(unknown, "text holds", "texts hold")
        ));
    }
    (EncodingReport { encoding, how, confidence, sample }, decoder)
}

/// The decoder of a file that declares an encoding, how it is known, and how sure it is if it was detected.
type Settled = (TextDecoder, String, Option<f64>);

/// What the bytes look like, where nothing else is said.
fn detected(texts: &[Vec<u8>], warnings: &mut Vec<String>) -> Settled {
    let found = detect(texts.iter().map(Vec::as_slice));
    let decoder = TextDecoder::detected(found.encoding, texts);
    if found.words == 0 {
        return (decoder, "only ASCII".to_owned(), Some(1.0));
    }
    if decoder.encoding() == Encoding::Cp1252 {
        warnings.push(
            "the texts are neither UTF-8 nor Vietnamese in an encoding that is known here; they were read as \
             CP1252, which is a guess: look at the texts, and save the file as UTF-8 if they are wrong"
                .to_owned(),
        );
    } else if found.confidence < 0.4 {
        warnings.push(format!(
            "the encoding was detected as {} with little confidence ({:.0} %); look at the sample and \
             say it with --encoding if it is wrong",
            found.encoding,
            100.0 * found.confidence
        ));
    }
    (decoder, format!("detected from {}", counted(found.words, "word", "words")), Some(found.confidence))
}

/// What the file declares, unless the bytes plainly are something else.
fn against_declared(
    texts: &[Vec<u8>],
    declared: Encoding,
    how: String,
    warnings: &mut Vec<String>,
) -> Settled {
    let found = detect(texts.iter().map(Vec::as_slice));
    let as_declared = TextDecoder::mixed(declared, texts, None);
    let mixture = as_declared.mixture(texts, &[]);
    let overruled = if declared == Encoding::Utf8 {
        found.encoding != Encoding::Utf8
    } else {
        (found.encoding == Encoding::Utf8 && mixture.utf8 * 2 > mixture.marked)
            || contradicts(texts, declared, &found)
    };
    if overruled {
        let fallback = (found.encoding == Encoding::Utf8).then_some(declared);
        let decoder = TextDecoder::mixed(found.encoding, texts, fallback);
        warnings.push(if declared == Encoding::Utf8 {
            format!("{how} says UTF-8, but the bytes are not; they were read as {}", found.encoding)
        } else {
            format!(
                "{how} says {declared}, but the bytes are {} and were read as that; if the texts are \
                 wrong, import again with --encoding {declared}",
                found.encoding
            )
        });
        return (decoder, format!("detected, against {how}"), Some(found.confidence));
    }
    if declared != found.encoding && !matches!(found.encoding, Encoding::Cp1252 | Encoding::Utf8) {
        warnings.push(format!(
            "{how} says {declared}, but the bytes look like {} ({:.0} %); if the texts are wrong, \
             import again with --encoding {}",
            found.encoding,
            100.0 * found.confidence,
            found.encoding
        ));
    }
    (as_declared, how, None)
}

/// In which rows the texts are that are in each encoding, where they are in several.
fn rows_note(mixture: &Mixture) -> Option<String> {
    let counted: Vec<String> = mixture
        .rows
        .iter()
        .filter(|(_, rows)| rows.count > 0)
        .map(|(encoding, rows)| {
            let first: Vec<String> = rows.first.iter().map(u64::to_string).collect();
            let more = if rows.count > first.len() as u64 { ", …" } else { "" };
            format!("{encoding} {} ({}{more})", rows.count, first.join(", "))
        })
        .collect();
    (counted.len() > 1).then(|| format!("rows by the encoding of their texts: {}", counted.join("; ")))
}

/// The report for a format that is UTF-8 by definition.
pub(crate) fn unicode(how: &str) -> EncodingReport {
    EncodingReport { encoding: Encoding::Utf8, how: how.to_owned(), confidence: None, sample: Vec::new() }
}
