//! What fits a layer: its own definition, a change set's, values and geometry.

use std::collections::HashSet;

use chrono::Datelike;
use citymap_geometry::{GeometryKind, KindMismatch, wkb};
use citymap_model::{Layer, Value, YEARS};

use crate::{Refusal, StoreError};

/// The error for a layer's definition that cannot be used.
pub(crate) fn unfit(layer: &Layer, reason: &str) -> StoreError {
    StoreError::Schema { layer: layer.id.clone(), reason: reason.to_owned() }
}

/// Checks that a definition does not contradict itself.
pub(crate) fn check_definition(layer: &Layer) -> Result<(), StoreError> {
    let mut names = HashSet::new();
    if let Some(field) = layer.fields.iter().find(|field| !names.insert(field.name.as_str())) {
        return Err(unfit(
            layer,
            &format!("two fields are called `{}`; rename one in the source", field.name),
        ));
    }
    for (what, name) in [
        ("key", &layer.key),
        ("label", &layer.label),
        ("start of validity", &layer.valid_from),
        ("end of validity", &layer.valid_to),
    ] {
        if let Some(name) = name.as_deref().filter(|name| !names.contains(name)) {
            let mut known: Vec<&str> = layer.fields.iter().map(|field| field.name.as_str()).collect();
            known.truncate(20);
            return Err(unfit(
                layer,
                &format!(
                    "its {what} is the field `{name}`, which it lacks; its fields are {}",
                    known.join(", ")
                ),
            ));
        }
    }
    Ok(())
}

/// Where the value of each column comes from in what a change set brings. The default changes nothing.
#[derive(Debug, Default)]
pub(crate) struct FieldMapping(Option<Vec<Option<usize>>>);

impl FieldMapping {
    /// Maps the fields of `given` to those of the layer that is there; fields that it lacks become null.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a field or the kind of geometry does not fit.
    pub(crate) fn new(existing: &Layer, given: &Layer) -> Result<Self, StoreError> {
        check_fields(existing, given)?;
        let mapping: Vec<Option<usize>> =
            existing.fields.iter().map(|field| given.field_index(&field.name)).collect();
        let same = mapping.iter().enumerate().all(|(index, from)| *from == Some(index));
        Ok(Self(if same { None } else { Some(mapping) }))
    }

    /// The positions of the layer's fields that the change set lacks.
    pub(crate) fn missing(&self) -> impl Iterator<Item = usize> + '_ {
        let mapping = self.0.iter().flatten().enumerate();
        mapping.filter(|(_, from)| from.is_none()).map(|(position, _)| position)
    }

    /// The values in the order of the layer's columns.
    pub(crate) fn apply(&self, mut values: Vec<Value>) -> Vec<Value> {
        let Some(mapping) = &self.0 else { return values };
        let value = |from: &Option<usize>| from.map_or(Value::Null, |from| std::mem::take(&mut values[from]));
        mapping.iter().map(value).collect()
    }
}

/// Checks that a change set's fields are among those of the layer, and its geometry of the same kind.
fn check_fields(existing: &Layer, given: &Layer) -> Result<(), StoreError> {
    for field in &given.fields {
        let Some(index) = existing.field_index(&field.name) else {
            return Err(unfit(
                given,
                &format!(
                    "it has no field `{name}`; leave it out (--drop-field {name}) or name another one \
                     (--field {name}=NEW)",
                    name = field.name
                ),
            ));
        };
        let there = existing.fields[index].field_type;
        if there != field.field_type {
            return Err(unfit(
                given,
                &format!(
                    "field `{}` is {there:?} there and {:?} here; convert it",
                    field.name, field.field_type
                ),
            ));
        }
    }
    let (there, here) = (existing.geometry, given.geometry);
    if there != here
        && (there == GeometryKind::None || (there != GeometryKind::Mixed && here != GeometryKind::Mixed))
    {
        return Err(unfit(
            given,
            &format!(
                "it holds {}, the change set {}; import it into another layer",
                there.plural(),
                here.plural()
            ),
        ));
    }
    Ok(())
}

/// Checks that a layer of the kind `layer` takes a geometry of a WKB type. An empty geometry fits every layer
/// that has geometry.
pub(crate) fn check_kind(layer: GeometryKind, wkb_type: u32, empty: bool) -> Result<(), KindMismatch> {
    if empty && layer != GeometryKind::None {
        return Ok(());
    }
    layer.check(wkb::kind_of_code(wkb_type))
}

/// Whether features of one definition can be in the table of the other: the same kind of geometry and fields.
pub(crate) fn same_shape(a: &Layer, b: &Layer) -> bool {
    a.geometry == b.geometry && same_fields(a, b)
}

/// Whether the fields of two definitions have the same names and types, in the same order.
pub(crate) fn same_fields(a: &Layer, b: &Layer) -> bool {
    a.fields.len() == b.fields.len()
        && a.fields.iter().zip(&b.fields).all(|(a, b)| a.name == b.name && a.field_type == b.field_type)
}

/// The key of a feature as text; `None` if it has none. An empty text does not count as a key.
pub(crate) fn key_of(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    let key: std::borrow::Cow<'_, str> = match value {
        Value::Text(text) => text.as_str().into(),
        other => other.to_key()?.into(),
    };
    (!key.is_empty()).then_some(key)
}

/// Checks that values have the types of their fields; others are a mistake in the program, not in the data.
pub(crate) fn check_values(given: &Layer, values: &[Value]) -> Result<(), StoreError> {
    let fields = &given.fields;
    if values.len() != fields.len() {
        return Err(unfit(
            given,
            &format!("a feature brings {} values for {} fields", values.len(), fields.len()),
        ));
    }
    for (value, field) in values.iter().zip(fields) {
        if let Some(found) = value.field_type().filter(|found| *found != field.field_type) {
            return Err(unfit(
                given,
                &format!("field `{}` is {:?}, but a feature brings {found:?}", field.name, field.field_type),
            ));
        }
    }
    Ok(())
}

/// Checks values for what no store can hold, whatever their field.
pub(crate) fn check_storable(values: &[Value]) -> Result<(), Refusal> {
    values.iter().try_for_each(|value| match value {
        Value::Date(value) if !YEARS.contains(&value.year()) => Err(Refusal::Year),
        Value::DateTime(value) if !YEARS.contains(&value.year()) => Err(Refusal::Year),
        Value::Text(text) if text.contains('\0') => Err(Refusal::ZeroCharacter),
        _ => Ok(()),
    })
}
