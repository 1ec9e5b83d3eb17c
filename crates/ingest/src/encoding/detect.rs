//! Which encoding bytes are in, by how well each makes Vietnamese syllables of them.

use serde::Serialize;

use super::{Encoding, syllable::is_syllable};

/// What detection made of a file's text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// The encoding that fits most of the texts best.
    pub encoding: Encoding,
    /// From 0 to 1: the share of the words with marks that are Vietnamese syllables under it, less
    /// half of the next best encoding's share. 1 for plain ASCII and for valid UTF-8.
    pub confidence: f64,
    /// How many words with bytes above 0x7F were looked at.
    pub words: usize,
}

/// Share of syllables below which text is not taken for Vietnamese.
const LEAST: f64 = 0.5;
/// Words after which more of them change nothing.
const ENOUGH: usize = 20_000;
/// What a word counts that is valid UTF-8 of several bytes and no syllable: valid by chance is rare, but two
/// letters of VISCII can be.
const VALID: f64 = 0.6;
/// The encodings that only their syllables give away.
pub(super) const LEGACY: [Encoding; 5] =
    [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps, Encoding::Cp1258];

/// Detects the encoding of a file's texts. Text that no Vietnamese encoding explains counts as
/// UTF-8 if most of it is valid, else as Windows-1252. A few texts in another encoding change nothing.
pub fn detect<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Detection {
    let texts: Vec<&[u8]> = texts.into_iter().filter(|text| is_marked(text)).collect();
    let valid = texts.iter().filter(|text| is_utf8(text)).count();
    let sample = sample(&texts);
    let words: usize = sample.iter().map(|text| words(text).count()).sum();
    if valid == texts.len() && words == 0 {
        return Detection { encoding: Encoding::Utf8, confidence: 1.0, words };
    }
    let utf8 = share(Encoding::Utf8, &sample);
    let mut scores: Vec<(Encoding, f64)> =
        LEGACY.into_iter().map(|encoding| (encoding, share(encoding, &sample))).collect();
    // The sort is stable: equals stay in the order of preference.
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    let ((best, first), second) = (scores[0], scores[1].1);
    let most_valid = valid * 2 >= texts.len() && valid > 0;
    if utf8 >= first && most_valid {
        let confidence = if valid == texts.len() { 1.0 } else { valid as f64 / texts.len() as f64 };
        return Detection { encoding: Encoding::Utf8, confidence, words };
    }
    if first < LEAST {
        return if most_valid {
            Detection { encoding: Encoding::Utf8, confidence: valid as f64 / texts.len() as f64, words }
        } else {
            Detection { encoding: Encoding::Cp1252, confidence: 0.5 * (1.0 - first), words }
        };
    }
    Detection { encoding: best, confidence: (first - 0.5 * second).clamp(0.0, 1.0), words }
}

/// The share of the words with marks that are syllables under an encoding, from 0 to 1.
pub(super) fn share(encoding: Encoding, texts: &[&[u8]]) -> f64 {
    let (mut all, mut good) = (0_usize, 0.0);
    for text in texts {
        for fit in fits(encoding, text) {
            all += 1;
            good += fit;
        }
    }
    if all == 0 { 0.0 } else { good / all as f64 }
}

/// How well each word with marks of a text fits an encoding.
fn fits<'a>(encoding: Encoding, text: &'a [u8]) -> impl Iterator<Item = f64> + 'a {
    let refused = encoding == Encoding::Utf8 && !is_utf8(text);
    words(text).map(move |word| {
        if refused {
            return 0.0;
        }
        let decoded = encoding.decode(word);
        if decoded.unknown == 0 && is_syllable(&decoded.text) {
            1.0
        } else if encoding == Encoding::Utf8 {
            VALID
        } else {
            0.0
        }
    })
}

/// Whether a text that is valid UTF-8 is rather that than text in `encoding`.
pub(super) fn is_rather_utf8(text: &[u8], encoding: Encoding) -> bool {
    std::str::from_utf8(text).is_ok() && share(Encoding::Utf8, &[text]) >= share(encoding, &[text])
}

/// Whether anything in a text needs an encoding.
pub(super) fn is_marked(text: &[u8]) -> bool {
    !text.is_ascii() || text.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// Whether a text is UTF-8. A field of fixed width may end inside a letter: that alone does not speak against
/// it.
pub(super) fn is_utf8(text: &[u8]) -> bool {
    match std::str::from_utf8(text) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && text.len() - error.valid_up_to() < 4,
    }
}

/// The words of a text with bytes above 0x7F.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic() && *byte >= 0x20)
        .filter(|word| word.iter().any(|byte| *byte >= 0x80))
}

/// Texts from beginning to end of a file, with about as many words as tell all.
pub(super) fn sample<'a>(texts: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let all: usize = texts.iter().map(|text| words(text).count()).sum();
    let step = all.div_ceil(ENOUGH).max(1);
    texts.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = [
        "Phường Sài Gòn",
        "Phường Tân Định",
        "Xã Bình Chánh",
        "Đặc khu Côn Đảo",
        "Phường Thủ Dầu Một",
        "Nguyễn Huệ",
        "đường Trường Chinh",
        "Khu chế xuất Tân Thuận",
        "Đất ở tại đô thị",
        "Quận Gò Vấp",
        "hẻm giới",
        "Cộng Hòa",
    ];

    /// Any eight names in any encoding are found out and come back (TCVN3 but for case). Of two or three
    /// names more than one encoding may make Vietnamese syllables, so every choice of eight is tried, and not
    /// a random few.
    #[test]
    fn what_was_encoded_is_detected_and_decoded() {
        for encoding in Encoding::ALL.into_iter().take(6) {
            for choice in (0_u32..1 << NAMES.len()).filter(|choice| choice.count_ones() == 8) {
                let names = NAMES.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1);
                let names: Vec<&str> = names.map(|(_, name)| *name).collect();
                let texts: Vec<Vec<u8>> = names.iter().map(|name| encoding.encode(name).unwrap()).collect();
                let found = detect(texts.iter().map(Vec::as_slice));
                assert_eq!(found.encoding, encoding, "{names:?}");
                for (name, text) in names.iter().zip(&texts) {
                    let back = encoding.decode(text);
                    assert_eq!(back.unknown, 0);
                    if encoding == Encoding::Tcvn3 {
                        assert_eq!(back.text.to_lowercase(), name.to_lowercase());
                    } else {
                        assert_eq!(&back.text, name);
                    }
                }
            }
        }
    }

    #[test]
    fn western_text_is_not_taken_for_vietnamese() {
        let texts: [&[u8]; 3] =
            [b"Jos\xE9 Mar\xEDa Mu\xF1oz", b"Gar\xE7on fran\xE7ais", b"Stra\xDFe M\xFCnchen"];
        assert_eq!(detect(texts).encoding, Encoding::Cp1252);
    }

    /// Whatever the stray bytes are, the texts that are whole decide.
    #[test]
    fn a_few_texts_in_another_encoding_change_nothing() {
        let texts: Vec<Vec<u8>> = (0..40).flat_map(|_| NAMES.map(|name| name.as_bytes().to_vec())).collect();
        for byte in 0x80..=0xFF_u8 {
            let mut mixed = texts.clone();
            mixed.push(vec![b'T', byte, b'n']);
            mixed.push(vec![byte]);
            assert_eq!(detect(mixed.iter().map(Vec::as_slice)).encoding, Encoding::Utf8, "{byte:x}");
        }
        for encoding in LEGACY {
            let mut mixed: Vec<Vec<u8>> = NAMES.iter().map(|name| encoding.encode(name).unwrap()).collect();
            mixed.extend(NAMES.iter().take(4).map(|name| name.as_bytes().to_vec()));
            assert_eq!(detect(mixed.iter().map(Vec::as_slice)).encoding, encoding);
        }
    }
}
