//! Directories of an archive: which bytes hold which tile.

use super::error::ArchiveError;

/// An entry of a directory: a run of tiles with one content, or a leaf directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Number of the first tile.
    pub number: u64,
    /// Offset of the content in the tile data, or of the directory in the leaf directories.
    pub offset: u64,
    /// Length of the content in bytes.
    pub length: u32,
    /// Number of tiles; 0 for a leaf directory.
    pub run: u32,
}

/// Where to find a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryHit {
    /// The tile's bytes: offset in the tile data, and length.
    Tile(u64, u32),
    /// Continue in a leaf directory: offset in the leaf directories, and length.
    Leaf(u64, u32),
}

/// A directory: entries in the order of their tile numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    entries: Vec<DirectoryEntry>,
}

fn varint(out: &mut Vec<u8>, value: u64) {
    crate::mvt::pbf::varint(out, value);
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, ArchiveError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(ArchiveError::Damaged("a directory ends too early"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(ArchiveError::Damaged("a number in a directory is too long"))
}

impl Directory {
    /// A directory of entries, which must be in the order of their numbers.
    pub fn new(entries: Vec<DirectoryEntry>) -> Self {
        Self { entries }
    }

    /// The entries in the order of their numbers.
    pub fn entries(&self) -> &[DirectoryEntry] {
        &self.entries
    }

    /// Size of the directory in memory, in bytes.
    pub fn weight(&self) -> usize {
        self.entries.capacity() * size_of::<DirectoryEntry>()
    }

    /// The serialised directory, not compressed.
    pub fn encode(entries: &[DirectoryEntry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.len() * 8);
        varint(&mut out, entries.len() as u64);
        let mut last = 0;
        for entry in entries {
            varint(&mut out, entry.number - last);
            last = entry.number;
        }
        entries.iter().for_each(|entry| varint(&mut out, entry.run.into()));
        entries.iter().for_each(|entry| varint(&mut out, entry.length.into()));
        let mut end = None;
        for entry in entries {
            // 0 means: directly after the entry before.
            varint(&mut out, if end == Some(entry.offset) { 0 } else { entry.offset + 1 });
            end = Some(entry.offset + u64::from(entry.length));
        }
        out
    }

    /// Reads a directory from its decoded bytes.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] if they are not a directory.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, ArchiveError> {
        let bytes = &mut bytes;
        let count = read_varint(bytes)?;
        // Each entry takes at least four bytes, so a wrong count cannot allocate much memory.
        if count > bytes.len() as u64 / 4 {
            return Err(ArchiveError::Damaged("a directory ends too early"));
        }
        let mut entries = Vec::with_capacity(count as usize);
        let mut number = 0u64;
        for index in 0..count {
            let step = read_varint(bytes)?;
            number = match number.checked_add(step) {
                Some(next) if index == 0 || step > 0 => next,
                _ => return Err(ArchiveError::Damaged("a directory is out of order")),
            };
            entries.push(DirectoryEntry { number, offset: 0, length: 0, run: 0 });
        }
        let small = |bytes: &mut &[u8]| {
            u32::try_from(read_varint(bytes)?)
                .or(Err(ArchiveError::Damaged("a number in a directory is too large")))
        };
        for entry in &mut entries {
            entry.run = small(bytes)?;
        }
        for entry in &mut entries {
            entry.length = small(bytes)?;
            if entry.length == 0 {
                return Err(ArchiveError::Damaged("a directory has an entry without bytes"));
            }
        }
        let mut end = None;
        for entry in &mut entries {
            entry.offset = match (read_varint(bytes)?, end) {
                (0, Some(end)) => end,
                (0, None) => return Err(ArchiveError::Damaged("a directory begins nowhere")),
                (next, _) => next - 1,
            };
            let beyond = ArchiveError::Damaged("an entry ends beyond any file");
            end = Some(entry.offset.checked_add(entry.length.into()).ok_or(beyond)?);
        }
        Ok(Self { entries })
    }

    /// Where to find the tile with a number; `None` if the directory has no such tile.
    pub fn find(&self, number: u64) -> Option<DirectoryHit> {
        let index = self.entries.partition_point(|entry| entry.number <= number).checked_sub(1)?;
        let entry = self.entries[index];
        match entry.run {
            0 => Some(DirectoryHit::Leaf(entry.offset, entry.length)),
            run => {
                (number - entry.number < run.into()).then_some(DirectoryHit::Tile(entry.offset, entry.length))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_directory_comes_back(
            steps in prop::collection::vec((1..1_000u64, 0..3u32, 1..100_000u32, any::<bool>()), 0..300),
        ) {
            let (mut number, mut offset) = (0, 0);
            let entries: Vec<DirectoryEntry> = steps.into_iter().map(|(step, run, length, same)| {
                let entry = DirectoryEntry { number, offset: if same { 0 } else { offset }, length, run };
                number += step + u64::from(run);
                offset += u64::from(length);
                entry
            }).collect();
            let parsed = Directory::parse(&Directory::encode(&entries)).unwrap();
            prop_assert_eq!(parsed.entries(), &entries[..]);
            for entry in &entries {
                let expected = if entry.run == 0 {
                    DirectoryHit::Leaf(entry.offset, entry.length)
                } else {
                    DirectoryHit::Tile(entry.offset, entry.length)
                };
                prop_assert_eq!(parsed.find(entry.number), Some(expected));
                if entry.run > 0 {
                    prop_assert_eq!(parsed.find(entry.number + u64::from(entry.run) - 1), Some(expected));
                    let next = entry.number + u64::from(entry.run);
                    let follows = parsed.entries().iter().any(|other| other.number == next);
                    prop_assert_eq!(parsed.find(next).is_some(), follows);
                }
            }
        }

        #[test]
        fn damaged_bytes_do_no_harm(
            mut bytes in prop::collection::vec(any::<u8>(), 0..400), count in 0..30u8,
        ) {
            let _ = Directory::parse(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = count;
            }
            if let Ok(directory) = Directory::parse(&bytes) {
                let _ = directory.find(u64::MAX);
                let _ = directory.find(0);
            }
        }
    }
}
