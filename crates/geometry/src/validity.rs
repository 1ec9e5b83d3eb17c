//! Whether a geometry is valid by the rules of OGC Simple Features (ISO 19125-1), and where it is not.

use geo::{
    BoundingRect, Contains, GeoNum, InteriorPoint, Kernel, Line, LineIntersection, Orientation, Validation,
    coordinate_position::{CoordPos, coord_pos_relative_to_ring},
    line_intersection::line_intersection,
};
use geo_types::{Coord, LineString, Polygon};

use crate::{
    FaultLocation, Geometry, GeometryFault, polygonize,
    sweep::{Meeting, first_meeting},
};

/// Checks a geometry. Points and multi-points are always valid.
///
/// # Errors
/// [`GeometryFault`] with what is wrong. Its location is the first place where a ring meets itself or another
/// ring; if there is no such place, the first position of the geometry.
///
/// # Performance
/// Usually O(n log n), see [`sweep_validity`]. Where rings share positions, which is valid if they only
/// touch, and for lines, `geo` compares every pair of segments: O(n²). The importer therefore asks GEOS where
/// a geometry is large; this function is for single edits, whose size is bounded.
///
/// # Examples
/// ```
/// use citymap_geometry::check_validity;
/// use geo_types::polygon;
///
/// let triangle = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 0.0, y: 1.0), (x: 0.0, y: 0.0)];
/// assert!(check_validity(&triangle.into()).is_ok());
/// ```
pub fn check_validity(geometry: &Geometry) -> Result<(), GeometryFault> {
    if matches!(geometry, Geometry::Point(_) | Geometry::MultiPoint(_)) {
        return Ok(());
    }
    if let Some(decided) = sweep_validity(geometry) {
        return decided;
    }
    geometry.check_validation().map_err(|error| GeometryFault {
        reason: format!("it is not valid: {error}"),
        location: locate(geometry),
    })?;
    let mut polygons = Vec::new();
    collect_polygons(geometry, &mut polygons);
    polygons.into_iter().try_for_each(check_inside)
}

/// Decides whether polygons are valid if no two of their rings share a position. `None` means that
/// [`check_validity`] must decide: rings share positions, a ring has no area, or the geometry is of another
/// kind.
///
/// # Errors
/// [`GeometryFault`] with the place where a ring meets itself, or with a corner of a hole or part that is on
/// the wrong side of another ring.
///
/// # Performance
/// O(n log n) in the number of segments, plus O(n) for each pair of rings whose bounding boxes overlap.
pub fn sweep_validity(geometry: &Geometry) -> Option<Result<(), GeometryFault>> {
    let polygons: &[Polygon] = match geometry {
        Geometry::Polygon(polygon) => std::slice::from_ref(polygon),
        Geometry::MultiPolygon(polygons) => &polygons.0,
        _ => return None,
    };
    let mut rings: Vec<&LineString> = Vec::new();
    collect_rings(geometry, &mut rings);
    if rings.is_empty() || rings.iter().any(|ring| ring.0.first() != ring.0.last()) {
        return None;
    }
    let fault = |what: &str, location: FaultLocation| {
        Some(Err(GeometryFault { reason: format!("it is not valid: {what}"), location: Some(location) }))
    };
    match first_meeting(&rings) {
        Meeting::Nowhere => {}
        Meeting::Itself(location) => return fault("a ring has a self-intersection", location),
        Meeting::Others | Meeting::Degenerate => return None,
    }
    let boxes: Vec<_> = polygons.iter().map(BoundingRect::bounding_rect).collect();
    for (index, polygon) in polygons.iter().enumerate() {
        if let Some(corner) = misplaced_hole(polygon) {
            return fault("a hole is outside of its polygon or inside another hole", [corner.x, corner.y]);
        }
        let corner = *polygon.exterior().0.first()?;
        let inside = |other: usize| {
            other != index
                && boxes[other].is_some_and(|rect| rect.contains(&corner))
                && polygons[other].contains(&corner)
        };
        if (0..polygons.len()).any(inside) {
            return fault("two of its parts overlap", [corner.x, corner.y]);
        }
    }
    Some(Ok(()))
}

/// A corner of a hole that is outside of the exterior or inside another hole, of a polygon whose rings do not
/// meet.
fn misplaced_hole(polygon: &Polygon) -> Option<Coord> {
    let holes = polygon.interiors();
    let boxes: Vec<_> = holes.iter().map(BoundingRect::bounding_rect).collect();
    let inside =
        |ring: &LineString, corner: Coord| coord_pos_relative_to_ring(corner, ring) == CoordPos::Inside;
    holes.iter().enumerate().find_map(|(index, hole)| {
        let corner = *hole.0.first()?;
        let nested = |other: usize| {
            other != index
                && boxes[other].is_some_and(|rect| rect.contains(&corner))
                && inside(&holes[other], corner)
        };
        (!inside(polygon.exterior(), corner) || (0..holes.len()).any(nested)).then_some(corner)
    })
}

/// What `geo` does not look for: rings without area, and holes that cut the inside in two.
fn check_inside(polygon: &Polygon) -> Result<(), GeometryFault> {
    let mut rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    if let Some(flat) = rings.find(|ring| is_flat(ring)) {
        let location = flat.0.first().map(|at| [at.x, at.y]);
        return Err(GeometryFault { reason: "it is not valid: a ring has no area".to_owned(), location });
    }
    if polygon.interiors().is_empty() {
        return Ok(());
    }
    let rings: Vec<LineString> =
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).cloned().collect();
    let faces = polygonize(&rings, 0.0).polygons;
    let mut inside =
        faces.iter().filter_map(InteriorPoint::interior_point).filter(|point| polygon.contains(point));
    match (inside.next(), inside.next()) {
        (_, Some(second)) => Err(GeometryFault {
            reason: "it is not valid: its holes cut its inside in two".to_owned(),
            location: Some([second.x(), second.y()]),
        }),
        _ => Ok(()),
    }
}

/// Whether all positions of a ring are on one line.
fn is_flat(ring: &LineString) -> bool {
    let Some(first) = ring.0.first() else { return false };
    let Some(second) = ring.0.iter().find(|at| *at != first) else { return true };
    let side = |at| <f64 as GeoNum>::Ker::orient2d(*first, *second, at);
    ring.0.iter().all(|at| side(*at) == Orientation::Collinear)
}

fn collect_polygons<'a>(geometry: &'a Geometry, polygons: &mut Vec<&'a Polygon>) {
    match geometry {
        Geometry::Polygon(polygon) => polygons.push(polygon),
        Geometry::MultiPolygon(many) => polygons.extend(&many.0),
        Geometry::GeometryCollection(parts) => {
            parts.0.iter().for_each(|part| collect_polygons(part, polygons));
        }
        _ => {}
    }
}

/// The first place where rings cross themselves or each other.
fn locate(geometry: &Geometry) -> Option<FaultLocation> {
    let mut rings: Vec<&LineString> = Vec::new();
    collect_rings(geometry, &mut rings);
    if let Some(location) = rings.iter().find_map(|ring| self_crossing(ring)) {
        return Some(location);
    }
    for (index, ring) in rings.iter().enumerate() {
        for other in &rings[index + 1..] {
            if let Some(location) = shared_position(ring, other) {
                return Some(location);
            }
        }
    }
    rings.first().and_then(|ring| ring.0.first()).map(|at| [at.x, at.y])
}

/// Adds the rings of polygons, and lines, in the order in which the geometry lists them.
fn collect_rings<'a>(geometry: &'a Geometry, rings: &mut Vec<&'a LineString>) {
    let mut add_polygon = |polygon: &'a Polygon| {
        rings.push(polygon.exterior());
        rings.extend(polygon.interiors());
    };
    match geometry {
        Geometry::Polygon(polygon) => add_polygon(polygon),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().for_each(add_polygon),
        Geometry::LineString(line) => rings.push(line),
        Geometry::MultiLineString(lines) => rings.extend(&lines.0),
        Geometry::GeometryCollection(parts) => parts.0.iter().for_each(|part| collect_rings(part, rings)),
        _ => {}
    }
}

/// The segments of a ring that have a length, ordered by their smallest x, each with its position in the
/// ring.
fn sorted_segments(ring: &LineString) -> Vec<(usize, Line)> {
    let mut segments: Vec<_> = ring.lines().filter(|line| line.start != line.end).enumerate().collect();
    let min_x = |line: &Line| line.start.x.min(line.end.x);
    segments.sort_by(|(_, a), (_, b)| min_x(a).total_cmp(&min_x(b)));
    segments
}

/// The first place where a ring meets itself, other than where one segment ends and the next begins.
fn self_crossing(ring: &LineString) -> Option<FaultLocation> {
    let segments = sorted_segments(ring);
    let count = segments.len();
    for (index, (i, a)) in segments.iter().enumerate() {
        let max_x = a.start.x.max(a.end.x);
        for (j, b) in &segments[index + 1..] {
            if b.start.x.min(b.end.x) > max_x {
                break;
            }
            let neighbours = i.abs_diff(*j) == 1 || i.abs_diff(*j) == count - 1;
            match line_intersection(*a, *b) {
                Some(LineIntersection::SinglePoint { intersection, .. }) if !neighbours => {
                    return Some([intersection.x, intersection.y]);
                }
                // Neighbouring segments that run back over each other are a spike.
                Some(LineIntersection::Collinear { intersection }) => {
                    return Some([intersection.start.x, intersection.start.y]);
                }
                _ => {}
            }
        }
    }
    None
}

/// A position that two rings share.
fn shared_position(one: &LineString, other: &LineString) -> Option<FaultLocation> {
    let (a, b) = (one.bounding_rect()?, other.bounding_rect()?);
    if a.min().x > b.max().x || b.min().x > a.max().x || a.min().y > b.max().y || b.min().y > a.max().y {
        return None;
    }
    one.lines().find_map(|a| {
        other.lines().find_map(|b| match line_intersection(a, b)? {
            LineIntersection::SinglePoint { intersection, .. } => Some([intersection.x, intersection.y]),
            LineIntersection::Collinear { intersection } => {
                Some([intersection.start.x, intersection.start.y])
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use geo_types::{MultiPolygon, polygon};
    use proptest::prelude::*;

    use super::*;

    /// The full check, without the sweep.
    fn by_pairs(geometry: &Geometry) -> bool {
        let mut polygons = Vec::new();
        collect_polygons(geometry, &mut polygons);
        geometry.check_validation().is_ok()
            && polygons.into_iter().all(|polygon| check_inside(polygon).is_ok())
    }

    /// Rings with corners on a small grid, so that corners repeat, touch edges and lie in line.
    fn ring(corners: std::ops::Range<usize>) -> impl Strategy<Value = LineString> {
        prop::collection::vec((0..7_u8, 0..7_u8), corners).prop_map(|corners| {
            let mut ring: LineString =
                corners.into_iter().map(|(x, y)| (f64::from(x) - 3.0, f64::from(y) - 3.0)).collect();
            ring.close();
            ring
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_sweep_decides_as_the_full_check_does(
            exterior in ring(3..8),
            holes in prop::collection::vec(ring(3..5), 0..2),
            part in prop::option::of(ring(3..5)),
        ) {
            let mut parts = vec![Polygon::new(exterior, holes)];
            parts.extend(part.map(|ring| Polygon::new(ring, vec![])));
            let geometry = Geometry::from(MultiPolygon::new(parts));
            if let Some(decided) = sweep_validity(&geometry) {
                prop_assert_eq!(decided.is_ok(), by_pairs(&geometry), "{:?}", geometry);
            }
        }

        #[test]
        fn the_sweep_decides_about_single_rings_with_area(exterior in ring(3..9)) {
            let polygon = Polygon::new(exterior, vec![]);
            let flat = is_flat(polygon.exterior());
            let geometry = Geometry::from(polygon);
            prop_assert!(flat || sweep_validity(&geometry).is_some(), "{:?}", geometry);
        }
    }

    #[test]
    fn a_star_of_many_corners_is_decided_by_the_sweep() {
        let corner = |i: u32| {
            let (angle, radius) = (
                f64::from(i) / 10_000.0 * std::f64::consts::TAU,
                if i.is_multiple_of(2) { 1.0 } else { 0.2 },
            );
            (radius * angle.cos(), radius * angle.sin())
        };
        let mut ring: LineString = (0..10_000).map(corner).collect();
        ring.close();
        let mut crossed = ring.clone();
        crossed.0.swap(4_000, 4_002);
        assert_eq!(sweep_validity(&Polygon::new(ring, vec![]).into()), Some(Ok(())));
        assert!(
            sweep_validity(&Polygon::new(crossed, vec![]).into()).is_some_and(|decided| decided.is_err())
        );
    }

    #[test]
    fn a_bow_tie_is_reported_with_the_location_of_its_knot() {
        let bow: Polygon =
            polygon![(x: 0., y: 0.), (x: 2., y: 2.), (x: 2., y: 0.), (x: 0., y: 2.), (x: 0., y: 0.)];
        let fault = check_validity(&bow.into()).unwrap_err();
        assert!(fault.reason.contains("self-intersection"), "{}", fault.reason);
        assert_eq!(fault.location, Some([1.0, 1.0]));
    }

    #[test]
    fn flat_rings_and_holes_that_cut_the_inside_are_reported() {
        let flat: Polygon = polygon![(x: 2., y: 1.), (x: 3., y: 2.), (x: 1., y: 0.), (x: 2., y: 1.)];
        assert!(check_validity(&flat.into()).is_err());
        let cut = polygon!(
            exterior: [(x: 0., y: 0.), (x: 6., y: 0.), (x: 6., y: 6.), (x: 0., y: 6.), (x: 0., y: 0.)],
            interiors: [[(x: 0., y: 5.), (x: 4., y: 5.), (x: 3., y: 6.), (x: 0., y: 5.)]]);
        let fault = check_validity(&cut.into()).unwrap_err();
        assert!(fault.reason.contains("cut its inside in two") && fault.location.is_some(), "{fault}");
        let touching = polygon!(
            exterior: [(x: 0., y: 0.), (x: 6., y: 0.), (x: 6., y: 6.), (x: 0., y: 6.), (x: 0., y: 0.)],
            interiors: [[(x: 0., y: 5.), (x: 4., y: 5.), (x: 3., y: 4.), (x: 0., y: 5.)]]);
        assert_eq!(check_validity(&touching.into()), Ok(()));
    }

    #[test]
    fn a_hole_outside_is_reported_and_a_valid_polygon_is_not() {
        let outside = polygon!(
            exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
            interiors: [[(x: 20., y: 2.), (x: 21., y: 2.), (x: 21., y: 3.), (x: 20., y: 2.)]]);
        assert!(check_validity(&outside.into()).unwrap_err().location.is_some());
        let inside = polygon!(
            exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
            interiors: [[(x: 5., y: 2.), (x: 6., y: 2.), (x: 6., y: 3.), (x: 5., y: 2.)]]);
        assert_eq!(check_validity(&inside.into()), Ok(()));
    }
}
