//! Typed columns of values, with dictionaries for texts and sentinels or bits for missing values.

use arrow_buffer::ArrowNativeType;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use citymap_model::{FieldType, Value, format_datetime, format_real};
use rustc_hash::FxHashMap;

use super::{
    bits::Bits,
    buffer::{Buffer, TextBuffer},
    spans::RowSpan,
};
use crate::Row;

/// A value of a field, borrowed from its column.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum ValueRef<'a> {
    /// The field has no value.
    Null,
    /// A truth value, true or false.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A 64-bit floating-point number.
    Real(f64),
    /// Unicode text, borrowed from the dictionary.
    Text(&'a str),
    /// A calendar day without a time zone.
    Date(NaiveDate),
    /// An instant in UTC, in milliseconds.
    DateTime(DateTime<Utc>),
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Real(value) => Self::Real(*value),
            Value::Text(value) => Self::Text(value),
            Value::Date(value) => Self::Date(*value),
            Value::DateTime(value) => Self::DateTime(*value),
        }
    }
}

impl ValueRef<'_> {
    /// An owned copy of the value.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Real(value) => Value::Real(value),
            Self::Text(value) => Value::Text(value.to_owned()),
            Self::Date(value) => Value::Date(value),
            Self::DateTime(value) => Value::DateTime(value),
        }
    }

    /// True if the field has no value.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as text for display; empty for null.
    pub fn to_text(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Real(value) => format_real(value),
            Self::Text(value) => value.to_owned(),
            Self::Date(value) => value.to_string(),
            Self::DateTime(value) => format_datetime(&value),
        }
    }

    /// The text if the value is a text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }
}

/// The distinct texts of a column, numbered in the order of their first occurrence.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    pub(crate) text: TextBuffer,
    pub(crate) ends: Buffer<u32>,
}

/// A [`Dictionary`] under construction.
#[derive(Debug, Default)]
struct DictionaryBuilder {
    text: String,
    ends: Vec<u32>,
}

impl DictionaryBuilder {
    /// Adds a text that is not in the dictionary and returns its code; `None` if the total length exceeds 32
    /// bits.
    fn push(&mut self, text: &str) -> Option<u32> {
        let end = u32::try_from(self.text.len() + text.len()).ok().filter(|&end| end < u32::MAX)?;
        self.text.push_str(text);
        self.ends.push(end);
        Some(self.ends.len() as u32 - 1)
    }

    fn finish(self) -> Dictionary {
        Dictionary { text: self.text.into(), ends: self.ends.into() }
    }
}

impl Dictionary {
    /// The number of distinct texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text with the code `code`.
    pub fn get(&self, code: u32) -> &str {
        let ends = &*self.ends;
        let start = if code == 0 { 0 } else { ends[code as usize - 1] as usize };
        &self.text[start..ends[code as usize] as usize]
    }

    /// The code of `text` if it occurs. Compares with every text, O(n).
    pub fn find(&self, text: &str) -> Option<u32> {
        (0..self.ends.len() as u32).find(|&code| self.get(code) == text)
    }

    /// For each text of `other` its code here, or [`Column::NULL_CODE`].
    fn codes_of(&self, other: &Self) -> Vec<u32> {
        let texts = |dictionary: &'_ Self| 0..dictionary.len() as u32;
        // For a few texts a linear search is faster than a hash table.
        if other.len() <= 4 {
            return texts(other)
                .map(|code| self.find(other.get(code)).unwrap_or(Column::NULL_CODE))
                .collect();
        }
        let mut codes = vec![Column::NULL_CODE; other.len()];
        let (small, large) = if other.len() <= self.len() { (other, self) } else { (self, other) };
        let table: FxHashMap<&str, u32> = texts(small).map(|code| (small.get(code), code)).collect();
        for code in texts(large) {
            if let Some(&known) = table.get(large.get(code)) {
                let (here, there) = if std::ptr::eq(large, self) { (code, known) } else { (known, code) };
                codes[there as usize] = here;
            }
        }
        codes
    }
}

/// The values of one field for all rows of a block.
#[derive(Clone, Debug)]
pub enum Column {
    /// 0, 1, or [`Column::NULL_BOOL`] for no value.
    Bool(Buffer<u8>),
    /// The values, and the set of rows that have none.
    Int(Buffer<i64>, Nulls),
    /// The values, and the set of rows that have none.
    Real(Buffer<f64>, Nulls),
    /// Codes of the dictionary, or [`Column::NULL_CODE`] for no value.
    Text(Buffer<u32>, Dictionary),
    /// Days since 1 January of year 1 (as `chrono` counts), or [`Column::NULL_DATE`].
    Date(Buffer<i32>),
    /// Milliseconds since 1970 in UTC, or [`Column::NULL_INSTANT`].
    DateTime(Buffer<i64>),
}

/// The rows of a column that have no value, one bit each. Allocates nothing if every row has one.
#[derive(Clone, Debug, Default)]
pub struct Nulls(pub(crate) Bits);

impl Nulls {
    /// Whether the row has no value.
    #[inline]
    pub fn contains(&self, row: Row) -> bool {
        self.0.contains(row)
    }

    fn insert(&mut self, row: usize) {
        self.0.insert(row as Row);
    }

    fn gather(sources: [&Self; 2], spans: &[RowSpan]) -> Self {
        let mut nulls = Self::default();
        let mut at = 0;
        for span in spans {
            let source = sources[span.source];
            if !source.0.is_empty() {
                let found = span.rows.clone().filter(|&row| source.contains(row));
                found.for_each(|row| nulls.insert(at + (row - span.rows.start) as usize));
            }
            at += span.rows.len();
        }
        nulls
    }
}

impl Column {
    /// Stands for no value in a column of truth values.
    pub const NULL_BOOL: u8 = 2;
    /// Stands for no value in a column of texts.
    pub const NULL_CODE: u32 = u32::MAX;
    /// Stands for no value in a column of days.
    pub const NULL_DATE: i32 = i32::MIN;
    /// Stands for no value in a column of instants.
    pub const NULL_INSTANT: i64 = i64::MIN;

    /// The type of the field that the column holds.
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Bool(_) => FieldType::Bool,
            Self::Int(..) => FieldType::Int,
            Self::Real(..) => FieldType::Real,
            Self::Text(..) => FieldType::Text,
            Self::Date(_) => FieldType::Date,
            Self::DateTime(_) => FieldType::DateTime,
        }
    }

    /// The number of rows, including those without a value.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values, _) | Self::DateTime(values) => values.len(),
            Self::Real(values, _) => values.len(),
            Self::Text(codes, _) => codes.len(),
            Self::Date(values) => values.len(),
        }
    }

    /// The value at `row`, a row of this block.
    pub fn get(&self, row: Row) -> ValueRef<'_> {
        let index = row as usize;
        match self {
            Self::Bool(values) => match values[index] {
                Self::NULL_BOOL => ValueRef::Null,
                value => ValueRef::Bool(value == 1),
            },
            Self::Int(_, nulls) | Self::Real(_, nulls) if nulls.contains(row) => ValueRef::Null,
            Self::Int(values, _) => ValueRef::Int(values[index]),
            Self::Real(values, _) => ValueRef::Real(values[index]),
            Self::Text(codes, dictionary) => match codes[index] {
                Self::NULL_CODE => ValueRef::Null,
                code => ValueRef::Text(dictionary.get(code)),
            },
            // The builder accepted only days and instants that chrono can represent.
            Self::Date(values) => {
                NaiveDate::from_num_days_from_ce_opt(values[index]).map_or(ValueRef::Null, ValueRef::Date)
            }
            Self::DateTime(values) => {
                DateTime::from_timestamp_millis(values[index]).map_or(ValueRef::Null, ValueRef::DateTime)
            }
        }
    }
}

/// Concatenates the values of the spans.
fn gather_values<T: ArrowNativeType>(sources: [&[T]; 2], spans: &[RowSpan]) -> Buffer<T> {
    let mut values = Vec::with_capacity(spans.iter().map(|span| span.rows.len()).sum());
    for span in spans {
        values.extend_from_slice(&sources[span.source][span.range()]);
    }
    values.into()
}

/// The codes of the spans, in a new dictionary of only the texts that they use, in the order of their first
/// occurrence: the dictionary that a builder would make.
fn gather_texts(sources: [(&[u32], &Dictionary); 2], spans: &[RowSpan]) -> Option<Column> {
    let [(_, first), (_, second)] = sources;
    let same = first.codes_of(second);
    let mut known = [vec![Column::NULL_CODE; first.len()], vec![Column::NULL_CODE; second.len()]];
    let mut codes = Vec::with_capacity(spans.iter().map(|span| span.rows.len()).sum());
    let mut dictionary = DictionaryBuilder::default();
    for span in spans {
        for &code in &sources[span.source].0[span.range()] {
            if code == Column::NULL_CODE {
                codes.push(code);
                continue;
            }
            let (source, code) = match same.get(code as usize) {
                Some(&shared) if span.source == 1 && shared != Column::NULL_CODE => (0, shared),
                _ => (span.source, code),
            };
            let slot = &mut known[source][code as usize];
            if *slot == Column::NULL_CODE {
                *slot = dictionary.push(sources[source].1.get(code))?;
            }
            codes.push(*slot);
        }
    }
    Some(Column::Text(codes.into(), dictionary.finish()))
}

impl Column {
    /// The column of the given spans of two columns of one type. `None` if 32-bit offsets overflow or the
    /// types differ.
    pub(crate) fn gather(sources: [&Self; 2], spans: &[RowSpan]) -> Option<Self> {
        Some(match sources {
            [Self::Bool(a), Self::Bool(b)] => Self::Bool(gather_values([a, b], spans)),
            [Self::Int(a, no_a), Self::Int(b, no_b)] => {
                Self::Int(gather_values([a, b], spans), Nulls::gather([no_a, no_b], spans))
            }
            [Self::Real(a, no_a), Self::Real(b, no_b)] => {
                Self::Real(gather_values([a, b], spans), Nulls::gather([no_a, no_b], spans))
            }
            [Self::Text(a, texts_a), Self::Text(b, texts_b)] => {
                gather_texts([(a, texts_a), (b, texts_b)], spans)?
            }
            [Self::Date(a), Self::Date(b)] => Self::Date(gather_values([a, b], spans)),
            [Self::DateTime(a), Self::DateTime(b)] => Self::DateTime(gather_values([a, b], spans)),
            _ => return None,
        })
    }
}

/// One growing buffer for each variant of [`Column`].
#[derive(Debug)]
enum Growing {
    Bool(Vec<u8>),
    Int(Vec<i64>, Nulls),
    Real(Vec<f64>, Nulls),
    Text(Vec<u32>, DictionaryBuilder),
    Date(Vec<i32>),
    DateTime(Vec<i64>),
}

/// A [`Column`] under construction.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    column: Growing,
    codes: FxHashMap<Box<str>, u32>,
    len: usize,
}

/// Why a column did not accept a value.
pub(crate) enum PushError {
    Type(FieldType),
    TooLarge,
}

impl ColumnBuilder {
    pub(crate) fn new(field_type: FieldType) -> Self {
        let column = match field_type {
            FieldType::Bool => Growing::Bool(Vec::new()),
            FieldType::Int => Growing::Int(Vec::new(), Nulls::default()),
            FieldType::Real => Growing::Real(Vec::new(), Nulls::default()),
            FieldType::Text => Growing::Text(Vec::new(), DictionaryBuilder::default()),
            FieldType::Date => Growing::Date(Vec::new()),
            FieldType::DateTime => Growing::DateTime(Vec::new()),
        };
        Self { column, codes: FxHashMap::default(), len: 0 }
    }

    pub(crate) fn push(&mut self, value: &Value) -> Result<(), PushError> {
        match (&mut self.column, value) {
            (Growing::Bool(values), Value::Bool(value)) => values.push((*value).into()),
            (Growing::Bool(values), Value::Null) => values.push(Column::NULL_BOOL),
            (Growing::Int(values, _), Value::Int(value)) => values.push(*value),
            (Growing::Int(values, nulls), Value::Null) => {
                values.push(0);
                nulls.insert(self.len);
            }
            (Growing::Real(values, _), Value::Real(value)) => values.push(*value),
            // GeoJSON and SQLite turn `1.0` into an integer, so a column of real numbers accepts integers.
            (Growing::Real(values, _), Value::Int(value)) => values.push(*value as f64),
            (Growing::Real(values, nulls), Value::Null) => {
                values.push(0.0);
                nulls.insert(self.len);
            }
            (Growing::Text(codes, dictionary), Value::Text(value)) => {
                let code = match self.codes.get(value.as_str()) {
                    Some(&code) => code,
                    None => {
                        let code = dictionary.push(value).ok_or(PushError::TooLarge)?;
                        self.codes.insert(value.as_str().into(), code);
                        code
                    }
                };
                codes.push(code);
            }
            (Growing::Text(codes, _), Value::Null) => codes.push(Column::NULL_CODE),
            (Growing::Date(values), Value::Date(value)) => values.push(value.num_days_from_ce()),
            (Growing::Date(values), Value::Null) => values.push(Column::NULL_DATE),
            (Growing::DateTime(values), Value::DateTime(value)) => values.push(value.timestamp_millis()),
            (Growing::DateTime(values), Value::Null) => values.push(Column::NULL_INSTANT),
            (_, value) => return Err(value.field_type().map_or(PushError::TooLarge, PushError::Type)),
        }
        self.len += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Column {
        match self.column {
            Growing::Bool(values) => Column::Bool(values.into()),
            Growing::Int(values, nulls) => Column::Int(values.into(), nulls),
            Growing::Real(values, nulls) => Column::Real(values.into(), nulls),
            Growing::Text(codes, dictionary) => Column::Text(codes.into(), dictionary.finish()),
            Growing::Date(values) => Column::Date(values.into()),
            Growing::DateTime(values) => Column::DateTime(values.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_nulls_of_every_type_come_back() {
        let texts = ["", "đất ở", "ODT"];
        for (field_type, values) in [
            (FieldType::Bool, vec![Value::Bool(true), Value::Bool(false)]),
            (FieldType::Int, vec![Value::Int(i64::MIN), Value::Int(0), Value::Int(i64::MAX)]),
            (FieldType::Real, vec![Value::Real(-0.0), Value::Real(f64::INFINITY)]),
            (FieldType::Text, texts.iter().map(|text| Value::Text((*text).into())).collect()),
            (FieldType::Date, vec![Value::Date(NaiveDate::MIN), Value::Date(NaiveDate::MAX)]),
            (FieldType::DateTime, vec![Value::DateTime(DateTime::UNIX_EPOCH)]),
        ] {
            let mut builder = ColumnBuilder::new(field_type);
            for value in &values {
                assert!(builder.push(&Value::Null).is_ok());
                assert!(builder.push(value).is_ok());
            }
            let column = builder.finish();
            for (index, value) in values.iter().enumerate() {
                assert_eq!(column.get(2 * index as Row), ValueRef::Null);
                assert_eq!(&column.get(2 * index as Row + 1).to_value(), value);
            }
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        assert!(ColumnBuilder::new(FieldType::Int).push(&Value::Text("1".into())).is_err());
    }
}
