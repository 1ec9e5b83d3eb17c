//! The temporary folder of a reading process.

use std::{
    env,
    fs::{self, File, Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

/// The beginning of the folders' names; the process number of the parent and a random part follow.
const PREFIX: &str = "citymap-import-";
/// A folder that is older than this, and that no process has locked, was left by an import that was killed.
const LEFT: Duration = Duration::from_secs(60);
/// Bytes of one block, as files count them.
const BLOCK: u64 = 512;

/// The folder of one import. It is removed with the value.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    /// Locked as long as the import runs. The system gives the lock up when the process ends.
    _lock: File,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder for one import, which only its owner may read: it may hold copies of personal data. Those that
/// killed imports of the same user left are removed.
///
/// # Errors
/// [`io::Error`] if it cannot be made.
pub(super) fn make() -> io::Result<Folder> {
    let parent = env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", process::id()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)?;
    let lock = File::open(folder.path())?;
    // Nobody else knows the folder yet; a file system without locks does without.
    let _ = lock.try_lock();
    // What stays is removed by a later import.
    let _ = remove_left(&parent, folder.path().metadata()?.uid());
    Ok(Folder { folder, _lock: lock })
}

fn remove_left(parent: &Path, owner: u32) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let about = entry.metadata()?;
        let age = SystemTime::now().duration_since(about.modified()?).unwrap_or_default();
        if about.is_dir() && about.uid() == owner && age > LEFT {
            // Its process has ended if the lock can be had. Another import may be removing it, too.
            let Ok(lock) = File::open(entry.path()) else { continue };
            if lock.try_lock().is_ok() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
    Ok(())
}

/// What a reading process has on disk.
#[derive(Debug)]
pub(super) struct Usage {
    pub folder: PathBuf,
    pub process: u32,
}

impl Usage {
    /// Bytes on disk of the files in the folder, and of those that the process has open and that have no name
    /// any more. What cannot be looked at, because it is being removed, does not count.
    pub(super) fn bytes(&self) -> u64 {
        let Ok(folder) = fs::symlink_metadata(&self.folder) else { return 0 };
        let nameless =
            |found: &Metadata| found.is_file() && found.nlink() == 0 && found.dev() == folder.dev();
        let open = fs::read_dir(format!("/proc/{}/fd", self.process)).into_iter().flatten().flatten();
        let open: u64 = open
            .filter_map(|entry| fs::metadata(entry.path()).ok())
            .filter(nameless)
            .map(|found| found.blocks() * BLOCK)
            .sum();
        open + on_disk(&self.folder)
    }
}

/// Bytes on disk of all that is in a folder. Links are not followed.
fn on_disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, about)| if about.is_dir() { on_disk(&path) } else { about.blocks() * BLOCK })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_folders_that_nobody_has_locked_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - LEFT - Duration::from_secs(60);
        for (name, is_old) in [
            (format!("{PREFIX}1-locked"), true),
            (format!("{PREFIX}1-new"), false),
            (format!("{PREFIX}1-old"), true),
            ("other-1-old".to_owned(), true),
        ] {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("copy"), "x").unwrap();
            if is_old {
                fs::File::open(&path).unwrap().set_modified(old).unwrap();
            }
        }
        let lock = File::open(parent.path().join(format!("{PREFIX}1-locked"))).unwrap();
        lock.try_lock().unwrap();
        let owner = parent.path().metadata().unwrap().uid();
        remove_left(parent.path(), owner + 1).unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 4);
        remove_left(parent.path(), owner).unwrap();
        let mut left: Vec<String> = fs::read_dir(parent.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let expected = [format!("{PREFIX}1-locked"), format!("{PREFIX}1-new"), "other-1-old".to_owned()];
        assert_eq!(left, expected);
    }

    #[test]
    fn a_folder_is_its_owner_s_alone_and_goes_with_the_import() {
        let folder = make().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(File::open(&path).unwrap().try_lock().is_err(), "it is locked as long as the import runs");
        drop(folder);
        assert!(!path.exists());
    }
}
