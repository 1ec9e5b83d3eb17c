//! What the head of an Esri JSON file says and GDAL does not hand on: which fields are dates, what fields are
//! called, and their domains.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use citymap_model::{Domain, Title, ValueRange};
use serde::Deserialize;
use serde_json::Value as Json;

use super::domains::{ColumnFacts, Facts};

/// As much of the file as is needed.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Head {
    fields: Vec<FieldHead>,
    /// The field whose values are the ids of `types`.
    type_id_field: Option<String>,
    types: Vec<Subtype>,
}

#[derive(Deserialize)]
struct FieldHead {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    alias: Option<String>,
    #[serde(default)]
    domain: Option<Json>,
}

#[derive(Deserialize)]
struct Subtype {
    id: Json,
    name: String,
}

/// The domain of a field. Other kinds than these two are passed over.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum DomainHead {
    #[serde(rename_all = "camelCase")]
    CodedValue {
        coded_values: Vec<CodedValue>,
    },
    Range {
        range: [f64; 2],
    },
}

#[derive(Deserialize)]
struct CodedValue {
    name: String,
    code: Json,
}

fn head(path: &Path) -> Result<Head, String> {
    let file = BufReader::with_capacity(1 << 18, File::open(path).map_err(|error| error.to_string())?);
    serde_json::from_reader(file).map_err(|error| error.to_string())
}

/// The fields whose values are dates, as milliseconds since 1970.
///
/// # Errors
/// The reason, if the file cannot be read or is no JSON.
pub(super) fn dates(path: &Path) -> Result<BTreeSet<String>, String> {
    let is_date = |field: &FieldHead| field.kind == "esriFieldTypeDate";
    Ok(head(path)?.fields.into_iter().filter(is_date).map(|field| field.name).collect())
}

/// What the head says of the fields.
///
/// # Errors
/// As [`dates`].
pub(super) fn facts(path: &Path) -> Result<Facts, String> {
    let head = head(path)?;
    let mut facts: Facts = head.fields.into_iter().map(field).collect();
    if let Some(own) = head.type_id_field.and_then(|name| facts.get_mut(&name))
        && own.domain.is_none()
    {
        let types = head.types.into_iter().filter_map(|own| Some((code(&own.id)?, own.name)));
        own.domain = ColumnFacts::codes(types).domain;
    }
    Ok(facts)
}

fn field(own: FieldHead) -> (String, ColumnFacts) {
    let mut facts = match own.domain.map(serde_json::from_value) {
        Some(Ok(DomainHead::CodedValue { coded_values })) => {
            ColumnFacts::codes(coded_values.into_iter().filter_map(|own| Some((code(&own.code)?, own.name))))
        }
        Some(Ok(DomainHead::Range { range: [min, max] })) => {
            let range = ValueRange { min: Some(min), max: Some(max), ..ValueRange::default() };
            ColumnFacts { domain: Some(Domain::Range(range)), ..ColumnFacts::default() }
        }
        _ => ColumnFacts::default(),
    };
    facts.title = own.alias.filter(|alias| !alias.is_empty() && *alias != own.name).map(Title::same);
    (own.name, facts)
}

/// A code, which may be a text or a number.
fn code(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
