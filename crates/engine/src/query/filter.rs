//! Conditions on the values of fields, and their evaluation on columns.
//!
//! A filter is checked against the columns of a snapshot once and then tested row by row.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use citymap_model::Value;

use crate::{Block, Column, LayerSnapshot, Row, ValueRef};

/// How the value of a field compares to the value of a filter. Null compares to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The field's value equals the filter's.
    Eq,
    /// The field's value is less, earlier, or before in text order.
    Lt,
    /// The field's value is less than or equal to the filter's.
    Le,
    /// The field's value is greater, later, or after in text order.
    Gt,
    /// The field's value is greater than or equal to the filter's.
    Ge,
}

/// A condition on the value of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Position of the field in the layer's definition.
    pub field: usize,
    /// How the field's value must compare to `value`.
    pub comparison: Comparison,
    /// The value to compare with, of the field's type. With [`Comparison::Eq`], null and an empty text match
    /// rows without a value or with an empty text.
    pub value: Value,
}

/// A closed interval of time. A missing end is unbounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TimeInterval {
    /// The first instant of the interval.
    pub start: Option<DateTime<Utc>>,
    /// The last instant of the interval, included.
    pub end: Option<DateTime<Utc>>,
}

/// A filter prepared for one snapshot: a text is looked up in the dictionaries once instead of row by row.
pub(crate) struct PreparedFilter<'a> {
    snapshot: &'a LayerSnapshot,
    base: ColumnTest<'a>,
    delta: ColumnTest<'a>,
}

/// The test of a filter on a column of one block.
enum ColumnTest<'a> {
    Code(&'a [u32], u32),
    /// Codes of texts, and the code of the empty text.
    Empty(&'a [u32], Option<u32>),
    Nothing,
    Compare(&'a Column, Comparison, &'a Value),
}

impl<'a> PreparedFilter<'a> {
    pub(crate) fn new(snapshot: &'a LayerSnapshot, filter: &'a Filter) -> Self {
        let on = |block: &'a Block| ColumnTest::new(block.column(filter.field), filter);
        Self { snapshot, base: on(snapshot.base()), delta: on(snapshot.delta()) }
    }

    pub(crate) fn matches(&self, row: Row) -> bool {
        if self.snapshot.is_base(row) {
            self.base.matches(row)
        } else {
            self.delta.matches(row - self.snapshot.base().len() as Row)
        }
    }
}

impl<'a> ColumnTest<'a> {
    fn new(column: &'a Column, filter: &'a Filter) -> Self {
        match (column, filter.comparison, &filter.value) {
            (Column::Text(codes, dictionary), Comparison::Eq, value) if is_empty(value) => {
                Self::Empty(codes, dictionary.find(""))
            }
            (Column::Text(codes, dictionary), Comparison::Eq, Value::Text(text)) => {
                dictionary.find(text).map_or(Self::Nothing, |code| Self::Code(codes, code))
            }
            (column, op, value) => Self::Compare(column, op, value),
        }
    }

    fn matches(&self, row: Row) -> bool {
        match self {
            Self::Code(codes, code) => codes[row as usize] == *code,
            Self::Empty(codes, empty) => {
                let found = codes[row as usize];
                found == Column::NULL_CODE || Some(found) == *empty
            }
            Self::Nothing => false,
            Self::Compare(column, op, value) => {
                let found = column.get(row);
                if value.is_null() {
                    return *op == Comparison::Eq && found.is_null();
                }
                order(found, value).is_some_and(|ordering| match op {
                    Comparison::Eq => ordering.is_eq(),
                    Comparison::Lt => ordering.is_lt(),
                    Comparison::Le => ordering.is_le(),
                    Comparison::Gt => ordering.is_gt(),
                    Comparison::Ge => ordering.is_ge(),
                })
            }
        }
    }
}

/// Whether a filter for this value asks for rows without a value.
pub(crate) fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::Text(text) if text.is_empty())
}

fn order(found: ValueRef<'_>, value: &Value) -> Option<Ordering> {
    match (found, value) {
        (ValueRef::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (ValueRef::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (ValueRef::Real(a), Value::Real(b)) => a.partial_cmp(b),
        (ValueRef::Real(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (ValueRef::Int(a), Value::Real(b)) => (a as f64).partial_cmp(b),
        (ValueRef::Text(a), Value::Text(b)) => Some(a.cmp(b.as_str())),
        (ValueRef::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (ValueRef::DateTime(a), Value::DateTime(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
