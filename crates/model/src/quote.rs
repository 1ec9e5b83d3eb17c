//! What messages say of values: of what kind they are, and not what they are.
//!
//! Reports, logs and the texts of errors are read by more people than the record is, and a value may be
//! personal whatever the name of its field: a phone number gets into a column of coordinates when one comma
//! is missing. So a message names the row, the field and the kind of the value ([`described`]). It repeats
//! only what cannot be personal: the code of a feature in a public field ([`is_code`]) and coordinates that
//! lie on the earth ([`coordinate`]). The file of rejects keeps the values.

use std::fmt::Write as _;

use crate::counted;

/// Longest text of signs only that is repeated as it is, in characters.
const SIGNS: usize = 8;
/// Longest code that is repeated, in characters.
const CODE: usize = 40;
/// Longest code without digits, in capitals: anything else may be a name.
const CAPITALS: usize = 6;
/// Digits in a row of a code; identity and phone numbers have nine and more.
const DIGITS: usize = 8;
/// The largest coordinate of a metric system that covers the earth (half of the equator, m).
const FARTHEST: f64 = 20_037_509.0;

/// What a text is, without the text: its length and what it consists of. A text of a few signs is repeated,
/// since it tells nothing but that a value is missing.
///
/// ```
/// use citymap_model::quote::described;
///
/// assert_eq!(described("0903123456"), "a text of 10 digits");
/// assert_eq!(described("Nguyễn Văn A"), "a text of 12 letters and spaces");
/// assert_eq!(described("12/3 A"), "a text of 6 letters, digits, spaces and signs");
/// assert_eq!(described("-"), "`-`");
/// assert_eq!(described(" "), "a text of 1 space");
/// assert_eq!(described(""), "an empty text");
/// ```
pub fn described(text: &str) -> String {
    let count = text.chars().count();
    if count == 0 {
        return "an empty text".to_owned();
    }
    let is_sign = |letter: char| letter.is_ascii_punctuation() || letter == '…' || letter == '–';
    if count <= SIGNS && text.chars().all(is_sign) {
        return format!("`{text}`");
    }
    let kind = |letter: char| match letter {
        _ if letter.is_alphabetic() => "letter",
        _ if letter.is_numeric() => "digit",
        _ if letter.is_whitespace() => "space",
        _ => "sign",
    };
    let kinds = ["letter", "digit", "space", "sign"];
    let mut held = kinds.into_iter().filter(|one| text.chars().any(|letter| kind(letter) == *one));
    let first = held.next().unwrap_or("sign");
    let mut what = counted(count, first, &format!("{first}s"));
    let others: Vec<&str> = held.collect();
    for (at, name) in others.iter().enumerate() {
        what.push_str(if at + 1 == others.len() { " and " } else { ", " });
        what.push_str(&format!("{name}s"));
    }
    format!("a text of {what}")
}

/// Whether a text is a code that tells nothing of a person: short, of letters, digits and the signs that join
/// them, with a digit or in capitals as an abbreviation is, and without a number as people have them.
///
/// ```
/// use citymap_model::quote::is_code;
///
/// assert!(is_code("26734-12-45") && is_code("T1") && is_code("ODT"));
/// assert!(!is_code("0903123456") && !is_code("0903-123-456") && !is_code("Nguyen Van A"));
/// ```
pub fn is_code(text: &str) -> bool {
    let joins = |letter: char| matches!(letter, '-' | '_' | '.' | '/' | ':' | '#');
    let count = text.chars().count();
    let runs = text.split(|letter: char| !letter.is_ascii_digit());
    (1..=CODE).contains(&count)
        && text.chars().all(|letter| letter.is_alphanumeric() || joins(letter))
        && (text.chars().any(|letter| letter.is_ascii_digit())
            || count == 1
            || count <= CAPITALS && !text.chars().any(char::is_lowercase))
        && runs.map(str::len).max().unwrap_or(0) <= DIGITS
        && !is_number_of_a_person(text)
}

/// Whether a text is digits and signs between them that together are as long as a phone number or an identity
/// number and begin like one.
fn is_number_of_a_person(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    !text.chars().any(char::is_alphabetic)
        && (9..=12).contains(&digits.len())
        && (digits.starts_with('0') || digits.starts_with("84"))
}

/// The code, or nothing if it may tell something of a person ([`is_code`]).
pub fn code(text: Option<String>) -> Option<String> {
    text.filter(|text| is_code(text))
}

/// Whether a position may be repeated in a message: it lies on the earth, in degrees or in metres. A larger
/// number is none, and may be that of a person.
pub fn is_coordinate(at: [f64; 2]) -> bool {
    at.iter().all(|value| value.abs() <= FARTHEST)
}

/// A position as messages write it: `coordinate 106.7, 10.8`; without its numbers where they are none of a
/// place on the earth.
///
/// ```
/// use citymap_model::quote::coordinate;
///
/// assert_eq!(coordinate([200.0, 10.5]), "coordinate 200, 10.5");
/// assert_eq!(coordinate([903_123_456.0, 10.5]), "a coordinate beyond the earth");
/// assert_eq!(coordinate([f64::NAN, 10.5]), "coordinate NaN, 10.5");
/// ```
pub fn coordinate(at: [f64; 2]) -> String {
    let is_harmless = |value: f64| !value.is_finite() || value.abs() <= FARTHEST;
    if at.into_iter().all(is_harmless) {
        format!("coordinate {}, {}", at[0], at[1])
    } else {
        "a coordinate beyond the earth".to_owned()
    }
}

/// A message of a library, in which values may be quoted: quoted parts and long numbers become `…`, apart
/// from quoted parts that are one of `names` (fields, layers, files).
///
/// ```
/// use citymap_model::quote::without_values;
///
/// let said = "Invalid value 'Nguyen Van A' in field 'ten', 0903123456 skipped";
/// assert_eq!(without_values(said, &["ten"]), "Invalid value '…' in field 'ten', … skipped");
/// ```
pub fn without_values(text: &str, names: &[&str]) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (head, tail) = rest.split_at(first.len_utf8());
        let before = safe.chars().next_back();
        // An apostrophe inside a word opens no quotation.
        let opens = matches!(first, '\'' | '"' | '`') && !before.is_some_and(char::is_alphanumeric);
        if opens && let Some((inside, after)) = tail.split_once(first) {
            let inside = if names.contains(&inside) { inside } else { "…" };
            // Writing to a string cannot fail.
            let _ = write!(safe, "{first}{inside}{first}");
            rest = after;
            continue;
        }
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        if digits > DIGITS {
            safe.push('…');
            rest = &rest[digits..];
        } else if digits > 0 {
            safe.push_str(&rest[..digits]);
            rest = &rest[digits..];
        } else {
            safe.push_str(head);
            rest = tail;
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_of_people_are_no_codes() {
        for own in [
            "0903123456",
            "0903.123.456",
            "84-903-123-456",
            "079201001234",
            "079-201-001-234",
            "CCCD079201001234",
            "903123456",
            "Nguyen",
            "Nguyễn Văn A",
            "a.nguyen@example.vn",
            "",
        ] {
            assert!(!is_code(own), "{own}");
        }
        for code in ["1", "a", "T-1", "thua_7", "26734-12-45", "12/3", "Q1.P2", "ODT", "Đ12"] {
            assert!(is_code(code), "{code}");
        }
        assert_eq!(code(Some("0903123456".into())), None);
    }

    #[test]
    fn a_message_keeps_its_words_and_loses_its_values() {
        let names = ["ten"];
        for (said, safe) in [
            ("Block: X1 doesn't exist, isn't 12345678", "Block: X1 doesn't exist, isn't 12345678"),
            ("value \"Lê A\" of `ten`", "value \"…\" of `ten`"),
            ("Value 079201001234 not written", "Value … not written"),
            ("an open 'quotation", "an open 'quotation"),
            ("'", "'"),
        ] {
            assert_eq!(without_values(said, &names), safe);
        }
    }
}
