//! One layer in one file: a preface of fixed size, a head in JSON, the layer's sections.

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

use super::Present;

const MAGIC: &[u8; 16] = b"citymap snapshot";
/// Reads as another number on a machine with the other order of bytes.
const ORDER: u32 = 0x0102_0304;
/// Magic, format, order of bytes, length of the head, checksum of the head.
const PREFACE: usize = 40;
/// Sections begin at multiples of this: a cache line, and more than any number needs.
const ALIGN: u64 = 64;
/// Bytes that one thread sums at a time.
const CHUNK: usize = 4 << 20;
const HEAD_MAX: u64 = 64 << 20;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The definition.
    pub(super) layer: Layer,
    /// The revision that last touched the layer.
    pub(super) revision: RevisionNumber,
    /// The city's revision that the layer was written at.
    pub(super) city: RevisionNumber,
    /// The log's entry of that revision: which record it is.
    pub(super) record: Option<Revision>,
    /// The store's [`stamp`](citymap_store::ReadView::stamp) of the layer.
    pub(super) stamp: String,
    sections: Vec<Place>,
}

/// Where a section lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    name: String,
    /// From the end of the head, rounded up.
    offset: u64,
    length: u64,
    checksum: u64,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unfit {
    /// There is none.
    Missing,
    /// It cannot be read, or is damaged, or does not go with the record.
    Other(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is none"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Other(error.to_string()) }
    }
}

fn damaged(reason: &str) -> Unfit {
    Unfit::Other(reason.to_owned())
}

/// A file whose head has been read.
pub(super) struct Opened {
    head: Head,
    /// The sections, from the first one on.
    data: Bytes,
}

/// Maps a file and reads its head; nothing of its sections.
pub(super) fn open(path: &Path) -> Result<Opened, Unfit> {
    let bytes = citymap_mapped::map(&File::open(path)?)?;
    let cut = || damaged("it is cut short");
    let number = |at: usize| -> Result<u32, Unfit> {
        Ok(u32::from_ne_bytes(*bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?))
    };
    let long = |at: usize| -> Result<u64, Unfit> {
        Ok(u64::from_ne_bytes(*bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?))
    };
    if !bytes.starts_with(MAGIC) {
        return Err(damaged("it is no snapshot"));
    }
    if (number(16)?, number(20)?) != (FORMAT, ORDER) {
        return Err(damaged("another version of the program, or another kind of machine, wrote it"));
    }
    let (length, checksum) = (long(24)?, long(32)?);
    let end = PREFACE as u64 + length;
    if length > HEAD_MAX || end > bytes.len() as u64 {
        return Err(cut());
    }
    let head = &bytes[PREFACE..end as usize];
    if xxh3_64(head) != checksum {
        return Err(damaged("its head is damaged"));
    }
    let head: Head = serde_json::from_slice(head)
        .map_err(|error| Unfit::Other(format!("its head is unreadable: {error}")))?;
    let begin = end.next_multiple_of(ALIGN);
    let last = head.sections.iter().map(|place| place.offset.saturating_add(place.length)).max().unwrap_or(0);
    if bytes.len() as u64 != begin.saturating_add(last) {
        return Err(damaged("it is not as long as it should be"));
    }
    Ok(Opened { head, data: bytes.slice(begin as usize..) })
}

impl Opened {
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    fn section(&self, place: &Place) -> Bytes {
        // The sections were measured against the file when it was opened.
        self.data.slice(place.offset as usize..(place.offset + place.length) as usize)
    }

    /// Reads all of it once against its checksums, and takes it for the layer.
    pub(super) fn snapshot(self) -> Result<LayerSnapshot, Unfit> {
        let sections: Vec<Bytes> = self.head.sections.iter().map(|place| self.section(place)).collect();
        let sums = checksums(&sections);
        if let Some((place, _)) =
            self.head.sections.iter().zip(sums).find(|(place, sum)| place.checksum != *sum)
        {
            return Err(Unfit::Other(format!("its part `{}` is damaged", place.name)));
        }
        let section = |name: &str| {
            let place = self.head.sections.iter().find(|place| place.name == name)?;
            Some(self.section(place))
        };
        LayerSnapshot::from_sections(self.head.layer.clone(), self.head.revision, &section)
            .map_err(|error| Unfit::Other(error.to_string()))
    }
}

/// The checksum of each section, by all threads.
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

/// Writes a layer under `temporary`, makes it durable and gives it its name; how many bytes. The file is not written to again.
pub(super) fn write(path: &Path, temporary: &Path, present: &Present) -> io::Result<u64> {
    let packed = present.snapshot.merged();
    let Some(sections) = packed.sections() else {
        return Err(io::Error::other("the layer's changes are more than one file can take"));
    };
    let outcome = write_to(temporary, &packed, &sections, present).and_then(|bytes| {
        fs::rename(temporary, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(bytes)
    });
    if outcome.is_err() {
        // What cannot be removed is found by the next start.
        let _ = fs::remove_file(temporary);
    }
    outcome
}

fn write_to(
    path: &Path,
    packed: &LayerSnapshot,
    sections: &[Section<'_>],
    present: &Present,
) -> io::Result<u64> {
    let bytes: Vec<&[u8]> = sections.iter().map(|section| &*section.bytes).collect();
    let mut places = Vec::with_capacity(sections.len());
    let mut offset = 0_u64;
    for (section, checksum) in sections.iter().zip(checksums(&bytes)) {
        let length = section.bytes.len() as u64;
        places.push(Place { name: section.name.clone(), offset, length, checksum });
        offset = (offset + length).next_multiple_of(ALIGN);
    }
    let Present { city, record, stamp, .. } = present;
    let head = Head {
        layer: packed.layer().clone(),
        revision: packed.revision(),
        city: *city,
        record: record.clone(),
        stamp: stamp.clone(),
        sections: places,
    };
    let head = serde_json::to_vec(&head)?;
    let _ = fs::remove_file(path);
    // Personal fields are in it: it is for this user alone.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut preface = Vec::with_capacity(PREFACE + head.len() + ALIGN as usize);
    preface.extend_from_slice(MAGIC);
    preface.extend_from_slice(&FORMAT.to_ne_bytes());
    preface.extend_from_slice(&ORDER.to_ne_bytes());
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
