//! Columns of Parquet as fields and values of ours.

use arrow_array::{Array, ArrayRef, cast::AsArray, types};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Duration, NaiveDate};
use citymap_edit::normalize_text;
use citymap_model::{FieldType, Value};

/// How a column is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Column {
    Bool,
    Int(Width),
    /// Whole numbers up to 2⁶⁴: what does not fit 63 bits is a reject.
    Unsigned,
    Real,
    Single,
    Text,
    Bytes,
    Date,
    /// An instant; without a zone it is taken as UTC.
    Instant(TimeUnit, Zone),
    /// Digits with the places behind the point.
    Decimal(i8),
}

/// The width of a column of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Width {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
}

/// Whether a column of instants says that they are in UTC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Zone {
    Utc,
    Unsaid,
}

/// How a column of that type is read; none for lists and structures.
pub(super) fn column(own: &DataType) -> Option<Column> {
    Some(match own {
        DataType::Boolean => Column::Bool,
        DataType::Int8 => Column::Int(Width::I8),
        DataType::Int16 => Column::Int(Width::I16),
        DataType::Int32 => Column::Int(Width::I32),
        DataType::Int64 => Column::Int(Width::I64),
        DataType::UInt8 => Column::Int(Width::U8),
        DataType::UInt16 => Column::Int(Width::U16),
        DataType::UInt32 => Column::Int(Width::U32),
        DataType::UInt64 => Column::Unsigned,
        DataType::Float32 => Column::Single,
        DataType::Float64 => Column::Real,
        DataType::Utf8 => Column::Text,
        DataType::Binary => Column::Bytes,
        DataType::Date32 => Column::Date,
        DataType::Timestamp(unit, zone) => {
            Column::Instant(*unit, if zone.is_some() { Zone::Utc } else { Zone::Unsaid })
        }
        DataType::Decimal128(_, scale) => Column::Decimal(*scale),
        _ => return None,
    })
}

/// What a column that is not read holds.
pub(super) fn told(own: &DataType) -> &'static str {
    match own {
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => "lists",
        DataType::Struct(_) | DataType::Map(_, _) => "structures",
        DataType::Time32(_) | DataType::Time64(_) => "times of day",
        _ => "values of a rare type",
    }
}

impl Column {
    pub(super) fn field_type(self) -> FieldType {
        match self {
            Self::Bool => FieldType::Bool,
            Self::Int(_) | Self::Unsigned => FieldType::Int,
            Self::Real | Self::Single => FieldType::Real,
            Self::Text | Self::Bytes | Self::Decimal(_) => FieldType::Text,
            Self::Date => FieldType::Date,
            Self::Instant(..) => FieldType::DateTime,
        }
    }

    /// What is to be known of the column.
    pub(super) fn note(self) -> Option<&'static str> {
        match self {
            Self::Bytes => Some("binary values are kept as hexadecimal text"),
            Self::Decimal(_) => Some("decimal numbers are kept as text, with all their digits"),
            Self::Instant(_, Zone::Unsaid) => Some("times without a zone were taken as UTC"),
            _ => None,
        }
    }

    /// The values of a batch, each or the reason why it has none.
    pub(super) fn values(self, array: &ArrayRef) -> Vec<Result<Value, String>> {
        macro_rules! numbers {
            ($own:ty) => {{
                let array = array.as_primitive::<$own>();
                each(array, |row| Ok(Value::Int(i64::from(array.value(row)))))
            }};
        }
        match self {
            Self::Bool => {
                let array = array.as_boolean();
                each(array, |row| Ok(Value::Bool(array.value(row))))
            }
            Self::Int(Width::I8) => numbers!(types::Int8Type),
            Self::Int(Width::I16) => numbers!(types::Int16Type),
            Self::Int(Width::I32) => numbers!(types::Int32Type),
            Self::Int(Width::I64) => numbers!(types::Int64Type),
            Self::Int(Width::U8) => numbers!(types::UInt8Type),
            Self::Int(Width::U16) => numbers!(types::UInt16Type),
            Self::Int(Width::U32) => numbers!(types::UInt32Type),
            Self::Unsigned => {
                let array = array.as_primitive::<types::UInt64Type>();
                each(array, |row| {
                    let own = i64::try_from(array.value(row));
                    own.map(Value::Int).map_err(|_large| "the number is larger than 2^63".to_owned())
                })
            }
            Self::Real => {
                let array = array.as_primitive::<types::Float64Type>();
                each(array, |row| Ok(real(array.value(row))))
            }
            Self::Single => {
                let array = array.as_primitive::<types::Float32Type>();
                // By its shortest text: 0.1 stays 0.1.
                each(array, |row| Ok(real(array.value(row).to_string().parse().unwrap_or(f64::NAN))))
            }
            Self::Text => {
                let array = array.as_string::<i32>();
                each(array, |row| Ok(Value::Text(normalize_text(array.value(row).to_owned()))))
            }
            Self::Bytes => {
                let array = array.as_binary::<i32>();
                each(array, |row| Ok(Value::Text(citymap_model::hex(array.value(row)))))
            }
            Self::Date => {
                let array = array.as_primitive::<types::Date32Type>();
                each(array, |row| day(array.value(row)))
            }
            Self::Instant(unit, _) => instants(unit, array),
            Self::Decimal(scale) => {
                let array = array.as_primitive::<types::Decimal128Type>();
                each(array, |row| Ok(Value::Text(decimal(array.value(row), scale))))
            }
        }
    }
}

fn each(array: &dyn Array, value: impl Fn(usize) -> Result<Value, String>) -> Vec<Result<Value, String>> {
    (0..array.len()).map(|row| if array.is_null(row) { Ok(Value::Null) } else { value(row) }).collect()
}

/// NaN and infinity stand for "no value".
fn real(number: f64) -> Value {
    if number.is_finite() { Value::Real(number) } else { Value::Null }
}

fn day(days: i32) -> Result<Value, String> {
    NaiveDate::default()
        .checked_add_signed(Duration::days(days.into()))
        .map(Value::Date)
        .ok_or_else(|| "the value is not a day of the calendar".to_owned())
}

fn instants(unit: TimeUnit, array: &ArrayRef) -> Vec<Result<Value, String>> {
    macro_rules! instants {
        ($own:ty, $of:expr) => {{
            let array = array.as_primitive::<$own>();
            each(array, |row| {
                let of: fn(i64) -> Option<DateTime<chrono::Utc>> = $of;
                let own = of(array.value(row)).map(Value::DateTime);
                own.ok_or_else(|| "the value is not a time of the calendar".to_owned())
            })
        }};
    }
    match unit {
        TimeUnit::Second => {
            instants!(types::TimestampSecondType, |value| DateTime::from_timestamp(value, 0))
        }
        TimeUnit::Millisecond => {
            instants!(types::TimestampMillisecondType, DateTime::from_timestamp_millis)
        }
        TimeUnit::Microsecond => {
            instants!(types::TimestampMicrosecondType, DateTime::from_timestamp_micros)
        }
        TimeUnit::Nanosecond => {
            instants!(types::TimestampNanosecondType, |value| Some(DateTime::from_timestamp_nanos(value)))
        }
    }
}

/// `12345` with two places as `123.45`.
fn decimal(number: i128, scale: i8) -> String {
    let Ok(places) = usize::try_from(scale) else {
        return format!("{number}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        for (number, scale, expected) in
            [(12_345, 2, "123.45"), (-5, 2, "-0.05"), (7, 0, "7"), (7, -2, "700"), (0, 1, "0.0")]
        {
            assert_eq!(decimal(number, scale), expected);
        }
    }
}
