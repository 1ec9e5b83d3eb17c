//! Numbers for the texts of a field that only features of the delta have.

use citymap_engine::{LayerSnapshot, Row, ValueRef};
use rustc_hash::FxHashMap;

/// The texts that features of the delta have in one field, numbered above the codes of the base. Where a
/// feature of the base has the same text, both share a number, so that a value is stored once in a tile.
pub(crate) struct DeltaTexts<'a> {
    numbers: FxHashMap<&'a str, u64>,
}

impl<'a> DeltaTexts<'a> {
    /// The first number that is not a code.
    const FIRST: u64 = 1 << 32;

    pub(crate) fn new(snapshot: &'a LayerSnapshot, field: usize, rows: &[Row]) -> Self {
        let mut numbers = FxHashMap::default();
        for &row in rows.iter().filter(|&&row| !snapshot.is_base(row)) {
            if let ValueRef::Text(text) = snapshot.value(row, field) {
                let next = Self::FIRST + numbers.len() as u64;
                numbers.entry(text).or_insert(next);
            }
        }
        Self { numbers }
    }

    pub(crate) fn number(&self, text: &str) -> Option<u64> {
        self.numbers.get(text).copied()
    }
}
