//! Which fields of a file are proposed as personal data (Law 91/2025/QH15), and why.
//!
//! A field is proposed by parts of its name ([`rules`], after [`words`] has taken the name apart) or by the
//! form of its first values ([`values`]). When in doubt a field is personal: one that is hidden by mistake is
//! shown with `--public`, one that was shown by mistake cannot be taken back. What the steward says goes
//! before the proposal, and what was personal in the record stays so.

mod labels;
mod names;
mod rules;
mod values;
mod words;

use citymap_access::{Audience, visible, was_personal};
use citymap_model::{Field, GeometryKind, Layer, Value, nearest, text::tidy_name};
use serde::{Deserialize, Serialize};

use crate::{ImportError, Request, source::SourceLayer};
use values::About;

/// A field that holds personal data, and why it is taken for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalField {
    /// The name of the field.
    pub field: String,
    /// Why: a half sentence, such as "its name says that it holds phone numbers".
    pub reason: String,
}

/// Fields that an error message proposes for one that is not there.
const NEAREST: usize = 5;

/// Why a field is personal; none if it is not. `values` are its first values. In a layer of lines (`lines`)
/// names of persons are those of streets.
fn proposed<'a>(
    field: &Field,
    values: impl Iterator<Item = &'a Value> + Clone,
    lines: bool,
) -> Option<String> {
    let other = || {
        rules::values_decide(&field.name)
            && (values::name_places(values.clone()) || values::are_codes(values.clone()))
    };
    if let Some(kind) = rules::kind_of_name(&field.name)
        && !other()
    {
        return Some(format!("its name says that it holds {}", kind.as_str()));
    }
    let about = About {
        things: rules::identifies_a_thing(&field.name),
        places: lines || rules::names_a_place(&field.name),
    };
    Some(format!("its values look like {}", values::kind_of_values(values, about)?.as_str()))
}

/// Decides for each field of a layer whether it is personal, and gives those that are with the reason.
///
/// `kind` is what geometry the source has. In this order: `--personal` and `--public`, the definition in the
/// record (`present`; what is personal there stays so), the proposal from the name and the first values
/// (`sample`, one row of values a feature).
/// Where features are added to a layer that the record has, its definition stays, and it alone decides.
pub(crate) fn decide(
    fields: &[Field],
    sample: &[Vec<Value>],
    present: Option<&Layer>,
    request: &Request,
    kind: GeometryKind,
) -> Vec<PersonalField> {
    let lines = matches!(kind, GeometryKind::Line);
    let former =
        |name: &str| request.renames.iter().find(|(_, new)| new == name).map(|(old, _)| old.as_str());
    let declared = |name: &str| {
        present.is_some_and(|layer| {
            [Some(name), former(name)].into_iter().flatten().any(|name| was_personal(layer, name))
        })
    };
    let stays = present.is_some() && request.keeps_definitions();
    let reason = |index: usize, field: &Field| {
        if request.personal.contains(&field.name) {
            return Some("asked for (--personal)".to_owned());
        }
        if request.public.contains(&field.name) {
            return None;
        }
        if declared(&field.name) {
            return Some("it is personal in the record already".to_owned());
        }
        if stays {
            return None;
        }
        let values = sample.iter().filter_map(|row| row.get(index));
        let renamed = former(&field.name).map(|old| Field { name: old.to_owned(), ..field.clone() });
        proposed(field, values.clone(), lines).or_else(|| proposed(&renamed?, values, lines))
    };
    let named = |(index, field): (usize, &Field)| {
        reason(index, field).map(|reason| PersonalField { field: field.name.clone(), reason })
    };
    fields.iter().enumerate().filter_map(named).collect()
}

/// The names under which the source has personal data that the layer will not have: fields that are left out,
/// and the former names of personal ones. They are personal when they come back.
pub(crate) fn gone(
    found: &SourceLayer,
    present: Option<&Layer>,
    request: &Request,
    personal: &[PersonalField],
) -> Vec<String> {
    let lines = matches!(found.kind, GeometryKind::Line);
    let dropped = found.fields.iter().enumerate().filter(|(index, field)| {
        let values = found.sample.iter().filter_map(|row| row.get(*index));
        request.drop_fields.contains(&tidy_name(&field.name))
            && (present.is_some_and(|layer| was_personal(layer, &tidy_name(&field.name)))
                || proposed(field, values, lines).is_some())
    });
    let renamed = request
        .renames
        .iter()
        .filter(|(_, new)| personal.iter().any(|own| own.field == *new))
        .map(|(old, _)| old);
    dropped.map(|(_, field)| tidy_name(&field.name)).chain(renamed.cloned()).collect()
}

/// Refuses to make a layer anew without personal fields that it has: an export without them that comes back,
/// most likely. A field that is renamed, or left out by its name, is no accident.
///
/// # Errors
/// [`ImportError::Usage`] with what would be lost.
pub(crate) fn refuse_loss(
    shown: &str,
    present: &Layer,
    layer: &Layer,
    request: &Request,
) -> Result<(), ImportError> {
    let is = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let lost: Vec<String> = visible(present, &Audience::Public)
        .hidden()
        .map(|(_, field)| field.name.as_str())
        .filter(|name| {
            !layer.fields.iter().any(|field| is(&field.name, name))
                && !request.drop_fields.iter().any(|dropped| is(dropped, name))
                && !request.renames.iter().any(|(old, _)| is(old, name))
        })
        .map(|name| format!("`{name}`"))
        .collect();
    if lost.is_empty() || request.allow_drop_personal {
        return Ok(());
    }
    Err(ImportError::Usage(format!(
        "{shown}: the source lacks personal fields of layer `{id}`, whose values would be lost: {}; nothing \
         was changed. An export without --personal lacks them: export it with --personal, or bring the \
         changes in with --mode upsert, which keeps them; --allow-drop-personal lets them go",
        lost.join(", "),
        id = present.id,
    )))
}

/// Refuses `--personal` and `--public` that contradict each other or name a field that no layer has.
pub(crate) fn check(request: &Request, fields: &[&str]) -> Result<(), ImportError> {
    if let Some(both) = request.personal.iter().find(|name| request.public.contains(name)) {
        return Err(ImportError::Usage(format!(
            "`{both}` is named by --personal and by --public; leave it out of one of them"
        )));
    }
    for (option, names) in [("--personal", &request.personal), ("--public", &request.public)] {
        if let Some(unknown) = names.iter().find(|name| !fields.contains(&name.as_str())) {
            let near = nearest(unknown, fields, NEAREST).join(", ");
            return Err(ImportError::Usage(format!(
                "{option}: there is no field `{unknown}`; the nearest are: {near}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
