//! The fields of a layer: names, types, meanings.

use serde::{Deserialize, Serialize};

use crate::{
    Domain, Meaning, Title,
    codes::{self, Code},
};

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// A truth value: `true` or `false`.
    Bool,
    /// A signed integer of 64 bits.
    Int,
    /// A floating-point number of 64 bits.
    Real,
    /// A text in Unicode, normalised to NFC.
    Text,
    /// A day of the calendar, without a time zone.
    Date,
    /// An instant in UTC, to the millisecond.
    DateTime,
}

impl FieldType {
    /// Every type that a field can have.
    pub const ALL: [Self; 6] = [Self::Bool, Self::Int, Self::Real, Self::Text, Self::Date, Self::DateTime];

    /// The name of the type in answers and messages: `bool`, `int`, `real`, `text`, `date` or
    /// `datetime`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Real => "real",
            Self::Text => "text",
            Self::Date => "date",
            Self::DateTime => "datetime",
        }
    }
}

/// A field of a layer: a name as the source has it, and what people should read instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The name, exactly as in the source.
    pub name: String,
    /// The type of the values.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What people read; empty means that the name serves.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// The unit of a number (`m²`, `%`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The code list whose codes the values are, by its id in `data/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_list: Option<String>,
    /// The values that the field may have, as its source or its steward declares them: codes of its own,
    /// which count in place of those of `code_list`, a range, or a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// What the values say about the feature, if that is known; search, tiles and the map go by it, not by
    /// the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// Whether the values are personal data (Law 91/2025/QH15). Such a field is stored, and is
    /// absent from tiles, public answers, logs and reports.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}

impl Field {
    /// A field with a name and a type and nothing else.
    pub fn new(name: impl Into<String>, field_type: FieldType) -> Self {
        Self {
            name: name.into(),
            field_type,
            title: Title::default(),
            unit: None,
            code_list: None,
            domain: None,
            meaning: None,
            personal: false,
        }
    }

    /// The same field with titles for people.
    pub fn titled(mut self, vi: &str, en: &str) -> Self {
        self.title = Title::new(vi, en);
        self
    }

    /// The same field with a unit.
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// The same field with a code list.
    pub fn coded(mut self, code_list: &str) -> Self {
        self.code_list = Some(code_list.to_owned());
        self
    }

    /// The same field with a domain, which must fit the field's type ([`Domain::fitted`]).
    pub fn within(mut self, domain: Domain) -> Self {
        self.domain = Some(domain);
        self
    }

    /// The codes of the field: its own, or else those of its built-in list; empty if it has neither.
    pub fn codes(&self) -> &[Code] {
        match self.domain.as_ref().map_or(&[][..], Domain::codes) {
            [] => self.code_list.as_deref().and_then(codes::builtin).map_or(&[], |list| &list.entries),
            own => own,
        }
    }

    /// The entry of a code, with its text.
    pub fn code(&self, code: &str) -> Option<&Code> {
        self.codes().iter().find(|entry| entry.code == code)
    }

    /// The same field with a meaning.
    pub fn means(mut self, meaning: Meaning) -> Self {
        self.meaning = Some(meaning);
        self
    }
}
