//! Chance that is the same on every run: one ChaCha stream a cell of the city, and a cheap hash
//! where a single decision hangs on a single feature.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance. Two dice with the same seed, topic and index roll the same.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream for one part (`index`) of one topic.
    pub(crate) fn new(seed: u64, topic: u64, index: u64) -> Self {
        let mut bytes = [0; 32];
        for (slot, word) in bytes.chunks_exact_mut(8).zip([seed, topic, index, 0x6369_7479_6d61_7021]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// From 0 up to, but not, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` up to, but not, `high`.
    pub(crate) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number below `n` (0 for an `n` of 0).
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

/// SplitMix64 of three words: well mixed, for decisions that belong to one feature.
pub(crate) fn mix(a: u64, b: u64, c: u64) -> u64 {
    let mut word = a;
    for part in [b, c] {
        word = word.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
    }
    word
}

/// [`mix`] as a number from 0 up to, but not, 1.
pub(crate) fn mix_unit(a: u64, b: u64, c: u64) -> f64 {
    (mix(a, b, c) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_rolls_the_same_and_another_does_not() {
        let roll = |seed, index| {
            let mut dice = Dice::new(seed, 1, index);
            (0..8).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(roll(7, 3), roll(7, 3));
        assert_ne!(roll(7, 3), roll(8, 3));
        assert_ne!(roll(7, 3), roll(7, 4));
    }
}
