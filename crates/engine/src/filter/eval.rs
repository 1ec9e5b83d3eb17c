//! The value of an expression for one feature.

use std::{borrow::Cow, cmp::Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use citymap_cql2::{Arithmetic, ArrayRelation, Comparison};
use citymap_model::{Feature, Geometry, Value};

use super::{Condition, Operand, Scalar, spatial, temporal};
use crate::{Block, Row, ShapeRef, ValueRef};

/// What an expression is evaluated for.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    /// A feature: a row of a block.
    Row(&'a Block, Row),
    /// A feature outside of a block.
    Feature(&'a Feature),
    /// A value that stands for the only field of the expression.
    Value(ValueRef<'a>),
}

impl<'a> Subject<'a> {
    fn value(&self, field: usize) -> ValueRef<'a> {
        match self {
            Self::Row(block, row) => block.column(field).get(*row),
            Self::Feature(feature) => feature.values.get(field).map_or(ValueRef::Null, ValueRef::from),
            Self::Value(value) => *value,
        }
    }

    /// The geometry of the feature.
    pub(super) fn geometry(&self) -> Option<Geometry> {
        match self {
            Self::Row(block, row) => ShapeRef::new(&block.shapes, *row).geometry(),
            Self::Feature(feature) => feature.geometry.clone(),
            Self::Value(_) => None,
        }
    }
}

/// A value during evaluation.
#[derive(Clone, Debug)]
pub(super) enum Datum<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
}

impl<'a> From<ValueRef<'a>> for Datum<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(value) => Self::Text(value.into()),
            ValueRef::Date(value) => Self::Date(value),
            ValueRef::DateTime(value) => Self::DateTime(value),
        }
    }
}

impl Datum<'_> {
    /// A number; null for one that is not finite.
    pub(super) fn real(value: f64) -> Self {
        if value.is_finite() { Self::Real(value) } else { Self::Null }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As a value of a field.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Real(value) => Value::Real(value),
            Self::Text(value) => Value::Text(value.into_owned()),
            Self::Date(value) => Value::Date(value),
            Self::DateTime(value) => Value::DateTime(value),
        }
    }

    /// The order of two values of one kind; `None` for missing and other ones, and for NaN.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(b),
            (Self::Real(a), Self::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Self::Int(a), Self::Real(b)) => (*a as f64).partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::DateTime(a), Self::DateTime(b)) => Some(a.cmp(b)),
            // A day is all of its hours.
            (Self::Date(a), Self::DateTime(b)) => Some(a.cmp(&b.date_naive())),
            (Self::DateTime(a), Self::Date(b)) => Some(a.date_naive().cmp(b)),
            _ => None,
        }
    }
}

/// Whether an order is what a comparison asks for.
pub(super) fn meets(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    }
}

/// True if all are, false if one is not.
pub(super) fn all(mut tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    let decided = tests.try_for_each(|test| {
        match test {
            Some(false) => return Err(()),
            Some(true) => {}
            None => all = None,
        }
        Ok(())
    });
    if decided.is_err() { Some(false) } else { all }
}

/// True if one is, false if none is.
pub(super) fn any(tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(tests.map(|test| test.map(|test| !test))).map(|none| !none)
}

impl Condition {
    /// Whether the condition holds; `None` if that is not known.
    pub(super) fn eval(&self, subject: &Subject<'_>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::All(conditions) => all(conditions.iter().map(|condition| condition.eval(subject))),
            Self::Any(conditions) => any(conditions.iter().map(|condition| condition.eval(subject))),
            Self::Not(condition) => condition.eval(subject).map(|holds| !holds),
            Self::Missing(field) => {
                let value = subject.value(*field);
                Some(value.is_null() || value.as_str() == Some(""))
            }
            Self::IsNull(Operand::Scalar(scalar)) => Some(scalar.eval(subject).is_null()),
            Self::IsNull(Operand::Geometry(geometry)) => Some(geometry.eval(subject).is_none()),
            Self::Truth(scalar) => match scalar.eval(subject) {
                Datum::Bool(value) => Some(value),
                _ => None,
            },
            Self::Compare(comparison, a, b) => {
                a.eval(subject).order(&b.eval(subject)).map(|order| meets(*comparison, order))
            }
            Self::Like(scalar, pattern) => match scalar.eval(subject) {
                Datum::Text(text) => Some(pattern.matches(&text)),
                _ => None,
            },
            Self::In(scalar, list) => {
                let value = scalar.eval(subject);
                any(list.iter().map(|item| value.order(&item.eval(subject)).map(Ordering::is_eq)))
            }
            Self::InConstants(scalar, list) => {
                let value = scalar.eval(subject);
                // NaN has no order and is found nowhere.
                value.order(&value)?;
                let order = |item: &Value| Datum::from(ValueRef::from(item)).order(&value);
                Some(list.binary_search_by(|item| order(item).unwrap_or(Ordering::Less)).is_ok())
            }
            Self::Spatial(relation, a, b) => spatial::relate(*relation, [a, b], subject),
            Self::Temporal(relation, a, b) => temporal::relate(*relation, [a, b], subject),
            Self::Array(relation, a, b) => Some(holds(*relation, &values(a, subject)?, &values(b, subject)?)),
        }
    }
}

/// The values of a list; `None` if one is missing.
fn values<'a>(list: &'a [Scalar], subject: &Subject<'a>) -> Option<Vec<Datum<'a>>> {
    let values = list.iter().map(|item| item.eval(subject));
    values.map(|value| (!value.is_null()).then_some(value)).collect()
}

/// The relation of two lists as sets.
fn holds(relation: ArrayRelation, a: &[Datum<'_>], b: &[Datum<'_>]) -> bool {
    let has = |list: &[Datum<'_>], value: &Datum<'_>| {
        list.iter().any(|own| own.order(value) == Some(Ordering::Equal))
    };
    let has_all = |list: &[Datum<'_>], values: &[Datum<'_>]| values.iter().all(|value| has(list, value));
    match relation {
        ArrayRelation::Contains => has_all(a, b),
        ArrayRelation::ContainedBy => has_all(b, a),
        ArrayRelation::Equals => has_all(a, b) && has_all(b, a),
        ArrayRelation::Overlaps => b.iter().any(|value| has(a, value)),
    }
}

impl Scalar {
    /// The value for a subject.
    pub(super) fn eval<'a>(&'a self, subject: &Subject<'a>) -> Datum<'a> {
        match self {
            Self::Constant(value) => ValueRef::from(value).into(),
            Self::Field(field, _) => subject.value(*field).into(),
            Self::Condition(condition) => condition.eval(subject).map_or(Datum::Null, Datum::Bool),
            Self::Arithmetic(arithmetic, args) => {
                compute(*arithmetic, &args[0].eval(subject), &args[1].eval(subject))
            }
            Self::Fold(folding, text) => match text.eval(subject) {
                Datum::Text(text) => Datum::Text(folding.apply(&text).into()),
                _ => Datum::Null,
            },
            Self::Call(function, operand) => function.call(operand, subject),
        }
    }
}

/// The result of an operation: whole where both numbers are and it fits 64 bits; null for a missing number, a
/// division by zero and a result that is not finite.
pub(super) fn compute(arithmetic: Arithmetic, a: &Datum<'_>, b: &Datum<'_>) -> Datum<'static> {
    if let (Datum::Int(a), Datum::Int(b)) = (a, b) {
        let whole = match arithmetic {
            Arithmetic::Add => a.checked_add(*b),
            Arithmetic::Subtract => a.checked_sub(*b),
            Arithmetic::Multiply => a.checked_mul(*b),
            Arithmetic::WholeDivide => a.checked_div(*b),
            Arithmetic::Remainder => a.checked_rem(*b),
            Arithmetic::Divide | Arithmetic::Power => None,
        };
        if let Some(value) = whole {
            return Datum::Int(value);
        }
    }
    let number = |value: &Datum<'_>| match value {
        Datum::Int(value) => Some(*value as f64),
        Datum::Real(value) => Some(*value),
        _ => None,
    };
    let (Some(a), Some(b)) = (number(a), number(b)) else { return Datum::Null };
    Datum::real(match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        // By zero neither is finite.
        Arithmetic::Divide => a / b,
        Arithmetic::WholeDivide => (a / b).trunc(),
        Arithmetic::Remainder => a % b,
        Arithmetic::Power => a.powf(b),
    })
}
