//! The point inside a polygon that is farthest from its edges, where its label has most room.

use std::{cmp::Ordering, collections::BinaryHeap};

/// A square that may hold the point.
struct Square {
    center: [f64; 2],
    half: f64,
    /// Distance from the center to the edge of the polygon; negative outside.
    distance: f64,
}

impl Square {
    fn new(center: [f64; 2], half: f64, rings: &[Vec<[f64; 2]>]) -> Self {
        Self { center, half, distance: distance(center, rings) }
    }

    /// No point of the square is farther from the edges.
    fn best(&self) -> f64 {
        self.distance + self.half * std::f64::consts::SQRT_2
    }
}

impl PartialEq for Square {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Square {}

impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Square {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |square: &Self| (square.center[1], square.center[0]);
        self.best()
            .total_cmp(&other.best())
            // Equal squares in a fixed order, so that equal polygons have equal poles.
            .then_with(|| place(other).0.total_cmp(&place(self).0))
            .then_with(|| place(other).1.total_cmp(&place(self).1))
    }
}

/// Maximum number of squares that are looked at for one polygon.
const MAX_SQUARES: usize = 400;

/// The pole of inaccessibility of a polygon (rings without repeated last points, holes included), to about
/// `precision`; `None` if it has no inside.
///
/// # Performance
/// O(squares × corners), with a few dozen squares for ordinary polygons and at most 400.
pub(super) fn pole(rings: &[Vec<[f64; 2]>], precision: f64) -> Option<[f64; 2]> {
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in rings.iter().flatten() {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let size = [0, 1].map(|axis| high[axis] - low[axis]);
    let side = size[0].min(size[1]);
    if !(side > 0.0 && side.is_finite()) {
        return None;
    }
    // Long polygons begin with at most 32 squares along their length.
    let side = side.max(size[0].max(size[1]) / 32.0);
    let mut queue = BinaryHeap::new();
    let steps = size.map(|size| (size / side).ceil().max(1.0) as u32);
    for row in 0..steps[1] {
        for column in 0..steps[0] {
            let center = [low[0] + (f64::from(column) + 0.5) * side, low[1] + (f64::from(row) + 0.5) * side];
            queue.push(Square::new(center, side / 2.0, rings));
        }
    }
    let middle = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
    let mut best = Square::new(middle, 0.0, rings);
    let mut looked = 0;
    while let Some(square) = queue.pop() {
        looked += 1;
        if square.best() - best.distance <= precision || looked > MAX_SQUARES {
            break;
        }
        let (center, half) = (square.center, square.half / 2.0);
        if square.distance > best.distance {
            best = Square { half: 0.0, ..square };
        }
        for [dx, dy] in [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]] {
            queue.push(Square::new([center[0] + dx * half, center[1] + dy * half], half, rings));
        }
    }
    (best.distance > 0.0).then_some(best.center)
}

/// Distance from a point to the nearest edge; negative if the point is outside (even-odd rule).
fn distance([x, y]: [f64; 2], rings: &[Vec<[f64; 2]>]) -> f64 {
    let mut inside = false;
    let mut least = f64::INFINITY;
    for ring in rings {
        let Some(mut a) = ring.last().copied() else { continue };
        for &b in ring {
            if (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] {
                inside = !inside;
            }
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let length = dx * dx + dy * dy;
            let t = if length > 0.0 {
                (((x - a[0]) * dx + (y - a[1]) * dy) / length).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let (px, py) = (a[0] + t * dx - x, a[1] + t * dy - y);
            least = least.min(px * px + py * py);
            a = b;
        }
    }
    if inside { least.sqrt() } else { -least.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pole_is_inside_and_far_from_edges() {
        let square = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        assert_eq!(pole(std::slice::from_ref(&square), 0.1), Some([5.0, 5.0]));
        // The middle of a U is outside; of its arms and its foot, the foot is the widest.
        let u = vec![
            [0.0, 0.0],
            [2.0, 0.0],
            [2.0, 6.0],
            [8.0, 6.0],
            [8.0, 0.0],
            [10.0, 0.0],
            [10.0, 10.0],
            [0.0, 10.0],
        ];
        let [x, y] = pole(&[u], 0.05).unwrap();
        assert!((7.0..9.0).contains(&y) && (1.5..8.5).contains(&x), "{x} {y}");
        let hole = vec![[3.0, 3.0], [3.0, 7.0], [7.0, 7.0], [7.0, 3.0]];
        let [x, y] = pole(&[square, hole], 0.1).unwrap();
        assert!((x - 5.0).abs().max((y - 5.0).abs()) > 2.0, "{x} {y}");
        assert_eq!(pole(&[vec![[0.0, 0.0], [5.0, 5.0]]], 0.1), None);
        assert_eq!(pole(&[], 0.1), None);
    }
}
