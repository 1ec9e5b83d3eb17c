//! GPX before GDAL opens it: texts in `<extensions>` get a [mark](MARK) in a copy, so that GDAL takes them
//! for texts. It would make numbers of codes (`007`), and cut whole numbers to 32 bits. Points whose
//! latitude or longitude cannot be read get positions that [say so](super::positions::mark): GDAL would take
//! them for 0 or for a part of the number, and pass over a point that has only one of the two.

use std::{collections::BTreeMap, fs, io, path::Path};

use citymap_model::FieldType;

use super::{
    positions::{degree, mark, unreadable},
    prepare::Way,
};
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

/// What positions of GPX should be.
const FORM: &str = "GPX has the attributes lat and lon, in degrees with a decimal point";

/// A text without marks.
pub(super) fn unmarked(text: String) -> String {
    if text.contains(MARK) { text.replace(MARK, "").replace(BREAK, "\n") } else { text }
}

impl Way {
    /// Lets a copy with marks be read in place of the file, if it has extensions.
    pub(super) fn gpx(&mut self, path: &Path) -> io::Result<()> {
        let Ok(text) = String::from_utf8(fs::read(path)?) else { return Ok(()) };
        self.declared.numbers = types(&text);
        let Marked { changed, reasons } = Marked::of(&text);
        self.opener.misplaced = reasons;
        if let Some(changed) = changed {
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

/// The file to read in place of the given one.
#[derive(Debug, Default)]
struct Marked {
    /// None if the file can be read as it is.
    changed: Option<String>,
    /// Why the positions of points cannot be read, by the numbers of their marks.
    reasons: Vec<String>,
}

impl Marked {
    fn of(text: &str) -> Self {
        let mut reasons = Vec::new();
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
                (Kind::Opens | Kind::Whole, "wpt" | "rtept" | "trkpt") => {
                    if let Some(point) = unplaced(&tag, &mut reasons) {
                        out.push_str(&text[done..tag.start]);
                        out.push_str(&point);
                        done = tag.end;
                    }
                }
                _ => {}
            }
            open = None;
        }
        if done == 0 {
            return Self::default();
        }
        out.push_str(&text[done..]);
        Self { changed: Some(out), reasons }
    }
}

/// The tag to put in the place of a point whose position cannot be read; none if it can.
fn unplaced(tag: &Tag<'_>, reasons: &mut Vec<String>) -> Option<String> {
    let (lat, lon) = (tag.attribute("lat"), tag.attribute("lon"));
    let why = degree(lat.as_deref()).and_then(|()| degree(lon.as_deref())).err()?;
    let at = mark(reasons.len());
    let written = [lat, lon].map(Option::unwrap_or_default).join(" ");
    reasons.push(unreadable(&written, &why, FORM));
    let element = tag.inside.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
    let end = if tag.kind == Kind::Whole { "/" } else { "" };
    Some(format!("<{element} lat=\"{at}\" lon=\"{at}\"{end}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_extensions_are_marked() {
        let text = "<gpx><wpt lat='1' lon='2'><name>A</name><extensions><a>007</a><b><c>1</c></b>\
                    <d></d><e/></extensions></wpt></gpx>";
        let expected = "<gpx><wpt lat='1' lon='2'><name>A</name><extensions><a>#007</a><b><c>#1</c></b>\
                        <d></d><e/></extensions></wpt></gpx>";
        assert_eq!(Marked::of(text).changed.unwrap(), expected.replace('#', &MARK.to_string()));
        assert_eq!(Marked::of("<gpx><name>A</name></gpx>").changed, None);
        assert_eq!(unmarked(format!("{MARK}{}", with_breaks(" a&#10;b\r\nc\n"))), " a\nb\nc\n");
        assert_eq!(unmarked("\u{F8FF}007".to_owned()), "007");
    }

    #[test]
    fn points_without_a_place_are_marked() {
        let marked = Marked::of(
            "<gpx><wpt lat='1' lon='2'/><wpt lat='10,77' lon='106.7'/><x:trkpt lat='10.7'><ele>1</ele>\
             </x:trkpt></gpx>",
        );
        let reasons = marked.reasons;
        assert!(
            reasons.len() == 2
                && reasons[0].contains("5 digits and signs")
                && reasons[1].contains("one of the two")
        );
        assert_eq!(
            marked.changed.unwrap(),
            "<gpx><wpt lat='1' lon='2'/><wpt lat=\"1000000000\" lon=\"1000000000\"/><x:trkpt \
             lat=\"1000000001\" lon=\"1000000001\"><ele>1</ele></x:trkpt></gpx>"
        );
    }
}
