//! Whether a geometry is valid by the rules of OGC Simple Features (ISO 19125-1), and where it is not.

use geo::{
    BoundingRect, Contains, GeoNum, InteriorPoint, Kernel, Line, LineIntersection, Orientation, Validation,
    line_intersection::line_intersection,
};
use geo_types::{LineString, Polygon};

use crate::{FaultLocation, Geometry, GeometryFault, polygonize};

/// Checks a geometry. Points and multi-points are always valid.
///
/// # Errors
/// [`GeometryFault`] with what is wrong. Its location is the first place where a ring meets itself or another
/// ring; if there is no such place, the first position of the geometry.
///
/// # Performance
/// O(n²) in the number of segments of a ring in the worst case, because `geo` compares every pair of
/// segments: some µs for a parcel of twelve vertices, seconds for a ward of ten thousand. The importer
/// therefore asks GEOS where a geometry is large; this function is for single edits, whose size is bounded.
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
    geometry.check_validation().map_err(|error| GeometryFault {
        reason: format!("it is not valid: {error}"),
        location: locate(geometry),
    })?;
    let mut polygons = Vec::new();
    collect_polygons(geometry, &mut polygons);
    polygons.into_iter().try_for_each(check_inside)
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
    use geo_types::polygon;

    use super::*;

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
