//! Whether rings meet, in O(n log n): the sweep of Shamos and Hoey (1976) with exact predicates.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
};

use geo::{GeoNum, Kernel, Line, LineIntersection, Orientation, line_intersection::line_intersection};
use geo_types::{Coord, LineString};

use crate::FaultLocation;

type Exact = <f64 as GeoNum>::Ker;

/// What a sweep over all segments of some rings finds first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meeting {
    /// No ring shares a position with itself, other than where one segment ends and the next begins, or with
    /// another ring.
    Nowhere,
    /// A ring meets itself here.
    Itself(FaultLocation),
    /// Two rings share a position.
    Others,
    /// A ring has fewer than three different positions, or a coordinate that is not finite.
    Degenerate,
}

/// A segment with its ends in the order of the sweep: by x, then by y.
#[derive(Clone, Copy, Debug)]
struct Segment {
    left: Coord,
    right: Coord,
    ring: usize,
    /// The number of the segment among all segments.
    index: usize,
    /// The numbers of the segments before and after it in its ring.
    neighbours: [usize; 2],
}

/// Finds out whether `rings`, whose coordinates are of one system, meet themselves or each other. A ring is
/// closed whether or not its last position repeats the first.
///
/// # Performance
/// O(n log n) in the number of segments. The sweep ends at the first meeting.
pub(crate) fn first_meeting(rings: &[&LineString]) -> Meeting {
    let Some(segments) = segments(rings) else { return Meeting::Degenerate };
    if let Some(meeting) = repeated_position(&segments) {
        return meeting;
    }
    // Where one segment ends and another begins, the one that ends leaves first.
    let mut events: Vec<(Coord, bool, usize)> = segments
        .iter()
        .flat_map(|segment| [(segment.left, true, segment.index), (segment.right, false, segment.index)])
        .collect();
    events.sort_by(|a, b| by_position(a.0, b.0).then(a.1.cmp(&b.1)));
    let mut active = BTreeSet::new();
    for (_, begins, index) in events {
        let segment = Active(segments[index]);
        if !begins {
            active.remove(&segment);
        }
        let below = active.range((Unbounded, Excluded(segment))).next_back();
        let above = active.range((Excluded(segment), Unbounded)).next();
        let pairs = if begins {
            [below.zip(Some(&segment)), above.zip(Some(&segment))]
        } else {
            [below.zip(above), None]
        };
        if let Some((a, b)) = pairs.into_iter().flatten().find(|(a, b)| meet(&a.0, &b.0)) {
            return meeting_of(&a.0, &b.0);
        }
        if begins {
            active.insert(segment);
        }
    }
    Meeting::Nowhere
}

/// The segments of all rings that have a length; `None` if a ring has none or is not finite.
fn segments(rings: &[&LineString]) -> Option<Vec<Segment>> {
    let mut segments = Vec::with_capacity(rings.iter().map(|ring| ring.0.len()).sum());
    for (ring, line) in rings.iter().enumerate() {
        // Adding 0 turns -0 into 0, which is the same position and another value of `total_cmp`.
        let mut corners: Vec<Coord> =
            line.0.iter().map(|at| Coord { x: at.x + 0.0, y: at.y + 0.0 }).collect();
        corners.dedup();
        while corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        if corners.len() < 3 || corners.iter().any(|at| !at.x.is_finite() || !at.y.is_finite()) {
            return None;
        }
        let (first, count) = (segments.len(), corners.len());
        for (i, start) in corners.iter().enumerate() {
            let end = corners[(i + 1) % count];
            let (left, right) = if by_position(*start, end).is_lt() { (*start, end) } else { (end, *start) };
            let neighbours = [first + (i + count - 1) % count, first + (i + 1) % count];
            segments.push(Segment { left, right, ring, index: first + i, neighbours });
        }
    }
    Some(segments)
}

/// Two corners at the same position. A corner is an end of exactly two segments, which are neighbours.
fn repeated_position(segments: &[Segment]) -> Option<Meeting> {
    let mut ends: Vec<(Coord, usize)> = segments
        .iter()
        .flat_map(|segment| [(segment.left, segment.index), (segment.right, segment.index)])
        .collect();
    ends.sort_by(|a, b| by_position(a.0, b.0));
    let third = ends.windows(3).find(|run| run[0].0 == run[2].0)?;
    let ring = |end: &(Coord, usize)| segments[end.1].ring;
    if third.iter().any(|end| ring(end) != ring(&third[0])) {
        return Some(Meeting::Others);
    }
    Some(Meeting::Itself([third[0].0.x, third[0].0.y]))
}

fn meeting_of(a: &Segment, b: &Segment) -> Meeting {
    if a.ring != b.ring {
        return Meeting::Others;
    }
    let at = match line_intersection(Line::new(a.left, a.right), Line::new(b.left, b.right)) {
        Some(LineIntersection::SinglePoint { intersection, .. }) => intersection,
        Some(LineIntersection::Collinear { intersection }) => intersection.start,
        None => b.left,
    };
    Meeting::Itself([at.x, at.y])
}

/// Whether two segments share a position, or for neighbours in a ring: more than their common end.
fn meet(a: &Segment, b: &Segment) -> bool {
    let side = |segment: &Segment, at| Exact::orient2d(segment.left, segment.right, at);
    let sides = [side(a, b.left), side(a, b.right), side(b, a.left), side(b, a.right)];
    if sides.iter().all(|side| *side == Orientation::Collinear) {
        // On one line the order along the line is that of the sweep.
        let overlap =
            |from: Ordering| if a.neighbours.contains(&b.index) { from.is_lt() } else { from.is_le() };
        return overlap(by_position(a.left, b.right)) && overlap(by_position(b.left, a.right));
    }
    if a.neighbours.contains(&b.index) {
        return false;
    }
    sides[0] != sides[1] && sides[2] != sides[3]
}

fn by_position(a: Coord, b: Coord) -> Ordering {
    a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
}

/// A segment that crosses the sweep line, ordered from below to above. The order is defined as long as no two
/// segments of the set cross.
#[derive(Clone, Copy, Debug)]
struct Active(Segment);

impl Ord for Active {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.0, &other.0);
        if a.index == b.index {
            return Ordering::Equal;
        }
        if by_position(b.left, a.left).is_lt() {
            return other.cmp(self).reverse();
        }
        let side = |at| Exact::orient2d(a.left, a.right, at);
        match (side(b.left), side(b.right)) {
            (Orientation::CounterClockwise, _) | (Orientation::Collinear, Orientation::CounterClockwise) => {
                Ordering::Less
            }
            (Orientation::Clockwise, _) | (Orientation::Collinear, Orientation::Clockwise) => {
                Ordering::Greater
            }
            (Orientation::Collinear, Orientation::Collinear) => a.index.cmp(&b.index),
        }
    }
}

impl PartialOrd for Active {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Active {
    fn eq(&self, other: &Self) -> bool {
        self.0.index == other.0.index
    }
}

impl Eq for Active {}
