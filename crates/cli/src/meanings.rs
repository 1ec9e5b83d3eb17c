//! `FIELD=MEANING` on the command line, for `import` and `layer set`.

use citymap_model::Meaning;

/// The word that takes a field's meaning away.
const NONE: &str = "none";

/// Reads `FIELD=MEANING`, or `FIELD=none` for a field that means nothing. The last `=` separates, since field
/// names may have one.
pub(crate) fn field_meaning(text: &str) -> Result<(String, Option<Meaning>), String> {
    let Some((field, meaning)) = text.rsplit_once('=').filter(|(field, _)| !field.is_empty()) else {
        return Err(format!("`{text}` is not FIELD=MEANING; write so_to=sheet, or so_to=none to clear it"));
    };
    let meaning = match meaning {
        NONE => None,
        meaning => Some(meaning.parse::<Meaning>().map_err(|error| format!("{error}; `none` clears it"))?),
    };
    Ok((field.to_owned(), meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_meanings_are_read() {
        assert_eq!(field_meaning("so_to=sheet"), Ok(("so_to".to_owned(), Some(Meaning::Sheet))));
        assert_eq!(field_meaning("a=b=none"), Ok(("a=b".to_owned(), None)));
        for bad in ["", "so_to", "=sheet", "so_to=", "so_to=colour"] {
            assert!(field_meaning(bad).is_err(), "{bad}");
        }
        assert!(field_meaning("so_to=colour").unwrap_err().contains("parcel_number"));
    }
}
