//! The polygons of one feature on their way into the tile.

use super::grid::TilePoint;

/// The range of a ring in [`Rings`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether the ring begins a polygon. Other rings are holes of the last polygon before.
    pub(crate) outer: bool,
}

/// Polygons in one flat buffer. First points are not repeated. Outer rings have a positive area (clockwise on
/// a map), holes a negative one.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    pub(crate) points: Vec<TilePoint>,
    pub(crate) rings: Vec<Ring>,
}

impl Rings {
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps only the first `count` rings.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.rings.truncate(count);
        self.points.truncate(self.rings.last().map_or(0, |ring| ring.end));
    }

    /// Adds a ring, reversed if its direction does not suit an outer ring or a hole. `doubled_area` is twice
    /// its signed area.
    pub(crate) fn push(&mut self, points: &[TilePoint], doubled_area: i64, outer: bool) {
        let start = self.points.len();
        if (doubled_area > 0) == outer {
            self.points.extend_from_slice(points);
        } else {
            self.points.extend(points.iter().rev());
        }
        self.rings.push(Ring { start, end: self.points.len(), outer });
    }

    pub(crate) fn ring(&self, index: usize) -> &[TilePoint] {
        let ring = self.rings[index];
        &self.points[ring.start..ring.end]
    }

    /// The points of each ring, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[TilePoint]> {
        self.rings.iter().map(|ring| &self.points[ring.start..ring.end])
    }
}

/// Twice the signed area: positive for a ring that is clockwise on the map (y runs south).
pub(crate) fn doubled_area(ring: &[TilePoint]) -> i64 {
    let Some(&first) = ring.first() else { return 0 };
    // Relative to the first point, so that products stay small.
    let step = |point: TilePoint| (i64::from(point[0] - first[0]), i64::from(point[1] - first[1]));
    ring.windows(2).map(|edge| (step(edge[0]), step(edge[1]))).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum()
}

/// Twice the signed area of the triangle: positive for a right turn on the map.
#[inline]
pub(crate) fn turn(a: TilePoint, b: TilePoint, c: TilePoint) -> i64 {
    i64::from(b[0] - a[0]) * i64::from(c[1] - b[1]) - i64::from(b[1] - a[1]) * i64::from(c[0] - b[0])
}

/// Whether the path from `a` over `b` to `c` turns back on itself.
#[inline]
fn is_spike(a: TilePoint, b: TilePoint, c: TilePoint) -> bool {
    turn(a, b, c) == 0
        && i64::from(b[0] - a[0]) * i64::from(c[0] - b[0]) + i64::from(b[1] - a[1]) * i64::from(c[1] - b[1])
            < 0
}

/// Writes the ring to `out` without repeated points and without spikes; its area does not change. A ring
/// without area may come out with fewer than three points or none.
pub(crate) fn clean(ring: impl Iterator<Item = TilePoint>, out: &mut Vec<TilePoint>) {
    out.clear();
    for point in ring {
        loop {
            let len = out.len();
            if len >= 2 && is_spike(out[len - 2], out[len - 1], point) {
                out.pop();
            } else {
                break;
            }
        }
        if out.last() != Some(&point) {
            out.push(point);
        }
    }
    // The same where the end meets the start.
    let mut start = 0;
    while out.len() - start >= 3 {
        let (len, first) = (out.len(), out[start]);
        if out[len - 1] == first || is_spike(out[len - 2], out[len - 1], first) {
            out.pop();
        } else if is_spike(out[len - 1], first, out[start + 1]) {
            start += 1;
        } else {
            break;
        }
    }
    out.drain(..start);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(ring: &[TilePoint]) -> Vec<TilePoint> {
        let mut out = Vec::new();
        clean(ring.iter().copied(), &mut out);
        out
    }

    #[test]
    fn spikes_and_repeats_go_wherever_they_are() {
        let square = [[0, 0], [4, 0], [4, 4], [0, 4]];
        assert_eq!(cleaned(&square), square);
        assert_eq!(cleaned(&[[0, 0], [4, 0], [9, 0], [4, 0], [4, 4], [4, 4], [0, 4], [0, 0]]), square);
        assert_eq!(
            cleaned(&[[-3, 0], [0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]),
            [[0, 0], [4, 0], [4, 4], [0, 4]]
        );
        assert_eq!(cleaned(&[[0, 0], [4, 0], [4, 4], [0, 4], [0, 8]]).len(), 4);
        assert!(cleaned(&[[0, 0], [5, 5], [9, 9], [2, 2]]).len() < 3);
        assert!(cleaned(&[[1, 1], [1, 1]]).len() < 3);
    }

    #[test]
    fn clockwise_on_the_map_is_positive() {
        assert_eq!(doubled_area(&[[0, 0], [4, 0], [4, 4], [0, 4]]), 32);
        assert_eq!(doubled_area(&[[0, 4], [4, 4], [4, 0], [0, 0]]), -32);
    }
}
