//! GDAL's field types and values as ours.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use citymap_model::{FieldType, UtcOffset, Value};
use gdal::vector::{Feature, FieldValue, OGRFieldType};

use super::gpx;
use crate::{dates::DateStyle, source::record::ValueReader};

/// How a field of GDAL's becomes one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Bool,
    Int,
    Real,
    Text,
    Date,
    DateTime,
    /// A list, as JSON text.
    List,
    /// Text whose format has no types, as the type that all its values fit.
    Guessed(FieldType),
    /// Text of an extension of GPX, as the type that all its values fit.
    Marked(FieldType),
    /// Text of dates that are not written as ISO 8601 has them.
    Dated(FieldType, DateStyle),
    /// An instant as milliseconds since 1970.
    Millis,
}

impl How {
    pub(super) fn of(field: OGRFieldType::Type) -> (Self, Option<&'static str>) {
        match field {
            OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => (Self::Int, None),
            OGRFieldType::OFTReal => (Self::Real, None),
            OGRFieldType::OFTDate => (Self::Date, None),
            OGRFieldType::OFTDateTime => (Self::DateTime, None),
            OGRFieldType::OFTBinary => (Self::Text, Some("binary values are kept as hexadecimal text")),
            OGRFieldType::OFTIntegerList
            | OGRFieldType::OFTInteger64List
            | OGRFieldType::OFTRealList
            | OGRFieldType::OFTStringList => (Self::List, Some("lists are kept as JSON text")),
            // Times of day have no type of ours.
            _ => (Self::Text, None),
        }
    }

    pub(super) fn field_type(self) -> FieldType {
        match self {
            Self::Bool => FieldType::Bool,
            Self::Int => FieldType::Int,
            Self::Real => FieldType::Real,
            Self::Text | Self::List => FieldType::Text,
            Self::Date => FieldType::Date,
            Self::DateTime | Self::Millis => FieldType::DateTime,
            Self::Guessed(own) | Self::Marked(own) | Self::Dated(own, _) => own,
        }
    }
}

/// One value. `blank_is_null`: drivers that leave fields unset say `""` for what is not there.
pub(super) fn value(
    feature: &Feature<'_>,
    index: usize,
    how: How,
    blank_is_null: bool,
    reader: ValueReader,
) -> Result<Value, String> {
    let text = || feature.field_as_string(index).map_err(|error| error.to_string());
    Ok(match how {
        How::Int | How::Bool => match feature.field_as_integer64(index).map_err(|e| e.to_string())? {
            None => Value::Null,
            // An unset number reads as 0; as text it is empty.
            Some(0) if text()?.is_none_or(|text| text.is_empty()) => Value::Null,
            Some(number) if how == How::Bool => Value::Bool(number != 0),
            Some(number) => Value::Int(number),
        },
        How::Real => match feature.field_as_double(index).map_err(|e| e.to_string())? {
            None => Value::Null,
            Some(0.0) if text()?.is_none_or(|text| text.is_empty()) => Value::Null,
            Some(number) if number.is_finite() => Value::Real(number),
            // NaN stands for "no value" in DBF and FileGDB.
            Some(_) => Value::Null,
        },
        How::Text => match text()? {
            None => Value::Null,
            Some(text) if text.is_empty() && blank_is_null => Value::Null,
            Some(text) => Value::Text(text),
        },
        // Making a text of each day and reading that again would be felt.
        How::Date if let Ok(Some(day)) = feature.field_as_datetime(index) => Value::Date(day.date_naive()),
        How::Date | How::DateTime => match text()? {
            None => Value::Null,
            Some(text) if text.is_empty() => Value::Null,
            // The value is not repeated: it may be personal.
            Some(text) if how == How::Date => {
                Value::Date(day(&text).ok_or("the value is not a day of the calendar")?)
            }
            Some(text) => {
                Value::DateTime(instant(&text, reader.offset()).ok_or("the value is not a date with a time")?)
            }
        },
        // Blanks around what is no text, or was not meant to be, mean nothing.
        How::Guessed(own) => text()?.map_or(Value::Null, |text| reader.text(text.trim().to_owned(), own)),
        How::Dated(own, style) => text()?.map_or(Value::Null, |text| {
            reader.dated(gpx::unmarked(text).trim().to_owned(), own, Some(style))
        }),
        How::Marked(FieldType::Text) => {
            text()?.map_or(Value::Null, |text| reader.text(gpx::unmarked(text), FieldType::Text))
        }
        How::Marked(own) => {
            text()?.map_or(Value::Null, |text| reader.text(gpx::unmarked(text).trim().to_owned(), own))
        }
        How::Millis => match text()?.filter(|text| !text.is_empty()) {
            None => Value::Null,
            Some(text) => Value::DateTime(
                text.parse()
                    .ok()
                    .and_then(DateTime::from_timestamp_millis)
                    .ok_or("the value is not a time in milliseconds since 1970")?,
            ),
        },
        How::List => match text()? {
            None => Value::Null,
            Some(text) if text.is_empty() => Value::Null,
            Some(_) => match feature.field(index).map_err(|e| e.to_string())? {
                Some(FieldValue::IntegerListValue(list)) => json(&list)?,
                Some(FieldValue::Integer64ListValue(list)) => json(&list)?,
                Some(FieldValue::RealListValue(list)) => json(&list)?,
                Some(FieldValue::StringListValue(list)) => json(&list)?,
                _ => Value::Null,
            },
        },
    })
}

fn json<T: serde::Serialize>(list: &[T]) -> Result<Value, String> {
    serde_json::to_string(list).map(Value::Text).map_err(|error| error.to_string())
}

/// `2025/07/01`, as GDAL writes it.
fn day(text: &str) -> Option<NaiveDate> {
    // By hand: of a million features with two dates each, chrono's format reading would be felt.
    let bytes = text.as_bytes().get(..10)?;
    let digits = |range: std::ops::Range<usize>| {
        bytes[range].iter().try_fold(0_u32, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    if bytes[4] != b'/' || bytes[7] != b'/' {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(digits(0..4)?).ok()?, digits(5..7)?, digits(8..10)?)
}

/// Whether an instant, as GDAL writes it, is a midnight without a zone.
pub(super) fn is_day(text: &str) -> bool {
    text.get(10..).is_some_and(|rest| matches!(rest.trim(), "" | "00:00:00"))
}

/// Whether an instant, as GDAL writes it, has no zone.
pub(super) fn is_local(text: &str) -> bool {
    text.get(10..).is_some_and(|rest| !rest.contains(['+', '-']))
}

/// `2025/07/01 08:30:00.250+07`: an instant without a zone is the city's local time.
fn instant(text: &str, city: UtcOffset) -> Option<DateTime<Utc>> {
    let date = day(text)?;
    let rest = text.get(10..)?.trim_start();
    let zone = rest.find(['+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone);
    let time = if clock.is_empty() {
        NaiveTime::MIN
    } else {
        NaiveTime::parse_from_str(clock, "%H:%M:%S%.f").ok()?
    };
    let local = NaiveDateTime::new(date, time);
    if zone.is_empty() {
        return city.to_utc(local);
    }
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
    let seconds = (hours * 60 + minutes) * 60;
    let offset = FixedOffset::east_opt(if zone.starts_with('-') { -seconds } else { seconds })?;
    local.and_local_timezone(offset).single().map(|local| local.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_their_milliseconds_and_zone() {
        let city = "+07:00".parse().unwrap();
        for (text, expected) in [
            ("2025/07/01 08:30:00.250+07", "2025-07-01T01:30:00.250Z"),
            ("2025/07/01 08:30:00-0330", "2025-07-01T12:00:00Z"),
            ("2025/07/01 08:30:00", "2025-07-01T01:30:00Z"),
            ("2025/07/01", "2025-06-30T17:00:00Z"),
        ] {
            assert_eq!(citymap_model::format_datetime(&instant(text, city).unwrap()), expected, "{text}");
        }
        assert_eq!(instant("2025/13/01 00:00:00", city), None);
        assert_eq!(instant("yesterday", city), None);
    }
}
