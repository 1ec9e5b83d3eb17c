//! What GDAL says while a layer is read: warnings are notes of the file, errors belong to a feature or to
//! what was passed over.

use citymap_model::{counted, quote};

use crate::gdal_log::Message;

/// Different warnings that are kept; the others are counted.
const KEPT: usize = 20;

/// GDAL's warnings, equal ones together.
#[derive(Default)]
pub(super) struct Warnings {
    /// Names that messages may quote.
    names: Vec<String>,
    /// The first of each kind, its kind, and how many there were.
    kinds: Vec<(String, String, u64)>,
    others: u64,
}

impl Warnings {
    /// The warnings of a layer. `names` are those that messages may quote: the layer's and its fields'.
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Takes what is a warning, and gives the errors. Both lose the values that they quote.
    pub(super) fn sort(&mut self, messages: Vec<Message>) -> Vec<String> {
        let mut errors = Vec::new();
        for Message { error, text } in messages {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let text = quote::without_values(&without_values(&text), &names);
            if error { errors.push(text) } else { self.add(text) }
        }
        errors
    }

    fn add(&mut self, text: String) {
        let kind: String = text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
        if let Some((_, _, count)) = self.kinds.iter_mut().find(|(_, own, _)| *own == kind) {
            *count += 1;
        } else if self.kinds.len() < KEPT {
            self.kinds.push((text, kind, 1));
        } else {
            self.others += 1;
        }
    }

    /// The warnings as notes.
    pub(super) fn notes(self) -> Vec<String> {
        let mut notes: Vec<String> = self
            .kinds
            .into_iter()
            .map(|(text, _, count)| match count {
                1 => format!("GDAL says: {text}"),
                many => format!("GDAL says {many} times: {text}"),
            })
            .collect();
        if self.others > 0 {
            notes.push(format!(
                "GDAL gave {} of other kinds",
                counted(self.others, "more warning", "more warnings")
            ));
        }
        notes
    }
}

/// Where messages of GDAL quote a value without quotes: how they begin or what they say before it, and the
/// sign at which the value begins.
const QUOTING: [(&str, &str); 4] = [
    ("Invalid content for ", ": "),
    ("Non-conformant content for ", ", "),
    ("Invalid date ", ": "),
    (" parsed incompletely", " to "),
];

/// A message without the value that it quotes: a value may be personal data.
fn without_values(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("Value ") {
        return match rest.split_once(" of field ") {
            Some((_, rest)) => without_values(&format!("A value of field {rest}")),
            None => "a value does not fit its field".to_owned(),
        };
    }
    let before_value = QUOTING.into_iter().find_map(|(said, sign)| {
        let from = text.find(said)? + said.len();
        Some(from + text.get(from..)?.find(sign)?)
    });
    before_value.map_or_else(|| text.to_owned(), |end| format!("{} …", &text[..end]))
}

/// The line that a message of GDAL's names: `… error at line 2082 of a.dxf`.
pub(super) fn line_of(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("at line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_warnings_are_counted_and_values_are_not_repeated() {
        let mut warnings = Warnings::default();
        let warning = |text: &str| Message { error: false, text: text.to_owned() };
        let errors = warnings.sort(vec![
            warning("Block X1 does not exist"),
            Message { error: true, text: "broken".into() },
            warning("Block X2 does not exist"),
            warning("Value 079123456789 of field cmnd of feature 1 not successfully written"),
        ]);
        assert_eq!(errors, ["broken"]);
        let notes = warnings.notes();
        assert_eq!(notes[0], "GDAL says 2 times: Block X1 does not exist");
        assert!(!notes[1].contains("0791") && notes[1].contains("cmnd"), "{notes:?}");
    }

    #[test]
    fn values_without_quotes_are_not_repeated() {
        for (said, safe) in [
            (
                "Invalid content for record 2 in column ngay_sinh: 07/05/1985",
                "Invalid content for record 2 in column ngay_sinh …",
            ),
            (
                "Non-conformant content for record 2 in column ngay, 1985-5-7, successfully parsed",
                "Non-conformant content for record 2 in column ngay …",
            ),
            (
                "Value 1985x of field a.nam of feature 2 parsed incompletely to integer 1985.",
                "A value of field a.nam of feature 2 parsed incompletely …",
            ),
            ("Block X1: it does not exist", "Block X1: it does not exist"),
        ] {
            assert_eq!(without_values(said), safe);
        }
    }

    #[test]
    fn the_line_of_a_message_is_found() {
        assert_eq!(line_of("./ogr/x.cpp, 2151: error at line 2082 of a.dxf"), Some(2_082));
        assert_eq!(line_of("error"), None);
    }
}
