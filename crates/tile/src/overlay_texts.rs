use citymap_engine::{Dictionary, LayerSnapshot, Row, ValueRef};
use rustc_hash::FxHashMap;

/// The texts that the overlay's features in a tile have in one field, numbered above the base's codes. The base's
/// features take these numbers too where they have the same text, so that a value stands in a tile once.
pub(crate) struct OverlayTexts<'a> {
    numbers: FxHashMap<&'a str, u64>,
    texts: Vec<&'a str>,
}

impl<'a> OverlayTexts<'a> {
    /// The first number that is no code.
    const FIRST: u64 = 1 << 32;

    pub(crate) fn new(snapshot: &'a LayerSnapshot, field: usize, rows: &[Row]) -> Self {
        let (mut numbers, mut texts) = (FxHashMap::default(), Vec::new());
        for &row in rows.iter().filter(|&&row| !snapshot.is_base(row)) {
            if let ValueRef::Text(text) = snapshot.value(row, field) {
                numbers.entry(text).or_insert_with(|| {
                    texts.push(text);
                    Self::FIRST + texts.len() as u64 - 1
                });
            }
        }
        Self { numbers, texts }
    }

    pub(crate) fn number(&self, text: &str) -> Option<u64> {
        self.numbers.get(text).copied()
    }

    pub(crate) fn get(&self, base: &'a Dictionary, number: u64) -> &'a str {
        match number.checked_sub(Self::FIRST) {
            Some(index) => self.texts[index as usize],
            None => base.get(number as u32),
        }
    }
}
