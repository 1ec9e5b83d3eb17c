//! Types of fields whose format has none (CSV) or only rough ones (JSON), from all their values.
//!
//! A column is one of numbers only if printing the numbers gives every cell back as it was: `1.10`, `1E5`,
//! `007` and `+5` may be codes. Columns that are called after a measure (area, length, height) may have
//! zeros at the end.

use citymap_edit::normalize_text;
use citymap_model::{
    FieldType, UtcOffset, Value, format_real, parse_date, parse_datetime, parse_local_datetime, plain_name,
    states_offset,
};
use serde_json::Value as Json;

use crate::Request;

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
/// Characters of a cell that a message may show: longer ones may be names or numbers of people.
const SHOWN: usize = 8;

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
            self.exact &= text.parse::<i64>().map_or(true, |int| int.unsigned_abs() <= EXACT);
            if !same && self.changed.is_none() {
                self.changed = Some((text.to_owned(), line));
            }
        } else {
            self.commas += u64::from(decimal_comma(text).is_some());
            self.other.get_or_insert_with(|| (text.to_owned(), line));
        }
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

    /// The type of the numbers, however they are written; `None` where a cell is none.
    pub(super) fn number_type(&self) -> Option<FieldType> {
        let number = if self.int { FieldType::Int } else { FieldType::Real };
        (self.seen && self.real).then_some(number)
    }

    /// Whether every cell is empty.
    pub(super) fn is_empty(&self) -> bool {
        !self.seen
    }

    /// The line of the first cell that is no number.
    pub(super) fn first_other(&self) -> Option<u64> {
        self.other.as_ref().map(|(_, line)| *line)
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
            let such = if text.len() <= SHOWN { format!(" (`{text}`)") } else { String::new() };
            return Some(format!(
                "field `{name}` is text: as numbers some of its cells would be written in another way, \
                 such as that of line {line}{such}; {advice}"
            ));
        }
        if others == self.commas {
            return Some(format!("field `{name}` is text, since its numbers have decimal commas; {advice}"));
        }
        let few = others <= 3.max(self.cells / 20) && self.numbers >= others;
        let (text, line) = self.other.as_ref().filter(|_| few)?;
        let harmless = text.chars().count() <= SHOWN && !text.chars().any(|c| c.is_ascii_digit());
        let such = if harmless { format!(" (`{text}`)") } else { String::new() };
        Some(format!(
            "field `{name}` is text, since {others} of its {} cells are no numbers, such as that of line \
             {line}{such}; {advice}",
            self.cells
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
        // The type was settled by looking at every value, so nothing is lost here.
        self.parse(&text, field_type).unwrap_or(Value::Text(text))
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
