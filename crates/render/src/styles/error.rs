//! What is wrong with the files that an operator gives.

use std::{io, path::PathBuf};

/// What is wrong inside a file, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// A fault from its description.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A text that is not JSON of the expected shape; the message names line and column.
    #[expect(clippy::needless_pass_by_value, reason = "used as a function of what `map_err` gives")]
    pub(crate) fn of_syntax(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Why the styles of a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StylesError {
    /// The folder or a file of it cannot be read.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something that cannot be used.
    #[error("{path}: {fault}", path = path.display())]
    Invalid {
        /// The file that is meant.
        path: PathBuf,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// A file is larger than a style may be.
    #[error("{path} has {bytes} bytes; a style has at most {max}", path = path.display())]
    TooLarge {
        /// The file that is meant.
        path: PathBuf,
        /// The size of the file.
        bytes: u64,
        /// The largest size in bytes.
        max: u64,
    },
    /// The folder has more styles than a server offers.
    #[error("{path} has more than {max} files; remove some", path = path.display())]
    TooMany {
        /// The folder that is meant.
        path: PathBuf,
        /// The largest number of files.
        max: usize,
    },
    /// The tables of the program itself cannot be read, which a test rules out.
    #[error("the built-in styles: {0}")]
    Standard(Fault),
}
