use std::sync::Arc;

use citymap_model::{Feature, FeatureId, Fid, Geometry, Layer, RevisionNumber, Value};
use geo_index::rtree::{RTree, RTreeBuilder, RTreeIndex, sort::HilbertSort};

use crate::{
    Bbox, Column, EngineError, Row, ShapeColumn, ValueRef,
    column::{ColumnBuilder, PushError},
    ids::KeyIndex,
};

/// All features of one layer as of one revision: immutable, columnar, indexed.
///
/// Rows are in the order of their fids.
#[derive(Debug)]
pub struct LayerSnapshot {
    layer: Arc<Layer>,
    revision: RevisionNumber,
    fids: Vec<Fid>,
    shapes: ShapeColumn,
    columns: Vec<Column>,
    keys: KeyIndex,
    index: Option<RTree<f64>>,
    /// The row of each item of `index`; empty where every row is in it.
    indexed: Vec<Row>,
    extent: Option<Bbox>,
}

impl LayerSnapshot {
    /// What the layer is.
    pub fn layer(&self) -> &Layer {
        &self.layer
    }

    /// The revision that last touched the layer.
    pub fn revision(&self) -> RevisionNumber {
        self.revision
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.fids.len()
    }

    /// Whether there is no feature.
    pub fn is_empty(&self) -> bool {
        self.fids.is_empty()
    }

    /// The box around all geometry.
    pub fn extent(&self) -> Option<Bbox> {
        self.extent
    }

    /// The geometry of all rows.
    pub fn shapes(&self) -> &ShapeColumn {
        &self.shapes
    }

    /// The values of the field at position `field`.
    pub fn column(&self, field: usize) -> &Column {
        &self.columns[field]
    }

    /// The row's value of the field at position `field`.
    pub fn value(&self, row: Row, field: usize) -> ValueRef<'_> {
        self.columns[field].get(row)
    }

    /// The store's number of the row.
    pub fn fid(&self, row: Row) -> Fid {
        self.fids[row as usize]
    }

    /// The row's geometry; `None` for a null one.
    pub fn geometry(&self, row: Row) -> Option<Geometry> {
        self.shapes.geometry(row)
    }

    /// The key field, where anybody may read it. A key that is personal data names nothing to the outside:
    /// such a layer's features are called by their fids.
    fn public_key_index(&self) -> Option<usize> {
        self.layer.key_index().filter(|&field| !self.layer.fields[field].personal)
    }

    /// What the outside calls the row; the fid where the key is a personal field.
    pub fn id(&self, row: Row) -> FeatureId {
        match self.public_key_index() {
            None => FeatureId::Fid(self.fid(row)),
            Some(field) => self.keys.id(&self.columns[field], row, self.fid(row)),
        }
    }

    /// Whether the row's id is its key as it stands: neither missing nor repeated nor personal.
    pub fn id_is_key(&self, row: Row) -> bool {
        self.public_key_index()
            .is_some_and(|field| !self.columns[field].get(row).is_null() && !self.keys.is_repeated(row))
    }

    /// The row's name for people, from the label field unless that is a personal one, else its id.
    pub fn label(&self, row: Row) -> String {
        let field = self.layer.label_index().filter(|&field| !self.layer.fields[field].personal);
        let label = field.map(|field| self.value(row, field).to_text()).unwrap_or_default();
        if label.is_empty() { self.id(row).to_string() } else { label }
    }

    /// The row with the store's number `fid`.
    pub fn row_of_fid(&self, fid: Fid) -> Option<Row> {
        self.fids.binary_search(&fid).ok().map(|row| row as Row)
    }

    /// The row that the outside calls `id`, the inverse of [`LayerSnapshot::id`].
    pub fn row_of_id(&self, id: &str) -> Option<Row> {
        let Some(field) = self.public_key_index() else {
            return id.parse().ok().and_then(|fid| self.row_of_fid(fid));
        };
        let column = &self.columns[field];
        if let Some(key) = Value::parse(id, column.field_type())
            && let Some(&row) = self.keys.rows(column, &key).first()
        {
            return Some(row);
        }
        let (_, fid) = id.rsplit_once('~')?;
        let row = self.row_of_fid(fid.parse().ok()?)?;
        (self.id(row).to_string() == id).then_some(row)
    }

    /// The rows with this key, in the order of their fids; none in a layer without keys.
    pub fn rows_of_key(&self, key: &Value) -> &[Row] {
        match self.layer.key_index() {
            Some(field) => self.keys.rows(&self.columns[field], key),
            None => &[],
        }
    }

    /// The rows whose key is a text that starts with `prefix`, by key.
    pub fn rows_of_key_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Row> + 'a {
        self.layer
            .key_index()
            .into_iter()
            .flat_map(move |field| self.keys.prefix(&self.columns[field], prefix))
    }

    /// How many rows have a key that an earlier row has too.
    pub fn repeated_keys(&self) -> usize {
        self.keys.repeated()
    }

    /// Calls `visit` for each row whose box meets `bbox`, in no particular order.
    pub fn candidates(&self, bbox: &Bbox, mut visit: impl FnMut(Row)) {
        let Some(index) = &self.index else { return };
        let (boxes, count) = bbox.split();
        for bbox in &boxes[..count] {
            for item in index.search(bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]) {
                visit(if self.indexed.is_empty() { item } else { self.indexed[item as usize] });
            }
        }
    }
}

/// Grows a [`LayerSnapshot`] feature by feature.
#[derive(Debug)]
pub struct SnapshotBuilder {
    layer: Layer,
    fids: Vec<Fid>,
    shapes: ShapeColumn,
    columns: Vec<ColumnBuilder>,
}

impl SnapshotBuilder {
    /// An empty snapshot of `layer`.
    pub fn new(layer: Layer) -> Self {
        let columns = layer.fields.iter().map(|field| ColumnBuilder::new(field.field_type)).collect();
        Self { layer, fids: Vec::new(), shapes: ShapeColumn::default(), columns }
    }

    /// Adds a feature. Features come in the order of their fids.
    pub fn push(&mut self, feature: &Feature) -> Result<(), EngineError> {
        let fid = feature.fid;
        if feature.values.len() != self.columns.len() {
            let (expected, found) = (self.columns.len(), feature.values.len());
            return Err(EngineError::Width { layer: self.layer.id.clone(), fid, expected, found });
        }
        if self.fids.last().is_some_and(|&last| last >= fid) {
            return Err(EngineError::Order { layer: self.layer.id.clone(), fid });
        }
        for (index, (column, value)) in self.columns.iter_mut().zip(&feature.values).enumerate() {
            column.push(value).map_err(|error| match error {
                PushError::Type(found) => EngineError::Type {
                    layer: self.layer.id.clone(),
                    fid,
                    field: self.layer.fields[index].name.clone(),
                    expected: self.layer.fields[index].field_type,
                    found,
                },
                PushError::TooLarge => EngineError::TooLarge { layer: self.layer.id.clone() },
            })?;
        }
        if !self.shapes.push(feature.geometry.as_ref()) || self.fids.len() >= Row::MAX as usize {
            return Err(EngineError::TooLarge { layer: self.layer.id.clone() });
        }
        self.fids.push(fid);
        Ok(())
    }

    /// Builds the indexes. `revision` is the one that last touched the layer.
    pub fn finish(self, revision: RevisionNumber) -> LayerSnapshot {
        let Self { layer, mut fids, mut shapes, columns } = self;
        fids.shrink_to_fit();
        shapes.shrink();
        let columns: Vec<Column> = columns.into_iter().map(ColumnBuilder::finish).collect();
        let ((index, indexed, extent), keys) = rayon::join(
            || build_index(&shapes),
            || {
                layer
                    .key_index()
                    .map(|field| KeyIndex::build(&columns[field], fids.len()))
                    .unwrap_or_default()
            },
        );
        LayerSnapshot {
            layer: Arc::new(layer),
            revision,
            fids,
            shapes,
            columns,
            keys,
            index,
            indexed,
            extent,
        }
    }
}

fn build_index(shapes: &ShapeColumn) -> (Option<RTree<f64>>, Vec<Row>, Option<Bbox>) {
    let boxes: Vec<(Row, Bbox)> =
        (0..shapes.len() as Row).filter_map(|row| shapes.bbox(row).map(|bbox| (row, bbox))).collect();
    let Some(extent) = boxes.iter().map(|(_, bbox)| *bbox).reduce(Bbox::union) else {
        return (None, Vec::new(), None);
    };
    let mut builder = RTreeBuilder::<f64>::new(boxes.len() as u32);
    for (_, bbox) in &boxes {
        builder.add(bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]);
    }
    let indexed =
        if boxes.len() == shapes.len() { Vec::new() } else { boxes.iter().map(|(row, _)| *row).collect() };
    (Some(builder.finish::<HilbertSort>()), indexed, Some(extent))
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};

    use super::*;

    fn owners(personal: bool) -> LayerSnapshot {
        let title = Title::same("Owners");
        let mut layer = Layer::new("owners".parse().unwrap(), title, Role::Other, GeometryKind::None);
        layer.fields = vec![Field { personal, ..Field::new("cccd", FieldType::Text) }];
        layer.key = Some("cccd".into());
        layer.label = Some("cccd".into());
        let mut builder = SnapshotBuilder::new(layer);
        let values = vec![Value::Text("079012345678".into())];
        builder.push(&Feature { fid: 5, geometry: None, values }).unwrap();
        builder.finish(1)
    }

    #[test]
    fn a_personal_key_names_nothing_to_the_outside() {
        let open = owners(false);
        assert_eq!((open.id(0).to_string(), open.label(0)), ("079012345678".into(), "079012345678".into()));
        assert_eq!(open.row_of_id("079012345678"), Some(0));
        let personal = owners(true);
        assert_eq!((personal.id(0), personal.label(0)), (FeatureId::Fid(5), "5".into()));
        assert_eq!((personal.row_of_id("079012345678"), personal.row_of_id("5")), (None, Some(0)));
    }
}
