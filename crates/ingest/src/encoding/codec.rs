//! Bytes to text and back.

use unicode_normalization::UnicodeNormalization;

use super::{
    Encoding,
    table::{Codes, codes, cp1252, cp1258},
};

/// Text read from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text, composed (NFC).
    pub text: String,
    /// How many bytes meant nothing in the encoding. They stand in the text as page 1252 has them,
    /// or as U+FFFD.
    pub unknown: usize,
}

pub(super) fn decode(encoding: Encoding, bytes: &[u8]) -> Decoded {
    if bytes.is_ascii() && !bytes.iter().any(|byte| *byte < 0x20) {
        return Decoded { text: bytes.iter().map(|byte| char::from(*byte)).collect(), unknown: 0 };
    }
    match encoding {
        Encoding::Utf8 => utf8(bytes),
        Encoding::Cp1252 => by_rule(bytes, cp1252),
        Encoding::Cp1258 => by_rule(bytes, cp1258),
        Encoding::Tcvn3 | Encoding::Vni | Encoding::Viscii | Encoding::Vps => match codes(encoding) {
            Some(table) => {
                let mut decoded = by_table(bytes, table);
                if encoding == Encoding::Tcvn3 {
                    decoded.text = capitals(&decoded.text);
                }
                decoded
            }
            None => utf8(bytes),
        },
    }
}

fn utf8(bytes: &[u8]) -> Decoded {
    let mut text = String::with_capacity(bytes.len());
    let mut unknown = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            unknown += chunk.invalid().len();
            text.push('\u{FFFD}');
        }
    }
    Decoded { text: text.nfc().collect(), unknown }
}

fn by_rule(bytes: &[u8], rule: fn(u8) -> Option<char>) -> Decoded {
    let mut unknown = 0;
    let text = bytes
        .iter()
        .map(|&byte| {
            rule(byte).unwrap_or_else(|| {
                unknown += 1;
                '\u{FFFD}'
            })
        })
        .nfc()
        .collect();
    Decoded { text, unknown }
}

fn by_table(bytes: &[u8], table: &Codes) -> Decoded {
    let (mut text, mut unknown, mut rest) = (String::with_capacity(bytes.len()), 0, bytes);
    while let Some((&byte, tail)) = rest.split_first() {
        if let (true, Some(&next)) = (byte.is_ascii_alphabetic() || byte >= 0x80, tail.first())
            && let Some(&letter) = table.double.get(&[byte, next])
        {
            text.push(letter);
            rest = &tail[1..];
            continue;
        }
        rest = tail;
        // Tab and line ends are themselves in every encoding.
        let letter =
            if matches!(byte, b'\t' | b'\n' | b'\r') { None } else { table.single[usize::from(byte)] };
        match letter {
            Some(letter) => text.push(letter),
            None if byte < 0x80 => text.push(char::from(byte)),
            // Quotes, dashes and signs of the western page are mixed into such texts.
            None => {
                unknown += usize::from(!matches!(byte, 0x91..=0x97 | 0xA0 | 0xAB | 0xB0 | 0xBB));
                text.push(cp1252(byte).unwrap_or('\u{FFFD}'));
            }
        }
    }
    Decoded { text: text.nfc().collect(), unknown }
}

/// Raises the letters of words that are otherwise written in capitals.
fn capitals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        let raised =
            word.chars().any(|c| c.is_ascii_uppercase()) && !word.chars().any(|c| c.is_ascii_lowercase());
        // One capital and one marked letter, as in `Cô`, is a word with a capital at its start.
        let letters = word.chars().filter(|c| c.is_ascii_uppercase()).count();
        if raised && (letters > 1 || !word.starts_with(|c: char| c.is_ascii_uppercase())) {
            out.extend(word.chars().flat_map(char::to_uppercase));
        } else {
            out.push_str(word);
        }
    }
    out
}

pub(super) fn encode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    let composed: String = text.nfc().collect();
    match encoding {
        Encoding::Utf8 => Some(composed.into_bytes()),
        Encoding::Cp1252 => composed.chars().map(|c| find(c, cp1252)).collect(),
        Encoding::Cp1258 => {
            let mut bytes = Vec::with_capacity(composed.len());
            for letter in composed.chars() {
                // A whole letter where the page has one, else the letter without its tone, then the tone.
                if let Some(byte) = find(letter, cp1258) {
                    bytes.push(byte);
                    continue;
                }
                let parts: Vec<char> = std::iter::once(letter).nfd().collect();
                let tone = parts
                    .iter()
                    .position(|c| matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}'))?;
                let base: String =
                    parts.iter().enumerate().filter(|(i, _)| *i != tone).map(|(_, c)| *c).nfc().collect();
                let mut base = base.chars();
                bytes.push(find(base.next()?, cp1258)?);
                if base.next().is_some() {
                    return None;
                }
                bytes.push(find(parts[tone], cp1258)?);
            }
            Some(bytes)
        }
        Encoding::Tcvn3 | Encoding::Vni | Encoding::Viscii | Encoding::Vps => {
            let table = codes(encoding)?;
            let mut bytes = Vec::with_capacity(composed.len());
            for letter in composed.chars() {
                match table.letters.get(&letter) {
                    Some(code) => bytes.extend(code),
                    None if letter.is_ascii() => bytes.push(u8::try_from(letter).ok()?),
                    None => return None,
                }
            }
            Some(bytes)
        }
    }
}

fn find(letter: char, rule: fn(u8) -> Option<char>) -> Option<u8> {
    if letter.is_ascii() {
        return u8::try_from(letter).ok();
    }
    (0x80..=0xFF).find(|&byte| rule(byte) == Some(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_city_reads_from_each_encoding() {
        let city = "Thành phố Hồ Chí Minh";
        let samples: [(Encoding, &[u8]); 4] = [
            (Encoding::Tcvn3, b"Th\xB5nh ph\xE8 H\xE5 Ch\xDD Minh"),
            (Encoding::Vni, b"Tha\xF8nh pho\xE1 Ho\xE0 Ch\xED Minh"),
            (Encoding::Viscii, b"Th\xE0nh ph\xAF H\xB0 Ch\xED Minh"),
            (Encoding::Cp1258, b"Th\xE0nh ph\xF4\xEC H\xF4\xCC Ch\xED Minh"),
        ];
        for (encoding, bytes) in samples {
            assert_eq!(encoding.decode(bytes), Decoded { text: city.to_owned(), unknown: 0 }, "{encoding}");
        }
    }

    #[test]
    fn tcvn3_capitals_come_back_in_words_of_capitals() {
        let bytes = Encoding::Tcvn3.encode("PHƯỜNG TÂN SƠN NHẤT").unwrap();
        assert_eq!(Encoding::Tcvn3.decode(&bytes).text, "PHƯỜNG TÂN SƠN NHẤT");
        assert_eq!(Encoding::Tcvn3.decode(&Encoding::Tcvn3.encode("Cô Tú").unwrap()).text, "Cô Tú");
    }

    #[test]
    fn cut_utf8_is_counted() {
        assert_eq!(Encoding::Utf8.decode(b"Ph\xC6").unknown, 1);
    }
}
