//! Which encoding bytes are in, by how well each makes Vietnamese syllables of them.

use serde::Serialize;

use super::{Encoding, syllable::is_syllable};

/// What detection made of a file's text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// The encoding that fits the bytes best.
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

/// Detects the encoding of a file's texts. Text that no Vietnamese encoding explains counts as
/// UTF-8 if it is valid, else as Windows-1252.
pub fn detect<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Detection {
    let mut words: Vec<&[u8]> = Vec::new();
    let mut utf8 = true;
    for text in texts {
        if text.is_ascii() && !text.iter().any(|byte| *byte < 0x20) {
            continue;
        }
        // A field of fixed width may end inside a letter: that alone does not speak against UTF-8.
        utf8 &= match std::str::from_utf8(text) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none() && text.len() - error.valid_up_to() < 4,
        };
        if words.len() < ENOUGH {
            words.extend(
                text.split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic() && *byte >= 0x20)
                    .filter(|word| word.iter().any(|byte| *byte >= 0x80)),
            );
        }
    }
    if utf8 || words.is_empty() {
        return Detection { encoding: Encoding::Utf8, confidence: 1.0, words: words.len() };
    }
    let mut scores: Vec<(Encoding, f64)> = Encoding::ALL
        .into_iter()
        .filter(|encoding| !matches!(encoding, Encoding::Utf8 | Encoding::Cp1252))
        .map(|encoding| (encoding, score(encoding, &words)))
        .collect();
    // The sort is stable: equals stay in the order of preference.
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    let ((best, first), second) = (scores[0], scores[1].1);
    if first < LEAST {
        return Detection { encoding: Encoding::Cp1252, confidence: 0.5 * (1.0 - first), words: words.len() };
    }
    Detection { encoding: best, confidence: (first - 0.5 * second).clamp(0.0, 1.0), words: words.len() }
}

fn score(encoding: Encoding, words: &[&[u8]]) -> f64 {
    let good = words
        .iter()
        .filter(|word| {
            let decoded = encoding.decode(word);
            decoded.unknown == 0 && is_syllable(&decoded.text)
        })
        .count();
    good as f64 / words.len() as f64
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
}
