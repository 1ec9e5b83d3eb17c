//! What a snapshot holds next to its base block.

use citymap_model::Layer;

use crate::{
    Bbox, Row,
    columns::{
        bits::Bits,
        block::{Block, BlockBuilder},
    },
};

/// The edits since the base was packed.
#[derive(Debug)]
pub(crate) struct Delta {
    /// The features added or changed since.
    pub(crate) block: Block,
    /// For each row of `block` a number that tells this version of its feature from every other version.
    pub(crate) stamps: Vec<u64>,
    /// The base rows that are no longer visible: removed, or changed and now in `block`.
    pub(crate) hidden: Bits,
    /// The visible base rows whose key is repeated although it was not in the base alone, or the other way
    /// round; ascending.
    pub(crate) flipped: Vec<Row>,
    /// The number of rows of `block` whose fid is in the base too.
    pub(crate) replaced: usize,
    /// The bounding box of the visible base rows.
    pub(crate) base_extent: Option<Bbox>,
}

impl Delta {
    /// The delta of a base that has not been edited.
    pub(crate) fn empty(layer: &Layer, base: &Block) -> Self {
        Self {
            block: BlockBuilder::new(layer).finish(layer.key_index()),
            stamps: Vec::new(),
            hidden: Bits::default(),
            flipped: Vec::new(),
            replaced: 0,
            base_extent: base.extent(),
        }
    }

    /// The number of features that differ from the base: added, changed or removed.
    pub(crate) fn len(&self) -> usize {
        self.hidden.len() + self.block.len() - self.replaced
    }
}
