//! Iteration over a snapshot in the order of fids, which merges the rows of base and delta.

use std::ops::Range;

use citymap_model::Fid;

use crate::{LayerSnapshot, Row};

/// Iterates over the visible rows of a snapshot in the order of their fids.
#[derive(Clone, Debug)]
pub struct RowsByFid<'a> {
    snapshot: &'a LayerSnapshot,
    base: Range<Row>,
    /// The rows of the delta block that are still to come.
    delta: Range<Row>,
}

impl<'a> RowsByFid<'a> {
    /// The rows with a fid above `after`.
    pub(crate) fn new(snapshot: &'a LayerSnapshot, after: Option<Fid>) -> Self {
        let first = after.map(|after| after.saturating_add(1));
        let [base, delta] = [snapshot.base(), snapshot.delta()]
            .map(|block| first.map_or(0, |first| block.rows_below(first))..block.len() as Row);
        // No fid is above the highest one.
        if after == Some(Fid::MAX) {
            return Self { snapshot, base: 0..0, delta: 0..0 };
        }
        Self { snapshot, base, delta }
    }
}

impl LayerSnapshot {
    /// The visible rows in the order of their fids.
    pub fn rows(&self) -> RowsByFid<'_> {
        RowsByFid::new(self, None)
    }
}

impl Iterator for RowsByFid<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while !self.base.is_empty() && self.snapshot.is_hidden(self.base.start) {
            self.base.start += 1;
        }
        let delta_first = !self.delta.is_empty()
            && (self.base.is_empty()
                || self.snapshot.delta().fid(self.delta.start) < self.snapshot.base().fid(self.base.start));
        if delta_first {
            self.delta.next().map(|row| self.snapshot.row_of_delta(row))
        } else {
            self.base.next()
        }
    }
}
