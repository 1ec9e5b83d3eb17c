//! The text of a GeoJSON feature before it is parsed: whole numbers that would lose digits become texts, and
//! members that are there twice are found.

use std::borrow::Cow;

/// What a look at the text of a feature shows.
pub(super) struct Scanned<'a> {
    /// The text, in which numbers of properties that would lose digits stand in quotes.
    pub text: Cow<'a, [u8]>,
    /// The names of properties that are there more than once; the last value counts.
    pub repeated: Vec<String>,
    /// The name of each property, in the order of the names, and the position after it.
    names: Vec<(&'a [u8], usize)>,
    /// The position after the name of the member `id`.
    id: Option<usize>,
    /// The text as it came.
    source: &'a [u8],
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
    let mut names: Vec<(&[u8], usize)> = Vec::new();
    let mut id = None;
    let source = text;
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
                        (1, b"id") => {
                            member = Member::Id;
                            id = Some(at);
                        }
                        (1, _) => member = Member::Other,
                        (2, _) if member == Member::Properties => names.push((name, at)),
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
    names.sort_unstable();
    Scanned { text, repeated: repeated(&names), bare, names, id, source }
}

impl Scanned<'_> {
    /// The value of a property as JSON text with its numbers as they are written; `None` if there is none.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        let own = self.names.iter().rev().find(|(own, _)| *own == name.as_bytes()).or_else(|| {
            let unescaped = |own: &[u8]| serde_json::from_slice::<String>(&[b"\"", own, b"\""].concat()).ok();
            let escaped = self.names.iter().rev().filter(|(own, _)| own.contains(&b'\\'));
            escaped.into_iter().find(|(own, _)| unescaped(own).as_deref() == Some(name))
        })?;
        self.value_after(own.1)
    }

    /// The feature's own id as [`Scanned::property`] gives a value.
    pub(super) fn id(&self) -> Option<String> {
        self.value_after(self.id?)
    }

    fn value_after(&self, name_end: usize) -> Option<String> {
        let rest = self.source.get(name_end..)?.trim_ascii_start().strip_prefix(b":")?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
        values.next()?.ok()?;
        let value = rest.get(..values.byte_offset())?.trim_ascii();
        compact(value)
    }
}

/// A JSON text without spaces between its parts and without escapes that need not be; `None` if it is none.
fn compact(value: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let start = at;
        if byte == b'"' {
            at = string_end(value, at);
            let text: String = serde_json::from_slice(&value[start..at]).ok()?;
            out.push_str(&serde_json::to_string(&text).ok()?);
            continue;
        }
        at += 1;
        if !byte.is_ascii_whitespace() {
            out.push(char::from(byte));
        }
    }
    Some(out)
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

/// The names that are there more than once, of sorted ones.
fn repeated(names: &[(&[u8], usize)]) -> Vec<String> {
    let mut twice: Vec<&[u8]> =
        names.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0).collect();
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

    #[test]
    fn values_keep_their_numbers_as_written() {
        let text = br#"{"id": 1.10 ,
            "properties":{"a":1E5,"b":[ 1.10, "\u00e1 x", {"c" : 1e2}],"\u0061b":2.0,"a":1.50}}"#;
        let scanned = scan(text);
        assert_eq!(scanned.id().as_deref(), Some("1.10"));
        assert_eq!(scanned.property("a").as_deref(), Some("1.50"));
        assert_eq!(scanned.property("b").as_deref(), Some(r#"[1.10,"á x",{"c":1e2}]"#));
        assert_eq!(scanned.property("ab").as_deref(), Some("2.0"));
        assert_eq!(scanned.property("c"), None);
    }
}
