//! Layers as columns: one packed block of features with its coordinates, values, keys and R-tree.
//!
//! [`block::Block`] is the unit: it never changes once built. Everything in it lies in flat buffers that may
//! be part of a memory-mapped file. A new block is gathered from row spans of two others ([`gather`]).

pub(crate) mod bits;
pub(crate) mod block;
pub(crate) mod buffer;
pub(crate) mod column;
pub(crate) mod extent;
mod gather;
pub(crate) mod keys;
pub(crate) mod shape;
pub(crate) mod shapes;
pub(crate) mod spans;
pub(crate) mod tree;
