//! Lines that run over themselves: each place counts once, as in PostGIS, which dissolves what it intersects.

/// A stretch of a line from one vertex to the next.
#[derive(Clone, Copy)]
struct Step {
    from: [f64; 2],
    to: [f64; 2],
}

impl Step {
    fn at(&self, t: f64) -> [f64; 2] {
        match t {
            0.0 => self.from,
            1.0 => self.to,
            t => [0, 1].map(|axis| self.from[axis] + t * (self.to[axis] - self.from[axis])),
        }
    }

    fn range(&self, axis: usize) -> [f64; 2] {
        let (a, b) = (self.from[axis], self.to[axis]);
        [a.min(b), a.max(b)]
    }

    /// Squared length, and the position of a point along the step as a fraction of it.
    fn project(&self, p: [f64; 2]) -> (f64, f64) {
        let [ux, uy] = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let square = ux * ux + uy * uy;
        (square, ((p[0] - self.from[0]) * ux + (p[1] - self.from[1]) * uy) / square)
    }

    fn squared_distance(&self, p: [f64; 2]) -> f64 {
        let (square, t) = self.project(p);
        let near = if square > 0.0 { self.at(t.clamp(0.0, 1.0)) } else { self.from };
        (p[0] - near[0]).powi(2) + (p[1] - near[1]).powi(2)
    }

    /// The fractions of this step between which the other lies on it, within the tolerance.
    fn covered_by(&self, other: &Self, tolerance: f64) -> Option<[f64; 2]> {
        let (square, a) = self.project(other.from);
        let (_, b) = self.project(other.to);
        let (from, to) = (a.min(b).max(0.0), a.max(b).min(1.0));
        let is_long = (to - from) * square.sqrt() > 2.0 * tolerance;
        let is_near = |t: f64| other.squared_distance(self.at(t)) <= tolerance * tolerance;
        (square > 0.0 && is_long && is_near(from) && is_near(to)).then_some([from, to])
    }
}

/// The lines without what they run over a second time; `None` if they run over every place once. A line that
/// loses a part in its middle becomes two.
///
/// # Performance
/// O(n log n + p) for n steps of which p pairs have eastings in common.
pub(crate) fn once(lines: &[&[[f64; 2]]], tolerance: f64) -> Option<Vec<Vec<[f64; 2]>>> {
    let steps: Vec<Step> = lines
        .iter()
        .flat_map(|line| line.windows(2).map(|pair| Step { from: pair[0], to: pair[1] }))
        .collect();
    let covered = covered(&steps, tolerance)?;
    let mut out: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut next = 0;
    for line in lines {
        // Whether the last line given ends where the next step begins.
        let mut joined = false;
        for _ in 0..line.len().saturating_sub(1) {
            let (step, covered) = (&steps[next], &covered[next]);
            next += 1;
            let mut from = 0.0;
            for &[start, end] in covered.iter().chain([&[1.0, 1.0]]) {
                if start > from {
                    match out.last_mut() {
                        Some(open) if joined && from == 0.0 => open.push(step.at(start)),
                        _ => out.push(vec![step.at(from), step.at(start)]),
                    }
                    joined = start == 1.0;
                }
                from = end.max(from);
            }
            joined &= covered.iter().all(|part| part[1] < 1.0);
        }
    }
    Some(out)
}

/// For each step the parts that earlier steps cover, in order; `None` if none is covered.
fn covered(steps: &[Step], tolerance: f64) -> Option<Vec<Vec<[f64; 2]>>> {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_unstable_by(|&a, &b| steps[a].range(0)[0].total_cmp(&steps[b].range(0)[0]));
    let mut found: Option<Vec<Vec<[f64; 2]>>> = None;
    for (position, &one) in order.iter().enumerate() {
        let [_, east] = steps[one].range(0);
        let [south, north] = steps[one].range(1);
        for &other in &order[position + 1..] {
            if steps[other].range(0)[0] > east + tolerance {
                break;
            }
            let [low, high] = steps[other].range(1);
            if low > north + tolerance || high < south - tolerance {
                continue;
            }
            let (first, second) = (one.min(other), one.max(other));
            if let Some(part) = steps[second].covered_by(&steps[first], tolerance) {
                found.get_or_insert_with(|| vec![Vec::new(); steps.len()])[second].push(part);
            }
        }
    }
    if let Some(parts) = &mut found {
        for covered in parts {
            covered.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(lines: &[Vec<[f64; 2]>]) -> f64 {
        let steps = lines.iter().flat_map(|line| line.windows(2));
        steps.map(|step| (step[1][0] - step[0][0]).hypot(step[1][1] - step[0][1])).sum()
    }

    #[test]
    fn a_line_that_turns_back_counts_once() {
        let there_and_back = [[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [10.0, 0.0], [4.0, 0.0], [4.0, 3.0]];
        let once = once(&[&there_and_back], 1e-6).unwrap();
        assert_eq!(length(&once), 18.0);
        assert_eq!(once.len(), 2);
    }

    #[test]
    fn parts_of_two_lines_that_run_together_count_once() {
        let (a, b) = ([[0.0, 0.0], [10.0, 10.0]], [[12.0, 12.0], [5.0, 5.0], [5.0, 0.0]]);
        let once = once(&[&a, &b], 1e-6).unwrap();
        assert!((length(&once) - (12.0 * 2.0_f64.sqrt() + 5.0)).abs() < 1e-9, "{once:?}");
    }

    #[test]
    fn lines_that_cross_touch_or_close_stay_as_they_are() {
        let ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0], [0.0, 0.0]];
        let cross = [[-1.0, 2.0], [4.0, 2.0]];
        assert!(once(&[&ring, &cross], 1e-6).is_none());
    }
}
