//! What can go wrong with the file, as what to do about it.

use citymap_gpkg::{GpkgError, advice};
use rusqlite::{Error as Sql, ErrorCode};

use crate::StoreError;

/// What goes wrong inside this module, before it is known where the file is.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite refused a statement.
    Sql(Sql),
    /// The GeoPackage format was violated.
    Format(GpkgError),
    /// The record holds what it should not; the text says where and what to do.
    Content(String),
    /// An error with its location.
    Store(StoreError),
}

impl Failure {
    /// Whether another connection holds a lock that this one needs.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// The failure as a [`StoreError`], with the location and with what to do about it.
    pub(super) fn at(self, location: &str) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Content(reason) => return StoreError::database(location, reason),
            Self::Format(error) => return StoreError::database(location, error.to_string()).because(error),
            Self::Sql(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return StoreError::Busy { location: location.to_owned() };
            }
            Some(ErrorCode::NotADatabase) => {
                let reason = "it is not an SQLite file; give the path of a .gpkg file that `citymap` made";
                return StoreError::format(location, reason).because(error);
            }
            _ => {}
        }
        let reason = match advice(&error) {
            Some(advice) => format!("{advice} ({error})"),
            None => error.to_string(),
        };
        StoreError::database(location, reason).because(error)
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
            other => Self::Format(other),
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
            (rusqlite::ffi::SQLITE_IOERR_WRITE, "check the disk"),
        ] {
            let message = told(code);
            assert!(message.contains(words) && message.contains("city.gpkg"), "{message}");
        }
    }
}
