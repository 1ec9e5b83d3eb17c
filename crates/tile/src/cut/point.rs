//! One feature's points in the tile.

use citymap_engine::{PartKind, ShapeRef};

use super::grid::{Grid, TilePoint};

/// The shape's points in the clip box, in order where there are several, each place once.
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
