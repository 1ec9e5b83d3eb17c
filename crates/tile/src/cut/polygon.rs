//! Cuts the polygons of one feature: from world units to valid rings in the tile.

use citymap_engine::{PartKind, ShapePart, ShapeRef};

use super::{
    clip::{clip_ring, insert_seams},
    grid::{Grid, SIDE, TilePoint, WidePoint},
    repair::Repair,
    rings::{Rings, clean, doubled_area},
    simple::Checker,
    sliver,
};

/// Cuts polygons to a tile. Its buffers are reused from feature to feature.
#[derive(Default)]
pub(crate) struct PolygonCutter {
    ring: Vec<WidePoint>,
    spare: Vec<WidePoint>,
    near: Vec<TilePoint>,
    boxes: Vec<[TilePoint; 2]>,
    checker: Checker,
    repair: Repair,
    out: Rings,
}

/// The position of a ring relative to the tile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the tile's square, borders included.
    Inside,
    /// The bounding box meets the clip box.
    Across,
    /// Completely outside of the clip box.
    Outside,
}

/// Rounds a ring or line to the grid, without points that coincide with the one before. Returns the corners
/// of the bounding box.
pub(crate) fn place(world: &[[u32; 2]], grid: &Grid, out: &mut Vec<WidePoint>) -> [WidePoint; 2] {
    out.clear();
    let (mut low, mut high) = ([i64::MAX; 2], [i64::MIN; 2]);
    let mut last = [i64::MAX; 2];
    for &point in world {
        let point = grid.place(point);
        if point != last {
            out.push(point);
            low = [low[0].min(point[0]), low[1].min(point[1])];
            high = [high[0].max(point[0]), high[1].max(point[1])];
            last = point;
        }
    }
    [low, high]
}

/// Whether a box does not meet the clip box.
pub(crate) fn is_clear([low, high]: [WidePoint; 2], grid: &Grid) -> bool {
    low[0] > grid.high || low[1] > grid.high || high[0] < grid.low || high[1] < grid.low
}

/// Whether a box is in the tile's square.
pub(crate) fn is_inside([low, high]: [WidePoint; 2]) -> bool {
    low[0] >= 0 && low[1] >= 0 && high[0] <= SIDE && high[1] <= SIDE
}

/// Whether the ring as stored, before any rounding to a zoom, runs clockwise on the map.
pub(crate) fn runs_clockwise(world: &[[u32; 2]]) -> bool {
    let Some(&first) = world.first() else { return true };
    let step = |point: [u32; 2]| {
        (i128::from(point[0]) - i128::from(first[0]), i128::from(point[1]) - i128::from(first[1]))
    };
    let area: i128 =
        world.windows(2).map(|edge| (step(edge[0]), step(edge[1]))).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
    area >= 0
}

impl PolygonCutter {
    /// The polygons of the shape as the tile shows them: valid, separate from each other, and empty if they
    /// do not reach the tile.
    pub(crate) fn cut(&mut self, shape: ShapeRef<'_>, grid: &Grid) -> &Rings {
        self.out.clear();
        for part in shape.parts() {
            if part.kind != PartKind::Polygon || part.rings().is_empty() {
                continue;
            }
            let first = self.out.rings.len();
            if !self.cut_plainly(shape, part, grid, first) {
                self.out.truncate(first);
                self.cut_and_repair(shape, part, grid);
            }
            // No area is left: the part is elsewhere or too small. At the edge of a hole the part is present
            // too.
            for ring in part.rings() {
                if self.out.rings.len() > first {
                    break;
                }
                place(shape.mercator_ring(ring), grid, &mut self.ring);
                sliver::polygon(&self.ring, grid, &mut self.near, &mut self.out);
            }
        }
        if !self.parts_are_apart() {
            self.unite();
        }
        &self.out
    }

    /// Rounds a ring and clips it to the clip box; leaves the result in `self.ring`.
    fn cut_ring(&mut self, world: &[[u32; 2]], grid: &Grid) -> Reach {
        let bounds = place(world, grid, &mut self.ring);
        if is_inside(bounds) {
            return Reach::Inside;
        }
        if is_clear(bounds, grid) {
            self.ring.clear();
            return Reach::Outside;
        }
        if self.ring.len() > 1 && self.ring.first() == self.ring.last() {
            self.ring.pop();
        }
        insert_seams(&self.ring, true, &mut self.spare);
        std::mem::swap(&mut self.ring, &mut self.spare);
        clip_ring(&mut self.ring, grid.low, grid.high, &mut self.spare);
        Reach::Across
    }

    /// The fast path for nearly all polygons: each ring stays one ring and is verified. Returns false if that
    /// fails; the caller then drops the rings after `first`.
    fn cut_plainly(&mut self, shape: ShapeRef<'_>, part: ShapePart, grid: &Grid, first: usize) -> bool {
        for (index, ring) in part.rings().enumerate() {
            let outer = index == 0;
            if self.cut_ring(shape.mercator_ring(ring), grid) == Reach::Outside {
                if outer {
                    return true;
                }
                continue;
            }
            clean(self.ring.iter().map(|&[x, y]| [x as i32, y as i32]), &mut self.near);
            let area = doubled_area(&self.near);
            if self.near.len() < 3 {
                if outer {
                    return true;
                }
                continue;
            }
            if area == 0 || !self.checker.is_simple(&self.near) {
                return false;
            }
            self.out.push(&self.near, area, outer);
        }
        self.checker.holes_fit(&self.out, first)
    }

    /// The slow path: all rings of the part are overlaid and resolved into valid polygons.
    fn cut_and_repair(&mut self, shape: ShapeRef<'_>, part: ShapePart, grid: &Grid) {
        self.repair.clear();
        for (index, ring) in part.rings().enumerate() {
            let world = shape.mercator_ring(ring);
            if self.cut_ring(world, grid) == Reach::Outside {
                continue;
            }
            let points = self.ring.iter().map(|&[x, y]| [x as i32, y as i32]);
            if runs_clockwise(world) == (index == 0) {
                self.repair.add(points);
            } else {
                self.repair.add(points.rev());
            }
        }
        self.repair.finish(&mut self.checker, &mut self.out);
    }

    /// Whether the bounding boxes of the polygons do not even touch.
    fn parts_are_apart(&mut self) -> bool {
        if self.out.rings.iter().filter(|ring| ring.outer).count() < 2 {
            return true;
        }
        self.boxes.clear();
        for ring in self.out.rings.iter().filter(|ring| ring.outer) {
            let points = &self.out.points[ring.start..ring.end];
            let fold = |pick: fn(i32, i32) -> i32| {
                points.iter().copied().reduce(|a, b| [pick(a[0], b[0]), pick(a[1], b[1])]).unwrap_or_default()
            };
            self.boxes.push([fold(i32::min), fold(i32::max)]);
        }
        self.boxes.sort_unstable();
        self.boxes.iter().enumerate().all(|(index, [low, high])| {
            self.boxes[index + 1..]
                .iter()
                .take_while(|[other_low, _]| other_low[0] <= high[0])
                .all(|[other_low, other_high]| other_low[1] > high[1] || other_high[1] < low[1])
        })
    }

    /// Unites polygons that touch or overlap into one valid multi-polygon.
    fn unite(&mut self) {
        self.repair.clear();
        for ring in self.out.iter() {
            self.repair.add(ring.iter().copied());
        }
        self.out.clear();
        self.repair.finish(&mut self.checker, &mut self.out);
    }
}
