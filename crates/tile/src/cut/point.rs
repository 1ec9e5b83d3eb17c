//! Cuts the points of one feature to the tile.

use citymap_engine::{PartKind, ShapeRef};

use super::grid::{Grid, TilePoint};

/// The points of the shape that are in the clip box; sorted and without repetition if there are several.
pub(crate) fn cut(shape: ShapeRef<'_>, grid: &Grid, out: &mut Vec<TilePoint>) {
    out.clear();
    for part in shape.parts().filter(|part| part.kind == PartKind::Point) {
        let point = shape.mercator_ring(part.rings().start).first().map(|&world| grid.place(world));
        if let Some(point) = point.filter(|&point| grid.holds(point)) {
            out.push(point.map(|value| value as i32));
        }
    }
    if out.len() > 1 {
        out.sort_unstable();
        out.dedup();
    }
}
