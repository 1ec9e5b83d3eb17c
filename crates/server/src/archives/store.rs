//! Open archives, their directories, and the tiles in them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_tile::{
    TileId,
    archive::{ArchiveError, Directory, DirectoryHit, Header, decompress_within, tile_number},
};
use moka::sync::Cache;

use super::source::{ArchiveFault, ArchiveSource, ArchiveVersion, is_name};
use crate::{http::problem::Problem, work::BlockingPool};

/// Maximum size of a directory in bytes, compressed and decompressed.
const DIRECTORY_MAX: (u64, usize) = (4 << 20, 32 << 20);
/// Maximum size of the metadata in bytes, compressed and decompressed.
const METADATA_MAX: (u64, usize) = (4 << 20, 16 << 20);
/// Maximum size of a stored tile in bytes.
const TILE_MAX: u64 = 32 << 20;
/// Maximum depth of nested directories.
const DEPTH: usize = 4;
/// How long an archive on another server is assumed to be unchanged.
const FRESH: Duration = Duration::from_secs(10);
/// Size of the cache of directories in bytes.
const DIRECTORY_CACHE_BYTES: u64 = 64 << 20;

/// An open archive: one state of its file.
#[derive(Debug)]
pub(super) struct OpenArchive {
    pub(super) name: String,
    pub(super) version: ArchiveVersion,
    pub(super) header: Header,
    root: Arc<Directory>,
    since: Instant,
}

/// All archives of one source.
#[derive(Debug)]
pub(crate) struct Archives {
    pub(super) source: ArchiveSource,
    opened: Cache<String, Arc<OpenArchive>>,
    /// Leaf directories by archive, state and offset.
    leaves: Cache<(String, String, u64), Arc<Directory>>,
    /// Separate from the pool of other requests, because these wait for disks and other servers.
    pub(super) pool: BlockingPool,
}

impl From<ArchiveError> for ArchiveFault {
    fn from(error: ArchiveError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl ArchiveFault {
    /// The problem to answer for the archive `name`. Logs what its operator must know.
    pub(super) fn problem(self, name: &str) -> Problem {
        match self {
            Self::Absent => Problem::not_found(format!("there is no archive `{name}`; /archives lists them")),
            Self::Changed => {
                Problem::unavailable(format!("archive `{name}` is being replaced; try again"), 1)
            }
            Self::Away(reason) => {
                tracing::warn!(name, reason, "an archive cannot be read");
                Problem::unavailable(format!("archive `{name}` cannot be read at the moment; try again"), 5)
            }
            Self::Damaged(reason) => {
                tracing::warn!(name, reason, "an archive is damaged");
                Problem::internal(format!(
                    "archive `{name}` cannot be used: {reason}. Bake it again, or copy it again"
                ))
            }
        }
    }
}

/// The problem to answer if no archives are served.
pub(super) fn not_served() -> Problem {
    Problem::not_found("no archives are served; start the server with --archives and a folder or a URL")
}

impl Archives {
    /// The archives of a folder, or below an `http://` or `https://` URL. Reads nothing.
    pub(crate) fn new(location: &str, queue: usize) -> Self {
        Self {
            source: ArchiveSource::new(location),
            opened: Cache::new(1_000),
            leaves: Cache::builder()
                .max_capacity(DIRECTORY_CACHE_BYTES)
                .weigher(|_, leaf: &Arc<Directory>| u32::try_from(leaf.weight() + 200).unwrap_or(u32::MAX))
                .build(),
            pool: BlockingPool::new(32, queue),
        }
    }

    /// Does `work` with an archive on the archives' own pool; once more if the file was replaced in the
    /// meantime.
    ///
    /// # Errors
    /// 404 if there is no such archive, 503 if it cannot be read now, 500 if it is damaged.
    pub(super) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        work: impl Fn(&Self, &Arc<OpenArchive>) -> Result<T, ArchiveFault> + Send + 'static,
    ) -> Result<T, Problem> {
        if !is_name(name) {
            let name: String = name.chars().take(100).collect();
            return Err(ArchiveFault::Absent.problem(&name));
        }
        let (archives, name) = (Arc::clone(self), name.to_owned());
        self.pool
            .run(move || {
                let once = || work(&archives, &archives.open(&name)?);
                let outcome = match once() {
                    Err(ArchiveFault::Changed) => {
                        archives.forget(&name);
                        once()
                    }
                    outcome => outcome,
                };
                outcome.map_err(|fault| fault.problem(&name))
            })
            .await
    }

    /// Opens an archive in its current state. Blocks.
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

    /// Closes an archive that has changed.
    pub(super) fn forget(&self, name: &str) {
        self.opened.invalidate(name);
    }

    /// The archives that are open, sorted by name.
    pub(super) fn known(&self) -> Vec<Arc<OpenArchive>> {
        let mut known: Vec<_> = self.opened.iter().map(|(_, opened)| opened).collect();
        known.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        known
    }

    /// Reads `length` bytes at `offset` of one section of the file, which is given by its start and its
    /// length.
    fn section(
        &self,
        archive: &OpenArchive,
        (from, len): (u64, u64),
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArchiveFault> {
        if offset.checked_add(length).is_none_or(|end| end > len) {
            return Err(ArchiveError::Damaged("an entry points out of its section").into());
        }
        self.source.read(&archive.name, &archive.version, from + offset, length)
    }

    /// The stored bytes of a tile; `None` if the archive does not have it. Blocks.
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
                Some(DirectoryHit::Leaf(offset, length)) => {
                    directory = self.leaf(archive, offset, length.into())?;
                }
            }
        }
        Err(ArchiveError::Damaged("its directories are nested too deeply").into())
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

    /// Reads the archive's metadata, a JSON object. Blocks.
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
            .map_err(|_no_json| ArchiveFault::Damaged("its metadata is not a JSON object".into()))
    }
}
