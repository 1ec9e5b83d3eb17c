//! The attributes of a layer in one tile: keys, distinct values, and which feature has which.

use chrono::{DateTime, Datelike, NaiveDate};
use citymap_access::{Audience, visible};
use citymap_engine::{Column, LayerSnapshot, Row, ValueRef};
use citymap_model::Field;

use super::{
    delta_texts::DeltaTexts,
    numbers::Numbers,
    pbf,
    wire::{real_bits, write_bool, write_date, write_instant, write_int, write_real, write_text},
};

/// Key under which features of a layer with a key carry their public identifier.
pub(crate) const ID_KEY: &str = "_id";

/// Whether the layer's features carry [`ID_KEY`]: the layer has a key, and it is public.
pub(crate) fn has_id(snapshot: &LayerSnapshot) -> bool {
    visible(snapshot.layer(), &Audience::Public).key_index().is_some()
}

/// The fields that tiles carry, with their positions. A field that is itself named [`ID_KEY`] is replaced by
/// the identifier.
pub(crate) fn fields(snapshot: &LayerSnapshot) -> impl Iterator<Item = (usize, &Field)> {
    let has_id = has_id(snapshot);
    visible(snapshot.layer(), &Audience::Public)
        .iter()
        .filter(move |(_, field)| !has_id || field.name != ID_KEY)
}

/// Collects the attributes of a layer. Its buffers are reused from tile to tile.
#[derive(Default)]
pub(crate) struct Values {
    numbers: Numbers,
    /// For each feature and key the number of its value plus one; 0 for no value.
    tags: Vec<u32>,
    /// Number of entries that each feature has in `tags`.
    width: usize,
    /// The layer's `keys` fields as on the wire.
    pub(crate) keys: Vec<u8>,
    key_count: u32,
    /// The number of each key in the tile, by position in `tags`.
    key_numbers: Vec<u32>,
    /// The layer's `values` fields as on the wire.
    pub(crate) values: Vec<u8>,
    count: u32,
}

impl Values {
    /// Collects the attributes of `rows`, the layer's features in the tile: of all fields, or only of the
    /// given ones.
    pub(crate) fn collect(&mut self, snapshot: &LayerSnapshot, rows: &[Row], only: Option<&[usize]>) {
        let has_id = only.is_none() && has_id(snapshot);
        let fields = || fields(snapshot).filter(|(index, _)| only.is_none_or(|only| only.contains(index)));
        self.width = fields().count() + usize::from(has_id);
        self.tags.clear();
        self.tags.resize(rows.len() * self.width, 0);
        self.keys.clear();
        self.key_numbers.clear();
        self.values.clear();
        self.count = 0;
        let mut keys = 0;
        let mut id_source = None;
        let packed = rows.iter().all(|&row| snapshot.is_base(row));
        for (place, (index, field)) in fields().enumerate() {
            let column = snapshot.base().column(index);
            let any = if packed {
                self.collect_column(column, rows, place)
            } else {
                self.collect_both(snapshot, index, rows, place)
            };
            self.name(&field.name, any, &mut keys);
            if has_id && snapshot.layer().key_index() == Some(index) && matches!(column, Column::Text(..)) {
                id_source = Some(place);
            }
        }
        if has_id {
            self.collect_ids(snapshot, rows, id_source);
            self.name(ID_KEY, true, &mut keys);
        }
        self.key_count = keys;
    }

    /// Adds a key that no field has, and returns its number.
    pub(crate) fn add_key(&mut self, name: &str) -> u32 {
        pbf::bytes(&mut self.keys, 3, name.as_bytes());
        self.key_count += 1;
        self.key_count - 1
    }

    /// The number of a key that some feature has.
    pub(crate) fn key_number(&self, name: &str) -> Option<u32> {
        let mut wire = Vec::with_capacity(name.len() + 3);
        pbf::bytes(&mut wire, 3, name.as_bytes());
        // Each entry begins where the one before ends.
        let (mut at, mut number) = (0, 0);
        while at < self.keys.len() {
            if self.keys[at..].starts_with(&wire) {
                return Some(number);
            }
            let mut len = 0usize;
            let mut shift = 0;
            at += 1;
            while let Some(&byte) = self.keys.get(at) {
                at += 1;
                len |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            at += len;
            number += 1;
        }
        None
    }

    /// Adds a value and returns its number.
    pub(crate) fn add_value(&mut self, wire: &[u8]) -> u32 {
        self.add(|out| out.extend_from_slice(wire));
        self.count - 1
    }

    fn name(&mut self, name: &str, used: bool, keys: &mut u32) {
        self.key_numbers.push(*keys);
        if used {
            pbf::bytes(&mut self.keys, 3, name.as_bytes());
            *keys += 1;
        }
    }

    /// Numbers the values of a column of the base. Returns whether any row has a value.
    fn collect_column(&mut self, column: &Column, rows: &[Row], place: usize) -> bool {
        match column {
            Column::Bool(values) => self.number_all(
                rows,
                place,
                |row| {
                    let value = values[row as usize];
                    (value != Column::NULL_BOOL).then_some(u64::from(value))
                },
                write_bool,
            ),
            Column::Int(values, nulls) => self.number_all(
                rows,
                place,
                |row| (!nulls.contains(row)).then(|| values[row as usize] as u64),
                write_int,
            ),
            Column::Real(values, nulls) => self.number_all(
                rows,
                place,
                |row| (!nulls.contains(row)).then(|| real_bits(values[row as usize])).flatten(),
                write_real,
            ),
            Column::Text(codes, dictionary) => self.number_all(
                rows,
                place,
                |row| {
                    let code = codes[row as usize];
                    (code != Column::NULL_CODE).then_some(u64::from(code))
                },
                |out, code| write_text(out, dictionary.get(code as u32)),
            ),
            Column::Date(days) => self.number_all(
                rows,
                place,
                |row| {
                    NaiveDate::from_num_days_from_ce_opt(days[row as usize])
                        .map(|_| days[row as usize] as u64)
                },
                write_date,
            ),
            Column::DateTime(instants) => self.number_all(
                rows,
                place,
                |row| {
                    DateTime::from_timestamp_millis(instants[row as usize])
                        .map(|_| instants[row as usize] as u64)
                },
                write_instant,
            ),
        }
    }

    /// Numbers the values of a field if some rows are in the delta, with the same bytes as if all were in one
    /// block. Returns whether any row has a value.
    fn collect_both(&mut self, snapshot: &LayerSnapshot, field: usize, rows: &[Row], place: usize) -> bool {
        let value = |row: Row| snapshot.value(row, field);
        match snapshot.base().column(field) {
            Column::Bool(_) => self.number_all(
                rows,
                place,
                |row| if let ValueRef::Bool(value) = value(row) { Some(value.into()) } else { None },
                write_bool,
            ),
            Column::Int(..) => self.number_all(
                rows,
                place,
                |row| if let ValueRef::Int(value) = value(row) { Some(value as u64) } else { None },
                write_int,
            ),
            Column::Real(..) => self.number_all(
                rows,
                place,
                |row| if let ValueRef::Real(value) = value(row) { real_bits(value) } else { None },
                write_real,
            ),
            Column::Text(..) => self.number_texts(snapshot, field, rows, place),
            Column::Date(_) => self.number_all(
                rows,
                place,
                |row| match value(row) {
                    ValueRef::Date(day) => Some(day.num_days_from_ce() as u64),
                    _ => None,
                },
                write_date,
            ),
            Column::DateTime(_) => self.number_all(
                rows,
                place,
                |row| match value(row) {
                    ValueRef::DateTime(instant) => Some(instant.timestamp_millis() as u64),
                    _ => None,
                },
                write_instant,
            ),
        }
    }

    fn number_texts(&mut self, snapshot: &LayerSnapshot, field: usize, rows: &[Row], place: usize) -> bool {
        let Column::Text(codes, dictionary) = snapshot.base().column(field) else { return false };
        let texts = DeltaTexts::new(snapshot, field, rows);
        self.begin_column(rows);
        let mut any = false;
        for (feature, &row) in rows.iter().enumerate() {
            let (bits, text) = if !snapshot.is_base(row) {
                let ValueRef::Text(text) = snapshot.value(row, field) else { continue };
                let Some(bits) = texts.number(text) else { continue };
                (bits, Some(text))
            } else if codes[row as usize] != Column::NULL_CODE {
                (u64::from(codes[row as usize]), None)
            } else {
                continue;
            };
            any = true;
            let (mut number, new) = self.numbers.number(bits, self.count);
            if new {
                // A code that occurs for the first time may have a text that the delta has too.
                let text = text.unwrap_or_else(|| dictionary.get(bits as u32));
                let shared = texts.number(text).filter(|&other| other != bits);
                match shared.and_then(|other| self.numbers.share(bits, other)) {
                    Some(known) => number = known,
                    None => self.add(|out| write_text(out, text)),
                }
            }
            self.tags[feature * self.width + place] = number + 1;
        }
        any
    }

    fn begin_column(&mut self, rows: &[Row]) {
        self.numbers.begin(rows.len());
    }

    fn number_all(
        &mut self,
        rows: &[Row],
        place: usize,
        bits: impl Fn(Row) -> Option<u64>,
        write: impl Fn(&mut Vec<u8>, u64),
    ) -> bool {
        self.begin_column(rows);
        let mut any = false;
        for (feature, &row) in rows.iter().enumerate() {
            if let Some(bits) = bits(row) {
                self.number(feature, place, bits, |out| write(out, bits));
                any = true;
            }
        }
        any
    }

    #[inline]
    fn number(&mut self, feature: usize, place: usize, bits: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let (number, new) = self.numbers.number(bits, self.count);
        if new {
            self.add(write);
        }
        self.tags[feature * self.width + place] = number + 1;
    }

    /// Appends a value with its length.
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        // Most values are short, so space for a length of one byte is left in front.
        self.values.extend([4 << 3 | pbf::BYTES as u8, 0]);
        write(&mut self.values);
        let len = self.values.len() - start - 2;
        if len < 0x80 {
            self.values[start + 1] = len as u8;
        } else {
            let mut prefix = Vec::with_capacity(5);
            pbf::varint(&mut prefix, len as u64);
            self.values.splice(start + 1..start + 2, prefix);
        }
        self.count += 1;
    }

    /// Collects the identifiers. `source` is the position of the key's own texts: an identifier that equals
    /// the key shares its value.
    fn collect_ids(&mut self, snapshot: &LayerSnapshot, rows: &[Row], source: Option<usize>) {
        let place = self.width - 1;
        for feature in 0..rows.len() {
            let at = feature * self.width;
            self.tags[at + place] = if feature > 0 && rows[feature] == rows[feature - 1] {
                // The next feature of a geometry collection.
                self.tags[at - self.width + place]
            } else {
                match source {
                    // The key is in the table already, as the value of its own field.
                    Some(source) if self.tags[at + source] != 0 && snapshot.id_is_key(rows[feature]) => {
                        self.tags[at + source]
                    }
                    _ => self.add_text(&snapshot.id(rows[feature]).to_string()),
                }
            };
        }
    }

    fn add_text(&mut self, text: &str) -> u32 {
        self.add(|out| write_text(out, text));
        self.count
    }

    /// Writes the tags of the feature at position `feature` in the rows, packed as on the wire.
    pub(crate) fn write_tags(&self, feature: usize, out: &mut Vec<u8>) {
        let tags = &self.tags[feature * self.width..(feature + 1) * self.width];
        for (&number, &key) in tags.iter().zip(&self.key_numbers) {
            if number != 0 {
                pbf::varint(out, u64::from(key));
                pbf::varint(out, u64::from(number - 1));
            }
        }
    }

    /// Size in bytes of the buffers.
    pub(crate) fn weight(&self) -> usize {
        self.numbers.weight() + self.tags.capacity() * 4 + self.values.capacity()
    }
}
