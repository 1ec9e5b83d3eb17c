//! The area that two polygons share, without constructing the polygon that they share.
//!
//! The area of a polygon is the sum over its edges of the area left of each (down to any line west of all of
//! them), counted with the sign of the edge. Therefore the area that two polygons share is the sum over pairs
//! of their edges of the area left of both: one trapezoid or two. The sum is exact except for the rounding of
//! its terms, none of which is larger than the bounding box of the smaller polygon. It needs no special cases
//! for vertices on edges or edges on edges, since it changes no faster than its operands, and over zones that
//! share their edges it adds up to the parcel to the last bits. Clipping has none of these properties and
//! takes ten times as long.

use super::{
    halves,
    planar::{Edge, PlanarShape},
    plane::Ground,
    slabs::PreparedShape,
};

/// Distance in metres within which shapes count as touching, and points and lines as on an edge. Coordinates
/// on the grid are rounded to 2⁻³³ m, and two that should be equal may have been rounded differently.
pub(crate) const TOUCH: f64 = 1e-6;

/// Number of edges that both polygons must have for their area to be found by halving the plane.
const MANY: usize = 512;

/// What two polygons share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shared {
    /// The boundary of the other polygon does not enter the box of the smaller one: it shares all of it, or
    /// nothing.
    Whole,
    Nothing,
    /// The shared area in m².
    Area(f64),
}

/// Metres of northings that count as none.
const LEVEL: f64 = 1e-9;

/// Buffers that are reused from pair to pair.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    near: Vec<Edge>,
    pub(crate) cuts: Vec<f64>,
}

/// The area that the polygons of `small` and of `large` share. Either may be the larger one; the work is
/// least if `small` has fewer edges.
///
/// # Complexity
/// O(k · (v + 1)) for k edges of `large` at the northings of `small`, each compared with the v edges of
/// `small` in its slabs; that of [`halves`] where both have many.
pub(crate) fn area(small: &PreparedShape, large: &PreparedShape, scratch: &mut Scratch) -> Shared {
    let planar = &small.planar;
    let [width, height] = planar.size;
    let shift = large.planar.shift_to(planar);
    if !boxes_meet(planar, &large.planar, 0.0) {
        return Shared::Nothing;
    }
    let ground = planar.plane.ground(planar.base[1]);
    let near = &mut scratch.near;
    near.clear();
    let (mut clear, mut winding) = (true, 0.0);
    large.visit([-shift[1], height - shift[1]], -shift[0], |edge| {
        let edge = edge.moved(shift);
        let (low, high) = (edge.low[1].max(0.0), edge.high[1].min(height));
        if high <= low {
            return;
        }
        let ends = [edge.x(low), edge.x(high)];
        if ends[0] <= 0.0 && ends[1] <= 0.0 {
            return;
        }
        clear &= ends[0] >= width && ends[1] >= width;
        winding += edge.sign * (high - low);
        near.push(edge);
    });
    if near.is_empty() {
        return Shared::Nothing;
    }
    // All edges are east of the small shape's box, so that the large shape covers whole northings of it: all
    // of them, none, or some if an edge that lies along a parallel crosses the box.
    if clear && winding >= height - LEVEL {
        return Shared::Whole;
    }
    if clear && winding <= LEVEL {
        return Shared::Nothing;
    }
    if planar.edges.len() >= MANY && near.len() >= MANY {
        let min = [0, 1].map(|axis| shift[axis].max(0.0));
        let max = [0, 1].map(|axis| (shift[axis] + large.planar.size[axis]).min(planar.size[axis]));
        return Shared::Area(halves::area(ground, [&planar.edges, near], [min, max]).max(0.0));
    }
    let mut sum = 0.0;
    for edge in near.iter() {
        // The part of an edge west of the small shape's box contributes nothing and is left out.
        let (mut low, mut high) = (edge.low[1].max(0.0), edge.high[1].min(height));
        let ends = [edge.x(low), edge.x(high)];
        if ends[0] < 0.0 {
            low = (edge.low[1] - edge.low[0] / edge.slope).clamp(low, high);
        } else if ends[1] < 0.0 {
            high = (edge.low[1] - edge.low[0] / edge.slope).clamp(low, high);
        }
        let mut part = 0.0;
        small.visit([low, high], f64::NEG_INFINITY, |small_edge| {
            part += small_edge.sign * left_of_both(ground, small_edge, edge, [low, high]);
        });
        sum += edge.sign * part;
    }
    Shared::Area(sum.max(0.0))
}

/// The area left of both edges between two northings, down to 0 in the west. Neither edge may be west of 0
/// there.
#[inline]
fn left_of_both(ground: Ground, a: &Edge, b: &Edge, [low, high]: [f64; 2]) -> f64 {
    let (low, high) = (low.max(a.low[1]), high.min(a.high[1]));
    if high <= low {
        return 0.0;
    }
    left_of_lines(ground, [low, high - low], [a.x(low), a.x(high)], [b.x(low), b.x(high)])
}

/// The ground left of two lines that are each given by their eastings at the lower and at the upper end of a
/// strip, which begins at the northing `low` and is `rise` high.
#[inline]
pub(crate) fn left_of_lines(
    ground: Ground,
    [low, rise]: [f64; 2],
    [a0, a1]: [f64; 2],
    [b0, b1]: [f64; 2],
) -> f64 {
    let (d0, d1) = (a0 - b0, a1 - b1);
    if d0 <= 0.0 && d1 <= 0.0 {
        return ground.left_of(low, rise, a0, a1);
    }
    if d0 >= 0.0 && d1 >= 0.0 {
        return ground.left_of(low, rise, b0, b1);
    }
    let t = d0 / (d0 - d1);
    let cross = a0 + t * (a1 - a0);
    let (first, last) = if d0 < 0.0 { (a0, b1) } else { (b0, a1) };
    let at = t * rise;
    ground.left_of(low, at, first, cross) + ground.left_of(low + at, rise - at, cross, last)
}

/// Whether the bounding boxes come within `slack` metres of each other.
pub(crate) fn boxes_meet(a: &PlanarShape, b: &PlanarShape, slack: f64) -> bool {
    let [dx, dy] = b.shift_to(a);
    dx <= a.size[0] + slack && -slack <= dx + b.size[0] && dy <= a.size[1] + slack && -slack <= dy + b.size[1]
}

/// Whether edges of the two shapes come within [`TOUCH`] of each other.
pub(crate) fn touch(small: &PreparedShape, large: &PreparedShape) -> bool {
    let planar = &small.planar;
    if !boxes_meet(planar, &large.planar, TOUCH) {
        return false;
    }
    let shift = large.planar.shift_to(planar);
    let [width, height] = planar.size;
    let mut found = false;
    large.visit([-TOUCH - shift[1], height + TOUCH - shift[1]], -TOUCH - shift[0], |edge| {
        let edge = edge.moved(shift);
        if found || edge.west() > width + TOUCH {
            return;
        }
        let west = edge.west() - TOUCH;
        small.visit([edge.low[1] - TOUCH, edge.high[1] + TOUCH], west, |small_edge| {
            found = found || edges_touch(small_edge, &edge);
        });
    });
    found
}

fn edges_touch(a: &Edge, b: &Edge) -> bool {
    let limit = TOUCH * TOUCH;
    let side = |edge: &Edge, p: [f64; 2]| {
        let [ux, uy] = [edge.high[0] - edge.low[0], edge.high[1] - edge.low[1]];
        ux * (p[1] - edge.low[1]) - uy * (p[0] - edge.low[0])
    };
    let crosses = |a: &Edge, b: &Edge| side(a, b.low) * side(a, b.high) < 0.0;
    (crosses(a, b) && crosses(b, a))
        || [a.low, a.high].iter().any(|&p| distance2(p, b.low, b.high) <= limit)
        || [b.low, b.high].iter().any(|&p| distance2(p, a.low, a.high) <= limit)
}

/// The squared distance of a point from a segment.
pub(crate) fn distance2(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let [ux, uy] = [b[0] - a[0], b[1] - a[1]];
    let [vx, vy] = [p[0] - a[0], p[1] - a[1]];
    let square = ux * ux + uy * uy;
    let t = if square > 0.0 { ((ux * vx + uy * vy) / square).clamp(0.0, 1.0) } else { 0.0 };
    let [dx, dy] = [vx - t * ux, vy - t * uy];
    dx * dx + dy * dy
}

/// Whether a point (relative to the shape's base) is in the polygons or on their edge.
pub(crate) fn has_point(polygons: &PreparedShape, [x, y]: [f64; 2]) -> bool {
    let (mut winding, mut on_edge) = (0.0, false);
    polygons.visit([y - TOUCH, y + TOUCH], x - TOUCH, |edge| {
        if on_edge {
            return;
        }
        on_edge = distance2([x, y], edge.low, edge.high) <= TOUCH * TOUCH;
        if edge.low[1] <= y && y < edge.high[1] && edge.x(y) > x {
            winding += edge.sign;
        }
    });
    on_edge || winding > 0.5
}

/// The length in m of the part of the segment from `a` to `b` (relative to the shape's base) that is in the
/// polygons or along their edge. Calls `inside` with both ends of each run inside, in order, as fractions of
/// the segment from 0 to 1.
pub(crate) fn stretches(
    polygons: &PreparedShape,
    a: [f64; 2],
    b: [f64; 2],
    cuts: &mut Vec<f64>,
    mut inside: impl FnMut(f64, f64),
) -> f64 {
    let [ux, uy] = [b[0] - a[0], b[1] - a[1]];
    let length = ux.hypot(uy);
    if length == 0.0 {
        return 0.0;
    }
    let (west, east) = (a[0].min(b[0]) - TOUCH, a[0].max(b[0]) + TOUCH);
    let (south, north) = (a[1].min(b[1]) - TOUCH, a[1].max(b[1]) + TOUCH);
    cuts.clear();
    polygons.visit([south, north], west, |edge| {
        if edge.west() > east {
            return;
        }
        let [vx, vy] = [edge.high[0] - edge.low[0], edge.high[1] - edge.low[1]];
        let [wx, wy] = [edge.low[0] - a[0], edge.low[1] - a[1]];
        let cross = ux * vy - uy * vx;
        if cross != 0.0 {
            let t = (wx * vy - wy * vx) / cross;
            if t > 0.0 && t < 1.0 {
                cuts.push(t);
            }
        }
        // If an edge runs along the segment, the ends of the edge are where that begins and ends.
        for end in [edge.low, edge.high] {
            if distance2(end, a, b) <= TOUCH * TOUCH {
                let t = ((end[0] - a[0]) * ux + (end[1] - a[1]) * uy) / (length * length);
                if t > 0.0 && t < 1.0 {
                    cuts.push(t);
                }
            }
        }
    });
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.push(1.0);
    let (mut from, mut sum) = (0.0, 0.0);
    let mut open: Option<(f64, f64)> = None;
    for &to in cuts.iter() {
        if (to - from) * length < 1e-9 && to < 1.0 {
            continue;
        }
        let middle = (from + to) / 2.0;
        if has_point(polygons, [a[0] + middle * ux, a[1] + middle * uy]) {
            sum += (to - from) * length;
            open = match open {
                Some((start, end)) if end == from => Some((start, to)),
                Some((start, end)) => {
                    inside(start, end);
                    Some((from, to))
                }
                None => Some((from, to)),
            };
        }
        from = to;
    }
    if let Some((start, end)) = open {
        inside(start, end);
    }
    sum
}

#[cfg(test)]
mod tests {
    use citymap_model::{Feature, GeometryKind, Layer, Role, Title};
    use geo::Rect;

    use crate::{Operand, Overlay, SnapshotBuilder};

    #[test]
    fn an_edge_along_a_parallel_that_crosses_the_box_is_not_overlooked() {
        // Outside of the home grid, where such edges stay level on the plane.
        let layer = |rects: &[[f64; 4]]| {
            let layer =
                Layer::new("a".parse().unwrap(), Title::same("A"), Role::Other, GeometryKind::Polygon);
            let mut builder = SnapshotBuilder::new(layer);
            for (fid, [west, south, east, north]) in (1..).zip(rects) {
                let shape = Rect::new((*west, *south), (*east, *north)).to_polygon();
                builder.push(&Feature { fid, geometry: Some(shape.into()), values: vec![] }).unwrap();
            }
            builder.finish(1)
        };
        let lower = [2.0, 48.0, 2.001, 48.001];
        for upper in
            [[1.999, 48.0009, 2.002, 48.002], [2.0, 48.0009, 2.001, 48.002], [1.0, 47.0, 3.0, 48.0001]]
        {
            let both = layer(&[lower, upper]);
            let overlay = Overlay::new(Operand::new(&both), Operand::new(&both)).unwrap();
            let shared = |row: u32| {
                let pieces = overlay.of(both.row_of_fid(i64::from(row)).unwrap()).unwrap().0;
                pieces.iter().find(|piece| both.fid(piece.row_b) != i64::from(row)).map(|piece| piece.area)
            };
            let (there, back) = (shared(1).unwrap_or(0.0), shared(2).unwrap_or(0.0));
            assert!((there - back).abs() < 1e-6, "{upper:?}: {there} and {back}");
            assert!((there - 828.0).abs() < 10.0, "a tenth of the square: {there}");
        }
    }
}
