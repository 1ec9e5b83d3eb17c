//! Revisions: what a committed change set says about itself, and what it did.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::LayerId;

/// The number of a revision: 0 is the empty city, each committed change set adds one.
pub type RevisionNumber = u64;

/// What a commit says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommitMeta {
    /// The person or service that made the change.
    pub author: String,
    /// The reason, in a sentence.
    pub message: String,
    /// The source file's name, if there was one.
    pub source: Option<String>,
    /// The source file's SHA-256, hexadecimal.
    pub source_sha256: Option<String>,
}

/// What a revision did to one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerChange {
    /// The layer that was changed.
    pub layer: LayerId,
    /// How the change set was combined with what the layer had.
    pub mode: Mode,
    /// Number of features that did not exist before.
    pub added: u64,
    /// Number of features that existed before, by their key, and whose geometry or values differ now.
    pub changed: u64,
    /// Number of features that no longer exist.
    pub removed: u64,
    /// Number of features of the source that were not accepted.
    pub rejected: u64,
}

/// A committed change set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// The number, one above that of the revision before.
    pub number: RevisionNumber,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// Author, message and source.
    #[serde(flatten)]
    pub meta: CommitMeta,
    /// What it did, layer by layer.
    pub changes: Vec<LayerChange>,
}

/// How a change set is combined with what a layer has. [`Mode::IMPORT`] lists the modes of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The layer's features and fields become those of the change set.
    #[default]
    Replace,
    /// The features are added to those of the layer.
    Append,
    /// A feature whose key exists replaces the feature with that key; others are added.
    Upsert,
    /// Single features are added, changed and removed by their numbers.
    Edit,
    /// The layer's features, with their numbers, and its definition become those of an earlier
    /// revision or of another store.
    Restore,
    /// The layer and its features are removed; their history stays.
    Drop,
}

impl Mode {
    /// The modes that an import can have.
    pub const IMPORT: [Self; 3] = [Self::Replace, Self::Append, Self::Upsert];

    /// The mode's name in the log and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Edit => "edit",
            Self::Restore => "restore",
            Self::Drop => "drop",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the name of a mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode; an import's modes are replace, append, upsert")]
pub struct UnknownMode(pub String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Replace, Self::Append, Self::Upsert, Self::Edit, Self::Restore, Self::Drop]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}
