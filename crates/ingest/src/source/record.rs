//! Types of fields whose format has none (CSV) or only rough ones (JSON), from all their values.
//!
//! A column is one of numbers only if printing the numbers gives every cell back as it was: `1.10`, `1E5`,
//! `007` and `+5` may be codes. Columns that are called after a measure (area, length, height) may have
//! zeros at the end.

use citymap_edit::normalize_text;
use citymap_model::{
    FieldType, UtcOffset, Value, counted, format_real, parse_date, parse_datetime, parse_local_datetime,
    plain_name, plural, quote::described, states_offset,
};
use serde_json::Value as Json;

use crate::{Request, dates::DateStyle};

/// What a field's values could be, so far.
#[derive(Clone, Debug)]
pub(super) struct Guess {
    seen: bool,
    bool: bool,
    int: bool,
    real: bool,
    date: bool,
    datetime: bool,
    /// Whether every number is printed as it was written.
    canonical: bool,
    /// Whether every number is digits with at most a decimal point: no exponent, no leading zero or plus.
    plain: bool,
    /// Whether every whole number is kept next to numbers with decimals.
    exact: bool,
    /// Whether every number keeps its digits as one with decimals.
    digits: bool,
    /// Whether every cell is a truth, as a word or as 0 or 1.
    truth: bool,
    /// Whether an instant does not state its offset from UTC.
    local: bool,
    /// Objects or lists were among them.
    pub nested: bool,
    /// Cells that are not empty.
    cells: u64,
    /// Cells that are numbers.
    numbers: u64,
    /// Cells that are numbers with a decimal comma.
    commas: u64,
    /// The first number that would be printed in another way, and its line.
    changed: Option<(String, u64)>,
    /// The first cell that is no number, and its line.
    other: Option<(String, u64)>,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            seen: false,
            bool: true,
            int: true,
            real: true,
            date: true,
            datetime: true,
            canonical: true,
            plain: true,
            exact: true,
            digits: true,
            truth: true,
            local: false,
            nested: false,
            cells: 0,
            numbers: 0,
            commas: 0,
            changed: None,
            other: None,
        }
    }
}

/// What one value could be.
#[derive(Clone, Copy, Debug, Default)]
struct Possible {
    bool: bool,
    int: bool,
    real: bool,
    date: bool,
    datetime: bool,
    nested: bool,
}

/// Names of measures, whose numbers may end in zeros: as parts of a name, or as whole names.
const MEASURES: [&str; 12] = [
    "dientich",
    "area",
    "length",
    "chieudai",
    "chieurong",
    "width",
    "chieucao",
    "height",
    "chuvi",
    "perimeter",
    "khoangcach",
    "distance",
];
const SHORT_MEASURES: [&str; 5] = ["dt", "dai", "rong", "cao", "shapeleng"];

/// Whole numbers that a number with decimals next to them keeps exactly.
const EXACT: u64 = 1 << 53;

impl Guess {
    fn narrow(&mut self, to: Possible) {
        self.seen = true;
        self.bool &= to.bool;
        self.int &= to.int;
        self.real &= to.real;
        self.date &= to.date;
        self.datetime &= to.datetime;
        self.nested |= to.nested;
    }

    /// Looks at a cell of text on a line.
    pub(super) fn see_text(&mut self, text: &str, line: u64) {
        if text.is_empty() {
            return;
        }
        let int = is_int(text);
        let real = is_real(text);
        self.cells += 1;
        self.numbers += u64::from(real);
        if real {
            let same = prints_back(text);
            self.canonical &= same;
            self.plain &= is_plain(text);
            self.digits &= keeps_digits(text);
            self.exact &= text.parse::<i64>().map_or(true, |int| int.unsigned_abs() <= EXACT);
            if !same && self.changed.is_none() {
                self.changed = Some((text.to_owned(), line));
            }
        } else {
            self.commas += u64::from(decimal_comma(text).is_some());
            self.other.get_or_insert_with(|| (text.to_owned(), line));
        }
        self.truth &= Value::parse(text, FieldType::Bool).is_some();
        self.see_instant(text);
        self.narrow(Possible {
            bool: matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE"),
            int,
            real,
            date: parse_date(text).is_some(),
            datetime: is_instant(text),
            nested: false,
        });
    }

    /// Looks at a JSON value.
    pub(super) fn see_json(&mut self, value: &Json) {
        match value {
            Json::Null => {}
            Json::Bool(_) => self.narrow(Possible { bool: true, ..Possible::default() }),
            Json::Number(number) => {
                let int = number.as_i64();
                // A whole number next to ones with decimals must not lose digits.
                let real = int.map_or(number.as_u64().is_none(), |int| int.unsigned_abs() <= EXACT);
                self.narrow(Possible { int: int.is_some(), real, ..Possible::default() });
            }
            Json::String(text) => {
                self.see_instant(text);
                self.narrow(Possible {
                    date: parse_date(text).is_some(),
                    datetime: is_instant(text),
                    ..Possible::default()
                });
            }
            Json::Array(_) | Json::Object(_) => self.narrow(Possible { nested: true, ..Possible::default() }),
        }
    }

    fn see_instant(&mut self, text: &str) {
        self.local |= self.datetime && is_instant(text) && !states_offset(text);
    }

    /// What there is to say of instants that do not state their offset.
    pub(super) fn local_note(&self, name: &str, reader: ValueReader) -> Option<String> {
        (self.local && self.field_type() == FieldType::DateTime).then(|| reader.local_note(name))
    }

    pub(super) fn field_type(&self) -> FieldType {
        match self {
            Self { seen: false, .. } => FieldType::Text,
            Self { bool: true, .. } => FieldType::Bool,
            Self { int: true, canonical: true, .. } => FieldType::Int,
            Self { real: true, canonical: true, exact: true, .. } => FieldType::Real,
            Self { date: true, .. } => FieldType::Date,
            Self { datetime: true, .. } => FieldType::DateTime,
            _ => FieldType::Text,
        }
    }

    /// Whether every cell is a day or an instant as ISO 8601 has them.
    pub(super) fn is_iso(&self) -> bool {
        self.seen && (self.date || self.datetime)
    }

    /// The type of the numbers, however they are written; `None` where a cell is none.
    pub(super) fn number_type(&self) -> Option<FieldType> {
        let number = if self.int { FieldType::Int } else { FieldType::Real };
        (self.seen && self.real).then_some(number)
    }

    /// The type of a column that the file declares as one of numbers or truths: that one, or one that keeps
    /// more digits.
    ///
    /// # Errors
    /// Why no such type keeps the cells as they are written.
    pub(super) fn declared_type(&self, declared: FieldType) -> Result<FieldType, String> {
        if !self.seen || (declared == FieldType::Bool && self.truth) {
            return Ok(declared);
        }
        match self.number_type() {
            Some(FieldType::Int) if declared != FieldType::Real || !self.digits => Ok(FieldType::Int),
            Some(_) if self.digits => Ok(FieldType::Real),
            Some(_) => Err("it holds numbers with more digits than a number keeps".into()),
            None => Err(self.other.as_ref().map_or_else(
                || "its cells are of several sorts".to_owned(),
                |(_, row)| format!("the cell of feature {row} is no plain number"),
            )),
        }
    }

    /// Whether every cell is a number of that type, whole ones among those with decimals.
    pub(super) fn is_number(&self, wanted: FieldType) -> bool {
        self.seen && if wanted == FieldType::Int { self.int } else { self.real }
    }

    /// Whether the column is called after a measure and holds numbers, whose zeros at the end mean nothing.
    pub(super) fn is_measure(&self, name: &str) -> bool {
        let name = plain_name(name);
        self.seen
            && self.real
            && self.plain
            && !self.canonical
            && (MEASURES.iter().any(|word| name.contains(word)) || SHORT_MEASURES.contains(&name.as_str()))
    }

    /// What there is to say where a column of numbers, or nearly so, became text.
    pub(super) fn note(&self, name: &str) -> Option<String> {
        if self.field_type() != FieldType::Text || self.numbers + self.commas == 0 {
            return None;
        }
        let advice = format!("--type {name}=real makes it a number");
        let others = self.cells - self.numbers;
        if others == 0 {
            let (text, line) = self.changed.as_ref()?;
            return Some(format!(
                "field `{name}` is text: as numbers some of its cells would be written in another way, \
                 such as that of line {line} ({}); {advice}",
                described(text)
            ));
        }
        if others == self.commas {
            return Some(format!("field `{name}` is text, since its numbers have decimal commas; {advice}"));
        }
        let few = others <= 3.max(self.cells / 20) && self.numbers >= others;
        let (text, line) = self.other.as_ref().filter(|_| few)?;
        let are = plural(others, "is no number", "are no numbers");
        Some(format!(
            "field `{name}` is text, since {others} of its {} {are}, such as that of line {line} ({}); \
             {advice}",
            counted(self.cells, "cell", "cells"),
            described(text)
        ))
    }
}

/// A date with a time.
fn is_instant(text: &str) -> bool {
    text.len() > 10 && parse_datetime(text).is_some()
}

/// Whole numbers of 64 bits; `007` and `+7` are codes.
fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
        && text.parse::<i64>().is_ok()
}

fn is_real(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // `inf` and `nan` parse as numbers and are none; a leading zero before a digit is a code; a
    // whole number of more than 18 digits would lose some.
    let code = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let long = digits.len() > 18 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !is_int(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !code
        && !long
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a number with decimals, or a whole one that is kept as such, keeps all digits in 64 bits: it has
/// few enough, or its nearest number of 64 bits is printed in the same way.
pub(crate) fn keeps_digits(text: &str) -> bool {
    /// Digits that 64 bits hold for certain.
    const CERTAIN: usize = 15;
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, exact) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let leading = if whole.is_empty() { exact.trim_start_matches('0') } else { exact };
    let significant =
        if exact.is_empty() { whole.trim_end_matches('0').len() } else { whole.len() + leading.len() };
    if significant <= CERTAIN {
        return true;
    }
    exponent.is_empty()
        && mantissa.parse::<f64>().is_ok_and(|number| {
            let printed = format!("{number:.*}", fraction.len());
            printed.trim_start_matches('0') == mantissa.trim_start_matches('0').trim_end_matches('.')
        })
}

/// Whether a number is printed as it is written here.
fn prints_back(text: &str) -> bool {
    match text.parse::<i64>() {
        Ok(int) => int.to_string() == text,
        Err(_fraction) => text.parse::<f64>().is_ok_and(|real| format_real(real) == text),
    }
}

/// Whether a number is digits with at most a decimal point, no more of them than are kept.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(u8::is_ascii_digit).count() <= 15
}

/// A number with a decimal comma, where that is all that the comma can be; thousands would have three digits.
pub(crate) fn decimal_comma(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = is_digits(digits) && is_digits(fraction) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| format!("{whole}.{fraction}").parse().ok()).flatten()
}

/// How values are read that do not say everything themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueReader {
    /// The city's time, for instants without an offset.
    offset: UtcOffset,
}

impl ValueReader {
    pub(crate) fn of(request: &Request) -> Self {
        Self { offset: request.city.utc_offset }
    }

    /// The city's difference from UTC.
    pub(crate) fn offset(self) -> UtcOffset {
        self.offset
    }

    /// What is said of a field with instants that do not state their offset.
    pub(crate) fn local_note(self, name: &str) -> String {
        format!(
            "the times in field `{name}` state no offset from UTC; they were taken for the city's local \
             time ({})",
            self.offset
        )
    }

    /// A cell of text as a value of its field's type. Blank is null.
    pub(super) fn text(self, text: String, field_type: FieldType) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        if field_type == FieldType::Text {
            return Value::Text(text);
        }
        // The type was settled by looking at every value; what is none of it rejects its feature.
        self.parse(&text, field_type).unwrap_or(Value::Text(text))
    }

    /// A cell of text of a column whose dates are written in a style. A cell that is no date stays text: its
    /// feature is rejected, because its field is one of dates.
    pub(super) fn dated(self, text: String, field_type: FieldType, style: Option<DateStyle>) -> Value {
        let read =
            style.filter(|_| !text.is_empty()).and_then(|style| style.read(&text, field_type, self.offset));
        read.unwrap_or_else(|| self.text(text, field_type))
    }

    fn parse(self, text: &str, field_type: FieldType) -> Option<Value> {
        if field_type == FieldType::DateTime {
            parse_local_datetime(text, self.offset).map(Value::DateTime)
        } else {
            Value::parse(text, field_type)
        }
    }

    /// A JSON value as a value of its field's type. `written` gives its JSON text with numbers as the file
    /// has them.
    pub(super) fn json(
        self,
        value: Json,
        field_type: FieldType,
        written: impl FnOnce() -> Option<String>,
    ) -> Value {
        match (value, field_type) {
            (Json::Null, _) => Value::Null,
            (Json::Bool(value), FieldType::Bool) => Value::Bool(value),
            (Json::Number(number), FieldType::Int) => number.as_i64().map_or(Value::Null, Value::Int),
            (Json::Number(number), FieldType::Real) => number.as_f64().map_or(Value::Null, Value::Real),
            (Json::String(text), FieldType::Text) => Value::Text(normalize_text(text)),
            (Json::String(text), other) => self.parse(&text, other).unwrap_or(Value::Text(text)),
            // A mixed field is text; numbers, lists and objects are written as the file has them.
            (other, _) => Value::Text(written().unwrap_or_else(|| other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[&str]) -> FieldType {
        let mut guess = Guess::default();
        texts.iter().for_each(|text| guess.see_text(text, 1));
        guess.field_type()
    }

    #[test]
    fn digits_are_kept_or_not() {
        for kept in [
            "1.10",
            "0",
            "-0.10000000000000001",
            "603481.587999999988824",
            "9007199254740992",
            "1e300",
            ".5",
            "7.",
            "123456789012345000000",
            "0.000000000000000000001234567890123",
        ] {
            assert!(keeps_digits(kept), "{kept}");
        }
        for lost in
            ["9007199254740993", "1234567890123.45678", "0.12345678901234567890", "1.23456789012345678e5"]
        {
            assert!(!keeps_digits(lost), "{lost}");
        }
        let declared = |cells: &[&str], declared| {
            let mut guess = Guess::default();
            cells.iter().for_each(|cell| guess.see_text(cell, 1));
            guess.declared_type(declared).ok()
        };
        use FieldType as Type;
        assert_eq!(declared(&["1", "9007199254740993"], Type::Real), Some(Type::Int));
        assert_eq!(declared(&["1.5", "9007199254740993"], Type::Real), None);
        assert_eq!(declared(&["1.10", "2"], Type::Int), Some(Type::Real));
        assert_eq!(declared(&["1", "2"], Type::Real), Some(Type::Real));
        assert_eq!(declared(&["1", "true"], Type::Bool), Some(Type::Bool));
        assert_eq!(declared(&["1", "2"], Type::Bool), Some(Type::Int));
        assert_eq!(declared(&["007"], Type::Int), None);
        assert_eq!(declared(&[], Type::Int), Some(Type::Int));
    }

    #[test]
    fn codes_stay_text_and_numbers_become_numbers() {
        assert_eq!(guess(&["001", "12"]), FieldType::Text);
        assert_eq!(guess(&["0", "-12", ""]), FieldType::Int);
        assert_eq!(guess(&["9223372036854775807"]), FieldType::Int);
        assert_eq!(guess(&["92233720368547758070"]), FieldType::Text);
        assert_eq!(guess(&["-1.5", "2", "0.5", "123456.789"]), FieldType::Real);
        for code in ["1.10", "1E5", "1e-06", "+5", ".5", "-0", "1.0", "12345678901234567.5", "007", "1,5"] {
            assert_eq!(guess(&[code, "2", "0.5"]), FieldType::Text, "{code}");
        }
        assert_eq!(guess(&["nan", "1.0"]), FieldType::Text);
        assert_eq!(guess(&["2025-07-01"]), FieldType::Date);
        assert_eq!(guess(&["2025-07-01T00:00:00Z"]), FieldType::DateTime);
        assert_eq!(guess(&["True", "false"]), FieldType::Bool);
        assert_eq!(guess(&["1", "true"]), FieldType::Text);
        assert_eq!(guess(&["", ""]), FieldType::Text);
    }
}
