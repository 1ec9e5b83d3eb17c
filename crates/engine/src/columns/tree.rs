//! A packed Hilbert R-tree, in memory or in a mapped file.
//!
//! # Complexity
//! Building sorts the boxes along a Hilbert curve, O(n log n), and fills nodes of 16 completely. A search is
//! O(log n + k) for k hits if boxes overlap little, as parcels do; a point in a city of a million parcels
//! visits some tens of nodes. The tree takes about 38 bytes for each box. It cannot be changed; edits go to
//! the delta, which has a small tree of its own.

use bytes::Bytes;
use geo_index::{
    indices::Indices,
    rtree::{RTree, RTreeIndex, RTreeMetadata},
};

/// The tree of [`geo_index`] over shared bytes, which may be part of a mapped file.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    bytes: Bytes,
    metadata: RTreeMetadata<f64>,
}

impl From<RTree<f64>> for Tree {
    fn from(tree: RTree<f64>) -> Self {
        let metadata = tree.metadata().clone();
        Self { bytes: tree.into_inner().into(), metadata }
    }
}

impl Tree {
    /// Reads a tree in place. The error says what is wrong with bytes that cannot be searched. Checks every
    /// entry, since a search follows the entries without checking them again.
    pub(crate) fn from_bytes(bytes: Bytes) -> Result<Self, &'static str> {
        // The boxes are 64-bit numbers that begin at byte 8.
        if bytes.as_ptr().align_offset(8) != 0 {
            return Err("the index is not aligned");
        }
        const HEAD: &str = "the header of the index is damaged";
        // The number of boxes in a node. The library panics if it is out of range.
        let [_, _, low, high, ..] = bytes[..] else { return Err(HEAD) };
        if !(2..=1024).contains(&u16::from_le_bytes([low, high])) {
            return Err(HEAD);
        }
        let metadata = RTreeMetadata::from_slice(&bytes).map_err(|_unreadable| HEAD)?;
        if metadata.num_items() == 0 {
            return Err(HEAD);
        }
        let tree = Self { bytes, metadata };
        tree.check()?;
        Ok(tree)
    }

    fn check(&self) -> Result<(), &'static str> {
        let (indices, items) = (self.indices(), self.num_items() as usize);
        if indices.len() != self.num_nodes() {
            return Err("the header of the index is damaged");
        }
        let leaves_right = match indices {
            Indices::U16(entries) => entries[..items].iter().all(|&entry| usize::from(entry) < items),
            Indices::U32(entries) => entries[..items].iter().all(|&entry| (entry as usize) < items),
        };
        // A node's children must come before it, so that a search ends. Positions are counted in numbers,
        // four to a box.
        let nodes_right = (items..self.num_nodes()).all(|node| {
            let child = indices.get(node);
            child % 4 == 0 && child < node * 4
        });
        if leaves_right && nodes_right { Ok(()) } else { Err("the index points outside of itself") }
    }

    /// The bounding box of all items: west, south, east, north.
    pub(crate) fn extent(&self) -> [f64; 4] {
        // The root is the last box.
        self.boxes().last_chunk().copied().unwrap_or([0.0; 4])
    }

    pub(crate) fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl RTreeIndex<f64> for Tree {
    fn boxes(&self) -> &[f64] {
        self.metadata.boxes_slice(&self.bytes)
    }

    fn indices(&self) -> Indices<'_> {
        self.metadata.indices_slice(&self.bytes)
    }

    fn metadata(&self) -> &RTreeMetadata<f64> {
        &self.metadata
    }
}
