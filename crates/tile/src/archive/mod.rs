//! PMTiles archives, version 3: many tiles in one file that is read by ranges.
//!
//! [`bake`] writes one; [`Header`], [`Directory`] and [`decompress_within`] read any, and know nothing of where its bytes come from.
//! The format: <https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md>.

mod bake;
mod decompress;
mod directory;
mod enumerate;
mod header;
mod number;
mod work;
mod write;

pub use bake::{BakeError, BakeOptions, Baked, Progress, bake};
pub use decompress::decompress_within;
pub use directory::{Directory, DirectoryEntry, DirectoryHit};
pub use header::{HEADER_LEN, Header, ROOT_MAX, TileType};
pub use number::{tile_number, tile_of_number};

/// Bytes that are no archive, or a damaged one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It begins otherwise.
    #[error("this is no PMTiles archive of version 3")]
    NotAnArchive,
    /// A part of it is not what it should be.
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    /// It is encoded in a way that is not known here.
    #[error(
        "the archive is encoded in a way that is not known here (number {0}); known are none, gzip, brotli and zstd"
    )]
    UnknownPacking(u8),
}
