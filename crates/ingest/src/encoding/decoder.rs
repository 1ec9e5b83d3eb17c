//! How the texts of one file are decoded, where not all of them are in the same encoding.

use super::{
    Decoded, Encoding,
    detect::{detect, is_marked, is_rather_utf8, is_utf8, sample, share},
};

/// Decodes texts one by one: in the encoding of most of them, and in another where a text is plainly in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextDecoder {
    /// The encoding of most texts.
    main: Encoding,
    /// Whether texts that are rather UTF-8 are read as that.
    utf8_too: bool,
    /// The encoding of the texts that are not UTF-8, where most are.
    rest: Option<Encoding>,
}

/// How many texts of a file were read in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mixture {
    /// Texts with anything that needs an encoding.
    pub marked: usize,
    /// Texts read as UTF-8 although most are not.
    pub utf8: usize,
    /// Texts read in another encoding because they are not UTF-8.
    pub rest: usize,
}

/// Share of syllables from which a minority of texts has an encoding of its own.
const CERTAIN: f64 = 0.9;
/// Words with marks that it takes for that.
const WORDS: usize = 4;

impl TextDecoder {
    /// Every text in one encoding.
    pub(crate) fn only(encoding: Encoding) -> Self {
        Self { main: encoding, utf8_too: false, rest: None }
    }

    /// Most texts in `main`; of the others those of UTF-8 as that, and where UTF-8 is the most, the others in
    /// `fallback`, or else in what they look like.
    pub(crate) fn mixed(main: Encoding, texts: &[Vec<u8>], fallback: Option<Encoding>) -> Self {
        if main != Encoding::Utf8 {
            return Self { main, utf8_too: true, rest: None };
        }
        let others: Vec<&[u8]> = texts.iter().map(Vec::as_slice).filter(|text| !is_utf8(text)).collect();
        if others.is_empty() {
            return Self::only(main);
        }
        let rest = fallback.or_else(|| {
            // The same text again says no more.
            let mut others = others;
            others.sort_unstable();
            others.dedup();
            let found = detect(others.iter().copied());
            let certain = found.words >= WORDS && share(found.encoding, &sample(&others)) >= CERTAIN;
            certain.then_some(found.encoding)
        });
        Self { main, utf8_too: false, rest }
    }

    /// The encoding of most texts.
    pub(crate) fn encoding(self) -> Encoding {
        self.main
    }

    /// The encoding of the texts that are not UTF-8, where most are.
    pub(crate) fn rest(self) -> Option<Encoding> {
        self.rest
    }

    /// The encoding of one text.
    pub(crate) fn encoding_of(self, text: &[u8]) -> Encoding {
        if !is_marked(text) {
            return self.main;
        }
        match self.rest {
            _ if self.utf8_too && is_rather_utf8(text, self.main) => Encoding::Utf8,
            Some(rest) if self.main == Encoding::Utf8 && !is_utf8(text) => rest,
            _ => self.main,
        }
    }

    /// Reads one text in the encoding that fits it.
    pub(crate) fn decode(self, text: &[u8]) -> Decoded {
        self.encoding_of(text).decode(text)
    }

    /// Counts which texts are read in which way.
    pub(crate) fn mixture(self, texts: &[Vec<u8>]) -> Mixture {
        let mut mixture = Mixture::default();
        for text in texts.iter().filter(|text| is_marked(text)) {
            let encoding = self.encoding_of(text);
            mixture.marked += 1;
            mixture.utf8 += usize::from(self.main != Encoding::Utf8 && encoding == Encoding::Utf8);
            mixture.rest += usize::from(self.main == Encoding::Utf8 && encoding != Encoding::Utf8);
        }
        mixture
    }
}

/// Whether the texts are in `found` and not in `declared`, although the file declares that: most programs
/// declare the page of the machine whatever the text is in.
pub(crate) fn contradicts(texts: &[Vec<u8>], declared: Encoding, found: &super::Detection) -> bool {
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).filter(|text| is_marked(text)).collect();
    let texts = sample(&texts);
    found.words >= WORDS
        && found.encoding != declared
        && !matches!(found.encoding, Encoding::Cp1252 | Encoding::Utf8)
        && share(found.encoding, &texts) >= CERTAIN
        && share(declared, &texts) < 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 8] = [
        "Phường Sài Gòn",
        "Xã Bình Chánh",
        "Nguyễn Huệ",
        "đường Trường Chinh",
        "Đất ở tại đô thị",
        "Quận Gò Vấp",
        "hẻm giới",
        "Cộng Hòa",
    ];
    const LEGACY: [Encoding; 5] =
        [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps, Encoding::Cp1258];

    fn encoded(encoding: Encoding, names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| encoding.encode(name).unwrap()).collect()
    }

    fn same(encoding: Encoding, text: &str, name: &str) -> bool {
        text == name || (encoding == Encoding::Tcvn3 && text.to_lowercase() == name.to_lowercase())
    }

    /// Every mixture of UTF-8 with another encoding comes out right, whichever of them is the most.
    #[test]
    fn mixtures_come_out_right_text_by_text() {
        for encoding in LEGACY {
            for utf8 in 0..=NAMES.len() {
                let mut texts = encoded(Encoding::Utf8, &NAMES[..utf8]);
                texts.extend(encoded(encoding, &NAMES[utf8..]));
                let main = detect(texts.iter().map(Vec::as_slice)).encoding;
                let decoder = TextDecoder::mixed(main, &texts, Some(encoding));
                for (name, text) in NAMES.iter().zip(&texts) {
                    let decoded = decoder.decode(text);
                    assert!(
                        same(encoding, &decoded.text, name),
                        "{encoding} {utf8}: {} for {name}",
                        decoded.text
                    );
                    assert_eq!(decoded.unknown, 0);
                }
            }
        }
    }

    #[test]
    fn without_a_declaration_a_minority_needs_enough_words() {
        let mut texts: Vec<Vec<u8>> = (0..20).flat_map(|_| encoded(Encoding::Utf8, &NAMES)).collect();
        texts.push(b"Ph\xC6ng".to_vec());
        let decoder = TextDecoder::mixed(Encoding::Utf8, &texts, None);
        assert_eq!((decoder.rest(), decoder.decode(b"Ph\xC6ng").unknown), (None, 1));
        texts.extend(encoded(Encoding::Tcvn3, &NAMES));
        let decoder = TextDecoder::mixed(Encoding::Utf8, &texts, None);
        assert_eq!(decoder.rest(), Some(Encoding::Tcvn3));
        assert_eq!(decoder.mixture(&texts).rest, NAMES.len() + 1);
    }

    #[test]
    fn a_wrong_declaration_is_contradicted_by_syllables_only() {
        for encoding in [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps] {
            let texts = encoded(encoding, &NAMES);
            let found = detect(texts.iter().map(Vec::as_slice));
            assert!(contradicts(&texts, Encoding::Cp1252, &found), "{encoding}");
            assert!(!contradicts(&texts, encoding, &found), "{encoding}");
        }
        let french: Vec<Vec<u8>> = ["Café à Paris", "château", "forêt", "Besançon", "élève", "mère à côté"]
            .iter()
            .map(|name| Encoding::Cp1252.encode(name).unwrap())
            .collect();
        let found = detect(french.iter().map(Vec::as_slice));
        assert!(!contradicts(&french, Encoding::Cp1252, &found), "{found:?}");
    }
}
