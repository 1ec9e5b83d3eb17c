//! Line simplification by the method of Douglas and Peucker, for lines and for the borders of merged areas.

use super::grid::TilePoint;

/// Decides which vertices of a path are kept. Its buffers are reused from path to path.
#[derive(Debug, Default)]
pub(crate) struct PathSimplifier {
    keep: Vec<bool>,
    spans: Vec<(usize, usize)>,
}

impl PathSimplifier {
    /// For each vertex of the path whether it is kept. The ends are kept; every other vertex is within
    /// `tolerance` units of the simplified path if it is not kept.
    pub(crate) fn run(&mut self, path: &[TilePoint], tolerance: f64) -> &[bool] {
        let last = path.len().saturating_sub(1);
        self.keep.clear();
        self.keep.resize(path.len(), false);
        for end in [0, last] {
            if let Some(keep) = self.keep.get_mut(end) {
                *keep = true;
            }
        }
        self.spans.clear();
        self.spans.push((0, last));
        while let Some((low, high)) = self.spans.pop() {
            let Some((index, square)) = farthest(path, low, high) else { continue };
            if square > tolerance * tolerance {
                self.keep[index] = true;
                self.spans.extend([(low, index), (index, high)]);
            }
        }
        &self.keep
    }
}

/// The inner vertex that is farthest from the segment between two vertices of a path, and its squared
/// distance.
fn farthest(path: &[TilePoint], low: usize, high: usize) -> Option<(usize, f64)> {
    let (Some(&a), Some(&b)) = (path.get(low), path.get(high)) else { return None };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_vertices_beyond_the_tolerance_are_kept() {
        let path = [[0, 0], [10, 1], [20, 0], [30, 9], [40, 0]];
        let mut simplifier = PathSimplifier::default();
        assert_eq!(simplifier.run(&path, 2.0), [true, false, true, true, true]);
        assert_eq!(simplifier.run(&path, 20.0), [true, false, false, false, true]);
        assert!(simplifier.run(&[], 1.0).is_empty());
    }
}
