//! A copy of the whole file, made while others may write.

use std::path::Path;

use citymap_files::{FileError, PartialFile, create_private};

use super::{connection::Opener, failure::Failure};
use crate::StoreError;

/// Writes the whole store, as of one moment, to a new file that only its owner may read.
pub(super) fn back_up(opener: &Opener, to: &Path) -> Result<(), StoreError> {
    let refused = |error: FileError| {
        let reason = match error {
            FileError::Exists { .. } => {
                "there is a file of this name already; give the backup another name".to_owned()
            }
            FileError::Io { source, .. } => format!("the backup cannot be written: {source}"),
            other => other.to_string(),
        };
        StoreError::database(to.display().to_string(), reason)
    };
    let part = PartialFile::new(to).map_err(refused)?;
    create_private(part.path()).map_err(|source| refused(FileError::Io { path: to.to_owned(), source }))?;
    copy(opener, part.path()).map_err(|failure| failure.at(&opener.location()))?;
    part.reveal().map_err(refused)
}

/// `VACUUM INTO` reads in one transaction, so that the copy shows one moment, and leaves out free pages. It
/// takes an empty file for none.
fn copy(opener: &Opener, part: &Path) -> Result<(), Failure> {
    let conn = opener.connect(rusqlite::OpenFlags::empty())?;
    let text = part.to_str().ok_or_else(|| {
        Failure::Content("the backup's path is not UTF-8; choose another folder".to_owned())
    })?;
    conn.execute("VACUUM INTO ?1", [text])?;
    Ok(())
}
