//! Areas that GDAL does not give, or gives invalid: each is made again from the relation's own ways, or is
//! rejected with the reason.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
};

use citymap_geometry::wkb;
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

/// Puts the areas that are missing or invalid into their themes, as areas or as rejects; a note for those
/// that match no theme.
///
/// # Errors
/// The reason, if the file is damaged or cannot be read.
pub(super) fn complete(
    path: &Path,
    given: &Given,
    themes: &mut [Vec<Kept>],
) -> Result<Option<String>, String> {
    let mut wanted = Vec::new();
    each(path, Wanted::Relations, &mut |element| {
        if let Element::Relation(relation) = element
            && relation.is_area()
            && (!given.all.contains(&relation.id) || given.invalid.contains(&relation.id))
        {
            wanted.push(relation);
        }
    })?;
    if wanted.is_empty() {
        return Ok(None);
    }
    let ways = ways(path, &wanted)?;
    let mut outside = Vec::new();
    for relation in wanted {
        let area = rings::area(&relation.ways, &ways).map(Geometry::from).and_then(|area| {
            validity::fault(&area).map_or(Ok(area), |fault| Err(format!("its rings cross: {}", fault.reason)))
        });
        let id = format!("r{}", relation.id);
        if given.all.contains(&relation.id) {
            if let Ok(area) = area {
                replace(themes, &id, &area);
            }
        } else if !add(themes, &relation, id, area) {
            outside.push(named(&relation));
        }
    }
    Ok((!outside.is_empty()).then(|| {
        let more = if outside.len() > NAMED { ", …" } else { "" };
        format!(
            "{} relations that match no theme could not be made areas, and were left out: {}{more}",
            outside.len(),
            outside.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ")
        )
    }))
}

/// The ways of relations, and their nodes, as far as the file has them.
fn ways(path: &Path, relations: &[Relation]) -> Result<Ways, String> {
    let wanted: HashSet<i64> = relations.iter().flat_map(|relation| relation.ways.iter().copied()).collect();
    let mut nodes = HashMap::new();
    each(path, Wanted::Ways, &mut |element| {
        if let Element::Way { id, nodes: own } = element
            && wanted.contains(&id)
        {
            nodes.insert(id, own);
        }
    })?;
    let wanted: HashSet<i64> = nodes.values().flatten().copied().collect();
    let mut places = HashMap::new();
    each(path, Wanted::Nodes, &mut |element| {
        if let Element::Node { id, lonlat } = element
            && wanted.contains(&id)
        {
            places.insert(id, lonlat);
        }
    })?;
    Ok(Ways { nodes, places })
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
    id: String,
    area: Result<Geometry<f64>, String>,
) -> bool {
    let tags = Tags(super::TAGS.map(|tag| relation.tag(tag).map(str::to_owned)));
    let found = themes_of(&tags, super::AREAS);
    let area = area
        .map(|area| wkb::to_wkb(&area))
        .map_err(|reason| format!("the relation {} cannot be made an area: {reason}", named(relation)));
    for theme in &found {
        let (bytes, fault) = match &area {
            Ok(bytes) => super::drawn(*theme, bytes),
            Err(reason) => (None, Some(reason.clone())),
        };
        themes[*theme].push(keep(*theme, &id, &tags, bytes, fault));
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
