//! The classes that features are merged by.

use chrono::Datelike;
use citymap_engine::{LayerSnapshot, Row, ValueRef};
use rustc_hash::FxHashMap;

use crate::mvt::wire;

/// A class as its value is encoded in a tile; empty for no value.
pub(crate) type Label = Box<[u8]>;

/// Encodes the value of a class field as in a tile. Writes nothing for null and for numbers that JSON cannot
/// represent.
pub(crate) fn write_label(value: ValueRef<'_>, out: &mut Vec<u8>) {
    out.clear();
    match value {
        ValueRef::Null => {}
        ValueRef::Bool(value) => wire::write_bool(out, value.into()),
        ValueRef::Int(value) => wire::write_int(out, value as u64),
        ValueRef::Real(value) => {
            if let Some(bits) = wire::real_bits(value) {
                wire::write_real(out, bits);
            }
        }
        ValueRef::Text(value) => wire::write_text(out, value),
        ValueRef::Date(day) => wire::write_date(out, day.num_days_from_ce() as u64),
        ValueRef::DateTime(instant) => wire::write_instant(out, instant.timestamp_millis() as u64),
    }
}

/// Numbers classes in the order of their first occurrence.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    numbers: FxHashMap<Label, u16>,
    list: Vec<Label>,
    spare: Vec<u8>,
}

impl Labels {
    /// The number of a row's class. After `max_labels` distinct classes the last number stands for all
    /// others.
    pub(crate) fn of(
        &mut self,
        snapshot: &LayerSnapshot,
        row: Row,
        field: Option<usize>,
        max_labels: u16,
    ) -> u16 {
        self.spare.clear();
        if let Some(field) = field {
            write_label(snapshot.value(row, field), &mut self.spare);
        }
        if let Some(&number) = self.numbers.get(&*self.spare) {
            return number;
        }
        if self.list.len() >= usize::from(max_labels) {
            return max_labels - 1;
        }
        let number = self.list.len() as u16;
        let label: Label = self.spare.as_slice().into();
        self.numbers.insert(label.clone(), number);
        self.list.push(label);
        number
    }

    pub(crate) fn into_list(self) -> Vec<Label> {
        self.list
    }
}
