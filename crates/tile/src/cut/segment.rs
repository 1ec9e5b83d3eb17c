//! The exact relation of two segments.

use super::{grid::TilePoint, rings::turn};

/// What two segments have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// They share no point.
    Apart,
    /// They share one point, which is an end of at least one of them.
    Touch,
    /// They share a point inside both, or more than one point.
    Cross,
}

/// How the segments `a`–`b` and `c`–`d` meet.
pub(crate) fn meeting(a: TilePoint, b: TilePoint, c: TilePoint, d: TilePoint) -> Meeting {
    let [abc, abd] = [turn(a, b, c).signum(), turn(a, b, d).signum()];
    if abc == abd && abc != 0 {
        return Meeting::Apart;
    }
    let [cda, cdb] = [turn(c, d, a).signum(), turn(c, d, b).signum()];
    if cda == cdb && cda != 0 {
        return Meeting::Apart;
    }
    if abc == 0 && abd == 0 {
        // All on one line, where points are ordered by x, then y.
        let start = a.min(b).max(c.min(d));
        let end = a.max(b).min(c.max(d));
        return match start.cmp(&end) {
            std::cmp::Ordering::Less => Meeting::Cross,
            std::cmp::Ordering::Equal => Meeting::Touch,
            std::cmp::Ordering::Greater => Meeting::Apart,
        };
    }
    // The ends of each segment are on different sides of the other, or on it.
    if abc * abd == 0 || cda * cdb == 0 { Meeting::Touch } else { Meeting::Cross }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_meet() {
        let (a, b) = ([0, 0], [10, 0]);
        for (c, d, expected) in [
            ([5, -5], [5, 5], Meeting::Cross),
            ([5, 0], [5, 5], Meeting::Touch),
            ([10, 0], [15, 5], Meeting::Touch),
            ([10, 0], [15, 0], Meeting::Touch),
            ([9, 0], [15, 0], Meeting::Cross),
            ([2, 0], [4, 0], Meeting::Cross),
            ([11, 0], [15, 0], Meeting::Apart),
            ([11, -1], [11, 1], Meeting::Apart),
            ([0, 1], [10, 1], Meeting::Apart),
            ([11, -3], [10, 5], Meeting::Apart),
        ] {
            assert_eq!(meeting(a, b, c, d), expected, "{c:?} {d:?}");
            assert_eq!(meeting(d, c, b, a), expected, "{c:?} {d:?}");
        }
    }
}
