//! That no number of a snapshot leads beyond what it points into.

use citymap_model::Fid;
use geo_index::rtree::RTreeIndex;

use super::Damage;
use crate::{
    Column, Dictionary, PartKind, Row, ShapeKind,
    columns::{shapes::ShapeColumn, tree::Tree},
};

const BEYOND: &str = "it points beyond the end";

/// Feature numbers: ascending, and no more than rows can be numbered.
pub(super) fn rows(fids: &[Fid]) -> Result<(), Damage> {
    if fids.len() >= Row::MAX as usize {
        return Err(Damage::new("fids", "they are more than a snapshot can hold"));
    }
    if fids.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Damage::new("fids", "they are not in order")) }
}

/// Row numbers.
pub(super) fn below(numbers: &[Row], rows: usize) -> Result<(), &'static str> {
    // Without an early way out the compiler takes many at a time.
    let greatest = numbers.iter().copied().fold(0, Row::max);
    if numbers.is_empty() || (greatest as usize) < rows { Ok(()) } else { Err(BEYOND) }
}

/// Offsets of `count` things into `end` others: from 0 up to `end`.
fn offsets(name: &str, offsets: &[u32], count: usize, end: usize) -> Result<(), Damage> {
    let right = offsets.len() == count + 1
        && offsets.first() == Some(&0)
        && offsets.last().is_some_and(|&last| last as usize == end);
    if !right {
        return Err(Damage::new(name, "it does not go with the others"));
    }
    let falls = offsets.windows(2).fold(false, |falls, pair| falls | (pair[0] > pair[1]));
    if falls { Err(Damage::new(name, "it goes back")) } else { Ok(()) }
}

pub(super) fn shapes(shapes: &ShapeColumn, rows: usize) -> Result<(), Damage> {
    if shapes.kinds.len() != rows {
        return Err(Damage::new("kinds", "it is of other rows"));
    }
    let coords = shapes.lonlat.len() / 2;
    if !shapes.lonlat.len().is_multiple_of(2) || shapes.mercator.len() != shapes.lonlat.len() {
        return Err(Damage::new("mercator", "it does not go with the degrees"));
    }
    let rings = shapes.ring_coords.len().saturating_sub(1);
    offsets("row_parts", &shapes.row_parts, rows, shapes.part_kinds.len())?;
    offsets("part_rings", &shapes.part_rings, shapes.part_kinds.len(), rings)?;
    offsets("ring_coords", &shapes.ring_coords, rings, coords)?;
    parts(shapes)?;
    kinds(shapes, rows)
}

/// Points are one coordinate, lines one ring.
fn parts(shapes: &ShapeColumn) -> Result<(), Damage> {
    let (rings, coords) = (&*shapes.part_rings, &*shapes.ring_coords);
    let one = |offsets: &[u32], at: usize| offsets[at + 1] - offsets[at] == 1;
    let right = shapes.part_kinds.iter().enumerate().all(|(part, &kind)| match PartKind::of_code(kind) {
        Some(PartKind::Point) => one(rings, part) && one(coords, rings[part] as usize),
        Some(PartKind::Line) => one(rings, part),
        Some(PartKind::Polygon) => true,
        None => false,
    });
    if right { Ok(()) } else { Err(Damage::new("part_kinds", "a part is not what it is called")) }
}

/// Shapes are made of the parts that they are called by.
fn kinds(shapes: &ShapeColumn, rows: usize) -> Result<(), Damage> {
    let right = (0..rows as Row).all(|row| {
        let Some(kind) = ShapeKind::of_code(shapes.kinds[row as usize]) else { return false };
        let mut parts = shapes.parts(row);
        let (single, of) = match kind {
            ShapeKind::Null => return parts.len() == 0,
            ShapeKind::Collection => return true,
            ShapeKind::Point => (true, PartKind::Point),
            ShapeKind::Line => (true, PartKind::Line),
            ShapeKind::Polygon => (true, PartKind::Polygon),
            ShapeKind::MultiPoint => (false, PartKind::Point),
            ShapeKind::MultiLine => (false, PartKind::Line),
            ShapeKind::MultiPolygon => (false, PartKind::Polygon),
        };
        (!single || parts.len() == 1) && parts.all(|part| part.kind == of)
    });
    if right { Ok(()) } else { Err(Damage::new("kinds", "a shape is not what it is called")) }
}

/// Each item of the index is a row.
pub(super) fn index(tree: &Tree, own: &[Row], rows: usize) -> Result<(), Damage> {
    let items = tree.num_items() as usize;
    if items != if own.is_empty() { rows } else { own.len() } {
        return Err(Damage::new("tree", "it is of other rows"));
    }
    below(own, rows).map_err(|reason| Damage::new("tree.rows", reason))
}

/// Each code is a text's, and each text whole.
pub(super) fn texts(codes: &[u32], texts: &Dictionary) -> Result<(), &'static str> {
    let (text, ends) = (&*texts.text, &*texts.ends);
    if ends.last().map_or(0, |&end| end as usize) != text.len() || !ends.is_sorted() {
        return Err("its texts do not end where they should");
    }
    if !ends.iter().all(|&end| text.is_char_boundary(end as usize)) {
        return Err("a text ends within a letter");
    }
    let count = ends.len();
    let beyond = codes
        .iter()
        .fold(false, |beyond, &code| beyond | (code as usize >= count && code != Column::NULL_CODE));
    if beyond { Err(BEYOND) } else { Ok(()) }
}
