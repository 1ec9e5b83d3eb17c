use citymap_engine::{LayerSnapshot, Row, ValueRef};
use rustc_hash::FxHashMap;

/// The texts that the delta's features in a tile have in one field, numbered above the base's codes. The base's
/// features share these numbers where they have the same text, so that a value stands in a tile once.
pub(crate) struct DeltaTexts<'a> {
    numbers: FxHashMap<&'a str, u64>,
}

impl<'a> DeltaTexts<'a> {
    /// The first number that is no code.
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
