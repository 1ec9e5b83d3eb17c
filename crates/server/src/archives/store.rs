//! Archives that are open, and the tiles in them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_tile::{
    TileId,
    archive::{ArchiveError, Directory, DirectoryHit, Header, decompress_within, tile_number},
};
use moka::sync::Cache;

use super::source::{ArchiveFault, ArchiveSource, ArchiveVersion};
use crate::work::BlockingPool;

/// Bytes of a directory at most, packed and unpacked.
const DIRECTORY_MAX: (u64, usize) = (4 << 20, 32 << 20);
/// Bytes of the metadata at most, packed and unpacked.
const METADATA_MAX: (u64, usize) = (4 << 20, 16 << 20);
/// Bytes of a tile at most, as it lies there.
const TILE_MAX: u64 = 32 << 20;
/// Directories within directories at most.
const DEPTH: usize = 4;
/// How long an archive is believed to be what it was, where asking costs a round trip.
const FRESH: Duration = Duration::from_secs(10);
/// Bytes of directories kept.
const DIRECTORY_CACHE_BYTES: u64 = 64 << 20;

/// An open archive in one state.
#[derive(Debug)]
pub(super) struct OpenArchive {
    pub(super) name: String,
    pub(super) version: ArchiveVersion,
    pub(super) header: Header,
    root: Arc<Directory>,
    since: Instant,
}

/// All archives of a place.
#[derive(Debug)]
pub(crate) struct Archives {
    pub(super) source: ArchiveSource,
    opened: Cache<String, Arc<OpenArchive>>,
    /// Leaf directories by archive, state and place.
    leaves: Cache<(String, String, u64), Arc<Directory>>,
    /// Apart from the pool of questions: these wait for disks and other servers.
    pub(super) pool: BlockingPool,
}

impl From<ArchiveError> for ArchiveFault {
    fn from(error: ArchiveError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Archives {
    /// The archives of a folder, or below an `http://` or `https://` address. Nothing is read yet.
    pub(crate) fn new(place: &str, queue: usize) -> Self {
        Self {
            source: ArchiveSource::new(place),
            opened: Cache::new(1_000),
            leaves: Cache::builder()
                .max_capacity(DIRECTORY_CACHE_BYTES)
                .weigher(|_, leaf: &Arc<Directory>| u32::try_from(leaf.weight() + 200).unwrap_or(u32::MAX))
                .build(),
            pool: BlockingPool::new(32, queue),
        }
    }

    /// An archive as it is now. Blocks.
    pub(super) fn open(&self, name: &str) -> Result<Arc<OpenArchive>, ArchiveFault> {
        let known = self.opened.get(name);
        if let Some(known) = known.as_ref().filter(|known| known.since.elapsed() < FRESH)
            && matches!(self.source, ArchiveSource::Web(..))
        {
            return Ok(Arc::clone(known));
        }
        let (version, bytes) = self.source.open(name).inspect_err(|fault| {
            if *fault == ArchiveFault::Absent {
                self.opened.invalidate(name);
            }
        })?;
        if let Some(known) =
            known.filter(|known| known.version == version && matches!(self.source, ArchiveSource::Folder(_)))
        {
            return Ok(known);
        }
        let header = Header::parse(&bytes)?;
        let (offset, length) = header.root;
        let root = bytes
            .get(offset as usize..(offset + length) as usize)
            .ok_or(ArchiveError::Damaged("it ends within its root directory"))?;
        let root = Directory::parse(&decompress_within(root, header.inner, DIRECTORY_MAX.1)?)?;
        let opened = Arc::new(OpenArchive {
            name: name.to_owned(),
            version,
            header,
            root: Arc::new(root),
            since: Instant::now(),
        });
        self.opened.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }

    /// Forgets an archive that has changed.
    pub(super) fn forget(&self, name: &str) {
        self.opened.invalidate(name);
    }

    /// Archives that were asked for and are there.
    pub(super) fn known(&self) -> Vec<Arc<OpenArchive>> {
        let mut known: Vec<_> = self.opened.iter().map(|(_, opened)| opened).collect();
        known.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        known
    }

    fn section(
        &self,
        archive: &OpenArchive,
        (from, len): (u64, u64),
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArchiveFault> {
        if offset.checked_add(length).is_none_or(|end| end > len) {
            return Err(ArchiveError::Damaged("an entry points out of its part").into());
        }
        self.source.read(&archive.name, &archive.version, from + offset, length)
    }

    /// A tile's bytes as they lie in the archive; `None` where it has none. Blocks.
    pub(super) fn tile(&self, archive: &OpenArchive, tile: TileId) -> Result<Option<Vec<u8>>, ArchiveFault> {
        let number = tile_number(tile);
        let mut directory = Arc::clone(&archive.root);
        for _ in 0..DEPTH {
            match directory.find(number) {
                None => return Ok(None),
                Some(DirectoryHit::Tile(_, length)) if u64::from(length) > TILE_MAX => {
                    return Err(ArchiveError::Damaged("a tile is larger than 32 MB").into());
                }
                Some(DirectoryHit::Tile(offset, length)) => {
                    return self.section(archive, archive.header.data, offset, length.into()).map(Some);
                }
                Some(DirectoryHit::Leaf(offset, length)) => directory = self.leaf(archive, offset, length.into())?,
            }
        }
        Err(ArchiveError::Damaged("its directories go around in circles").into())
    }

    fn leaf(&self, archive: &OpenArchive, offset: u64, length: u64) -> Result<Arc<Directory>, ArchiveFault> {
        let key = (archive.name.clone(), archive.version.tag.clone(), offset);
        if let Some(leaf) = self.leaves.get(&key) {
            return Ok(leaf);
        }
        if length > DIRECTORY_MAX.0 {
            return Err(ArchiveError::Damaged("a directory is larger than 4 MB").into());
        }
        let packed = self.section(archive, archive.header.leaves, offset, length)?;
        let leaf =
            Arc::new(Directory::parse(&decompress_within(&packed, archive.header.inner, DIRECTORY_MAX.1)?)?);
        self.leaves.insert(key, Arc::clone(&leaf));
        Ok(leaf)
    }

    /// The archive's metadata. Blocks.
    pub(super) fn metadata(
        &self,
        archive: &OpenArchive,
    ) -> Result<serde_json::Map<String, serde_json::Value>, ArchiveFault> {
        let (offset, length) = archive.header.metadata;
        if length == 0 {
            return Ok(serde_json::Map::new());
        }
        if length > METADATA_MAX.0 {
            return Err(ArchiveError::Damaged("its metadata is larger than 4 MB").into());
        }
        let packed = self.source.read(&archive.name, &archive.version, offset, length)?;
        let bytes = decompress_within(&packed, archive.header.inner, METADATA_MAX.1)?;
        serde_json::from_slice(&bytes)
            .map_err(|_no_json| ArchiveFault::Damaged("its metadata is no JSON object".into()))
    }
}
