//! PMTiles archives, version 3: many tiles in one file that is read by byte ranges.
//!
//! [`bake`] writes an archive. [`Header`], [`Directory`] and [`decompress_within`] read any archive; where
//! the bytes come from is up to the caller. The format:
//! <https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md>.

mod bake;
mod decompress;
mod directory;
mod enumerate;
mod error;
mod header;
mod number;
mod work;
mod write;

pub use bake::{BakeOptions, Baked, Progress, bake};
pub use decompress::decompress_within;
pub use directory::{Directory, DirectoryEntry, DirectoryHit};
pub use error::{ArchiveError, BakeError};
pub use header::{HEADER_LEN, Header, ROOT_MAX, TileType};
pub use number::{tile_number, tile_of_number};
