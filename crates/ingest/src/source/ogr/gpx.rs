//! GPX before GDAL opens it: texts in `<extensions>` get a [mark](MARK) in a copy, so that GDAL takes them
//! for texts. It would make numbers of codes (`007`), and cut whole numbers to 32 bits.

use std::{fs, io, path::Path};

use super::prepare::Way;
use crate::source::markup::{Kind, Tags};

/// Before each text of an extension: a character of private use.
const MARK: char = '\u{F8FF}';
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
    if text.contains(MARK) { text.replace(MARK, "") } else { text }
}

impl Way {
    /// Lets a copy with marks be read in place of the file, if it has extensions.
    pub(super) fn gpx(&mut self, path: &Path) -> io::Result<()> {
        let Ok(text) = String::from_utf8(fs::read(path)?) else { return Ok(()) };
        if let Some(changed) = marked(&text) {
            let folder = tempfile::tempdir()?;
            self.opener.path = folder.path().join(path.file_name().unwrap_or_default());
            fs::write(&self.opener.path, changed)?;
            self.opener.keep(folder);
        }
        Ok(())
    }
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
                    done = at;
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
        assert_eq!(unmarked("\u{F8FF}007".to_owned()), "007");
    }
}
