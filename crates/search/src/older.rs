use citymap_engine::{LayerSnapshot, Row};
use citymap_model::Fid;

use crate::{fields::Fields, part::Part};

/// What was found of a whole delta some edits ago. It holds for the features that have not changed since, which their
/// stamps tell, wherever the delta has their rows by now.
#[derive(Debug, Default)]
pub(crate) struct Older {
    pub(crate) part: Part,
    /// The number and the stamp of each of its rows.
    features: Vec<(Fid, u64)>,
}

impl Older {
    pub(crate) fn build(snapshot: &LayerSnapshot, fields: &Fields) -> Self {
        Self { part: Part::build(snapshot.delta(), fields, None), features: features(snapshot).collect() }
    }

    /// The delta's own rows that are not in it as they are.
    pub(crate) fn lacks(&self, snapshot: &LayerSnapshot) -> Vec<Row> {
        let mut own = self.features.iter().peekable();
        let mut rows = Vec::new();
        for (feature, row) in features(snapshot).zip(0..) {
            while own.next_if(|own| own.0 < feature.0).is_some() {}
            if own.peek() != Some(&&feature) {
                rows.push(row);
            }
        }
        rows
    }

    /// Whether it is time to build it anew, with so many rows not in it. To read those at each edit and all of them now
    /// and then costs least where it is done about every √2n edits.
    pub(crate) fn is_due(&self, lacking: usize, snapshot: &LayerSnapshot) -> bool {
        lacking > (2 * snapshot.delta().len()).isqrt().max(16)
    }

    /// The snapshot's row of a row of the base (part 0), of this one (1) or of the delta (2); `None` for what is no
    /// longer there, or has changed.
    pub(crate) fn shown(&self, snapshot: &LayerSnapshot, part: usize, row: Row) -> Option<Row> {
        match part {
            0 => (!snapshot.is_hidden(row)).then_some(row),
            1 => {
                let (fid, stamp) = self.features[row as usize];
                snapshot.row_of_stamped(fid, stamp)
            }
            _ => Some(snapshot.row_of_delta(row)),
        }
    }
}

fn features(snapshot: &LayerSnapshot) -> impl Iterator<Item = (Fid, u64)> + '_ {
    let block = snapshot.delta();
    let stamps = snapshot.delta_stamps().iter().zip(0..);
    stamps.map(|(&stamp, row)| (block.fid(row), stamp))
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, GeometryKind, Layer, Role, Title};

    use super::*;

    #[test]
    fn only_what_changed_since_is_lacking() {
        let layer =
            Layer::new("houses".parse().unwrap(), Title::same("Houses"), Role::Address, GeometryKind::None);
        let feature = |fid| (fid, Some(Feature { fid, geometry: None, values: vec![] }));
        let base = SnapshotBuilder::new(layer.clone()).finish(1);
        let apply = |snapshot: &LayerSnapshot, changes: Vec<(Fid, Option<Feature>)>| {
            snapshot.apply(layer.clone(), 2, changes).unwrap()
        };
        let first = apply(&base, vec![feature(2), feature(4), feature(6)]);
        let older = Older::build(&first, &Fields::default());
        assert!(older.lacks(&first).is_empty());
        let second = apply(&apply(&first, vec![feature(3), feature(4)]), vec![(6, None)]);
        let fids = |snapshot: &LayerSnapshot, rows: Vec<Row>| -> Vec<Fid> {
            rows.into_iter().map(|row| snapshot.delta().fid(row)).collect()
        };
        assert_eq!(fids(&second, older.lacks(&second)), [3, 4]);
        let shown: Vec<Option<Fid>> =
            (0..3).map(|row| older.shown(&second, 1, row).map(|row| second.fid(row))).collect();
        assert_eq!(shown, [Some(2), None, None]);
        // Another snapshot that came from the same one knows nothing of these edits.
        let other = apply(&first, vec![feature(6)]);
        assert_eq!(fids(&other, older.lacks(&other)), [6]);
        let other = Older::build(&second, &Fields::default()).lacks(&other);
        assert_eq!(other.len(), 2, "4 and 6 are in other states there");
    }

    #[test]
    fn it_is_built_anew_now_and_then() {
        let layer =
            Layer::new("houses".parse().unwrap(), Title::same("Houses"), Role::Address, GeometryKind::None);
        let snapshot = SnapshotBuilder::new(layer).finish(1);
        assert!(!Older::default().is_due(16, &snapshot));
        assert!(Older::default().is_due(17, &snapshot));
    }
}
