//! The position of a box relative to an area, decided without looking at the geometry in the box.
//!
//! In a city most features are far from the boundary of the area that a question is about. For these, one
//! search in an index of the area's edges replaces the full relation of two geometries.

use geo::{
    Coord, Intersects, Line, MultiPolygon, Orientation,
    kernels::{Kernel, RobustKernel},
};
use geo_index::rtree::{RTree, RTreeBuilder, RTreeIndex, sort::HilbertSort};

use crate::Bbox;

/// The position of a box relative to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The box is in the area and does not touch its boundary.
    Inside,
    /// The box shares no point with the area.
    Outside,
    /// The boundary of the area passes through the box or touches it.
    Boundary,
}

/// The edges of an area in an R-tree.
#[derive(Debug)]
pub(crate) struct Sides {
    edges: Vec<[Coord<f64>; 2]>,
    index: Option<RTree<f64>>,
    east: f64,
}

impl Sides {
    pub(crate) fn new(area: &MultiPolygon<f64>) -> Self {
        let rings =
            area.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
        let edges: Vec<[Coord<f64>; 2]> =
            rings.flat_map(|ring| ring.0.windows(2).map(|pair| [pair[0], pair[1]])).collect();
        let east = edges.iter().map(|[a, b]| a.x.max(b.x)).fold(f64::NEG_INFINITY, f64::max);
        let index = (!edges.is_empty()).then(|| {
            let mut builder = RTreeBuilder::<f64>::new(edges.len() as u32);
            for [a, b] in &edges {
                builder.add(a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y));
            }
            builder.finish::<HilbertSort>()
        });
        Self { edges, index, east }
    }

    /// The position of a box. Exact.
    pub(crate) fn of(&self, bbox: &Bbox) -> Side {
        let Some(index) = &self.index else { return Side::Outside };
        let near = index.search(bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]);
        if near.into_iter().any(|edge| meets(self.edges[edge as usize], bbox)) {
            return Side::Boundary;
        }
        // The boundary does not meet the box, so one corner decides for all of it. The corner is on no edge:
        // count the edges that a ray to the east crosses. The lower end belongs to an edge, the upper one
        // does not.
        let [x, y] = bbox.min;
        let corner = Coord { x, y };
        let crossings = index
            .search(x, y, self.east.max(x), y)
            .into_iter()
            .map(|edge| self.edges[edge as usize])
            .filter(|[a, b]| {
                let (low, high) = if a.y <= b.y { (*a, *b) } else { (*b, *a) };
                let west = || RobustKernel::orient2d(low, high, corner) == Orientation::CounterClockwise;
                // Most edges are far to the east, which is quickly seen.
                low.y <= y && y < high.y && (a.x.min(b.x) > x || west())
            })
            .count();
        if crossings % 2 == 1 { Side::Inside } else { Side::Outside }
    }
}

impl Sides {
    /// Whether the segment from `a` to `b` goes through an edge of the boundary, each with its ends strictly
    /// on both sides of the other. Exact.
    pub(crate) fn crosses_edge(&self, a: [f64; 2], b: [f64; 2]) -> bool {
        let Some(index) = &self.index else { return false };
        let [start, end] = [a, b].map(|[x, y]| Coord { x, y });
        let apart = |from, to, one, other| {
            let sides = [one, other].map(|at| RobustKernel::orient2d(from, to, at));
            !sides.contains(&Orientation::Collinear) && sides[0] != sides[1]
        };
        index.search(a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])).into_iter().any(|edge| {
            let [from, to] = self.edges[edge as usize];
            apart(from, to, start, end) && apart(start, end, from, to)
        })
    }

    /// Whether the segment from `a` to `b` shares a point with the boundary. Exact.
    pub(crate) fn meets_edge(&self, a: [f64; 2], b: [f64; 2]) -> bool {
        let Some(index) = &self.index else { return false };
        let [start, end] = [a, b].map(|[x, y]| Coord { x, y });
        let way = Line::new(start, end);
        index.search(a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])).into_iter().any(|edge| {
            let [start, end] = self.edges[edge as usize];
            Line::new(start, end).intersects(&way)
        })
    }
}

/// Whether an edge whose bounding box meets the box may share a point with the box. It does not if all
/// corners are strictly on one side of its line.
fn meets([a, b]: [Coord<f64>; 2], bbox: &Bbox) -> bool {
    let [[west, south], [east, north]] = [bbox.min, bbox.max];
    let corners = [[west, south], [east, south], [east, north], [west, north]];
    let mut sides = corners.into_iter().map(|[x, y]| RobustKernel::orient2d(a, b, Coord { x, y }));
    let first = sides.next();
    first == Some(Orientation::Collinear) || sides.any(|side| Some(side) != first)
}

#[cfg(test)]
mod tests {
    use geo::{Covers, LineString, Polygon, Validation};
    use proptest::prelude::*;

    use super::*;

    /// Small integer coordinates, so that corners on edges and edges along edges are common.
    fn ring() -> impl Strategy<Value = LineString<f64>> {
        prop::collection::vec((0..10i32, 0..10i32), 3..8).prop_map(|points| {
            let mut line: LineString<f64> =
                points.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            line.close();
            line
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000, max_global_rejects: 200_000, ..ProptestConfig::default()
        })]
        #[test]
        fn what_it_calls_inside_or_outside_is(
            ring in ring(), x in 0..20i32, y in 0..20i32, w in 0..5i32, h in 0..5i32,
        ) {
            let area = MultiPolygon::new(vec![Polygon::new(ring, vec![])]);
            prop_assume!(area.is_valid());
            let half = |value: i32| f64::from(value) / 2.0;
            let bbox = Bbox::new(half(x), half(y), half(x + w), half(y + h));
            let shape = bbox.to_polygon();
            match Sides::new(&area).of(&bbox) {
                Side::Inside => prop_assert!(area.covers(&shape)),
                Side::Outside => prop_assert!(!area.intersects(&shape)),
                Side::Boundary => {}
            }
        }
    }

    #[test]
    fn a_hole_is_outside_and_far_edges_do_not_matter() {
        let square = |low: f64, high: f64| Bbox::new(low, low, high, high).to_polygon().exterior().clone();
        let area = MultiPolygon::new(vec![Polygon::new(square(0.0, 100.0), vec![square(40.0, 60.0)])]);
        let sides = Sides::new(&area);
        let at = |low: f64, high: f64| sides.of(&Bbox::new(low, low, high, high));
        assert_eq!(
            (at(1.0, 2.0), at(45.0, 50.0), at(70.0, 99.0)),
            (Side::Inside, Side::Outside, Side::Inside)
        );
        assert_eq!(
            (at(39.0, 41.0), at(99.0, 100.0), at(101.0, 102.0)),
            (Side::Boundary, Side::Boundary, Side::Outside)
        );
        assert_eq!(at(30.0, 70.0), Side::Boundary);
    }
}
