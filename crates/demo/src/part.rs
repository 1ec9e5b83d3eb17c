//! The parts in which the features of a layer are made.

/// A part of the city that is made in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What belongs to no cell: arterials, communes, water.
    Whole,
    /// A cell, as an index in `City::cells`.
    Cell(usize),
}
