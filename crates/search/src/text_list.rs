//! A list of texts in one allocation.

use std::ops::Range;

/// Texts in one buffer, with the end of each. Saves an allocation for each of a million names.
#[derive(Debug, Default)]
pub(crate) struct TextList {
    text: String,
    ends: Vec<u32>,
}

impl TextList {
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// The first index whose text is not before `text`. The list must be sorted; O(log n).
    pub(crate) fn lower_bound(&self, text: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle) < text { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The indexes of the texts that start with `prefix`. The list must be sorted; O(log n).
    pub(crate) fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let start = self.lower_bound(prefix);
        let (mut low, mut high) = (start, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).starts_with(prefix) { low = middle + 1 } else { high = middle }
        }
        start..low
    }
}
