//! Texts that were garbled before they came here: read in a wrong encoding by whoever wrote the file.

use super::{Encoding, syllable::is_syllable};

/// What a text looks like that makes no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Garbled {
    /// It is in another encoding, which was read as Windows-1252.
    Misread(Encoding),
    /// It holds control characters or the sign for bytes that mean nothing.
    Controls,
    /// Signs stand inside its words, as they do in no language.
    Signs,
}

/// How a text is garbled; `None` for text that may be what it says.
pub(crate) fn garbled(text: &str) -> Option<Garbled> {
    if text.is_ascii() && !text.chars().any(is_control) {
        return None;
    }
    if let Some(bytes) = western_bytes(text) {
        if let Ok(inside) = std::str::from_utf8(&bytes)
            && inside.chars().count() < text.chars().count()
        {
            return Some(Garbled::Misread(Encoding::Utf8));
        }
        let misread = |encoding: &Encoding| reads_better(&bytes, text, *encoding);
        if let Some(encoding) =
            [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps].iter().find(|e| misread(e))
        {
            return Some(Garbled::Misread(*encoding));
        }
    }
    if text.chars().any(|c| c == '\u{FFFD}' || is_control(c)) {
        return Some(Garbled::Controls);
    }
    has_sign_in_word(text).then_some(Garbled::Signs)
}

/// Control characters other than tabs and line ends.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// The bytes of a text in Windows-1252, its holes as themselves; `None` where it has other letters.
fn western_bytes(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0..=0xFF => u8::try_from(code).ok(),
            _ => Encoding::Cp1252.encode(c.encode_utf8(&mut [0; 4])).and_then(|bytes| bytes.first().copied()),
        })
        .collect()
}

/// Whether every word with marks is a syllable in `encoding`, and fewer than half of them are as they stand.
fn reads_better(bytes: &[u8], text: &str, encoding: Encoding) -> bool {
    let decoded = encoding.decode(bytes);
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_ascii() && !c.is_ascii_alphabetic())
            .filter(|word| !word.is_ascii())
            .map(str::to_owned)
            .collect()
    };
    let (now, then) = (words(text), words(&decoded.text));
    // A single short word may be a syllable by chance.
    let enough = then.len() > 1 || then.first().is_some_and(|word| word.chars().count() > 3);
    decoded.unknown == 0
        && enough
        && then.iter().all(|word| is_syllable(word))
        && now.iter().filter(|word| is_syllable(word)).count() * 2 < then.len()
}

/// Whether a sign such as `¸`, `©` or `‰` has letters on both sides.
fn has_sign_in_word(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(3).any(|three| {
        let sign = match three[1] {
            '\u{AD}' | '·' | 'ª' | 'º' | '’' | '‘' | '°' => false,
            '\u{A1}'..='\u{BF}' | '×' | '÷' => true,
            '†' | '‡' | '‰' | '€' | '„' | '‚' | 'ƒ' => true,
            _ => false,
        };
        sign && three[0].is_alphabetic() && three[2].is_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] =
        ["Phường Sài Gòn", "Xã Bình Chánh", "Nguyễn Huệ", "đường Trường Chinh", "Quận Gò Vấp"];

    /// Bytes read as Windows-1252, as programs do.
    fn misread(name: &str, encoding: Encoding) -> String {
        let bytes = encoding.encode(name).unwrap();
        bytes
            .iter()
            .map(|byte| match Encoding::Cp1252.decode(&[*byte]) {
                decoded if decoded.unknown == 0 => decoded.text.chars().next().unwrap(),
                _ => char::from(*byte),
            })
            .collect()
    }

    #[test]
    fn text_read_in_a_wrong_encoding_is_known() {
        for encoding in [Encoding::Utf8, Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps] {
            // A single text may be one of either encoding; of a column most are not.
            let known = NAMES.iter().filter(|name| garbled(&misread(name, encoding)).is_some()).count();
            assert!(known >= 3, "{encoding}: {known}");
        }
        assert_eq!(garbled(&misread("Phố Hà Lê", Encoding::Utf8)), Some(Garbled::Misread(Encoding::Utf8)));
        assert_eq!(garbled("Ph\u{FFFD}ng"), Some(Garbled::Controls));
        assert_eq!(garbled("a\u{1}b"), Some(Garbled::Controls));
    }

    #[test]
    fn words_of_any_language_are_not_garbled() {
        for text in NAMES.iter().copied().chain([
            "Café à Paris",
            "Straße nach München",
            "L’Haÿ-les-Roses",
            "El Niño · Peñón",
            "12 m², 30° 5′",
            "北京市",
            "Москва",
            "Rock’n’Roll™",
            "côte d’Azur",
            "coŀlegi",
            "dài × rộng",
            "10×20",
            "½ lô",
            "Công ty ABC®",
        ]) {
            assert_eq!(garbled(text), None, "{text}");
        }
    }
}
