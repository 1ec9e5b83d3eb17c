//! JSON written straight into a buffer of bytes: numbers, texts and ids of features.
//!
//! Large answers (pages of features, the change feed) are written this way because a tree of
//! [`serde_json::Value`] costs several times the answer itself. The caller writes brackets and
//! commas.
//!
//! ```
//! use citymap_model::json;
//!
//! let mut out = Vec::new();
//! json::text(&mut out, "đất \"A\"");
//! out.push(b',');
//! json::number(&mut out, 106.7);
//! assert_eq!(String::from_utf8(out).unwrap(), r#""đất \"A\"",106.7"#);
//! ```

use serde::Serialize;

use crate::FeatureId;

/// Appends any value that always has a JSON form; `null` if it has none.
pub fn value(out: &mut Vec<u8>, value: &impl Serialize) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend(b"null");
    }
}

/// Appends the shortest text that reads back as the same number; `null` for NaN and infinities,
/// which JSON lacks.
pub fn number(out: &mut Vec<u8>, number: f64) {
    value(out, &number);
}

/// Appends a text in quotes, escaped.
pub fn text(out: &mut Vec<u8>, text: &str) {
    value(out, &text);
}

/// Appends a feature's id: a number in a layer without a key field, else a text
/// (see [`FeatureId::to_json`]).
pub fn id(out: &mut Vec<u8>, id: &FeatureId) {
    match id {
        FeatureId::Fid(fid) => value(out, fid),
        _ => text(out, &id.to_string()),
    }
}
