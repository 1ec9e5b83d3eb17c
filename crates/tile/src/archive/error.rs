//! The errors of reading and of baking archives.

use std::path::PathBuf;

/// Why a bake failed. Finished tiles are kept for the next attempt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BakeError {
    /// A file could not be read or written.
    #[error("{}: {source}; run the same command again to continue", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Another process bakes to the same file.
    #[error("another bake is running in {}; wait for it or stop it first", .0.display())]
    Busy(PathBuf),
    /// The zooms and the box contain more tiles than an archive may hold.
    #[error("more than {max} tiles: bake fewer zooms or a smaller box")]
    TooMany {
        /// Maximum number of tiles of a bake.
        max: usize,
    },
    /// No layer has content in the zooms and the box.
    #[error("no layer has content in these zooms and this box: there is no tile to bake")]
    Nothing,
}

/// Why bytes are not a readable archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file does not begin like an archive of version 3.
    #[error("this is not a PMTiles archive of version 3")]
    NotAnArchive,
    /// A part of the archive is not as the format requires.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// The archive uses an encoding that is not supported here.
    #[error("the archive uses an unknown encoding (number {0}); known are none, gzip, Brotli and Zstandard")]
    UnknownEncoding(u8),
}
