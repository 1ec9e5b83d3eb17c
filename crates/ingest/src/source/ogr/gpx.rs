//! GPX before GDAL opens it: texts in `<extensions>` get a [mark](MARK) in a copy, so that GDAL takes them
//! for texts. It would make numbers of codes (`007`), and cut whole numbers to 32 bits.

use std::{collections::BTreeMap, fs, io, path::Path};

use citymap_model::FieldType;

use super::prepare::Way;
use crate::source::markup::{Kind, Tag, Tags};

/// Before each text of an extension: a character of private use.
const MARK: char = '\u{F8FF}';
/// In place of each line break in such a text: GDAL's reader drops them.
const BREAK: char = '\u{F8FE}';
/// Before the names of the fields that GDAL's own GPX has, as GDAL gives them.
const PREFIX: &str = "ogr_";

/// The columns that GDAL makes of GPX itself.
const COLUMNS: [&str; 30] = [
    "ele",
    "time",
    "magvar",
    "geoidheight",
    "name",
    "cmt",
    "desc",
    "src",
    "number",
    "type",
    "sym",
    "fix",
    "sat",
    "hdop",
    "vdop",
    "pdop",
    "ageofdgpsdata",
    "dgpsid",
    "course",
    "speed",
    "url",
    "urlname",
    "track_fid",
    "track_seg_id",
    "track_seg_point_id",
    "track_name",
    "route_fid",
    "route_point_id",
    "route_name",
    "keywords",
];

/// Whether a column is one of the file's extensions.
pub(super) fn is_own(column: &str) -> bool {
    !COLUMNS.contains(&column) && !column.starts_with("link")
}

/// The name of a field in the extensions that GDAL writes.
pub(super) fn own(column: &str) -> Option<&str> {
    column.strip_prefix(PREFIX)
}

/// A text without marks.
pub(super) fn unmarked(text: String) -> String {
    if text.contains(MARK) { text.replace(MARK, "").replace(BREAK, "\n") } else { text }
}

impl Way {
    /// Lets a copy with marks be read in place of the file, if it has extensions.
    pub(super) fn gpx(&mut self, path: &Path) -> io::Result<()> {
        let Ok(text) = String::from_utf8(fs::read(path)?) else { return Ok(()) };
        self.declared.numbers = types(&text);
        if let Some(changed) = marked(&text) {
            let folder = tempfile::tempdir()?;
            self.opener.path = folder.path().join(path.file_name().unwrap_or_default());
            fs::write(&self.opener.path, changed)?;
            self.opener.keep(folder);
        }
        Ok(())
    }
}

/// The text of an element with marks in place of the line breaks inside it.
fn with_breaks(text: &str) -> String {
    let inside = text.trim();
    let mut marked = inside.replace("\r\n", "\n");
    for line_break in ["\n", "&#10;", "&#xA;", "&#xa;"] {
        marked = marked.replace(line_break, &BREAK.to_string());
    }
    text.replacen(inside, &marked, usize::from(!inside.is_empty()))
}

/// The types that our own export gives the fields.
fn types(text: &str) -> BTreeMap<String, FieldType> {
    let opens = |tag: &Tag<'_>| tag.kind == Kind::Opens && tag.inside.starts_with("ogr:");
    let mut types = BTreeMap::new();
    for tag in Tags::of(text).filter(opens) {
        let Some(said) = tag.attribute("type") else { continue };
        if let Some(own) = FieldType::ALL.into_iter().find(|own| own.as_str() == said) {
            types.entry(tag.name.to_owned()).or_insert(own);
        }
    }
    types
}

/// The file with a mark before each text in its extensions; `None` if it has none.
fn marked(text: &str) -> Option<String> {
    let mut out = String::new();
    let (mut done, mut depth) = (0, 0_u32);
    let mut open = None;
    for tag in Tags::of(text) {
        match (tag.kind, tag.name) {
            (Kind::Opens, "extensions") => depth += 1,
            (Kind::Closes, "extensions") => depth = depth.saturating_sub(1),
            (Kind::Opens, _) if depth > 0 => {
                open = Some(tag.end);
                continue;
            }
            // An element without others in it.
            (Kind::Closes, _) if depth > 0 => {
                if let Some(at) = open.take_if(|at| *at < tag.start) {
                    out.push_str(&text[done..at]);
                    out.push(MARK);
                    out.push_str(&with_breaks(&text[at..tag.start]));
                    done = tag.start;
                }
            }
            _ => {}
        }
        open = None;
    }
    if done == 0 {
        return None;
    }
    out.push_str(&text[done..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_extensions_are_marked() {
        let text = "<gpx><wpt><name>A</name><extensions><a>007</a><b><c>1</c></b><d></d><e/></extensions>\
                    </wpt></gpx>";
        let expected = "<gpx><wpt><name>A</name><extensions><a>#007</a><b><c>#1</c></b><d></d><e/>\
                        </extensions></wpt></gpx>";
        assert_eq!(marked(text).unwrap(), expected.replace('#', &MARK.to_string()));
        assert_eq!(marked("<gpx><name>A</name></gpx>"), None);
        assert_eq!(unmarked(format!("{MARK}{}", with_breaks(" a&#10;b\r\nc\n"))), " a\nb\nc\n");
        assert_eq!(unmarked("\u{F8FF}007".to_owned()), "007");
    }
}
