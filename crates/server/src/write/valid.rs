//! Whether geometry is valid, and where it is not.

use citymap_model::Geometry;
use geo::{
    BoundingRect, Line, LineIntersection, LineString, Validation, line_intersection::line_intersection,
};

/// Why a geometry is invalid.
pub(crate) struct Invalid {
    pub(crate) reason: String,
    /// x and y, where one place can be named.
    pub(crate) place: Option<[f64; 2]>,
}

/// Why the geometry is invalid; `None` if it is valid. Points always are.
pub(crate) fn fault(geometry: &Geometry) -> Option<Invalid> {
    if matches!(geometry, Geometry::Point(_) | Geometry::MultiPoint(_)) {
        return None;
    }
    let error = geometry.check_validation().err()?;
    Some(Invalid { reason: format!("it is not valid: {error}"), place: place(geometry) })
}

/// Where rings cross themselves or each other: the first such place.
fn place(geometry: &Geometry) -> Option<[f64; 2]> {
    let mut rings: Vec<&LineString<f64>> = Vec::new();
    collect(geometry, &mut rings);
    if let Some(place) = rings.iter().find_map(|ring| crossing(ring)) {
        return Some(place);
    }
    for (index, one) in rings.iter().enumerate() {
        for other in &rings[index + 1..] {
            if let Some(place) = meeting(one, other) {
                return Some(place);
            }
        }
    }
    rings.first().and_then(|ring| ring.0.first()).map(|at| [at.x, at.y])
}

fn collect<'a>(geometry: &'a Geometry, rings: &mut Vec<&'a LineString<f64>>) {
    let mut polygon = |polygon: &'a geo::Polygon<f64>| {
        rings.push(polygon.exterior());
        rings.extend(polygon.interiors());
    };
    match geometry {
        Geometry::Polygon(own) => polygon(own),
        Geometry::MultiPolygon(own) => own.0.iter().for_each(polygon),
        Geometry::LineString(own) => rings.push(own),
        Geometry::MultiLineString(own) => rings.extend(&own.0),
        Geometry::GeometryCollection(own) => own.0.iter().for_each(|one| collect(one, rings)),
        _ => {}
    }
}

/// Segments of a ring by their least x, with their position in the ring.
fn segments(ring: &LineString<f64>) -> Vec<(usize, Line<f64>)> {
    let mut segments: Vec<_> = ring.lines().filter(|line| line.start != line.end).enumerate().collect();
    let least = |line: &Line<f64>| line.start.x.min(line.end.x);
    segments.sort_by(|(_, a), (_, b)| least(a).total_cmp(&least(b)));
    segments
}

/// The first place where a ring meets itself elsewhere than from one segment to the next.
fn crossing(ring: &LineString<f64>) -> Option<[f64; 2]> {
    let segments = segments(ring);
    let count = segments.len();
    for (index, (i, a)) in segments.iter().enumerate() {
        let right = a.start.x.max(a.end.x);
        for (j, b) in &segments[index + 1..] {
            if b.start.x.min(b.end.x) > right {
                break;
            }
            let next = i.abs_diff(*j) == 1 || i.abs_diff(*j) == count - 1;
            match line_intersection(*a, *b) {
                Some(LineIntersection::SinglePoint { intersection, .. }) if !next => {
                    return Some([intersection.x, intersection.y]);
                }
                // Neighbours that lie on each other are a spike.
                Some(LineIntersection::Collinear { intersection }) => {
                    return Some([intersection.start.x, intersection.start.y]);
                }
                _ => {}
            }
        }
    }
    None
}

/// A place that two rings share.
fn meeting(one: &LineString<f64>, other: &LineString<f64>) -> Option<[f64; 2]> {
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
    use geo::{Polygon, polygon};

    use super::*;

    #[test]
    fn a_bow_tie_is_told_with_the_place_of_its_knot() {
        let bow: Polygon<f64> =
            polygon![(x: 0., y: 0.), (x: 2., y: 2.), (x: 2., y: 0.), (x: 0., y: 2.), (x: 0., y: 0.)];
        let invalid = fault(&bow.into()).unwrap();
        assert!(invalid.reason.contains("self-intersection"), "{}", invalid.reason);
        assert_eq!(invalid.place, Some([1.0, 1.0]));
    }

    #[test]
    fn a_hole_outside_is_told_and_a_good_polygon_is_not() {
        let outside = polygon!(exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
                               interiors: [[(x: 20., y: 2.), (x: 21., y: 2.), (x: 21., y: 3.), (x: 20., y: 2.)]]);
        assert!(fault(&outside.into()).unwrap().place.is_some());
        let inside = polygon!(exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
                              interiors: [[(x: 5., y: 2.), (x: 6., y: 2.), (x: 6., y: 3.), (x: 5., y: 2.)]]);
        assert!(fault(&inside.into()).is_none());
    }
}
