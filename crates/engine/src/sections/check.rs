//! Checks that no number in the sections of a snapshot points beyond the buffer that it refers to.
//!
//! After these checks, reading a snapshot from untrusted bytes cannot panic.

use citymap_model::Fid;
use geo_index::rtree::RTreeIndex;

use super::Damage;
use crate::{
    Column, Dictionary, PartKind, Row, ShapeKind,
    columns::{shapes::ShapeColumn, tree::Tree},
};

const BEYOND: &str = "it points beyond the end of another section";

/// Fids are ascending, and rows can be numbered.
pub(super) fn rows(fids: &[Fid]) -> Result<(), Damage> {
    if fids.len() >= Row::MAX as usize {
        return Err(Damage::new("fids", "there are more than a snapshot can hold"));
    }
    if fids.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Damage::new("fids", "they are not ascending")) }
}

/// Every row number is below `rows`.
pub(super) fn below(numbers: &[Row], rows: usize) -> Result<(), &'static str> {
    // A loop without an early exit is vectorised.
    let greatest = numbers.iter().copied().fold(0, Row::max);
    if numbers.is_empty() || (greatest as usize) < rows { Ok(()) } else { Err(BEYOND) }
}

/// Offsets of `count` items into a buffer of `end`: ascending from 0 to `end`.
fn offsets(name: &str, offsets: &[u32], count: usize, end: usize) -> Result<(), Damage> {
    let right = offsets.len() == count + 1
        && offsets.first() == Some(&0)
        && offsets.last().is_some_and(|&last| last as usize == end);
    if !right {
        return Err(Damage::new(name, "its length does not match the other sections"));
    }
    let falls = offsets.windows(2).fold(false, |falls, pair| falls | (pair[0] > pair[1]));
    if falls { Err(Damage::new(name, "its offsets are not ascending")) } else { Ok(()) }
}

pub(super) fn shapes(shapes: &ShapeColumn, rows: usize) -> Result<(), Damage> {
    if shapes.kinds.len() != rows {
        return Err(Damage::new("kinds", "it has another number of rows"));
    }
    let coords = shapes.lonlat.len() / 2;
    if !shapes.lonlat.len().is_multiple_of(2) || shapes.mercator.len() != shapes.lonlat.len() {
        return Err(Damage::new("mercator", "it does not match the coordinates in degrees"));
    }
    let rings = shapes.ring_coords.len().saturating_sub(1);
    offsets("row_parts", &shapes.row_parts, rows, shapes.part_kinds.len())?;
    offsets("part_rings", &shapes.part_rings, shapes.part_kinds.len(), rings)?;
    offsets("ring_coords", &shapes.ring_coords, rings, coords)?;
    parts(shapes)?;
    kinds(shapes, rows)
}

/// Points have one coordinate and lines one ring.
fn parts(shapes: &ShapeColumn) -> Result<(), Damage> {
    let (rings, coords) = (&*shapes.part_rings, &*shapes.ring_coords);
    let one = |offsets: &[u32], at: usize| offsets[at + 1] - offsets[at] == 1;
    let right = shapes.part_kinds.iter().enumerate().all(|(part, &kind)| match PartKind::of_code(kind) {
        Some(PartKind::Point) => one(rings, part) && one(coords, rings[part] as usize),
        Some(PartKind::Line) => one(rings, part),
        Some(PartKind::Polygon) => true,
        None => false,
    });
    if right { Ok(()) } else { Err(Damage::new("part_kinds", "a part does not match its kind")) }
}

/// The parts of each shape are of the kind that the shape declares.
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
    if right { Ok(()) } else { Err(Damage::new("kinds", "a shape does not match its kind")) }
}

/// Every item of the R-tree is a row.
pub(super) fn index(tree: &Tree, item_rows: &[Row], rows: usize) -> Result<(), Damage> {
    let items = tree.num_items() as usize;
    if items != if item_rows.is_empty() { rows } else { item_rows.len() } {
        return Err(Damage::new("tree", "it has another number of rows"));
    }
    below(item_rows, rows).map_err(|reason| Damage::new("tree.rows", reason))
}

/// Every code refers to a text, and every text ends at a character boundary.
pub(super) fn texts(codes: &[u32], texts: &Dictionary) -> Result<(), &'static str> {
    let (text, ends) = (&*texts.text, &*texts.ends);
    if ends.last().map_or(0, |&end| end as usize) != text.len() || !ends.is_sorted() {
        return Err("the ends of its texts do not match the text");
    }
    if !ends.iter().all(|&end| text.is_char_boundary(end as usize)) {
        return Err("a text ends within a character");
    }
    let count = ends.len();
    let beyond = codes
        .iter()
        .fold(false, |beyond, &code| beyond | (code as usize >= count && code != Column::NULL_CODE));
    if beyond { Err(BEYOND) } else { Ok(()) }
}
