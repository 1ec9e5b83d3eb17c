//! What an operator writes on every sheet: a JSON file.

use std::{fs, io, path::Path};

use citymap_model::Title;
use serde::Deserialize;

/// Maximum size of a template file in bytes.
const BYTES_MAX: u64 = 64 << 10;
/// Maximum number of own lines of the title block.
const FIELDS_MAX: usize = 8;
/// Maximum number of characters of a text of the template.
const TEXT_MAX: usize = 400;

/// What an operator writes on every sheet.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrintTemplate {
    /// Who publishes the map, above its title.
    pub organization: Title,
    /// The title of maps for which an order names none.
    pub title: Title,
    /// Instead of the standard note that the map is for reference only.
    pub disclaimer: Title,
    /// Lines of the title block, for example who made and who checked the map.
    pub fields: Vec<TemplateField>,
}

/// A line of the title block.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateField {
    /// What the line tells.
    pub label: Title,
    /// Its value; empty for a line to be filled in by hand.
    #[serde(default)]
    pub value: Title,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("the print template {path} cannot be read: {source}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a template.
    #[error("the print template {path} cannot be used: {fault}; docs/pictures.md describes its members")]
    Invalid {
        /// The path of the file.
        path: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl PrintTemplate {
    /// Reads a template file.
    ///
    /// # Errors
    /// [`TemplateError`] if it cannot be read, or has members or sizes that are not allowed.
    pub fn load(path: &Path) -> Result<Self, TemplateError> {
        let shown = || path.display().to_string();
        let unreadable = |source| TemplateError::Unreadable { path: shown(), source };
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        if bytes > BYTES_MAX {
            let fault = format!("it has {bytes} bytes, at most {BYTES_MAX} are read");
            return Err(TemplateError::Invalid { path: shown(), fault });
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text).map_err(|fault| TemplateError::Invalid { path: shown(), fault })
    }

    /// Reads a template from JSON.
    ///
    /// # Errors
    /// What is wrong, in a clause.
    pub fn parse(text: &str) -> Result<Self, String> {
        let template: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if template.fields.len() > FIELDS_MAX {
            return Err(format!("`fields` has more than {FIELDS_MAX} members"));
        }
        let fields = template.fields.iter().flat_map(|field| [&field.label, &field.value]);
        let texts = [&template.organization, &template.title, &template.disclaimer].into_iter().chain(fields);
        let long = |title: &Title| [&title.vi, &title.en].iter().any(|text| text.chars().count() > TEXT_MAX);
        if texts.into_iter().any(long) {
            return Err(format!("a text has more than {TEXT_MAX} characters"));
        }
        Ok(template)
    }
}
