//! Why a file could not be written, with what to do about it where that is known.

use std::{error::Error, io, path::Path};

use citymap_files::FileError;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The file's name ends in no known format.
    #[error("`{0}` does not say which format to write: end the name with .csv, .geojson, .gpkg or .parquet")]
    Format(String),
    /// There is a file of that name.
    #[error("{0} already exists; give another name, or remove it first")]
    Exists(String),
    /// The disk or the format refused.
    #[error("{path} cannot be written: {reason}")]
    Write {
        /// Path of the file.
        path: String,
        /// What happened, and what to do where that is known.
        reason: String,
        /// The error of the disk or of the format, if one was the cause.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The path cannot be used for an output.
    #[error(transparent)]
    File(FileError),
    /// The result has no name that a table can have.
    #[error("the result has a name that no table can have; this is a fault of the program")]
    Table,
    /// A row does not fit the table.
    #[error("a row of {found} values was given for {expected} columns")]
    Width {
        /// Values of the row.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// The shape or the measure of a piece could not be computed.
    #[error(transparent)]
    Engine(#[from] citymap_engine::EngineError),
}

impl OutputError {
    /// An error of the file system, with what to do where that is known.
    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full; make room and try again".to_owned(),
            io::ErrorKind::PermissionDenied => "the folder is not writable; choose another one".to_owned(),
            io::ErrorKind::NotFound => "its folder does not exist; create it first".to_owned(),
            _ => error.to_string(),
        };
        Self::Write { path: path.display().to_string(), reason, source: Some(error.into()) }
    }

    /// An error of the library that writes a format.
    pub(crate) fn format(path: &Path, error: impl Error + Send + Sync + 'static) -> Self {
        let reason = error.to_string();
        Self::Write { path: path.display().to_string(), reason, source: Some(Box::new(error)) }
    }
}

impl From<FileError> for OutputError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists { path } => Self::Exists(path.display().to_string()),
            FileError::Io { path, source } => Self::io(&path, source),
            other => Self::File(other),
        }
    }
}
