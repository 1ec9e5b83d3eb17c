//! A sample of a stream whose length is not known beforehand.

/// At most `size` items of a stream, each item as likely as any other, wherever in the stream it is
/// (reservoir sampling, Vitter's algorithm R). The choice follows from the position of an item alone, so the
/// same file gives the same sample.
#[derive(Clone, Debug)]
pub(crate) struct Reservoir<T> {
    kept: Vec<T>,
    size: usize,
    seen: u64,
}

impl<T> Reservoir<T> {
    /// An empty sample of at most `size` items.
    pub(crate) fn new(size: usize) -> Self {
        Self { kept: Vec::new(), size, seen: 0 }
    }

    /// Takes the next item; `make` is called only if it comes into the sample.
    pub(crate) fn offer(&mut self, make: impl FnOnce() -> T) {
        if let Some(slot) = self.slot() {
            self.put(slot, make());
        }
    }

    /// Counts the next item, and gives where it goes if it comes into the sample; for items that may turn out
    /// to be none. [`Reservoir::put`] takes it.
    pub(crate) fn slot(&mut self) -> Option<usize> {
        self.seen += 1;
        if self.kept.len() < self.size {
            return Some(self.kept.len());
        }
        let slot = usize::try_from(mixed(self.seen) % self.seen).ok()?;
        (slot < self.size).then_some(slot)
    }

    /// Puts an item where [`Reservoir::slot`] said.
    pub(crate) fn put(&mut self, slot: usize, item: T) {
        match self.kept.get_mut(slot) {
            Some(own) => *own = item,
            None => self.kept.push(item),
        }
    }

    /// The items of the sample, in no order.
    pub(crate) fn items(&self) -> &[T] {
        &self.kept
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014): bits that depend on all bits of the number.
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(all: u64, is: impl Fn(u64) -> bool) -> f64 {
        let mut sample = Reservoir::new(2_000);
        (0..all).for_each(|item| sample.offer(|| item));
        assert_eq!(sample.items().len() as u64, all.min(2_000));
        sample.items().iter().filter(|item| is(**item)).count() as f64 / sample.items().len() as f64
    }

    #[test]
    fn every_part_and_every_period_of_a_stream_has_its_share() {
        for all in [10, 2_000, 2_001, 100_000] {
            for (name, is, expected) in [
                ("start", Box::new(move |i: u64| i < all / 5) as Box<dyn Fn(u64) -> bool>, 0.2),
                ("end", Box::new(move |i| i >= all - all / 5), 0.2),
                ("every second", Box::new(|i| i % 2 == 0), 0.5),
                ("every eighth", Box::new(|i| i % 8 == 3), 0.125),
            ] {
                let found = share(all, is);
                assert!((found - expected).abs() < 0.03, "{name} of {all}: {found}");
            }
        }
    }
}
