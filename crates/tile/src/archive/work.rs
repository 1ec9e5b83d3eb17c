//! The folder next to the output in which a bake keeps finished tiles, so that it can continue after it was
//! killed.
//!
//! `tiles` holds each distinct content once, in the order of tiles. `journal` holds a record for each
//! finished chunk. A record is written after its contents are on disk, and carries a checksum. Everything
//! after the last complete record is discarded.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::error::BakeError;

/// The first half of the SHA-256 of a content.
pub(crate) type Hash = [u8; 16];

pub(crate) fn hash(bytes: &[u8]) -> Hash {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}

/// A tile, and where its content is in `tiles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlacedTile {
    pub(crate) number: u64,
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

/// Start of a record: chunk, number of tiles, length of `tiles` after the chunk.
const HEAD: usize = 8 + 4 + 8;
/// One tile of a record: number, offset, length, hash.
const EACH: usize = 8 + 8 + 4 + 16;

/// The work folder of a bake.
pub(crate) struct WorkFolder {
    folder: PathBuf,
    /// Held during the bake, so that two bakes to one file cannot disturb each other.
    _lock: File,
    data: File,
    data_len: u64,
    journal: File,
    pub(crate) placed: Vec<PlacedTile>,
    contents: FxHashMap<Hash, (u64, u32)>,
    /// Number of finished chunks.
    pub(crate) chunks: u64,
}

/// Adds the path of a file to an I/O error.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BakeError + '_ {
    move |source| BakeError::File { path: path.to_owned(), source }
}

impl WorkFolder {
    /// Opens the folder for the bake that `manifest` describes, and takes over finished chunks of the same
    /// bake. Also returns why existing work could not be taken over.
    pub(crate) fn open(
        folder: &Path,
        manifest: &str,
        anew: bool,
    ) -> Result<(Self, Option<String>), BakeError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let open = |name: &str| {
            let path = folder.join(name);
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)
                .map_err(at(&path))?;
            Ok::<_, BakeError>((path, file))
        };
        let (_, lock) = open("lock")?;
        if lock.try_lock().is_err() {
            return Err(BakeError::Busy(folder.to_owned()));
        }
        let (path, mut file) = open("manifest.json")?;
        // A manifest that is not text was written incompletely.
        let before = fs::read_to_string(&path).unwrap_or_default();
        let (data_path, data) = open("tiles")?;
        let (journal_path, journal) = open("journal")?;
        let mut lost = None;
        if anew || before != manifest {
            if !anew && !before.is_empty() {
                lost = Some(difference(&before, manifest));
            }
            // In this order, so that a manifest is never next to the data of another bake.
            for (path, file) in [(&path, &file), (&journal_path, &journal), (&data_path, &data)] {
                file.set_len(0).map_err(at(path))?;
                file.sync_all().map_err(at(path))?;
            }
            file.seek(SeekFrom::Start(0)).map_err(at(&path))?;
            file.write_all(manifest.as_bytes()).map_err(at(&path))?;
            file.sync_all().map_err(at(&path))?;
        }
        let mut work = Self {
            folder: folder.to_owned(),
            _lock: lock,
            data,
            data_len: 0,
            journal,
            placed: Vec::new(),
            contents: FxHashMap::default(),
            chunks: 0,
        };
        work.take_over()?;
        Ok((work, lost))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Reads the journal up to its last complete record and truncates it there.
    fn take_over(&mut self) -> Result<(), BakeError> {
        let (data_path, path) = (self.path("tiles"), self.path("journal"));
        let there = self.data.metadata().map_err(at(&data_path))?.len();
        let mut bytes = Vec::new();
        self.journal.read_to_end(&mut bytes).map_err(at(&path))?;
        let mut good = 0;
        while let Some(length) = self.take_record(&bytes[good..], there) {
            good += length;
        }
        self.journal.set_len(good as u64).map_err(at(&path))?;
        self.journal.seek(SeekFrom::Start(good as u64)).map_err(at(&path))?;
        self.data.set_len(self.data_len).map_err(at(&data_path))?;
        self.data.seek(SeekFrom::Start(self.data_len)).map_err(at(&data_path))?;
        Ok(())
    }

    /// Takes over a record and returns its length; `None` if it is incomplete or damaged.
    fn take_record(&mut self, bytes: &[u8], there: u64) -> Option<usize> {
        let long = |at: usize| bytes.get(at..)?.first_chunk().map(|value| u64::from_le_bytes(*value));
        let short = |at: usize| bytes.get(at..)?.first_chunk().map(|value| u32::from_le_bytes(*value));
        let (chunk, count, data_len) = (long(0)?, short(8)? as usize, long(12)?);
        let body = bytes.get(..HEAD + count * EACH)?;
        let sum = bytes.get(body.len()..body.len() + 16)?;
        if chunk != self.chunks || data_len > there || sum != hash(body) {
            return None;
        }
        for tile in 0..count {
            let from = HEAD + tile * EACH;
            let (number, offset, length) = (long(from)?, long(from + 8)?, short(from + 16)?);
            let hash: Hash = *bytes.get(from + 20..)?.first_chunk()?;
            self.contents.entry(hash).or_insert((offset, length));
            self.placed.push(PlacedTile { number, offset, length });
        }
        (self.chunks, self.data_len) = (chunk + 1, data_len);
        Some(body.len() + 16)
    }

    /// Stores the non-empty tiles of a chunk, in the order of their numbers.
    pub(crate) fn keep(&mut self, tiles: &[(u64, Hash, Vec<u8>)]) -> Result<(), BakeError> {
        let (data_path, journal_path) = (self.path("tiles"), self.path("journal"));
        let mut fresh = Vec::new();
        let mut record = Vec::with_capacity(HEAD + tiles.len() * EACH + 16);
        record.extend(self.chunks.to_le_bytes());
        record.extend((tiles.len() as u32).to_le_bytes());
        record.extend([0; 8]);
        for (number, hash, bytes) in tiles {
            let next = (self.data_len + fresh.len() as u64, bytes.len() as u32);
            let (offset, length) = *self.contents.entry(*hash).or_insert_with(|| {
                fresh.extend_from_slice(bytes);
                next
            });
            self.placed.push(PlacedTile { number: *number, offset, length });
            record.extend(number.to_le_bytes());
            record.extend(offset.to_le_bytes());
            record.extend(length.to_le_bytes());
            record.extend(hash);
        }
        self.data.write_all(&fresh).map_err(at(&data_path))?;
        self.data.sync_data().map_err(at(&data_path))?;
        self.data_len += fresh.len() as u64;
        record[12..20].copy_from_slice(&self.data_len.to_le_bytes());
        record.extend(hash(&record));
        self.journal.write_all(&record).map_err(at(&journal_path))?;
        self.journal.sync_data().map_err(at(&journal_path))?;
        self.chunks += 1;
        Ok(())
    }

    /// The contents, rewound to the start, and their length in bytes.
    pub(crate) fn contents(&mut self) -> Result<(&mut File, u64), BakeError> {
        let path = self.path("tiles");
        self.data.seek(SeekFrom::Start(0)).map_err(at(&path))?;
        Ok((&mut self.data, self.data_len))
    }

    /// The number of distinct contents.
    pub(crate) fn content_count(&self) -> u64 {
        self.contents.len() as u64
    }

    /// Removes the folder with everything in it.
    pub(crate) fn remove(self) -> Result<(), BakeError> {
        fs::remove_dir_all(&self.folder).map_err(at(&self.folder))
    }
}

/// How two manifests differ, for people.
fn difference(before: &str, now: &str) -> String {
    let parse = |text: &str| {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).unwrap_or_default()
    };
    let (before, now) = (parse(before), parse(now));
    let names: Vec<String> = now
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| match (name.as_str(), before.get(name)) {
            ("revision", Some(old)) => format!("revision {old} then, {value} now"),
            _ => name.clone(),
        })
        .collect();
    if names.is_empty() { "its manifest cannot be read".to_owned() } else { names.join(", ") }
}
