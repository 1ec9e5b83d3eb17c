use citymap_engine::{LayerSnapshot, Row};
use citymap_model::Fid;

use crate::{fields::Fields, part::Part};

/// What was found of a whole overlay some edits ago. It holds for the features that have not changed since, which their
/// stamps tell, wherever the overlay has their rows by now.
#[derive(Debug, Default)]
pub(crate) struct Older {
    pub(crate) part: Part,
    /// The number and the stamp of each of its rows.
    features: Vec<(Fid, u64)>,
}

impl Older {
    pub(crate) fn build(snapshot: &LayerSnapshot, fields: &Fields) -> Self {
        Self { part: Part::build(snapshot.overlay(), fields, None), features: features(snapshot).collect() }
    }

    /// The overlay's own rows that are not in it as they are.
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
        lacking > (2 * snapshot.overlay().len()).isqrt().max(64)
    }

    /// The snapshot's row of a row of the base (part 0), of this one (1) or of the overlay (2); `None` for what is no
    /// longer there, or has changed.
    pub(crate) fn shown(&self, snapshot: &LayerSnapshot, part: usize, row: Row) -> Option<Row> {
        match part {
            0 => (!snapshot.is_hidden(row)).then_some(row),
            1 => {
                let (fid, stamp) = self.features[row as usize];
                snapshot.row_of_stamped(fid, stamp)
            }
            _ => Some(snapshot.row_of_overlay(row)),
        }
    }
}

fn features(snapshot: &LayerSnapshot) -> impl Iterator<Item = (Fid, u64)> + '_ {
    let block = snapshot.overlay();
    let stamps = snapshot.overlay_stamps().iter().zip(0..);
    stamps.map(|(&stamp, row)| (block.fid(row), stamp))
}
