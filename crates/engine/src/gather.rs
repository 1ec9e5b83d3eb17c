//! One block out of pieces of two.

use std::ops::Range;

use crate::{Block, Column, Row, ShapeColumn, keys::KeyIndex};

/// Rows of one of two sources.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Which source: 0 or 1.
    pub(crate) source: usize,
    /// Its rows.
    pub(crate) rows: Range<Row>,
}

impl Piece {
    pub(crate) fn range(&self) -> Range<usize> {
        self.rows.start as usize..self.rows.end as usize
    }
}

/// The row of what is in no piece.
pub(crate) const GONE: Row = Row::MAX;

/// Where the rows of the sources went.
pub(crate) struct Moved {
    /// For each row of each source its new one, or [`GONE`].
    pub(crate) rows: [Vec<Row>; 2],
}

impl Moved {
    pub(crate) fn new(sources: [&Block; 2], pieces: &[Piece]) -> Self {
        let mut rows = sources.map(|source| vec![GONE; source.len()]);
        let mut next = 0;
        for piece in pieces {
            for (to, row) in rows[piece.source][piece.range()].iter_mut().zip(next..) {
                *to = row;
            }
            next += piece.rows.len() as Row;
        }
        Self { rows }
    }
}

/// Appends a piece, to the one before where it carries that on; an empty one is left out.
pub(crate) fn push_piece(pieces: &mut Vec<Piece>, source: usize, rows: Range<Row>) {
    if rows.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last) if last.source == source && last.rows.end == rows.start => last.rows.end = rows.end,
        _ => pieces.push(Piece { source, rows }),
    }
}

impl Block {
    /// The block of the pieces of two blocks with the same fields, which must come in the order of their fids; `None`
    /// where a block's 32-bit offsets do not reach. Which keys are repeated is left to the caller.
    pub(crate) fn gather(
        sources: [&Self; 2],
        pieces: &[Piece],
        moved: &Moved,
        key: Option<usize>,
    ) -> Option<Self> {
        let mut fids = Vec::with_capacity(pieces.iter().map(|piece| piece.rows.len()).sum());
        for piece in pieces {
            fids.extend_from_slice(&sources[piece.source].fids[piece.range()]);
        }
        let [a, b] = sources;
        let (spatial, attributes) = rayon::join(
            || {
                let shapes = ShapeColumn::gather([&a.shapes, &b.shapes], pieces)?;
                let index = crate::block::build_index(&shapes);
                Some((shapes, index))
            },
            || {
                let columns = a.columns.iter().zip(&b.columns);
                let columns =
                    columns.map(|(a, b)| Column::gather([a, b], pieces)).collect::<Option<Vec<Column>>>()?;
                let keys = key.map(|field| KeyIndex::gather(sources, field, moved)).unwrap_or_default();
                Some((columns, keys))
            },
        );
        let (shapes, index) = spatial?;
        let (columns, keys) = attributes?;
        Some(Self::new(fids.into(), shapes, columns, keys, index))
    }
}
