//! What fits a layer: its own definition, a change set's, values and geometry.

use std::collections::HashSet;

use chrono::Datelike;
use citymap_geometry::{GeometryKind, KindMismatch, wkb};
use citymap_model::{Layer, Value, YEARS};

use crate::StoreError;

/// A refusal of a layer's definition.
pub(crate) fn unfit(layer: &Layer, reason: &str) -> StoreError {
    StoreError::Schema { layer: layer.id.clone(), reason: reason.to_owned() }
}

/// Refuses a definition that contradicts itself.
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

/// Where each column's value stands in what the change set brings; `None` if in the same place.
pub(crate) fn mapping(existing: &Layer, given: &Layer) -> Result<Option<Vec<Option<usize>>>, StoreError> {
    for field in &given.fields {
        let Some(index) = existing.field_index(&field.name) else {
            return Err(unfit(
                given,
                &format!("it has no field `{}`; leave it out, or import with --mode replace", field.name),
            ));
        };
        let there = existing.fields[index].field_type;
        if there != field.field_type {
            return Err(unfit(
                given,
                &format!(
                    "field `{}` is {there:?} there and {:?} here; convert it, or import with --mode replace",
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
    let mapping: Vec<Option<usize>> =
        existing.fields.iter().map(|field| given.field_index(&field.name)).collect();
    let same = mapping.iter().enumerate().all(|(index, from)| *from == Some(index));
    Ok(if same { None } else { Some(mapping) })
}

/// Checks that a layer of the kind `layer` takes a geometry of a WKB type. An empty geometry fits every layer that has
/// geometry.
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

/// The key of a feature as text, `None` where it has none. An empty text is no key.
pub(crate) fn key_of(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    let key: std::borrow::Cow<'_, str> = match value {
        Value::Text(text) => text.as_str().into(),
        other => other.to_key()?.into(),
    };
    (!key.is_empty()).then_some(key)
}

/// A value of another type than its field is a fault of the program, not of the data.
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

/// Why no store takes these values; `None` if it does.
pub(crate) fn unstorable(values: &[Value]) -> Option<String> {
    values.iter().find_map(|value| match value {
        Value::Date(value) if !YEARS.contains(&value.year()) => {
            Some("a date lies outside the years 1 to 9999".to_owned())
        }
        Value::DateTime(value) if !YEARS.contains(&value.year()) => {
            Some("a date lies outside the years 1 to 9999".to_owned())
        }
        Value::Text(text) if text.contains('\0') => {
            Some("a text holds the character U+0000, which no database keeps; take it out".to_owned())
        }
        _ => None,
    })
}
