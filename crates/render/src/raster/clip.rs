//! Cuts rings and lines to a box, in pixels.

/// A box: left and top, right and bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PixelBox {
    pub(crate) low: [f64; 2],
    pub(crate) high: [f64; 2],
}

impl PixelBox {
    /// The box of a picture, grown on each side.
    pub(crate) fn of_picture(size: [u32; 2], margin: f64) -> Self {
        Self { low: [-margin; 2], high: size.map(|side| f64::from(side) + margin) }
    }

    pub(crate) fn contains(&self, point: [f64; 2]) -> bool {
        (0..2).all(|axis| self.low[axis] <= point[axis] && point[axis] <= self.high[axis])
    }

    fn contains_box(&self, low: [f64; 2], high: [f64; 2]) -> bool {
        self.contains(low) && self.contains(high)
    }

    fn misses(&self, low: [f64; 2], high: [f64; 2]) -> bool {
        (0..2).any(|axis| high[axis] < self.low[axis] || self.high[axis] < low[axis])
    }
}

/// The lowest and highest coordinates of points.
fn extent(points: &[[f64; 2]]) -> ([f64; 2], [f64; 2]) {
    let mut low = [f64::INFINITY; 2];
    let mut high = [f64::NEG_INFINITY; 2];
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    (low, high)
}

/// Cuts closed rings (Sutherland and Hodgman): where a ring leaves the box it follows the box's edge. Buffers
/// are kept from ring to ring.
#[derive(Debug, Default)]
pub(crate) struct RingClipper {
    points: Vec<[f64; 2]>,
    next: Vec<[f64; 2]>,
}

impl RingClipper {
    /// The ring inside the box, without the repeated last point; fewer than 3 points if nothing is left.
    pub(crate) fn clip(&mut self, ring: &[[f64; 2]], within: &PixelBox) -> &[[f64; 2]] {
        self.points.clear();
        let (low, high) = extent(ring);
        if ring.len() < 3 || within.misses(low, high) {
            return &[];
        }
        let open = if ring.first() == ring.last() { &ring[..ring.len() - 1] } else { ring };
        self.points.extend_from_slice(open);
        if within.contains_box(low, high) {
            return &self.points;
        }
        for axis in 0..2 {
            for (edge, above) in [(within.low[axis], true), (within.high[axis], false)] {
                let inside = |point: &[f64; 2]| if above { point[axis] >= edge } else { point[axis] <= edge };
                self.next.clear();
                let mut before = match self.points.last() {
                    Some(last) => *last,
                    None => return &[],
                };
                for &point in &self.points {
                    if inside(&point) != inside(&before) {
                        let t = (edge - before[axis]) / (point[axis] - before[axis]);
                        let mut cross = [0.0; 2];
                        cross[axis] = edge;
                        cross[1 - axis] = before[1 - axis] + t * (point[1 - axis] - before[1 - axis]);
                        self.next.push(cross);
                    }
                    if inside(&point) {
                        self.next.push(point);
                    }
                    before = point;
                }
                std::mem::swap(&mut self.points, &mut self.next);
            }
        }
        &self.points
    }
}

/// Calls `emit` with each piece of a line that is inside the box.
pub(crate) fn clip_line(line: &[[f64; 2]], within: &PixelBox, mut emit: impl FnMut(&[[f64; 2]])) {
    let (low, high) = extent(line);
    if line.len() < 2 || within.misses(low, high) {
        return;
    }
    if within.contains_box(low, high) {
        return emit(line);
    }
    let mut piece: Vec<[f64; 2]> = Vec::new();
    for pair in line.windows(2) {
        let Some([from, to]) = clip_segment(pair[0], pair[1], within) else {
            if piece.len() > 1 {
                emit(&piece);
            }
            piece.clear();
            continue;
        };
        if piece.last() != Some(&from) {
            if piece.len() > 1 {
                emit(&piece);
            }
            piece.clear();
            piece.push(from);
        }
        piece.push(to);
    }
    if piece.len() > 1 {
        emit(&piece);
    }
}

/// The part of a segment inside the box (Liang and Barsky). Ends inside stay exactly as they are.
fn clip_segment(a: [f64; 2], b: [f64; 2], within: &PixelBox) -> Option<[[f64; 2]; 2]> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for axis in 0..2 {
        let step = b[axis] - a[axis];
        if step == 0.0 {
            if a[axis] < within.low[axis] || a[axis] > within.high[axis] {
                return None;
            }
            continue;
        }
        let (t, u) = ((within.low[axis] - a[axis]) / step, (within.high[axis] - a[axis]) / step);
        enter = enter.max(t.min(u));
        leave = leave.min(t.max(u));
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| [0, 1].map(|axis| a[axis] + t * (b[axis] - a[axis]));
    let from = if enter > 0.0 { at(enter) } else { a };
    let to = if leave < 1.0 { at(leave) } else { b };
    Some([from, to])
}

/// Twice the signed area of a ring without a repeated last point; positive if it runs clockwise on the
/// screen.
pub(crate) fn doubled_area(ring: &[[f64; 2]]) -> f64 {
    let Some(&last) = ring.last() else { return 0.0 };
    let mut before = last;
    let mut sum = 0.0;
    for &point in ring {
        sum += before[0] * point[1] - point[0] * before[1];
        before = point;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: PixelBox = PixelBox { low: [0.0, 0.0], high: [10.0, 10.0] };

    fn area(ring: &[[f64; 2]]) -> f64 {
        doubled_area(RingClipper::default().clip(ring, &BOX)).abs() / 2.0
    }

    #[test]
    fn a_ring_is_cut_to_the_box() {
        let square = |a: f64, b: f64| [[a, a], [b, a], [b, b], [a, b], [a, a]];
        assert_eq!(area(&square(2.0, 4.0)), 4.0);
        assert_eq!(area(&square(5.0, 15.0)), 25.0);
        assert_eq!(area(&square(-5.0, 25.0)), 100.0);
        assert_eq!(area(&square(11.0, 12.0)), 0.0);
        assert_eq!(area(&[[5.0, -5.0], [15.0, 5.0], [5.0, 15.0], [-5.0, 5.0]]), 100.0);
        assert_eq!(area(&[[0.0, 0.0], [1.0, 1.0]]), 0.0);
    }

    #[test]
    fn a_line_is_cut_into_pieces() {
        let pieces = |line: &[[f64; 2]]| {
            let mut pieces = Vec::new();
            clip_line(line, &BOX, |piece| pieces.push(piece.to_vec()));
            pieces
        };
        assert_eq!(pieces(&[[-5.0, 5.0], [5.0, 5.0], [5.0, 15.0]]), [[[0.0, 5.0], [5.0, 5.0], [5.0, 10.0]]]);
        let twice = pieces(&[[5.0, 5.0], [5.0, -5.0], [8.0, -5.0], [8.0, 5.0]]);
        assert_eq!(twice, [[[5.0, 5.0], [5.0, 0.0]], [[8.0, 0.0], [8.0, 5.0]]]);
        assert!(pieces(&[[-5.0, 5.0], [5.0, -6.0]]).is_empty());
        assert_eq!(pieces(&[[1.0, 1.0], [2.0, 2.0]]), [[[1.0, 1.0], [2.0, 2.0]]]);
    }
}
