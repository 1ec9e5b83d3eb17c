use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use citymap_model::Value;

use crate::{Block, Column, LayerSnapshot, Row, ValueRef};

/// How a field's value must stand to the filter's. A null value stands in no relation to any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Less, earlier, before.
    Lt,
    /// Less or equal.
    Le,
    /// Greater, later, after.
    Gt,
    /// Greater or equal.
    Ge,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The position of the field in the layer.
    pub field: usize,
    /// The relation.
    pub comparison: Comparison,
    /// What the field's value is held against; of the field's type. Null matches null (`Eq` only).
    pub value: Value,
}

/// A closed stretch of time; an absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TimeInterval {
    /// The first instant.
    pub start: Option<DateTime<Utc>>,
    /// The last instant.
    pub end: Option<DateTime<Utc>>,
}

/// A filter made ready for a snapshot: the text of an equality is looked up once.
pub(crate) struct PreparedFilter<'a> {
    snapshot: &'a LayerSnapshot,
    base: ColumnTest<'a>,
    delta: ColumnTest<'a>,
}

/// A filter on the column of one block.
enum ColumnTest<'a> {
    Code(&'a [u32], u32),
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
            (Column::Text(codes, _), Comparison::Eq, Value::Null) => Self::Code(codes, Column::NULL_CODE),
            (Column::Text(codes, dictionary), Comparison::Eq, Value::Text(text)) => {
                dictionary.find(text).map_or(Self::Nothing, |code| Self::Code(codes, code))
            }
            (column, op, value) => Self::Compare(column, op, value),
        }
    }

    fn matches(&self, row: Row) -> bool {
        match self {
            Self::Code(codes, code) => codes[row as usize] == *code,
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
