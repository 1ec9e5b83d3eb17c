use citymap_gpkg::GpkgError;
use rusqlite::{Error as Sql, ErrorCode};

use crate::StoreError;

/// What goes wrong inside this module, before it is known where the file is.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite said no.
    Sql(Sql),
    /// The record holds what it should not; the text says where and what to do.
    Content(String),
    /// Already told in full.
    Store(StoreError),
}

impl Failure {
    /// The failure as others see it, with the place and with what to do about it.
    pub(super) fn at(self, location: &str) -> StoreError {
        let location = location.to_owned();
        let error = match self {
            Self::Store(error) => return error,
            Self::Content(reason) => return StoreError::Database { location, reason },
            Self::Sql(error) => error,
        };
        let advice = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return StoreError::Busy { location };
            }
            Some(ErrorCode::NotADatabase) => {
                let reason =
                    "it is no SQLite file; give the path of a .gpkg file that `citymap` made".to_owned();
                return StoreError::Format { location, reason };
            }
            Some(ErrorCode::DiskFull) => "the disk is full, and nothing was changed; make room and try again",
            Some(ErrorCode::ReadOnly) => {
                "the file may not be written to; change its permissions or its folder's"
            }
            Some(ErrorCode::CannotOpen) => {
                "the file cannot be opened; its folder must be there and, for SQLite's -wal and -shm files, \
                 be writable"
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                "the file is damaged; `citymap doctor` tells more, restore it from a backup"
            }
            Some(ErrorCode::SystemIoFailure) => "reading or writing failed; look at the disk",
            _ => return StoreError::Database { location, reason: error.to_string() },
        };
        StoreError::Database { location, reason: format!("{advice} ({error})") }
    }
}

impl From<Sql> for Failure {
    fn from(error: Sql) -> Self {
        Self::Sql(error)
    }
}

impl From<GpkgError> for Failure {
    fn from(error: GpkgError) -> Self {
        match error {
            GpkgError::Sqlite(error) => Self::Sql(error),
            other => Self::Content(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i32) -> String {
        Failure::Sql(Sql::SqliteFailure(rusqlite::ffi::Error::new(code), None)).at("city.gpkg").to_string()
    }

    #[test]
    fn what_sqlite_says_becomes_what_to_do() {
        for (code, words) in [
            (rusqlite::ffi::SQLITE_BUSY, "try again when it has ended"),
            (rusqlite::ffi::SQLITE_FULL, "make room"),
            (rusqlite::ffi::SQLITE_READONLY, "permissions"),
            (rusqlite::ffi::SQLITE_CANTOPEN, "writable"),
            (rusqlite::ffi::SQLITE_NOTADB, "is not a citymap store"),
            (rusqlite::ffi::SQLITE_CORRUPT, "backup"),
            (rusqlite::ffi::SQLITE_IOERR_WRITE, "look at the disk"),
        ] {
            let message = told(code);
            assert!(message.contains(words) && message.contains("city.gpkg"), "{message}");
        }
    }
}
