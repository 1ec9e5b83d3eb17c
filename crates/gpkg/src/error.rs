//! What can go wrong with a GeoPackage file, and what to do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::blob::NotFinite;

/// Why a GeoPackage could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpkgError {
    /// SQLite refused; the text begins with what to do where that is known.
    #[error("{}", with_advice(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// A new file was to be made, and there is one.
    #[error("{} already exists; give another name", .0.display())]
    Exists(PathBuf),
    /// The text of the table's definition is not the one that this program writes, so it cannot be edited.
    #[error("another program rebuilt the table of layer `{0}`; import the layer again with --mode replace")]
    Rebuilt(String),
    /// A row has another number of values than the table has fields.
    #[error("a row of {found} values was given for {expected} fields")]
    Width {
        /// Values of the row.
        found: usize,
        /// Fields of the table.
        expected: usize,
    },
    /// A geometry cannot be indexed.
    #[error("row {row}: {source}")]
    NotFinite {
        /// The row's number, from 1.
        row: u64,
        /// What is wrong with it.
        source: NotFinite,
    },
}

/// What to do about an error of SQLite, for those that have one usual cause.
pub fn advice(error: &rusqlite::Error) -> Option<&'static str> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::DiskFull => "the disk is full, and nothing was changed; make room and try again",
        ErrorCode::ReadOnly => "the file is not writable; change its permissions or those of its folder",
        ErrorCode::CannotOpen => {
            "the file cannot be opened; its folder must exist and, for SQLite's -wal and -shm files, be \
             writable"
        }
        ErrorCode::DatabaseCorrupt => {
            "the file is damaged; `citymap doctor` reports details; restore it from a backup"
        }
        ErrorCode::SystemIoFailure => "reading or writing failed; check the disk",
        _ => return None,
    })
}

fn with_advice(error: &rusqlite::Error) -> String {
    match advice(error) {
        Some(advice) => format!("{advice} ({error})"),
        None => error.to_string(),
    }
}
