//! A filter prepared for the columns of one snapshot.

use std::cell::RefCell;

use chrono::Datelike;
use citymap_cql2::Comparison;
use citymap_model::{Geometry, Value};

use super::{
    Condition, Filter, Operand, Scalar,
    eval::{Subject, all, any, meets},
    spatial::{GeometryOperand, Related, converse},
    temporal::TemporalOperand,
};
use crate::{Block, Column, Dictionary, LayerSnapshot, Nulls, Row, ShapeRef, ValueRef};

/// A filter prepared for one snapshot.
pub(crate) struct PreparedFilter<'a> {
    snapshot: &'a LayerSnapshot,
    base: Kernel<'a>,
    delta: Kernel<'a>,
}

impl<'a> PreparedFilter<'a> {
    pub(crate) fn new(snapshot: &'a LayerSnapshot, filter: &'a Filter) -> Self {
        let on = |block: &'a Block| Kernel::new(&filter.condition, block);
        Self { snapshot, base: on(snapshot.base()), delta: on(snapshot.delta()) }
    }

    /// Whether the filter is true for the row.
    pub(crate) fn matches(&self, row: Row) -> bool {
        let holds = if self.snapshot.is_base(row) {
            self.base.test(row)
        } else {
            self.delta.test(row - self.snapshot.base().len() as Row)
        };
        holds == Some(true)
    }
}

/// A condition on the rows of one block.
enum Kernel<'a> {
    Constant(bool),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Int {
        values: &'a [i64],
        nulls: &'a Nulls,
        comparison: Comparison,
        constant: i64,
    },
    Real {
        values: &'a [f64],
        nulls: &'a Nulls,
        comparison: Comparison,
        constant: f64,
    },
    Date {
        days: &'a [i32],
        comparison: Comparison,
        constant: i32,
    },
    DateTime {
        instants: &'a [i64],
        comparison: Comparison,
        constant: i64,
    },
    /// A condition on one text field.
    Text(TextTest<'a>),
    Spatial(&'a Block, Box<Related<'a>>),
    /// Any other condition, evaluated value by value.
    Other(&'a Block, &'a Condition),
}

impl<'a> Kernel<'a> {
    fn new(condition: &'a Condition, block: &'a Block) -> Self {
        let several = |conditions: &'a [Condition]| {
            let mut kernels: Vec<Self> =
                conditions.iter().map(|condition| Self::new(condition, block)).collect();
            kernels.sort_by_key(Self::cost);
            kernels
        };
        match condition {
            Condition::Constant(value) => Self::Constant(*value),
            Condition::All(conditions) => Self::All(several(conditions)),
            Condition::Any(conditions) => Self::Any(several(conditions)),
            Condition::Not(condition) => Self::Not(Box::new(Self::new(condition, block))),
            Condition::Compare(comparison, Scalar::Field(field, _), Scalar::Constant(value)) => {
                Self::compare(block.column(*field), *comparison, value)
                    .unwrap_or_else(|| Self::by_inputs(condition, block))
            }
            Condition::Compare(comparison, Scalar::Constant(value), Scalar::Field(field, _)) => {
                Self::compare(block.column(*field), turned(*comparison), value)
                    .unwrap_or_else(|| Self::by_inputs(condition, block))
            }
            Condition::Spatial(relation, GeometryOperand::Feature, GeometryOperand::Constant(constant)) => {
                let constant: &Geometry = constant;
                Self::Spatial(block, Box::new(Related::new(*relation, constant)))
            }
            Condition::Spatial(relation, GeometryOperand::Constant(constant), GeometryOperand::Feature) => {
                let constant: &Geometry = constant;
                Self::Spatial(block, Box::new(Related::new(converse(*relation), constant)))
            }
            other => Self::by_inputs(other, block),
        }
    }

    /// A comparison of a column with a constant of its own type that is read in place.
    fn compare(column: &'a Column, comparison: Comparison, value: &Value) -> Option<Self> {
        Some(match (column, value) {
            (Column::Int(values, nulls), Value::Int(constant)) => {
                Self::Int { values, nulls, comparison, constant: *constant }
            }
            (Column::Real(values, nulls), Value::Real(constant)) => {
                Self::Real { values, nulls, comparison, constant: *constant }
            }
            (Column::Real(values, nulls), Value::Int(constant)) => {
                Self::Real { values, nulls, comparison, constant: *constant as f64 }
            }
            (Column::Date(days), Value::Date(day)) => {
                Self::Date { days, comparison, constant: day.num_days_from_ce() }
            }
            // The column has whole milliseconds.
            (Column::DateTime(instants), Value::DateTime(instant))
                if instant.timestamp_subsec_nanos().is_multiple_of(1_000_000) =>
            {
                Self::DateTime { instants, comparison, constant: instant.timestamp_millis() }
            }
            _ => return None,
        })
    }

    /// A condition by what it reads: a single text field, or anything else.
    fn by_inputs(condition: &'a Condition, block: &'a Block) -> Self {
        let mut inputs = Inputs::default();
        inputs.of_condition(condition);
        if let (Some(field), false) = (inputs.only_field(), inputs.geometry)
            && let Column::Text(codes, dictionary) = block.column(field)
        {
            return Self::Text(TextTest::new(codes, dictionary, condition));
        }
        Self::Other(block, condition)
    }

    /// A measure of the time that a test takes, for the order of conditions.
    fn cost(&self) -> u32 {
        match self {
            Self::Constant(_) => 0,
            Self::Int { .. } | Self::Real { .. } | Self::Date { .. } | Self::DateTime { .. } => 1,
            Self::Text(_) => 2,
            Self::Not(kernel) => kernel.cost(),
            Self::All(kernels) | Self::Any(kernels) => kernels.iter().map(Self::cost).sum(),
            Self::Other(..) => 20,
            Self::Spatial(..) => 50,
        }
    }

    /// Whether the condition holds for a row of the block; `None` if that is not known.
    fn test(&self, row: Row) -> Option<bool> {
        let at = row as usize;
        match self {
            Self::Constant(value) => Some(*value),
            Self::All(kernels) => all(kernels.iter().map(|kernel| kernel.test(row))),
            Self::Any(kernels) => any(kernels.iter().map(|kernel| kernel.test(row))),
            Self::Not(kernel) => kernel.test(row).map(|holds| !holds),
            Self::Int { values, nulls, comparison, constant } => {
                (!nulls.contains(row)).then(|| meets(*comparison, values[at].cmp(constant)))
            }
            Self::Real { values, nulls, comparison, constant } => {
                let order = if nulls.contains(row) { None } else { values[at].partial_cmp(constant) };
                order.map(|order| meets(*comparison, order))
            }
            Self::Date { days, comparison, constant } => {
                (days[at] != Column::NULL_DATE).then(|| meets(*comparison, days[at].cmp(constant)))
            }
            Self::DateTime { instants, comparison, constant } => {
                let order = (instants[at] != Column::NULL_INSTANT).then(|| instants[at].cmp(constant));
                order.map(|order| meets(*comparison, order))
            }
            Self::Text(test) => test.test(at),
            Self::Spatial(block, related) => related.test(ShapeRef::new(&block.shapes, row)),
            Self::Other(block, condition) => condition.eval(&Subject::Row(block, row)),
        }
    }
}

/// The comparison with its sides exchanged.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

/// A condition on one text field, tested once for each distinct text.
struct TextTest<'a> {
    codes: &'a [u32],
    dictionary: &'a Dictionary,
    condition: &'a Condition,
    /// For a row without a text.
    missing: Option<bool>,
    /// For each text: not tested yet, or what the test gave.
    known: RefCell<Vec<u8>>,
}

impl<'a> TextTest<'a> {
    const UNKNOWN: u8 = 0;

    fn new(codes: &'a [u32], dictionary: &'a Dictionary, condition: &'a Condition) -> Self {
        let missing = condition.eval(&Subject::Value(ValueRef::Null));
        let known = RefCell::new(vec![Self::UNKNOWN; dictionary.len()]);
        Self { codes, dictionary, condition, missing, known }
    }

    fn test(&self, at: usize) -> Option<bool> {
        let code = self.codes[at];
        if code == Column::NULL_CODE {
            return self.missing;
        }
        let known = &mut self.known.borrow_mut()[code as usize];
        if *known == Self::UNKNOWN {
            *known = match self.condition.eval(&Subject::Value(ValueRef::Text(self.dictionary.get(code)))) {
                Some(false) => 1,
                Some(true) => 2,
                None => 3,
            };
        }
        match *known {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        }
    }
}

/// What a condition reads of a feature.
#[derive(Debug, Default)]
struct Inputs {
    fields: Vec<usize>,
    geometry: bool,
}

impl Inputs {
    /// The field, if there is exactly one.
    fn only_field(&self) -> Option<usize> {
        let first = *self.fields.first()?;
        self.fields.iter().all(|field| *field == first).then_some(first)
    }

    fn of_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::All(conditions) | Condition::Any(conditions) => {
                conditions.iter().for_each(|condition| self.of_condition(condition));
            }
            Condition::Not(condition) => self.of_condition(condition),
            Condition::Missing(field) => self.fields.push(*field),
            Condition::IsNull(operand) => self.of_operand(operand),
            Condition::Truth(scalar) | Condition::Like(scalar, _) | Condition::InConstants(scalar, _) => {
                self.of_scalar(scalar);
            }
            Condition::Compare(_, a, b) => [a, b].into_iter().for_each(|scalar| self.of_scalar(scalar)),
            Condition::In(scalar, list) => {
                self.of_scalar(scalar);
                list.iter().for_each(|scalar| self.of_scalar(scalar));
            }
            Condition::Spatial(..) => self.geometry = true,
            Condition::Temporal(_, a, b) => {
                a.scalars().chain(TemporalOperand::scalars(b)).for_each(|scalar| self.of_scalar(scalar));
            }
            Condition::Array(_, a, b) => a.iter().chain(b).for_each(|scalar| self.of_scalar(scalar)),
        }
    }

    fn of_operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Scalar(scalar) => self.of_scalar(scalar),
            Operand::Geometry(_) => self.geometry = true,
        }
    }

    fn of_scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Constant(_) => {}
            Scalar::Field(field, _) => self.fields.push(*field),
            Scalar::Condition(condition) => self.of_condition(condition),
            Scalar::Arithmetic(_, args) => args.iter().for_each(|arg| self.of_scalar(arg)),
            Scalar::Fold(_, text) => self.of_scalar(text),
            Scalar::Call(_, operand) => self.of_operand(operand),
        }
    }
}
