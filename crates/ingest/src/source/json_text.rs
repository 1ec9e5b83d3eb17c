//! The text of a GeoJSON feature before it is parsed: whole numbers that would lose digits become texts, and
//! members that are there twice are found.

use std::borrow::Cow;

/// What a look at the text of a feature shows.
pub(super) struct Scanned<'a> {
    /// The text, in which numbers of properties that would lose digits stand in quotes.
    pub text: Cow<'a, [u8]>,
    /// The names of properties that are there more than once; the last value counts.
    pub repeated: Vec<String>,
    /// The first word that is none of JSON's (`NaN`).
    pub bare: Option<String>,
}

/// Digits before the decimal point from which a number may lose some.
const LONG: usize = 16;

/// Which member of the feature a position is in.
#[derive(Clone, Copy, PartialEq)]
enum Member {
    Properties,
    Id,
    Other,
}

/// Looks through the text of a feature.
pub(super) fn scan(text: &[u8]) -> Scanned<'_> {
    let mut out: Vec<u8> = Vec::new();
    let (mut copied, mut at, mut depth) = (0, 0, 0_usize);
    let mut member = Member::Other;
    let mut names: Vec<&[u8]> = Vec::new();
    let mut bare = None;
    while let Some(&byte) = text.get(at) {
        let start = at;
        match byte {
            b'"' => {
                at = string_end(text, at);
                let name = text.get(start + 1..at - 1).unwrap_or_default();
                if is_name(text, at) {
                    match (depth, name) {
                        (1, b"properties") => member = Member::Properties,
                        (1, b"id") => member = Member::Id,
                        (1, _) => member = Member::Other,
                        (2, _) if member == Member::Properties => names.push(name),
                        _ => {}
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                at = token_end(text, at);
                let number = &text[start..at];
                if member != Member::Other && loses_digits(number) {
                    out.extend_from_slice(&text[copied..start]);
                    out.push(b'"');
                    out.extend_from_slice(number);
                    out.push(b'"');
                    copied = at;
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' => {
                at = token_end(text, at);
                let word = &text[start..at];
                if bare.is_none() && !matches!(word, b"true" | b"false" | b"null") {
                    bare = Some(String::from_utf8_lossy(&word[..word.len().min(20)]).into_owned());
                }
            }
            _ => {
                depth = match byte {
                    b'{' | b'[' => depth + 1,
                    b'}' | b']' => depth.saturating_sub(1),
                    _ => depth,
                };
                at += 1;
            }
        }
    }
    let text = if copied == 0 {
        Cow::Borrowed(text)
    } else {
        out.extend_from_slice(&text[copied..]);
        Cow::Owned(out)
    };
    Scanned { text, repeated: repeated(names), bare }
}

/// The position after a string that begins here.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The position after a number or a word that begins here.
fn token_end(text: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
    start + text[start..].iter().take_while(|byte| is_part(byte)).count()
}

/// Whether the string that ends here is the name of a member.
fn is_name(text: &[u8], end: usize) -> bool {
    text[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// Whether a number cannot be kept as 64 bits, whole or with decimals, without losing digits before its
/// point.
fn loses_digits(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole < LONG {
        return false;
    }
    let Ok(text) = std::str::from_utf8(number) else { return false };
    if whole == digits.len() {
        return text.parse::<i64>().is_err();
    }
    let sign = number.len() - digits.len();
    text.parse::<f64>().is_ok_and(|real| {
        let kept = format!("{real:.0}");
        !text.contains(['e', 'E']) && kept.get(..sign + whole) != text.get(..sign + whole)
    })
}

fn repeated(mut names: Vec<&[u8]>) -> Vec<String> {
    names.sort_unstable();
    let mut twice: Vec<&[u8]> =
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice.into_iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: &str) -> bool {
        let text =
            format!(r#"{{"geometry":[1],"properties":{{"a":{number},"b":[{number}]}},"id":{number}}}"#);
        let quoted =
            format!(r#"{{"geometry":[1],"properties":{{"a":"{number}","b":["{number}"]}},"id":"{number}"}}"#);
        let scanned = scan(text.as_bytes()).text.into_owned();
        assert!(scanned == text.as_bytes() || scanned == quoted.as_bytes());
        scanned == text.as_bytes()
    }

    #[test]
    fn numbers_that_would_lose_digits_become_texts() {
        for number in ["1", "-1.5", "9223372036854775807", "-9223372036854775808", "1.10", "1e300", "0.1"] {
            assert!(kept(number), "{number}");
        }
        for number in ["9223372036854775808", "184467440737095516160", "9007199254740993.0"] {
            assert!(!kept(number), "{number}");
        }
        let place = br#"{"geometry":{"coordinates":[184467440737095516160,2]},"properties":{"a":"1]}\""}}"#;
        assert_eq!(&*scan(place).text, place);
    }

    #[test]
    fn names_that_are_there_twice_and_words_that_are_no_json_are_found() {
        let scanned = scan(br#"{"properties":{"ma":"A","x":{"ma":1},"ma":"B"},"id":1,"ma":2}"#);
        assert_eq!((scanned.repeated, scanned.bare), (vec!["ma".to_owned()], None));
        assert_eq!(scan(br#"{"properties":{"cao":-1,"a":NaN}}"#).bare.as_deref(), Some("NaN"));
    }
}
