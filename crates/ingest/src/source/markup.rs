//! The tags of an XML file one by one, by their places in its bytes: for files that are changed a little
//! before GDAL opens them. References to other files and entities of a document type are not followed.

use super::osm::{attribute, unescaped};

/// A tag of an XML file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// The name without its prefix.
    pub name: &'a str,
    /// What stands between `<` and `>`.
    pub inside: &'a str,
    /// Where the tag begins and where what follows it begins, in bytes.
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

/// How a tag stands to its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Opens,
    Closes,
    /// It opens and closes the element.
    Whole,
}

impl Tag<'_> {
    /// The value of an attribute, with its entities as letters.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        attribute(self.inside.trim_end_matches('/'), name)
    }
}

/// The tags of a text. Comments, CDATA sections, declarations and processing instructions have none.
pub(super) struct Tags<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self.at + self.text.get(self.at..)?.find('<')?;
            let rest = &self.text[start..];
            let passed = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
                .into_iter()
                .find(|(open, _)| rest.starts_with(open));
            if let Some((_, close)) = passed {
                self.at = start + rest.find(close).map_or(rest.len(), |at| at + close.len());
                continue;
            }
            let length = tag_end(rest);
            let inside = &rest[1..length.max(1)];
            self.at = start + (length + 1).min(rest.len());
            let kind = match (inside.starts_with('/'), inside.ends_with('/')) {
                (true, _) => Kind::Closes,
                (_, true) => Kind::Whole,
                _ => Kind::Opens,
            };
            let name = inside.trim_matches('/').split(char::is_whitespace).next().unwrap_or_default();
            let name = name.rsplit(':').next().unwrap_or_default();
            return Some(Tag { name, inside, start, end: self.at, kind });
        }
    }
}

/// Where a tag ends: at the first `>` outside of quotes.
pub(super) fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// The text between two tags: without comments, with CDATA sections and entities as what they stand for.
pub(super) fn content(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(at) = rest.find("<!") {
        out.push_str(&unescaped(&rest[..at]));
        let special = &rest[at..];
        let (open, close) =
            if special.starts_with("<![CDATA[") { ("<![CDATA[", "]]>") } else { ("<!--", "-->") };
        let inside = special.get(open.len()..).unwrap_or_default();
        let (inside, after) = inside.split_once(close).unwrap_or((inside, ""));
        if open == "<![CDATA[" {
            out.push_str(inside);
        }
        rest = after;
    }
    out.push_str(&unescaped(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_their_places_names_and_kinds() {
        let text = "<?xml version='1.0'?><!-- <a> --><k:a x=\"1 > 0\"><![CDATA[<b>]]><c/></k:a>";
        let tags: Vec<(&str, Kind)> = Tags::of(text).map(|tag| (tag.name, tag.kind)).collect();
        assert_eq!(tags, [("a", Kind::Opens), ("c", Kind::Whole), ("a", Kind::Closes)]);
        let first = Tags::of(text).next().unwrap();
        assert_eq!(first.attribute("x").as_deref(), Some("1 > 0"));
        assert_eq!(&text[first.start..first.end], "<k:a x=\"1 > 0\">");
        assert_eq!(Tags::of("<a").next().map(|tag| tag.name), Some("a"));
        assert_eq!(Tags::of("a <").next().map(|tag| tag.name), Some(""));
        assert_eq!(content("1 <!-- 2 --><![CDATA[3 &lt;]]> &lt;4"), "1 3 &lt; <4");
    }
}
