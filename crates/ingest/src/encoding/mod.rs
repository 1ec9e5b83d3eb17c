//! Text encodings that Vietnamese data came in before Unicode, and how to tell them apart.
//!
//! TCVN3 cannot be decoded without loss: 60 capitals share the byte of their small letter, and only
//! the font name (`.VnArialH`) told which was meant. [`Encoding::decode`] gives the small letter,
//! except in a word whose other letters are all capitals.

mod codec;
mod decoder;
mod detect;
pub(crate) mod garbled;
mod syllable;
mod table;

use std::{fmt, str::FromStr};

pub use codec::Decoded;
pub(crate) use decoder::{Mixture, TextDecoder, contradicts};
pub use detect::{Detection, detect};
use serde::{Deserialize, Serialize};
pub(crate) use syllable::is_plain_syllable;

/// An encoding of text as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, composed or decomposed.
    Utf8,
    /// TCVN 5712:1993, both VN3 (ABC, the `.Vn*` fonts) and the capitals of VN1.
    Tcvn3,
    /// VNI-Windows, up to two bytes a letter.
    Vni,
    /// VISCII 1.1 (RFC 1456).
    Viscii,
    /// VPS (Vietnamese Professionals Society), one byte a letter.
    Vps,
    /// Windows code page 1258.
    Cp1258,
    /// Windows code page 1252, western Europe.
    Cp1252,
}

impl Encoding {
    /// Every encoding, in the order in which detection prefers them when the bytes do not tell.
    pub const ALL: [Self; 7] =
        [Self::Utf8, Self::Tcvn3, Self::Vni, Self::Viscii, Self::Vps, Self::Cp1258, Self::Cp1252];

    /// The name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Tcvn3 => "TCVN3",
            Self::Vni => "VNI",
            Self::Viscii => "VISCII",
            Self::Vps => "VPS",
            Self::Cp1258 => "CP1258",
            Self::Cp1252 => "CP1252",
        }
    }

    /// Reads bytes as text, composed (NFC). Bytes that mean nothing in the encoding are counted.
    pub fn decode(self, bytes: &[u8]) -> Decoded {
        codec::decode(self, bytes)
    }

    /// Writes text as bytes; `None` if a letter cannot be written. TCVN3 writes capitals that have
    /// no byte of their own as the small letter's.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        codec::encode(self, text)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an encoding; the encodings are UTF-8, TCVN3, VNI, VISCII, VPS, CP1258, CP1252")]
pub struct UnknownEncoding(pub String);

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: String =
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Ok(match plain.as_str() {
            "utf8" | "65001" => Self::Utf8,
            "tcvn3" | "tcvn" | "abc" | "tcvn5712" | "tcvn57121" | "tcvn57121993" | "vn3" => Self::Tcvn3,
            "vni" | "vniwindows" | "vniwin" => Self::Vni,
            "viscii" => Self::Viscii,
            "vps" => Self::Vps,
            "cp1258" | "windows1258" | "1258" | "ansi1258" => Self::Cp1258,
            "cp1252" | "windows1252" | "1252" | "ansi1252" | "latin1" | "iso88591" | "88591" => Self::Cp1252,
            _ => return Err(UnknownEncoding(text.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_back_from_its_name() {
        for encoding in Encoding::ALL {
            assert_eq!(encoding.as_str().parse(), Ok(encoding));
        }
        assert_eq!("windows-1258".parse(), Ok(Encoding::Cp1258));
        assert!("EBCDIC".parse::<Encoding>().is_err());
    }
}
