//! The snapshot of a layer: a base block and a delta, read as one.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_model::{
    Feature, FeatureId, Fid, FieldType, Geometry, Layer, RevisionNumber, Value, normalize_text,
};

use crate::{
    Bbox, Block, EngineError, Row, ShapeRef, ValueRef,
    columns::{block::BlockBuilder, keys},
    delta::Delta,
};

/// All features of one layer as of one revision: immutable, columnar and indexed. Cloning copies only `Arc`s.
///
/// A snapshot consists of a large packed [`Block`], the *base*, and a small one, the *delta*, with the
/// features that were added or changed since ([`LayerSnapshot::apply`]). Base rows that were changed or
/// removed are hidden. A [`Row`] below the length of the base is a row of the base, every other one a row of
/// the delta. Therefore rows are not in the order of their fids; iterate [`LayerSnapshot::rows`] for that
/// order.
///
/// # Examples
/// ```
/// use citymap_engine::{Bbox, Query, SnapshotBuilder};
/// use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
///
/// let id = "wells".parse().unwrap();
/// let mut layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
/// layer.fields.push(Field::new("depth", FieldType::Real));
/// let well = |fid: i64, lon: f64, depth: f64| Feature {
///     fid,
///     geometry: Some(geo::Point::new(lon, 10.77).into()),
///     values: vec![Value::Real(depth)],
/// };
///
/// // Revision 1: two wells.
/// let mut builder = SnapshotBuilder::new(layer.clone());
/// builder.push(&well(1, 106.70, 12.5)).unwrap();
/// builder.push(&well(2, 106.71, 30.0)).unwrap();
/// let first = builder.finish(1);
///
/// // Revision 2: one is removed, one is added. Both snapshots share the base.
/// let second = first.apply(layer, 2, [(1, None), (3, Some(well(3, 106.72, 8.0)))]).unwrap();
/// assert_eq!((first.len(), second.len(), second.delta_len()), (2, 2, 2));
///
/// // Which of them are west of 106.715°?
/// let west = Query { bbox: Some(Bbox::new(106.0, 10.0, 106.715, 11.0)), ..Query::default() };
/// let fids: Vec<i64> = second.select(&west).rows.iter().map(|&row| second.fid(row)).collect();
/// assert_eq!(fids, [2]);
/// assert_eq!(second.near([106.72, 10.77], 50.0, 1)[0].distance, 0.0);
/// ```
#[derive(Clone, Debug)]
pub struct LayerSnapshot {
    pub(crate) layer: Arc<Layer>,
    pub(crate) revision: RevisionNumber,
    pub(crate) base: Arc<Block>,
    pub(crate) delta: Arc<Delta>,
}

impl LayerSnapshot {
    /// A snapshot of a base that has not been edited.
    pub(crate) fn packed(layer: Arc<Layer>, revision: RevisionNumber, base: Block) -> Self {
        let delta = Arc::new(Delta::empty(&layer, &base));
        Self { layer, revision, base: Arc::new(base), delta }
    }

    /// The definition of the layer as of this revision.
    pub fn layer(&self) -> &Layer {
        &self.layer
    }

    /// The last revision that changed the layer.
    pub fn revision(&self) -> RevisionNumber {
        self.revision
    }

    /// The number of visible features.
    pub fn len(&self) -> usize {
        self.base.len() - self.delta.hidden.len() + self.delta.block.len()
    }

    /// True if the snapshot has no feature.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bounding box of all geometry in WGS 84 degrees; `None` if there is none.
    pub fn extent(&self) -> Option<Bbox> {
        let both = self.delta.base_extent.into_iter().chain(self.delta.block.extent());
        both.reduce(Bbox::union)
    }

    /// The packed block that holds most features. Its rows are rows of the snapshot, except those that
    /// [`LayerSnapshot::is_hidden`].
    pub fn base(&self) -> &Block {
        &self.base
    }

    /// The block of the features that were added or changed since the base was packed. Its row `n` is the row
    /// `base().len() + n` of the snapshot; none of its rows is hidden. Its [`Block::id`] differs from
    /// snapshot to snapshot even if it is empty.
    pub fn delta(&self) -> &Block {
        &self.delta.block
    }

    /// For each row of the delta a number that, together with the fid, identifies this version of the feature
    /// within this process. A value derived from the feature stays valid as long as
    /// [`LayerSnapshot::row_of_stamped`] finds the version.
    pub fn delta_stamps(&self) -> &[u64] {
        &self.delta.stamps
    }

    /// The row of feature `fid` in the delta, if it is still the version with this stamp.
    pub fn row_of_stamped(&self, fid: Fid, stamp: u64) -> Option<Row> {
        let row = self.delta.block.row_of_fid(fid)?;
        (self.delta.stamps[row as usize] == stamp).then(|| self.row_of_delta(row))
    }

    /// Whether the row is a base row that was removed, or replaced by a row of the delta.
    #[inline]
    pub fn is_hidden(&self, row: Row) -> bool {
        self.delta.hidden.contains(row)
    }

    /// Whether the row is a row of the base.
    #[inline]
    pub fn is_base(&self, row: Row) -> bool {
        (row as usize) < self.base.len()
    }

    /// Sorts rows by their fids.
    pub fn sort(&self, rows: &mut [Row]) {
        rows.sort_unstable();
        let first = rows.partition_point(|&row| self.is_base(row));
        // Each half is sorted. Often the delta's rows all follow the base's, since new features have the
        // highest fids.
        if first > 0 && first < rows.len() && self.fid(rows[first - 1]) > self.fid(rows[first]) {
            rows.sort_by_key(|&row| self.fid(row));
        }
    }

    /// The block of the row, and the position of the row in that block.
    #[inline]
    fn locate(&self, row: Row) -> (&Block, Row) {
        if self.is_base(row) { (&self.base, row) } else { (&self.delta.block, row - self.base.len() as Row) }
    }

    /// Whether any row of the base is hidden.
    pub fn hides_any(&self) -> bool {
        !self.delta.hidden.is_empty()
    }

    /// The snapshot's row for a row of the delta block.
    #[inline]
    pub fn row_of_delta(&self, row: Row) -> Row {
        self.base.len() as Row + row
    }

    /// The geometry of the row, read in place.
    #[inline]
    pub fn shape(&self, row: Row) -> ShapeRef<'_> {
        let (block, row) = self.locate(row);
        ShapeRef::new(&block.shapes, row)
    }

    /// The bounding box of the row's geometry; `None` for null and empty geometry.
    pub fn bbox(&self, row: Row) -> Option<Bbox> {
        self.shape(row).bbox()
    }

    /// A copy of the row's geometry; `None` if it is null.
    pub fn geometry(&self, row: Row) -> Option<Geometry> {
        self.shape(row).geometry()
    }

    /// The value of the field at position `field`.
    #[inline]
    pub fn value(&self, row: Row, field: usize) -> ValueRef<'_> {
        let (block, row) = self.locate(row);
        block.columns[field].get(row)
    }

    /// The number of the row's feature in the store.
    #[inline]
    pub fn fid(&self, row: Row) -> Fid {
        let (block, row) = self.locate(row);
        block.fids[row as usize]
    }

    /// The row's feature as the store holds it.
    pub fn feature(&self, row: Row) -> Feature {
        let values = (0..self.layer.fields.len()).map(|field| self.value(row, field).to_value());
        Feature { fid: self.fid(row), geometry: self.geometry(row), values: values.collect() }
    }

    /// Copies of all features in the order of their fids.
    pub fn features(&self) -> impl Iterator<Item = Feature> + '_ {
        self.rows().map(|row| self.feature(row))
    }

    /// Whether both snapshots have the same features: equal fids, coordinates and values, field by field in
    /// order. Names of layers and fields do not matter, nor how features are divided into blocks. NaN equals
    /// NaN.
    pub fn features_equal(&self, other: &Self) -> bool {
        let same = |a: ValueRef<'_>, b: ValueRef<'_>| match (a, b) {
            (ValueRef::Real(a), ValueRef::Real(b)) => a == b || a.is_nan() && b.is_nan(),
            (a, b) => a == b,
        };
        let fields = self.layer.fields.len();
        self.len() == other.len()
            && fields == other.layer.fields.len()
            && self.rows().zip(other.rows()).all(|(row, other_row)| {
                self.fid(row) == other.fid(other_row)
                    && (0..fields).all(|field| same(self.value(row, field), other.value(other_row, field)))
                    && self.shape(row).equals(&other.shape(other_row))
            })
    }

    /// The position of the key field if it is public. If the key is personal, features are identified by
    /// their fids outside.
    fn public_key_index(&self) -> Option<usize> {
        visible(&self.layer, &Audience::Public).key_index()
    }

    /// Whether a row with a lower fid has the same key.
    fn is_repeated(&self, row: Row) -> bool {
        let (block, block_row) = self.locate(row);
        let flipped = &self.delta.flipped;
        block.keys.repeated.contains(block_row) != (self.is_base(row) && flipped.binary_search(&row).is_ok())
    }

    /// The public identifier of the row; its fid if the layer has no key or the key is personal.
    pub fn id(&self, row: Row) -> FeatureId {
        match self.public_key_index() {
            None => FeatureId::Fid(self.fid(row)),
            Some(field) => {
                let key = self.value(row, field);
                let key = (!key.is_null()).then(|| key.to_text());
                FeatureId::of_key(key, self.fid(row), self.is_repeated(row))
            }
        }
    }

    /// Whether the public identifier is exactly the key: neither missing, repeated nor personal, and
    /// one that stands alone.
    pub fn id_is_key(&self, row: Row) -> bool {
        self.public_key_index().is_some_and(|field| {
            let key = self.value(row, field);
            let stands_alone = || key.as_str().is_none_or(FeatureId::stands_alone);
            !key.is_null() && !self.is_repeated(row) && stands_alone()
        })
    }

    /// The name to show to people: the label field if it is public and has a value, otherwise the public
    /// identifier.
    pub fn label(&self, row: Row) -> String {
        let field = visible(&self.layer, &Audience::Public).label_index();
        let label = field.map(|field| self.value(row, field).to_text()).unwrap_or_default();
        if label.is_empty() { self.id(row).to_string() } else { label }
    }

    /// The visible row of the feature that the store numbers `fid`.
    pub fn row_of_fid(&self, fid: Fid) -> Option<Row> {
        match self.delta.block.row_of_fid(fid) {
            Some(row) => Some(self.row_of_delta(row)),
            None => self.base.row_of_fid(fid).filter(|&row| !self.is_hidden(row)),
        }
    }

    /// The row with the public identifier `id`; the inverse of [`LayerSnapshot::id`]. An id in another
    /// Unicode form than NFC, which no feature has, stands for the same id in NFC.
    pub fn row_of_id(&self, id: &str) -> Option<Row> {
        let Some(field) = self.public_key_index() else {
            return id.parse().ok().and_then(|fid| self.row_of_fid(fid));
        };
        self.row_of_exact_id(field, id).or_else(|| {
            let normal = normalize_text(id.to_owned());
            if normal == id { None } else { self.row_of_exact_id(field, &normal) }
        })
    }

    /// The row with the public identifier `id` where `field` is the public key.
    fn row_of_exact_id(&self, field: usize, id: &str) -> Option<Row> {
        if FeatureId::stands_alone(id) {
            let key = match self.layer.fields[field].field_type {
                FieldType::Text => Value::Text(id.to_owned()),
                field_type => Value::parse(id, field_type)?,
            };
            return self.rows_of_key(&key).first().copied();
        }
        let (_, fid) = id.rsplit_once('~')?;
        let row = self.row_of_fid(fid.parse().ok()?)?;
        (self.id(row).to_string() == id).then_some(row)
    }

    /// The public identifier of a feature that is not in this snapshot, or not in this form (during an edit,
    /// or an earlier version). Whether its key is repeated follows from the features of this snapshot. `key`
    /// is the value of the layer's public key field.
    pub fn likely_id(&self, key: &Value, fid: Fid) -> FeatureId {
        let first = self.rows_of_key(key).first().map(|&row| self.fid(row));
        FeatureId::of_key(key.to_key(), fid, first.is_some_and(|first| first < fid))
    }

    /// The rows with this key in the order of their fids; empty if the layer has no key.
    pub fn rows_of_key(&self, key: &Value) -> Vec<Row> {
        let Some(field) = self.layer.key_index() else { return Vec::new() };
        let [base, delta] =
            [self.base(), self.delta()].map(|block| block.keys.rows(block.column(field), key.into()));
        let base = base.iter().copied().filter(|&row| !self.is_hidden(row));
        let mut rows: Vec<Row> = base.chain(delta.iter().map(|&row| self.row_of_delta(row))).collect();
        self.sort(&mut rows);
        rows
    }

    /// The rows whose text key starts with `prefix`, ordered by key, then by fid.
    pub fn rows_of_key_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Row> + 'a {
        self.layer.key_index().into_iter().flat_map(move |field| {
            let rows = |block: &'a Block| block.keys.prefix(block.column(field), prefix);
            let mut base = rows(&self.base).filter(|&row| !self.is_hidden(row)).peekable();
            let mut delta = rows(&self.delta.block).map(|row| self.row_of_delta(row)).peekable();
            std::iter::from_fn(move || match (base.peek(), delta.peek()) {
                (Some(&a), Some(&b)) => {
                    let order = keys::compare(self.value(a, field), self.value(b, field));
                    let base_first = order.then_with(|| self.fid(a).cmp(&self.fid(b))).is_lt();
                    if base_first { base.next() } else { delta.next() }
                }
                (Some(_), None) => base.next(),
                (None, _) => delta.next(),
            })
        })
    }

    /// The other features whose public identifier changed because the features `changed` did: for a repeated
    /// key, the row that had the plain key before and the row that has it now. `changed` are fids in
    /// ascending order; `before` is the snapshot before the change. Returns rows of this snapshot by fid,
    /// without the features in `changed`. Tiles that contain such a feature change too.
    pub fn renamed(&self, before: &Self, changed: &[Fid]) -> Vec<Row> {
        let (Some(field), Some(old_field)) = (self.public_key_index(), before.public_key_index()) else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for &fid in changed {
            let old_key = before.row_of_fid(fid).map(|row| before.value(row, old_field).to_value());
            let new_key = self.row_of_fid(fid).map(|row| self.value(row, field).to_value());
            for key in old_key.into_iter().chain(new_key) {
                let bare = |snapshot: &Self| snapshot.rows_of_key(&key).first().map(|&row| snapshot.fid(row));
                let bare = [bare(before), bare(self)];
                if bare[0] != bare[1] {
                    let kept = bare.into_iter().flatten().filter(|fid| changed.binary_search(fid).is_err());
                    rows.extend(kept.filter_map(|fid| self.row_of_fid(fid)));
                }
            }
        }
        self.sort(&mut rows);
        rows.dedup();
        rows
    }

    /// The number of rows whose key a row with a lower fid has too.
    pub fn repeated_keys(&self) -> usize {
        let Delta { block, hidden, flipped, .. } = &*self.delta;
        let base = &self.base.keys.repeated;
        let shown = base.len() - base.common(hidden);
        let fewer = flipped.iter().filter(|&&row| base.contains(row)).count();
        shown + (flipped.len() - fewer) - fewer + block.keys.repeated.len()
    }

    /// Calls `visit` for each visible row whose bounding box meets `bbox`, in no particular order.
    ///
    /// # Complexity
    /// O(log n + k) for k hits, if boxes overlap little: one search in the packed Hilbert R-tree of the base
    /// and one in that of the delta. Nothing is allocated for each hit.
    pub fn candidates(&self, bbox: &Bbox, mut visit: impl FnMut(Row)) {
        let (boxes, count) = bbox.split();
        for bbox in &boxes[..count] {
            if self.delta.hidden.is_empty() {
                self.base.candidates(bbox, &mut visit);
            } else {
                self.base.candidates(bbox, |row| {
                    if !self.is_hidden(row) {
                        visit(row);
                    }
                });
            }
            self.delta.block.candidates(bbox, |row| visit(self.row_of_delta(row)));
        }
    }
}

/// Builds a [`LayerSnapshot`] feature by feature.
#[derive(Debug)]
pub struct SnapshotBuilder {
    layer: Layer,
    block: BlockBuilder,
}

impl SnapshotBuilder {
    /// A builder for an empty snapshot of `layer`.
    pub fn new(layer: Layer) -> Self {
        Self { block: BlockBuilder::new(&layer), layer }
    }

    /// Adds a feature. Features must come in ascending order of their fids.
    ///
    /// # Errors
    /// [`EngineError::Width`], [`EngineError::Type`] or [`EngineError::Order`] if the feature does not fit;
    /// [`EngineError::TooLarge`] if the layer outgrows 32-bit offsets.
    pub fn push(&mut self, feature: &Feature) -> Result<(), EngineError> {
        self.block.push(&self.layer, feature)
    }

    /// Builds the indexes. `revision` is the last revision that changed the layer.
    ///
    /// # Complexity
    /// O(n log n) for n features: a Hilbert sort of the boxes and a sort of the keys, both parallel to each
    /// other.
    pub fn finish(self, revision: RevisionNumber) -> LayerSnapshot {
        let base = self.block.finish(self.layer.key_index());
        LayerSnapshot::packed(Arc::new(self.layer), revision, base)
    }
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
