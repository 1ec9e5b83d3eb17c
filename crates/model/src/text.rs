//! Vietnamese texts compared without regard to case and diacritics.
//!
//! [`without_diacritics`] keeps every character but makes it plain; names of layers and fields are derived
//! from it. [`fold`] goes further: it is the form in which search compares texts.
//!
//! [`shown`] and [`tidy_name`] keep what steers a terminal or turns the direction of a text out of messages
//! and names.

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfc_quick};

/// Length of the table of folded characters. Every Vietnamese letter has a code below it, composed or not.
const TABLE_LEN: usize = 0x2000;
/// In the table: a combining mark, which is removed.
const REMOVED: u8 = 0;
/// In the table: more than one byte, to be folded by [`fold_slowly`].
const SLOW: u8 = 1;

/// What each character folds to: an ASCII letter or digit, a space for what separates words, [`REMOVED`] or
/// [`SLOW`].
static FOLDED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..TABLE_LEN as u32)
        .map(|code| {
            let Some(letter) = char::from_u32(code) else { return b' ' };
            let mut text = String::new();
            fold_slowly(letter, &mut text);
            match text.as_bytes() {
                [] if is_combining_mark(letter) => REMOVED,
                [] => b' ',
                [byte] => *byte,
                _ => SLOW,
            }
        })
        .collect()
});

/// A text in Unicode normalization form C, so that the same Vietnamese word is always stored as the same
/// characters. Allocates only if the text is in another form.
pub fn normalize_text(text: String) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        text.nfc().collect()
    }
}

/// Appends a character without case, diacritics and the difference of i and y; nothing if it is neither a
/// letter nor a digit.
fn fold_slowly(letter: char, out: &mut String) {
    for part in std::iter::once(letter).nfkd().flat_map(char::to_lowercase).nfkd() {
        match part {
            'đ' => out.push('d'),
            'y' => out.push('i'),
            _ if part.is_alphanumeric() && !is_combining_mark(part) => out.push(part),
            _ => {}
        }
    }
}

/// Appends what a character folds to. Returns false, and appends nothing, for a character that separates
/// words.
pub fn push_folded(letter: char, out: &mut String) -> bool {
    match FOLDED.get(letter as usize) {
        Some(&REMOVED) => true,
        Some(&b' ') => false,
        Some(&byte) if byte != SLOW => {
            out.push(char::from(byte));
            true
        }
        _ => {
            let before = out.len();
            fold_slowly(letter, out);
            out.len() > before || is_combining_mark(letter)
        }
    }
}

/// The form in which search compares texts: lower case, without diacritics (đ is d) wherever the tone mark
/// was written, i for y, and one space for punctuation and blanks. Equal for all Unicode forms of a text.
///
/// A slash between letters or digits stays, because `123/4` is one house number. Folding twice is the same as
/// folding once.
///
/// ```
/// use citymap_model::text::fold;
///
/// assert_eq!(fold("Phường Hòa Hưng"), fold("PHUONG HOA  HUNG"));
/// assert_eq!(fold("12/3 Nguyễn Trãi,"), "12/3 nguien trai");
/// ```
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if push_folded(letter, &mut out) {
            continue;
        }
        let inside = letter == '/'
            && out.chars().next_back().is_some_and(char::is_alphanumeric)
            && letters.peek().is_some_and(|&next| is_word(next));
        if inside {
            out.push('/');
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a character is part of a word: it folds to a letter or a digit.
pub fn is_word(letter: char) -> bool {
    let mut scratch = String::new();
    push_folded(letter, &mut scratch) && !scratch.is_empty()
}

/// Appends a text as a cell of comma-separated values (RFC 4180), in quotes where it needs them. An empty
/// text is quoted too, which tells it from a missing value.
pub fn push_csv_cell(out: &mut Vec<u8>, text: &str) {
    let special = |byte: u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    let blank = [' ', '\t'];
    let quoted =
        text.is_empty() || text.bytes().any(special) || text.starts_with(blank) || text.ends_with(blank);
    if !quoted {
        out.extend(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// A text that a spreadsheet would take for a formula, with an apostrophe before it; `None` for any other.
/// Spreadsheets compute what begins with `=`, `+`, `-`, `@`, a tab or a carriage return, and can be made to
/// run programs by it. A text that is such a text with apostrophes before it gets one more, so that
/// [`with_formula`] gives every text back.
///
/// ```
/// use citymap_model::text::without_formula;
///
/// assert_eq!(without_formula("=1+1").as_deref(), Some("'=1+1"));
/// assert_eq!(without_formula("1+1"), None);
/// ```
pub fn without_formula(text: &str) -> Option<String> {
    text.trim_start_matches('\'').starts_with(FORMULA).then(|| format!("'{text}"))
}

/// What spreadsheets take for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text of which [`without_formula`] made this one; `None` for any other.
///
/// ```
/// use citymap_model::text::with_formula;
///
/// assert_eq!(with_formula("'=1+1"), Some("=1+1"));
/// assert_eq!(with_formula("'n"), None);
/// ```
pub fn with_formula(text: &str) -> Option<&str> {
    text.strip_prefix('\'').filter(|own| own.trim_start_matches('\'').starts_with(FORMULA))
}

/// A text in lower case and without diacritics (đ is d). Other characters, spaces and punctuation stay.
///
/// ```
/// assert_eq!(citymap_model::text::without_diacritics("Thửa Đất, 2025"), "thua dat, 2025");
/// ```
pub fn without_diacritics(text: &str) -> String {
    plain_letters(text).flat_map(char::to_lowercase).collect()
}

/// A text without diacritics (đ is d, Đ is D) in its own case. Other characters, spaces and punctuation stay.
///
/// ```
/// assert_eq!(citymap_model::text::without_accents("Thửa Đất, 2025"), "Thua Dat, 2025");
/// ```
pub fn without_accents(text: &str) -> String {
    plain_letters(text).nfc().collect()
}

/// The letters of a text without their marks.
fn plain_letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfd().filter(|letter| !is_combining_mark(*letter)).map(|letter| match letter {
        'đ' => 'd',
        'Đ' => 'D',
        letter => letter,
    })
}

/// A text without the difference of capital and small letters, in whatever script: ß is ss. Diacritics stay.
///
/// ```
/// use citymap_model::text::without_case;
///
/// assert_eq!(without_case("ĐƯỜNG Straße"), without_case("đường STRASSE"));
/// assert_ne!(without_case("đường"), without_case("duong"));
/// ```
pub fn without_case(text: &str) -> String {
    let capital = |letter: char| letter.to_lowercase().flat_map(char::to_uppercase);
    text.chars().flat_map(capital).flat_map(char::to_lowercase).nfc().collect()
}

/// Whether a character steers what shows it: control characters (line breaks among them), line and paragraph
/// separators, marks without width, and those that turn the direction of the text around them.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// A text as messages, logs and lists show it: characters that would steer the terminal, break the line or
/// turn the direction of the text are written as `\u{…}`.
///
/// ```
/// use citymap_model::text::shown;
///
/// assert_eq!(shown("Thửa đất"), "Thửa đất");
/// assert_eq!(shown("a\u{1b}[2J\u{202e}b\n"), "a\\u{1b}[2J\\u{202e}b\\u{a}");
/// ```
pub fn shown(text: &str) -> Cow<'_, str> {
    shown_but(text, &[])
}

/// [`shown`], with the characters in `kept` left as they are: a message of several lines keeps its breaks.
pub fn shown_but<'t>(text: &'t str, kept: &[char]) -> Cow<'t, str> {
    if !text.chars().any(|letter| steers(letter) && !kept.contains(&letter)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if steers(letter) && !kept.contains(&letter) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(letter));
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// A name or title in the form in which the record keeps it, and in which names are compared: NFC, a space
/// for each control character and line break, nothing for marks without width and those of direction. A name
/// of nothing else becomes [`shown`].
///
/// ```
/// use citymap_model::text::tidy_name;
///
/// assert_eq!(tidy_name("So\u{302}\u{301} to\u{31b}\u{300}"), "Số tờ");
/// assert_eq!(tidy_name("so\nto\u{202e}"), "so to");
/// ```
pub fn tidy_name(text: &str) -> String {
    let composed: String = text.nfc().collect();
    if !composed.chars().any(steers) {
        return composed;
    }
    let spaced = composed.chars().filter_map(|letter| match letter {
        '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() => Some(' '),
        letter => (!steers(letter)).then_some(letter),
    });
    let spaced: String = spaced.collect();
    match spaced.trim() {
        "" => shown(text).into_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_fold_alike() {
        for (one, other) in [
            ("Phường Hòa Hưng", "PHƯỜNG HOÀ HƯNG"),
            ("Quý", "Quí"),
            ("Đường Điện Biên Phủ", "duong dien bien phu"),
            ("Nguyễn Trãi", "Nguye\u{302}\u{303}n Tra\u{303}i"),
            ("P. Bến  Thành,", "p ben thanh"),
            ("Bà Rịa - Vũng Tàu", "ba ria vung tau"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_eq!(fold("123/4/5 Nguyễn Trãi"), "123/4/5 nguien trai");
        assert_eq!(fold("a / b"), "a b");
        assert_eq!(fold(" — "), "");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn unicode_form_and_case_do_not_matter(
            text in "[a-zA-ZàáảãạăắằâấầđĐêếềôốồơớờưứừỳýỷỹỵÀÁẢÃẠƯỨỪ ,./]{0,40}",
        ) {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&text.nfd().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&text.to_uppercase()), &folded);
        }
    }
}
