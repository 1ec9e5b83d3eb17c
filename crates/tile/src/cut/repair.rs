//! Making valid polygons of rings that rounding or clipping has spoilt.

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

/// How often a result that is not valid is put through again.
const ROUNDS: usize = 8;

/// Resolves rings into valid polygons: what the rings wind around more often clockwise (on the
/// map) than the other way.
///
/// `i_overlay` splits the edges where they meet and finds the winding beside each; the rings are
/// traced here, because a map's polygons may not touch themselves, and its own extraction of such
/// (4.5, `ogc`) runs into a failed assertion on rings that share points.
pub(crate) struct Repair {
    overlay: Overlay,
    edges: Vec<DirectedEdge>,
    tracer: Tracer,
}

impl Default for Repair {
    fn default() -> Self {
        // Single-threaded: a tile is encoded on one thread, others encode other tiles.
        let solver = Solver { multithreading: None, ..Solver::AUTO };
        Self {
            overlay: Overlay::new_custom(0, Default::default(), solver),
            edges: Vec::new(),
            tracer: Tracer::default(),
        }
    }
}

impl Repair {
    /// Forgets the rings added so far.
    pub(crate) fn clear(&mut self) {
        self.overlay.clear();
    }

    /// Adds a ring, wound as it is to count.
    pub(crate) fn add(&mut self, ring: impl Iterator<Item = TilePoint>) {
        self.overlay.add_path_iter(ring.map(|[x, y]| IntPoint::new(x, y)), ShapeType::Subject);
    }

    /// Appends the polygons that the added rings make. There may be none.
    pub(crate) fn finish(&mut self, checker: &mut Checker, out: &mut Rings) {
        let first = out.rings.len();
        for _ in 0..ROUNDS {
            out.truncate(first);
            self.solve(out);
            if checker.rings_fit((first..out.rings.len()).map(|ring| out.ring(ring)), Contact::Points) {
                return;
            }
            // Crossings were moved to the grid and met other edges there: once more, from the result.
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

/// Drops each polygon that is not sound next to those before it.
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
        // A comb clipped on its left: two teeth joined by edges to and fro on x = 0.
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
