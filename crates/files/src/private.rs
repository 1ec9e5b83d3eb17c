//! Files and folders that only their owner may read, and who can read those that are there.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Mode of files that hold what not everybody may see.
const PRIVATE_FILE: u32 = 0o600;
/// Mode of folders of such files.
const PRIVATE_FOLDER: u32 = 0o700;
/// The bits of a mode that let others than the owner read or write.
const OTHERS: u32 = 0o077;
/// The bits of a mode that let others than the owner write.
const WRITERS: u32 = 0o022;

/// Creates a file that only its owner may read and write, whatever the umask says.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is one; what the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE_FILE).open(path)
}

/// Creates a folder that only its owner may enter, and those above it. A folder that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path)
}

/// Lets nobody but the owner read or write a file that is there.
///
/// # Errors
/// What the system says.
pub fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE))
}

/// Who else than this program's user can read or change a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// It belongs to another user, who can do anything with it.
    OtherOwner {
        /// The number of that user.
        uid: u32,
    },
    /// Its mode lets others in.
    OpenMode {
        /// The permission bits that it has.
        mode: u32,
        /// The mode that it should have.
        wanted: u32,
    },
}

impl Exposure {
    /// Whether others can change it, and not only read it.
    pub fn can_be_changed(self) -> bool {
        match self {
            Self::OtherOwner { .. } => true,
            Self::OpenMode { mode, .. } => mode & WRITERS != 0,
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherOwner { uid } => write!(f, "it belongs to another user (number {uid})"),
            Self::OpenMode { mode, wanted } => {
                write!(
                    f,
                    "its mode {mode:04o} lets other users of this machine in; chmod {wanted:o} mends it"
                )
            }
        }
    }
}

/// Who else can read or change a file or a folder; `None` if nobody can, apart from the administrator.
///
/// # Errors
/// What the system says, if it cannot be looked at.
pub fn exposure(path: &Path) -> io::Result<Option<Exposure>> {
    let found = fs::metadata(path)?;
    let uid = found.uid();
    if uid != rustix::process::geteuid().as_raw() {
        return Ok(Some(Exposure::OtherOwner { uid }));
    }
    let mode = found.mode() & 0o7777;
    let wanted = if found.is_dir() { PRIVATE_FOLDER } else { PRIVATE_FILE };
    Ok((mode & OTHERS != 0).then_some(Exposure::OpenMode { mode, wanted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_files_and_folders_are_exposed_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inner) = (folder.path().join("a"), folder.path().join("b").join("c"));
        create_private(&file).unwrap();
        create_private_folder(&inner).unwrap();
        assert_eq!(create_private(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((exposure(&file).unwrap(), exposure(&inner).unwrap()), (None, None));
        for (path, mode, wanted) in [(&file, 0o640, 0o600), (&inner, 0o711, 0o700)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposure(path).unwrap(), Some(Exposure::OpenMode { mode, wanted }));
        }
        make_private(&file).unwrap();
        assert_eq!(exposure(&file).unwrap(), None);
    }
}
