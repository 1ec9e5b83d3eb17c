//! Traces polygons from boundary edges.

use rustc_hash::FxHashMap;

use super::{
    grid::TilePoint,
    rings::{Rings, clean, doubled_area, turn},
};

/// An edge that has the inside on the side of a positive turn.
pub(crate) type DirectedEdge = (TilePoint, TilePoint);

/// Builds polygons of boundary edges that meet only at their ends. Its buffers are reused.
#[derive(Default)]
pub(crate) struct Tracer {
    used: Vec<bool>,
    /// The position of the first edge that leaves each node.
    nodes: FxHashMap<TilePoint, usize>,
    walk: Vec<(TilePoint, bool)>,
    ring: Vec<TilePoint>,
    loops: Vec<Loop>,
    points: Vec<TilePoint>,
}

/// A simple ring of the boundary of one face.
struct Loop {
    /// The range of its points in `points`.
    start: usize,
    end: usize,
    doubled_area: i64,
    /// The face whose boundary it is part of.
    face: usize,
    /// Twice the middle of one of its edges: a point that is on no other ring.
    doubled_middle: TilePoint,
}

impl Tracer {
    /// Appends the polygons that the edges enclose, one for each connected region, so that no ring touches
    /// itself. Sorts the edges.
    pub(crate) fn trace(&mut self, edges: &mut [DirectedEdge], out: &mut Rings) {
        edges.sort_unstable();
        self.nodes.clear();
        for (index, (from, _)) in edges.iter().enumerate().rev() {
            self.nodes.insert(*from, index);
        }
        self.used.clear();
        self.used.resize(edges.len(), false);
        self.loops.clear();
        self.points.clear();
        for (face, start) in (0..edges.len()).enumerate() {
            if !self.used[start] {
                self.walk_face(edges, start, face);
            }
        }
        self.collect(out);
    }

    /// Walks once around a face, keeping the inside on one side, and cuts the walk into simple rings.
    fn walk_face(&mut self, edges: &[DirectedEdge], start: usize, face: usize) {
        self.walk.clear();
        let mut at = start;
        while !self.used[at] {
            self.used[at] = true;
            let (from, to) = edges[at];
            let first = self.nodes[&from];
            let shared = edges.get(first + 1).is_some_and(|edge| edge.0 == from);
            // The walk can have been here before only where several edges leave.
            if shared
                && let Some(seen) = self.walk.iter().rposition(|&(point, shared)| shared && point == from)
            {
                self.keep_loop(seen, face);
                self.walk.truncate(seen);
            }
            self.walk.push((from, shared));
            let Some(next) = self.next(edges, from, to) else { break };
            at = next;
        }
        self.keep_loop(0, face);
    }

    /// The edge that leaves `at` first, clockwise from the way back to `from`. The inside is between the two.
    fn next(&self, edges: &[DirectedEdge], from: TilePoint, at: TilePoint) -> Option<usize> {
        let first = *self.nodes.get(&at)?;
        let back = [from[0] - at[0], from[1] - at[1]];
        let cross = |a: TilePoint, b: TilePoint| {
            i64::from(a[0]) * i64::from(b[1]) - i64::from(a[1]) * i64::from(b[0])
        };
        let leaving = edges[first..]
            .iter()
            .take_while(|edge| edge.0 == at)
            .map(|&(_, to)| [to[0] - at[0], to[1] - at[1]]);
        let best = leaving.enumerate().min_by(|&(_, a), &(_, b)| {
            // Up to half a turn comes before more than half a turn.
            let late = |way: TilePoint| cross(back, way) > 0;
            late(a).cmp(&late(b)).then_with(|| cross(a, b).cmp(&0))
        })?;
        Some(first + best.0)
    }

    fn keep_loop(&mut self, from: usize, face: usize) {
        let walk = &self.walk[from..];
        let [(a, _), (b, _), ..] = walk else { return };
        let doubled_middle = [a[0] + b[0], a[1] + b[1]];
        clean(walk.iter().map(|&(point, _)| point), &mut self.ring);
        drop_straight(&mut self.ring);
        let doubled_area = doubled_area(&self.ring);
        if self.ring.len() >= 3 && doubled_area != 0 {
            let start = self.points.len();
            self.points.extend_from_slice(&self.ring);
            self.loops.push(Loop { start, end: self.points.len(), doubled_area, face, doubled_middle });
        }
    }

    /// Assigns each hole to its polygon: that of its face, otherwise the smallest one around it.
    fn collect(&self, out: &mut Rings) {
        let ring = |index: &Loop| &self.points[index.start..index.end];
        let outers: Vec<&Loop> = self.loops.iter().filter(|ring| ring.doubled_area > 0).collect();
        let mut holes: Vec<Vec<&Loop>> = outers.iter().map(|_| Vec::new()).collect();
        for hole in self.loops.iter().filter(|ring| ring.doubled_area < 0) {
            let home = outers.iter().position(|outer| outer.face == hole.face).or_else(|| {
                let around = outers.iter().enumerate().filter(|(_, outer)| {
                    outer.doubled_area > -hole.doubled_area
                        && contains_doubled(ring(outer), hole.doubled_middle)
                });
                around.min_by_key(|(_, outer)| outer.doubled_area).map(|(index, _)| index)
            });
            if let Some(home) = home {
                holes[home].push(hole);
            }
        }
        for (outer, holes) in outers.iter().zip(&holes) {
            out.push(ring(outer), outer.doubled_area, true);
            for hole in holes {
                out.push(ring(hole), hole.doubled_area, false);
            }
        }
    }
}

/// Removes the points of a clean ring at which it does not turn.
fn drop_straight(ring: &mut Vec<TilePoint>) {
    let len = ring.len();
    if len < 3 {
        return;
    }
    let (first, last) = (ring[0], ring[len - 1]);
    let mut previous = last;
    let mut kept = 0;
    for index in 0..len {
        let point = ring[index];
        let next = if index + 1 < len { ring[index + 1] } else { first };
        if turn(previous, point, next) != 0 {
            ring[kept] = point;
            kept += 1;
            previous = point;
        }
    }
    ring.truncate(kept);
}

/// Whether a point that is not on the ring is inside it. The point is given as twice its coordinates.
pub(crate) fn contains_doubled(ring: &[TilePoint], [x, y]: TilePoint) -> bool {
    let (x, y) = (i64::from(x), i64::from(y));
    let doubled = |point: &TilePoint| (2 * i64::from(point[0]), 2 * i64::from(point[1]));
    let next = ring.iter().skip(1).chain(ring.first());
    let crossed = ring.iter().zip(next).map(|(a, b)| (doubled(a), doubled(b))).filter(|&(a, b)| {
        let (low, high) = if a.1 < b.1 { (a, b) } else { (b, a) };
        low.1 <= y && y < high.1 && (high.0 - low.0) * (y - low.1) > (x - low.0) * (high.1 - low.1)
    });
    crossed.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(rings: &[&[TilePoint]]) -> Vec<(Vec<TilePoint>, bool)> {
        let mut edges: Vec<DirectedEdge> = rings
            .iter()
            .flat_map(|ring| ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).take(ring.len()))
            .collect();
        let mut out = Rings::default();
        Tracer::default().trace(&mut edges, &mut out);
        (0..out.rings.len()).map(|index| (out.ring(index).to_vec(), out.rings[index].outer)).collect()
    }

    #[test]
    fn squares_that_share_a_corner_are_two_polygons() {
        let found = traced(&[&[[0, 0], [4, 0], [4, 4], [8, 4], [8, 8], [4, 8], [4, 4], [0, 4]]]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(ring, outer)| *outer && doubled_area(ring) == 32));
    }

    #[test]
    fn a_bay_closed_at_a_corner_is_a_hole() {
        let found = traced(&[&[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0], [3, 6], [6, 3]]]);
        assert_eq!(found.iter().map(|(_, outer)| *outer).collect::<Vec<_>>(), [true, false]);
        assert_eq!(found.iter().map(|(ring, _)| doubled_area(ring)).collect::<Vec<_>>(), [162, -27]);
    }

    #[test]
    fn a_hole_with_an_island_that_touches_it() {
        let found = traced(&[
            &[[0, 0], [9, 0], [9, 9], [0, 9]],
            &[[2, 2], [2, 7], [7, 7], [7, 2]],
            &[[2, 2], [5, 3], [3, 5]],
        ]);
        let areas: Vec<i64> = found.iter().map(|(ring, _)| doubled_area(ring)).collect();
        assert_eq!(areas, [162, -50, 8]);
    }
}
