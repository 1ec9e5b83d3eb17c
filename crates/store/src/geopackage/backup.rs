//! A copy of the whole file, made while others may write.

use std::{
    fs::{self, File},
    path::Path,
};

use super::{connection::Opener, failure::Failure};
use crate::StoreError;

/// Writes the whole store, as of one moment, to a new file.
pub(super) fn back_up(opener: &Opener, to: &Path) -> Result<(), StoreError> {
    let refused = |what: &str, error: &std::io::Error| {
        StoreError::database(to.display().to_string(), format!("the backup cannot be {what}: {error}"))
    };
    if to.symlink_metadata().is_ok() {
        return Err(StoreError::database(
            to.display().to_string(),
            "there is a file of this name already; give the backup another name".to_owned(),
        ));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // In the same folder, so that it gets its name in one step, and under a name that no other backup uses.
    let part = tempfile_in(folder, to).map_err(|error| refused("made", &error))?;
    let write = || -> Result<(), StoreError> {
        copy(opener, &part).map_err(|failure| failure.at(&opener.location()))?;
        File::open(&part).and_then(|file| file.sync_all()).map_err(|error| refused("written", &error))?;
        // Unlike a rename, a link never replaces a file that was created in the meantime.
        fs::hard_link(&part, to).map_err(|error| refused("given its name", &error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused("written", &error))
    };
    let outcome = write();
    let removed = fs::remove_file(&part);
    outcome?;
    removed.map_err(|error| refused("tidied up", &error))
}

/// `VACUUM INTO` reads in one transaction, so that the copy shows one moment, and leaves out free pages.
fn copy(opener: &Opener, part: &Path) -> Result<(), Failure> {
    let conn = opener.connect(rusqlite::OpenFlags::empty())?;
    let text = part.to_str().ok_or_else(|| {
        Failure::Content("the backup's path is not UTF-8; choose another folder".to_owned())
    })?;
    conn.execute("VACUUM INTO ?1", [text])?;
    Ok(())
}

/// An empty file with a unique name next to the backup's.
fn tempfile_in(folder: &Path, to: &Path) -> std::io::Result<std::path::PathBuf> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    for number in 0..1000 {
        let part = folder.join(format!(".{name}.part-{}-{number}", std::process::id()));
        match File::create_new(&part) {
            Ok(_) => return Ok(part),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists))
}
