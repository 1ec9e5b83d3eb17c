//! Numbers the distinct values of a tile.

/// Finds the number that a column's value has in the tile. One table serves column after column and tile
/// after tile; a slot counts only in the generation that wrote it, so that nothing is ever cleared.
#[derive(Default)]
pub(crate) struct Numbers {
    slots: Vec<Slot>,
    mask: usize,
    generation: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u64,
    generation: u32,
    number: u32,
}

impl Numbers {
    /// Begins a column of at most `count` distinct values.
    pub(crate) fn begin(&mut self, count: usize) {
        // At most half full, and small for small tiles, so that it stays in the cache.
        let size = (2 * count).next_power_of_two();
        if self.slots.len() < size {
            self.slots.resize(size, Slot::default());
        }
        self.mask = size - 1;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill(Slot::default());
            self.generation = 1;
        }
    }

    /// The number of `key`, and whether it is new; a new key gets the number `next`.
    #[inline]
    pub(crate) fn number(&mut self, key: u64, next: u32) -> (u32, bool) {
        let mut at = self.start(key);
        loop {
            let slot = &mut self.slots[at];
            if slot.generation != self.generation {
                *slot = Slot { key, generation: self.generation, number: next };
                return (next, true);
            }
            if slot.key == key {
                return (slot.number, false);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Makes `key`, which has a number, share the number of `other`. If `other` has none, it gets that of
    /// `key`. Returns the number that `other` had.
    pub(crate) fn share(&mut self, key: u64, other: u64) -> Option<u32> {
        let (number, _) = self.number(key, 0);
        let (shared, new) = self.number(other, number);
        if new {
            return None;
        }
        let at = self.find(key);
        self.slots[at].number = shared;
        Some(shared)
    }

    /// The slot of `key`, which has a number.
    fn find(&self, key: u64) -> usize {
        let mut at = self.start(key);
        while self.slots[at].key != key || self.slots[at].generation != self.generation {
            at = (at + 1) & self.mask;
        }
        at
    }

    #[inline]
    fn start(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask
    }

    /// Size in bytes of the table.
    pub(crate) fn weight(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_numbered_once_a_column_however_many_there_are() {
        let mut numbers = Numbers::default();
        for count in [1000, 3, 1000] {
            numbers.begin(count);
            for key in 0..count as u64 {
                assert_eq!(numbers.number(key << 40, key as u32), (key as u32, true));
                assert_eq!(numbers.number(key << 40, 9999), (key as u32, false));
            }
        }
    }

    #[test]
    fn two_keys_share_a_number_whichever_came_first() {
        let mut numbers = Numbers::default();
        numbers.begin(8);
        assert_eq!(numbers.number(1, 5), (5, true));
        assert_eq!(numbers.share(1, 100), None);
        assert_eq!(numbers.number(100, 6), (5, false));
        assert_eq!(numbers.number(200, 6), (6, true));
        assert_eq!(numbers.number(2, 7), (7, true));
        assert_eq!(numbers.share(2, 200), Some(6));
        assert_eq!(numbers.number(2, 8), (6, false));
    }

    #[test]
    fn generations_start_over_without_remembering() {
        let mut numbers = Numbers::default();
        numbers.begin(4);
        numbers.number(7, 1);
        numbers.generation = u32::MAX;
        numbers.begin(4);
        assert_eq!(numbers.number(7, 5), (5, true));
    }
}
