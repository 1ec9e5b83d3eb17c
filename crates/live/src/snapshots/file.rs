//! The format of a snapshot file: a preface of fixed size, a head in JSON, and the layer's sections.
//!
//! The preface holds the magic bytes (16), the format (4), the byte order (4), the length of the head (8) and
//! its checksum (8), in the byte order of the machine.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use bytes::Bytes;
use citymap_engine::{FORMAT, LayerSnapshot, Section};
use citymap_model::{Layer, Revision, RevisionNumber};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::FileContent;

const MAGIC: &[u8; 16] = b"citymap snapshot";
/// Reads as a different number on a machine with the opposite byte order.
const BYTE_ORDER: u32 = 0x0102_0304;
/// Length of the preface, in bytes.
const PREFACE_LEN: usize = 40;
/// Sections begin at multiples of this many bytes: a cache line, which is more than any number type needs.
const ALIGN: u64 = 64;
/// The number of bytes in one part of a checksum, which one thread computes.
const CHUNK: usize = 4 << 20;
/// Maximum length of a head, in bytes.
const HEAD_MAX: u64 = 64 << 20;

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The definition of the layer in the file.
    pub(super) layer: Layer,
    /// The revision that last changed the layer.
    pub(super) revision: RevisionNumber,
    /// The revision of the city at which the file was written.
    pub(super) city: RevisionNumber,
    /// The log's entry of that revision, which identifies the record.
    pub(super) record: Option<Revision>,
    /// The store's [`stamp`](citymap_store::ReadView::stamp) of the layer.
    pub(super) stamp: String,
    sections: Vec<SectionEntry>,
}

/// Where a section is in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SectionEntry {
    name: String,
    /// In bytes from the first section.
    offset: u64,
    length: u64,
    checksum: u64,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// The file does not exist.
    Missing,
    /// It cannot be read, is damaged, or does not fit the record.
    Other(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it does not exist"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Other(error.to_string()) }
    }
}

fn damaged(reason: &str) -> Unusable {
    Unusable::Other(reason.to_owned())
}

/// A file whose head has been read.
pub(super) struct Opened {
    head: Head,
    /// The file from the first section on.
    data: Bytes,
}

/// Maps a file and reads its head, but not its sections.
///
/// # Errors
/// [`Unusable`] if the file does not exist, or its preface or head is damaged.
pub(super) fn open(path: &Path) -> Result<Opened, Unusable> {
    let bytes = citymap_mapped::map(&File::open(path)?)?;
    let cut = || damaged("it is cut short");
    let number = |at: usize| -> Result<u32, Unusable> {
        Ok(u32::from_ne_bytes(*bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?))
    };
    let long = |at: usize| -> Result<u64, Unusable> {
        Ok(u64::from_ne_bytes(*bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?))
    };
    if !bytes.starts_with(MAGIC) {
        return Err(damaged("it is not a snapshot file"));
    }
    if (number(16)?, number(20)?) != (FORMAT, BYTE_ORDER) {
        return Err(damaged(
            "it was written by another version of the program, or on another kind of machine",
        ));
    }
    let (length, checksum) = (long(24)?, long(32)?);
    let end = PREFACE_LEN as u64 + length;
    if length > HEAD_MAX || end > bytes.len() as u64 {
        return Err(cut());
    }
    let head = &bytes[PREFACE_LEN..end as usize];
    if xxh3_64(head) != checksum {
        return Err(damaged("its head is damaged"));
    }
    let head: Head = serde_json::from_slice(head)
        .map_err(|error| Unusable::Other(format!("its head is unreadable: {error}")))?;
    let begin = end.next_multiple_of(ALIGN);
    let last = head.sections.iter().map(|entry| entry.offset.saturating_add(entry.length)).max().unwrap_or(0);
    if bytes.len() as u64 != begin.saturating_add(last) {
        return Err(damaged("its length is wrong"));
    }
    Ok(Opened { head, data: bytes.slice(begin as usize..) })
}

impl Opened {
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    fn section(&self, entry: &SectionEntry) -> Bytes {
        // `open` has checked that all sections are within the file.
        self.data.slice(entry.offset as usize..(entry.offset + entry.length) as usize)
    }

    /// Checks every section against its checksum and makes the layer of them.
    ///
    /// # Errors
    /// [`Unusable`] if a section is damaged or missing.
    pub(super) fn snapshot(self) -> Result<LayerSnapshot, Unusable> {
        let sections: Vec<Bytes> = self.head.sections.iter().map(|entry| self.section(entry)).collect();
        let sums = checksums(&sections);
        if let Some((entry, _)) =
            self.head.sections.iter().zip(sums).find(|(entry, sum)| entry.checksum != *sum)
        {
            return Err(Unusable::Other(format!("its section `{}` is damaged", entry.name)));
        }
        let section = |name: &str| {
            let entry = self.head.sections.iter().find(|entry| entry.name == name)?;
            Some(self.section(entry))
        };
        LayerSnapshot::from_sections(self.head.layer.clone(), self.head.revision, &section)
            .map_err(|error| Unusable::Other(error.to_string()))
    }
}

/// The checksum of each section: the hash of the hashes of its chunks, which all threads compute.
fn checksums<T: AsRef<[u8]> + Sync>(sections: &[T]) -> Vec<u64> {
    let chunks: Vec<(usize, &[u8])> = sections
        .iter()
        .enumerate()
        .flat_map(|(number, section)| section.as_ref().chunks(CHUNK).map(move |chunk| (number, chunk)))
        .collect();
    let sums: Vec<(usize, u64)> =
        chunks.into_par_iter().map(|(number, chunk)| (number, xxh3_64(chunk))).collect();
    let mut of: Vec<Vec<u8>> = vec![Vec::new(); sections.len()];
    for (number, sum) in sums {
        of[number].extend_from_slice(&sum.to_le_bytes());
    }
    of.iter().map(|sums| xxh3_64(sums)).collect()
}

/// Writes a layer to `temporary`, makes it durable and renames it to `path`. Returns its size in bytes. The
/// file is never changed afterwards.
///
/// # Errors
/// The system's failure; a delta that does not fit into one file.
pub(super) fn write(path: &Path, temporary: &Path, content: &FileContent) -> io::Result<u64> {
    let packed = content.snapshot.merged();
    let Some(sections) = packed.sections() else {
        return Err(io::Error::other("the layer's changes do not fit into one file"));
    };
    let outcome = write_to(temporary, &packed, &sections, content).and_then(|bytes| {
        fs::rename(temporary, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(bytes)
    });
    if outcome.is_err() {
        // A file that cannot be removed is found by a later start.
        let _ = fs::remove_file(temporary);
    }
    outcome
}

fn write_to(
    path: &Path,
    packed: &LayerSnapshot,
    sections: &[Section<'_>],
    content: &FileContent,
) -> io::Result<u64> {
    let bytes: Vec<&[u8]> = sections.iter().map(|section| &*section.bytes).collect();
    let mut entries = Vec::with_capacity(sections.len());
    let mut offset = 0_u64;
    for (section, checksum) in sections.iter().zip(checksums(&bytes)) {
        let length = section.bytes.len() as u64;
        entries.push(SectionEntry { name: section.name.clone(), offset, length, checksum });
        offset = (offset + length).next_multiple_of(ALIGN);
    }
    let FileContent { city_revision, record, stamp, .. } = content;
    let head = Head {
        layer: packed.layer().clone(),
        revision: packed.revision(),
        city: *city_revision,
        record: record.clone(),
        stamp: stamp.clone(),
        sections: entries,
    };
    let head = serde_json::to_vec(&head)?;
    let _ = fs::remove_file(path);
    // It holds personal fields: only this user may read it.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut preface = Vec::with_capacity(PREFACE_LEN + head.len() + ALIGN as usize);
    preface.extend_from_slice(MAGIC);
    preface.extend_from_slice(&FORMAT.to_ne_bytes());
    preface.extend_from_slice(&BYTE_ORDER.to_ne_bytes());
    preface.extend_from_slice(&(head.len() as u64).to_ne_bytes());
    preface.extend_from_slice(&xxh3_64(&head).to_ne_bytes());
    preface.extend_from_slice(&head);
    preface.resize((preface.len() as u64).next_multiple_of(ALIGN) as usize, 0);
    file.write_all(&preface)?;
    let mut written = 0_u64;
    for bytes in bytes {
        let gap = written.next_multiple_of(ALIGN) - written;
        file.write_all(&[0; ALIGN as usize][..gap as usize])?;
        file.write_all(bytes)?;
        written += gap + bytes.len() as u64;
    }
    file.sync_all()?;
    Ok(preface.len() as u64 + written)
}
