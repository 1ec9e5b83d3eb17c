//! Simplifies each border once for all areas that share it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::cut::{grid::TilePoint, simplify::PathSimplifier};

/// Finds the vertices of a network of borders that can be removed. Its buffers are reused.
///
/// A border runs from junction to junction; junctions are kept. The result depends on the border alone and
/// not on the side, so both sides lose the same vertices and still touch.
#[derive(Default)]
pub(crate) struct Simplifier {
    /// Both directions of each border edge, sorted.
    ways: Vec<(TilePoint, TilePoint)>,
    first: FxHashMap<TilePoint, u32>,
    walked: Vec<bool>,
    arc: Vec<TilePoint>,
    path_simplifier: PathSimplifier,
    /// The vertices that can be removed.
    pub(crate) dropped: FxHashSet<TilePoint>,
}

impl Simplifier {
    /// Takes the undirected edges of all borders, with repetitions. `fixed` tells which vertices must be kept
    /// besides the junctions; `tolerance` is the maximum distance in units of a removed vertex from the
    /// simplified border.
    pub(crate) fn run(
        &mut self,
        edges: impl Iterator<Item = (TilePoint, TilePoint)>,
        fixed: impl Fn(TilePoint) -> bool,
        tolerance: f64,
    ) {
        self.ways.clear();
        self.first.clear();
        self.dropped.clear();
        for (a, b) in edges {
            self.ways.extend([(a, b), (b, a)]);
        }
        self.ways.sort_unstable();
        self.ways.dedup();
        for (index, &(from, _)) in self.ways.iter().enumerate() {
            self.first.entry(from).or_insert(index as u32);
        }
        self.walked.clear();
        self.walked.resize(self.ways.len(), false);
        let stays = |simplifier: &Self, index: usize| {
            let vertex = simplifier.ways[index].0;
            simplifier.degree(vertex) != 2 || fixed(vertex)
        };
        for index in 0..self.ways.len() {
            if !self.walked[index] && stays(self, index) {
                self.walk(index, &fixed);
                self.simplify(tolerance);
            }
        }
        // Only rings without junctions are left. The first edge of a ring begins at its lowest vertex.
        for index in 0..self.ways.len() {
            if !self.walked[index] {
                self.walk(index, &fixed);
                self.simplify(tolerance);
            }
        }
    }

    fn range(&self, vertex: TilePoint) -> std::ops::Range<usize> {
        let Some(&first) = self.first.get(&vertex) else { return 0..0 };
        let first = first as usize;
        let count = self.ways[first..].iter().take_while(|way| way.0 == vertex).count();
        first..first + count
    }

    fn degree(&self, vertex: TilePoint) -> usize {
        self.range(vertex).len()
    }

    fn mark(&mut self, from: TilePoint, to: TilePoint) {
        let range = self.range(from);
        if let Some(index) = range.into_iter().find(|&index| self.ways[index].1 == to) {
            self.walked[index] = true;
        }
    }

    /// Follows a border to its end and collects its vertices in `self.arc`.
    fn walk(&mut self, start: usize, fixed: &impl Fn(TilePoint) -> bool) {
        self.arc.clear();
        let (origin, mut at) = self.ways[start];
        let mut from = origin;
        self.arc.push(origin);
        loop {
            self.mark(from, at);
            self.mark(at, from);
            self.arc.push(at);
            let range = self.range(at);
            if at == origin || range.len() != 2 || fixed(at) {
                break;
            }
            let next = range.into_iter().map(|index| self.ways[index].1).find(|&next| next != from);
            let Some(next) = next else { break };
            (from, at) = (at, next);
        }
    }

    /// Douglas and Peucker's method, always from the same end.
    fn simplify(&mut self, tolerance: f64) {
        let last = self.arc.len() - 1;
        if last < 2 {
            return;
        }
        let ring = self.arc[0] == self.arc[last];
        if (self.arc[0], self.arc[1]) > (self.arc[last], self.arc[last - 1]) {
            self.arc.reverse();
        }
        let keep = self.path_simplifier.run(&self.arc, tolerance);
        if ring && keep.iter().filter(|&&keep| keep).count() < 4 {
            // Less than a ring would be left: keep it unchanged.
            return;
        }
        let dropped = self.arc.iter().zip(keep).filter(|(_, keep)| !**keep).map(|(&vertex, _)| vertex);
        self.dropped.extend(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(path: &[TilePoint]) -> Vec<(TilePoint, TilePoint)> {
        path.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }

    #[test]
    fn junctions_and_corners_stay_whichever_way_edges_come() {
        // A bar with a bend of one unit, a border that meets it in the middle, and a corner.
        let mut net = edges(&[[0, 0], [10, 1], [20, 0], [30, 1], [40, 0], [40, 30]]);
        net.extend(edges(&[[20, 0], [20, -30]]));
        let mut simplifier = Simplifier::default();
        simplifier.run(net.iter().copied(), |_| false, 1.5);
        let mut found: Vec<TilePoint> = simplifier.dropped.iter().copied().collect();
        found.sort_unstable();
        assert_eq!(found, [[10, 1], [30, 1]]);
        let first = simplifier.dropped.clone();
        simplifier.run(net.iter().rev().map(|&(a, b)| (b, a)), |_| false, 1.5);
        assert_eq!(simplifier.dropped, first);
        simplifier.run(net.iter().copied(), |vertex| vertex == [10, 1], 1.5);
        assert_eq!(simplifier.dropped.len(), 1);
    }

    #[test]
    fn a_ring_without_junctions_keeps_its_shape() {
        let ring = [[5, 0], [10, 0], [10, 5], [10, 10], [5, 10], [0, 10], [0, 5], [0, 0], [5, 0]];
        let mut simplifier = Simplifier::default();
        simplifier.run(edges(&ring).into_iter(), |_| false, 1.0);
        let mut found: Vec<TilePoint> = simplifier.dropped.iter().copied().collect();
        found.sort_unstable();
        assert_eq!(found, [[0, 5], [5, 0], [5, 10], [10, 5]]);
        let small = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]];
        simplifier.run(edges(&small).into_iter(), |_| false, 9.0);
        assert!(simplifier.dropped.is_empty(), "a small ring stays");
    }
}
