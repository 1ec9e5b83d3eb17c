//! Values of features as a report shows them: the raw text, and what it means.

use chrono::NaiveDate;
use citymap_access::{Audience, VisibleFields, visible};
use citymap_engine::{LayerSnapshot, Row, ValueRef};
use citymap_model::{Field, Meaning, Title, Value};
use serde::Serialize;

/// A value with its text, where a code list has one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coded {
    /// The value as it is in the record.
    pub value: String,
    /// What it means, where the field's code list says so.
    pub title: Option<Title>,
}

/// The public values of one feature. Fields that hold personal data are as if they did not exist.
pub(crate) struct FeatureValues<'a> {
    snapshot: &'a LayerSnapshot,
    fields: VisibleFields<'a>,
    row: Row,
}

impl<'a> FeatureValues<'a> {
    pub(crate) fn new(snapshot: &'a LayerSnapshot, row: Row, audience: &Audience) -> Self {
        Self { snapshot, fields: visible(snapshot.layer(), audience), row }
    }

    /// The visible fields with their positions.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (usize, &'a Field)> + use<'a> {
        self.fields.iter()
    }

    pub(crate) fn index(&self, meaning: Meaning) -> Option<usize> {
        self.snapshot.layer().field_meaning(meaning).filter(|index| self.fields.contains(*index))
    }

    pub(crate) fn value(&self, index: usize) -> Value {
        match self.snapshot.value(self.row, index) {
            ValueRef::Null => Value::Null,
            ValueRef::Bool(value) => Value::Bool(value),
            ValueRef::Int(value) => Value::Int(value),
            ValueRef::Real(value) => Value::Real(value),
            ValueRef::Text(value) => Value::Text(value.to_owned()),
            ValueRef::Date(value) => Value::Date(value),
            ValueRef::DateTime(value) => Value::DateTime(value),
        }
    }

    /// The value of the field with this meaning as a text.
    pub(crate) fn text(&self, meaning: Meaning) -> Option<String> {
        self.value(self.index(meaning)?).to_key()
    }

    /// The value of the field with this meaning, and what it means.
    pub(crate) fn coded(&self, meaning: Meaning) -> Option<Coded> {
        let index = self.index(meaning)?;
        let value = self.value(index).to_key()?;
        let title = self.snapshot.layer().fields[index].code(&value).map(|code| code.title.clone());
        Some(Coded { value, title })
    }

    /// The value of the field with this meaning as a number.
    pub(crate) fn number(&self, meaning: Meaning) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "widths and areas are far below 2^53")]
        match self.snapshot.value(self.row, self.index(meaning)?) {
            ValueRef::Int(value) => Some(value as f64),
            ValueRef::Real(value) => Some(value).filter(|value| value.is_finite()),
            ValueRef::Text(value) => value.trim().replace(',', ".").parse().ok(),
            _ => None,
        }
    }

    /// The layer's temporal field: the day of a decision, or from which the feature is valid.
    pub(crate) fn day_index(&self) -> Option<usize> {
        self.index(Meaning::ValidFrom).or_else(|| self.fields.instant_index())
    }

    /// The day of the layer's temporal field.
    pub(crate) fn day(&self) -> Option<NaiveDate> {
        match self.snapshot.value(self.row, self.day_index()?) {
            ValueRef::Date(day) => Some(day),
            ValueRef::DateTime(at) => Some(at.date_naive()),
            _ => None,
        }
    }
}
