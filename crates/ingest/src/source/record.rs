//! Types of fields whose format has none (CSV) or only rough ones (JSON), from all their values.

use citymap_edit::normalize_text;
use citymap_model::{FieldType, Value, parse_date, parse_datetime};
use serde_json::Value as Json;

/// What a field's values could be, so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    seen: bool,
    bool: bool,
    int: bool,
    real: bool,
    date: bool,
    datetime: bool,
    /// Objects or lists were among them.
    pub nested: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self { seen: false, bool: true, int: true, real: true, date: true, datetime: true, nested: false }
    }
}

impl Guess {
    fn narrow(&mut self, to: Self) {
        self.seen = true;
        self.bool &= to.bool;
        self.int &= to.int;
        self.real &= to.real;
        self.date &= to.date;
        self.datetime &= to.datetime;
        self.nested |= to.nested;
    }

    const NOTHING: Self = Self {
        seen: true,
        bool: false,
        int: false,
        real: false,
        date: false,
        datetime: false,
        nested: false,
    };

    /// Looks at a cell of text.
    pub(super) fn see_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.narrow(Self {
            bool: matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE"),
            int: is_int(text),
            real: is_real(text),
            date: parse_date(text).is_some(),
            datetime: text.len() > 10 && parse_datetime(text).is_some(),
            ..Self::NOTHING
        });
    }

    /// Looks at a JSON value.
    pub(super) fn see_json(&mut self, value: &Json) {
        match value {
            Json::Null => {}
            Json::Bool(_) => self.narrow(Self { bool: true, ..Self::NOTHING }),
            Json::Number(number) => {
                let int = number.as_i64().is_some();
                // Beyond 64 bits only the text keeps every digit.
                let real = int || number.as_u64().is_none();
                self.narrow(Self { int, real, ..Self::NOTHING });
            }
            Json::String(text) => self.narrow(Self {
                date: parse_date(text).is_some(),
                datetime: text.len() > 10 && parse_datetime(text).is_some(),
                ..Self::NOTHING
            }),
            Json::Array(_) | Json::Object(_) => self.narrow(Self { nested: true, ..Self::NOTHING }),
        }
    }

    pub(super) fn field_type(self) -> FieldType {
        match self {
            Self { seen: false, .. } => FieldType::Text,
            Self { bool: true, .. } => FieldType::Bool,
            Self { int: true, .. } => FieldType::Int,
            Self { real: true, .. } => FieldType::Real,
            Self { date: true, .. } => FieldType::Date,
            Self { datetime: true, .. } => FieldType::DateTime,
            _ => FieldType::Text,
        }
    }
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
    let long = digits.len() > 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !code
        && !long
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A cell of text as a value of its field's type. Blank is null.
pub(super) fn from_text(text: String, field_type: FieldType) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    if field_type == FieldType::Text {
        return Value::Text(text);
    }
    // The type was settled by looking at every value, so nothing is lost here.
    Value::parse(&text, field_type).unwrap_or(Value::Text(text))
}

/// A JSON value as a value of its field's type.
pub(super) fn from_json(value: Json, field_type: FieldType) -> Value {
    match (value, field_type) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(value), FieldType::Bool) => Value::Bool(value),
        (Json::Number(number), FieldType::Int) => number.as_i64().map_or(Value::Null, Value::Int),
        (Json::Number(number), FieldType::Real) => number.as_f64().map_or(Value::Null, Value::Real),
        (Json::String(text), FieldType::Text) => Value::Text(normalize_text(text)),
        (Json::String(text), other) => Value::parse(&text, other).unwrap_or(Value::Text(text)),
        // A mixed field is text; numbers, lists and objects are written as JSON has them.
        (other, _) => Value::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[&str]) -> FieldType {
        let mut guess = Guess::default();
        texts.iter().for_each(|text| guess.see_text(text));
        guess.field_type()
    }

    #[test]
    fn codes_stay_text_and_numbers_become_numbers() {
        assert_eq!(guess(&["001", "12"]), FieldType::Text);
        assert_eq!(guess(&["0", "-12", ""]), FieldType::Int);
        assert_eq!(guess(&["9223372036854775807"]), FieldType::Int);
        assert_eq!(guess(&["92233720368547758070"]), FieldType::Text);
        assert_eq!(guess(&[".0", "+.0", "1e-06", "2", "0.5"]), FieldType::Real);
        assert_eq!(guess(&["nan", "1.0"]), FieldType::Text);
        assert_eq!(guess(&["2025-07-01"]), FieldType::Date);
        assert_eq!(guess(&["2025-07-01T00:00:00Z"]), FieldType::DateTime);
        assert_eq!(guess(&["True", "false"]), FieldType::Bool);
        assert_eq!(guess(&["1", "true"]), FieldType::Text);
        assert_eq!(guess(&["", ""]), FieldType::Text);
    }
}
