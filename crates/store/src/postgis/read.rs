//! Rows to features: what PostgreSQL sends in binary, column by column, by the declared type.
//!
//! Other programs write these tables too. Their triggers refuse what no feature can hold (a curve in a
//! collection, an infinite date). Where it is there all the same, it is read as null, with a warning that
//! names the feature, so that one row ends neither the server's following nor a backup; NaN becomes null.

use chrono::{DateTime, Duration, NaiveDate, TimeZone as _, Utc};
use citymap_geometry::wkb;
use citymap_model::{Feature, Fid, FieldType, Layer, Value};
use sqlx::{Row as _, postgres::PgRow};

use super::unreadable;
use crate::columns::{GEOM, quoted};

/// The columns of a table: of a layer's own, or of the history of one generation.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The definition of the layer in this generation.
    pub(super) layer: Layer,
    /// The name of each field's column, in the order of the fields.
    pub(super) columns: Vec<String>,
    /// Whether the rows have a geometry.
    pub(super) spatial: bool,
    /// The number of the generation: a span of the layer's life with one list of fields and one kind of
    /// geometry.
    pub(super) generation: i64,
    /// The name of the generation's table in schema `history`.
    pub(super) history: String,
}

/// What is wrong with a row, as the end of a sentence that begins with layer and feature.
pub(super) struct Problem(pub(super) String);

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self(format!(": {error}"))
    }
}

impl Shape {
    /// The geometry and the values as an SQL list; `of` turns a quoted column into an expression. The casts
    /// guarantee the declared types, whatever another program has made of the table.
    pub(super) fn list(&self, of: impl Fn(&str) -> String) -> String {
        let mut list =
            if self.spatial { format!("({})::bytea", of(&quoted(GEOM))) } else { "NULL::bytea".to_owned() };
        for (column, field) in self.columns.iter().zip(&self.layer.fields) {
            list.push_str(&format!(", ({})::{}", of(&quoted(column)), sql_type(field.field_type)));
        }
        list
    }

    /// The columns without casts, for a subquery from which [`Shape::list`] reads.
    pub(super) fn bare(&self) -> String {
        let columns = self.columns.iter().map(String::as_str);
        let all: Vec<String> = self.spatial.then_some(GEOM).into_iter().chain(columns).map(quoted).collect();
        all.iter().map(|column| format!(", {column}")).collect()
    }

    /// The layer's own table.
    pub(super) fn live(&self) -> String {
        format!("{}.{}", quoted("city"), quoted(self.layer.id.as_str()))
    }

    /// The history table of this generation.
    pub(super) fn past(&self) -> String {
        format!("{}.{}", quoted("history"), quoted(&self.history))
    }

    /// The number of columns of [`Shape::list`].
    pub(super) fn width(&self) -> usize {
        1 + self.columns.len()
    }

    /// Reads a feature from the columns of [`Shape::list`], the first of which is at `at`. What no feature
    /// can hold is null, with a warning in the log.
    pub(super) fn feature(&self, row: &PgRow, fid: Fid, at: usize) -> Result<Feature, Problem> {
        self.parse(row, fid, at, |problem| {
            unreadable::warn(&self.layer.id, fid, &problem.0);
            Ok(())
        })
    }

    /// As [`Shape::feature`], but what no feature can hold is an error: for a feature that is about to be
    /// edited, and would lose it.
    pub(super) fn whole_feature(&self, row: &PgRow, fid: Fid, at: usize) -> Result<Feature, Problem> {
        self.parse(row, fid, at, Err)
    }

    /// Reads a feature; `unfit` is told of each column that holds what no feature can.
    fn parse(
        &self,
        row: &PgRow,
        fid: Fid,
        at: usize,
        unfit: impl Fn(Problem) -> Result<(), Problem>,
    ) -> Result<Feature, Problem> {
        let mut geometry = None;
        if let Some(bytes) = bytes(row, at)? {
            match wkb::read(bytes) {
                Ok(read) => geometry = Some(read),
                Err(reason) => unfit(Problem(format!(
                    ": its geometry cannot be read: {reason}; another program wrote it, mend it there"
                )))?,
            }
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for (index, field) in self.layer.fields.iter().enumerate() {
            let mut read = Value::Null;
            if let Some(bytes) = bytes(row, at + 1 + index)? {
                match value(bytes, field.field_type) {
                    Ok(value) => read = value,
                    Err(reason) => unfit(Problem(format!(
                        ", field `{}`: {reason}; another program wrote it, mend it there",
                        field.name
                    )))?,
                }
            }
            values.push(read);
        }
        Ok(Feature { fid, geometry, values })
    }
}

/// The PostgreSQL type of a field's column.
pub(super) fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Bool => "boolean",
        FieldType::Int => "bigint",
        FieldType::Real => "double precision",
        FieldType::Text => "text",
        FieldType::Date => "date",
        FieldType::DateTime => "timestamptz",
    }
}

/// A column's bytes as they were sent; `None` for null.
pub(super) fn bytes(row: &PgRow, index: usize) -> Result<Option<&[u8]>, Problem> {
    let raw = row.try_get_raw(index)?;
    if sqlx::ValueRef::is_null(&raw) {
        return Ok(None);
    }
    raw.as_bytes().map(Some).map_err(|error| Problem(format!(": {error}")))
}

/// Whether two runs of `width` columns hold the same bytes.
pub(super) fn same(row: &PgRow, one: usize, other: usize, width: usize) -> Result<bool, Problem> {
    for offset in 0..width {
        if bytes(row, one + offset)? != bytes(row, other + offset)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    <[u8; N]>::try_from(bytes)
        .map_err(|_other_length| format!("the database sent {} bytes for {N}", bytes.len()))
}

/// A value in PostgreSQL's binary format: big-endian numbers, days and microseconds since 2000.
pub(super) fn value(bytes: &[u8], field_type: FieldType) -> Result<Value, String> {
    Ok(match field_type {
        FieldType::Bool => Value::Bool(fixed::<1>(bytes)? != [0]),
        FieldType::Int => Value::Int(i64::from_be_bytes(fixed(bytes)?)),
        FieldType::Real => {
            let value = f64::from_be_bytes(fixed(bytes)?);
            if value.is_nan() { Value::Null } else { Value::Real(value) }
        }
        FieldType::Text => Value::Text(
            std::str::from_utf8(bytes).map_err(|error| format!("it is no UTF-8: {error}"))?.to_owned(),
        ),
        FieldType::Date => Value::Date(date(i32::from_be_bytes(fixed(bytes)?))?),
        FieldType::DateTime => Value::DateTime(instant(i64::from_be_bytes(fixed(bytes)?))?),
    })
}

fn date(days: i32) -> Result<NaiveDate, String> {
    if days == i32::MAX || days == i32::MIN {
        return Err("its date is infinite".to_owned());
    }
    NaiveDate::from_ymd_opt(2000, 1, 1)
        .and_then(|epoch| epoch.checked_add_signed(Duration::days(i64::from(days))))
        .ok_or_else(|| "its date is too far away".to_owned())
}

/// An instant from PostgreSQL's microseconds, truncated to the millisecond.
fn instant(micros: i64) -> Result<DateTime<Utc>, String> {
    /// 2000-01-01 in milliseconds since 1970.
    const EPOCH: i64 = 946_684_800_000;
    if micros == i64::MAX || micros == i64::MIN {
        return Err("its date is infinite".to_owned());
    }
    Utc.timestamp_millis_opt(micros.div_euclid(1000) + EPOCH)
        .single()
        .ok_or_else(|| "its date is too far away".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_sends_is_read_by_type() {
        assert_eq!(value(&[1], FieldType::Bool), Ok(Value::Bool(true)));
        assert_eq!(value(&(-7i64).to_be_bytes(), FieldType::Int), Ok(Value::Int(-7)));
        assert_eq!(value(&1.5f64.to_be_bytes(), FieldType::Real), Ok(Value::Real(1.5)));
        assert_eq!(value(&f64::NAN.to_be_bytes(), FieldType::Real), Ok(Value::Null));
        assert_eq!(value("đất".as_bytes(), FieldType::Text), Ok(Value::Text("đất".to_owned())));
        let day = NaiveDate::from_ymd_opt(2025, 7, 1).unwrap();
        assert_eq!(value(&9313i32.to_be_bytes(), FieldType::Date), Ok(Value::Date(day)));
        let before = "1999-12-31T23:59:59.999Z".parse().unwrap();
        assert_eq!(value(&(-1i64).to_be_bytes(), FieldType::DateTime), Ok(Value::DateTime(before)));
    }

    #[test]
    fn what_no_feature_holds_is_told() {
        assert!(value(&i32::MAX.to_be_bytes(), FieldType::Date).unwrap_err().contains("infinite"));
        assert!(value(&i64::MIN.to_be_bytes(), FieldType::DateTime).unwrap_err().contains("infinite"));
        assert!(value(&i32::MAX.to_be_bytes().map(|byte| byte / 2), FieldType::Date).is_err());
        assert!(value(&[0; 3], FieldType::Int).is_err());
    }
}
