//! A number for a value, to tell values apart within one process.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A 64-bit hash of `value`. It does not resist collisions that somebody searches for.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
