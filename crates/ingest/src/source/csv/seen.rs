//! What one look at every row of a table shows.

use citymap_model::{FieldType, text::with_formula};

use super::Rows;
use crate::{
    Request,
    dates::{DateStyle, DatesSeen},
    encoding::TextDecoder,
    sample::Reservoir,
    source::{
        record::{Guess, ValueReader},
        survey::SAMPLE,
        table::TablePlace,
    },
};

/// The type of a column, and how its dates are written if they are not as ISO 8601 has them.
pub(super) type ColumnType = (FieldType, Option<DateStyle>);

/// What one look at every row shows.
pub(super) struct SeenRows {
    /// What each column's values look like.
    guesses: Vec<Guess>,
    /// Which of them are dates.
    dates: Vec<DatesSeen>,
    /// Rows from all parts of the table, as text.
    pub(super) rows: Reservoir<Vec<String>>,
    /// Rows that are not blank.
    pub(super) count: u64,
    /// Rows of nothing but delimiters.
    pub(super) blank: u64,
    /// Cells that lost spaces around them.
    pub(super) trimmed: u64,
    /// Cells with an apostrophe before what a spreadsheet takes for a formula.
    pub(super) formulas: u64,
}

impl SeenRows {
    pub(super) fn of(mut rows: Rows<'_>, columns: usize, decoder: TextDecoder) -> Self {
        let mut seen = Self {
            guesses: vec![Guess::default(); columns],
            dates: vec![DatesSeen::default(); columns],
            rows: Reservoir::new(SAMPLE),
            count: 0,
            blank: 0,
            trimmed: 0,
            formulas: 0,
        };
        for row in rows.by_ref() {
            if row.is_blank() {
                seen.blank += u64::from(row.has_delimiters());
                continue;
            }
            seen.count += 1;
            let Ok(cells) = row.cells else { continue };
            if cells.len() > columns && cells[columns..].iter().any(|cell| !cell.is_empty()) {
                continue;
            }
            let cells: Vec<String> = cells.iter().map(|cell| decoder.decode(cell).text).collect();
            for ((guess, dates), cell) in seen.guesses.iter_mut().zip(&mut seen.dates).zip(&cells) {
                guess.see_text(cell, row.line);
                dates.see(cell, row.line);
                seen.formulas += u64::from(with_formula(cell).is_some());
            }
            seen.rows.offer(|| cells);
        }
        seen.trimmed = rows.trimmed();
        seen
    }

    /// The type of each column and how its dates are written: what its values look like, or what was declared
    /// beside the file where they agree; and what there is to say of them.
    pub(super) fn types(
        &self,
        names: &[String],
        place: &TablePlace,
        request: &Request,
        declared: &[Option<FieldType>],
    ) -> (Vec<ColumnType>, Vec<String>) {
        let mut warnings = Vec::new();
        let coordinates = place.coordinate_columns();
        let one = |(column, (name, guess)): (usize, (&String, &Guess))| -> ColumnType {
            let number = guess.number_type();
            warnings.extend(guess.local_note(name, ValueReader::of(request)));
            let chosen = self.dates[column].choose(request.date_wish(name, "line"));
            if request.asked_type_of(name).is_some() {
                // As it is written; the type that was asked for is made of that.
                let reading = chosen.reading.filter(|_| !guess.is_iso());
                warnings.extend(chosen.note.filter(|_| !guess.is_iso()));
                return reading.map_or((FieldType::Text, None), |(own, style)| (own, Some(style)));
            }
            match declared.get(column).copied().flatten() {
                // Days, instants and truths of our own are declared as text, numbers never are.
                Some(FieldType::Text) if matches!(guess.field_type(), FieldType::Int | FieldType::Real) => {
                    return (FieldType::Text, None);
                }
                Some(wanted @ (FieldType::Int | FieldType::Real)) if guess.is_number(wanted) => {
                    return (wanted, None);
                }
                _ => {}
            }
            // Coordinates are numbers in whatever form they are written.
            if coordinates.is_some_and(|pair| pair.contains(&column))
                && let Some(number) = number
            {
                return (number, None);
            }
            let is_key = request.key.as_ref() == Some(name);
            if !is_key && guess.is_measure(name) {
                return (FieldType::Real, None);
            }
            let is_place = coordinates.is_some_and(|pair| pair.contains(&column));
            if !is_place && place.geometry_column() != Some(column) {
                warnings.extend(chosen.note.filter(|_| !guess.is_iso()).or_else(|| guess.note(name)));
                if let (FieldType::Text, Some((own, style))) = (guess.field_type(), chosen.reading) {
                    return (own, Some(style));
                }
            }
            (guess.field_type(), None)
        };
        let types = names.iter().zip(&self.guesses).enumerate().map(one).collect();
        (types, warnings)
    }
}
