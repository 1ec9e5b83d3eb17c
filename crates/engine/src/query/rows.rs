use std::ops::Range;

use citymap_model::Fid;

use crate::{LayerSnapshot, Row};

/// The rows of a snapshot in the order of their fids.
#[derive(Clone, Debug)]
pub struct RowsByFid<'a> {
    snapshot: &'a LayerSnapshot,
    base: Range<Row>,
    /// The delta's own rows.
    delta: Range<Row>,
}

impl<'a> RowsByFid<'a> {
    /// Those with a fid above `after`.
    pub(crate) fn new(snapshot: &'a LayerSnapshot, after: Option<Fid>) -> Self {
        let first = after.map(|after| after.saturating_add(1));
        let [base, delta] = [snapshot.base(), snapshot.delta()]
            .map(|block| first.map_or(0, |first| block.rows_below(first))..block.len() as Row);
        // Nothing is above the highest number there can be.
        if after == Some(Fid::MAX) {
            return Self { snapshot, base: 0..0, delta: 0..0 };
        }
        Self { snapshot, base, delta }
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
