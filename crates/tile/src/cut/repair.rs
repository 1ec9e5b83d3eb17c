//! Makes valid polygons of rings that rounding or clipping has made invalid.

use i_overlay::{
    core::{
        fill_rule::FillRule,
        overlay::{Overlay, ShapeType},
        solver::Solver,
    },
    i_float::int::point::IntPoint,
    vector::edge::{SUBJ_LEFT, SUBJ_RIGHT},
};

use super::{
    grid::TilePoint,
    rings::{Rings, doubled_area},
    simple::{Checker, Contact},
    trace::{DirectedEdge, Tracer},
};

/// Maximum number of passes over a result that is still not valid.
const ROUNDS: usize = 8;

/// Resolves rings into valid polygons: the region that they wind around more often clockwise (on the map)
/// than counterclockwise.
///
/// `i_overlay` splits the edges where they meet and finds the winding number on both sides of each. The rings
/// are traced here, because polygons of a map must not touch themselves, and the library's own extraction of
/// such polygons (4.5, `ogc`) fails an assertion for rings that share points.
pub(crate) struct Repair {
    overlay: Overlay,
    edges: Vec<DirectedEdge>,
    tracer: Tracer,
}

impl Default for Repair {
    fn default() -> Self {
        // Single-threaded: each thread encodes a tile of its own.
        let solver = Solver { multithreading: None, ..Solver::AUTO };
        Self {
            overlay: Overlay::new_custom(0, Default::default(), solver),
            edges: Vec::new(),
            tracer: Tracer::default(),
        }
    }
}

impl Repair {
    /// Forgets the rings that were added.
    pub(crate) fn clear(&mut self) {
        self.overlay.clear();
    }

    /// Adds a ring. Its direction decides how it counts.
    pub(crate) fn add(&mut self, ring: impl Iterator<Item = TilePoint>) {
        self.overlay.add_path_iter(ring.map(|[x, y]| IntPoint::new(x, y)), ShapeType::Subject);
    }

    /// Appends the polygons that the added rings enclose. There may be none.
    pub(crate) fn finish(&mut self, checker: &mut Checker, out: &mut Rings) {
        let first = out.rings.len();
        for _ in 0..ROUNDS {
            out.truncate(first);
            self.solve(out);
            if checker.rings_fit((first..out.rings.len()).map(|ring| out.ring(ring)), Contact::Points) {
                return;
            }
            // Crossings were moved to the grid and met other edges there: repeat with the result.
            self.clear();
            for ring in first..out.rings.len() {
                self.add(out.ring(ring).iter().copied());
            }
        }
        keep_sound(checker, first, out);
    }

    fn solve(&mut self, out: &mut Rings) {
        self.edges.clear();
        for edge in self.overlay.build_separate_vectors(FillRule::Positive) {
            let (a, b) = ([edge.a.x, edge.a.y], [edge.b.x, edge.b.y]);
            match edge.fill & (SUBJ_LEFT | SUBJ_RIGHT) {
                SUBJ_LEFT => self.edges.push((a, b)),
                SUBJ_RIGHT => self.edges.push((b, a)),
                _ => {}
            }
        }
        self.tracer.trace(&mut self.edges, out);
    }
}

/// Drops each polygon that is not valid next to the ones before it.
fn keep_sound(checker: &mut Checker, first: usize, out: &mut Rings) {
    let mut sound = Rings::default();
    let mut ring = first;
    while ring < out.rings.len() {
        let end = (ring + 1..out.rings.len()).find(|&next| out.rings[next].outer).unwrap_or(out.rings.len());
        let kept = sound.rings.len();
        for index in ring..end {
            sound.push(out.ring(index), doubled_area(out.ring(index)), index == ring);
        }
        if !checker.rings_fit(sound.iter(), Contact::Points) {
            sound.truncate(kept);
        }
        ring = end;
    }
    out.truncate(first);
    for index in 0..sound.rings.len() {
        out.push(sound.ring(index), doubled_area(sound.ring(index)), sound.rings[index].outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(rings: &[&[TilePoint]]) -> Rings {
        let mut repair = Repair::default();
        let mut out = Rings::default();
        rings.iter().for_each(|ring| repair.add(ring.iter().copied()));
        repair.finish(&mut Checker::default(), &mut out);
        out
    }

    #[test]
    fn a_bridge_on_the_border_is_cut() {
        // A comb clipped on its left: two teeth connected by edges to and fro on x = 0.
        let out = repaired(&[&[[0, 0], [9, 0], [9, 2], [0, 2], [0, 6], [9, 6], [9, 8], [0, 8]]]);
        assert_eq!(out.rings.len(), 2);
        assert!(out.rings.iter().all(|ring| ring.outer));
        assert!(out.iter().all(|ring| doubled_area(ring) == 36));
    }

    #[test]
    fn winding_the_other_way_is_a_hole() {
        let square = [[0, 0], [9, 0], [9, 9], [0, 9]];
        let out = repaired(&[&square, &[[0, 3], [0, 6], [5, 6], [5, 3]]]);
        assert_eq!(out.rings.len(), 1, "a hole at the edge becomes a bay");
        let out = repaired(&[&square, &[[2, 3], [2, 6], [5, 6], [5, 3]]]);
        assert_eq!(out.rings.iter().map(|ring| ring.outer).collect::<Vec<_>>(), [true, false]);
        assert!(repaired(&[&[[0, 9], [9, 9], [9, 0], [0, 0]]]).rings.is_empty());
    }

    #[test]
    fn a_ring_that_touches_itself_becomes_rings_that_do_not() {
        let out = repaired(&[&[[0, 0], [9, 0], [9, 9], [4, 0], [0, 9]]]);
        assert!(Checker::default().rings_fit(out.iter(), Contact::Points));
        assert!(!out.rings.is_empty());
    }
}
