//! Texts that were garbled before they came here: read in a wrong encoding by whoever wrote the file.
//!
//! Such texts may consist of Vietnamese letters alone: TCVN3 that was read as CP1258, say. What gives them
//! away is that their words are no syllables as they stand, and are some once the reading is undone. One
//! text proves little, so the texts of a column are [judged together](ColumnTexts).

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::LazyLock,
};

use citymap_model::{counted, plural};
use unicode_normalization::UnicodeNormalization;

use super::{Encoding, syllable::is_word, table::codes};

/// What texts look like that make no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Garbled {
    /// They are in one encoding, and were read in another.
    Misread { is: Encoding, read_as: Encoding },
    /// They hold control characters or the sign for bytes that mean nothing.
    Controls,
    /// Signs stand inside their words, as they do in no language.
    Signs,
    /// Signs stand in place of marks on letters: VIQR (RFC 1456).
    Viqr,
}

/// Maximum number of different texts of a column that are judged.
const TEXTS: usize = 1_000;
/// Bytes of a text that are looked at.
const BYTES: usize = 1_000;
/// Rows that are named.
const ROWS: usize = 3;
/// Texts that one misreading must explain, where it is not most of the column.
const SUPPORT: usize = 3;
/// How often a text may have been encoded again.
const LAYERS: usize = 3;

/// The encodings in which texts are read wrongly, the commonest first.
const READ_AS: [Encoding; 6] =
    [Encoding::Cp1252, Encoding::Cp1258, Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps];
/// The encodings in which Vietnamese texts are.
const IS: [Encoding; 6] =
    [Encoding::Utf8, Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps, Encoding::Cp1258];

/// The texts with letters beyond ASCII of a column: all of them, or if they are many, a sample that is spread
/// evenly over the different ones.
#[derive(Debug, Default)]
pub(crate) struct ColumnTexts {
    /// By a hash of the text: the smallest ones are kept.
    texts: BTreeMap<u64, Occurrences>,
    hasher: BuildHasherDefault<DefaultHasher>,
    /// Whether some texts are not kept.
    more: bool,
}

/// A text and where it is.
#[derive(Debug)]
struct Occurrences {
    text: String,
    count: u64,
    rows: Vec<u64>,
}

/// What is wrong with the texts of a column.
#[derive(Debug)]
pub(crate) struct GarbledTexts {
    pub how: Garbled,
    /// How many are garbled, of how many that were judged.
    pub bad: u64,
    pub all: u64,
    /// Whether these are a sample of the column's texts.
    pub sampled: bool,
    /// The first rows of them.
    pub rows: Vec<u64>,
    /// One of the garbled texts.
    pub example: String,
}

impl ColumnTexts {
    /// Takes a text of a row.
    pub(crate) fn see(&mut self, text: &str, row: u64) {
        if text.is_ascii() && !text.bytes().any(|byte| byte < 0x20) && !is_viqr(text) {
            return;
        }
        let text = &text[..text.floor_char_boundary(BYTES)];
        let hash = self.hasher.hash_one(text);
        if let Some(known) = self.texts.get_mut(&hash) {
            known.count += 1;
            if known.rows.len() < ROWS {
                known.rows.push(row);
            }
            return;
        }
        if self.texts.len() >= TEXTS {
            self.more = true;
            if self.texts.last_key_value().is_none_or(|(last, _)| *last < hash) {
                return;
            }
            self.texts.pop_last();
        }
        self.texts.insert(hash, Occurrences { text: text.to_owned(), count: 1, rows: vec![row] });
    }

    /// What is wrong with the column: if misreadings or control characters explain a tenth of its texts, or
    /// one misreading explains several of them.
    pub(crate) fn judge(&self) -> Option<GarbledTexts> {
        let all: Vec<&Occurrences> = self.texts.values().collect();
        let words: Vec<Vec<&str>> = all.iter().map(|one| marked_words(&one.text)).collect();
        let mut how: Vec<Option<Garbled>> = all.iter().map(|one| unreadable(&one.text)).collect();
        while let Some((pair, texts)) = best_misreading(&words, &how) {
            texts.into_iter().for_each(|at| how[at] = Some(pair));
        }
        for (one, how) in all.iter().zip(&mut how) {
            if how.is_none() && has_sign_in_word(&one.text) {
                *how = Some(Garbled::Signs);
            }
        }
        let count = |of: &dyn Fn(&Option<Garbled>) -> bool| -> u64 {
            all.iter().zip(&how).filter(|(_, own)| of(own)).map(|(one, _)| one.count).sum()
        };
        let (bad, every) = (count(&Option::is_some), count(&|_| true));
        let misread = how.iter().filter(|own| matches!(own, Some(Garbled::Misread { .. }))).count();
        if bad == 0 || (bad * 10 < every && misread < SUPPORT) {
            return None;
        }
        let kind = how.iter().flatten().copied().max_by_key(|kind| count(&|own| *own == Some(*kind)))?;
        // A formula may look so.
        if kind == Garbled::Viqr && how.iter().filter(|own| **own == Some(kind)).count() < SUPPORT {
            return None;
        }
        let of_kind = || all.iter().zip(&how).filter(|(_, own)| own.is_some());
        let mut rows: Vec<u64> = of_kind().flat_map(|(one, _)| one.rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.truncate(ROWS);
        let example = all.iter().zip(&how).find(|(_, own)| **own == Some(kind))?.0.text.clone();
        Some(GarbledTexts { how: kind, bad, all: every, sampled: self.more, rows, example })
    }
}

/// The words of a text that have letters beyond ASCII, and are short enough to be words.
pub(crate) fn words_beyond_ascii(text: &str) -> impl Iterator<Item = &str> {
    const WORD: usize = 24;
    text.split(|letter: char| letter.is_whitespace() || letter.is_numeric() || letter.is_ascii_punctuation())
        .filter(|word| !word.is_ascii() && word.len() <= WORD)
}

impl GarbledTexts {
    /// What is said of them in a field, with a single word of a public one: a text may name a person.
    pub(crate) fn note(&self, field: &str, places: &str, public: bool) -> String {
        let Self { how, bad, all, sampled, rows, example } = self;
        let word = words_beyond_ascii(example).next().filter(|_| public);
        let sample = word.map_or_else(String::new, |word| format!(", such as “{word}”"));
        let all = counted(*all, "text", "texts");
        let of =
            if *sampled { format!("{bad} of {all} that were looked at,") } else { format!("{bad} of {all}") };
        let make = plural(*bad, "makes", "make");
        let looks = match how {
            Garbled::Misread { is, read_as } => format!(
                "they look like {is} that was read as {} when the file was written",
                if *read_as == Encoding::Cp1252 { "Windows-1252" } else { read_as.as_str() }
            ),
            Garbled::Controls | Garbled::Signs => {
                "they hold control characters or signs inside words".to_owned()
            }
            Garbled::Viqr => "signs stand in place of marks on letters (Vie^.t for Việt)".to_owned(),
        };
        let rows: Vec<String> = rows.iter().map(u64::to_string).collect();
        if *how == Garbled::Viqr {
            return format!(
                "{of} in field `{field}` with letters beyond ASCII or signs for them {} written in VIQR \
                 ({places} {}): {looks}; convert the file to Unicode and import it again",
                plural(*bad, "is", "are"),
                rows.join(", ")
            );
        }
        format!(
            "{of} with letters beyond ASCII in field `{field}` {make} no words{sample} ({places} {}); \
             {looks}: if --encoding NAME does not mend it, have the file written again",
            rows.join(", ")
        )
    }
}

/// The misreading that explains most of the texts that nothing explains so far, and which these are; none
/// where it explains too few.
fn best_misreading(words: &[Vec<&str>], how: &[Option<Garbled>]) -> Option<(Garbled, Vec<usize>)> {
    // Texts with words that are no syllables, and how many of their words are.
    let open: Vec<(usize, usize)> = words
        .iter()
        .enumerate()
        .filter(|(at, words)| how[*at].is_none() && !words.is_empty())
        .map(|(at, words)| (at, words.iter().filter(|word| is_word(word)).count()))
        .filter(|(at, good)| *good < words[*at].len())
        .collect();
    let pairs = READ_AS.into_iter().flat_map(|read_as| IS.into_iter().map(move |is| (read_as, is)));
    let (read_as, is, explained) = pairs
        .filter(|(read_as, is)| read_as != is)
        .map(|(read_as, is)| {
            let fits = |at: usize| words[at].iter().all(|word| undone(word, read_as, is));
            let explained: Vec<(usize, usize)> = open.iter().copied().filter(|(at, _)| fits(*at)).collect();
            (read_as, is, explained)
        })
        // The first of equals, which is the commonest.
        .rev()
        .max_by_key(|(_, _, explained)| explained.len())?;
    let many = explained.len() >= SUPPORT;
    let is_strong = |(at, good): &&(usize, usize)| good * 2 < words[*at].len() + usize::from(many);
    let strong = explained.iter().filter(is_strong).count();
    // A short word may be a syllable by chance.
    let telling = |at: usize| words[at].len() > 1 || words[at].iter().any(|word| word.chars().count() > 3);
    let enough = many || explained.iter().any(|(at, _)| telling(*at));
    let is_column = explained.len() * 2 >= open.len() || many;
    (enough && is_column && strong * 2 >= explained.len() && strong > 0)
        .then(|| (Garbled::Misread { is, read_as }, explained.into_iter().map(|(at, _)| at).collect()))
}

/// Whether a word is a syllable, once its reading in a wrong encoding is undone.
fn undone(word: &str, read_as: Encoding, is: Encoding) -> bool {
    if is == Encoding::Utf8 {
        let mut text = word.to_owned();
        for _ in 0..LAYERS {
            let inner = bytes(&text, read_as)
                .into_iter()
                .find_map(|bytes| String::from_utf8(bytes).ok())
                .filter(|inner| inner.chars().count() < text.chars().count());
            let Some(inner) = inner else { return false };
            if marked_words(&inner).iter().all(|word| is_word(word)) {
                return true;
            }
            text = inner;
        }
        return false;
    }
    bytes(word, read_as).into_iter().any(|bytes| {
        let decoded = is.decode(&bytes);
        decoded.unknown == 0 && marked_words(&decoded.text).iter().all(|word| is_word(word))
    })
}

/// The bytes that read as a word in an encoding: in CP1258 a letter with a tone may be one byte or two.
fn bytes(word: &str, encoding: Encoding) -> Vec<Vec<u8>> {
    let each = |apart: bool| -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(word.len());
        for letter in word.chars() {
            let known = if apart { tone_apart(letter, encoding) } else { None };
            match known.or_else(|| byte_of(letter, encoding)) {
                Some(bytes) => out.extend(bytes),
                // Programs take bytes that mean nothing as the characters of those numbers.
                None => out.push(u8::try_from(u32::from(letter)).ok()?),
            }
        }
        Some(out)
    };
    let mut found: Vec<Vec<u8>> = each(false).into_iter().collect();
    if encoding == Encoding::Cp1258 {
        found.extend(each(true).filter(|apart| !found.contains(apart)));
    }
    found
}

/// The byte that reads as a letter in an encoding, or the two bytes.
fn byte_of(letter: char, encoding: Encoding) -> Option<Vec<u8>> {
    /// What single bytes read as, in each of [`READ_AS`].
    static SINGLE: LazyLock<Vec<HashMap<char, u8>>> = LazyLock::new(|| {
        let read = |encoding: Encoding| {
            let of = |byte: u8| {
                let decoded = encoding.decode(&[byte]);
                let mut letters = decoded.text.chars();
                let letter =
                    letters.next().filter(|letter| letters.next().is_none() && *letter != '\u{FFFD}')?;
                Some((letter, byte))
            };
            (0..=255).filter_map(of).collect()
        };
        READ_AS.into_iter().map(read).collect()
    });
    let single = READ_AS.iter().position(|own| *own == encoding).and_then(|at| SINGLE[at].get(&letter));
    single.map(|byte| vec![*byte]).or_else(|| codes(encoding)?.letters.get(&letter).cloned())
}

/// A letter with a tone as the letter and the tone, each a byte of CP1258.
fn tone_apart(letter: char, encoding: Encoding) -> Option<Vec<u8>> {
    let parts: Vec<char> = std::iter::once(letter).nfd().collect();
    let (tone, base) = parts.split_last().filter(|(_, base)| !base.is_empty())?;
    let base: String = base.iter().copied().nfc().collect();
    let byte = |text: &str| encoding.encode(text).filter(|bytes| bytes.len() == 1);
    Some([byte(&base)?, byte(tone.encode_utf8(&mut [0; 4]))?].concat())
}

/// The words of a text with letters beyond ASCII.
fn marked_words(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphabetic())
        .filter(|word| !word.is_ascii() && word.chars().any(char::is_alphabetic))
        .collect()
}

/// What can be told of a text by its characters alone.
fn unreadable(text: &str) -> Option<Garbled> {
    controls(text).or_else(|| (text.is_ascii() && is_viqr(text)).then_some(Garbled::Viqr))
}

/// Whether a text has a word that is Vietnamese once the signs of VIQR are marks. One of the signs that end
/// no sentence must be in it.
fn is_viqr(text: &str) -> bool {
    let is_telling = |letter: char| matches!(letter, '^' | '+' | '(' | '`' | '~');
    text.contains(is_telling)
        && text
            .split(|letter: char| {
                !letter.is_ascii_alphabetic() && !is_telling(letter) && !"'?.".contains(letter)
            })
            .filter(|word| word.contains(is_telling))
            .filter_map(from_viqr)
            .any(|word| !word.is_ascii() && word.chars().count() > 1 && is_word(&word))
}

/// A word of VIQR; none if a sign is in it that is no mark of the letter before.
fn from_viqr(word: &str) -> Option<String> {
    let mut parts = String::new();
    let mut letters = word.trim_end_matches(['?', '.', '\'']).chars().peekable();
    let mut base = None;
    while let Some(letter) = letters.next() {
        let mark = match (letter, base) {
            ('^', Some('a' | 'e' | 'o')) => '\u{302}',
            ('(', Some('a')) => '\u{306}',
            ('+', Some('o' | 'u')) => '\u{31B}',
            ('\'', Some(_)) => '\u{301}',
            ('`', Some(_)) => '\u{300}',
            ('?', Some(_)) => '\u{309}',
            ('~', Some(_)) => '\u{303}',
            ('.', Some(_)) => '\u{323}',
            _ if !letter.is_ascii_alphabetic() => return None,
            _ => {
                let small = letter.to_ascii_lowercase();
                let doubled =
                    small == 'd' && letters.next_if(|next| next.eq_ignore_ascii_case(&'d')).is_some();
                parts.push(if doubled { 'đ' } else { small });
                base = matches!(small, 'a' | 'e' | 'i' | 'o' | 'u' | 'y').then_some(small);
                continue;
            }
        };
        parts.push(mark);
    }
    Some(parts.nfc().collect())
}

fn controls(text: &str) -> Option<Garbled> {
    // UTF-8 that was read byte by byte may hold them, and is told as that.
    let is_control = |c: char| {
        c == '\u{FFFD}' || (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{80}'..='\u{9F}'))
    };
    text.chars().any(is_control).then_some(Garbled::Controls)
}

/// Whether a sign such as `¸`, `©` or `‰` has letters on both sides.
fn has_sign_in_word(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(3).any(|three| {
        let sign = match three[1] {
            '\u{AD}' | '·' | 'ª' | 'º' | '’' | '‘' | '°' => false,
            '\u{80}'..='\u{BF}' | '×' | '÷' => true,
            '†' | '‡' | '‰' | '€' | '„' | '‚' | 'ƒ' => true,
            _ => false,
        };
        sign && three[0].is_alphabetic() && three[2].is_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 8] = [
        "Phường Sài Gòn",
        "Xã Bình Chánh",
        "Nguyễn Huệ",
        "đường Trường Chinh",
        "Quận Gò Vấp",
        "Đất ở tại đô thị",
        "Thủ Đức",
        "Cộng Hòa",
    ];

    fn judged<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<GarbledTexts> {
        let mut column = ColumnTexts::default();
        (1..).zip(texts).for_each(|(row, text)| column.see(text, row));
        column.judge()
    }

    /// Bytes of one encoding read in another, as programs do.
    fn misread(name: &str, is: Encoding, read_as: Encoding) -> String {
        let bytes = is.encode(name).unwrap();
        let text = read_as.decode(&bytes);
        if text.unknown == 0 {
            return text.text;
        }
        let letter = |byte: &u8| match read_as.decode(&[*byte]) {
            decoded if decoded.unknown == 0 => decoded.text,
            _ => char::from(*byte).to_string(),
        };
        bytes.iter().map(letter).collect()
    }

    /// Every encoding read in every other one is told, alone and as a small part of a sound column.
    #[test]
    fn every_misreading_of_a_column_is_known() {
        for is in IS {
            for read_as in READ_AS.into_iter().filter(|other| *other != is) {
                let wrong: Vec<String> = NAMES.iter().map(|name| misread(name, is, read_as)).collect();
                let found = judged(wrong.iter().map(String::as_str))
                    .unwrap_or_else(|| panic!("{is} read as {read_as}: {wrong:?}"));
                assert!(found.bad * 4 >= found.all * 3, "{is} read as {read_as}: {found:?}");
                let sound = NAMES.iter().copied().cycle().take(100);
                let mixed = judged(sound.chain(wrong.iter().map(String::as_str)));
                let rows = mixed.unwrap_or_else(|| panic!("{is} read as {read_as} in a column")).rows;
                assert!(rows.iter().all(|row| *row > 100), "{is} read as {read_as}: {rows:?}");
            }
        }
    }

    #[test]
    fn texts_that_were_encoded_twice_are_known() {
        let again = |name: &str| {
            misread(&misread(name, Encoding::Utf8, Encoding::Cp1252), Encoding::Utf8, Encoding::Cp1252)
        };
        let texts: Vec<String> = NAMES.iter().map(|name| again(name)).collect();
        let found = judged(texts.iter().map(String::as_str)).unwrap();
        assert_eq!(found.how, Garbled::Misread { is: Encoding::Utf8, read_as: Encoding::Cp1252 });
        assert_eq!((found.bad, found.all, found.rows), (8, 8, vec![1, 2, 3]));
    }

    #[test]
    fn control_characters_and_signs_in_words_are_known() {
        assert_eq!(judged(["Ph\u{FFFD}ng"]).unwrap().how, Garbled::Controls);
        assert_eq!(judged(["a\u{1}b"]).unwrap().how, Garbled::Controls);
        assert_eq!(judged(["Stra¸e x"]).unwrap().how, Garbled::Signs);
    }

    #[test]
    fn signs_in_place_of_marks_are_known() {
        let texts = ["Phu+o+`ng An Kha'nh", "Qua^.n Go` Va^'p", "DDa^'t o+?", "Nguye^~n Hue^."];
        let found = judged(texts).unwrap();
        assert_eq!((found.how, found.bad), (Garbled::Viqr, 4));
        let note = found.note("ten", "lines", true);
        assert!(note.contains("VIQR") && note.contains("(lines 1, 2, 3)"), "{note}");
        let plain = ["a+b", "f(a)", "+84 903", "C++", "~ 5 m", "`ten`", "u+n = 3", "A^2 + B^2", "e.g. (a)"];
        assert!(judged(plain).is_none(), "{:?}", judged(plain));
    }

    #[test]
    fn words_of_any_language_are_not_garbled() {
        let texts = [
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
            "Đắk Lắk",
            "Krông Búk",
            "Ea Hđing",
            "José Muñoz",
            "Ångström",
        ];
        for text in NAMES.into_iter().chain(texts) {
            assert!(judged([text]).is_none(), "{text}: {:?}", judged([text]));
        }
        assert!(judged(NAMES.into_iter().chain(texts)).is_none());
        assert!(judged(texts).is_none(), "{:?}", judged(texts));
    }

    #[test]
    fn a_large_column_is_judged_by_a_sample_of_all_of_it() {
        let mut column = ColumnTexts::default();
        for row in 0..20_000 {
            column.see(&format!("Đường số {row}"), row);
        }
        assert!(column.judge().is_none());
        for row in 20_000..24_000 {
            column.see(&misread(&format!("Đường số {row}"), Encoding::Tcvn3, Encoding::Cp1258), row);
        }
        let found = column.judge().unwrap();
        assert!(found.sampled && found.all <= 1_000 && found.bad > 80, "{found:?}");
        assert!(found.rows.iter().all(|row| *row >= 20_000));
    }
}
