//! Puts an archive together from the work folder.

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Write},
    path::Path,
};

use super::{
    directory::{Directory, DirectoryEntry},
    error::BakeError,
    header::{HEADER_LEN, Header, ROOT_MAX},
    work::{PlacedTile, WorkFolder, at},
};
use crate::gzip;

/// Compression level of directories and metadata, which are written once and read often.
const LEVEL: u8 = 9;

/// Joins consecutive tiles with equal content into one entry.
pub(crate) fn runs(placed: &[PlacedTile]) -> Vec<DirectoryEntry> {
    let mut entries: Vec<DirectoryEntry> = Vec::new();
    for tile in placed {
        match entries.last_mut() {
            Some(last) if last.number + u64::from(last.run) == tile.number && last.offset == tile.offset => {
                last.run += 1;
            }
            _ => entries.push(DirectoryEntry {
                number: tile.number,
                offset: tile.offset,
                length: tile.length,
                run: 1,
            }),
        }
    }
    entries
}

/// The compressed root directory and leaf directories. Leaves are made larger until the root fits into its
/// limit.
pub(crate) fn directories(entries: &[DirectoryEntry]) -> (Vec<u8>, Vec<u8>) {
    let root = gzip(&Directory::encode(entries), LEVEL);
    if root.len() <= ROOT_MAX - HEADER_LEN {
        return (root, Vec::new());
    }
    let mut size = 4096;
    loop {
        let (mut leaves, mut above) = (Vec::new(), Vec::new());
        for part in entries.chunks(size) {
            let leaf = gzip(&Directory::encode(part), LEVEL);
            above.push(DirectoryEntry {
                number: part[0].number,
                offset: leaves.len() as u64,
                length: leaf.len() as u32,
                run: 0,
            });
            leaves.extend(leaf);
        }
        let root = gzip(&Directory::encode(&above), LEVEL);
        if root.len() <= ROOT_MAX - HEADER_LEN {
            return (root, leaves);
        }
        size *= 2;
    }
}

/// Writes the archive to a temporary file and renames it. `header` has everything except offsets and counts.
/// Returns the number of entries and the length in bytes.
pub(crate) fn archive(
    path: &Path,
    mut header: Header,
    metadata: &[u8],
    work: &mut WorkFolder,
) -> Result<(u64, u64), BakeError> {
    let entries = runs(&work.placed);
    let (root, leaves) = directories(&entries);
    let metadata = gzip(metadata, LEVEL);
    header.counts = [work.placed.len() as u64, entries.len() as u64, work.content_count()];
    let (contents, contents_len) = work.contents()?;
    let mut end = HEADER_LEN as u64;
    let mut part = |length: u64| {
        let start = end;
        end += length;
        (start, length)
    };
    header.root = part(root.len() as u64);
    header.metadata = part(metadata.len() as u64);
    header.leaves = part(leaves.len() as u64);
    header.data = part(contents_len);

    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = path.with_file_name(name);
    let file = File::create(&beside).map_err(at(&beside))?;
    let mut out = BufWriter::new(file);
    for bytes in [&header.encode()[..], &root, &metadata, &leaves] {
        out.write_all(bytes).map_err(at(&beside))?;
    }
    let copied = std::io::copy(&mut contents.take(contents_len), &mut out).map_err(at(&beside))?;
    if copied != contents_len {
        return Err(at(&beside)(std::io::ErrorKind::UnexpectedEof.into()));
    }
    let file = out.into_inner().map_err(|error| at(&beside)(error.into_error()))?;
    file.sync_all().map_err(at(&beside))?;
    fs::rename(&beside, path).map_err(at(path))?;
    Ok((entries.len() as u64, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ContentEncoding,
        archive::{DirectoryHit, decompress_within},
    };

    #[test]
    fn a_large_archive_has_leaves_that_lead_to_every_tile() {
        let entries: Vec<DirectoryEntry> = (0..200_000u64)
            .map(|n| DirectoryEntry {
                number: n * 3 + n % 2,
                offset: n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 30,
                length: 1 + (n * 7919 % 65_536) as u32,
                run: 1,
            })
            .collect();
        let (root, leaves) = directories(&entries);
        assert!(root.len() <= ROOT_MAX - HEADER_LEN && !leaves.is_empty());
        let parse = |bytes: &[u8]| {
            Directory::parse(&decompress_within(bytes, ContentEncoding::Gzip, 1 << 24).unwrap()).unwrap()
        };
        let root = parse(&root);
        for entry in entries.iter().step_by(997) {
            let Some(DirectoryHit::Leaf(offset, length)) = root.find(entry.number) else { panic!("no leaf") };
            let leaf = parse(&leaves[offset as usize..][..length as usize]);
            assert_eq!(leaf.find(entry.number), Some(DirectoryHit::Tile(entry.offset, entry.length)));
            assert_eq!(leaf.find(entry.number + 1), None);
        }
    }

    #[test]
    fn tiles_of_one_content_are_one_run_where_they_follow() {
        let placed = [(5, 0), (6, 0), (7, 0), (9, 0), (10, 100), (11, 0)]
            .map(|(number, offset)| PlacedTile { number, offset, length: 100 });
        let found: Vec<_> =
            runs(&placed).iter().map(|entry| (entry.number, entry.offset, entry.run)).collect();
        assert_eq!(found, [(5, 0, 3), (9, 0, 1), (10, 100, 1), (11, 0, 1)]);
    }
}
