//! The attributes of a layer in one tile: keys, distinct values, and who has which.

use chrono::{DateTime, Datelike, NaiveDate};
use citymap_engine::{Column, LayerSnapshot, Row};
use citymap_model::{Field, format_datetime};

use crate::pbf;

/// The name under which a layer with a key carries the outside's id of a feature.
pub(crate) const ID_KEY: &str = "_id";

/// Whether the layer's features carry [`ID_KEY`]: it has a key, and that is no secret.
pub(crate) fn has_id(snapshot: &LayerSnapshot) -> bool {
    let layer = snapshot.layer();
    layer.key_index().is_some_and(|field| !layer.fields[field].personal)
}

/// The fields that tiles carry, with their positions. A field that is itself called [`ID_KEY`]
/// gives way to the id.
pub(crate) fn fields(snapshot: &LayerSnapshot) -> impl Iterator<Item = (usize, &Field)> {
    let has_id = has_id(snapshot);
    snapshot.layer().public_fields().filter(move |(_, field)| !has_id || field.name != ID_KEY)
}

/// Finds what a column's value was numbered as. One table serves column after column, tile after
/// tile; a slot counts only in the generation that wrote it, so that nothing is ever cleared.
#[derive(Default)]
struct Numbers {
    slots: Vec<Slot>,
    mask: usize,
    generation: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u64,
    generation: u32,
    number: u32,
}

impl Numbers {
    /// Begins a column of at most `count` distinct values.
    fn begin(&mut self, count: usize) {
        // At most half full, and small for small tiles, so that it stays in the cache.
        let size = (2 * count).next_power_of_two();
        if self.slots.len() < size {
            self.slots.resize(size, Slot::default());
        }
        self.mask = size - 1;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill(Slot::default());
            self.generation = 1;
        }
    }

    /// The number of `key`, which is `next` where it is new, and whether it is.
    #[inline]
    fn number(&mut self, key: u64, next: u32) -> (u32, bool) {
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.generation != self.generation {
                *slot = Slot { key, generation: self.generation, number: next };
                return (next, true);
            }
            if slot.key == key {
                return (slot.number, false);
            }
            at = (at + 1) & self.mask;
        }
    }
}

/// Collects a layer's attributes. Holds buffers that are used again from tile to tile.
#[derive(Default)]
pub(crate) struct Values {
    numbers: Numbers,
    /// For each feature the number of its value of each key, plus one; 0 is none.
    tags: Vec<u32>,
    /// How many keys a feature has places for in `tags`.
    width: usize,
    /// The layer's `keys` fields, as on the wire.
    pub(crate) keys: Vec<u8>,
    /// The key's number in the tile, by place in `tags`.
    key_numbers: Vec<u32>,
    /// The layer's `values` fields, as on the wire.
    pub(crate) values: Vec<u8>,
    count: u32,
}

impl Values {
    /// Takes the attributes of `rows`, the layer's features in the tile.
    pub(crate) fn collect(&mut self, snapshot: &LayerSnapshot, rows: &[Row]) {
        let has_id = has_id(snapshot);
        self.width = fields(snapshot).count() + usize::from(has_id);
        self.tags.clear();
        self.tags.resize(rows.len() * self.width, 0);
        self.keys.clear();
        self.key_numbers.clear();
        self.values.clear();
        self.count = 0;
        let mut keys = 0;
        let mut id_source = None;
        for (place, (index, field)) in fields(snapshot).enumerate() {
            let column = snapshot.column(index);
            let any = self.collect_column(column, rows, place);
            self.name(&field.name, any, &mut keys);
            if has_id && snapshot.layer().key_index() == Some(index) && matches!(column, Column::Text(..)) {
                id_source = Some(place);
            }
        }
        if has_id {
            self.collect_ids(snapshot, rows, id_source);
            self.name(ID_KEY, true, &mut keys);
        }
    }

    fn name(&mut self, name: &str, used: bool, keys: &mut u32) {
        self.key_numbers.push(*keys);
        if used {
            pbf::bytes(&mut self.keys, 3, name.as_bytes());
            *keys += 1;
        }
    }

    /// Numbers a column's values; whether any row has one.
    fn collect_column(&mut self, column: &Column, rows: &[Row], place: usize) -> bool {
        match column {
            Column::Bool(values) => self.number_all(
                rows,
                place,
                |row| {
                    let value = values[row as usize];
                    (value != Column::NULL_BOOL).then_some(u64::from(value))
                },
                |out, bits| {
                    pbf::key(out, 7, pbf::VARINT);
                    pbf::varint(out, bits);
                },
            ),
            Column::Int(values, nulls) => self.number_all(
                rows,
                place,
                |row| (!nulls.contains(row)).then(|| values[row as usize] as u64),
                |out, bits| {
                    let value = bits as i64;
                    if value < 0 {
                        pbf::key(out, 6, pbf::VARINT);
                        pbf::varint(out, pbf::zigzag(value));
                    } else {
                        pbf::key(out, 5, pbf::VARINT);
                        pbf::varint(out, bits);
                    }
                },
            ),
            Column::Real(values, nulls) => self.number_all(
                rows,
                place,
                |row| {
                    let value = values[row as usize];
                    // JSON, and so the map, knows neither NaN nor infinity.
                    (!nulls.contains(row) && value.is_finite()).then(|| value.to_bits())
                },
                |out, bits| {
                    pbf::key(out, 3, pbf::FIXED64);
                    out.extend_from_slice(&bits.to_le_bytes());
                },
            ),
            Column::Text(codes, dictionary) => self.number_all(
                rows,
                place,
                |row| {
                    let code = codes[row as usize];
                    (code != Column::NULL_CODE).then_some(u64::from(code))
                },
                |out, code| pbf::bytes(out, 1, dictionary.get(code as u32).as_bytes()),
            ),
            Column::Date(days) => self.number_all(
                rows,
                place,
                |row| {
                    NaiveDate::from_num_days_from_ce_opt(days[row as usize])
                        .map(|_| days[row as usize] as u64)
                },
                |out, day| {
                    if let Some(day) = NaiveDate::from_num_days_from_ce_opt(day as i32) {
                        write_day(out, day);
                    }
                },
            ),
            Column::DateTime(instants) => self.number_all(
                rows,
                place,
                |row| {
                    DateTime::from_timestamp_millis(instants[row as usize])
                        .map(|_| instants[row as usize] as u64)
                },
                |out, instant| {
                    if let Some(instant) = DateTime::from_timestamp_millis(instant as i64) {
                        pbf::bytes(out, 1, format_datetime(&instant).as_bytes());
                    }
                },
            ),
        }
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

    /// Appends a value.
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        // Most values are short, so room for a one-byte length is left in front.
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

    /// The ids. `source` is where the key's own texts are: an id that is just the key shares its value.
    fn collect_ids(&mut self, snapshot: &LayerSnapshot, rows: &[Row], source: Option<usize>) {
        let place = self.width - 1;
        for feature in 0..rows.len() {
            let at = feature * self.width;
            self.tags[at + place] = if feature > 0 && rows[feature] == rows[feature - 1] {
                // A collection's next feature.
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
        self.add(|out| pbf::bytes(out, 1, text.as_bytes()));
        self.count
    }

    /// Writes the tags of the feature at position `feature` in the rows, as packed on the wire.
    pub(crate) fn write_tags(&self, feature: usize, out: &mut Vec<u8>) {
        let tags = &self.tags[feature * self.width..(feature + 1) * self.width];
        for (&number, &key) in tags.iter().zip(&self.key_numbers) {
            if number != 0 {
                pbf::varint(out, u64::from(key));
                pbf::varint(out, u64::from(number - 1));
            }
        }
    }

    /// Bytes held.
    pub(crate) fn weight(&self) -> usize {
        self.numbers.slots.capacity() * size_of::<Slot>() + self.tags.capacity() * 4 + self.values.capacity()
    }
}

/// Writes a day as text, `YYYY-MM-DD`. By hand, because a tile may hold a thousand of them and
/// general formatting would take as long as cutting their polygons.
fn write_day(out: &mut Vec<u8>, day: NaiveDate) {
    let (year, month, of_month) = (day.year(), day.month(), day.day());
    if !(0..=9999).contains(&year) {
        return pbf::bytes(out, 1, day.to_string().as_bytes());
    }
    let digit = |value: u32, power: u32| b'0' + (value / power % 10) as u8;
    let year = year as u32;
    let text = [
        digit(year, 1000),
        digit(year, 100),
        digit(year, 10),
        digit(year, 1),
        b'-',
        digit(month, 10),
        digit(month, 1),
        b'-',
        digit(of_month, 10),
        digit(of_month, 1),
    ];
    pbf::bytes(out, 1, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_as_chrono_writes_them() {
        for (year, month, day) in
            [(0, 1, 1), (987, 12, 31), (2025, 7, 1), (9999, 10, 10), (12345, 6, 7), (-44, 3, 15)]
        {
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            write_day(&mut found, day);
            pbf::bytes(&mut expected, 1, day.to_string().as_bytes());
            assert_eq!(found, expected, "{day}");
        }
    }

    #[test]
    fn a_value_is_numbered_once_a_column_however_many_there_are() {
        let mut numbers = Numbers::default();
        for count in [1000, 3, 1000] {
            numbers.begin(count);
            for key in 0..count as u64 {
                assert_eq!(numbers.number(key << 40, key as u32), (key as u32, true));
                assert_eq!(numbers.number(key << 40, 9999), (key as u32, false));
            }
        }
    }

    #[test]
    fn generations_start_over_without_remembering() {
        let mut numbers = Numbers::default();
        numbers.begin(4);
        numbers.number(7, 1);
        numbers.generation = u32::MAX;
        numbers.begin(4);
        assert_eq!(numbers.number(7, 5), (5, true));
    }
}
