//! Clips rings and segments to a box, with integers.

use super::grid::{SIDE, WidePoint, crossing};

/// Inserts a vertex wherever an edge crosses the border of the tile's square without its buffer. Both tiles
/// at the border get the same vertex, so that their geometry meets there even if its far ends are rounded
/// differently.
pub(crate) fn insert_seams(points: &[WidePoint], closed: bool, out: &mut Vec<WidePoint>) {
    out.clear();
    let next = points.iter().skip(1).chain(points.first().filter(|_| closed));
    for (&a, &b) in points.iter().zip(next) {
        out.push(a);
        let start = out.len();
        for axis in [0, 1] {
            for at in [0, SIDE] {
                if (a[axis] < at) != (b[axis] < at) && a[axis] != at && b[axis] != at {
                    let across = crossing(a, b, axis, at);
                    if (0..=SIDE).contains(&across) {
                        out.push(if axis == 0 { [at, across] } else { [across, at] });
                    }
                }
            }
        }
        // Both coordinates change monotonically along an edge, so the sum of their distances orders its
        // points.
        out[start..].sort_unstable_by_key(|point| (point[0] - a[0]).abs() + (point[1] - a[1]).abs());
    }
    if !closed && let Some(&last) = points.last() {
        out.push(last);
    }
}

/// Clips a closed ring (first point not repeated) to the box, in place (Sutherland and Hodgman). Winding
/// numbers inside the box do not change. The parts of a concave ring stay connected by edges that run to and
/// fro on the sides of the box.
pub(crate) fn clip_ring(ring: &mut Vec<WidePoint>, low: i64, high: i64, spare: &mut Vec<WidePoint>) {
    for (axis, at, sign) in [(0, low, 1), (0, high, -1), (1, low, 1), (1, high, -1)] {
        let inside = |point: &WidePoint| (point[axis] - at) * sign >= 0;
        if ring.iter().all(inside) {
            continue;
        }
        spare.clear();
        let Some(&last) = ring.last() else { return };
        let mut from = last;
        for &to in ring.iter() {
            if inside(&from) != inside(&to) {
                let across = crossing(from, to, axis, at);
                spare.push(if axis == 0 { [at, across] } else { [across, at] });
            }
            if inside(&to) {
                spare.push(to);
            }
            from = to;
        }
        std::mem::swap(ring, spare);
    }
}

/// The part of a segment (or point) that is in the box, edges included.
pub(crate) fn clip_segment(
    mut a: WidePoint,
    mut b: WidePoint,
    low: i64,
    high: i64,
) -> Option<(WidePoint, WidePoint)> {
    for axis in [0, 1] {
        for (at, sign) in [(low, 1), (high, -1)] {
            let outside = |point: WidePoint| (point[axis] - at) * sign < 0;
            let cut = || {
                let across = crossing(a, b, axis, at);
                if axis == 0 { [at, across] } else { [across, at] }
            };
            match (outside(a), outside(b)) {
                (true, true) => return None,
                (true, false) => a = cut(),
                (false, true) => b = cut(),
                (false, false) => {}
            }
        }
    }
    Some((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seam_gets_one_vertex_in_both_tiles() {
        let line = [[4000, 100], [5000, 131]];
        let mut west = Vec::new();
        insert_seams(&line, false, &mut west);
        let mut east = Vec::new();
        insert_seams(&line.map(|[x, y]| [x - SIDE, y]), false, &mut east);
        assert_eq!(west, [[4000, 100], [4096, 103], [5000, 131]]);
        assert_eq!(east, [[-96, 100], [0, 103], [904, 131]]);
    }

    #[test]
    fn a_ring_around_the_box_becomes_the_box() {
        let mut ring = vec![[-9000, -9000], [9000, -9000], [9000, 9000], [-9000, 9000]];
        clip_ring(&mut ring, -64, 4160, &mut Vec::new());
        ring.sort_unstable();
        assert_eq!(ring, [[-64, -64], [-64, 4160], [4160, -64], [4160, 4160]]);
    }

    #[test]
    fn what_misses_the_box_is_gone() {
        let mut ring = vec![[5000, 0], [6000, 0], [6000, 50]];
        clip_ring(&mut ring, -64, 4160, &mut Vec::new());
        assert!(ring.is_empty());
        assert_eq!(clip_segment([-200, 50], [50, -200], -64, 4160), None);
        assert_eq!(clip_segment([-128, 0], [128, 0], -64, 4160), Some(([-64, 0], [128, 0])));
    }
}
