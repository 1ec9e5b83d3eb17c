//! The numbers that revisions gave to new features, as ranges.

use std::collections::BTreeMap;

use citymap_model::Fid;

/// Which revision first gave a number, of those above a certain one.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Disjoint ranges in ascending order, each with the earliest revision that added its numbers.
    ranges: Vec<(Fid, Fid, i64)>,
}

impl Added {
    /// From ranges (revision, first, last), in any order; they may overlap.
    pub(super) fn new(found: impl IntoIterator<Item = (i64, Fid, Fid)>) -> Self {
        // The positions at which a revision's range begins (+1) or ends (-1).
        let mut edges: BTreeMap<Fid, Vec<(i64, i32)>> = BTreeMap::new();
        for (revision, first, last) in found {
            edges.entry(first).or_default().push((revision, 1));
            edges.entry(last.saturating_add(1)).or_default().push((revision, -1));
        }
        let mut ranges: Vec<(Fid, Fid, i64)> = Vec::new();
        let mut holding: BTreeMap<i64, i32> = BTreeMap::new();
        let mut from: Option<(Fid, i64)> = None;
        for (at, changes) in edges {
            if let Some((first, revision)) = from {
                match ranges.last_mut().filter(|last| last.1 + 1 == first && last.2 == revision) {
                    Some(last) => last.1 = at - 1,
                    None => ranges.push((first, at - 1, revision)),
                }
            }
            for (revision, change) in changes {
                let count = holding.entry(revision).or_default();
                *count += change;
                if *count == 0 {
                    holding.remove(&revision);
                }
            }
            from = holding.keys().next().map(|revision| (at, *revision));
        }
        Self { ranges }
    }

    /// The earliest revision that gave this number to a new feature, if one did.
    pub(super) fn earliest(&self, fid: Fid) -> Option<i64> {
        let after = self.ranges.partition_point(|(first, _, _)| *first <= fid);
        let (_, last, revision) = self.ranges.get(after.checked_sub(1)?)?;
        (fid <= *last).then_some(*revision)
    }

    /// The numbers that were first given by revisions up to `until`: the first and the last numbers of
    /// ranges.
    pub(super) fn until(&self, until: i64) -> (Vec<Fid>, Vec<Fid>) {
        self.ranges.iter().filter(|range| range.2 <= until).map(|range| (range.0, range.1)).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_of_overlapping_ranges_counts() {
        let added = Added::new([(7, 10, 20), (5, 15, 30), (9, 1, 40), (5, 31, 32), (6, 100, 100)]);
        for fid in 0..=101 {
            let expected = [(7, 10, 20), (5, 15, 30), (9, 1, 40), (5, 31, 32), (6, 100, 100)]
                .into_iter()
                .filter(|(_, first, last)| (*first..=*last).contains(&fid))
                .map(|(revision, _, _)| revision)
                .min();
            assert_eq!(added.earliest(fid), expected, "{fid}");
        }
        assert_eq!(added.until(6), (vec![15, 100], vec![32, 100]));
        assert_eq!(Added::default().earliest(1), None);
    }
}
