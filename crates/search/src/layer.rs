use std::sync::Arc;

use citymap_engine::{Block, Column, LayerSnapshot, Row, ValueRef};
use citymap_model::{FieldType, Layer, LayerId, Role};
use rustc_hash::FxHashMap;

use crate::{
    both::Both,
    builder::PhrasesBuilder,
    fold::fold,
    phrases::Phrases,
    words::{Kind, Words, split_number},
};

/// Fields that hold a whole address, as their names fold without spaces (y is i).
const ADDRESS: [&str; 9] = [
    "diachi",
    "address",
    "addr",
    "addrfull",
    "fulladdress",
    "addressfull",
    "diachithua",
    "diachithuadat",
    "diachinha",
];
/// Fields that hold a house number.
const NUMBER: [&str; 7] =
    ["sonha", "housenumber", "addrhousenumber", "housenum", "housenr", "housno", "addrnumber"];
/// Fields that hold the street of a house number.
const STREET: [&str; 7] =
    ["tenduong", "street", "addrstreet", "streetname", "duong", "tenduongpho", "tenpho"];
/// Fields that name a feature, besides its label.
const NAME: [&str; 12] = [
    "name",
    "ten",
    "tengoi",
    "fullname",
    "namevi",
    "namenvi",
    "tendaidu",
    "tendaidi",
    "tendoituong",
    "tenduong",
    "streetname",
    "tendonvi",
];
/// Fields that hold a parcel's sheet, and its number on it.
const SHEET: [&str; 5] = ["soto", "sohieutobando", "shtobando", "sheet", "tobando"];
const PARCEL: [&str; 5] = ["sothua", "sothututhua", "shthua", "parcelno", "parcelnumber"];

/// The names, addresses and parcel numbers of one layer as of one snapshot, in two parts as the snapshot's blocks are: the
/// base's outlives the edits over it.
#[derive(Debug)]
pub(crate) struct LayerIndex {
    pub(crate) id: LayerId,
    pub(crate) role: Role,
    /// The blocks of the snapshot, whose rows the parts hold.
    blocks: [u64; 2],
    fields: Fields,
    pub(crate) base: Arc<Part>,
    pub(crate) overlay: Part,
    /// The fields that make up an address, to be shown.
    pub(crate) address_fields: Vec<usize>,
    /// The fields of sheet and parcel number, where there are both.
    pub(crate) sheet_fields: Option<[usize; 2]>,
}

/// What is found of one block, by the block's own rows.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) names: Phrases,
    pub(crate) addresses: Phrases,
    pub(crate) sheets: SheetIndex,
}

/// Rows by map sheet and parcel number.
#[derive(Debug, Default)]
pub(crate) struct SheetIndex {
    texts: FxHashMap<Box<str>, u32>,
    /// Sheet, parcel, row; sorted.
    entries: Vec<(u32, u32, Row)>,
}

impl SheetIndex {
    /// The rows with this sheet and parcel number (folded texts).
    fn rows(&self, sheet: &str, parcel: &str) -> impl Iterator<Item = Row> + '_ {
        let codes = self.texts.get(sheet).copied().zip(self.texts.get(parcel).copied());
        let range = codes.map_or(0..0, |wanted| {
            let start = self.entries.partition_point(|&(sheet, parcel, _)| (sheet, parcel) < wanted);
            start..self.entries.partition_point(|&(sheet, parcel, _)| (sheet, parcel) <= wanted)
        });
        self.entries[range].iter().map(|&(_, _, row)| row)
    }
}

/// Which fields of a layer search reads; personal ones are never among them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Fields {
    names: Vec<usize>,
    address: Option<usize>,
    number: Option<usize>,
    street: Option<usize>,
    sheet: Option<usize>,
    parcel: Option<usize>,
}

impl Fields {
    fn of(layer: &Layer) -> Self {
        let bare = |name: &str| fold(name).replace([' ', '/'], "");
        let named = |list: &[&str]| {
            layer
                .public_fields()
                .find(|(_, field)| list.contains(&bare(&field.name).as_str()))
                .map(|(index, _)| index)
        };
        let text = |index: &usize| layer.fields[*index].field_type == FieldType::Text;
        let address = named(&ADDRESS).filter(text);
        let number = named(&NUMBER);
        // A street on its own is a name; beside a house number it is half an address.
        let street = number.and_then(|_| named(&STREET).filter(text));
        let (sheet, parcel) = (named(&SHEET), named(&PARCEL));
        let taken = [address, number, street, sheet, parcel, layer.key_index()];
        let label = layer.label_index().filter(|&index| !layer.fields[index].personal);
        let by_name = layer.public_fields().filter(|(_, field)| NAME.contains(&bare(&field.name).as_str()));
        let mut names: Vec<usize> = label.into_iter().chain(by_name.map(|(index, _)| index)).collect();
        names.retain(|index| text(index) && !taken.contains(&Some(*index)));
        names.sort_unstable();
        names.dedup();
        Self { names, address, number, street, sheet, parcel }
    }
}

impl LayerIndex {
    /// The index of a snapshot; `old` is one of the same layer, whose parts are kept where their blocks are the same.
    pub(crate) fn build(snapshot: &LayerSnapshot, old: Option<&Self>) -> Self {
        let layer = snapshot.layer();
        let fields = Fields::of(layer);
        let blocks = [snapshot.base().id(), snapshot.overlay().id()];
        let kept = old.filter(|old| old.blocks[0] == blocks[0] && old.fields == fields);
        let base = match kept {
            Some(old) => Arc::clone(&old.base),
            None => Arc::new(Part::build(snapshot.base(), &fields)),
        };
        let overlay = Part::build(snapshot.overlay(), &fields);
        let address_fields = match (fields.address, fields.number, fields.street) {
            (Some(address), ..) => vec![address],
            (None, Some(number), Some(street)) => vec![number, street],
            _ => Vec::new(),
        };
        let sheet_fields = fields.sheet.zip(fields.parcel).map(|(sheet, parcel)| [sheet, parcel]);
        let (id, role) = (layer.id.clone(), layer.role);
        Self { id, role, blocks, fields, base, overlay, address_fields, sheet_fields }
    }

    /// Whether it is of this very snapshot, so that its rows are the snapshot's.
    pub(crate) fn is_of(&self, snapshot: &LayerSnapshot) -> bool {
        // The overlay's block is another one with each change, also where only definitions or removals changed.
        self.blocks == [snapshot.base().id(), snapshot.overlay().id()]
    }

    /// The names of both parts.
    pub(crate) fn names<'a>(&'a self, snapshot: &'a LayerSnapshot) -> Both<'a> {
        Both::new([&self.base.names, &self.overlay.names], snapshot)
    }

    /// The addresses of both parts.
    pub(crate) fn addresses<'a>(&'a self, snapshot: &'a LayerSnapshot) -> Both<'a> {
        Both::new([&self.base.addresses, &self.overlay.addresses], snapshot)
    }

    /// The rows with this sheet and parcel number (folded texts), by fid, of the first `limit` in each part.
    pub(crate) fn parcels(
        &self,
        snapshot: &LayerSnapshot,
        sheet: &str,
        parcel: &str,
        limit: usize,
    ) -> Vec<Row> {
        let base = self.base.sheets.rows(sheet, parcel).filter(|&row| !snapshot.is_hidden(row));
        let overlay = self.overlay.sheets.rows(sheet, parcel).map(|row| snapshot.row_of_overlay(row));
        let mut rows: Vec<Row> = base.take(limit).chain(overlay.take(limit)).collect();
        snapshot.sort(&mut rows);
        rows
    }
}

impl Part {
    fn build(block: &Block, fields: &Fields) -> Self {
        if block.is_empty() {
            // Nothing is dearer than starting threads for nothing at each edit.
            return Self {
                names: Phrases::empty(),
                addresses: Phrases::empty(),
                sheets: SheetIndex::default(),
            };
        }
        let ((names, addresses), sheets) = rayon::join(
            || rayon::join(|| names(block, fields), || addresses(block, fields)),
            || sheets(block, fields),
        );
        Self { names, addresses, sheets }
    }
}

/// Calls `each` once for each distinct text of a text column, then `row` for each row with what it gave.
fn by_text<T: Copy>(column: &Column, mut each: impl FnMut(&str) -> Option<T>, mut at: impl FnMut(Row, T)) {
    let Column::Text(codes, dictionary) = column else { return };
    let given: Vec<Option<T>> = (0..dictionary.len() as u32).map(|code| each(dictionary.get(code))).collect();
    for (row, &code) in codes.iter().enumerate() {
        if let Some(Some(value)) = given.get(code as usize) {
            at(row as Row, *value);
        }
    }
}

fn names(block: &Block, fields: &Fields) -> Phrases {
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
        by_text(block.column(field), phrase, |row, phrase| rows.push((phrase, row)));
    }
    for (phrase, row) in rows {
        builder.entry(phrase, 0, row);
    }
    builder.finish()
}

fn addresses(block: &Block, fields: &Fields) -> Phrases {
    let mut builder = PhrasesBuilder::default();
    let mut words = Words::default();
    let mut rows: Vec<(u32, u32, Row)> = Vec::new();
    if let Some(field) = fields.address {
        let address = |text: &str| {
            words.read(text);
            let (number, street) = split_number(&words.text).unwrap_or(("", &words.text));
            let head = words.head.saturating_sub(words.text.len() - street.len());
            let (kind, core) = match words.split(street) {
                // Addresses are asked for with and without the word for street.
                (Kind::Road, core) => (Kind::None, core),
                other => other,
            };
            let head = head.saturating_sub(street.len() - core.len());
            (!core.is_empty()).then(|| (builder.phrase(kind, core, head), builder.number(number)))
        };
        by_text(block.column(field), address, |row, (phrase, number)| rows.push((phrase, number, row)));
    } else if let (Some(number), Some(street)) = (fields.number, fields.street) {
        let mut numbers: Vec<u32> = vec![0; block.len()];
        match block.column(number) {
            column @ Column::Text(..) => {
                let each = |text: &str| {
                    words.read(text);
                    Some(builder.number(&words.text.replace(' ', "")))
                };
                by_text(column, each, |row, number| numbers[row as usize] = number);
            }
            column => {
                for row in 0..block.len() as Row {
                    numbers[row as usize] = builder.number(&column.get(row).to_text());
                }
            }
        }
        let phrase = |text: &str| {
            words.read(text);
            let core = match words.split(&words.text) {
                (Kind::Road, core) => core,
                _ => &words.text,
            };
            (!core.is_empty()).then(|| builder.phrase(Kind::None, core, core.len()))
        };
        by_text(block.column(street), phrase, |row, phrase| rows.push((phrase, numbers[row as usize], row)));
    }
    for (phrase, number, row) in rows {
        builder.entry(phrase, number, row);
    }
    builder.finish()
}

fn sheets(block: &Block, fields: &Fields) -> SheetIndex {
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
            by_text(column, |text| Some(code(text)), |row, code| found[row as usize] = Some(code));
        } else {
            for (row, found) in found.iter_mut().enumerate() {
                *found = match column.get(row as Row) {
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

#[cfg(test)]
mod tests {
    use citymap_model::{Field, GeometryKind, Title};

    use super::*;

    fn layer(fields: &[&str], label: Option<&str>) -> Layer {
        let mut layer =
            Layer::new("x".parse().unwrap(), Title::same("x"), Role::Parcel, GeometryKind::Polygon);
        layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
        layer.label = label.map(str::to_owned);
        layer
    }

    #[test]
    fn fields_are_known_by_name_in_both_languages() {
        let fields =
            Fields::of(&layer(&["ma_thua", "so_to", "so_thua", "dia_chi", "ten_duong"], Some("so_thua")));
        assert_eq!((fields.sheet, fields.parcel, fields.address), (Some(1), Some(2), Some(3)));
        assert_eq!(fields.names, [4], "a parcel number is no name");
        let fields = Fields::of(&layer(&["addr:housenumber", "addr:street", "name"], None));
        assert_eq!(
            (fields.number, fields.street, fields.names.as_slice()),
            (Some(0), Some(1), [2].as_slice())
        );
    }

    #[test]
    fn personal_fields_are_never_read() {
        let mut layer = layer(&["name", "dia_chi", "ten"], Some("name"));
        for field in &mut layer.fields {
            field.personal = true;
        }
        assert_eq!(Fields::of(&layer), Fields::default());
    }
}
