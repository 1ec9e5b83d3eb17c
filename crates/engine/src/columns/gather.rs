//! Builds one block from row spans of two others.

use super::{
    block::{Block, build_index},
    column::Column,
    keys::{KeyIndex, KeyedRows},
    shapes::ShapeColumn,
    spans::{RowMap, RowSpan},
};

impl Block {
    /// The block of the given spans of two blocks with the same fields. The spans must come in the order of
    /// their fids. `None` if a 32-bit offset of the new block would overflow. Which keys are repeated is left
    /// to the caller.
    pub(crate) fn gather(
        sources: [&Self; 2],
        spans: &[RowSpan],
        map: &RowMap,
        key: Option<usize>,
    ) -> Option<Self> {
        let mut fids = Vec::with_capacity(spans.iter().map(|span| span.rows.len()).sum());
        for span in spans {
            fids.extend_from_slice(&sources[span.source].fids[span.range()]);
        }
        let [a, b] = sources;
        let (spatial, attributes) = rayon::join(
            || {
                let shapes = ShapeColumn::gather([&a.shapes, &b.shapes], spans)?;
                let index = build_index(&shapes);
                Some((shapes, index))
            },
            || {
                let columns = a.columns.iter().zip(&b.columns);
                let columns =
                    columns.map(|(a, b)| Column::gather([a, b], spans)).collect::<Option<Vec<Column>>>()?;
                let keys =
                    key.map(|field| KeyIndex::gather(sources.map(|source| source.keyed_rows(field)), map));
                Some((columns, keys.unwrap_or_default()))
            },
        );
        let (shapes, index) = spatial?;
        let (columns, keys) = attributes?;
        Some(Self::new(fids.into(), shapes, columns, keys, index))
    }

    fn keyed_rows(&self, field: usize) -> KeyedRows<'_> {
        KeyedRows { index: &self.keys, keys: self.column(field), fids: &self.fids }
    }
}
