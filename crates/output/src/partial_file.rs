//! A file under a hidden name until it is complete.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::OutputError;

/// Highest number of unfinished files of one name that a process leaves next to each other.
const MAX_UNFINISHED: u32 = 1000;

/// A hidden file in the folder of the file that it will become; removed with the value unless it was
/// revealed.
#[derive(Debug)]
pub(crate) struct PartialFile {
    hidden: PathBuf,
    target: PathBuf,
}

impl PartialFile {
    /// Finds a free hidden name for `target`, which must not exist.
    pub(crate) fn next_to(target: &Path) -> Result<Self, OutputError> {
        if target.symlink_metadata().is_ok() {
            return Err(OutputError::Exists(target.display().to_string()));
        }
        let name = target
            .file_name()
            .ok_or_else(|| OutputError::refused(target, "this is not the name of a file"))?;
        let folder = folder_of(target);
        for number in 0..MAX_UNFINISHED {
            let hidden =
                folder.join(format!(".{}.part-{}-{number}", name.to_string_lossy(), std::process::id()));
            match File::create_new(&hidden) {
                Ok(_) => {
                    // Each format creates its own file; this only showed that the name is free and can be
                    // written.
                    fs::remove_file(&hidden).map_err(|error| OutputError::io(target, error))?;
                    return Ok(Self { hidden, target: target.to_owned() });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(OutputError::io(target, error)),
            }
        }
        Err(OutputError::refused(target, "too many unfinished files are in its folder; remove them"))
    }

    /// The hidden path, to which the file is written.
    pub(crate) fn path(&self) -> &Path {
        &self.hidden
    }

    /// Waits until the file is on disk and gives it its name.
    pub(crate) fn reveal(self) -> Result<(), OutputError> {
        let failed = |error: io::Error| OutputError::io(&self.target, error);
        File::open(&self.hidden).and_then(|file| file.sync_all()).map_err(failed)?;
        // Unlike a rename, a link never replaces a file that was created in the meantime.
        fs::hard_link(&self.hidden, &self.target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists(self.target.display().to_string()),
            _ => failed(error),
        })?;
        File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // After `reveal` the file stays under its own name; before, nothing is to be left.
        let _ = fs::remove_file(&self.hidden);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
