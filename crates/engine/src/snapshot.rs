use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_model::{Feature, FeatureId, Fid, Geometry, Layer, RevisionNumber, Value};

use crate::{
    Bbox, Block, EngineError, Row, RowsByFid, ShapeRef, ValueRef,
    columns::{block::BlockBuilder, keys},
    delta::Delta,
};

/// All features of one layer as of one revision: immutable, columnar, indexed. Cheap to clone.
///
/// It is a large packed [`Block`], the base, and a small one, the delta, of the features that were added or changed
/// since ([`LayerSnapshot::apply`]); base rows that were changed or removed are hidden. A [`Row`] below the base's length
/// is one of the base, the others are the delta's: rows are not in the order of fids, [`LayerSnapshot::rows`] are.
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
        self.base.len() - self.delta.hidden.len() + self.delta.block.len()
    }

    /// Whether there is no feature.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The box around all geometry.
    pub fn extent(&self) -> Option<Bbox> {
        let both = self.delta.base_extent.into_iter().chain(self.delta.block.extent());
        both.reduce(Bbox::union)
    }

    /// The packed block that most features are in. Its rows are the snapshot's, but for those that
    /// [`LayerSnapshot::is_hidden`].
    pub fn base(&self) -> &Block {
        &self.base
    }

    /// The block of the features added or changed since the base was packed. Its row `n` is the snapshot's row
    /// `base().len() + n`; none is hidden. Its [`Block::id`] differs from snapshot to snapshot, also where it is empty.
    pub fn delta(&self) -> &Block {
        &self.delta.block
    }

    /// For each of the delta's own rows a number that, with the fid, tells this state of the feature from every other
    /// one of this process. What was computed from a feature holds for as long as
    /// [`LayerSnapshot::row_of_stamped`] finds it.
    pub fn delta_stamps(&self) -> &[u64] {
        &self.delta.stamps
    }

    /// The row of the delta's feature `fid`, if that is still in the state with this stamp.
    pub fn row_of_stamped(&self, fid: Fid, stamp: u64) -> Option<Row> {
        let row = self.delta.block.row_of_fid(fid)?;
        (self.delta.stamps[row as usize] == stamp).then(|| self.row_of_delta(row))
    }

    /// Whether the row is one of the base that is no longer there, or stands changed in the delta.
    #[inline]
    pub fn is_hidden(&self, row: Row) -> bool {
        self.delta.hidden.contains(row)
    }

    /// Whether the row is one of the base.
    #[inline]
    pub fn is_base(&self, row: Row) -> bool {
        (row as usize) < self.base.len()
    }

    /// The rows in the order of their fids.
    pub fn rows(&self) -> RowsByFid<'_> {
        RowsByFid::new(self, None)
    }

    /// Puts rows into the order of their fids.
    pub fn sort(&self, rows: &mut [Row]) {
        rows.sort_unstable();
        let first = rows.partition_point(|&row| self.is_base(row));
        // Each half is in order. The delta's often follows the base's whole: new features have the highest fids.
        if first > 0 && first < rows.len() && self.fid(rows[first - 1]) > self.fid(rows[first]) {
            rows.sort_by_key(|&row| self.fid(row));
        }
    }

    /// The block that has the row, and the row's number there.
    #[inline]
    fn locate(&self, row: Row) -> (&Block, Row) {
        if self.is_base(row) { (&self.base, row) } else { (&self.delta.block, row - self.base.len() as Row) }
    }

    /// Whether the snapshot hides rows of the base.
    pub fn hides_any(&self) -> bool {
        !self.delta.hidden.is_empty()
    }

    /// The snapshot's row of one of the delta's own.
    #[inline]
    pub fn row_of_delta(&self, row: Row) -> Row {
        self.base.len() as Row + row
    }

    /// The row's geometry, in place.
    #[inline]
    pub fn shape(&self, row: Row) -> ShapeRef<'_> {
        let (block, row) = self.locate(row);
        ShapeRef::new(&block.shapes, row)
    }

    /// The box around the row's geometry; `None` for null and empty geometry.
    pub fn bbox(&self, row: Row) -> Option<Bbox> {
        self.shape(row).bbox()
    }

    /// The row's geometry; `None` for a null one.
    pub fn geometry(&self, row: Row) -> Option<Geometry> {
        self.shape(row).geometry()
    }

    /// The row's value of the field at position `field`.
    #[inline]
    pub fn value(&self, row: Row, field: usize) -> ValueRef<'_> {
        let (block, row) = self.locate(row);
        block.columns[field].get(row)
    }

    /// The store's number of the row.
    #[inline]
    pub fn fid(&self, row: Row) -> Fid {
        let (block, row) = self.locate(row);
        block.fids[row as usize]
    }

    /// The row as the store holds it.
    pub fn feature(&self, row: Row) -> Feature {
        let values = (0..self.layer.fields.len()).map(|field| self.value(row, field).to_value());
        Feature { fid: self.fid(row), geometry: self.geometry(row), values: values.collect() }
    }

    /// All features in the order of their fids.
    pub fn features(&self) -> impl Iterator<Item = Feature> + '_ {
        self.rows().map(|row| self.feature(row))
    }

    /// Whether both snapshots have the same features: fids, coordinates and values, field by field in their order,
    /// whatever the fields and the layers are called and however the features lie in blocks. What is no number equals
    /// what is no number.
    pub fn features_equal(&self, other: &Self) -> bool {
        let same = |a: ValueRef<'_>, b: ValueRef<'_>| match (a, b) {
            (ValueRef::Real(a), ValueRef::Real(b)) => a == b || a.is_nan() && b.is_nan(),
            (a, b) => a == b,
        };
        let fields = self.layer.fields.len();
        self.len() == other.len()
            && fields == other.layer.fields.len()
            && self.rows().zip(other.rows()).all(|(own, others)| {
                self.fid(own) == other.fid(others)
                    && (0..fields).all(|field| same(self.value(own, field), other.value(others, field)))
                    && self.shape(own).equals(&other.shape(others))
            })
    }

    /// The key field, where anybody may read it. A key that is personal data names nothing to the outside:
    /// such a layer's features are called by their fids.
    fn public_key_index(&self) -> Option<usize> {
        visible(&self.layer, &Audience::Public).key_index()
    }

    /// Whether a row with a lower fid has the row's key.
    fn is_repeated(&self, row: Row) -> bool {
        let (block, own) = self.locate(row);
        let flipped = &self.delta.flipped;
        block.keys.repeated.contains(own) != (self.is_base(row) && flipped.binary_search(&row).is_ok())
    }

    /// What the outside calls the row; the fid where the key is a personal field.
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

    /// Whether the row's id is its key as it stands: neither missing nor repeated nor personal.
    pub fn id_is_key(&self, row: Row) -> bool {
        self.public_key_index()
            .is_some_and(|field| !self.value(row, field).is_null() && !self.is_repeated(row))
    }

    /// The row's name for people, from the label field unless that is a personal one, else its id.
    pub fn label(&self, row: Row) -> String {
        let field = visible(&self.layer, &Audience::Public).label_index();
        let label = field.map(|field| self.value(row, field).to_text()).unwrap_or_default();
        if label.is_empty() { self.id(row).to_string() } else { label }
    }

    /// The row with the store's number `fid`.
    pub fn row_of_fid(&self, fid: Fid) -> Option<Row> {
        match self.delta.block.row_of_fid(fid) {
            Some(row) => Some(self.row_of_delta(row)),
            None => self.base.row_of_fid(fid).filter(|&row| !self.is_hidden(row)),
        }
    }

    /// The row that the outside calls `id`, the inverse of [`LayerSnapshot::id`].
    pub fn row_of_id(&self, id: &str) -> Option<Row> {
        let Some(field) = self.public_key_index() else {
            return id.parse().ok().and_then(|fid| self.row_of_fid(fid));
        };
        if let Some(key) = Value::parse(id, self.layer.fields[field].field_type)
            && let Some(&row) = self.rows_of_key(&key).first()
        {
            return Some(row);
        }
        let (_, fid) = id.rsplit_once('~')?;
        let row = self.row_of_fid(fid.parse().ok()?)?;
        (self.id(row).to_string() == id).then_some(row)
    }

    /// The id of a feature that is not, or not as such, in this snapshot (an edit that is being made, a former
    /// version): whether its key is repeated is taken from the features that this snapshot holds. `key` is the
    /// value of the layer's public key field.
    pub fn likely_id(&self, key: &Value, fid: Fid) -> FeatureId {
        let key = key.to_key();
        let first = key.as_deref().and_then(|key| Some(self.fid(self.row_of_id(key)?)));
        FeatureId::of_key(key, fid, first.is_some_and(|first| first < fid))
    }

    /// The rows with this key, in the order of their fids; none in a layer without keys.
    pub fn rows_of_key(&self, key: &Value) -> Vec<Row> {
        let Some(field) = self.layer.key_index() else { return Vec::new() };
        let [base, delta] =
            [self.base(), self.delta()].map(|block| block.keys.rows(block.column(field), key.into()));
        let base = base.iter().copied().filter(|&row| !self.is_hidden(row));
        let mut rows: Vec<Row> = base.chain(delta.iter().map(|&row| self.row_of_delta(row))).collect();
        self.sort(&mut rows);
        rows
    }

    /// The rows whose key is a text that starts with `prefix`, by key, then by fid.
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

    /// What other features the change of these (by their numbers, ascending, from `before` to this snapshot of the layer) made the
    /// outside call something else: the one that had a repeated key bare and the one that has it now. By fid; those that
    /// changed themselves are not among them. A tile of such a feature changes too.
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

    /// How many rows have a key that a row with a lower fid has too.
    pub fn repeated_keys(&self) -> usize {
        let Delta { block, hidden, flipped, .. } = &*self.delta;
        let base = &self.base.keys.repeated;
        let shown = base.len() - base.common(hidden);
        let fewer = flipped.iter().filter(|&&row| base.contains(row)).count();
        shown + (flipped.len() - fewer) - fewer + block.keys.repeated.len()
    }

    /// Calls `visit` for each row whose box meets `bbox`, in no particular order.
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

/// Grows a [`LayerSnapshot`] feature by feature.
#[derive(Debug)]
pub struct SnapshotBuilder {
    layer: Layer,
    block: BlockBuilder,
}

impl SnapshotBuilder {
    /// An empty snapshot of `layer`.
    pub fn new(layer: Layer) -> Self {
        Self { block: BlockBuilder::new(&layer), layer }
    }

    /// Adds a feature. Features come in the order of their fids.
    pub fn push(&mut self, feature: &Feature) -> Result<(), EngineError> {
        self.block.push(&self.layer, feature)
    }

    /// Builds the indexes. `revision` is the one that last touched the layer.
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
