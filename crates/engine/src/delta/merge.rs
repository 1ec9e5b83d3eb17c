//! Merging a delta into a new base.

use std::sync::Arc;

use crate::{
    LayerSnapshot, Row,
    columns::{
        block::Block,
        spans::{NO_ROW, RowMap, push_span},
    },
};

impl LayerSnapshot {
    /// The number of features that differ from the base: added, changed or removed since it was packed.
    pub fn delta_len(&self) -> usize {
        self.delta.len()
    }

    /// The same features in one new base. Rows get new numbers, so values derived from rows of this snapshot
    /// are not valid for the new one. Readers continue with this snapshot in the meantime;
    /// [`LayerSnapshot::apply`] the changes that were committed meanwhile to the result.
    ///
    /// Returns this snapshot if nothing differs from the base, or if everything together is too large for one
    /// block.
    ///
    /// # Complexity
    /// O(n log n) for n features, dominated by the new R-tree; seconds for millions of features. Columns,
    /// shapes and keys are copied span by span. Text dictionaries are built again, so texts that are no
    /// longer used are dropped.
    pub fn merged(&self) -> Self {
        let (base, delta) = (&*self.base, &*self.delta);
        if self.delta_len() == 0 {
            return self.clone();
        }
        let mut spans = Vec::new();
        let mut at = 0;
        for (&fid, row) in delta.block.fids.iter().zip(0..) {
            let place = base.rows_below(fid).max(at);
            delta.hidden.gaps(at..place).for_each(|rows| push_span(&mut spans, 0, rows));
            push_span(&mut spans, 1, row..row + 1);
            at = place;
        }
        let rest = at..base.len() as Row;
        delta.hidden.gaps(rest).for_each(|rows| push_span(&mut spans, 0, rows));
        let sources = [base, &delta.block];
        let map = RowMap::new(sources.map(Block::len), &spans);
        let Some(mut block) = Block::gather(sources, &spans, &map, self.layer.key_index()) else {
            return self.clone();
        };
        let base_repeated = base.keys.repeated.iter().filter(|row| delta.flipped.binary_search(row).is_err());
        let flipped = delta.flipped.iter().copied().filter(|&row| !base.keys.repeated.contains(row));
        let base_rows = base_repeated.chain(flipped).map(|row| map.rows[0][row as usize]);
        let rows = base_rows.chain(delta.block.keys.repeated.iter().map(|row| map.rows[1][row as usize]));
        rows.filter(|&row| row != NO_ROW).for_each(|row| {
            block.keys.repeated.insert(row);
        });
        Self::packed(Arc::clone(&self.layer), self.revision, block)
    }
}
