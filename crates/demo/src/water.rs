//! The river and the canals: centre lines with a width, and how they cut land.

use std::collections::{HashMap, HashSet};

use crate::{
    dice::Dice,
    geom::{Convex, NONE, P, p},
};

/// A watercourse in the plan's frame.
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) river: bool,
    /// Centre points about [`STEP`] metres apart, in the direction of flow.
    pub(crate) points: Vec<P>,
    /// To the left of the flow, at each point.
    pub(crate) normals: Vec<P>,
    /// Half the width at each point, metres.
    pub(crate) half: Vec<f64>,
}

const STEP: f64 = 20.0;
const GRID: f64 = 200.0;
/// Land between the water's edge and the nearest lot, metres.
const BANK: f64 = 5.0;

/// All watercourses, found by place.
pub(crate) struct Water {
    pub(crate) courses: Vec<Course>,
    grid: HashMap<(i32, i32), Vec<(u16, u32)>>,
}

const CANALS: [&str; 14] = [
    "Kênh Bến Nghé – Tàu Hủ",
    "Rạch Thị Nghè",
    "Kênh Tẻ",
    "Rạch Lò Gốm",
    "Kênh Tham Lương",
    "Rạch Xuyên Tâm",
    "Kênh Đôi",
    "Rạch Gò Dưa",
    "Rạch Ông Lớn",
    "Kênh Xáng",
    "Rạch Bà Tiếng",
    "Kênh Thầy Cai",
    "Rạch Tra",
    "Kênh An Hạ",
];

impl Course {
    fn new(name: &'static str, river: bool, points: Vec<P>, half: impl Fn(f64) -> f64) -> Self {
        let n = points.len();
        let normals = (0..n)
            .map(|i| (points[(i + 1).min(n - 1)] - points[i.saturating_sub(1)]).unit().left())
            .collect();
        let half = (0..n).map(|i| half(i as f64 / (n - 1).max(1) as f64)).collect();
        Self { name, river, points, normals, half }
    }

    /// Both banks at a sample, left first.
    pub(crate) fn banks(&self, i: usize) -> (P, P) {
        let reach = self.normals[i] * self.half[i];
        (self.points[i] + reach, self.points[i] - reach)
    }
}

impl Water {
    /// The river east of the centre, and canals over a built-up area of the given radius, metres.
    pub(crate) fn new(seed: u64, radius: f64) -> Self {
        let mut dice = Dice::new(seed, 3, 0);
        let river = river(&mut dice);
        let mut courses = Vec::new();
        let count = (4.0 + radius / 1_300.0).min(14.0) as usize;
        for (i, name) in CANALS.into_iter().take(count).enumerate() {
            if let Some(canal) = canal(&mut dice, name, i, &river, radius) {
                courses.push(canal);
            }
        }
        courses.insert(0, river);
        let mut water = Self { courses, grid: HashMap::new() };
        for (c, course) in water.courses.iter().enumerate() {
            for i in 0..course.points.len() {
                let (at, reach) = (course.points[i], course.half[i] + BANK + STEP);
                for key in cells(at.x - reach, at.y - reach, at.x + reach, at.y + reach) {
                    water.grid.entry(key).or_default().push((c as u16, i as u32));
                }
            }
        }
        water
    }

    /// Whether a point is in water, or within `margin` metres of it (at most 15): `Some(true)` for the river,
    /// `Some(false)` for a canal.
    pub(crate) fn at(&self, point: P, margin: f64) -> Option<bool> {
        let key = ((point.x / GRID).floor() as i32, (point.y / GRID).floor() as i32);
        self.grid.get(&key)?.iter().find_map(|&(c, i)| {
            let course = &self.courses[usize::from(c)];
            let i = i as usize;
            let away = point - course.points[i];
            let ahead = course.normals[i].left() * -1.0;
            (away.dot(ahead).abs() <= STEP * 0.75
                && away.dot(course.normals[i]).abs() <= course.half[i] + margin)
                .then_some(course.river)
        })
    }

    /// The samples whose cross-section comes near a polygon, by course.
    fn near(&self, polygon: &Convex) -> Vec<(usize, Vec<usize>)> {
        let (x0, x1) = polygon.extent(p(1.0, 0.0));
        let (y0, y1) = polygon.extent(p(0.0, 1.0));
        let mut seen = HashSet::new();
        let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
        for key in cells(x0, y0, x1, y1) {
            for &(c, i) in self.grid.get(&key).into_iter().flatten() {
                let (course, i) = (&self.courses[usize::from(c)], i as usize);
                let (a, b) = course.banks(i);
                let margin = STEP * 0.6 + BANK;
                let apart = a.x.max(b.x) + margin < x0
                    || a.x.min(b.x) - margin > x1
                    || a.y.max(b.y) + margin < y0
                    || a.y.min(b.y) - margin > y1;
                if apart || !seen.insert((c, i)) {
                    continue;
                }
                match found.iter_mut().find(|(course, _)| *course == usize::from(c)) {
                    Some((_, samples)) => samples.push(i),
                    None => found.push((usize::from(c), vec![i])),
                }
            }
        }
        for (_, samples) in &mut found {
            samples.sort_unstable();
        }
        found.sort_unstable_by_key(|(course, _)| *course);
        found
    }

    /// The dry parts of a polygon, each convex. Water is never in them; a strip of bank may be left out.
    pub(crate) fn dry(&self, polygon: Convex) -> Vec<Convex> {
        let mut out = Vec::new();
        self.cut(polygon, &mut out, 0);
        out
    }

    fn cut(&self, polygon: Convex, out: &mut Vec<Convex>, depth: u32) {
        let near = self.near(&polygon);
        let Some((course, samples)) = near.first() else {
            out.push(polygon);
            return;
        };
        let (axis, length, _) = polygon.main_axis();
        if length > 90.0 && depth < 8 {
            // Small pieces follow a bend; one straight cut through a large one would not.
            let (low, high) = polygon.extent(axis);
            let (left, right) = polygon.split(axis, f64::midpoint(low, high), 0.0, NONE);
            for half in [left, right].into_iter().flatten() {
                self.cut(half, out, depth + 1);
            }
            return;
        }
        let course = &self.courses[*course];
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let n = if last > first {
            (course.points[last] - course.points[first]).unit().left()
        } else {
            course.normals[first]
        };
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for &i in samples {
            let (a, b) = course.banks(i);
            low = low.min(a.dot(n)).min(b.dot(n));
            high = high.max(a.dot(n)).max(b.dot(n));
        }
        let sides = [polygon.clip(n, low - BANK, NONE), polygon.clip(n * -1.0, -(high + BANK), NONE)];
        for side in sides.into_iter().flatten() {
            let (_, length, width) = side.main_axis();
            if width < 7.0 || length * width < 80.0 {
                continue;
            }
            if near.len() > 1 { self.cut_rest(side, &near[1..], out) } else { out.push(side) }
        }
    }

    /// Drops pieces that contain a second watercourse, so that the mouth of a canal stays open.
    fn cut_rest(&self, piece: Convex, rest: &[(usize, Vec<usize>)], out: &mut Vec<Convex>) {
        let centre = piece.centroid();
        let (_, length, _) = piece.main_axis();
        let wet = rest.iter().any(|(c, samples)| {
            let course = &self.courses[*c];
            samples
                .iter()
                .any(|&i| (course.points[i] - centre).len() < course.half[i] + BANK + length / 2.0 + STEP)
        });
        if !wet {
            out.push(piece);
        }
    }
}

fn cells(x0: f64, y0: f64, x1: f64, y1: f64) -> impl Iterator<Item = (i32, i32)> {
    let index = |value: f64| (value / GRID).floor() as i32;
    let (i0, i1, j0, j1) = (index(x0), index(x1), index(y0), index(y1));
    (i0..=i1).flat_map(move |i| (j0..=j1).map(move |j| (i, j)))
}

/// A line through `anchors`, smooth (Catmull–Rom), with points about [`STEP`] metres apart.
fn smooth(anchors: &[P]) -> Vec<P> {
    let n = anchors.len();
    let mut points = Vec::new();
    for i in 0..n.saturating_sub(1) {
        let (a, b, c, d) =
            (anchors[i.saturating_sub(1)], anchors[i], anchors[i + 1], anchors[(i + 2).min(n - 1)]);
        let parts = ((c - b).len() / STEP).ceil().max(1.0) as usize;
        for k in 0..parts {
            let t = k as f64 / parts as f64;
            let (t2, t3) = (t * t, t * t * t);
            let sum = b * 2.0
                + (c - a) * t
                + (a * 2.0 - b * 5.0 + c * 4.0 - d) * t2
                + (b * 3.0 - a - c * 3.0 + d) * t3;
            points.push(sum * 0.5);
        }
    }
    points.extend(anchors.last());
    points
}

fn river(dice: &mut Dice) -> Course {
    // From the hills in the north, round the centre, to the sea in the south-east.
    let shift = dice.range(-150.0, 150.0);
    let mut spine =
        vec![p(-9_000.0, 62_000.0), p(-14_000.0, 45_000.0), p(-5_000.0, 30_000.0), p(1_500.0, 18_000.0)];
    spine.extend([
        p(2_000.0, 10_000.0),
        p(2_600.0, 5_500.0),
        p(1_250.0 + shift, 1_200.0),
        p(1_750.0 + shift, -2_000.0),
    ]);
    spine.extend([
        p(4_500.0, -5_500.0),
        p(7_500.0, -12_000.0),
        p(9_000.0, -22_000.0),
        p(14_000.0, -34_000.0),
    ]);
    spine.extend([p(18_000.0, -46_000.0), p(24_000.0, -58_000.0)]);
    let spine = smooth(&spine);
    let phase = dice.range(0.0, std::f64::consts::TAU);
    let second = dice.range(0.0, std::f64::consts::TAU);
    let n = spine.len();
    let mut at = 0.0;
    let mut anchors = Vec::new();
    for i in (0..n).step_by(12) {
        let normal = (spine[(i + 1).min(n - 1)] - spine[i.saturating_sub(1)]).unit().left();
        if i > 0 {
            at += (spine[i] - spine[i - 12]).len();
        }
        // Meanders die down beside the centre, where the quays are.
        let calm = (spine[i].len() / 3_500.0).min(1.0);
        let wave = (at / 4_700.0 * std::f64::consts::TAU + phase).sin() * 820.0
            + (at / 2_900.0 * std::f64::consts::TAU + second).sin() * 190.0;
        anchors.push(spine[i] + normal * (wave * (0.12 + 0.88 * calm)));
    }
    Course::new("Sông Sài Gòn", true, smooth(&anchors), |t| 75.0 + 90.0 * t + 420.0 * (t - 0.62).max(0.0))
}

fn canal(dice: &mut Dice, name: &'static str, i: usize, river: &Course, radius: f64) -> Option<Course> {
    // The first two frame the centre; the others leave the river wherever there is city.
    let (at_y, heading, length, half) = match i {
        0 => (-700.0, 3.35, 0.95 * radius.max(4_000.0), 26.0),
        1 => (1_900.0, 2.75, 0.75 * radius.max(4_000.0), 18.0),
        _ => {
            let y = dice.range(-0.9, 0.9) * radius;
            let west = dice.chance(0.62);
            let heading = if west { dice.range(2.4, 3.9) } else { dice.range(-0.7, 0.7) };
            (y, heading, dice.range(0.35, 0.9) * radius.max(3_000.0), dice.range(6.0, 17.0))
        }
    };
    let start = river.points.iter().position(|point| point.y < at_y)?;
    let mut at = river.points[start];
    let mut angle: f64 = heading;
    let mut turn = 0.0;
    let mut anchors = vec![at];
    let reach = length / 180.0;
    for step in 0..reach as usize {
        turn = turn * 0.72 + dice.range(-0.2, 0.2);
        angle += turn - (angle - heading) * 0.08;
        at = at + p(1.0, 0.0).turned(angle) * 180.0;
        // The old centre has only the canals that frame it.
        if i > 1 && at.len() < 2_200.0 {
            break;
        }
        // A canal that comes back to the river ends.
        if step > 4 && river.points.iter().step_by(4).any(|point| (*point - at).len() < 420.0) {
            break;
        }
        anchors.push(at);
    }
    (anchors.len() > 5).then(|| Course::new(name, false, smooth(&anchors), move |t| half * (1.15 - 0.6 * t)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_dry_is_dry() {
        let water = Water::new(5, 6_000.0);
        let mut dice = Dice::new(5, 50, 0);
        let (mut cut, mut checked) = (0, 0);
        for _ in 0..4_000 {
            let at = p(dice.range(-5e3, 5e3), dice.range(-5e3, 5e3));
            let (w, h) = (dice.range(30.0, 300.0), dice.range(30.0, 300.0));
            let corners = vec![at, at + p(w, 0.0), at + p(w, h), at + p(0.0, h)];
            let pieces = water.dry(Convex::new(corners, vec![0, 1, 2, 3]));
            cut += usize::from(pieces.len() != 1);
            for piece in pieces {
                for (a, b, _) in piece.edges() {
                    for t in [0.0, 0.25, 0.5, 0.75] {
                        checked += 1;
                        assert_eq!(water.at(a + (b - a) * t, 0.0), None, "wet lot at {at:?}");
                    }
                }
            }
        }
        assert!(cut > 100 && checked > 10_000);
    }
}
