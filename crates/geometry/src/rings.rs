//! Rules about the number of positions of lines and rings, and polygons from rings that may be open.

use geo_types::{Coord, LineString, Polygon};

use crate::{Geometry, GeometryFault};

/// Makes a polygon of rings, the outer ring first. Without rings, or with empty rings only, the polygon is
/// empty. An empty hole stays in the polygon until [`drop_empty_holes`] takes it away.
///
/// `geo_types::Polygon` closes open rings silently, so a source's rings are checked before it is built.
///
/// # Errors
/// [`GeometryFault`] if a ring has fewer than four positions or its last position differs from its first. The
/// location is the first position of that ring.
pub fn polygon_from_rings(rings: Vec<Vec<Coord>>) -> Result<Polygon, GeometryFault> {
    let empty = rings.iter().all(Vec::is_empty);
    for (number, ring) in rings.iter().enumerate() {
        let (Some(first), Some(last)) = (ring.first(), ring.last()) else {
            if number > 0 || empty {
                continue;
            }
            return Err(GeometryFault::new(format!("ring {} is empty", number + 1)));
        };
        let location = [first.x, first.y];
        if ring.len() < 4 {
            return Err(GeometryFault::new(format!(
                "ring {} has {} positions; a ring needs four or more, the last equal to the first",
                number + 1,
                ring.len()
            ))
            .at(location));
        }
        if first != last {
            return Err(GeometryFault::new(format!(
                "ring {} is not closed: its first and last positions differ",
                number + 1
            ))
            .at(location));
        }
    }
    let mut rings = rings.into_iter().map(LineString::new);
    let outer = rings.next().unwrap_or_else(|| LineString::new(vec![]));
    Ok(Polygon::new(outer, rings.collect()))
}

/// Takes holes without positions out of polygons, and gives their number. They enclose nothing, so the shape
/// stays the same.
pub fn drop_empty_holes(geometry: &mut Geometry) -> usize {
    let of = |polygon: &mut Polygon| {
        let holes = polygon.interiors().iter().filter(|hole| hole.0.is_empty()).count();
        if holes > 0 {
            let (outer, mut inner) = std::mem::replace(polygon, Polygon::empty()).into_inner();
            inner.retain(|hole| !hole.0.is_empty());
            *polygon = Polygon::new(outer, inner);
        }
        holes
    };
    match geometry {
        Geometry::Polygon(polygon) => of(polygon),
        Geometry::MultiPolygon(polygons) => polygons.0.iter_mut().map(of).sum(),
        Geometry::GeometryCollection(parts) => parts.0.iter_mut().map(drop_empty_holes).sum(),
        _ => 0,
    }
}

/// A part of a geometry that has too few positions to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TooFewPositions {
    /// A line of exactly one position. An empty line is allowed.
    #[error("a line has only one position")]
    Line,
    /// A ring of fewer than four positions, the closing one included.
    #[error("a ring has fewer than three corners")]
    Ring,
}

/// Checks what PostGIS demands of every line and ring. Empty lines and empty polygons are allowed.
///
/// # Errors
/// [`TooFewPositions`] for a line of one position or a ring of fewer than four.
pub fn check_positions(geometry: &Geometry) -> Result<(), TooFewPositions> {
    match geometry {
        Geometry::LineString(line) => check_line(line),
        Geometry::MultiLineString(lines) => lines.0.iter().try_for_each(check_line),
        Geometry::Polygon(polygon) => check_polygon(polygon),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().try_for_each(check_polygon),
        Geometry::GeometryCollection(parts) => parts.0.iter().try_for_each(check_positions),
        _ => Ok(()),
    }
}

fn check_line(line: &LineString) -> Result<(), TooFewPositions> {
    if line.0.len() == 1 { Err(TooFewPositions::Line) } else { Ok(()) }
}

fn check_polygon(polygon: &Polygon) -> Result<(), TooFewPositions> {
    let empty = polygon.exterior().0.is_empty() && polygon.interiors().is_empty();
    let mut rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    if !empty && rings.any(|ring| ring.0.len() < 4) { Err(TooFewPositions::Ring) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use geo_types::MultiLineString;

    use super::*;

    #[test]
    fn a_line_of_one_position_is_refused_and_an_empty_one_is_not() {
        let one = LineString::new(vec![Coord { x: 1.0, y: 2.0 }]);
        assert_eq!(check_positions(&MultiLineString(vec![one]).into()), Err(TooFewPositions::Line));
        assert_eq!(check_positions(&LineString::new(vec![]).into()), Ok(()));
    }

    #[test]
    fn an_empty_hole_is_no_fault_and_can_be_dropped() {
        let ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)].map(Coord::from).to_vec();
        let mut holed = Geometry::from(polygon_from_rings(vec![ring.clone(), vec![]]).unwrap());
        assert_eq!(drop_empty_holes(&mut holed), 1);
        assert_eq!(holed, Polygon::new(LineString::new(ring.clone()), vec![]).into());
        assert_eq!(drop_empty_holes(&mut holed), 0);
        assert!(polygon_from_rings(vec![vec![], vec![]]).is_ok());
        assert!(polygon_from_rings(vec![vec![], ring]).is_err());
    }

    #[test]
    fn an_open_ring_is_refused_at_its_first_position() {
        let corners = [(3.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let fault = polygon_from_rings(vec![corners.map(Into::into).into()]).unwrap_err();
        assert!(fault.reason.contains("not closed"), "{fault}");
        assert_eq!(fault.location, Some([3.0, 0.0]));
    }
}
