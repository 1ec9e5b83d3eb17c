//! Cuts the lines of one feature: from world units to runs of points in the tile.

use citymap_engine::{PartKind, ShapeRef};

use super::{
    clip::{clip_segment, insert_seams},
    grid::{Grid, TilePoint, WidePoint},
    polygon::{is_clear, is_inside, place},
    simplify::PathSimplifier,
    sliver,
};

/// Cuts lines to a tile. Its buffers are reused from feature to feature.
#[derive(Default)]
pub(crate) struct LineCutter {
    path: Vec<WidePoint>,
    spare: Vec<WidePoint>,
    near: Vec<TilePoint>,
    points: Vec<TilePoint>,
    /// Where each run of points ends in `points`.
    ends: Vec<usize>,
    simplifier: PathSimplifier,
    /// Number of vertices removed since the caller last set it to zero.
    pub(crate) simplified: u64,
}

impl LineCutter {
    /// Cuts the lines of a shape; [`LineCutter::pieces`] returns the result.
    pub(crate) fn cut(&mut self, shape: ShapeRef<'_>, grid: &Grid) {
        self.cut_simplified(shape, grid, 0.0);
    }

    /// Cuts the lines of a shape without the vertices that are within `tolerance` units of the simplified
    /// line. Lines are simplified as a whole on the grid of the zoom, so that tiles agree at their seams;
    /// their ends are kept.
    pub(crate) fn cut_simplified(&mut self, shape: ShapeRef<'_>, grid: &Grid, tolerance: f64) {
        self.points.clear();
        self.ends.clear();
        for part in shape.parts().filter(|part| part.kind == PartKind::Line) {
            let pieces = self.ends.len();
            let bounds = place(shape.mercator_ring(part.rings().start), grid, &mut self.path);
            if tolerance > 0.0 && !is_clear(bounds, grid) {
                self.simplify(tolerance);
            }
            if is_inside(bounds) {
                if self.path.len() > 1 {
                    self.points.extend(self.path.iter().map(|&[x, y]| [x as i32, y as i32]));
                    self.ends.push(self.points.len());
                }
            } else if !is_clear(bounds, grid) {
                insert_seams(&self.path, false, &mut self.spare);
                self.cut_path(grid);
            }
            if self.ends.len() == pieces
                && let Some(unit) = sliver::line(&self.path, grid, &mut self.near)
            {
                self.points.extend(unit);
                self.ends.push(self.points.len());
            }
        }
    }

    /// Simplifies `self.path` by the method of Douglas and Peucker.
    fn simplify(&mut self, tolerance: f64) {
        let last = self.path.len().saturating_sub(1);
        if last < 2 {
            return;
        }
        self.near.clear();
        // Tile rules end at zoom 18, where the world is 2³⁰ units wide.
        self.near.extend(self.path.iter().map(|&[x, y]| [x as i32, y as i32]));
        let keep = self.simplifier.run(&self.near, tolerance);
        let mut keep = keep.iter();
        self.path.retain(|_| keep.next().is_none_or(|&keep| keep));
        // A path that returns the way it came may have lost everything in between.
        self.path.dedup();
        if let [only] = self.path[..] {
            let distance = |point: &&TilePoint| {
                let [x, y] = [0, 1].map(|axis| i64::from(point[axis]) - only[axis]);
                x * x + y * y
            };
            self.path.extend(self.near.iter().max_by_key(distance).map(|point| point.map(i64::from)));
        }
        self.simplified += (last + 1 - self.path.len()) as u64;
    }

    /// Clips `self.spare` to the clip box, run by run.
    fn cut_path(&mut self, grid: &Grid) {
        let mut start = self.points.len();
        for edge in self.spare.windows(2) {
            let Some((a, b)) = clip_segment(edge[0], edge[1], grid.low, grid.high) else { continue };
            let [a, b] = [a, b].map(|[x, y]| [x as i32, y as i32]);
            if a == b {
                continue;
            }
            if self.points.len() > start && self.points.last() != Some(&a) {
                self.ends.push(self.points.len());
                start = self.points.len();
            }
            if self.points.len() == start {
                self.points.push(a);
            }
            self.points.push(b);
        }
        if self.points.len() > start {
            self.ends.push(self.points.len());
        }
    }

    /// The runs of the last cut: each has two points or more, and no point repeats the one before.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[TilePoint]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.points[start..end])
    }
}
