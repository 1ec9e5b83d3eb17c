//! Values of fields, and their text forms.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

use crate::{FieldType, UtcOffset, normalize_text};

/// The years that a date or an instant may lie in. Year 0 does not exist in PostgreSQL or in the
/// calendar; years above 9999 do not fit the text forms that files and clients read.
pub const YEARS: RangeInclusive<i32> = 1..=9999;

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// The absence of a value.
    #[default]
    Null,
    /// A truth value: `true` or `false`.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// A floating-point number of 64 bits.
    Real(f64),
    /// A text in Unicode.
    Text(String),
    /// A day of the calendar, without a time zone.
    Date(NaiveDate),
    /// An instant in UTC, to the millisecond.
    DateTime(DateTime<Utc>),
}

impl Value {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type of the value; `None` for null.
    pub fn field_type(&self) -> Option<FieldType> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => FieldType::Bool,
            Self::Int(_) => FieldType::Int,
            Self::Real(_) => FieldType::Real,
            Self::Text(_) => FieldType::Text,
            Self::Date(_) => FieldType::Date,
            Self::DateTime(_) => FieldType::DateTime,
        })
    }

    /// The value as it is written in keys and URLs; `None` for null.
    pub fn to_key(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Real(value) => format_real(*value),
            Self::Text(value) => value.clone(),
            Self::Date(value) => value.to_string(),
            Self::DateTime(value) => format_datetime(value),
        })
    }

    /// The value as JSON: dates and instants as RFC 3339 text, numbers that JSON lacks
    /// (NaN, infinities) as null.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Real(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::Date(value) => value.to_string().into(),
            Self::DateTime(value) => format_datetime(value).into(),
        }
    }

    /// Reads a text (from a URL or a CSV cell) as a value of `field_type`; `None` if it is not of that type.
    /// An empty text is a text, and null for every other type. Texts get the Unicode form of the record, NFC.
    pub fn parse(text: &str, field_type: FieldType) -> Option<Self> {
        if text.is_empty() && field_type != FieldType::Text {
            return Some(Self::Null);
        }
        match field_type {
            FieldType::Bool => match text {
                "true" | "True" | "TRUE" | "1" => Some(Self::Bool(true)),
                "false" | "False" | "FALSE" | "0" => Some(Self::Bool(false)),
                _ => None,
            },
            FieldType::Int => text.parse().ok().map(Self::Int),
            FieldType::Real => text.parse().ok().map(Self::Real),
            FieldType::Text => Some(Self::Text(normalize_text(text.to_owned()))),
            FieldType::Date => parse_date(text).map(Self::Date),
            FieldType::DateTime => parse_datetime(text).map(Self::DateTime),
        }
    }
}

/// A number in the fewest digits that read back as it. From 10²¹ on, and below 10⁻⁷, it has an exponent.
///
/// ```
/// assert_eq!(citymap_model::format_real(120.5), "120.5");
/// assert_eq!(citymap_model::format_real(1e308), "1e308");
/// ```
pub fn format_real(value: f64) -> String {
    let size = value.abs();
    if size >= 1e21 || (size > 0.0 && size < 1e-7) { format!("{value:e}") } else { value.to_string() }
}

/// An instant as RFC 3339 text in UTC, with milliseconds where there are any.
pub fn format_datetime(value: &DateTime<Utc>) -> String {
    value.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads a day in the form `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Reads an RFC 3339 instant; one without an offset counts as UTC, a bare day as its midnight.
pub fn parse_datetime(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(value) = DateTime::parse_from_rfc3339(text) {
        return Some(value.with_timezone(&Utc));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(value) = NaiveDateTime::parse_from_str(text, format) {
            return Some(value.and_utc());
        }
    }
    parse_date(text).and_then(|day| day.and_hms_opt(0, 0, 0)).map(|value| value.and_utc())
}

/// Reads an RFC 3339 instant like [`parse_datetime`]; one without an offset is the local time of a city
/// with this one. `None` for other texts.
///
/// ```
/// let offset = "+07:00".parse().unwrap();
/// let instant = citymap_model::parse_local_datetime("2025-07-01 08:30:00", offset).unwrap();
/// assert_eq!(citymap_model::format_datetime(&instant), "2025-07-01T01:30:00Z");
/// ```
pub fn parse_local_datetime(text: &str, offset: UtcOffset) -> Option<DateTime<Utc>> {
    let read = parse_datetime(text)?;
    if states_offset(text) { Some(read) } else { offset.to_utc(read.naive_utc()) }
}

/// Whether an instant says its offset from UTC.
pub fn states_offset(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_keeps_every_type() {
        for (text, field_type) in [
            ("true", FieldType::Bool),
            ("-42", FieldType::Int),
            ("1.5", FieldType::Real),
            ("đất ở", FieldType::Text),
            ("2025-07-01", FieldType::Date),
            ("2025-07-01T07:30:00.250Z", FieldType::DateTime),
        ] {
            let value = Value::parse(text, field_type).unwrap();
            assert_eq!(value.field_type(), Some(field_type));
            assert_eq!(value.to_key().unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_refused_and_not_guessed() {
        assert_eq!(Value::parse("12a", FieldType::Int), None);
        assert_eq!(Value::parse("2025-02-30", FieldType::Date), None);
        assert_eq!(Value::parse("", FieldType::Int), Some(Value::Null));
        assert_eq!(Value::parse("", FieldType::Text), Some(Value::Text(String::new())));
        assert_eq!(Value::parse("Be\u{302}\u{301}n", FieldType::Text), Some(Value::Text("Bến".into())));
    }
}
