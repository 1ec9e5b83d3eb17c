//! Texts of DGN version 7 as the bytes that they are.
//!
//! The format has no encoding, and GDAL hands its texts on as they lie there; what is not UTF-8 would be lost
//! on the way here. GDAL's SQLite dialect tells the bytes in hexadecimal.

use std::collections::HashMap;

use citymap_model::Value;
use gdal::{
    Dataset,
    vector::{Feature, LayerAccess, sql::Dialect},
};

use super::Opener;
use crate::ImportError;

/// The column of texts, the same in every drawing.
const TEXT: &str = "Text";

/// Texts by element number, each byte as the character of that number.
pub(super) type Texts = HashMap<u64, String>;

/// The texts of a drawing; none of any other source.
///
/// Opens the drawing for itself: a query leaves its filter behind in the layer it ran over.
pub(super) fn texts_of(driver: &str, opener: &Opener, shown: &str) -> Result<Texts, ImportError> {
    if driver != "DGN" {
        return Ok(Texts::new());
    }
    opener.open().and_then(|dataset| texts(&dataset)).map_err(|error| {
        ImportError::malformed(
            shown,
            "texts",
            format!("{error}; they cannot be read byte by byte: get the file again, or save it as DXF"),
        )
    })
}

/// Puts an element's text as it lies in the file in place of what GDAL's binding made of it.
pub(super) fn put_back<'a>(
    texts: &Texts,
    feature: &Feature<'_>,
    mut names: impl Iterator<Item = &'a str>,
    values: &mut [Value],
) {
    let Some(text) = feature.fid().and_then(|fid| texts.get(&fid)) else { return };
    if let Some(slot) = names.position(|name| name == TEXT).and_then(|at| values.get_mut(at)) {
        *slot = Value::Text(text.clone());
    }
}

/// The texts of a drawing that are not plain ASCII.
fn texts(dataset: &Dataset) -> Result<Texts, String> {
    let query = format!(r#"SELECT rowid, hex("{TEXT}") FROM elements WHERE "{TEXT}" IS NOT NULL"#);
    let rows = dataset.execute_sql(query, None, Dialect::SQLITE).map_err(|error| error.to_string())?;
    let mut texts = Texts::new();
    let Some(mut rows) = rows else { return Ok(texts) };
    for row in rows.features() {
        let number = row.field_as_integer64(0).map_err(|error| error.to_string())?;
        let hex = row.field_as_string(1).map_err(|error| error.to_string())?.unwrap_or_default();
        let text = bytes(&hex).ok_or_else(|| "a text is not hexadecimal".to_owned())?;
        if let (Some(number), false) = (number.and_then(|n| u64::try_from(n).ok()), text.is_ascii()) {
            texts.insert(number, text);
        }
    }
    Ok(texts)
}

/// `5468F6` as three characters.
fn bytes(hex: &str) -> Option<String> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok().map(char::from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_one_character() {
        assert_eq!(bytes("5468F6A").as_deref(), None);
        assert_eq!(bytes("5468F6").as_deref(), Some("Th\u{F6}"));
        assert_eq!(bytes("").as_deref(), Some(""));
        assert_eq!(bytes("zz"), None);
    }
}
