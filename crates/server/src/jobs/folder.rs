//! The folder for the results of jobs, which is removed when this process ends.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;

use crate::http::problem::Problem;

const PREFIX: &str = "citymap-jobs-";

/// A temporary folder that is created for the first job.
#[derive(Debug)]
pub(super) struct Folder {
    parent: Option<PathBuf>,
    made: Mutex<Option<TempDir>>,
}

impl Folder {
    /// A folder below `parent`, or below the system's folder for temporary files. It is not created yet.
    pub(super) fn new(parent: Option<PathBuf>) -> Self {
        Self { parent, made: Mutex::default() }
    }

    /// The path of the folder, which is created now if it does not exist.
    ///
    /// # Errors
    /// 503 if it cannot be created.
    pub(super) fn path(&self) -> Result<PathBuf, Problem> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*made {
            return Ok(folder.path().to_owned());
        }
        let parent = self.parent.clone().unwrap_or_else(std::env::temp_dir);
        remove_orphans(&parent);
        let folder = std::fs::create_dir_all(&parent).and_then(|()| {
            tempfile::Builder::new()
                .prefix(&format!("{PREFIX}{}-", std::process::id()))
                // The names in it are those by which results are fetched.
                .permissions(std::fs::Permissions::from_mode(0o700))
                .tempdir_in(&parent)
        });
        let folder = folder.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, folder = %parent.display(), "the \
                folder for the results of jobs could not be created");
            Problem::unavailable("results cannot be stored now; see the server's log", 60)
        })?;
        let path = folder.path().to_owned();
        *made = Some(folder);
        Ok(path)
    }
}

/// Removes the folders of processes that were killed.
fn remove_orphans(parent: &Path) {
    // Without /proc it is not known which processes run: remove nothing.
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let Some(owner): Option<u32> = owner else { continue };
        let alive = Path::new("/proc").join(owner.to_string()).exists();
        if !alive && let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(error = &error as &dyn std::error::Error, folder = %entry.path().display(), "the \
                results of an earlier server could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_removed_with_its_owner_and_orphans_are_removed_first() {
        let parent = tempfile::tempdir().unwrap();
        // No process has this number: it is above the system's maximum.
        let orphan = parent.path().join("citymap-jobs-99999999-abc");
        std::fs::create_dir(&orphan).unwrap();
        std::fs::write(orphan.join("x.csv"), "1").unwrap();
        let folder = Folder::new(Some(parent.path().to_owned()));
        let path = folder.path().unwrap();
        assert!(path.exists() && !orphan.exists());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(folder.path().unwrap(), path);
        drop(folder);
        assert!(!path.exists());
    }
}
