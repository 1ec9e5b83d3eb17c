//! The steps of a transformation: pinned pipelines for VN-2000 and WGS 84, PROJ's choice for other systems.

use crate::{
    Crs,
    vn2000::{self, HELMERT},
};

/// The datum families whose transformations are defined here and not chosen by PROJ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Vn2000,
    Wgs84,
}

impl Family {
    /// The family of a system; `None` if it is left to PROJ.
    pub(crate) fn of(crs: Crs) -> Option<Self> {
        match crs.code() {
            4326 | 3857 | 32601..=32660 | 32701..=32760 => Some(Self::Wgs84),
            4756 => Some(Self::Vn2000),
            _ => vn2000::zone(crs).map(|_| Self::Vn2000),
        }
    }
}

/// The work of one PROJ object. A transformation has at most two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Our own pipeline between two systems of the two families.
    Pinned(Crs, Crs),
    /// PROJ's choice. At least one of the systems is of neither family, and neither is VN-2000.
    Chosen(Crs, Crs),
}

/// The steps from one system to the other. A system of neither family is connected to ours through WGS 84
/// only, so that PROJ does not choose the shift to VN-2000.
pub(crate) fn steps(from: Crs, to: Crs) -> impl Iterator<Item = Step> {
    let pair = match (Family::of(from), Family::of(to)) {
        _ if from == to => [None, None],
        (Some(_), Some(_)) => [Some(Step::Pinned(from, to)), None],
        (None, None) => [Some(Step::Chosen(from, to)), None],
        (None, Some(_)) => {
            [Some(Step::Chosen(from, Crs::WGS84)), (to != Crs::WGS84).then_some(Step::Pinned(Crs::WGS84, to))]
        }
        (Some(_), None) => [
            (from != Crs::WGS84).then_some(Step::Pinned(from, Crs::WGS84)),
            Some(Step::Chosen(Crs::WGS84, to)),
        ],
    };
    pair.into_iter().flatten()
}

/// The PROJ pipeline between two systems of the two families.
pub(crate) fn pipeline(from: Crs, to: Crs) -> String {
    let shift = match (Family::of(from), Family::of(to)) {
        (Some(Family::Wgs84), Some(Family::Vn2000)) => {
            format!("+step +proj=cart +ellps=WGS84 +step +inv {HELMERT} +step +inv +proj=cart +ellps=WGS84 ")
        }
        (Some(Family::Vn2000), Some(Family::Wgs84)) => from_vn2000(),
        _ => String::new(),
    };
    let undo =
        projection(from).map_or_else(|| format!("+step {RADIANS} "), |grid| format!("+step +inv {grid} "));
    let redo = projection(to).map_or_else(|| format!("+step +inv {RADIANS}"), |grid| format!("+step {grid}"));
    format!("+proj=pipeline {undo}{shift}{redo}")
}

/// PROJ works in radians between its steps.
const RADIANS: &str = "+proj=unitconvert +xy_in=deg +xy_out=rad";

/// VN-2000 → WGS 84, as the exact inverse of WGS 84 → VN-2000.
///
/// Both directions are two-dimensional and assume height 0 above their own ellipsoid. The ellipsoids are up
/// to 40 m apart, so the plain inverse misses the start by up to 1.9 mm (1.7e-8 degrees). The first pass here
/// only finds the height at which the point would have started from 0; the second transforms it with that
/// height.
fn from_vn2000() -> String {
    let there = format!("+step +proj=cart +ellps=WGS84 +step {HELMERT} +step +inv +proj=cart +ellps=WGS84 ");
    format!(
        "+step +proj=push +v_1 +v_2 {there}+step +proj=axisswap +order=1,2,-3 \
         +step +proj=pop +v_1 +v_2 {there}"
    )
}

/// The PROJ projection from radians; `None` for geographic systems.
fn projection(crs: Crs) -> Option<String> {
    if let Some(zone) = vn2000::zone(crs) {
        return Some(format!(
            "+proj=tmerc +lat_0=0 +lon_0={} +k={} +x_0={} +y_0={} +ellps=WGS84",
            zone.central_meridian, zone.scale, zone.false_easting, zone.false_northing
        ));
    }
    Some(match crs.code() {
        3857 => "+proj=webmerc +lat_0=0 +lon_0=0 +x_0=0 +y_0=0 +ellps=WGS84".to_owned(),
        code @ 32601..=32660 => format!("+proj=utm +zone={} +ellps=WGS84", code - 32600),
        code @ 32701..=32760 => format!("+proj=utm +zone={} +south +ellps=WGS84", code - 32700),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proj_never_chooses_where_vn2000_is_concerned() {
        for from in [4326, 3857, 4756, 9210, 6957, 32648, 27700, 3148] {
            for to in [4326, 3857, 4756, 3405, 5899, 32748, 2249] {
                for step in steps(Crs(from), Crs(to)) {
                    if let Step::Chosen(a, b) = step {
                        assert_ne!(Family::of(a), Some(Family::Vn2000), "{step:?}");
                        assert_ne!(Family::of(b), Some(Family::Vn2000), "{step:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn within_vn2000_there_is_no_datum_shift() {
        assert!(!pipeline(Crs(9210), Crs(5899)).contains("helmert"));
        assert!(pipeline(Crs(9210), Crs(4326)).contains("helmert"));
    }
}
