//! The index of one block of a layer: names, addresses, and sheet and parcel numbers.

use citymap_engine::{Block, Column, Row, ValueRef};
use rustc_hash::FxHashMap;

use crate::{
    builder::PhrasesBuilder,
    fields::Fields,
    phrases::Phrases,
    words::{NameKind, Words, split_number},
};

/// The index of one block. Rows are the block's own numbers.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) names: Phrases,
    pub(crate) addresses: Phrases,
    pub(crate) decisions: Phrases,
    pub(crate) sheets: SheetIndex,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            names: Phrases::empty(),
            addresses: Phrases::empty(),
            decisions: Phrases::empty(),
            sheets: SheetIndex::default(),
        }
    }
}

impl Segment {
    /// Indexes the block, or only these rows of it.
    pub(crate) fn build(block: &Block, fields: &Fields, only: Option<&[Row]>) -> Self {
        if only.map_or(block.len(), <[Row]>::len) == 0 {
            // Avoid starting threads for an empty edit.
            return Self::default();
        }
        let ((names, addresses), sheets) = rayon::join(
            || rayon::join(|| names(block, fields, only), || addresses(block, fields, only)),
            || sheets(block, fields, only),
        );
        let decisions = decisions(block, fields, only);
        Self { names, addresses, decisions, sheets }
    }
}

/// Rows by map sheet and parcel number.
#[derive(Debug, Default)]
pub(crate) struct SheetIndex {
    texts: FxHashMap<Box<str>, u32>,
    /// The codes of sheet and parcel number, and the row; sorted.
    entries: Vec<(u32, u32, Row)>,
}

impl SheetIndex {
    /// The rows with this sheet and parcel number (folded texts). O(log n).
    pub(crate) fn rows(&self, sheet: &str, parcel: &str) -> impl Iterator<Item = Row> + '_ {
        let codes = self.texts.get(sheet).copied().zip(self.texts.get(parcel).copied());
        let range = codes.map_or(0..0, |wanted| {
            let start = self.entries.partition_point(|&(sheet, parcel, _)| (sheet, parcel) < wanted);
            start..self.entries.partition_point(|&(sheet, parcel, _)| (sheet, parcel) <= wanted)
        });
        self.entries[range].iter().map(|&(_, _, row)| row)
    }
}

/// Calls `each` once for each distinct text of a text column, and then `at` for each row with the result.
/// With `rows`, only these rows are visited, and `each` is called for each of them.
fn by_text<T: Copy>(
    column: &Column,
    rows: Option<&[Row]>,
    mut each: impl FnMut(&str) -> Option<T>,
    mut at: impl FnMut(Row, T),
) {
    let Column::Text(codes, dictionary) = column else { return };
    if let Some(rows) = rows {
        for &row in rows {
            if let Some(value) = column.get(row).as_str().and_then(&mut each) {
                at(row, value);
            }
        }
        return;
    }
    let given: Vec<Option<T>> = (0..dictionary.len() as u32).map(|code| each(dictionary.get(code))).collect();
    for (row, &code) in codes.iter().enumerate() {
        if let Some(Some(value)) = given.get(code as usize) {
            at(row as Row, *value);
        }
    }
}

/// The rows to index.
fn chosen<'a>(block: &Block, only: Option<&'a [Row]>) -> impl Iterator<Item = Row> + use<'a> {
    let all = if only.is_some() { 0..0 } else { 0..block.len() as Row };
    all.chain(only.into_iter().flatten().copied())
}

fn names(block: &Block, fields: &Fields, only: Option<&[Row]>) -> Phrases {
    let mut builder = PhrasesBuilder::default();
    let mut words = Words::default();
    let mut rows = Vec::new();
    for &field in &fields.names {
        let phrase = |text: &str| {
            words.read(text);
            let (kind, core) = words.split(&words.text);
            let head = words.head.saturating_sub(words.text.len() - core.len());
            (!core.is_empty()).then(|| builder.phrase(kind, core, head))
        };
        by_text(block.column(field), only, phrase, |row, phrase| rows.push((phrase, row)));
    }
    for (phrase, row) in rows {
        builder.entry(phrase, 0, row);
    }
    builder.finish()
}

fn decisions(block: &Block, fields: &Fields, only: Option<&[Row]>) -> Phrases {
    let mut builder = PhrasesBuilder::default();
    let (mut words, mut rows) = (Words::default(), Vec::new());
    if let Some(field) = fields.decision {
        let phrase = |text: &str| {
            words.read(text);
            let core = words.text.as_str();
            (!core.is_empty()).then(|| builder.phrase(NameKind::None, core, core.len()))
        };
        by_text(block.column(field), only, phrase, |row, phrase| rows.push((phrase, row)));
    }
    for (phrase, row) in rows {
        builder.entry(phrase, 0, row);
    }
    builder.finish()
}

fn addresses(block: &Block, fields: &Fields, only: Option<&[Row]>) -> Phrases {
    let mut builder = PhrasesBuilder::default();
    let mut words = Words::default();
    let mut rows: Vec<(u32, u32, Row)> = Vec::new();
    if let Some(field) = fields.address {
        let address = |text: &str| {
            words.read(text);
            let (number, street) = split_number(&words.text).unwrap_or(("", &words.text));
            let head = words.head.saturating_sub(words.text.len() - street.len());
            let (kind, core) = match words.split(street) {
                // People search addresses with and without the word for street.
                (NameKind::Road, core) => (NameKind::None, core),
                other => other,
            };
            let head = head.saturating_sub(street.len() - core.len());
            (!core.is_empty()).then(|| (builder.phrase(kind, core, head), builder.number(number)))
        };
        by_text(block.column(field), only, address, |row, (phrase, number)| rows.push((phrase, number, row)));
    } else if let (Some(number), Some(street)) = (fields.number, fields.street) {
        let mut numbers: Vec<u32> = vec![0; block.len()];
        match block.column(number) {
            column @ Column::Text(..) => {
                let each = |text: &str| {
                    words.read(text);
                    Some(builder.number(&words.text.replace(' ', "")))
                };
                by_text(column, only, each, |row, number| numbers[row as usize] = number);
            }
            column => {
                for row in chosen(block, only) {
                    numbers[row as usize] = builder.number(&column.get(row).to_text());
                }
            }
        }
        let phrase = |text: &str| {
            words.read(text);
            let core = match words.split(&words.text) {
                (NameKind::Road, core) => core,
                _ => &words.text,
            };
            (!core.is_empty()).then(|| builder.phrase(NameKind::None, core, core.len()))
        };
        by_text(block.column(street), only, phrase, |row, phrase| {
            rows.push((phrase, numbers[row as usize], row));
        });
    }
    for (phrase, number, row) in rows {
        builder.entry(phrase, number, row);
    }
    builder.finish()
}

fn sheets(block: &Block, fields: &Fields, only: Option<&[Row]>) -> SheetIndex {
    let Some((sheet, parcel)) = fields.sheet.zip(fields.parcel) else { return SheetIndex::default() };
    let mut texts: FxHashMap<Box<str>, u32> = FxHashMap::default();
    let mut words = Words::default();
    let mut codes = |column: &Column| -> Vec<Option<u32>> {
        let mut code = |text: &str| {
            words.read(text);
            let next = texts.len() as u32;
            *texts.entry(words.text.as_str().into()).or_insert(next)
        };
        let mut found = vec![None; block.len()];
        if let Column::Text(..) = column {
            by_text(column, only, |text| Some(code(text)), |row, code| found[row as usize] = Some(code));
        } else {
            for row in chosen(block, only) {
                found[row as usize] = match column.get(row) {
                    ValueRef::Null => None,
                    value => Some(code(&value.to_text())),
                };
            }
        }
        found
    };
    let (sheets, parcels) = (codes(block.column(sheet)), codes(block.column(parcel)));
    let pair = |(row, (sheet, parcel)): (usize, (&Option<u32>, &Option<u32>))| {
        Some(((*sheet)?, (*parcel)?, row as Row))
    };
    let mut entries: Vec<(u32, u32, Row)> =
        sheets.iter().zip(&parcels).enumerate().filter_map(pair).collect();
    rayon::slice::ParallelSliceMut::par_sort_unstable(entries.as_mut_slice());
    SheetIndex { texts, entries }
}
