use std::{io, path::Path};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The name's ending says no format that is known.
    #[error("`{0}` says no format: end the name with .csv, .gpkg or .parquet")]
    Format(String),
    /// There is a file of that name.
    #[error("{0} is there already; give another name, or remove it first")]
    Exists(String),
    /// The disk or the format refused.
    #[error("{path} cannot be written: {reason}")]
    Write {
        /// The file.
        path: String,
        /// What was said.
        reason: String,
    },
    /// A row does not fit the table.
    #[error("a row of {found} values came for {expected} columns")]
    Width {
        /// Values of the row.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// The shape or the measure of a row could not be had.
    #[error(transparent)]
    Engine(#[from] citymap_engine::EngineError),
}

impl OutputError {
    /// What the system said of a file, and what to do where that is known.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full; make room and try again".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "the folder may not be written to; choose another one".to_owned()
            }
            io::ErrorKind::NotFound => "its folder is not there; make it first".to_owned(),
            _ => error.to_string(),
        };
        Self::Write { path: path.display().to_string(), reason }
    }

    pub(crate) fn other(path: &Path, reason: impl ToString) -> Self {
        Self::Write { path: path.display().to_string(), reason: reason.to_string() }
    }
}
