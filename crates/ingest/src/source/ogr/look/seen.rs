//! The columns of a layer, and what one look through its features showed of them.

use std::collections::BTreeMap;

use citymap_model::Value;
use gdal::vector::Feature;

use super::super::{
    added::Added,
    value::{How, is_day, is_local},
};
use crate::{
    dates::DatesSeen,
    source::{
        record::{Guess, ValueReader},
        survey::{ByteTexts, Survey},
        systems::SystemCensus,
    },
};

/// The columns of a layer as GDAL declares them.
#[derive(Default)]
pub(super) struct Columns {
    /// The name of the numbering column first, if it is kept.
    pub names: Vec<String>,
    /// What people read in place of the name (an alias), or nothing; without the numbering column.
    pub titles: Vec<String>,
    pub hows: Vec<How>,
    /// The positions of the columns in GDAL's.
    pub positions: Vec<usize>,
    /// Whether the numbering column is kept.
    pub number: bool,
}

/// How many values a feature has.
pub(super) fn values_of(columns: &Columns) -> usize {
    columns.hows.len() + usize::from(columns.number)
}

/// What the features of a layer showed.
pub(super) struct Seen {
    pub survey: Survey,
    /// Texts as bytes, where the encoding has to be found out.
    pub texts: ByteTexts,
    /// What the values of each field could be, where the format has no types.
    pub guesses: Vec<Guess>,
    /// Columns with instants that do not state their offset from UTC.
    pub local: Vec<usize>,
    /// Columns in which every instant so far is a midnight without an offset, and how many there are.
    pub days: BTreeMap<usize, u64>,
    /// Which texts of each column are dates, in formats without a type for them.
    pub dates: Vec<DatesSeen>,
    /// Fields that the format has for every feature.
    pub added: Option<Added>,
    /// The systems that geometries name for themselves.
    pub systems: SystemCensus,
    /// Whether the layer was read to its end.
    pub ended: bool,
}

impl Seen {
    /// Looks at the columns of a feature that hold instants and are not yet known to state their offsets, and
    /// to hold times other than midnights.
    pub(super) fn instants(&mut self, feature: &Feature<'_>, columns: &[usize]) {
        for column in columns {
            if self.local.contains(column) && !self.days.contains_key(column) {
                continue;
            }
            let text = feature.field_as_string(*column).ok().flatten().unwrap_or_default();
            if !text.is_empty() {
                match self.days.get_mut(column) {
                    Some(count) if is_day(&text) => *count += 1,
                    _ => drop(self.days.remove(column)),
                }
            }
            if !self.local.contains(column) && is_local(&text) {
                self.local.push(*column);
            }
        }
    }

    /// Leaves out the columns that the format adds and that say nothing, and gives the others the names of
    /// fields.
    pub(super) fn settle_columns(&mut self, columns: &mut Columns) {
        let Some(added) = &self.added else { return };
        let kept: Vec<usize> = (0..columns.names.len()).filter(|column| added.keeps(*column)).collect();
        fn of<T: Clone>(all: &[T], kept: &[usize]) -> Vec<T> {
            kept.iter().filter_map(|column| all.get(*column).cloned()).collect()
        }
        columns.names = kept.iter().map(|column| added.name(&columns.names, *column)).collect();
        columns.titles = of(&columns.titles, &kept);
        columns.hows = of(&columns.hows, &kept);
        columns.positions = of(&columns.positions, &kept);
        self.guesses = of(&self.guesses, &kept);
        self.dates = of(&self.dates, &kept);
        self.local = self.local.iter().filter_map(|own| kept.iter().position(|one| one == own)).collect();
        self.survey.sample.iter_mut().for_each(|row| *row = of(row, &kept));
    }

    /// Makes days of instants that are nothing else, in a format without a type for days.
    pub(super) fn settle_days(&mut self, columns: &mut Columns, reader: ValueReader) -> Vec<String> {
        let mut notes = Vec::new();
        for position in self.days.iter().filter(|(_, count)| **count > 0).map(|(position, _)| *position) {
            columns.hows[position] = How::Date;
            self.local.retain(|own| *own != position);
            let column = position + usize::from(columns.number);
            for value in self.survey.sample.iter_mut().filter_map(|row| row.get_mut(column)) {
                if let Value::DateTime(at) = value {
                    let earlier = reader.offset().to_utc(at.naive_utc());
                    *value = earlier
                        .map_or(Value::Null, |earlier| Value::Date((*at + (*at - earlier)).date_naive()));
                }
            }
            let name = columns.names.get(column).map_or("", String::as_str);
            notes.push(format!(
                "field `{name}` holds midnights without an offset only: they were read as days"
            ));
        }
        notes
    }

    /// Gives text fields the types that all their values fit, as far as `typed` has some, and converts the
    /// sample. Gives what there is to say of them.
    pub(super) fn settle_types(
        &mut self,
        columns: &mut Columns,
        reader: ValueReader,
        typed: impl Fn(&str, How, &Guess) -> Option<How>,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        for (position, (how, guess)) in columns.hows.iter_mut().zip(&self.guesses).enumerate() {
            let Some(new) = typed(&columns.names[position], *how, guess) else { continue };
            *how = new;
            notes.extend(guess.local_note(&columns.names[position], reader));
            for value in self.survey.sample.iter_mut().filter_map(|row| row.get_mut(position)) {
                if let Value::Text(text) = value {
                    *value = reader.text(std::mem::take(text), new.field_type());
                }
            }
        }
        notes
    }
}
