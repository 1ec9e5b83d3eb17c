//! The step that line simplification repeats (Douglas and Peucker), for lines and for the borders of merged
//! areas.

use super::grid::TilePoint;

/// The inner vertex that is farthest from the segment between two vertices of a path, and its squared
/// distance.
pub(crate) fn farthest(path: &[TilePoint], low: usize, high: usize) -> Option<(usize, f64)> {
    let (a, b) = (path[low], path[high]);
    let run = [f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1])];
    let length = run[0] * run[0] + run[1] * run[1];
    let mut best: Option<(usize, f64)> = None;
    for (index, &point) in path.iter().enumerate().take(high).skip(low + 1) {
        let from = [f64::from(point[0]) - f64::from(a[0]), f64::from(point[1]) - f64::from(a[1])];
        let along =
            if length > 0.0 { ((from[0] * run[0] + from[1] * run[1]) / length).clamp(0.0, 1.0) } else { 0.0 };
        let off = [from[0] - along * run[0], from[1] - along * run[1]];
        let far = off[0] * off[0] + off[1] * off[1];
        if best.is_none_or(|(_, best_distance)| far > best_distance) {
            best = Some((index, far));
        }
    }
    best
}
