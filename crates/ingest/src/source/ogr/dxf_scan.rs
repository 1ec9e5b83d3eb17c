//! A look through a drawing (DXF) of our own: which entities it holds, where, and on which page.
//!
//! GDAL passes over entities that it cannot read, and its messages name a line. This look tells which entity
//! stands there, which ones are of a type that GDAL does not read, and whether the file is whole.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

/// What a drawing holds.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// The entities of the section ENTITIES, in order, without those that are part of another one.
    entities: Vec<Entity>,
    /// `$ACADVER`: `AC1015` for AutoCAD 2000.
    pub version: Option<String>,
    /// `$DWGCODEPAGE`, the encoding of texts before 2007: `ANSI_1258`.
    pub code_page: Option<String>,
    /// Whether the section of entities, or the file, has its end.
    pub whole: bool,
}

/// One entity as it stands in the file.
#[derive(Debug)]
pub(super) struct Entity {
    /// Its type, such as `SPLINE`.
    pub kind: Kind,
    /// The line on which it starts, from 1.
    pub line: u64,
    /// Its handle, which is its name in the drawing.
    pub handle: Option<u64>,
    /// Whether it is in paper space: on a sheet to print, not in the world.
    pub paper: bool,
}

/// The type of an entity: a name of few letters, kept without an allocation where it is a usual one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Usual(&'static str),
    Other(String),
}

impl Kind {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Usual(name) => name,
            Self::Other(name) => name,
        }
    }
}

/// Types that GDAL reads, each of which always is a feature.
const SINGLE: [&str; 11] = [
    "POINT",
    "LINE",
    "LWPOLYLINE",
    "POLYLINE",
    "CIRCLE",
    "ARC",
    "ELLIPSE",
    "TEXT",
    "MTEXT",
    "3DFACE",
    "SOLID",
];
/// Types that GDAL reads, which may become several features, or none.
const COMPOSED: [&str; 14] = [
    "INSERT",
    "DIMENSION",
    "HATCH",
    "LEADER",
    "MLEADER",
    "MULTILEADER",
    "MLINE",
    "SPLINE",
    "TRACE",
    "ATTDEF",
    "3DSOLID",
    "REGION",
    "BODY",
    "SURFACE",
];
/// Parts of the entity before them.
const PARTS: [&str; 3] = ["VERTEX", "ATTRIB", "SEQEND"];
/// What is no part of the world in any drawing.
const FRAMES: [&str; 1] = ["VIEWPORT"];

impl Drawing {
    /// Looks through a text DXF.
    ///
    /// # Errors
    /// [`io::Error`] if the file cannot be read.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Self::scan(BufReader::with_capacity(1 << 18, File::open(path)?))
    }

    fn scan(mut file: impl BufRead) -> io::Result<Self> {
        let mut drawing = Self::default();
        let (mut code, mut value) = (Vec::new(), Vec::new());
        let mut line = 1;
        let mut section = Section::None;
        let mut variable = None;
        loop {
            code.clear();
            value.clear();
            if file.read_until(b'\n', &mut code)? == 0 {
                return Ok(drawing);
            }
            let last = file.read_until(b'\n', &mut value)? == 0;
            let value = value.trim_ascii();
            match code.trim_ascii() {
                b"0" => {
                    section = match (section, value) {
                        (_, b"SECTION") => Section::Named,
                        (Section::Entities, b"ENDSEC") => {
                            drawing.whole = true;
                            Section::None
                        }
                        (_, b"ENDSEC") => Section::None,
                        (_, b"EOF") => {
                            drawing.whole = true;
                            return Ok(drawing);
                        }
                        (Section::Entities, kind) => {
                            drawing.entity(kind, line);
                            Section::Entities
                        }
                        (other, _) => other,
                    };
                }
                b"2" if section == Section::Named => {
                    section = match value {
                        b"HEADER" => Section::Header,
                        b"ENTITIES" => Section::Entities,
                        _ => Section::None,
                    };
                }
                b"9" if section == Section::Header => variable = Some(value.to_vec()),
                code if section == Section::Header => drawing.header(variable.as_deref(), code, value),
                code if section == Section::Entities => drawing.property(code, value),
                _ => {}
            }
            if last {
                return Ok(drawing);
            }
            line += 2;
        }
    }

    fn entity(&mut self, kind: &[u8], line: u64) {
        let is = |list: &[&'static str]| list.iter().copied().find(|own| own.as_bytes() == kind);
        if is(&PARTS).is_some() {
            return;
        }
        let usual = is(&SINGLE).or_else(|| is(&COMPOSED)).or_else(|| is(&FRAMES));
        let kind = usual.map_or_else(
            || Kind::Other(String::from_utf8_lossy(&kind[..kind.len().min(40)]).into_owned()),
            Kind::Usual,
        );
        self.entities.push(Entity { kind, line, handle: None, paper: false });
    }

    fn header(&mut self, variable: Option<&[u8]>, code: &[u8], value: &[u8]) {
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        match (variable, code) {
            (Some(b"$ACADVER"), b"1") => self.version = text(),
            (Some(b"$DWGCODEPAGE"), b"3") => self.code_page = text(),
            _ => {}
        }
    }

    fn property(&mut self, code: &[u8], value: &[u8]) {
        let Some(entity) = self.entities.last_mut() else { return };
        match code {
            // The first one is the entity's own; those of its parts come later.
            b"5" if entity.handle.is_none() => {
                entity.handle = std::str::from_utf8(value).ok().and_then(|t| u64::from_str_radix(t, 16).ok());
            }
            b"67" => entity.paper = value == b"1",
            _ => {}
        }
    }

    /// The entity in which a line stands.
    pub(super) fn at_line(&self, line: u64) -> Option<&Entity> {
        self.entities[..self.entities.partition_point(|entity| entity.line <= line)].last()
    }

    /// Whether an entity that always is a feature stands behind a line.
    pub(super) fn goes_on_after(&self, line: u64) -> bool {
        let start = self.entities.partition_point(|entity| entity.line <= line);
        self.entities[start..].iter().any(|entity| !entity.paper && SINGLE.contains(&entity.kind.name()))
    }

    /// The entities in the world that always are features, and that have handles.
    pub(super) fn single(&self) -> impl Iterator<Item = &Entity> {
        self.entities
            .iter()
            .filter(|entity| !entity.paper && entity.handle.is_some() && SINGLE.contains(&entity.kind.name()))
    }

    /// What GDAL does not read: types with their counts, the most frequent first.
    pub(super) fn unread(&self) -> Vec<(&str, u64)> {
        let mut counts = BTreeMap::new();
        let unread = |entity: &&Entity| matches!(entity.kind, Kind::Other(_)) && !entity.paper;
        for entity in self.entities.iter().filter(unread) {
            *counts.entry(entity.kind.name()).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    /// Begun; its name comes next.
    Named,
    Header,
    Entities,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> String {
        pairs.iter().map(|(code, value)| format!("{code:>3}\r\n{value}\r\n")).collect()
    }

    #[test]
    fn entities_are_found_by_line_and_by_what_they_are() {
        let text = pairs(&[
            ("0", "SECTION"),
            ("2", "HEADER"),
            ("9", "$ACADVER"),
            ("1", "AC1015"),
            ("9", "$DWGCODEPAGE"),
            ("3", "ANSI_1258"),
            ("0", "ENDSEC"),
            ("0", "SECTION"),
            ("2", "ENTITIES"),
            ("0", "POINT"),
            ("5", "2F"),
            ("0", "POLYLINE"),
            ("5", "30"),
            ("0", "VERTEX"),
            ("5", "31"),
            ("0", "SEQEND"),
            ("0", "WIPEOUT"),
            ("0", "LINE"),
            ("67", "1"),
            ("0", "ENDSEC"),
            ("0", "EOF"),
        ]);
        let drawing = Drawing::scan(text.as_bytes()).unwrap();
        assert!(drawing.whole);
        assert_eq!(drawing.version.as_deref(), Some("AC1015"));
        assert_eq!(drawing.code_page.as_deref(), Some("ANSI_1258"));
        assert_eq!(drawing.unread(), [("WIPEOUT", 1)]);
        // The handle of a vertex is not that of its line.
        let at = drawing.at_line(30).unwrap();
        assert_eq!((at.kind.name(), at.line, at.handle), ("POLYLINE", 23, Some(0x30)));
        assert!(drawing.goes_on_after(19));
        // What is left is paper space, or not always a feature.
        assert!(!drawing.goes_on_after(23));
        let cut = Drawing::scan(&text.as_bytes()[..text.len() - 20]).unwrap();
        assert!(!cut.whole);
    }
}
