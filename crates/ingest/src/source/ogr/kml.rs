//! KML before GDAL opens it.
//!
//! GDAL's reader takes positions that are not written as KML has them for others (`106,7,10,8`), for 0, or
//! for none, without a word; it cuts whole numbers to 32 bits and takes `true` for 0. A copy with other
//! texts is read in place of such a file: positions that leave no doubt are written as KML has them, others
//! are [marked](super::positions::mark), and fields come as text, to be read by their declared types here.

use std::{collections::BTreeMap, fs, io, path::Path};

use citymap_model::{FieldType, counted};

use super::{
    positions::{Positions, mark, unreadable},
    prepare::Way,
};
use crate::source::markup::{Kind, Tag, Tags, content};

/// What positions of KML should be.
const FORM: &str = "KML has longitude,latitude or longitude,latitude,height, with spaces between positions";

/// Before the names of the fields that GDAL makes of a feature's own elements, so that fields of the file of
/// the same name are told from them.
const PREFIX: &str = "kml:";

/// The fields that GDAL makes of a feature's own elements: its option for the name, the element, and the
/// values that say no more than no element does.
const ELEMENTS: [(&str, &str, &[&str]); 11] = [
    ("LIBKML_NAME_FIELD", "kml:Name", &[]),
    ("LIBKML_DESCRIPTION_FIELD", "kml:description", &[]),
    ("LIBKML_TIMESTAMP_FIELD", "kml:timestamp", &[]),
    ("LIBKML_BEGIN_FIELD", "kml:begin", &[]),
    ("LIBKML_END_FIELD", "kml:end", &[]),
    ("LIBKML_ALTITUDEMODE_FIELD", "kml:altitudeMode", &["clampToGround"]),
    ("LIBKML_TESSELLATE_FIELD", "kml:tessellate", &["-1", "0"]),
    ("LIBKML_EXTRUDE_FIELD", "kml:extrude", &["-1", "0"]),
    ("LIBKML_VISIBILITY_FIELD", "kml:visibility", &["-1", "1"]),
    ("LIBKML_DRAWORDER_FIELD", "kml:drawOrder", &["0"]),
    ("LIBKML_ICON_FIELD", "kml:icon", &[]),
];

/// The name of an element of which GDAL made a field; `None` for a field of the file.
pub(super) fn element(field: &str) -> Option<&str> {
    field.strip_prefix(PREFIX)
}

/// Whether a value of such a field says nothing.
pub(super) fn says_nothing(field: &str, value: &str) -> bool {
    value.is_empty() || ELEMENTS.iter().any(|(_, name, plain)| *name == field && plain.contains(&value))
}

impl Way {
    /// Looks through a KML file, and lets a copy be read in its place where GDAL would read it wrongly.
    pub(super) fn kml(&mut self, path: &Path, notes: &mut Vec<String>) -> io::Result<()> {
        self.opener.config.extend(ELEMENTS.map(|(option, name, _)| (option, name)));
        // GDAL would make `ch_` of `chủ` and of `chú`, and keep the values of one of them.
        self.opener.config.push(("LIBKML_LAUNDER_FIELD_NAMES", "NO"));
        let Ok(text) = String::from_utf8(fs::read(path)?) else { return Ok(()) };
        let looked = Looked::of(&text);
        notes.extend(looked.notes());
        self.declared.numbers = looked.types;
        self.opener.misplaced = looked.reasons;
        if let Some(changed) = looked.changed {
            let folder = tempfile::tempdir()?;
            self.opener.path = folder.path().join(path.file_name().unwrap_or_default());
            fs::write(&self.opener.path, changed)?;
            self.opener.keep(folder);
        }
        Ok(())
    }
}

/// What a look through a KML file found.
#[derive(Debug, Default)]
struct Looked {
    /// The types that fields declare other than text.
    types: BTreeMap<String, FieldType>,
    /// Why marked positions could not be read, by the numbers in their places.
    reasons: Vec<String>,
    /// How many texts of positions were read although they are not written as KML has them.
    mended: u64,
    /// Links to other files.
    links: u64,
    /// The text to read in place of the file's, where there is another.
    changed: Option<String>,
}

impl Looked {
    fn of(text: &str) -> Self {
        let mut looked = Self::default();
        let mut out = String::new();
        let mut done = 0;
        // The element of geometry in which positions stand.
        let mut geometry = "";
        let mut tags = Tags::of(text);
        while let Some(tag) = tags.next() {
            let new = match (tag.kind, tag.name) {
                (Kind::Opens, "Point" | "LineString" | "LinearRing") => {
                    geometry = tag.name;
                    None
                }
                (Kind::Opens, "NetworkLink") => {
                    looked.links += 1;
                    None
                }
                (Kind::Opens | Kind::Whole, "SimpleField") => {
                    looked.field(&tag).map(|changed| (tag.start, tag.end, changed))
                }
                (Kind::Opens, "coordinates" | "coord") => {
                    let Some(end) = tags.find(|end| end.name == tag.name && end.kind == Kind::Closes) else {
                        break;
                    };
                    let own = content(&text[tag.end..end.start]);
                    let found = if tag.name == "coord" {
                        Positions::of_track(&own)
                    } else {
                        Positions::of(&own, geometry == "Point")
                    };
                    looked.place(found, &own, tag.name).map(|changed| (tag.end, end.start, changed))
                }
                _ => None,
            };
            if let Some((start, end, changed)) = new {
                out.push_str(&text[done..start]);
                out.push_str(&changed);
                done = end;
            }
        }
        if done > 0 {
            out.push_str(&text[done..]);
            looked.changed = Some(out);
        }
        looked
    }

    /// A declaration of a field as one of text, if it is of another type.
    fn field(&mut self, tag: &Tag<'_>) -> Option<String> {
        let (name, kind) = (tag.attribute("name")?, tag.attribute("type")?);
        let own = match kind.trim() {
            "int" | "uint" | "short" | "ushort" => FieldType::Int,
            "float" | "double" => FieldType::Real,
            "bool" => FieldType::Bool,
            _ => return None,
        };
        let joined = match self.types.get(&name) {
            Some(other) if *other != own => FieldType::Real,
            _ => own,
        };
        self.types.insert(name, joined);
        let quoted = |quote: char| format!("{quote}{kind}{quote}");
        let string = format!("<{}>", tag.inside.replace(&quoted('"'), "\"string\""));
        Some(string.replace(&quoted('\''), "'string'"))
    }

    /// The text of positions to put in the place of one; none where it stays.
    fn place(&mut self, found: Result<Positions, String>, text: &str, element: &str) -> Option<String> {
        match found {
            Ok(Positions::AsTheyAre) => None,
            Ok(Positions::Mended(mended)) => {
                self.mended += 1;
                Some(mended)
            }
            Err(reason) => {
                let at = mark(self.reasons.len());
                self.reasons.push(unreadable(text, &reason, FORM));
                // A ring has four positions.
                Some(if element == "coord" {
                    format!("{at} {at} 0")
                } else {
                    vec![format!("{at},{at}"); 4].join(" ")
                })
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        let mended = (self.mended > 0).then(|| {
            format!(
                "positions that are not written as KML has them, and that leave no doubt: {} texts; they \
                 were read as longitude, latitude and height",
                self.mended
            )
        });
        let links = (self.links > 0).then(|| {
            format!(
                "{} other files, which no import follows; if their features are wanted, import those files",
                counted(self.links, "link (NetworkLink) leads to", "links (NetworkLink) lead to")
            )
        });
        mended.into_iter().chain(links).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_kept_and_fields_come_as_text() {
        let looked = Looked::of(
            "<kml><SimpleField type='int' name=\"a\"/><SimpleField name=\"b &lt;\" \
             type=\"double\"></SimpleField>\
             <SimpleField name='t' type='string'/><SimpleField name='c' type='bool'/></kml>",
        );
        let types: Vec<(&str, FieldType)> = looked.types.iter().map(|(n, t)| (n.as_str(), *t)).collect();
        assert_eq!(types, [("a", FieldType::Int), ("b <", FieldType::Real), ("c", FieldType::Bool)]);
        let changed = looked.changed.unwrap();
        assert!(
            changed.contains("type='string' name=\"a\"") && changed.contains("\"b &lt;\" type=\"string\"")
        );
        assert_eq!(Looked::of("<kml><Point><coordinates>1,2</coordinates></Point></kml>").changed, None);
    }

    #[test]
    fn positions_are_mended_or_marked() {
        let looked = Looked::of(
            "<kml><Point><coordinates>106.7, 10.8</coordinates></Point><Point><coordinates>x</coordinates>\
             </Point><name>A</name></kml>",
        );
        assert_eq!((looked.mended, looked.reasons.len()), (1, 1));
        let changed = looked.changed.unwrap();
        assert!(changed.contains("<coordinates>106.7,10.8</coordinates>"), "{changed}");
        assert!(changed.contains("<coordinates>1000000000,1000000000 "), "{changed}");
        assert!(changed.ends_with("<name>A</name></kml>"));
    }
}
