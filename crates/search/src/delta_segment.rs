//! The segment of an earlier state of a layer's delta. It is kept over many edits, so that an edit indexes
//! only the features that changed since.

use citymap_engine::{LayerSnapshot, Row};
use citymap_model::Fid;

use crate::{fields::Fields, segment::Segment};

/// The segment of a whole delta some edits ago. It holds for the features whose stamps have not changed
/// since, whatever rows they have in the delta now.
#[derive(Debug, Default)]
pub(crate) struct DeltaSegment {
    pub(crate) segment: Segment,
    /// The fid and the stamp of each row of the segment.
    features: Vec<(Fid, u64)>,
}

impl DeltaSegment {
    pub(crate) fn build(snapshot: &LayerSnapshot, fields: &Fields) -> Self {
        Self {
            segment: Segment::build(snapshot.delta(), fields, None),
            features: features(snapshot).collect(),
        }
    }

    /// The rows of the delta (by the delta's own numbers) whose present state is not in this segment.
    pub(crate) fn missing_rows(&self, snapshot: &LayerSnapshot) -> Vec<Row> {
        let mut known = self.features.iter().peekable();
        let mut rows = Vec::new();
        for (feature, row) in features(snapshot).zip(0..) {
            while known.next_if(|known| known.0 < feature.0).is_some() {}
            if known.peek() != Some(&&feature) {
                rows.push(row);
            }
        }
        rows
    }

    /// Whether to build a segment again, when this many rows are missing from it. The missing rows are
    /// indexed at each edit, and all n rows when the segment is built; the sum is least if that is done about
    /// every √2n edits.
    pub(crate) fn is_due(missing: usize, snapshot: &LayerSnapshot) -> bool {
        missing > (2 * snapshot.delta().len()).isqrt().max(16)
    }

    /// The row of the snapshot for a segment's row; `None` if the feature was removed, or has changed and is
    /// in a later segment.
    pub(crate) fn snapshot_row(&self, snapshot: &LayerSnapshot, source: Source, row: Row) -> Option<Row> {
        match source {
            Source::Base => (!snapshot.is_hidden(row)).then_some(row),
            Source::EarlierDelta => {
                let (fid, stamp) = self.features[row as usize];
                snapshot.row_of_stamped(fid, stamp)
            }
            Source::Delta => Some(snapshot.row_of_delta(row)),
        }
    }
}

/// The fid and the stamp of each row of the delta, in its order.
fn features(snapshot: &LayerSnapshot) -> impl Iterator<Item = (Fid, u64)> + '_ {
    let block = snapshot.delta();
    let stamps = snapshot.delta_stamps().iter().zip(0..);
    stamps.map(|(&stamp, row)| (block.fid(row), stamp))
}

/// Where a row of a layer's index comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The segment of the layer's base.
    Base,
    /// The segment of an earlier state of the delta ([`DeltaSegment`]).
    EarlierDelta,
    /// The segment of what has changed in the delta since.
    Delta,
}

impl Source {
    /// All sources, in the order in which [`crate::postings::Postings`] holds their segments.
    pub(crate) const ALL: [Self; 3] = [Self::Base, Self::EarlierDelta, Self::Delta];
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, GeometryKind, Layer, Role, Title};

    use super::*;

    #[test]
    fn only_what_changed_since_is_missing() {
        let layer =
            Layer::new("houses".parse().unwrap(), Title::same("Houses"), Role::Address, GeometryKind::None);
        let feature = |fid| (fid, Some(Feature { fid, geometry: None, values: vec![] }));
        let base = SnapshotBuilder::new(layer.clone()).finish(1);
        let apply = |snapshot: &LayerSnapshot, changes: Vec<(Fid, Option<Feature>)>| {
            snapshot.apply(layer.clone(), 2, changes).unwrap()
        };
        let first = apply(&base, vec![feature(2), feature(4), feature(6)]);
        let earlier = DeltaSegment::build(&first, &Fields::default());
        assert!(earlier.missing_rows(&first).is_empty());
        let second = apply(&apply(&first, vec![feature(3), feature(4)]), vec![(6, None)]);
        let fids = |snapshot: &LayerSnapshot, rows: Vec<Row>| -> Vec<Fid> {
            rows.into_iter().map(|row| snapshot.delta().fid(row)).collect()
        };
        assert_eq!(fids(&second, earlier.missing_rows(&second)), [3, 4]);
        let found: Vec<Option<Fid>> = (0..3)
            .map(|row| earlier.snapshot_row(&second, Source::EarlierDelta, row).map(|row| second.fid(row)))
            .collect();
        assert_eq!(found, [Some(2), None, None]);
        // Another snapshot of the same origin does not have these edits.
        let other = apply(&first, vec![feature(6)]);
        assert_eq!(fids(&other, earlier.missing_rows(&other)), [6]);
        let other = DeltaSegment::build(&second, &Fields::default()).missing_rows(&other);
        assert_eq!(other.len(), 2, "4 and 6 are in other states there");
    }

    #[test]
    fn it_is_built_again_when_many_rows_are_missing() {
        let layer =
            Layer::new("houses".parse().unwrap(), Title::same("Houses"), Role::Address, GeometryKind::None);
        let snapshot = SnapshotBuilder::new(layer).finish(1);
        assert!(!DeltaSegment::is_due(16, &snapshot));
        assert!(DeltaSegment::is_due(17, &snapshot));
    }
}
