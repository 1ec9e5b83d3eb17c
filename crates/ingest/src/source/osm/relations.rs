//! Areas that GDAL does not give, or gives invalid: each is made again from the relation's own ways, or is
//! rejected with the reason.

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
};

use citymap_geometry::wkb;
use citymap_model::counted;
use geo_types::Geometry;

use super::{
    Kept, Tags,
    elements::{Element, Relation, Wanted, each},
    keep,
    rings::{self, Ways},
    themes_of,
};
use crate::validity;

/// Relations named in a note.
const NAMED: usize = 10;

/// The relations of which GDAL made areas.
#[derive(Default)]
pub(super) struct Given {
    pub all: BTreeSet<i64>,
    /// Those whose areas are invalid.
    pub invalid: BTreeSet<i64>,
    /// Those that match no theme.
    pub unthemed: BTreeSet<i64>,
}

impl Given {
    /// Notes what GDAL made of a relation.
    pub(super) fn add(&mut self, id: i64, bytes: Option<&[u8]>) {
        // Without a geometry it is as good as not given.
        let Some(bytes) = bytes else { return };
        self.all.insert(id);
        let sound = wkb::read_source(bytes).is_ok_and(|read| validity::fault(&read.geometry).is_none());
        if !sound {
            self.invalid.insert(id);
        }
    }
}

/// Tags of things that are lines, whatever area the line is around.
const LINEAR: [&str; 5] = ["highway", "railway", "barrier", "power", "waterway"];

/// What the relations that were looked at again became.
#[derive(Default)]
pub(super) struct Completed {
    /// A note on those that match no theme and could not be made areas.
    pub note: Option<String>,
    /// How many got a theme from the tags of their ways.
    pub by_ways: u64,
}

/// Puts the areas that are missing or invalid into their themes, as areas or as rejects. An area whose
/// relation says nothing is what its outer ways say (the tagging of before 2014); they are no things of
/// their own then.
///
/// # Errors
/// The reason, if the file is damaged or cannot be read.
pub(super) fn complete(path: &Path, given: &Given, themes: &mut [Vec<Kept>]) -> Result<Completed, String> {
    let mut wanted = Vec::new();
    each(path, Wanted::Relations, &mut |element| {
        if let Element::Relation(relation) = element
            && relation.is_area()
            && (!given.all.contains(&relation.id)
                || given.invalid.contains(&relation.id)
                || given.unthemed.contains(&relation.id))
        {
            wanted.push(relation);
        }
    })?;
    if wanted.is_empty() {
        return Ok(Completed::default());
    }
    let ways = ways(path, &wanted)?;
    let mut by_ways = 0;
    let mut outside = Vec::new();
    for relation in wanted {
        let area = rings::area(&relation.ways, &ways).map(Geometry::from).and_then(|area| {
            validity::fault(&area).map_or(Ok(area), |fault| Err(format!("its rings cross: {}", fault.reason)))
        });
        let id = format!("r{}", relation.id);
        let is_given = given.all.contains(&relation.id);
        if is_given && !given.unthemed.contains(&relation.id) {
            if let Ok(area) = area {
                replace(themes, &id, &area);
            }
            continue;
        }
        let own = tags(|key| relation.tag(key));
        if themes_of(&own, super::AREAS).is_empty() {
            let inherited = tags(|key| relation.tag(key).or_else(|| of_ways(&relation, &ways, key)));
            let is_area = area.is_ok();
            if add(themes, &relation, &inherited, area) {
                by_ways += u64::from(is_given);
                let found = themes_of(&inherited, super::AREAS);
                let edges = relation.outer.iter().filter(|_| is_area);
                edges.for_each(|way| remove(themes, *way, &ways, &found));
            } else if !is_given {
                outside.push(named(&relation));
            }
        } else {
            add(themes, &relation, &own, area);
        }
    }
    let note = (!outside.is_empty()).then(|| {
        let more = if outside.len() > NAMED { ", …" } else { "" };
        format!(
            "{} left out, which could not be made areas and match no theme: {}{more}",
            counted(outside.len(), "relation was", "relations were"),
            outside.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ")
        )
    });
    Ok(Completed { note, by_ways })
}

/// The tags of a theme.
fn tags<'a>(tag: impl Fn(&str) -> Option<&'a str>) -> Tags {
    Tags(super::TAGS.map(|key| tag(key).map(str::to_owned)))
}

/// What the outer ways of a relation say of it: the value of a tag that all of them have that have it.
fn of_ways<'a>(relation: &Relation, ways: &'a Ways, key: &str) -> Option<&'a str> {
    if LINEAR.contains(&key) {
        return None;
    }
    let tags = relation.outer.iter().filter_map(|way| ways.tags.get(way)).flatten();
    let mut values = tags.filter(|(own, _)| own == key).map(|(_, value)| value.as_str());
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// Takes a way out of the themes of the area that it is the edge of, unless it is a line of its own.
fn remove(themes: &mut [Vec<Kept>], way: i64, ways: &Ways, found: &[usize]) {
    let is_line =
        ways.tags.get(&way).is_some_and(|tags| tags.iter().any(|(key, _)| LINEAR.contains(&key.as_str())));
    let id = format!("w{way}");
    for (theme, kept) in themes.iter_mut().enumerate() {
        if found.contains(&theme) || (theme == super::OTHER_LINES && !is_line) {
            kept.retain(|one| one.id != id);
        }
    }
}

/// The ways of relations, and their nodes, as far as the file has them.
fn ways(path: &Path, relations: &[Relation]) -> Result<Ways, String> {
    let wanted: HashSet<i64> = relations.iter().flat_map(|relation| relation.ways.iter().copied()).collect();
    let mut ways = Ways::default();
    each(path, Wanted::Ways(&wanted), &mut |element| {
        if let Element::Way { id, nodes, tags } = element {
            ways.nodes.insert(id, nodes);
            ways.tags.insert(id, tags);
        }
    })?;
    let wanted: HashSet<i64> = ways.nodes.values().flatten().copied().collect();
    each(path, Wanted::Nodes, &mut |element| {
        if let Element::Node { id, lonlat } = element
            && wanted.contains(&id)
        {
            ways.places.insert(id, lonlat);
        }
    })?;
    Ok(ways)
}

/// Puts a valid area in place of an invalid one.
fn replace(themes: &mut [Vec<Kept>], id: &str, area: &Geometry<f64>) {
    let bytes = wkb::to_wkb(area);
    for (theme, kept) in themes.iter_mut().enumerate() {
        for one in kept.iter_mut().filter(|one| one.id == id) {
            (one.wkb, one.fault) = super::drawn(theme, &bytes);
        }
    }
}

/// Adds a relation to its themes, as an area or as a reject; `false` if it has none.
fn add(
    themes: &mut [Vec<Kept>],
    relation: &Relation,
    tags: &Tags,
    area: Result<Geometry<f64>, String>,
) -> bool {
    let id = format!("r{}", relation.id);
    let found = themes_of(tags, super::AREAS);
    let area = area
        .map(|area| wkb::to_wkb(&area))
        .map_err(|reason| format!("the relation {} cannot be made an area: {reason}", named(relation)));
    for theme in &found {
        let (bytes, fault) = match &area {
            Ok(bytes) => super::drawn(*theme, bytes),
            Err(reason) => (None, Some(reason.clone())),
        };
        themes[*theme].push(keep(*theme, &id, tags, bytes, fault));
    }
    !found.is_empty()
}

/// `100 (Sông Sài Gòn)`.
fn named(relation: &Relation) -> String {
    match relation.tag("name") {
        Some(name) => format!("{} ({name})", relation.id),
        None => relation.id.to_string(),
    }
}
