//! Runs of rows that are copied from two source blocks into a new one, and where each row ends up.
//!
//! These types are below the columns, the shapes and the key index, which all copy rows by the same list of
//! spans.

use std::ops::Range;

use crate::Row;

/// A run of consecutive rows of one of two source blocks.
#[derive(Clone, Debug)]
pub(crate) struct RowSpan {
    /// Index of the source block: 0 or 1.
    pub(crate) source: usize,
    /// The rows of that block.
    pub(crate) rows: Range<Row>,
}

impl RowSpan {
    /// The rows as positions in a slice of the source.
    pub(crate) fn range(&self) -> Range<usize> {
        self.rows.start as usize..self.rows.end as usize
    }
}

/// Stands in a [`RowMap`] for a source row that is not copied.
pub(crate) const NO_ROW: Row = Row::MAX;

/// The new row of each row of two source blocks.
pub(crate) struct RowMap {
    /// For each row of each source its new row, or [`NO_ROW`].
    pub(crate) rows: [Vec<Row>; 2],
}

impl RowMap {
    /// The map for sources of these lengths whose rows are copied span by span.
    pub(crate) fn new(lengths: [usize; 2], spans: &[RowSpan]) -> Self {
        let mut rows = lengths.map(|length| vec![NO_ROW; length]);
        let mut next = 0;
        for span in spans {
            for (to, row) in rows[span.source][span.range()].iter_mut().zip(next..) {
                *to = row;
            }
            next += span.rows.len() as Row;
        }
        Self { rows }
    }
}

/// Appends a run of rows, extending the last span where the run continues it. An empty run is left out.
pub(crate) fn push_span(spans: &mut Vec<RowSpan>, source: usize, rows: Range<Row>) {
    if rows.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.source == source && last.rows.end == rows.start => last.rows.end = rows.end,
        _ => spans.push(RowSpan { source, rows }),
    }
}
