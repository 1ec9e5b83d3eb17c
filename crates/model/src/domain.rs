//! Which values a field may have, as its source or its steward declares it: codes with their texts, a range
//! of numbers, or a pattern of texts. GIS formats call this the *domain* of a field.
//!
//! A field has at most one domain ([`crate::Field::domain`]). The built-in code lists ([`crate::codes`]) are
//! shared by all fields that name them; the codes here belong to one field. [`crate::Field::codes`] gives
//! whichever the field has.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{FieldType, Title, Value, codes::Code, text::tidy_name};

/// Maximum number of codes of a field: all of them are in the description of the layer that clients read.
pub const CODES_MAX: usize = 2_000;
/// Maximum length of a code, in bytes.
pub const CODE_BYTES_MAX: usize = 100;
/// Maximum length of the text of a code in one language, in bytes.
pub const CODE_TEXT_BYTES_MAX: usize = 500;
/// Maximum length of a pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 200;

/// The values that a field may have. Null is in every domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// One of these codes, in the order of their source. A code is the text of the value ([`Value::to_key`]).
    Codes(Vec<Code>),
    /// A number between two bounds.
    Range(ValueRange),
    /// A text that matches a pattern as SQLite's `GLOB` does: `*` is any text, `?` any character, `[a-z]` and
    /// `[^a-z]` one character in or outside a set; case counts.
    Glob(String),
}

/// Two bounds of a number, at least one of which is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValueRange {
    /// The smallest value, in the field's unit; `None` for no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value, in the field's unit; `None` for no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Whether `min` itself is outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub min_excluded: bool,
    /// Whether `max` itself is outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub max_excluded: bool,
}

/// Why a field cannot have a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDomain {
    /// A list without codes.
    #[error("the list holds no code")]
    Empty,
    /// More codes than [`CODES_MAX`].
    #[error("the list holds {0} codes, and a field can have {CODES_MAX}")]
    TooMany(usize),
    /// A code, text or pattern is too long.
    #[error("{what} is longer than {max} bytes")]
    TooLong {
        /// Which text it is.
        what: &'static str,
        /// The maximum length in bytes.
        max: usize,
    },
    /// A code stands twice in the list.
    #[error("the code `{0}` stands in the list twice")]
    Repeated(String),
    /// A code is not a value of the field's type.
    #[error("the code `{code}` is not a value of the type {field_type}")]
    CodeType {
        /// The code as the source has it.
        code: String,
        /// The name of the field's type.
        field_type: &'static str,
    },
    /// The field's type has no such domain.
    #[error("{what} is for fields of {types}, and the type of this one is {field_type}")]
    Type {
        /// Which domain it is.
        what: &'static str,
        /// The types that can have it.
        types: &'static str,
        /// The name of the field's type.
        field_type: &'static str,
    },
    /// Bounds between which there is no number.
    #[error("no number is in the range {0}")]
    NoNumber(String),
}

impl Domain {
    /// The domain for a field of this type: each code as the type writes it (`01` of whole numbers is `1`),
    /// names and texts tidied.
    ///
    /// # Errors
    /// [`InvalidDomain`] if a field of the type cannot have it, or it is larger than the bounds of this
    /// module.
    pub fn fitted(self, field_type: FieldType) -> Result<Self, InvalidDomain> {
        match self {
            Self::Codes(codes) => fitted_codes(codes, field_type).map(Self::Codes),
            Self::Range(range) => {
                if !matches!(field_type, FieldType::Int | FieldType::Real) {
                    let field_type = field_type.as_str();
                    return Err(InvalidDomain::Type { what: "a range", types: "numbers", field_type });
                }
                range.check().map(Self::Range)
            }
            Self::Glob(pattern) => {
                if field_type != FieldType::Text {
                    let field_type = field_type.as_str();
                    return Err(InvalidDomain::Type { what: "a pattern", types: "texts", field_type });
                }
                if pattern.is_empty() {
                    return Err(InvalidDomain::Empty);
                }
                bounded("the pattern", &pattern, PATTERN_BYTES_MAX)?;
                Ok(Self::Glob(crate::normalize_text(pattern)))
            }
        }
    }

    /// The codes; empty for a range or a pattern.
    pub fn codes(&self) -> &[Code] {
        match self {
            Self::Codes(codes) => codes,
            Self::Range(_) | Self::Glob(_) => &[],
        }
    }

    /// The domain in a few words for lists: `12 codes`, `0..100`, `[0-9]*`.
    pub fn summary(&self) -> String {
        match self {
            Self::Codes(codes) => format!("{} codes", codes.len()),
            Self::Range(range) => range.to_string(),
            Self::Glob(pattern) => pattern.clone(),
        }
    }
}

fn bounded(what: &'static str, text: &str, max: usize) -> Result<(), InvalidDomain> {
    if text.len() > max { Err(InvalidDomain::TooLong { what, max }) } else { Ok(()) }
}

fn fitted_codes(codes: Vec<Code>, field_type: FieldType) -> Result<Vec<Code>, InvalidDomain> {
    if codes.is_empty() {
        return Err(InvalidDomain::Empty);
    }
    if codes.len() > CODES_MAX {
        return Err(InvalidDomain::TooMany(codes.len()));
    }
    let mut seen = HashSet::new();
    let mut fitted = Vec::with_capacity(codes.len());
    for own in codes {
        bounded("a code", &own.code, CODE_BYTES_MAX)?;
        let trimmed = if field_type == FieldType::Text { own.code.as_str() } else { own.code.trim() };
        let code = Value::parse(trimmed, field_type).and_then(|value| match value {
            Value::Real(number) if !number.is_finite() => None,
            value => value.to_key(),
        });
        let Some(code) = code else {
            let field_type = field_type.as_str();
            return Err(InvalidDomain::CodeType { code: own.code, field_type });
        };
        let title = Title::new(tidy_name(&own.title.vi), tidy_name(&own.title.en));
        for text in [&title.vi, &title.en] {
            bounded("the text of a code", text, CODE_TEXT_BYTES_MAX)?;
        }
        if !seen.insert(code.clone()) {
            return Err(InvalidDomain::Repeated(code));
        }
        fitted.push(Code { code, title, ..own });
    }
    Ok(fitted)
}

impl ValueRange {
    /// Whether a number lies between the bounds.
    pub fn contains(&self, number: f64) -> bool {
        let above = self.min.is_none_or(|min| if self.min_excluded { number > min } else { number >= min });
        let below = self.max.is_none_or(|max| if self.max_excluded { number < max } else { number <= max });
        above && below
    }

    fn check(self) -> Result<Self, InvalidDomain> {
        let bounds = [self.min, self.max];
        let finite = bounds.into_iter().flatten().all(f64::is_finite);
        let given = bounds.iter().any(Option::is_some);
        let some = match bounds {
            [Some(min), Some(max)] => min < max || (min == max && self.contains(min)),
            _ => true,
        };
        if finite && given && some { Ok(self) } else { Err(InvalidDomain::NoNumber(self.to_string())) }
    }
}

/// `0..100`; a bound that is itself outside has `<` next to it, and one that is not given is left out.
impl std::fmt::Display for ValueRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bound = |bound: Option<f64>| bound.map(crate::format_real).unwrap_or_default();
        let (after, before) =
            (if self.min_excluded { "<" } else { "" }, if self.max_excluded { "<" } else { "" });
        write!(f, "{}{after}..{before}{}", bound(self.min), bound(self.max))
    }
}

/// A domain prepared for many values.
#[derive(Debug)]
pub struct DomainCheck {
    kind: CheckKind,
}

#[derive(Debug)]
enum CheckKind {
    Codes(HashSet<String>),
    Range(ValueRange),
    Glob(Vec<GlobStep>),
}

impl DomainCheck {
    /// Prepares the domain of a field, or its built-in code list; `None` if it has neither.
    pub fn of(field: &crate::Field) -> Option<Self> {
        let kind = match &field.domain {
            Some(Domain::Range(range)) => CheckKind::Range(*range),
            Some(Domain::Glob(pattern)) => CheckKind::Glob(glob_steps(pattern)),
            _ => {
                let codes = field.codes();
                if codes.is_empty() {
                    return None;
                }
                CheckKind::Codes(codes.iter().map(|own| own.code.clone()).collect())
            }
        };
        Some(Self { kind })
    }

    /// Whether the field may have the value; null always.
    pub fn allows(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (_, Value::Null) => true,
            (_, Value::Text(text)) => self.allows_text(text),
            (CheckKind::Codes(codes), value) => {
                value.to_key().is_none_or(|code| codes.contains(code.as_str()))
            }
            (CheckKind::Range(range), Value::Int(number)) => range.contains(*number as f64),
            (CheckKind::Range(range), Value::Real(number)) => range.contains(*number),
            (CheckKind::Range(_) | CheckKind::Glob(_), _) => true,
        }
    }

    /// Whether a field of texts may have the text.
    pub fn allows_text(&self, text: &str) -> bool {
        match &self.kind {
            CheckKind::Codes(codes) => codes.contains(text),
            CheckKind::Glob(steps) => matches_steps(steps, text),
            CheckKind::Range(_) => true,
        }
    }
}

/// One step of a pattern.
#[derive(Debug, PartialEq)]
enum GlobStep {
    /// `*`: any characters, or none.
    Any,
    /// `?`: one character, whichever it is.
    One,
    /// `[…]`: ranges of characters, and whether the character must be outside them.
    Set {
        outside: bool,
        ranges: Vec<(char, char)>,
    },
    Char(char),
}

fn glob_steps(pattern: &str) -> Vec<GlobStep> {
    let mut steps = Vec::new();
    let letters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        steps.push(match letter {
            '*' => GlobStep::Any,
            '?' => GlobStep::One,
            '[' => match glob_set(&letters[at..]) {
                Some((step, length)) => {
                    at += length;
                    step
                }
                // SQLite matches nothing by a set that does not end; a bracket that means itself is kinder.
                None => GlobStep::Char('['),
            },
            letter => GlobStep::Char(letter),
        });
    }
    steps
}

/// The set that begins after `[`, and how many characters it has with its `]`.
fn glob_set(letters: &[char]) -> Option<(GlobStep, usize)> {
    let outside = letters.first() == Some(&'^');
    let start = usize::from(outside);
    // A `]` at the beginning is a member of the set.
    let end = (start + 1..letters.len()).find(|&at| letters[at] == ']')?;
    let members = &letters[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((GlobStep::Set { outside, ranges }, end + 1))
}

/// Whether a text matches a pattern, see [`Domain::Glob`]. O(pattern × text).
pub fn matches_glob(pattern: &str, text: &str) -> bool {
    matches_steps(&glob_steps(pattern), text)
}

fn matches_steps(steps: &[GlobStep], text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let one = |step: &GlobStep, letter: char| match step {
        GlobStep::Any => false,
        GlobStep::One => true,
        GlobStep::Char(own) => *own == letter,
        GlobStep::Set { outside, ranges } => {
            ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter)) != *outside
        }
    };
    let (mut step, mut at) = (0, 0);
    // Where to go on after the last `*`: the step behind it, and how much of the text it takes.
    let mut star: Option<(usize, usize)> = None;
    while at < letters.len() {
        if steps.get(step) == Some(&GlobStep::Any) {
            star = Some((step + 1, at));
            step += 1;
        } else if steps.get(step).is_some_and(|own| one(own, letters[at])) {
            (step, at) = (step + 1, at + 1);
        } else if let Some((behind, taken)) = star {
            star = Some((behind, taken + 1));
            (step, at) = (behind, taken + 1);
        } else {
            return false;
        }
    }
    steps[step..].iter().all(|own| *own == GlobStep::Any)
}

/// A pattern as a regular expression of ECMA-262, as JSON Schema writes it.
///
/// ```
/// assert_eq!(citymap_model::glob_to_regex("[0-9]?.*"), r"^[0-9][\s\S]\.[\s\S]*$");
/// ```
pub fn glob_to_regex(pattern: &str) -> String {
    let escaped = |out: &mut String, letter: char| {
        if r"\^$.|?*+()[]{}/-".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    };
    let mut out = String::from("^");
    for step in glob_steps(pattern) {
        match step {
            GlobStep::Any => out.push_str(r"[\s\S]*"),
            GlobStep::One => out.push_str(r"[\s\S]"),
            GlobStep::Char(letter) => escaped(&mut out, letter),
            GlobStep::Set { outside, ranges } => {
                out.push_str(if outside { "[^" } else { "[" });
                for (from, to) in ranges {
                    escaped(&mut out, from);
                    if from != to {
                        out.push('-');
                        escaped(&mut out, to);
                    }
                }
                out.push(']');
            }
        }
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    fn codes(codes: &[&str]) -> Domain {
        Domain::Codes(codes.iter().map(|code| Code::new(*code, Title::same("x"))).collect())
    }

    #[test]
    fn codes_are_written_as_the_type_writes_them() {
        let Ok(Domain::Codes(whole)) = codes(&["01", " 2"]).fitted(FieldType::Int) else { panic!() };
        assert_eq!(whole.iter().map(|own| own.code.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        let Ok(Domain::Codes(real)) = codes(&["1.0", "2.50"]).fitted(FieldType::Real) else { panic!() };
        assert_eq!(real.iter().map(|own| own.code.as_str()).collect::<Vec<_>>(), ["1", "2.5"]);
        assert_eq!(codes(&["01"]).fitted(FieldType::Text).unwrap().codes()[0].code, "01");
        for (bad, field_type) in [
            (codes(&[]), FieldType::Text),
            (codes(&["1", "01"]), FieldType::Int),
            (codes(&["a"]), FieldType::Int),
            (codes(&["NaN"]), FieldType::Real),
            (codes(&[&"x".repeat(101)]), FieldType::Text),
            (
                Domain::Codes((0..2001).map(|n| Code::new(n.to_string(), Title::default())).collect()),
                FieldType::Int,
            ),
            (Domain::Glob("*".into()), FieldType::Int),
            (Domain::Glob(String::new()), FieldType::Text),
            (Domain::Range(ValueRange { min: Some(1.0), ..ValueRange::default() }), FieldType::Text),
            (Domain::Range(ValueRange::default()), FieldType::Int),
            (
                Domain::Range(ValueRange { min: Some(2.0), max: Some(1.0), ..ValueRange::default() }),
                FieldType::Int,
            ),
            (Domain::Range(ValueRange { min: Some(f64::NAN), ..ValueRange::default() }), FieldType::Int),
        ] {
            assert!(bad.clone().fitted(field_type).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_is_in_its_domain_or_not() {
        let allows = |domain: Domain, field_type, value: Value| {
            let mut field = Field::new("x", field_type);
            field.domain = Some(domain.fitted(field_type).unwrap());
            DomainCheck::of(&field).unwrap().allows(&value)
        };
        let range =
            ValueRange { min: Some(0.0), max: Some(1.0), max_excluded: true, ..ValueRange::default() };
        assert!(allows(Domain::Range(range), FieldType::Int, Value::Int(0)));
        assert!(!allows(Domain::Range(range), FieldType::Real, Value::Real(1.0)));
        assert!(allows(Domain::Range(range), FieldType::Real, Value::Null));
        assert!(allows(codes(&["1"]), FieldType::Real, Value::Real(1.0)));
        assert!(!allows(codes(&["ODT"]), FieldType::Text, Value::Text("odt".into())));
        assert!(allows(codes(&["0"]), FieldType::Bool, Value::Bool(false)));
        assert!(DomainCheck::of(&Field::new("x", FieldType::Int)).is_none());
        let built_in = Field::new("x", FieldType::Text).coded("land_use");
        assert!(!DomainCheck::of(&built_in).unwrap().allows(&Value::Text("?".into())));
    }

    #[test]
    fn patterns_match_as_in_sqlite() {
        for (pattern, text, good) in [
            ("*", "", true),
            ("[0-9][0-9]", "42", true),
            ("[0-9][0-9]", "4", false),
            ("[^a-c]*", "dog", true),
            ("[^a-c]*", "bee", false),
            ("?", "đ", true),
            ("a*b*c", "aXbbYc", true),
            ("a*b*c", "aXbbY", false),
            ("[]]x", "]x", true),
            ("[a", "[a", true),
            ("[a-]", "-", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches_glob(pattern, text), good, "{pattern} {text}");
        }
        assert!(!matches_glob(&"*a".repeat(100), &"a".repeat(99)));
        assert_eq!(glob_to_regex("[^]a-c]+"), r"^[^\]a-c]\+$");
    }

    #[test]
    fn ranges_are_shown_with_the_bounds_that_are_outside() {
        let range = |min, max| ValueRange { min, max, ..ValueRange::default() };
        assert_eq!(range(Some(0.0), Some(1.5)).to_string(), "0..1.5");
        assert_eq!(ValueRange { max_excluded: true, ..range(None, Some(9.0)) }.to_string(), "..<9");
        assert_eq!(ValueRange { min_excluded: true, ..range(Some(0.0), None) }.to_string(), "0<..");
    }
}
