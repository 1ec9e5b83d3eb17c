//! How the texts of one file are decoded, where not all of them are in the same encoding.

use super::{
    Decoded, Encoding,
    detect::{LEGACY, detect, is_marked, is_rather_utf8, is_utf8, sample, share},
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
    /// A second encoding of Vietnamese, of the texts that are syllables in it and not in the main one, or
    /// where most texts are UTF-8, in that of the rest.
    second: Option<Encoding>,
}

/// Rows that are named.
const NAMED: usize = 3;

/// The rows with texts in an encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowCount {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<u64>,
    last: u64,
}

impl RowCount {
    /// Takes the row of a text; 0 stands for none. Texts of a row come one after the other.
    fn add(&mut self, row: u64) {
        if row == 0 || row == self.last {
            return;
        }
        self.last = row;
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(row);
        }
    }
}

/// How many texts of a file were read in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mixture {
    /// Texts with anything that needs an encoding.
    pub marked: usize,
    /// Texts read as UTF-8 although most are not.
    pub utf8: usize,
    /// Texts read in another encoding because they are not UTF-8.
    pub rest: usize,
    /// Texts read in the second encoding.
    pub second: usize,
    /// Texts read in the main encoding that are other words, but words too, in the second one.
    pub either: usize,
    /// The rows of the texts in each encoding, in the order of their coming.
    pub rows: Vec<(Encoding, RowCount)>,
}

/// Share of syllables from which a minority of texts has an encoding of its own.
const CERTAIN: f64 = 0.9;
/// Words with marks that it takes for that.
const WORDS: usize = 4;

impl TextDecoder {
    /// Every text in one encoding.
    pub(crate) fn only(encoding: Encoding) -> Self {
        Self { main: encoding, utf8_too: false, rest: None, second: None }
    }

    /// Most texts in `main`; of the others those of UTF-8 as that, and where UTF-8 is the most, the others in
    /// `fallback`, or else in what they look like.
    pub(crate) fn mixed(main: Encoding, texts: &[Vec<u8>], fallback: Option<Encoding>) -> Self {
        if main != Encoding::Utf8 {
            let fixed = (main != Encoding::Cp1252).then_some(main);
            let (main, second) = match pair(texts, fixed) {
                Some((main, second)) => (main, Some(second)),
                None => (main, None),
            };
            return Self { main, utf8_too: true, rest: None, second };
        }
        let others: Vec<&[u8]> = texts.iter().map(Vec::as_slice).filter(|text| !is_utf8(text)).collect();
        if others.is_empty() {
            return Self::only(main);
        }
        let fixed = fallback.filter(|own| LEGACY.contains(own));
        if let Some((rest, second)) = pair(texts, fixed) {
            return Self { main, utf8_too: false, rest: Some(rest), second: Some(second) };
        }
        let detected = || {
            // The same text again says no more.
            let mut others = others;
            others.sort_unstable();
            others.dedup();
            let found = detect(others.iter().copied());
            let certain = found.words >= WORDS && share(found.encoding, &sample(&others)) >= CERTAIN;
            certain.then_some(found.encoding)
        };
        Self { main, utf8_too: false, rest: fixed.or_else(detected).or(fallback), second: None }
    }

    /// As [`Self::mixed`], of a file that declares nothing: where two encodings together explain the texts,
    /// they go before `found`, which may be neither.
    pub(crate) fn detected(found: Encoding, texts: &[Vec<u8>]) -> Self {
        match pair(texts, None) {
            Some((main, second)) if found != Encoding::Utf8 => {
                Self { main, utf8_too: true, rest: None, second: Some(second) }
            }
            _ => Self::mixed(found, texts, None),
        }
    }

    /// The second encoding of Vietnamese, where two are mixed.
    pub(crate) fn second(self) -> Option<Encoding> {
        self.second
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
        if self.utf8_too && is_rather_utf8(text, self.main) {
            return Encoding::Utf8;
        }
        let first = match self.rest {
            Some(rest) if self.main == Encoding::Utf8 && !is_utf8(text) => rest,
            _ if self.main == Encoding::Utf8 => return self.main,
            _ => self.main,
        };
        self.second.filter(|second| is_rather(text, *second, first)).unwrap_or(first)
    }

    /// The encoding of the texts that the second one is held against.
    pub(crate) fn first(self) -> Encoding {
        self.rest.unwrap_or(self.main)
    }

    /// Whether a text that is read in the first encoding makes other words in the second one.
    fn is_either(self, text: &[u8]) -> bool {
        let first = self.first();
        self.second.is_some_and(|second| {
            self.encoding_of(text) == first
                && share(second, &[text]) >= CERTAIN
                && first.decode(text).text != second.decode(text).text
        })
    }

    /// Reads one text in the encoding that fits it.
    pub(crate) fn decode(self, text: &[u8]) -> Decoded {
        self.encoding_of(text).decode(text)
    }

    /// Counts which texts are read in which way. `rows` are those of the texts; 0, or none, for names.
    pub(crate) fn mixture(self, texts: &[Vec<u8>], rows: &[u64]) -> Mixture {
        let mut mixture = Mixture::default();
        let rows = rows.iter().copied().chain(std::iter::repeat(0));
        for (text, row) in texts.iter().zip(rows).filter(|(text, _)| is_marked(text)) {
            let encoding = self.encoding_of(text);
            match mixture.rows.iter_mut().find(|(own, _)| *own == encoding) {
                Some((_, count)) => count.add(row),
                None => {
                    let mut count = RowCount::default();
                    count.add(row);
                    mixture.rows.push((encoding, count));
                }
            }
            mixture.marked += 1;
            mixture.utf8 += usize::from(self.main != Encoding::Utf8 && encoding == Encoding::Utf8);
            mixture.rest += usize::from(self.main == Encoding::Utf8 && encoding != Encoding::Utf8);
            mixture.second += usize::from(self.second == Some(encoding));
            mixture.either += usize::from(self.is_either(text));
        }
        mixture
    }
}

/// Whether all of a text is Vietnamese in `encoding`, and less of it in `other`.
fn is_rather(text: &[u8], encoding: Encoding, other: Encoding) -> bool {
    let own = share(encoding, &[text]);
    own >= CERTAIN && own > share(other, &[text])
}

/// The two encodings of Vietnamese that the texts mix, that of more texts (or `fixed`) first; none where one
/// explains them, or two do not. At least half of what one leaves must be words in the other: foreign names
/// are words in none, and few become some by chance.
fn pair(texts: &[Vec<u8>], fixed: Option<Encoding>) -> Option<(Encoding, Encoding)> {
    let is_legacy = |text: &&[u8]| is_marked(text) && std::str::from_utf8(text).is_err();
    let mut texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).filter(is_legacy).collect();
    texts.sort_unstable();
    texts.dedup();
    let texts = sample(&texts);
    // Of each text, in which encodings all of its words are syllables.
    let fits: Vec<[bool; LEGACY.len()]> =
        texts.iter().map(|text| LEGACY.map(|encoding| share(encoding, &[text]) >= CERTAIN)).collect();
    let both = |a: usize, b: usize| fits.iter().filter(|fit| fit[a] || fit[b]).count();
    let alone = |a: usize, b: usize| fits.iter().filter(|fit| fit[a] && !fit[b]).count();
    let places = 0..LEGACY.len();
    let (main, second) = places
        .clone()
        .flat_map(|a| places.clone().map(move |b| (a, b)))
        .filter(|&(a, b)| a != b && fixed.is_none_or(|fixed| LEGACY[a] == fixed))
        .filter(|&(a, b)| fixed.is_some() || alone(a, b) >= alone(b, a))
        // The first of equals, which is preferred.
        .rev()
        .max_by_key(|&(a, b)| both(a, b))?;
    let left = fits.iter().filter(|fit| !fit[main]).count();
    let own = alone(second, main);
    (own >= WORDS && own * 2 >= left && both(main, second) * 10 >= texts.len() * 9)
        .then_some((LEGACY[main], LEGACY[second]))
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

    /// Every mixture of two encodings of Vietnamese comes out right, but for texts that are words in both.
    #[test]
    fn two_legacy_encodings_come_out_right_text_by_text() {
        for one in LEGACY {
            for other in LEGACY.into_iter().filter(|other| *other != one) {
                let mut texts = encoded(one, &NAMES);
                texts.extend(encoded(other, &NAMES));
                let found = detect(texts.iter().map(Vec::as_slice)).encoding;
                let decoder = TextDecoder::detected(found, &texts);
                let read = texts.iter().map(|text| decoder.decode(text).text.to_lowercase());
                let wrong =
                    read.zip(NAMES.iter().cycle()).filter(|(t, name)| *t != name.to_lowercase()).count();
                let either = decoder.mixture(&texts, &[]).either;
                assert!(wrong <= either && either <= 4, "{one} {other}: {wrong} {either} {decoder:?}");
            }
        }
    }

    /// UTF-8 and two encodings of Vietnamese, whichever of them is the most, come out right text by text, but
    /// for texts that are words in both.
    #[test]
    fn utf8_and_two_legacy_encodings_come_out_right() {
        for one in LEGACY {
            for other in LEGACY.into_iter().filter(|other| *other != one) {
                for most in [Encoding::Utf8, one, other] {
                    let mut texts = Vec::new();
                    for encoding in [Encoding::Utf8, one, other] {
                        let times = if encoding == most { 5 } else { 1 };
                        (0..times).for_each(|_| texts.extend(encoded(encoding, &NAMES)));
                    }
                    let found = detect(texts.iter().map(Vec::as_slice)).encoding;
                    let decoder = TextDecoder::detected(found, &texts);
                    let rows: Vec<u64> = (1..=texts.len() as u64).collect();
                    let mixture = decoder.mixture(&texts, &rows);
                    let read = texts.iter().map(|text| decoder.decode(text).text.to_lowercase());
                    let wrong =
                        read.zip(NAMES.iter().cycle()).filter(|(t, name)| *t != name.to_lowercase()).count();
                    assert!(wrong <= mixture.either, "{one} {other} {most}: {wrong} {mixture:?} {decoder:?}");
                    assert_eq!(mixture.rows.len(), 3, "{one} {other} {most}: {mixture:?}");
                    let counted: u64 = mixture.rows.iter().map(|(_, rows)| rows.count).sum();
                    assert_eq!(counted, texts.len() as u64);
                }
            }
        }
    }

    #[test]
    fn one_encoding_with_foreign_names_is_no_mixture() {
        for encoding in LEGACY {
            let mut texts = encoded(encoding, &NAMES);
            texts.extend(encoded(encoding, &["Đắk Lắk", "Plây Cần", "Krông Búk", "Ea Hđing", "Cư M'gar"]));
            let decoder = TextDecoder::detected(encoding, &texts);
            assert_eq!((decoder.encoding(), decoder.second()), (encoding, None));
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
        assert_eq!(decoder.mixture(&texts, &[]).rest, NAMES.len() + 1);
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
