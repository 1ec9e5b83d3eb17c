//! Writing large answers as JSON straight into memory, without a tree of values.

use citymap_model::{FeatureId, json};
use serde::Serialize;

/// Appends JSON to a buffer and puts the commas.
///
/// A comma is due unless the last byte opens an object or an array, or follows a key; a text never ends like
/// that, because its last byte is its quote.
pub(crate) struct JsonWriter<'a>(&'a mut Vec<u8>);

impl<'a> JsonWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// The bytes that were written so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The buffer, with a comma if one is due, for a value that the caller writes.
    pub(crate) fn raw(&mut self) -> &mut Vec<u8> {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
        self.0
    }

    /// The key of the next value. `name` must need no escapes.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        let out = self.raw();
        out.push(b'"');
        out.extend(name.as_bytes());
        out.extend(b"\":");
        self
    }

    /// Makes the text that was just written a key.
    pub(crate) fn colon(&mut self) {
        self.0.push(b':');
    }

    pub(crate) fn open_object(&mut self) -> &mut Self {
        self.raw().push(b'{');
        self
    }

    pub(crate) fn close_object(&mut self) {
        self.0.push(b'}');
    }

    pub(crate) fn open_array(&mut self) -> &mut Self {
        self.raw().push(b'[');
        self
    }

    pub(crate) fn close_array(&mut self) {
        self.0.push(b']');
    }

    pub(crate) fn null(&mut self) {
        self.raw().extend(b"null");
    }

    /// A number; `null` for NaN and infinities.
    pub(crate) fn number(&mut self, number: f64) {
        json::number(self.raw(), number);
    }

    /// A text in quotes, escaped as JSON needs it.
    pub(crate) fn text(&mut self, text: &str) {
        json::text(self.raw(), text);
    }

    /// The public id of a feature.
    pub(crate) fn id(&mut self, id: &FeatureId) {
        json::id(self.raw(), id);
    }

    /// Any value that serde can write.
    pub(crate) fn value(&mut self, value: &impl Serialize) {
        json::value(self.raw(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_values_and_nowhere_else() {
        let mut out = Vec::new();
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("a").text("x{");
        json.key("b").open_array();
        json.number(1.5);
        json.open_object().close_object();
        json.open_array().close_array();
        json.null();
        json.close_array();
        json.key("c").value(&true);
        json.close_object();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"x{","b":[1.5,{},[],null],"c":true}"#);
    }
}
