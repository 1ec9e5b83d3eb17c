//! A file under a hidden name until it is complete.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{FileError, create_private, private::make_private, sidecars::data_beside};

/// Highest number of unfinished files of one name that a process leaves next to each other.
const MAX_UNFINISHED: u32 = 1000;

/// What is done with a file that has the target's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Present {
    Kept,
    Replaced,
}

/// A hidden file in the folder of the file that it will become. It is removed with the value unless it was
/// revealed.
#[derive(Debug)]
pub struct PartialFile {
    hidden: PathBuf,
    target: PathBuf,
    present: Present,
}

impl PartialFile {
    /// Finds a free hidden name for `target`, which must not exist. The hidden file is not there yet.
    ///
    /// # Errors
    /// [`FileError::Exists`] if the target exists, [`FileError::Side`] if it would be read as a part of a
    /// data file, [`FileError::Io`] if its folder cannot be written to.
    pub fn new(target: &Path) -> Result<Self, FileError> {
        if target.symlink_metadata().is_ok() {
            return Err(FileError::Exists { path: target.to_owned() });
        }
        not_a_side(target)?;
        Self::next_to(target.to_owned(), Present::Kept)
    }

    /// As [`PartialFile::new`], but takes the place of a file that is there. The caller knows that this loses
    /// nothing: it is an earlier output of the same kind. A symbolic link stays, and its target is replaced.
    ///
    /// # Errors
    /// [`FileError::Side`] if it would be read as a part of a data file, [`FileError::Io`] if the folder
    /// cannot be written to.
    pub fn replacing(target: &Path) -> Result<Self, FileError> {
        not_a_side(target)?;
        let target = fs::canonicalize(target).unwrap_or_else(|_absent| target.to_owned());
        Self::next_to(target, Present::Replaced)
    }

    fn next_to(target: PathBuf, present: Present) -> Result<Self, FileError> {
        let stem = target.file_stem().ok_or_else(|| FileError::NoName(target.clone()))?.to_owned();
        // Some libraries look at the ending.
        let ending = target.extension().map_or_else(String::new, |own| format!(".{}", own.to_string_lossy()));
        let folder = folder_of(&target).to_owned();
        for number in 0..MAX_UNFINISHED {
            let hidden = folder.join(format!(
                ".{}.part-{}-{number}{ending}",
                stem.to_string_lossy(),
                std::process::id()
            ));
            match create_private(&hidden) {
                Ok(_) => {
                    // Each format creates its own file; this only showed that the name is free and can be
                    // written.
                    fs::remove_file(&hidden).map_err(FileError::io(&target))?;
                    return Ok(Self { hidden, target, present });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FileError::io(&target)(error)),
            }
        }
        Err(FileError::io(&target)(io::Error::other(
            "too many unfinished files are in its folder; remove them",
        )))
    }

    /// The hidden path, to which the file is written.
    pub fn path(&self) -> &Path {
        &self.hidden
    }

    /// Lets nobody but the owner read the file, which must have been created.
    ///
    /// # Errors
    /// [`FileError::Io`] if the system refuses.
    pub fn make_private(&self) -> Result<(), FileError> {
        make_private(&self.hidden).map_err(FileError::io(&self.target))
    }

    /// Waits until the file is on disk and gives it its name.
    ///
    /// # Errors
    /// [`FileError::Exists`] if a file of that name was created in the meantime, [`FileError::Io`] if the
    /// system refuses.
    pub fn reveal(self) -> Result<(), FileError> {
        let failed = |error: io::Error| FileError::io(&self.target)(error);
        File::open(&self.hidden).and_then(|file| file.sync_all()).map_err(failed)?;
        match self.present {
            Present::Replaced => fs::rename(&self.hidden, &self.target).map_err(failed)?,
            // Unlike a rename, a link never replaces a file that was created in the meantime.
            Present::Kept => {
                fs::hard_link(&self.hidden, &self.target).map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => FileError::Exists { path: self.target.clone() },
                    _ => failed(error),
                })?;
            }
        }
        File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // After `reveal` the file stays under its own name; before, nothing is to be left.
        let _ = fs::remove_file(&self.hidden);
    }
}

fn not_a_side(path: &Path) -> Result<(), FileError> {
    data_beside(path).map_or(Ok(()), |data| Err(FileError::Side { path: path.to_owned(), data }))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
