//! Sets of rows as bits.

use std::ops::Range;

use crate::Row;

/// A set of rows with one bit for each. An empty set allocates nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    #[inline]
    pub(crate) fn contains(&self, row: Row) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Adds a row. Returns false if it was in the set already.
    pub(crate) fn insert(&mut self, row: Row) -> bool {
        let (word, bit) = (row as usize / 64, 1 << (row % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += usize::from(new);
        new
    }

    pub(crate) fn remove(&mut self, row: Row) {
        if self.contains(row) {
            self.words[row as usize / 64] &= !(1 << (row % 64));
            self.count -= 1;
        }
    }

    /// The set given by these bits, 64 rows to a word; `None` if a bit is set at or above `rows`.
    pub(crate) fn from_words(words: Vec<u64>, rows: usize) -> Option<Self> {
        let beyond = match words.get(rows / 64) {
            Some(last) if words.len() == rows / 64 + 1 => last >> (rows % 64) != 0,
            Some(_) => true,
            None => false,
        };
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        (!beyond).then_some(Self { words, count })
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of rows that are in both sets.
    pub(crate) fn common(&self, other: &Self) -> usize {
        self.words.iter().zip(&other.words).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// The rows of the set in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let left = |word: u64| (word != 0).then_some(word);
            let rest = std::iter::successors(left(word), move |word| left(word & (word - 1)));
            rest.map(move |word| index as Row * 64 + word.trailing_zeros())
        })
    }

    /// The runs of `rows` that are not in the set.
    pub(crate) fn gaps(&self, rows: Range<Row>) -> impl Iterator<Item = Range<Row>> + '_ {
        let mut at = rows.start;
        std::iter::from_fn(move || {
            let start = self.next(at, rows.end, false)?;
            at = self.next(start, rows.end, true).unwrap_or(rows.end);
            Some(start..at)
        })
    }

    /// The first row in `from..end` that is in the set, or that is not if `set` is false.
    fn next(&self, mut from: Row, end: Row, set: bool) -> Option<Row> {
        while from < end {
            let word = self.words.get(from as usize / 64).copied().unwrap_or(0);
            let wanted = if set { word } else { !word } >> (from % 64);
            if wanted != 0 {
                let found = from + wanted.trailing_zeros();
                return (found < end).then_some(found);
            }
            from = (from / 64 + 1).checked_mul(64)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_gaps_make_up_the_whole() {
        let mut bits = Bits::default();
        for row in [0, 1, 63, 64, 65, 130, 200] {
            assert!(bits.insert(row));
            assert!(!bits.insert(row));
        }
        bits.remove(65);
        bits.remove(65);
        assert_eq!((bits.len(), bits.contains(65), bits.contains(9_999)), (6, false, false));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 1, 63, 64, 130, 200]);
        let gaps: Vec<_> = bits.gaps(0..300).collect();
        assert_eq!(gaps, [2..63, 65..130, 131..200, 201..300]);
        assert!(bits.gaps(3..5).eq(std::iter::once(3..5)));
        assert_eq!(bits.gaps(0..2).count(), 0);
        assert!(Bits::default().gaps(0..1000).eq(std::iter::once(0..1000)));
    }
}
