//! Features by their content, to know like ones again: where no key tells them apart, the first of the new
//! ones is the first of the old ones.

use citymap_model::Fid;

/// Features by the fingerprint of their content. 24 bytes for each.
#[derive(Debug, Default)]
pub(crate) struct ByContent {
    /// Sorted by fingerprint and number once [`ByContent::settle`] was called.
    features: Vec<(u64, Fid)>,
    /// At the first of each run of like features: how many of them were taken.
    taken: Vec<u32>,
}

impl ByContent {
    pub(crate) fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    pub(crate) fn add(&mut self, fid: Fid, print: u64) {
        self.features.push((print, fid));
    }

    /// Ends the adding, before the first is taken.
    pub(crate) fn settle(&mut self) {
        self.features.sort_unstable();
        self.taken = vec![0; self.features.len()];
    }

    /// The lowest number of a feature with this content that was not taken yet.
    pub(crate) fn take(&mut self, print: u64) -> Option<Fid> {
        let first = self.features.partition_point(|(own, _)| *own < print);
        let taken = self.taken.get_mut(first)?;
        let (_, fid) = self.features.get(first + *taken as usize).filter(|(own, _)| *own == print)?;
        *taken += 1;
        Some(*fid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_features_are_given_once_each_lowest_number_first() {
        let mut features = ByContent::default();
        for (fid, print) in [(4, 7), (1, 7), (2, 9), (3, 7)] {
            features.add(fid, print);
        }
        features.settle();
        assert_eq!(
            [7, 7, 8, 9, 7, 7, 9].map(|print| features.take(print)),
            [Some(1), Some(3), None, Some(2), Some(4), None, None]
        );
    }
}
