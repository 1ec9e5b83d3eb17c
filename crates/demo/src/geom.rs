//! Convex polygons cut by straight lines: all that the city's plan is made of.
//!
//! Coordinates are metres in the plan's own frame (x east, y north), before the warp.

use std::ops::{Add, Mul, Sub};

/// A point or a direction, metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct P {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Shorthand for a point.
pub(crate) fn p(x: f64, y: f64) -> P {
    P { x, y }
}

impl Add for P {
    type Output = P;
    fn add(self, other: P) -> P {
        p(self.x + other.x, self.y + other.y)
    }
}

impl Sub for P {
    type Output = P;
    fn sub(self, other: P) -> P {
        p(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f64> for P {
    type Output = P;
    fn mul(self, factor: f64) -> P {
        p(self.x * factor, self.y * factor)
    }
}

impl P {
    pub(crate) fn dot(self, other: P) -> f64 {
        self.x * other.x + self.y * other.y
    }

    pub(crate) fn cross(self, other: P) -> f64 {
        self.x * other.y - self.y * other.x
    }

    pub(crate) fn len(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The same direction with length 1; a null vector becomes east.
    pub(crate) fn unit(self) -> P {
        let length = self.len();
        if length < 1e-12 { p(1.0, 0.0) } else { self * (1.0 / length) }
    }

    /// A quarter turn to the left.
    pub(crate) fn left(self) -> P {
        p(-self.y, self.x)
    }

    pub(crate) fn turned(self, angle: f64) -> P {
        let (sin, cos) = angle.sin_cos();
        p(self.x * cos - self.y * sin, self.x * sin + self.y * cos)
    }
}

/// Twice the signed area of a ring whose end is not repeated; positive is counter-clockwise.
pub(crate) fn ring_area2(ring: &[P]) -> f64 {
    let Some(first) = ring.first() else { return 0.0 };
    ring.windows(2).map(|pair| (pair[0] - *first).cross(pair[1] - *first)).sum()
}

/// The area's middle of a ring whose end is not repeated.
pub(crate) fn ring_centroid(ring: &[P]) -> P {
    let Some(&first) = ring.first() else { return P::default() };
    let (mut sum, mut area) = (P::default(), 0.0);
    for pair in ring.windows(2) {
        let (a, b) = (pair[0] - first, pair[1] - first);
        let cross = a.cross(b);
        sum = sum + (a + b) * cross;
        area += cross;
    }
    if area.abs() < 1e-9 { first } else { first + sum * (1.0 / (3.0 * area)) }
}

/// Whether no two edges of a ring, its end not repeated, meet but neighbours at their corner.
pub(crate) fn is_simple(ring: &[P]) -> bool {
    let n = ring.len();
    let side = |a: P, b: P, c: P| (b - a).cross(c - a);
    (0..n).all(|i| {
        let (a, b) = (ring[i], ring[(i + 1) % n]);
        (i + 2..n).filter(|j| (j + 1) % n != i).all(|j| {
            let (c, d) = (ring[j], ring[(j + 1) % n]);
            side(a, b, c) * side(a, b, d) > 0.0 || side(c, d, a) * side(c, d, b) > 0.0
        })
    })
}

/// What an edge faces: a road's number, or [`NONE`].
pub(crate) type Tag = u32;

/// An edge that faces no road: a neighbour's lot, water.
pub(crate) const NONE: Tag = u32::MAX;

/// A counter-clockwise convex polygon; `tag[i]` belongs to the edge from `v[i]` to the next.
#[derive(Clone, Debug)]
pub(crate) struct Convex {
    pub(crate) v: Vec<P>,
    pub(crate) tag: Vec<Tag>,
}

impl Convex {
    pub(crate) fn new(v: Vec<P>, tag: Vec<Tag>) -> Self {
        debug_assert_eq!(v.len(), tag.len());
        Self { v, tag }
    }

    /// The area in m².
    pub(crate) fn area(&self) -> f64 {
        ring_area2(&self.v) / 2.0
    }

    pub(crate) fn centroid(&self) -> P {
        ring_centroid(&self.v)
    }

    /// The range of `n · p` over the polygon.
    pub(crate) fn extent(&self, n: P) -> (f64, f64) {
        self.v.iter().map(|v| v.dot(n)).fold((f64::MAX, f64::MIN), |(low, high), d| (low.min(d), high.max(d)))
    }

    /// Edges as (from, to, tag).
    pub(crate) fn edges(&self) -> impl Iterator<Item = (P, P, Tag)> + '_ {
        let n = self.v.len();
        (0..n).map(move |i| (self.v[i], self.v[(i + 1) % n], self.tag[i]))
    }

    /// What lies where `n · p <= c`; the new edge gets `tag`. Both sides of one cut get the same
    /// corners bit by bit, so that neighbours meet without a gap.
    pub(crate) fn clip(&self, n: P, c: f64, tag: Tag) -> Option<Convex> {
        let sides: Vec<f64> = self
            .v
            .iter()
            .map(|v| {
                let d = v.dot(n) - c;
                if d.abs() < 1e-5 { 0.0 } else { d }
            })
            .collect();
        if sides.iter().all(|d| *d <= 0.0) {
            return Some(self.clone());
        }
        let count = self.v.len();
        let mut out = Convex { v: Vec::with_capacity(count + 1), tag: Vec::with_capacity(count + 1) };
        for i in 0..count {
            let j = (i + 1) % count;
            let (di, dj) = (sides[i], sides[j]);
            let meet = || self.v[i] + (self.v[j] - self.v[i]) * (di / (di - dj));
            if di <= 0.0 {
                out.v.push(self.v[i]);
                if dj > 0.0 {
                    if di < 0.0 {
                        out.tag.push(self.tag[i]);
                        out.v.push(meet());
                    }
                    out.tag.push(tag);
                } else {
                    out.tag.push(self.tag[i]);
                }
            } else if dj < 0.0 {
                out.v.push(meet());
                out.tag.push(self.tag[i]);
            }
        }
        (out.v.len() >= 3 && out.area() > 1e-3).then_some(out)
    }

    /// The two sides of a cut with a strip of half width `half` left out between them.
    pub(crate) fn split(&self, n: P, c: f64, half: f64, tag: Tag) -> (Option<Convex>, Option<Convex>) {
        (self.clip(n, c - half, tag), self.clip(n * -1.0, -(c + half), tag))
    }

    /// The direction of the long side of the smallest rectangle around the polygon, with the
    /// rectangle's length and width, metres.
    pub(crate) fn main_axis(&self) -> (P, f64, f64) {
        let mut best = (p(1.0, 0.0), f64::MAX, 1.0, 1.0);
        for (a, b, _) in self.edges() {
            if (b - a).len() < 1.0 {
                continue;
            }
            let along = (b - a).unit();
            let (low, high) = self.extent(along);
            let (left, right) = self.extent(along.left());
            let (length, width) = (high - low, right - left);
            if length * width < best.1 - 1e-6 {
                best = if length >= width {
                    (along, length * width, length, width)
                } else {
                    (along.left(), length * width, width, length)
                };
            }
        }
        (best.0, best.2, best.3)
    }

    /// Where the line `n · p = c` enters and leaves the polygon, each with the edge's number.
    pub(crate) fn chord(&self, n: P, c: f64) -> Option<[(P, usize); 2]> {
        let mut found: Vec<(P, usize)> = Vec::with_capacity(2);
        for (i, (a, b, _)) in self.edges().enumerate() {
            let (da, db) = (a.dot(n) - c, b.dot(n) - c);
            if (da < 0.0) != (db < 0.0) {
                found.push((a + (b - a) * (da / (da - db)), i));
            }
        }
        match found[..] {
            [a, b] => Some([a, b]),
            _ => None,
        }
    }

    /// The polygon moved inwards, each edge by its own distance.
    pub(crate) fn inset(&self, distance: impl Fn(Tag) -> f64) -> Option<Convex> {
        let mut out = self.clone();
        for (a, b, tag) in self.edges() {
            let outward = (b - a).unit().left() * -1.0;
            out = out.clip(outward, a.dot(outward) - distance(tag), tag)?;
        }
        Some(out)
    }

    /// Whether every corner turns left.
    pub(crate) fn is_convex(&self) -> bool {
        let n = self.v.len();
        (0..n).all(|i| {
            let (a, b, c) = (self.v[i], self.v[(i + 1) % n], self.v[(i + 2) % n]);
            (b - a).cross(c - b) > 0.0
        })
    }
}

/// Points along a straight line, no further apart than `step` metres, ends included.
pub(crate) fn along(a: P, b: P, step: f64) -> Vec<P> {
    let parts = ((b - a).len() / step).ceil().max(1.0) as usize;
    (0..=parts).map(|i| if i == parts { b } else { a + (b - a) * (i as f64 / parts as f64) }).collect()
}

/// A ring with points added so that no edge is longer than `step` metres.
pub(crate) fn dense_ring(ring: &[P], step: f64) -> Vec<P> {
    let n = ring.len();
    (0..n)
        .flat_map(|i| {
            let mut points = along(ring[i], ring[(i + 1) % n], step);
            points.pop();
            points
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Convex {
        Convex::new(vec![p(0., 0.), p(10., 0.), p(10., 10.), p(0., 10.)], vec![0, 1, 2, 3])
    }

    #[test]
    fn a_cut_keeps_the_area_and_names_the_new_edge() {
        let n = p(1.0, 0.3).unit();
        let (left, right) = square().split(n, 4.0, 0.0, 9);
        let (left, right) = (left.unwrap(), right.unwrap());
        assert!((left.area() + right.area() - 100.0).abs() < 1e-9);
        assert!(left.is_convex() && right.is_convex());
        for side in [&left, &right] {
            assert_eq!(side.tag.iter().filter(|tag| **tag == 9).count(), 1);
        }
        let shared = left.v.iter().filter(|v| right.v.contains(v)).count();
        assert_eq!(shared, 2, "both sides have the cut's ends bit by bit");
    }

    #[test]
    fn a_cut_through_a_corner_leaves_no_sliver() {
        let n = p(1.0, -1.0).unit();
        let (left, right) = square().split(n, 0.0, 0.0, 9);
        assert_eq!(left.unwrap().v.len(), 3);
        assert_eq!(right.unwrap().v.len(), 3);
    }

    #[test]
    fn a_bow_tie_is_not_simple() {
        assert!(is_simple(&square().v));
        assert!(!is_simple(&[p(0., 0.), p(10., 10.), p(10., 0.), p(0., 10.)]));
    }

    #[test]
    fn insets_follow_their_edges() {
        let inner = square().inset(|tag| if tag == 0 { 3.0 } else { 1.0 }).unwrap();
        assert!((inner.area() - 8.0 * 6.0).abs() < 1e-9);
    }
}
