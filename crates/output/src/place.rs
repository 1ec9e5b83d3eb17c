//! Where a file grows until it is whole.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::OutputError;

/// A hidden file beside the one that it will be; removed with the value unless it was revealed.
#[derive(Debug)]
pub(crate) struct Place {
    part: PathBuf,
    to: PathBuf,
}

impl Place {
    pub(crate) fn beside(to: &Path) -> Result<Self, OutputError> {
        if to.symlink_metadata().is_ok() {
            return Err(OutputError::Exists(to.display().to_string()));
        }
        let name = to.file_name().ok_or_else(|| OutputError::other(to, "the name is no file's"))?;
        let folder = folder_of(to);
        for number in 0..1000 {
            let part =
                folder.join(format!(".{}.part-{}-{number}", name.to_string_lossy(), std::process::id()));
            match File::create_new(&part) {
                Ok(_) => {
                    // Each format makes its own; the name was ours to take.
                    fs::remove_file(&part).map_err(|error| OutputError::io(to, &error))?;
                    return Ok(Self { part, to: to.to_owned() });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(OutputError::io(to, &error)),
            }
        }
        Err(OutputError::other(to, "too many unfinished files lie beside it; remove them"))
    }

    /// The file to write.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// Gives it its name, once it is on disk.
    pub(crate) fn reveal(self) -> Result<(), OutputError> {
        let failed = |error: io::Error| OutputError::io(&self.to, &error);
        File::open(&self.part).and_then(|file| file.sync_all()).map_err(failed)?;
        // Unlike a renaming, a link never takes the place of a file that came meanwhile.
        fs::hard_link(&self.part, &self.to).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists(self.to.display().to_string()),
            _ => failed(error),
        })?;
        File::open(folder_of(&self.to)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The link to its own name stays; where there is none, nothing is to be left.
        let _ = fs::remove_file(&self.part);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
