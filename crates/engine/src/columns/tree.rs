//! A packed R-tree that may lie in a mapped file.

use bytes::Bytes;
use geo_index::{
    indices::Indices,
    rtree::{RTree, RTreeIndex, RTreeMetadata},
};

/// [`geo_index`]'s tree over bytes that are owned by nobody in particular.
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
    /// Reads a tree in place; what is wrong with the bytes where they are none that can be searched. Looks at each
    /// entry: a search reads boxes where the entries point, without asking again.
    pub(crate) fn from_bytes(bytes: Bytes) -> Result<Self, &'static str> {
        // The boxes are 64-bit numbers from byte 8 on.
        if bytes.as_ptr().align_offset(8) != 0 {
            return Err("the index begins between two numbers");
        }
        const HEAD: &str = "the index has a damaged head";
        // The number of boxes to a node; the library stops the program where it makes no sense.
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
            return Err("the index has a damaged head");
        }
        let leaves_right = match indices {
            Indices::U16(entries) => entries[..items].iter().all(|&entry| usize::from(entry) < items),
            Indices::U32(entries) => entries[..items].iter().all(|&entry| (entry as usize) < items),
        };
        // A node's children come before it, so that a search ends; places are counted in numbers, four to a box.
        let nodes_right = (items..self.num_nodes()).all(|node| {
            let child = indices.get(node);
            child % 4 == 0 && child < node * 4
        });
        if leaves_right && nodes_right { Ok(()) } else { Err("the index points beyond itself") }
    }

    /// The box around all: west, south, east, north.
    pub(crate) fn extent(&self) -> [f64; 4] {
        // The root comes last.
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
