//! The words of a field's name: `TenChuSDD`, `ten_chu_su_dung`, `CHUSDDAT` and `Tên chủ` all hold the word
//! `chu`.
//!
//! Names are cut at separators and where a capital follows a small letter. What is left in one piece is glued
//! words (`tenchusudung`), which a search for the cheapest cut takes apart: words that the rules know are
//! cheapest, then any text that is formed like a Vietnamese syllable. So `chucnang` is `chuc nang` and holds
//! no `chu`.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::encoding::is_plain_syllable;

/// Cost of a piece that the rules know, of an abbreviation among them, of a syllable, and of a letter that
/// fits nothing. A syllable costs as much as two known words, so that known words win; between equals fewer
/// pieces win.
const KNOWN: u32 = 20;
const SHORT: u32 = 30;
const SYLLABLE: u32 = 40;
const UNKNOWN: u32 = 1_000;

/// Bytes of a field's name in a Shapefile: a longer one is cut off there.
const DBF_NAME: usize = 10;
/// Longest piece that is tried, letters.
const LONGEST: usize = 16;

/// Whether a name may have been cut off by a Shapefile: it has ten bytes in the encoding of the file, which
/// is UTF-8 (where a letter may have been cut) or has one byte for each letter, such as TCVN3.
pub(super) fn may_be_cut(name: &str) -> bool {
    let bytes = DBF_NAME - if name.is_ascii() { 0 } else { 2 }..=DBF_NAME;
    bytes.contains(&name.len()) || name.nfc().count() == DBF_NAME
}

/// Words in letters whose other readings mean other things: with their marks they are told apart.
const TOLD_APART: [(&str, &[&str]); 2] = [("chu", &["chủ"]), ("ho", &["họ", "hộ"])];

/// What the cutting of glued words knows.
pub(super) struct Lexicon {
    /// Words, and whether they may be part of a longer piece of text.
    words: HashMap<&'static str, Glue>,
}

/// Whether a word is looked for inside glued text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glue {
    /// It is found also in the middle of glued text.
    Yes,
    /// Only as a piece of its own: `tel` would be found in `hotel`.
    No,
}

impl Lexicon {
    pub(super) fn new(words: impl IntoIterator<Item = (&'static str, Glue)>) -> Self {
        Self { words: words.into_iter().collect() }
    }

    /// The words of a name in their order: lower case, without marks.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let mut words = Vec::new();
        let pieces = pieces(name);
        let (last, others) = match pieces.split_last() {
            Some((last, others)) if may_be_cut(name) => (Some(last), others),
            _ => (None, pieces.as_slice()),
        };
        others.iter().for_each(|piece| self.cut(piece, &mut words));
        if let Some(last) = last {
            self.cut_short(last, &mut words);
        }
        words
    }

    /// Cuts one piece of a name into words.
    fn cut(&self, piece: &Piece, words: &mut Vec<String>) {
        let text = piece.text.as_str();
        if let Some((plain, _)) = TOLD_APART.iter().find(|(plain, meant)| {
            text == *plain && piece.marked && !meant.contains(&piece.as_written.as_str())
        }) {
            // Another word that looks the same without its marks: `chú` of `ghi chú` for `chủ`.
            words.push(format!("{plain}*"));
            return;
        }
        if self.words.contains_key(text) || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            words.push(text.to_owned());
            return;
        }
        match self.cheapest(text) {
            Some(cut) => words.extend(cut.into_iter().map(str::to_owned)),
            // Not made of Vietnamese syllables: only long known words are taken out of it.
            None => words.extend(self.inside(text).into_iter().map(str::to_owned)),
        }
    }

    /// Cuts the last piece of a name that may have been cut off: up to three letters at its end may be the
    /// beginning of a word.
    fn cut_short(&self, piece: &Piece, words: &mut Vec<String>) {
        let text = piece.text.as_str();
        let whole = self.words.contains_key(text) || self.cheapest(text).is_some();
        if whole || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return self.cut(piece, words);
        }
        let mut ends = (1..=3.min(text.len())).map(|rest| text.len() - rest);
        match ends.find_map(|end| Some((self.cheapest(&text[..end])?, end))) {
            Some((cut, end)) => {
                words.extend(cut.into_iter().map(str::to_owned));
                words.push(text[end..].to_owned());
            }
            None => self.cut(piece, words),
        }
    }

    /// The cheapest way to cut `text` into known words and syllables; none if it cannot be done.
    /// O(n · [`LONGEST`]) look-ups.
    fn cheapest<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let len = text.len();
        // For each end: the cost, the number of pieces, and where the last piece begins.
        let mut best: Vec<Option<(u32, u32, usize)>> = vec![None; len + 1];
        best[0] = Some((0, 0, 0));
        for end in 1..=len {
            for start in end.saturating_sub(LONGEST)..end {
                let Some((cost, count, _)) = best[start] else { continue };
                let Some(own) = self.cost(&text[start..end]) else { continue };
                let candidate = (cost + own, count + 1, start);
                if best[end].is_none_or(|known| (candidate.0, candidate.1) < (known.0, known.1)) {
                    best[end] = Some(candidate);
                }
            }
        }
        let (cost, ..) = best[len]?;
        if cost >= UNKNOWN {
            return None;
        }
        let mut cut = Vec::new();
        let mut end = len;
        while end > 0 {
            let (_, _, start) = best[end]?;
            cut.push(&text[start..end]);
            end = start;
        }
        cut.reverse();
        Some(cut)
    }

    fn cost(&self, piece: &str) -> Option<u32> {
        match self.words.get(piece) {
            Some(Glue::Yes) if piece.len() > 2 || is_plain_syllable(piece) => Some(KNOWN),
            Some(Glue::Yes) => Some(SHORT),
            _ if is_plain_syllable(piece) => Some(SYLLABLE),
            _ => (piece.len() == 1).then_some(UNKNOWN),
        }
    }

    /// Known words of five letters and more in text that is not made of syllables, longest first where they
    /// overlap.
    fn inside<'t>(&self, text: &'t str) -> Vec<&'t str> {
        const LONG: usize = 5;
        let mut found = Vec::new();
        let mut start = 0;
        while start + LONG <= text.len() {
            let ends = (start + LONG..=text.len().min(start + LONGEST)).rev();
            match ends.map(|end| &text[start..end]).find(|piece| self.words.get(piece) == Some(&Glue::Yes)) {
                Some(piece) => {
                    found.push(piece);
                    start += piece.len();
                }
                None => start += 1,
            }
        }
        found
    }
}

/// A part of a name between separators.
struct Piece {
    /// Lower case, without marks.
    text: String,
    /// Lower case, with its marks, composed.
    as_written: String,
    /// Whether anything in the name has marks: then every word can be expected to.
    marked: bool,
}

/// Cuts a name at everything that is neither letter nor digit, between letters and digits, and before a
/// capital that follows a small letter or starts a capitalised word (`SDTChu` is `SDT` and `Chu`). Single
/// letters in a row are one piece: `s.đ.t`.
fn pieces(name: &str) -> Vec<Piece> {
    let composed: Vec<char> = name.nfc().collect();
    let marked = !name.is_ascii();
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    for (at, &letter) in composed.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| composed[at]);
        let after = composed.get(at + 1);
        let new = before.is_some_and(|before| {
            let capital = letter.is_uppercase()
                && (before.is_lowercase()
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()));
            capital || before.is_numeric() != letter.is_numeric()
        });
        if (new || !letter.is_alphanumeric()) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if letter.is_alphanumeric() {
            part.push(letter);
        }
    }
    parts.push(part);
    let mut joined: Vec<String> = Vec::new();
    let mut single = false;
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let alone = part.chars().count() == 1 && !part.chars().all(char::is_numeric);
        match joined.last_mut() {
            Some(last) if alone && single => last.push_str(&part),
            _ => joined.push(part),
        }
        single = alone;
    }
    joined
        .into_iter()
        .map(|part| {
            let as_written = part.to_lowercase();
            Piece { text: plain(&as_written), as_written, marked }
        })
        .collect()
}

/// Without marks, đ as d.
fn plain(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).map(|c| if c == 'đ' { 'd' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    fn words(name: &str) -> String {
        super::super::rules::lexicon().words(name).join(" ")
    }

    #[test]
    fn names_are_cut_at_separators_capitals_and_digits() {
        for (name, expected) in [
            ("ten_chu_su_dung", "ten chu su dung"),
            ("TenChuSDD", "ten chu sdd"),
            ("SDTChu1", "sdt chu 1"),
            ("contact:phone", "contact phone"),
            ("Họ và tên", "ho va ten"),
            ("s.đ.t", "sdt"),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn glued_words_are_cut_into_known_words_and_syllables() {
        for (name, expected) in [
            ("tenchusdd", "ten chu sdd"),
            ("CHUSDDAT", "chu sd dat"),
            ("tenchusudung", "ten chu su dung"),
            ("machucnang", "ma chuc nang"),
            ("nhachungcu", "nha chung cu"),
            ("tieuchuan", "tieu chuan"),
            ("hochua", "ho chua"),
            ("sodienthoai", "so dien thoai"),
            ("ownername", "owner name"),
            ("hostel", ""),
            ("NGAYSINHCH", "ngay sinh ch"),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn marks_tell_words_apart() {
        assert_eq!(words("Ghi chú"), "ghi chu*");
        assert_eq!(words("Tên hồ"), "ten ho*");
        assert_eq!(words("Chủ hộ"), "chu ho");
    }
}
