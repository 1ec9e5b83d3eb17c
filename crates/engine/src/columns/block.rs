//! The packed block: columns, shapes, key index and R-tree of many features.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use citymap_model::{Feature, Fid, Layer};
use geo_index::rtree::{RTreeBuilder, RTreeIndex, sort::HilbertSort};

use super::{
    buffer::Buffer,
    column::{Column, ColumnBuilder, PushError},
    keys::KeyIndex,
    shapes::{ShapeBuilder, ShapeColumn},
    tree::Tree,
};
use crate::{Bbox, EngineError, Row};

/// Features of one layer in packed form: columnar, indexed and never changed. A snapshot consists of a large
/// and a small one.
#[derive(Debug)]
pub struct Block {
    id: u64,
    pub(crate) fids: Buffer<Fid>,
    pub(crate) shapes: ShapeColumn,
    pub(crate) columns: Vec<Column>,
    pub(crate) keys: KeyIndex,
    pub(crate) index: BoxIndex,
    /// The rows without a bounding box, once they have been asked for.
    shapeless: OnceLock<Vec<Row>>,
}

/// A packed R-tree over the bounding boxes of shapes.
#[derive(Debug, Default)]
pub(crate) struct BoxIndex {
    pub(crate) tree: Option<Tree>,
    /// The row of each item of `tree`; empty if every row is in the tree, so that items are rows.
    pub(crate) rows: Buffer<Row>,
    pub(crate) extent: Option<Bbox>,
}

impl BoxIndex {
    #[inline]
    pub(crate) fn row(&self, item: u32) -> Row {
        if self.rows.is_empty() { item } else { self.rows[item as usize] }
    }
}

/// The identity that the next block of this process gets.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Block {
    pub(crate) fn new(
        fids: Buffer<Fid>,
        shapes: ShapeColumn,
        columns: Vec<Column>,
        keys: KeyIndex,
        index: BoxIndex,
    ) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, fids, shapes, columns, keys, index, shapeless: OnceLock::new() }
    }

    /// The identity of the block within this process. A value derived from a block stays valid as long as a
    /// snapshot has that block.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The number of features, including those that a snapshot hides.
    pub fn len(&self) -> usize {
        self.fids.len()
    }

    /// True if the block has no feature.
    pub fn is_empty(&self) -> bool {
        self.fids.is_empty()
    }

    /// The number in the store of the feature at `row`, a row of this block.
    pub fn fid(&self, row: Row) -> Fid {
        self.fids[row as usize]
    }

    /// The values of the field at position `field`, indexed by rows of this block.
    pub fn column(&self, field: usize) -> &Column {
        &self.columns[field]
    }

    pub(crate) fn row_of_fid(&self, fid: Fid) -> Option<Row> {
        self.fids.binary_search(&fid).ok().map(|row| row as Row)
    }

    /// The number of rows with a fid below `fid`.
    pub(crate) fn rows_below(&self, fid: Fid) -> Row {
        self.fids.partition_point(|&other| other < fid) as Row
    }

    pub(crate) fn extent(&self) -> Option<Bbox> {
        self.index.extent
    }

    pub(crate) fn index(&self) -> &BoxIndex {
        &self.index
    }

    /// The rows whose feature has no geometry, or an empty one, ascending. O(n) at the first call.
    pub(crate) fn shapeless(&self) -> &[Row] {
        self.shapeless.get_or_init(|| {
            // Every row is in the tree.
            if self.index.tree.is_some() && self.index.rows.is_empty() {
                return Vec::new();
            }
            (0..self.len() as Row).filter(|&row| self.shapes.bbox(row).is_none()).collect()
        })
    }

    /// Calls `visit` for each row whose box meets `bbox`. `bbox` must not cross the antimeridian.
    #[inline]
    pub(crate) fn candidates(&self, bbox: &Bbox, mut visit: impl FnMut(Row)) {
        let Some(tree) = &self.index.tree else { return };
        for item in tree.search(bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]) {
            visit(self.index.row(item));
        }
    }
}

pub(crate) fn build_index(shapes: &ShapeColumn) -> BoxIndex {
    let boxes: Vec<(Row, Bbox)> =
        (0..shapes.len() as Row).filter_map(|row| shapes.bbox(row).map(|bbox| (row, bbox))).collect();
    let Some(extent) = boxes.iter().map(|(_, bbox)| *bbox).reduce(Bbox::union) else {
        return BoxIndex::default();
    };
    let mut builder = RTreeBuilder::<f64>::new(boxes.len() as u32);
    for (_, bbox) in &boxes {
        builder.add(bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]);
    }
    let rows =
        if boxes.len() == shapes.len() { Vec::new() } else { boxes.iter().map(|(row, _)| *row).collect() };
    BoxIndex { tree: Some(builder.finish::<HilbertSort>().into()), rows: rows.into(), extent: Some(extent) }
}

/// Builds a [`Block`] feature by feature.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    fids: Vec<Fid>,
    shapes: ShapeBuilder,
    columns: Vec<ColumnBuilder>,
}

impl BlockBuilder {
    pub(crate) fn new(layer: &Layer) -> Self {
        let columns = layer.fields.iter().map(|field| ColumnBuilder::new(field.field_type)).collect();
        Self { fids: Vec::new(), shapes: ShapeBuilder::default(), columns }
    }

    /// Adds a feature of `layer`. Features must come in ascending order of their fids.
    pub(crate) fn push(&mut self, layer: &Layer, feature: &Feature) -> Result<(), EngineError> {
        let fid = feature.fid;
        if feature.values.len() != self.columns.len() {
            let (expected, found) = (self.columns.len(), feature.values.len());
            return Err(EngineError::Width { layer: layer.id.clone(), fid, expected, found });
        }
        if self.fids.last().is_some_and(|&last| last >= fid) {
            return Err(EngineError::Order { layer: layer.id.clone(), fid });
        }
        for (index, (column, value)) in self.columns.iter_mut().zip(&feature.values).enumerate() {
            column.push(value).map_err(|error| match error {
                PushError::Type(found) => EngineError::Type {
                    layer: layer.id.clone(),
                    fid,
                    field: layer.fields[index].name.clone(),
                    expected: layer.fields[index].field_type,
                    found,
                },
                PushError::TooLarge => EngineError::TooLarge { layer: layer.id.clone() },
            })?;
        }
        // `Row::MAX` is reserved: it stands for "no row".
        if !self.shapes.push(feature.geometry.as_ref()) || self.fids.len() >= Row::MAX as usize - 1 {
            return Err(EngineError::TooLarge { layer: layer.id.clone() });
        }
        self.fids.push(fid);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.fids.len()
    }

    /// Builds the indexes. `key` is the position of the key field.
    pub(crate) fn finish(self, key: Option<usize>) -> Block {
        let Self { fids, shapes, columns } = self;
        let (fids, shapes) = (Buffer::from(fids), shapes.finish());
        let columns: Vec<Column> = columns.into_iter().map(ColumnBuilder::finish).collect();
        let (index, keys) = rayon::join(
            || build_index(&shapes),
            || key.map(|field| KeyIndex::build(&columns[field], fids.len())).unwrap_or_default(),
        );
        Block::new(fids, shapes, columns, keys, index)
    }
}
