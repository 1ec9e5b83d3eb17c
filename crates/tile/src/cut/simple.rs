//! Exact tests of whether polygons on the grid are valid.

use super::{
    grid::TilePoint,
    rings::{Rings, turn},
    segment::{Meeting, meeting},
    trace::contains_doubled,
};

/// Whether a [`clean`](crate::cut::rings::clean) ring of three points or more is convex, straight angles
/// allowed. Then it is simple.
pub(crate) fn is_convex(ring: &[TilePoint]) -> bool {
    let len = ring.len();
    let mut bends = 0;
    let mut flips = 0;
    let (mut a, mut b) = (ring[len - 2], ring[len - 1]);
    let mut was_forward = a < b;
    for &c in ring {
        let bend = turn(a, b, c).signum();
        if bend * bends < 0 {
            return false;
        }
        bends += bend;
        // In one turn around a convex ring the order of the points changes twice.
        let forward = b < c;
        flips += u32::from(forward != was_forward);
        (a, b, was_forward) = (b, c, forward);
    }
    flips <= 2
}

/// How rings of one feature may meet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contact {
    /// They must be separate.
    None,
    /// Different rings may touch in points.
    Points,
}

#[derive(Clone, Copy)]
struct Edge {
    from: TilePoint,
    to: TilePoint,
    ring: u32,
    /// Position of the edge in its ring, and the number of edges of the ring.
    index: u32,
    count: u32,
}

impl Edge {
    fn west(&self) -> i32 {
        self.from[0].min(self.to[0])
    }

    fn east(&self) -> i32 {
        self.from[0].max(self.to[0])
    }

    fn follows(&self, other: &Self) -> bool {
        (other.index + 1) % other.count == self.index
    }
}

/// Buffers of [`Checker::rings_fit`] that are reused from feature to feature.
#[derive(Default)]
pub(crate) struct Checker {
    edges: Vec<Edge>,
}

impl Checker {
    /// Whether no ring meets itself, and the rings meet each other only as `contact` allows. The rings must
    /// be [`clean`](crate::cut::rings::clean) and have three points or more.
    pub(crate) fn rings_fit<'a>(
        &mut self,
        rings: impl Iterator<Item = &'a [TilePoint]>,
        contact: Contact,
    ) -> bool {
        self.edges.clear();
        for (ring, points) in rings.enumerate() {
            let count = points.len() as u32;
            let next = points.iter().skip(1).chain(points.first());
            self.edges.extend(points.iter().zip(next).enumerate().map(|(index, (&from, &to))| Edge {
                from,
                to,
                ring: ring as u32,
                index: index as u32,
                count,
            }));
        }
        self.edges.sort_unstable_by_key(Edge::west);
        for (position, a) in self.edges.iter().enumerate() {
            let (east, north, south) = (a.east(), a.from[1].min(a.to[1]), a.from[1].max(a.to[1]));
            for b in &self.edges[position + 1..] {
                if b.west() > east {
                    break;
                }
                if b.from[1].max(b.to[1]) < north || b.from[1].min(b.to[1]) > south {
                    continue;
                }
                let same = a.ring == b.ring;
                // Consecutive edges share an end; a clean ring does not turn back on itself.
                if same && (a.follows(b) || b.follows(a)) {
                    continue;
                }
                match meeting(a.from, a.to, b.from, b.to) {
                    Meeting::Apart => {}
                    Meeting::Touch if !same && contact == Contact::Points => {}
                    Meeting::Touch | Meeting::Cross => return false,
                }
            }
        }
        true
    }

    /// Whether the rings, each outer one followed by its holes, are valid polygons of one feature: they touch
    /// at most in points, holes are inside their polygons, and polygons are next to each other.
    pub(crate) fn polygons_fit(&mut self, polygons: &Rings) -> bool {
        if !self.rings_fit(polygons.iter(), Contact::Points) {
            return false;
        }
        if polygons.rings.len() < 2 {
            return polygons.rings.first().is_none_or(|ring| ring.outer);
        }
        let boxes: Vec<[TilePoint; 2]> = polygons.iter().map(around).collect();
        let holds = |ring: usize, other: usize| {
            let ([low, high], [first, last]) = (boxes[ring], boxes[other]);
            (0..2).all(|axis| low[axis] <= first[axis] && last[axis] <= high[axis])
                // Rings do not cross, so the middle of one edge decides for the whole ring.
                && contains_doubled(polygons.ring(ring), doubled_middle(polygons.ring(other)))
        };
        let is_outer = |ring: usize| polygons.rings[ring].outer;
        let mut outer = 0;
        (0..polygons.rings.len()).all(|ring| {
            if is_outer(ring) {
                outer = ring;
                // Outside of every other polygon, or in a hole of it.
                (0..polygons.rings.len()).filter(|&other| other != ring && is_outer(other)).all(|other| {
                    let end = (other + 1..polygons.rings.len()).find(|&next| is_outer(next));
                    !holds(other, ring)
                        || (other + 1..end.unwrap_or(polygons.rings.len())).any(|hole| holds(hole, ring))
                })
            } else {
                let end = (ring + 1..polygons.rings.len()).find(|&next| is_outer(next));
                ring > 0
                    && holds(outer, ring)
                    && (outer + 1..end.unwrap_or(polygons.rings.len()))
                        .all(|other| other == ring || !holds(other, ring))
            }
        })
    }

    /// Whether the ring does not meet itself.
    pub(crate) fn is_simple(&mut self, ring: &[TilePoint]) -> bool {
        ring.len() == 3 || is_convex(ring) || self.rings_fit(std::iter::once(ring), Contact::None)
    }

    /// Whether the rings, an outer one and then its holes, each simple, form a valid polygon in which no two
    /// rings touch. Polygons whose rings touch may be valid too; this test does not recognise them.
    pub(crate) fn holes_fit(&mut self, polygon: &Rings, first: usize) -> bool {
        let count = polygon.rings.len();
        if count - first < 2 {
            return true;
        }
        if !self.rings_fit((first..count).map(|ring| polygon.ring(ring)), Contact::None) {
            return false;
        }
        // The rings are separate, so one point decides for the whole ring.
        (first + 1..count).all(|hole| {
            let point = polygon.ring(hole)[0];
            contains(polygon.ring(first), point)
                && (first + 1..count).all(|other| other == hole || !contains(polygon.ring(other), point))
        })
    }
}

/// The bounding box of a ring.
fn around(ring: &[TilePoint]) -> [TilePoint; 2] {
    ring.iter().fold([[i32::MAX; 2], [i32::MIN; 2]], |[low, high], point| {
        [[low[0].min(point[0]), low[1].min(point[1])], [high[0].max(point[0]), high[1].max(point[1])]]
    })
}

/// Twice the middle of the ring's first edge.
fn doubled_middle(ring: &[TilePoint]) -> TilePoint {
    match ring {
        [a, b, ..] => [a[0] + b[0], a[1] + b[1]],
        _ => [0, 0],
    }
}

/// Whether a point that is not on the ring is inside it.
fn contains(ring: &[TilePoint], point: TilePoint) -> bool {
    let mut inside = false;
    let next = ring.iter().skip(1).chain(ring.first());
    for (&a, &b) in ring.iter().zip(next) {
        if (a[1] > point[1]) != (b[1] > point[1]) {
            let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
            if turn(low, high, point) > 0 {
                inside = !inside;
            }
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::rings::doubled_area;

    const SQUARE: [TilePoint; 4] = [[0, 0], [9, 0], [9, 9], [0, 9]];

    #[test]
    fn convex_rings_are_told_from_others() {
        assert!(is_convex(&SQUARE));
        assert!(is_convex(&[[0, 0], [4, 0], [9, 0], [9, 9]]));
        assert!(is_convex(&[[0, 9], [9, 9], [9, 4], [9, 0], [0, 0]]));
        assert!(!is_convex(&[[0, 0], [9, 0], [4, 4], [9, 9], [0, 9]]), "concave");
        let star = [[0, -9], [5, 8], [-8, -3], [8, -3], [-5, 8]];
        assert!(!is_convex(&star), "winds twice");
        assert!(!is_convex(&[[0, 0], [9, 9], [9, 0], [0, 9]]), "bow-tie");
    }

    #[test]
    fn rings_that_meet_themselves_are_found() {
        let mut checker = Checker::default();
        assert!(checker.is_simple(&[[0, 0], [9, 0], [4, 4], [9, 9], [0, 9]]));
        assert!(!checker.is_simple(&[[0, 0], [9, 9], [9, 0], [0, 9]]), "crosses");
        assert!(!checker.is_simple(&[[0, 0], [9, 0], [0, 4], [9, 9], [0, 9]]), "touches an edge");
        assert!(!checker.is_simple(&[[0, 0], [9, 0], [4, 4], [9, 9], [0, 9], [4, 4]]), "touches a vertex");
    }

    #[test]
    fn polygons_of_one_feature_lie_beside_each_other_or_in_holes() {
        let fits = |list: &[(&[TilePoint], bool)]| {
            let mut rings = Rings::default();
            list.iter().for_each(|(ring, outer)| rings.push(ring, doubled_area(ring), *outer));
            Checker::default().polygons_fit(&rings)
        };
        let hole: &[TilePoint] = &[[2, 2], [8, 2], [8, 8], [2, 8]];
        let island: &[TilePoint] = &[[4, 4], [6, 4], [6, 6]];
        let apart: &[TilePoint] = &[[11, 0], [19, 0], [19, 9]];
        assert!(fits(&[(&SQUARE, true), (hole, false), (island, true), (apart, true)]));
        assert!(fits(&[(island, true), (&SQUARE, true), (hole, false)]));
        assert!(!fits(&[(&SQUARE, true), (island, true)]), "an overlap");
        assert!(!fits(&[(&SQUARE, true), (apart, false)]), "a hole elsewhere");
        assert!(!fits(&[(&SQUARE, true), (hole, false), (island, false)]), "a hole in a hole");
        assert!(!fits(&[(hole, false)]), "a hole alone");
    }

    #[test]
    fn holes_must_be_inside_and_apart() {
        let fits = |holes: &[&[TilePoint]]| {
            let mut rings = Rings::default();
            rings.push(&SQUARE, doubled_area(&SQUARE), true);
            holes.iter().for_each(|hole| rings.push(hole, doubled_area(hole), false));
            Checker::default().holes_fit(&rings, 0)
        };
        assert!(fits(&[&[[1, 1], [3, 1], [3, 3]], &[[5, 5], [7, 5], [7, 7]]]));
        assert!(!fits(&[&[[0, 1], [3, 1], [3, 3]]]), "touches the outer ring");
        assert!(!fits(&[&[[11, 1], [13, 1], [13, 3]]]), "outside");
        assert!(!fits(&[&[[1, 1], [8, 1], [8, 8], [1, 8]], &[[2, 2], [4, 2], [4, 4]]]), "nested");
        assert!(!fits(&[&[[1, 1], [3, 1], [3, 3]], &[[3, 3], [7, 5], [7, 7]]]), "touch each other");
    }
}
