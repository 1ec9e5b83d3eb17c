//! The temporary folder of a reading process.

use std::{
    env,
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process,
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

/// The beginning of the folders' names; the process number of the parent and a random part follow.
const PREFIX: &str = "citymap-import-";
/// A folder without a process that is older than this was left by an import that was killed.
const LEFT: Duration = Duration::from_secs(24 * 3_600);

/// A folder for one import, which only its owner may read: it may hold copies of personal data. Those that
/// killed imports of the same user left are removed.
///
/// # Errors
/// [`io::Error`] if it cannot be made.
pub(super) fn make() -> io::Result<TempDir> {
    let parent = env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", process::id()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)?;
    // What stays is removed by a later import.
    let _ = remove_left(&parent, folder.path().metadata()?.uid());
    Ok(folder)
}

fn remove_left(parent: &Path, owner: u32) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let Some(process) = process_of(&entry.file_name().to_string_lossy()) else { continue };
        let about = entry.metadata()?;
        let age = SystemTime::now().duration_since(about.modified()?).unwrap_or_default();
        let runs = Path::new("/proc").join(process.to_string()).exists();
        if about.is_dir() && about.uid() == owner && age > LEFT && !runs {
            // Another import may be removing it, too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// The number of the process whose folder this is.
fn process_of(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_folders_without_a_process_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let (own, gone) = (process::id(), 4_194_305);
        let old = SystemTime::now() - LEFT - Duration::from_secs(60);
        for (name, is_old) in [
            (format!("{PREFIX}{own}-a"), true),
            (format!("{PREFIX}{gone}-new"), false),
            (format!("{PREFIX}{gone}-old"), true),
            (format!("other-{gone}-old"), true),
        ] {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("copy"), "x").unwrap();
            if is_old {
                fs::File::open(&path).unwrap().set_modified(old).unwrap();
            }
        }
        let owner = parent.path().metadata().unwrap().uid();
        remove_left(parent.path(), owner + 1).unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 4);
        remove_left(parent.path(), owner).unwrap();
        let mut left: Vec<String> = fs::read_dir(parent.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let mut expected =
            [format!("{PREFIX}{own}-a"), format!("{PREFIX}{gone}-new"), format!("other-{gone}-old")];
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_folder_is_its_owner_s_alone_and_goes_with_the_import() {
        let folder = make().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(process_of(&path.file_name().unwrap().to_string_lossy()), Some(process::id()));
        drop(folder);
        assert!(!path.exists());
    }
}
