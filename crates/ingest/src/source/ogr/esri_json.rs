//! What the head of an Esri JSON file says and GDAL does not hand on: which fields are dates.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use serde::Deserialize;

/// As much of the file as is needed.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    fields: Vec<FieldHead>,
}

#[derive(Deserialize)]
struct FieldHead {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The fields whose values are dates, as milliseconds since 1970.
///
/// # Errors
/// The reason, if the file cannot be read or is no JSON.
pub(super) fn dates(path: &Path) -> Result<BTreeSet<String>, String> {
    let file = BufReader::with_capacity(1 << 18, File::open(path).map_err(|error| error.to_string())?);
    let head: Head = serde_json::from_reader(file).map_err(|error| error.to_string())?;
    let is_date = |field: &FieldHead| field.kind == "esriFieldTypeDate";
    Ok(head.fields.into_iter().filter(is_date).map(|field| field.name).collect())
}
