//! The byte table of the encodings, from `data/legacy_encodings.tsv`.

use std::{collections::HashMap, sync::LazyLock};

use super::Encoding;

const TABLE: &str = include_str!("../../../../data/legacy_encodings.tsv");

/// What one encoding makes of bytes and letters.
#[derive(Default)]
pub(super) struct Codes {
    /// One byte, by its value.
    pub single: Vec<Option<char>>,
    /// A base letter and a mark: two bytes.
    pub double: HashMap<[u8; 2], char>,
    /// The bytes of one letter, and how many there are.
    pub letters: HashMap<char, Vec<u8>>,
}

impl Codes {
    fn column(columns: &[usize]) -> Self {
        let mut codes = Self { single: vec![None; 256], ..Self::default() };
        for line in TABLE.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let Some(letter) = cells.first().and_then(|cell| cell.chars().next()) else { continue };
            for &column in columns {
                let bytes: Vec<u8> = cells
                    .get(column)
                    .map(|cell| cell.split(' ').filter_map(|hex| u8::from_str_radix(hex, 16).ok()).collect())
                    .unwrap_or_default();
                match *bytes.as_slice() {
                    // Small letters come first in the table: where two share a byte, the small one has it.
                    [one] => {
                        codes.single[usize::from(one)].get_or_insert(letter);
                    }
                    [first, second] => {
                        codes.double.entry([first, second]).or_insert(letter);
                    }
                    _ => {}
                }
                codes.letters.entry(letter).or_insert(bytes);
            }
        }
        codes
    }
}

/// The codes of a table encoding; `None` for those that a rule describes.
pub(super) fn codes(encoding: Encoding) -> Option<&'static Codes> {
    static TCVN3: LazyLock<Codes> = LazyLock::new(|| Codes::column(&[2, 3]));
    static VNI: LazyLock<Codes> = LazyLock::new(|| Codes::column(&[4]));
    static VISCII: LazyLock<Codes> = LazyLock::new(|| Codes::column(&[5]));
    static VPS: LazyLock<Codes> = LazyLock::new(|| Codes::column(&[6]));
    match encoding {
        Encoding::Tcvn3 => Some(&TCVN3),
        Encoding::Vni => Some(&VNI),
        Encoding::Viscii => Some(&VISCII),
        Encoding::Vps => Some(&VPS),
        Encoding::Utf8 | Encoding::Cp1258 | Encoding::Cp1252 => None,
    }
}

/// Windows code page 1252 above 0x7F; `None` for its five holes.
pub(super) fn cp1252(byte: u8) -> Option<char> {
    const HIGH: [u16; 32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
        0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0, 0x017E, 0x0178,
    ];
    match byte {
        0x80..=0x9F => match HIGH[usize::from(byte - 0x80)] {
            0 => None,
            code => char::from_u32(code.into()),
        },
        _ => Some(char::from(byte)),
    }
}

/// Windows code page 1258: letters of page 1252 and Vietnamese ones, and tones that combine.
pub(super) fn cp1258(byte: u8) -> Option<char> {
    match byte {
        0x8A | 0x8E | 0x9A | 0x9E => None,
        0xC3 => Some('Ă'),
        0xCC => Some('\u{300}'),
        0xD0 => Some('Đ'),
        0xD2 => Some('\u{309}'),
        0xD5 => Some('Ơ'),
        0xDD => Some('Ư'),
        0xDE => Some('\u{303}'),
        0xE3 => Some('ă'),
        0xEC => Some('\u{301}'),
        0xF0 => Some('đ'),
        0xF2 => Some('\u{323}'),
        0xF5 => Some('ơ'),
        0xFD => Some('ư'),
        0xFE => Some('₫'),
        _ => cp1252(byte),
    }
}
