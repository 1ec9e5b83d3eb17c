//! Values to SQLite and back, and the fingerprint of a row.

use std::hash::{DefaultHasher, Hasher};

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike, Utc};
use citymap_model::{FieldType, Value, parse_date, parse_datetime, quote::described};
use rusqlite::{
    Row,
    types::{Null, ToSqlOutput, Value as Owned, ValueRef},
};

/// A value for SQLite: days and instants as ISO 8601 text, as GeoPackage demands. NaN, which SQL lacks,
/// becomes NULL.
pub(super) fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::Null => ToSqlOutput::from(Null),
        Value::Bool(value) => ToSqlOutput::from(*value),
        Value::Int(value) => ToSqlOutput::from(*value),
        Value::Real(value) if value.is_nan() => ToSqlOutput::from(Null),
        Value::Real(value) => ToSqlOutput::from(*value),
        Value::Text(value) => ToSqlOutput::from(value.as_str()),
        Value::Date(value) => ToSqlOutput::Owned(Owned::Text(value.to_string())),
        Value::DateTime(value) => ToSqlOutput::Owned(Owned::Text(instant(value))),
    }
}

/// An instant with its milliseconds, as GDAL writes it.
fn instant(value: &DateTime<Utc>) -> String {
    let millis = value.nanosecond() / 1_000_000;
    format!(
        "{}T{:02}:{:02}:{:02}.{millis:03}Z",
        value.date_naive(),
        value.hour(),
        value.minute(),
        value.second()
    )
}

/// Reads a value of a column as `field_type`. Other programs edit the file too, and SQLite keeps
/// whatever they write: `Err` says what does not fit.
pub(super) fn from_sql(value: ValueRef<'_>, field_type: FieldType) -> Result<Value, String> {
    let unfit = |shown: String| format!("{shown} is no {}", crate::columns::sql_type(field_type));
    Ok(match (value, field_type) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Text(bytes), FieldType::Text) => Value::Text(
            std::str::from_utf8(bytes).map_err(|_utf8| "a text is not UTF-8".to_owned())?.to_owned(),
        ),
        (ValueRef::Integer(value), FieldType::Int) => Value::Int(value),
        (ValueRef::Real(value), FieldType::Real) => Value::Real(value),
        (ValueRef::Integer(value), FieldType::Bool) => Value::Bool(value != 0),
        (ValueRef::Integer(value), FieldType::Real) => Value::Real(value as f64),
        (ValueRef::Integer(value), FieldType::Text) => Value::Text(value.to_string()),
        (ValueRef::Real(value), FieldType::Text) => Value::Text(value.to_string()),
        (ValueRef::Text(bytes), FieldType::Date) => {
            let text = String::from_utf8_lossy(bytes);
            Value::Date(day(bytes).or_else(|| parse_date(&text)).ok_or_else(|| unfit(described(&text)))?)
        }
        (ValueRef::Text(bytes), FieldType::DateTime) => {
            let text = String::from_utf8_lossy(bytes);
            let read = instant_of(bytes).or_else(|| parse_datetime(&text));
            Value::DateTime(read.ok_or_else(|| unfit(described(&text)))?)
        }
        (ValueRef::Text(bytes), _) => return Err(unfit(described(&String::from_utf8_lossy(bytes)))),
        (ValueRef::Integer(_), _) => return Err(unfit("a whole number".to_owned())),
        (ValueRef::Real(_), _) => return Err(unfit("a number".to_owned())),
        (ValueRef::Blob(_), _) => return Err(unfit("a blob".to_owned())),
    })
}

/// Parses `YYYY-MM-DD` without allocation; `None` for anything else.
fn day(bytes: &[u8]) -> Option<NaiveDate> {
    match bytes {
        [a, b, c, d, b'-', e, f, b'-', g, h] => {
            let year = digits(&[*a, *b, *c, *d])?;
            NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(&[*e, *f])?, digits(&[*g, *h])?)
        }
        _ => None,
    }
}

/// Parses `YYYY-MM-DDThh:mm:ss.sssZ` without allocation; `None` for anything else.
fn instant_of(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let (date, rest) = bytes.split_at_checked(10)?;
    match rest {
        [b'T', h0, h1, b':', m0, m1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] => {
            let time = NaiveTime::from_hms_milli_opt(
                digits(&[*h0, *h1])?,
                digits(&[*m0, *m1])?,
                digits(&[*s0, *s1])?,
                digits(&[*f0, *f1, *f2])?,
            )?;
            Some(day(date)?.and_time(time).and_utc())
        }
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// A fingerprint of a row, to decide whether a feature changed: equal rows have equal fingerprints, different
/// rows have the same one with a probability of 1 in 2^64.
#[derive(Default)]
pub(super) struct Fingerprint(DefaultHasher);

impl Fingerprint {
    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.0.write_u8(0),
            ValueRef::Integer(value) => {
                self.0.write_u8(1);
                self.0.write_i64(value);
            }
            ValueRef::Real(value) => {
                self.0.write_u8(2);
                // SQLite stores -0.0 as 0.0.
                self.0.write_u64(if value == 0.0 { 0 } else { value.to_bits() });
            }
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                self.0.write_u8(3);
                self.0.write_usize(bytes.len());
                self.0.write(bytes);
            }
        }
    }

    pub(super) fn finish(self) -> u64 {
        self.0.finish()
    }

    /// The fingerprint of a row of a layer's table: number, geometry and `width` values.
    pub(super) fn of_row(row: &Row<'_>, width: usize) -> rusqlite::Result<u64> {
        let mut print = Self::default();
        for index in 1..width + 2 {
            print.add(row.get_ref(index)?);
        }
        Ok(print.finish())
    }

    /// The fingerprint of a row that is about to be written.
    pub(super) fn of(geometry: Option<&[u8]>, values: &[Value]) -> u64 {
        let mut print = Self::default();
        print.add(geometry.map_or(ValueRef::Null, ValueRef::Blob));
        for value in values {
            match &to_sql(value) {
                ToSqlOutput::Borrowed(value) => print.add(*value),
                ToSqlOutput::Owned(value) => print.add(value.into()),
                // The other forms belong to features of rusqlite that are not enabled.
                _ => print.add(ValueRef::Null),
            }
        }
        print.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_of_other_programs_are_read() {
        for text in [
            "2025-07-01T07:30:00.000Z",
            "2025-07-01T07:30:00Z",
            "2025-07-01 07:30:00",
            "2025-07-01T14:30:00+07:00",
        ] {
            let read = from_sql(ValueRef::Text(text.as_bytes()), FieldType::DateTime).unwrap();
            assert_eq!(read, Value::DateTime(parse_datetime("2025-07-01T07:30:00Z").unwrap()), "{text}");
        }
        // What is no day is not quoted: it may be personal.
        let error = from_sql(ValueRef::Text(b"2025-02-30"), FieldType::Date).unwrap_err();
        assert!(error.contains("10 digits") && !error.contains("2025"), "{error}");
        assert!(from_sql(ValueRef::Text(b"1e3"), FieldType::Int).is_err());
        assert!(from_sql(ValueRef::Text(&[0xff]), FieldType::Text).is_err());
    }
}
