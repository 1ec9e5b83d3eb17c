//! The area that two polygons with very many edges share, by halving the plane.
//!
//! The sum over pairs of edges of [`shared_area`](super::shared_area) compares each edge with all edges at
//! its own northings, which is quadratic where a northing crosses many edges: 36 s for two polygons of 250
//! 000 corners. Here the box that both have in common is halved until few edges of one polygon are left in
//! a part, and the sum is taken part by part.
//!
//! The sum needs the edges in a part and those east of it. The latter are folded onto the eastern side of the
//! part, its *wall*: they become vertical edges there, and those of a valid polygon cancel each other except
//! where the polygon contains the wall. A part without edges of one polygon is inside or outside of it as a
//! whole. So the argument for exactness is the same: no special cases for corners on edges or edges on edges.
//!
//! # Complexity
//! O((m + n) · log (m + n) + k) for k pairs of edges that are close to each other.

use super::{planar::Edge, plane::Ground};

/// Pairs of edges that are compared rather than divided further.
const PAIRS: usize = 1_024;
/// Number of halvings after which a part is not divided further.
const DEPTH: u32 = 60;
/// Number of edges from which both halves are computed in parallel.
const PARALLEL: usize = 16_384;

/// The part of an edge that is in a part of the plane: its northings there.
#[derive(Clone, Copy)]
struct Span {
    edge: u32,
    low: f64,
    high: f64,
}

/// A part of the plane: west, south, east, north.
#[derive(Clone, Copy)]
struct Frame {
    min: [f64; 2],
    max: [f64; 2],
}

/// One of the polygons in a part of the plane.
#[derive(Clone, Default)]
struct Content {
    spans: Vec<Span>,
    /// Vertical edges on the eastern side: from one northing to another, and the winding number there.
    wall: Vec<(f64, f64, f64)>,
}

/// The area in m² that the polygons with edges `a` and `b` share within the box from `min` to `max`, which
/// must contain one of them. All coordinates are relative to one base.
pub(crate) fn area(ground: Ground, edges: [&[Edge]; 2], [min, max]: [[f64; 2]; 2]) -> f64 {
    let frame = Frame { min, max };
    let contents = edges.map(|edges| Content::within(edges, frame));
    Pair { ground, edges }.shared(contents, frame, 0)
}

/// The edges of both polygons.
#[derive(Clone, Copy)]
struct Pair<'a> {
    ground: Ground,
    edges: [&'a [Edge]; 2],
}

impl Pair<'_> {
    fn shared(self, contents: [Content; 2], frame: Frame, depth: u32) -> f64 {
        let edges = self.edges;
        for (number, other) in [(0, 1), (1, 0)] {
            if let Some(winding) = contents[number].constant(frame) {
                return if winding == 0.0 {
                    0.0
                } else {
                    winding * contents[other].area(self.ground, edges[other], frame)
                };
            }
        }
        let pairs = contents[0].spans.len() * contents[1].spans.len();
        let size = [frame.max[0] - frame.min[0], frame.max[1] - frame.min[1]];
        let axis = usize::from(size[1] > size[0]);
        let middle = frame.min[axis] + size[axis] / 2.0;
        if pairs <= PAIRS || depth >= DEPTH || middle <= frame.min[axis] || middle >= frame.max[axis] {
            return self.direct(&contents, frame);
        }
        let parts = [frame.below(axis, middle), frame.above(axis, middle)];
        let [a, b] = &contents;
        let ([a_low, a_high], [b_low, b_high]) =
            (a.halves(edges[0], axis, middle), b.halves(edges[1], axis, middle));
        // Edges that run through both halves, side by side, are not told apart by halving.
        let left = a_low.spans.len() * b_low.spans.len() + a_high.spans.len() * b_high.spans.len();
        let spans: usize = [&a_low, &a_high, &b_low, &b_high].iter().map(|half| half.spans.len()).sum();
        if left as f64 > 0.9 * pairs as f64 && spans as f64 > 1.5 * (a.spans.len() + b.spans.len()) as f64 {
            return self.direct(&contents, frame);
        }
        let many = a.spans.len() + b.spans.len() >= PARALLEL;
        drop(contents);
        let low = || self.shared([a_low, b_low], parts[0], depth + 1);
        let high = || self.shared([a_high, b_high], parts[1], depth + 1);
        let (low, high) = if many { rayon::join(low, high) } else { (low(), high()) };
        low + high
    }

    /// The sum over all pairs of edges, those on the walls included.
    fn direct(self, contents: &[Content; 2], frame: Frame) -> f64 {
        let [first, second] = [0, 1].map(|number| contents[number].sides(self.edges[number], frame));
        let mut sum = 0.0;
        for a in &first {
            let part: f64 = second.iter().map(|b| b.sign * a.left_of_both(self.ground, b)).sum();
            sum += a.sign * part;
        }
        sum
    }
}

/// An edge in a part of the plane, relative to its western side.
struct Side {
    low: f64,
    high: f64,
    /// Distance from the western side at `low`, in m.
    at_low: f64,
    /// Metres to the east for each metre to the north.
    slope: f64,
    width: f64,
    sign: f64,
}

impl Side {
    #[inline]
    fn x(&self, y: f64) -> f64 {
        (self.at_low + (y - self.low) * self.slope).clamp(0.0, self.width)
    }

    /// The area left of both.
    #[inline]
    fn left_of_both(&self, ground: Ground, other: &Self) -> f64 {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        if high <= low {
            return 0.0;
        }
        super::shared_area::left_of_lines(
            ground,
            [low, high - low],
            [self.x(low), self.x(high)],
            [other.x(low), other.x(high)],
        )
    }
}

impl Frame {
    fn below(mut self, axis: usize, at: f64) -> Self {
        self.max[axis] = at;
        self
    }

    fn above(mut self, axis: usize, at: f64) -> Self {
        self.min[axis] = at;
        self
    }
}

impl Content {
    /// What edges are within a frame.
    fn within(edges: &[Edge], frame: Frame) -> Self {
        let mut all = Self::default();
        for (position, edge) in edges.iter().enumerate() {
            let (low, high) = (edge.low[1].max(frame.min[1]), edge.high[1].min(frame.max[1]));
            if high > low {
                all.spans.push(Span { edge: position as u32, low, high });
            }
        }
        let [inside, _] = all.halves(edges, 0, frame.max[0]);
        let [_, inside] = inside.halves(edges, 0, frame.min[0]);
        inside
    }

    /// The contents south and north, or west and east, of a line.
    fn halves(&self, edges: &[Edge], axis: usize, at: f64) -> [Self; 2] {
        if axis == 1 { self.south_and_north(at) } else { self.west_and_east(edges, at) }
    }

    fn south_and_north(&self, at: f64) -> [Self; 2] {
        let mut halves = [Self::default(), Self::default()];
        for &span in &self.spans {
            if span.low < at {
                halves[0].spans.push(Span { high: span.high.min(at), ..span });
            }
            if span.high > at {
                halves[1].spans.push(Span { low: span.low.max(at), ..span });
            }
        }
        for &(low, high, winding) in &self.wall {
            if low < at {
                halves[0].wall.push((low, high.min(at), winding));
            }
            if high > at {
                halves[1].wall.push((low.max(at), high, winding));
            }
        }
        halves
    }

    fn west_and_east(&self, edges: &[Edge], at: f64) -> [Self; 2] {
        let (mut west, mut east) = (Self::default(), Self::default());
        let mut wall = Wall::default();
        for &span in &self.spans {
            let edge = &edges[span.edge as usize];
            let ends = [edge.x(span.low), edge.x(span.high)];
            if ends[0] <= at && ends[1] <= at {
                west.spans.push(span);
            } else if ends[0] >= at && ends[1] >= at {
                wall.add(span.low, span.high, edge.sign);
                east.spans.push(span);
            } else {
                let part = (at - ends[0]) / (ends[1] - ends[0]);
                let cut = (span.low + part * (span.high - span.low)).clamp(span.low, span.high);
                let (lower, upper) = (Span { high: cut, ..span }, Span { low: cut, ..span });
                let (left, right) = if ends[0] < at { (lower, upper) } else { (upper, lower) };
                if left.high > left.low {
                    west.spans.push(left);
                }
                if right.high > right.low {
                    wall.add(right.low, right.high, edge.sign);
                    east.spans.push(right);
                }
            }
        }
        for &(low, high, winding) in &self.wall {
            wall.add(low, high, winding);
        }
        west.wall = wall.finish();
        east.wall.clone_from(&self.wall);
        [west, east]
    }

    /// The winding number of the polygon around all points of the frame; `None` if that is not the same
    /// everywhere.
    fn constant(&self, frame: Frame) -> Option<f64> {
        if !self.spans.is_empty() {
            return None;
        }
        match self.wall[..] {
            [] => Some(0.0),
            [(low, high, winding)] if low <= frame.min[1] && high >= frame.max[1] => Some(winding),
            _ => None,
        }
    }

    /// The area of the polygon within the frame.
    fn area(&self, ground: Ground, edges: &[Edge], frame: Frame) -> f64 {
        let sides = self.sides(edges, frame);
        sides
            .iter()
            .map(|side| {
                let (low, high) = (side.low, side.high);
                side.sign * ground.left_of(low, high - low, side.x(low), side.x(high))
            })
            .sum()
    }

    fn sides(&self, edges: &[Edge], frame: Frame) -> Vec<Side> {
        let width = frame.max[0] - frame.min[0];
        let spans = self.spans.iter().map(|span| {
            let edge = &edges[span.edge as usize];
            let at_low = edge.x(span.low) - frame.min[0];
            Side { low: span.low, high: span.high, at_low, slope: edge.slope, width, sign: edge.sign }
        });
        let wall = self.wall.iter().map(|&(low, high, winding)| Side {
            low,
            high,
            at_low: width,
            slope: 0.0,
            width,
            sign: winding,
        });
        spans.chain(wall).collect()
    }
}

/// A wall as it is built: where the winding number changes, and by how much. Edges that follow each other
/// in a ring cancel at once where they meet.
#[derive(Default)]
struct Wall(Vec<(f64, f64)>);

impl Wall {
    fn add(&mut self, low: f64, high: f64, winding: f64) {
        self.change(low, winding);
        self.change(high, -winding);
    }

    fn change(&mut self, at: f64, by: f64) {
        let recent = self.0.len().saturating_sub(3);
        match self.0[recent..].iter().position(|&(y, change)| y == at && change == -by) {
            Some(found) => {
                self.0.swap_remove(recent + found);
            }
            None => self.0.push((at, by)),
        }
    }

    /// The vertical edges, from south to north.
    fn finish(mut self) -> Vec<(f64, f64, f64)> {
        self.0.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut edges: Vec<(f64, f64, f64)> = Vec::new();
        let (mut winding, mut from) = (0.0, f64::NEG_INFINITY);
        for (at, by) in self.0 {
            if at > from && winding != 0.0 {
                match edges.last_mut() {
                    Some((_, high, same)) if *high == from && *same == winding => *high = at,
                    _ => edges.push((from, at, winding)),
                }
            }
            winding += by;
            from = at;
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers below `below` that look random and are the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, below: u32) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from((self.0 >> 33) as u32 % below)
        }

        fn ring(&mut self, corners: usize, size: u32, step: f64) -> Vec<[f64; 2]> {
            (0..corners).map(|_| [self.below(size) * step, self.below(size) * step]).collect()
        }
    }

    fn edges(ring: &[[f64; 2]]) -> Vec<Edge> {
        (0..ring.len())
            .map(|i| (ring[i], ring[(i + 1) % ring.len()]))
            .filter(|(a, b)| a != b)
            .map(|(a, b)| Edge::new(a, b, 1.0))
            .collect()
    }

    fn bounds(edges: &[Edge]) -> [[f64; 2]; 2] {
        edges.iter().fold([[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]], |[min, max], edge| {
            [
                [min[0].min(edge.west()), min[1].min(edge.low[1])],
                [max[0].max(edge.east()), max[1].max(edge.high[1])],
            ]
        })
    }

    /// The sum over all pairs, without division.
    fn plain(a: &[Edge], b: &[Edge], min: [f64; 2], max: [f64; 2]) -> f64 {
        let frame = Frame { min, max };
        let pair = Pair { ground: Ground::Flat, edges: [a, b] };
        pair.direct(&[Content::within(a, frame), Content::within(b, frame)], frame)
    }

    /// Coarse grids make corners on corners and edges on edges; rings that cross themselves count as often as
    /// they wind around a place, whichever way the sum is taken.
    #[test]
    fn halving_gives_the_sum_over_all_pairs() {
        let mut random = Random(1);
        for round in 0..60 {
            let (size, step) = ([6, 40, 100_000][round % 3], [1.0, 0.37, 0.001][round % 3]);
            let a = edges(&random.ring(300, size, step));
            let b = edges(&random.ring(120 + round, size, step));
            let [min, max] = bounds(&a);
            let halved = area(Ground::Flat, [&a, &b], [min, max]);
            let plain = plain(&a, &b, min, max);
            let scale = (max[0] - min[0]) * (max[1] - min[1]) * 100.0;
            assert!((halved - plain).abs() < 1e-12 * scale, "round {round}: {halved} {plain}");
        }
    }

    #[test]
    fn a_polygon_shares_all_of_itself_with_itself() {
        let mut random = Random(2);
        let ring: Vec<[f64; 2]> = (0..5_000)
            .map(|i| {
                let (angle, radius) =
                    (f64::from(i) / 5_000.0 * std::f64::consts::TAU, 800.0 + random.below(200));
                [1_000.0 + radius * angle.cos(), 1_000.0 + radius * angle.sin()]
            })
            .collect();
        let one = edges(&ring);
        let [min, max] = bounds(&one);
        let frame = Frame { min, max };
        let own = Content::within(&one, frame).area(Ground::Flat, &one, frame);
        assert!((area(Ground::Flat, [&one, &one], [min, max]) - own).abs() < 1e-6, "{own}");
        // Apart from it by a hair: nothing is shared but the hair.
        let beside: Vec<Edge> = one.iter().map(|edge| edge.moved([2_000.0, 0.0])).collect();
        assert_eq!(area(Ground::Flat, [&one, &beside], [[max[0], min[1]], max]), 0.0);
    }
}
