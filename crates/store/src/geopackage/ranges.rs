//! Sets of feature numbers as ranges, because numbers are given one after the other.

use std::collections::BTreeMap;

use citymap_model::Fid;

/// A set of numbers as disjoint ranges.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ranges(BTreeMap<Fid, Fid>);

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, fid: Fid) -> bool {
        self.0.range(..=fid).next_back().is_some_and(|(_, last)| *last >= fid)
    }

    /// Adds the numbers from `first` to `last`, both included.
    pub(super) fn add(&mut self, first: Fid, last: Fid) {
        let (mut first, mut last) = (first, last);
        // Merged with the range that touches it on the left, then with all that it reaches on the right.
        let left = self.0.range(..first).next_back().map(|(start, end)| (*start, *end));
        if let Some((start, end)) = left.filter(|(_, end)| end.saturating_add(1) >= first) {
            if end >= last {
                return;
            }
            first = start;
        }
        while let Some((start, end)) =
            self.0.range(first..=last.saturating_add(1)).next().map(|(a, b)| (*a, *b))
        {
            self.0.remove(&start);
            last = last.max(end);
        }
        self.0.insert(first, last);
    }

    /// The ranges, first and last number included, ascending and with gaps between them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Fid, Fid)> + '_ {
        self.0.iter().map(|(first, last)| (*first, *last))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_the_set_of_what_was_added(added in prop::collection::vec((0i64..60, 0i64..6), 0..30)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (first, more) in added {
                ranges.add(first, first + more);
                set.extend(first..=first + more);
            }
            for fid in -1..70 {
                prop_assert_eq!(ranges.contains(fid), set.contains(&fid));
            }
            let parts: Vec<_> = ranges.iter().collect();
            prop_assert!(parts.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "apart: {:?}", parts);
            prop_assert_eq!(parts.iter().map(|(a, b)| b - a + 1).sum::<i64>(), set.len() as i64);
        }
    }
}
