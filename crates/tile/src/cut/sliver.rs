//! Shapes that stand for polygons and lines that are smaller than the grid.

use super::{
    clip::clip_segment,
    grid::{Grid, SIDE, TilePoint, WidePoint},
    rings::{Rings, doubled_area, turn},
};

/// How far beyond the tile's square, in tile units, a rounded shape may be whose exact shape meets the
/// square: half a unit for the grid of the zoom, and up to two (at zoom 22) for world units.
const ROUNDING: i64 = 2;

/// The part of the path that is in the tile's square, give or take the rounding: all clipped ends of its
/// edges, within the clip box. Empty if the path does not meet the square.
fn traces(path: &[WidePoint], closed: bool, grid: &Grid, out: &mut Vec<TilePoint>) {
    out.clear();
    let clamp = |value: i64| value.clamp(grid.low, grid.high) as i32;
    let next = path.iter().skip(1).chain(path.first().filter(|_| closed || path.len() == 1));
    for (&a, &b) in path.iter().zip(next) {
        if let Some((a, b)) = clip_segment(a, b, -ROUNDING, SIDE + ROUNDING) {
            out.extend([a, b].map(|[x, y]| [clamp(x), clamp(y)]));
        }
    }
}

/// A step of one unit that stays in the clip box.
fn step(value: i32, grid: &Grid) -> i32 {
    if i64::from(value) < grid.high { value + 1 } else { value - 1 }
}

/// Adds the smallest shape that shows a polygon without area: a triangle of one unit, or for a straight
/// sliver a triangle one unit wide. Adds nothing if the ring does not meet the tile.
pub(crate) fn polygon(ring: &[WidePoint], grid: &Grid, spare: &mut Vec<TilePoint>, out: &mut Rings) {
    traces(ring, true, grid, spare);
    let Some((&first, (&start, &end))) = spare.first().zip(spare.iter().min().zip(spare.iter().max())) else {
        return;
    };
    let straight = start != end && spare.iter().all(|&point| turn(start, end, point) == 0);
    let triangle = if straight {
        let beside =
            if start[0] == end[0] { [step(end[0], grid), end[1]] } else { [end[0], step(end[1], grid)] };
        [start, end, beside]
    } else {
        [first, [step(first[0], grid), first[1]], [first[0], step(first[1], grid)]]
    };
    out.push(&triangle, doubled_area(&triangle), true);
}

/// A line of one unit where the path meets the tile.
pub(crate) fn line(path: &[WidePoint], grid: &Grid, spare: &mut Vec<TilePoint>) -> Option<[TilePoint; 2]> {
    traces(path, false, grid, spare);
    let first = *spare.first()?;
    Some([first, [step(first[0], grid), first[1]]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TileId;

    fn shown(ring: &[WidePoint]) -> Vec<TilePoint> {
        let grid = Grid::new(TileId::new(0, 0, 0).unwrap(), 0);
        let mut out = Rings::default();
        polygon(ring, &grid, &mut Vec::new(), &mut out);
        assert!(out.iter().all(|ring| doubled_area(ring) > 0));
        out.points
    }

    #[test]
    fn a_point_becomes_a_unit_and_a_sliver_keeps_its_length() {
        assert_eq!(shown(&[[5, 7]]), [[5, 7], [6, 7], [5, 8]]);
        assert_eq!(shown(&[[5, 7], [5, 7], [9, 7]]), [[5, 7], [9, 7], [9, 8]]);
        assert_eq!(shown(&[[5, 7], [5, 20]]).len(), 3);
        assert!(shown(&[[4096, 4096]]).iter().flatten().all(|&value| value <= 4096));
        assert!(shown(&[[4097, 50], [4097, 60]]).iter().flatten().all(|&value| value <= 4096));
        assert!(shown(&[[4100, 50], [4100, 60]]).is_empty());
    }
}
