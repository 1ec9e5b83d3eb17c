//! The elements of an OpenStreetMap file one by one, read by ourselves: GDAL does not say which relations it
//! could not make an area of.

use std::{collections::HashSet, fs, path::Path};

use super::{pbf, xml};

/// An element of the file.
pub(super) enum Element {
    Node { id: i64, lonlat: [f64; 2] },
    Way { id: i64, nodes: Vec<i64>, tags: Vec<(String, String)> },
    Relation(Relation),
}

/// A relation with its tags and the ways among its members.
#[derive(Debug, Default)]
pub(super) struct Relation {
    pub id: i64,
    pub tags: Vec<(String, String)>,
    pub ways: Vec<i64>,
    /// Those of them that are not said to be inner ones.
    pub outer: Vec<i64>,
}

impl Relation {
    /// The value of a tag.
    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Whether it stands for an area.
    pub(super) fn is_area(&self) -> bool {
        matches!(self.tag("type"), Some("multipolygon" | "boundary"))
    }
}

/// Which elements a pass over the file hands over.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    Nodes,
    /// The ways with these numbers.
    Ways(&'a HashSet<i64>),
    Relations,
}

/// Takes the elements of one pass.
pub(super) type Take<'a> = dyn FnMut(Element) + 'a;

/// Hands over all elements of one sort.
///
/// # Errors
/// The reason, if the file is damaged or cannot be read.
pub(super) fn each(path: &Path, wanted: Wanted<'_>, take: &mut Take<'_>) -> Result<(), String> {
    if is_xml(path)? {
        let text = fs::read(path).map_err(|error| error.to_string())?;
        xml::each(&String::from_utf8_lossy(&text), wanted, take)
    } else {
        pbf::each(path, wanted, take)
    }
}

/// Whether the file is OSM XML (else it is PBF).
///
/// # Errors
/// The reason, if the file cannot be read.
pub(super) fn is_xml(path: &Path) -> Result<bool, String> {
    let mut head = [0; 64];
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let read = std::os::unix::fs::FileExt::read_at(&file, &mut head, 0).map_err(|error| error.to_string())?;
    let head = head.get(..read).unwrap_or_default();
    Ok(head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start().starts_with(b"<"))
}
