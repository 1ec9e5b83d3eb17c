//! Texts as search sees them: folded words, abbreviations written out, kinds and house numbers split off.

use unicode_normalization::UnicodeNormalization;

use citymap_model::text::{is_word, push_folded};

use crate::similar::errors_between;

/// The kind of thing that the first word of a name says it is: `Phường`, `Quận`, `Đường`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum NameKind {
    None,
    Ward,
    Commune,
    Township,
    SpecialZone,
    District,
    RuralDistrict,
    City,
    Town,
    Province,
    Road,
}

/// The words for each kind, folded (y is i), each followed by a space.
const KINDS: [(&str, NameKind); 15] = [
    ("phuong ", NameKind::Ward),
    ("ward ", NameKind::Ward),
    ("thi tran ", NameKind::Township),
    ("thi xa ", NameKind::Town),
    ("thanh pho ", NameKind::City),
    ("xa ", NameKind::Commune),
    ("dac khu ", NameKind::SpecialZone),
    ("quan ", NameKind::District),
    ("district ", NameKind::District),
    ("huien ", NameKind::RuralDistrict),
    ("tinh ", NameKind::Province),
    ("duong ", NameKind::Road),
    ("dai lo ", NameKind::Road),
    ("pho ", NameKind::Road),
    ("street ", NameKind::Road),
];

/// The words for a kind that English writes behind the name, folded (y is i), each after a space.
const KINDS_BEHIND: [(&str, NameKind); 10] = [
    (" ward", NameKind::Ward),
    (" commune", NameKind::Commune),
    (" special zone", NameKind::SpecialZone),
    (" district", NameKind::District),
    (" district", NameKind::RuralDistrict),
    (" citi", NameKind::City),
    (" street", NameKind::Road),
    (" st", NameKind::Road),
    (" road", NameKind::Road),
    (" avenue", NameKind::Road),
];

/// The single words that words for a kind consist of, folded.
pub(crate) const KIND_WORDS: [&str; 16] = [
    "phuong", "ward", "thi", "tran", "xa", "thanh", "pho", "dac", "khu", "quan", "huien", "tinh", "duong",
    "dai", "lo", "street",
];

/// Abbreviations that mean the same wherever they stand, written out; folded.
const ABBREVIATIONS: [(&str, &str); 23] = [
    ("ubnd", "ui ban nhan dan"),
    ("hdnd", "hoi dong nhan dan"),
    ("tphcm", "thanh pho ho chi minh"),
    ("hcm", "ho chi minh"),
    ("tp", "thanh pho"),
    ("thcs", "trung hoc co so"),
    ("thpt", "trung hoc pho thong"),
    ("bv", "benh vien"),
    ("cv", "cong vien"),
    ("kdc", "khu dan cu"),
    ("kcn", "khu cong nghiep"),
    ("kcx", "khu che xuat"),
    ("kdt", "khu do thi"),
    ("kp", "khu pho"),
    ("ks", "khach san"),
    ("tttm", "trung tam thuong mai"),
    ("tit", "tram i te"),
    ("ttit", "trung tam i te"),
    ("gd", "giao duc"),
    ("ql", "quoc lo"),
    ("tl", "tinh lo"),
    ("hl", "huong lo"),
    ("xl", "xa lo"),
];

/// Abbreviations only where they begin a text or a part of it and more follows, written out; folded.
const ABBREVIATIONS_FIRST: [(&str, &str); 9] = [
    ("th", "tieu hoc"),
    ("mn", "mam non"),
    ("mg", "mau giao"),
    ("dh", "dai hoc"),
    ("cd", "cao dang"),
    ("cc", "chung cu"),
    ("bx", "ben xe"),
    ("nvh", "nha van hoa"),
    ("d", "duong"),
];

/// Maximum number of characters of a text that are read.
const CHARACTERS_MAX: usize = 400;

/// A text as search sees it: folded words with one space between them, abbreviations written out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// The words, separated by single spaces.
    pub(crate) text: String,
    /// Where the part before the first comma ends, in bytes.
    pub(crate) head: usize,
    /// Where the spaces are that stand for commas, in bytes.
    pub(crate) commas: Vec<usize>,
    /// Where words begin that look like a kind only without their accents: `Dương` is not `Đường`, `Phó` is
    /// not `Phố`.
    names: Vec<usize>,
}

/// The first words of the kinds as they are written with their accents.
const ACCENTED: [&str; 11] =
    ["phường", "thị", "thành", "xã", "đặc", "quận", "huyện", "tỉnh", "đường", "đại", "phố"];

impl Words {
    /// Reads `raw` into `self`, reusing its memory.
    pub(crate) fn read(&mut self, raw: &str) {
        self.text.clear();
        self.names.clear();
        self.commas.clear();
        let (mut start, mut raw_start, mut first) = (0, 0, true);
        // Names and addresses are not longer than this.
        let mut letters = raw.char_indices().take(CHARACTERS_MAX).peekable();
        while let Some((at, letter)) = letters.next() {
            if push_folded(letter, &mut self.text) {
                continue;
            }
            let open = self.text.len() > start;
            if letter == '/' && open && letters.peek().is_some_and(|&(_, next)| is_word(next)) {
                self.text.push('/');
                continue;
            }
            if open {
                let digit_next = letters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
                self.note_name(start, &raw[raw_start..at]);
                self.write_out(start, letter == '.' || digit_next, first && letters.peek().is_some());
                self.text.push(' ');
                start = self.text.len();
                first = false;
            }
            raw_start = at + letter.len_utf8();
            if matches!(letter, ',' | ';' | '(') && start > 0 {
                if self.commas.last() != Some(&(start - 1)) {
                    self.commas.push(start - 1);
                }
                first = true;
            }
        }
        self.write_out(start, false, false);
        self.text.truncate(self.text.trim_end().len());
        while self.commas.last().is_some_and(|comma| *comma >= self.text.len()) {
            self.commas.pop();
        }
        self.head = self.commas.first().copied().unwrap_or(self.text.len());
    }

    /// Notes the word at `start` if it is written with accents that no word for a kind has.
    fn note_name(&mut self, start: usize, raw: &str) {
        let word = &self.text[start..];
        if raw.is_ascii() || !KINDS.iter().any(|(kind, _)| kind.split(' ').next() == Some(word)) {
            return;
        }
        let raw: String = raw.nfc().flat_map(char::to_lowercase).collect();
        if !ACCENTED.contains(&raw.as_str()) {
            self.names.push(start);
        }
    }

    /// Splits the kind off a part of the text that reaches to its end, as [`split_kind`] does, unless its
    /// accents show that the word is part of the name.
    pub(crate) fn split<'a>(&self, part: &'a str) -> (NameKind, &'a str) {
        let start = self.text.len().saturating_sub(part.len());
        if self.names.contains(&start) { (NameKind::None, part) } else { split_kind(part) }
    }

    /// Reads the words of one text.
    pub(crate) fn of(raw: &str) -> Self {
        let mut words = Self::default();
        words.read(raw);
        words
    }

    /// Words that are folded already, without commas.
    pub(crate) fn of_folded(text: String) -> Self {
        Self { head: text.len(), text, ..Self::default() }
    }

    /// Writes out the word at `start` if it is an abbreviation, and removes the leading zeros of a number.
    /// `marked` means that a full stop or a number follows; `first`, that the word begins the text or a part
    /// of it and more words follow.
    fn write_out(&mut self, start: usize, marked: bool, first: bool) {
        let word = &self.text[start..];
        let number = |digits: &str| {
            (!digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| {
                    let bare = digits.trim_start_matches('0');
                    if bare.is_empty() { "0".to_owned() } else { bare.to_owned() }
                })
        };
        let listed = |list: &[(&str, &'static str)]| {
            list.iter().find(|(short, _)| *short == word).map(|(_, full)| *full)
        };
        let full = match word {
            "p" | "f" if marked || first => "phuong",
            "q" if marked || first => "quan",
            "tx" if marked || first => "thi xa",
            "tt" if marked || first => "thi tran",
            "x" if marked => "xa",
            "h" if marked => "huien",
            "d" if marked => "duong",
            _ if let Some(full) = listed(&ABBREVIATIONS) => full,
            _ if let Some(full) = listed(&ABBREVIATIONS_FIRST).filter(|_| first) => full,
            _ if self.text[..start].ends_with("duong ") && day_and_month(word).is_some() => {
                let [day, month] = day_and_month(word).unwrap_or_default();
                self.text.truncate(start);
                self.text.push_str(&format!("{day} thang {month}"));
                return;
            }
            _ => {
                if let Some(bare) = number(word) {
                    if let Some(at) = self.numbered_in_english(start) {
                        self.text.truncate(at);
                        self.text.push_str("duong so ");
                        self.text.push_str(&bare);
                    } else if bare.len() != word.len() {
                        self.text.truncate(start);
                        self.text.push_str(&bare);
                    }
                } else if let Some(letter @ ('p' | 'f' | 'q')) = word.chars().next()
                    && word.len() <= 3
                    // New quarters have streets such as `Đường P2`.
                    && !self.text[..start].ends_with("duong ")
                    && let Some(bare) = number(&word[1..])
                {
                    self.text.truncate(start);
                    self.text.push_str(if letter == 'q' { "quan " } else { "phuong " });
                    self.text.push_str(&bare);
                }
                return;
            }
        };
        self.text.truncate(start);
        self.text.push_str(full);
    }

    /// Where the English words for a numbered street begin that end at `end`: `Street 46` and
    /// `12 Road No. 46` are `Đường số 46`, but `Lê Lợi Street 12` is not.
    fn numbered_in_english(&self, end: usize) -> Option<usize> {
        let before = self.text[..end].trim_end();
        let before = before.strip_suffix(" no").or_else(|| before.strip_suffix(" number")).unwrap_or(before);
        let before = before.strip_suffix("street").or_else(|| before.strip_suffix("road"))?;
        let house =
            before.split(' ').rev().nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let begins = before.is_empty() || self.commas.contains(&(before.len() - 1));
        (begins || before.ends_with(' ') && house).then_some(before.len())
    }
}

/// Splits the word for the kind off a name: `(Ward, "ben thanh")`.
///
/// Numbered streets keep it (`duong so 7`, `duong 12`, `duong d2`), because a bare 7 is not a name.
pub(crate) fn split_kind(text: &str) -> (NameKind, &str) {
    for (word, kind) in KINDS {
        if let Some(rest) = text.strip_prefix(word) {
            let next = rest.split(' ').next().unwrap_or_default();
            let numbered = next == "so" || next.bytes().any(|byte| byte.is_ascii_digit());
            // `3 tháng 2` is a name, although it begins with a number.
            if kind == NameKind::Road && numbered && !is_date(rest) {
                return (NameKind::None, text);
            }
            return (kind, rest);
        }
    }
    (NameKind::None, text)
}

/// The kind and the name of a text that ends with an English word for a kind: `cau ong lanh ward`. More than
/// one where the word means several kinds, none for any other text.
pub(crate) fn kinds_behind(text: &str) -> impl Iterator<Item = (NameKind, &str)> {
    KINDS_BEHIND.iter().filter_map(|(word, kind)| {
        let name = text.strip_suffix(word).filter(|name| !name.is_empty())?;
        Some((*kind, name))
    })
}

/// The words for a kind that the text begins with, with typing errors: the kind, what follows, and the number
/// of errors.
pub(crate) fn similar_kinds(text: &str) -> Vec<(NameKind, &str, u8)> {
    let mut found = Vec::new();
    for (words, kind) in KINDS {
        let words = words.trim_end();
        let count = words.split(' ').count();
        let Some((space, _)) = text.match_indices(' ').nth(count - 1) else { continue };
        let (typed, rest) = (&text[..space], &text[space + 1..]);
        if let Some(errors @ 1..) = errors_between(typed, words, if words.len() > 5 { 2 } else { 1 }) {
            found.push((kind, rest, errors));
        }
    }
    found
}

/// A day and a month in figures: `3/2`, as streets are called.
fn day_and_month(word: &str) -> Option<[u8; 2]> {
    let (day, month) = word.split_once('/')?;
    let within = |text: &str, most| text.parse::<u8>().ok().filter(|number| (1..=most).contains(number));
    Some([within(day, 31)?, within(month, 12)?])
}

/// The text with a day and a month in figures written out after a house number or at its beginning
/// (`215 3/2`, `3/2 quận 10`); `None` if there is none.
pub(crate) fn with_date_written_out(text: &str) -> Option<String> {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let at = (0..words.len().min(2)).rev().find(|&at| day_and_month(&words[at]).is_some())?;
    if at == 1 && !words[0].starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let [day, month] = day_and_month(&words[at])?;
    words[at] = format!("{day} thang {month}");
    Some(words.join(" "))
}

/// An address taken apart: the house number and what follows; `None` where it has no number in front.
pub(crate) fn split_number(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    for word in ["so nha ", "nha so ", "so ", "no ", "nha ", "hem "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let (number, street) = rest.split_once(' ')?;
    (number.starts_with(|letter: char| letter.is_ascii_digit()) && !is_date(rest)).then_some((number, street))
}

/// Whether the text starts with a day and a month, as streets are named: `3 tháng 2`, `30 tháng 4`.
fn is_date(text: &str) -> bool {
    let mut words = text.split(' ');
    let mut number = || words.next().is_some_and(|word| word.len() <= 2 && word.parse::<u8>().is_ok());
    number()
        && text.split(' ').nth(1) == Some("thang")
        && text.split(' ').nth(2).is_some_and(|word| word.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        Words::of(raw).text
    }

    #[test]
    fn abbreviations_and_leading_zeros_are_written_out() {
        for (short, long) in [
            ("P.04", "Phường 4"),
            ("p4", "Phường 4"),
            ("P. Bến Thành", "Phường Bến Thành"),
            ("p ben thanh", "Phường Bến Thành"),
            ("Q.1", "Quận 1"),
            ("q1", "Quận 1"),
            ("Q. Bình Thạnh", "Quận Bình Thạnh"),
            ("TP. Thủ Đức", "Thành phố Thủ Đức"),
            ("Tx. Dĩ An", "Thị xã Dĩ An"),
            ("Đ. Lê Lợi", "Đường Lê Lợi"),
            ("12 Đ.Lê Lợi, P.05, Q.3", "12 Đường Lê Lợi, Phường 5, Quận 3"),
            ("TP.HCM", "Thành phố Hồ Chí Minh"),
            ("Street 46", "Đường số 46"),
            ("12/3 street no. 046", "12/3 Đường số 46"),
            ("Road No 46, Ward 5", "Đường số 46, Ward 5"),
            ("Phường 4, Street 46", "Phường 4, Đường số 46"),
        ] {
            assert_eq!(text(short), text(long), "{short}");
        }
        assert_eq!(
            text("Phường Tăng Nhơn Phú A"),
            "phuong tang nhon phu a",
            "a letter in a name is no abbreviation"
        );
        assert_eq!(text("Đường D2"), "duong d2");
        assert_eq!(text("Le Loi Street 12"), "le loi street 12", "a number behind a name is no name");
        assert_eq!(text("Broad 5"), "broad 5");
    }

    #[test]
    fn the_head_ends_at_the_first_comma() {
        let words = Words::of("123/4 Nguyễn Trãi, Phường Chợ Quán");
        assert_eq!(&words.text[..words.head], "123/4 nguien trai");
        assert_eq!(&words.text[words.head..], " phuong cho quan");
        assert_eq!(Words::of("Phường Bến Thành").head, "phuong ben thanh".len());
    }

    #[test]
    fn kinds_come_off_and_numbered_streets_stay_whole() {
        assert_eq!(split_kind("phuong 4"), (NameKind::Ward, "4"));
        assert_eq!(split_kind("duong le loi"), (NameKind::Road, "le loi"));
        assert_eq!(split_kind("duong so 7"), (NameKind::None, "duong so 7"));
        assert_eq!(split_kind("duong 3 thang 2"), (NameKind::Road, "3 thang 2"));
        assert_eq!(split_kind("ben thanh"), (NameKind::None, "ben thanh"));
    }

    #[test]
    fn accents_tell_names_from_kinds() {
        let split = |raw: &str| {
            let words = Words::of(raw);
            let (kind, core) = words.split(&words.text);
            (kind, core.to_owned())
        };
        assert_eq!(split("Dương Bá Trạc"), (NameKind::None, "duong ba trac".into()));
        assert_eq!(split("ĐƯỜNG Dương Bá Trạc"), (NameKind::Road, "duong ba trac".into()));
        assert_eq!(split("Phó Đức Chính"), (NameKind::None, "pho duc chinh".into()));
        assert_eq!(split("Phố Hàng Bài"), (NameKind::Road, "hang bai".into()));
        assert_eq!(
            split("Xa lộ Hà Nội"),
            (NameKind::Commune, "lo ha noi".into()),
            "without accents nobody knows"
        );
        assert_eq!(Words::of("Đường P2").text, "duong p2");
    }

    #[test]
    fn house_numbers_come_off_and_dates_stay() {
        assert_eq!(split_number("123/4/5 nguien trai"), Some(("123/4/5", "nguien trai")));
        assert_eq!(split_number("so 12a le loi"), Some(("12a", "le loi")));
        assert_eq!(split_number("hem 45 le loi"), Some(("45", "le loi")));
        assert_eq!(split_number("215 3 thang 2"), Some(("215", "3 thang 2")));
        assert_eq!(split_number("3 thang 2"), None);
        assert_eq!(split_number("le loi"), None);
        assert_eq!(split_number("123"), None);
    }
}
