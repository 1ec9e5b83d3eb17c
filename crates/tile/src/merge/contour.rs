//! Traces pixels to polygons that share their borders.

use super::mosaic::{Frame, Mosaic};
use crate::cut::{
    grid::TilePoint,
    rings::{Rings, doubled_area},
    simple::{Checker, Contact},
    simplify::PathSimplifier,
    trace::{DirectedEdge, Tracer},
};

/// Maximum distance in pixels of a smoothed border from the steps between pixels. It removes the steps of a
/// slope.
const SMOOTH: f64 = 0.75;

/// Pixels of one class that are connected by their sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    /// The number of its class plus one.
    pub(crate) class: u16,
    /// Number of features that its pixels within the tile stand for.
    pub(crate) count: u32,
}

/// A border between two regions, from one junction to the next.
#[derive(Clone, Copy)]
struct Arc {
    /// Its range in `steps`, and the range of its smoothed form in `smooth`.
    steps: (u32, u32),
    smooth: (u32, u32),
}

/// Finds regions and their borders. Its buffers are reused.
#[derive(Default)]
pub(crate) struct Contours {
    /// For each pixel the number of its region plus one; 0 for none.
    regions_of: Vec<u32>,
    pub(crate) regions: Vec<Region>,
    stack: Vec<u32>,
    walked: Vec<u8>,
    steps: Vec<TilePoint>,
    smooth: Vec<TilePoint>,
    arcs: Vec<Arc>,
    /// Region, arc, and whether the region is to the right of the arc.
    sides: Vec<(u32, u32, bool)>,
    simplifier: PathSimplifier,
    directed: Vec<DirectedEdge>,
    tracer: Tracer,
    checker: Checker,
    /// Number of vertices that smoothing removed.
    pub(crate) simplified: u32,
}

/// The four directions: east, south, west, north.
const WAYS: [TilePoint; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];

impl Contours {
    /// Finds the connected regions and follows their borders.
    pub(crate) fn find(&mut self, frame: &Frame, mosaic: &Mosaic) {
        let side = frame.side();
        self.regions_of.clear();
        self.regions_of.resize(side * side, 0);
        self.regions.clear();
        let inner = frame.margin..frame.margin + frame.inner;
        for start in 0..side * side {
            let class = mosaic.classes[start];
            if class == 0 || self.regions_of[start] != 0 {
                continue;
            }
            let number = self.regions.len() as u32 + 1;
            let mut count = 0;
            self.regions_of[start] = number;
            self.stack.push(start as u32);
            while let Some(at) = self.stack.pop() {
                let at = at as usize;
                let (x, y) = (at % side, at / side);
                if inner.contains(&x) && inner.contains(&y) {
                    count += mosaic.counts[at];
                }
                let mut visit = |other: usize| {
                    if mosaic.classes[other] == class && self.regions_of[other] == 0 {
                        self.regions_of[other] = number;
                        self.stack.push(other as u32);
                    }
                };
                if x > 0 {
                    visit(at - 1);
                }
                if x + 1 < side {
                    visit(at + 1);
                }
                if y > 0 {
                    visit(at - side);
                }
                if y + 1 < side {
                    visit(at + side);
                }
            }
            self.regions.push(Region { class, count });
        }
        self.follow(frame);
    }

    fn region(&self, side: usize, x: i32, y: i32) -> u32 {
        let inside = |value: i32| (0..side as i32).contains(&value);
        if inside(x) && inside(y) { self.regions_of[y as usize * side + x as usize] } else { 0 }
    }

    /// The directions (bits in the order of [`WAYS`]) in which borders leave a corner of pixels.
    fn ways(&self, side: usize, [x, y]: TilePoint) -> u8 {
        let [nw, ne, sw, se] =
            [(x - 1, y - 1), (x, y - 1), (x - 1, y), (x, y)].map(|(x, y)| self.region(side, x, y));
        u8::from(ne != se) | u8::from(sw != se) << 1 | u8::from(nw != sw) << 2 | u8::from(nw != ne) << 3
    }

    /// Follows every border once.
    fn follow(&mut self, frame: &Frame) {
        let side = frame.side();
        let nodes = side + 1;
        self.walked.clear();
        self.walked.resize(nodes * nodes, 0);
        self.steps.clear();
        self.smooth.clear();
        self.arcs.clear();
        self.sides.clear();
        self.simplified = 0;
        // Both tiles at a seam stop there, so that the border in one does not depend on pixels that only the
        // other sees.
        let seams = [frame.margin as i32, (frame.margin + frame.inner) as i32];
        let fixed = |node: TilePoint, ways: u8| {
            ways.count_ones() != 2 || node.iter().any(|value| seams.contains(value))
        };
        for rings in [false, true] {
            for at in 0..nodes * nodes {
                let node = [(at % nodes) as i32, (at / nodes) as i32];
                let ways = self.ways(side, node);
                // What is left after the junctions are rings, each found at the first of its corners.
                if ways == 0 || (!rings && !fixed(node, ways)) {
                    continue;
                }
                for way in 0..4u8 {
                    if ways >> way & 1 == 1 && self.walked[at] >> way & 1 == 0 {
                        self.walk(side, node, way, &fixed);
                    }
                }
            }
        }
        self.sides.sort_unstable();
    }

    fn walk(&mut self, side: usize, origin: TilePoint, first: u8, fixed: &impl Fn(TilePoint, u8) -> bool) {
        let nodes = side + 1;
        let start = self.steps.len();
        // The regions to the right and to the left of the first step.
        let [x, y] = origin;
        let (right, left) = match first {
            0 => ((x, y), (x, y - 1)),
            1 => ((x - 1, y), (x, y)),
            2 => ((x - 1, y - 1), (x - 1, y)),
            _ => ((x, y - 1), (x - 1, y - 1)),
        };
        let [right, left] = [right, left].map(|(x, y)| self.region(side, x, y));
        self.steps.push(origin);
        let (mut node, mut way) = (origin, first);
        loop {
            self.walked[node[1] as usize * nodes + node[0] as usize] |= 1 << way;
            node = [node[0] + WAYS[usize::from(way)][0], node[1] + WAYS[usize::from(way)][1]];
            let back = (way + 2) % 4;
            self.walked[node[1] as usize * nodes + node[0] as usize] |= 1 << back;
            let ways = self.ways(side, node);
            if node == origin || fixed(node, ways) {
                break;
            }
            let next = (ways & !(1 << back)).trailing_zeros() as u8;
            if next != way {
                self.steps.push(node);
            }
            way = next;
        }
        self.steps.push(node);
        let steps = (start as u32, self.steps.len() as u32);
        let smooth = self.smoothen(start);
        let arc = self.arcs.len() as u32;
        self.arcs.push(Arc { steps, smooth });
        if right != 0 {
            self.sides.push((right, arc, true));
        }
        if left != 0 {
            self.sides.push((left, arc, false));
        }
    }

    /// Simplifies the steps from `start` on, always from the same end.
    fn smoothen(&mut self, start: usize) -> (u32, u32) {
        let begin = self.smooth.len();
        let path = &self.steps[start..];
        let last = path.len() - 1;
        let reversed = (path[0], path[1]) > (path[last], path[last - 1]);
        let mut path = path.to_vec();
        if reversed {
            path.reverse();
        }
        let keep = self.simplifier.run(&path, SMOOTH);
        let too_small = path[0] == path[last] && keep.iter().filter(|&&keep| keep).count() < 4;
        for (&point, &keep) in path.iter().zip(keep) {
            if keep || too_small {
                self.smooth.push(point);
            }
        }
        if reversed {
            self.smooth[begin..].reverse();
        }
        self.simplified += (path.len() - (self.smooth.len() - begin)) as u32;
        (begin as u32, self.smooth.len() as u32)
    }

    /// Calls `visit` with each region and its valid polygons in tile units, in the order of regions.
    pub(crate) fn polygons(&mut self, frame: &Frame, mut visit: impl FnMut(Region, &Rings)) {
        let sides = std::mem::take(&mut self.sides);
        let mut rings = Rings::default();
        for group in sides.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(number, ..)) = group.first() else { continue };
            rings.clear();
            self.trace(frame, group, true, &mut rings);
            let sound = !rings.rings.is_empty()
                && rings.iter().all(|ring| doubled_area(ring) != 0)
                && self.checker.rings_fit(rings.iter(), Contact::Points);
            if !sound {
                // Smoothing made them invalid; the unsmoothed steps are always valid.
                rings.clear();
                self.trace(frame, group, false, &mut rings);
            }
            visit(self.regions[number as usize - 1], &rings);
        }
        self.sides = sides;
    }

    fn trace(&mut self, frame: &Frame, sides: &[(u32, u32, bool)], smooth: bool, out: &mut Rings) {
        let unit = frame.unit;
        let place = |node: TilePoint| node.map(|value| (value - frame.margin as i32) * unit);
        self.directed.clear();
        for &(_, arc, right) in sides {
            let arc = self.arcs[arc as usize];
            let path = if smooth {
                &self.smooth[arc.smooth.0 as usize..arc.smooth.1 as usize]
            } else {
                &self.steps[arc.steps.0 as usize..arc.steps.1 as usize]
            };
            for edge in path.windows(2) {
                let (a, b) = (place(edge[0]), place(edge[1]));
                self.directed.push(if right { (a, b) } else { (b, a) });
            }
        }
        self.tracer.trace(&mut self.directed, out);
    }
}
