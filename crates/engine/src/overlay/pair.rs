//! Two features: what they share, or that they only touch, or neither.

use super::{
    plane::Plane,
    shared_area::{self, Scratch, Shared},
    slabs::PreparedShape,
};

/// The relation of two features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pair {
    /// They share no point.
    Apart,
    /// They touch, or share less than the smallest measure that counts.
    Contact,
    Shares {
        area: f64,
        length: f64,
        count: u32,
        share_a: Option<f64>,
        share_b: Option<f64>,
    },
}

impl Pair {
    /// What the shapes share. Measures of at most `min_measure` count as none.
    pub(crate) fn of(a: &PreparedShape, b: &PreparedShape, min_measure: f64, scratch: &mut Scratch) -> Self {
        if !shared_area::boxes_meet(&a.planar, &b.planar, shared_area::TOUCH) {
            return Self::Apart;
        }
        let area = areas(a, b, scratch);
        let length = lengths(a, b, scratch) + lengths(b, a, scratch);
        let count = counts(a, b) + counts(b, a);
        let keep = |value: f64| if value > min_measure { value } else { 0.0 };
        let pair = Self::measured(
            [keep(area), keep(length), f64::from(count)],
            [a.planar.area, a.planar.length, a.planar.points.len() as f64],
            [b.planar.area, b.planar.length, b.planar.points.len() as f64],
        );
        match pair {
            Self::Apart if touches(a, b) => Self::Contact,
            pair => pair,
        }
    }

    /// The relation from area, length and count of what is shared and of each feature. [`Pair::Apart`] if
    /// nothing is shared.
    pub(crate) fn measured(shared: [f64; 3], a: [f64; 3], b: [f64; 3]) -> Self {
        // The dimension of the piece is the highest one in which something is shared.
        let Some(first) = shared.iter().position(|&value| value > 0.0) else { return Self::Apart };
        let of = |whole: [f64; 3]| (whole[first] > 0.0).then(|| (shared[first] / whole[first]).min(1.0));
        // A polygon is no fraction of a line that crosses it: the fraction exists only if both are measured
        // alike.
        let (share_a, share_b) = (of(a), of(b));
        Self::Shares { area: shared[0], length: shared[1], count: shared[2] as u32, share_a, share_b }
    }
}

/// The area in m² that the polygons of both share.
pub(crate) fn areas(a: &PreparedShape, b: &PreparedShape, scratch: &mut Scratch) -> f64 {
    if a.planar.edges.is_empty() || b.planar.edges.is_empty() {
        return 0.0;
    }
    let (small, large) = if a.planar.edges.len() <= b.planar.edges.len() { (a, b) } else { (b, a) };
    match shared_area::area(small, large, scratch) {
        Shared::Whole => small.planar.area,
        Shared::Nothing => 0.0,
        // Rounding must not make the shared area larger than either feature.
        Shared::Area(area) => area.min(small.planar.area).min(large.planar.area),
    }
}

/// The length in m of the first one's lines in the second one's polygons.
pub(crate) fn lengths(lines: &PreparedShape, polygons: &PreparedShape, scratch: &mut Scratch) -> f64 {
    if lines.planar.line_coords.is_empty() || polygons.planar.edges.is_empty() {
        return 0.0;
    }
    let [dx, dy] = lines.planar.shift_to(&polygons.planar);
    let moved = |[x, y]: [f64; 2]| [x + dx, y + dy];
    let steps = lines.planar.lines().flat_map(|line| line.windows(2));
    let (plane, base) = (polygons.planar.plane, polygons.planar.base);
    steps
        .map(|step| {
            let [from, to] = [moved(step[0]), moved(step[1])];
            let at = |t: f64| [0, 1].map(|axis| base[axis] + from[axis] + t * (to[axis] - from[axis]));
            let mut ground = 0.0;
            let units = shared_area::stretches(polygons, from, to, &mut scratch.cuts, |start, end| {
                if plane == Plane::Degrees {
                    ground += plane.ground_length(at(start), at(end));
                }
            });
            if plane == Plane::Degrees { ground } else { units }
        })
        .sum()
}

/// The number of the first one's points in the second one's polygons.
fn counts(points: &PreparedShape, polygons: &PreparedShape) -> u32 {
    if polygons.planar.edges.is_empty() {
        return 0;
    }
    let [dx, dy] = points.planar.shift_to(&polygons.planar);
    let inside = |point: &&[f64; 2]| shared_area::has_point(polygons, [point[0] + dx, point[1] + dy]);
    points.planar.points.iter().filter(inside).count() as u32
}

/// Whether two features that share no measure share a point.
fn touches(a: &PreparedShape, b: &PreparedShape) -> bool {
    let (small, large) = if a.planar.edges.len() <= b.planar.edges.len() { (a, b) } else { (b, a) };
    if !small.planar.edges.is_empty() && shared_area::touch(small, large) {
        return true;
    }
    // A line that ends on the edge of a polygon touches it.
    let ends = |lines: &PreparedShape, polygons: &PreparedShape| {
        let [dx, dy] = lines.planar.shift_to(&polygons.planar);
        !polygons.planar.edges.is_empty()
            && lines
                .planar
                .line_coords
                .iter()
                .any(|&[x, y]| shared_area::has_point(polygons, [x + dx, y + dy]))
    };
    ends(a, b) || ends(b, a)
}
