//! A number for a value, to tell values apart within one process.

use std::hash::{DefaultHasher, Hash, Hasher};

use citymap_model::hex;
use sha2::{Digest, Sha256};

/// A 64-bit hash of `value`. It does not resist collisions that somebody searches for.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A tag of an answer's bytes: 16 hexadecimal digits of their SHA-256, the same on every server.
pub(crate) fn content_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}
