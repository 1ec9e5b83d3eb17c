//! Why a file is not written.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file is not written. Nothing of it is left behind, and no other file was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Something is there already.
    #[error("{} exists already; remove it or give another name", path.display())]
    Exists {
        /// The path of the file that was to be written.
        path: PathBuf,
    },
    /// It is a file that the command reads or keeps.
    #[error("{option} {} is {what}, which would be overwritten; give another path", path.display())]
    Protected {
        /// The option that named the file.
        option: String,
        /// The path of the file that was to be written.
        path: PathBuf,
        /// What the file is, such as `the store`.
        what: String,
    },
    /// A file is there that is no earlier output of the same kind.
    #[error("{option} {} exists and is not {expected}; remove it, or give another path", path.display())]
    Foreign {
        /// The option that named the file.
        option: String,
        /// The path of the file that was to be written.
        path: PathBuf,
        /// What it would have to be, such as `a report of an import`.
        expected: String,
    },
    /// By its name it would be a part of a data file.
    #[error("{} would be read as a part of {}; give another name", path.display(), data.display())]
    Side {
        /// The path of the file that was to be written.
        path: PathBuf,
        /// The data file of that name.
        data: PathBuf,
    },
    /// A pipe that no program reads.
    #[error("no program reads the pipe {}; start the reader first", .0.display())]
    NoReader(PathBuf),
    /// The path names no file.
    #[error("{} is not the name of a file; give a path that ends with one", .0.display())]
    NoName(PathBuf),
    /// The system refused to write the file.
    #[error("{} cannot be written", path.display())]
    Io {
        /// The path of the file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FileError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
