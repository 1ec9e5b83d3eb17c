//! How the fields of a source layer become those of a layer: which are taken, under which names, as which
//! types.
//!
//! A source's fields are those of its format. `--drop-field`, `--field OLD=NEW` and `--type FIELD=TYPE`
//! change them in any mode. Where features are added to a layer that the record has, its definition
//! decides: names that differ in case only are the layer's, and every value is read as the layer's type. A
//! value that cannot be read so rejects its feature.

mod convert;

use citymap_model::{Field, FieldType, Layer, UtcOffset, Value, nearest, text::tidy_name};
use serde::{Deserialize, Serialize};

use crate::{ImportError, Request, dates::looks_like_date, rejects::own_columns, source::SourceLayer};

/// The column of a table of rejects that numbers its rows.
const REJECT_FID: &str = "reject_fid";
/// The position of the geometry as text among our own columns of a table of rejects.
const GEOMETRY_TEXT: usize = 3;
/// Fields that an error message proposes for one that is not there.
const NEAREST: usize = 5;

/// Where the values of a layer's fields come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FieldFit {
    /// The fields that are taken, under their new names and with their new types.
    pub fields: Vec<Field>,
    /// For each of them, its position and its type in the source.
    from: Vec<(usize, FieldType)>,
    /// The city's difference from UTC, for times that do not state theirs; of no use beyond the reading side.
    #[serde(skip)]
    offset: Option<UtcOffset>,
    /// The source's column with geometry as text that was rejected before.
    rejected_text: Option<usize>,
    /// What there is to say of it.
    pub notes: Vec<String>,
}

/// The values of a feature in the order of the layer's fields.
pub(crate) struct Fitted {
    pub values: Vec<Value>,
    /// Why they cannot be taken. They are as the source has them then.
    pub fault: Option<String>,
    /// The text of a geometry that was rejected before and has not been corrected.
    pub rejected_text: Option<String>,
}

impl FieldFit {
    /// Chooses and names the fields of a source layer as the request says.
    ///
    /// # Errors
    /// [`ImportError::Usage`] if two fields would have the same name.
    pub(crate) fn new(request: &Request, found: &SourceLayer) -> Result<Self, ImportError> {
        let mut fit = Self { offset: Some(request.city.utc_offset), ..Self::default() };
        let own = own_positions(&found.fields);
        if let Some(text) = own.get(GEOMETRY_TEXT) {
            fit.rejected_text = Some(*text);
            fit.notes.push(
                "it is a table of rejects: its own columns (reason, feature_index, line, \
                            geometry_text) were left out"
                    .to_owned(),
            );
        }
        for (position, field) in found.fields.iter().enumerate() {
            let name = tidy_name(&field.name);
            let dropped = request.drop_fields.contains(&name)
                || own.contains(&position)
                || (!own.is_empty() && field.name == REJECT_FID);
            if dropped {
                continue;
            }
            let mut own = Field { name, ..field.clone() };
            if let Some((_, new)) = request.renames.iter().find(|(old, _)| *old == own.name) {
                own.name.clone_from(new);
            }
            if let Some(field_type) = request.asked_type(&own.name) {
                own.field_type = field_type;
            }
            if fit.fields.iter().any(|field| field.name == own.name) {
                return Err(ImportError::Usage(format!(
                    "two fields would be called `{}`; leave one out with --drop-field NAME, or name it \
                     otherwise with --field OLD=NEW",
                    own.name
                )));
            }
            fit.fields.push(own);
            fit.from.push((position, field.field_type));
        }
        Ok(fit)
    }

    /// Fits the fields to those of a layer to which features are added.
    ///
    /// # Errors
    /// [`ImportError::Usage`] if the layer has no such field, with the options that help.
    pub(crate) fn onto(mut self, present: &Layer) -> Result<Self, ImportError> {
        let mut fitted: Vec<Field> = Vec::new();
        for field in &self.fields {
            let there = present.fields.iter().find(|own| own.name == field.name).or_else(|| {
                let mut alike =
                    present.fields.iter().filter(|own| own.name.to_lowercase() == field.name.to_lowercase());
                alike.next().filter(|_| alike.next().is_none())
            });
            let Some(own) = there else {
                let names: Vec<&str> = present.fields.iter().map(|own| own.name.as_str()).collect();
                return Err(ImportError::Usage(format!(
                    "layer `{}` has no field `{name}`; leave it out with --drop-field {name}, or say which \
                     one it is with --field {name}=NEW (the nearest are {}); --mode replace makes the layer \
                     anew with all fields of the source",
                    present.id,
                    nearest(&field.name, &names, NEAREST).join(", "),
                    name = field.name,
                )));
            };
            if own.name != field.name {
                self.notes.push(format!("field `{}` was taken as `{}` of the layer", field.name, own.name));
            }
            if fitted.iter().any(|one| one.name == own.name) {
                return Err(ImportError::Usage(format!(
                    "two fields of the source fit the field `{}` of layer `{}`; leave one out with \
                     --drop-field NAME",
                    own.name, present.id
                )));
            }
            fitted.push(own.clone());
        }
        let missing: Vec<String> = present
            .fields
            .iter()
            .filter(|own| fitted.iter().all(|field| field.name != own.name))
            .map(|own| format!("`{}`", own.name))
            .collect();
        if !missing.is_empty() {
            self.notes.push(format!(
                "the source has no {}: empty in new features, and as they were in those that are there",
                missing.join(", ")
            ));
        }
        self.fields = fitted;
        Ok(self)
    }

    /// The fields with the types by which a table of rejects keeps their values.
    pub(crate) fn reject_fields(&self) -> Vec<Field> {
        let field = |(field, (_, source)): (&Field, &(usize, FieldType))| {
            let same = field.field_type == *source;
            Field::new(field.name.clone(), if same { *source } else { FieldType::Text })
        };
        self.fields.iter().zip(&self.from).map(field).collect()
    }

    /// The values of a sample in the order of the fields, without conversion.
    pub(crate) fn sample(&self, rows: &[Vec<Value>]) -> Vec<Vec<Value>> {
        let value = |row: &Vec<Value>, at: usize| row.get(at).cloned().unwrap_or_default();
        rows.iter().map(|row| self.from.iter().map(|(at, _)| value(row, *at)).collect()).collect()
    }

    /// The values of a feature as the fields' types. A feature of which nothing was understood has none.
    pub(crate) fn apply(&self, mut values: Vec<Value>) -> Fitted {
        let mut fitted = Fitted { values: Vec::new(), fault: None, rejected_text: None };
        if values.is_empty() {
            return fitted;
        }
        if let Some(Value::Text(text)) = self.rejected_text.and_then(|at| values.get_mut(at)) {
            fitted.rejected_text = Some(std::mem::take(text)).filter(|text| !text.is_empty());
        }
        let mut take = |at: usize| values.get_mut(at).map(std::mem::take).unwrap_or_default();
        fitted.values = self.from.iter().map(|(at, _)| take(*at)).collect();
        let is_other = |(value, field): (&Value, &Field)| {
            value.field_type().is_some_and(|found| found != field.field_type)
        };
        if !fitted.values.iter().zip(&self.fields).any(is_other) {
            return fitted;
        }
        let converted: Result<Vec<Value>, (&Value, &Field)> = fitted
            .values
            .iter()
            .zip(&self.fields)
            .map(|(value, field)| {
                convert::convert(value, field.field_type, self.offset).ok_or((value, field))
            })
            .collect();
        match converted {
            Ok(values) => fitted.values = values,
            // The value is not repeated: it may be personal.
            Err((value, field)) => fitted.fault = Some(refusal(value, field)),
        }
        fitted
    }
}

/// Why a value cannot be one of a field.
fn refusal(value: &Value, field: &Field) -> String {
    let (name, own) = (&field.name, field.field_type.as_str());
    let written = match (value, field.field_type) {
        (Value::Text(text), FieldType::Date | FieldType::DateTime) => looks_like_date(text),
        _ => None,
    };
    match written {
        None => format!(
            "field `{name}` is of the type {own}, and its value is not; correct it and import it again"
        ),
        Some(true) => format!(
            "field `{name}` is of the type {own}, and its value is no date in the order of day and month in \
             which \
             the column is read; --date-order dmy, mdy or ymd says another, or correct it"
        ),
        Some(false) => format!(
            "field `{name}` is of the type {own}, and its value is no day of the calendar; correct it and \
             import it \
             again"
        ),
    }
}

/// The positions of our own columns, if these are the fields of a table of rejects.
fn own_positions(fields: &[Field]) -> Vec<usize> {
    let fields: Vec<(usize, &str)> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| (at, field.name.as_str()))
        .filter(|(_, name)| *name != REJECT_FID)
        .collect();
    let count = own_columns(fields.iter().map(|(_, name)| *name));
    fields.into_iter().take(count).map(|(at, _)| at).collect()
}

/// Refuses names of fields that no layer of the sources has.
pub(crate) fn check(request: &Request, layers: &[&SourceLayer]) -> Result<(), ImportError> {
    let names: Vec<String> =
        layers.iter().flat_map(|layer| layer.fields.iter().map(|field| tidy_name(&field.name))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let asked = request
        .renames
        .iter()
        .map(|(old, _)| ("--field", old))
        .chain(request.drop_fields.iter().map(|name| ("--drop-field", name)));
    let renamed = request.renames.iter().map(|(_, new)| new.as_str());
    let after: Vec<&str> = names.iter().copied().chain(renamed).collect();
    let unknown = asked
        .map(|(option, name)| (option, name, &names))
        .chain(request.types.iter().map(|(name, _)| ("--type", name, &after)))
        .find(|(_, name, known)| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((option, name, known)) => Err(ImportError::Usage(format!(
            "{option}: there is no field `{name}`; the nearest are: {}",
            nearest(name, known, NEAREST).join(", ")
        ))),
    }
}
