//! Lengths and areas on grids and on the ellipsoid.

use geo::{Area, Euclidean, Geometry, Length, LineString, Polygon};

use crate::{Crs, CrsError, Transform, degrees, steps::Family};

/// Area in m² on a VN-2000 or UTM grid of geometry in WGS 84 degrees: the sum of polygons less their holes.
/// Points and lines have no area.
///
/// This is the area in plans and cadastral documents. It is not the ellipsoidal area: in EPSG:9210 lengths
/// are 33 ppm longer at Bến Thành and 391 ppm at the city's eastern edge, and areas twice that.
///
/// # Errors
/// [`CrsError::NotAGrid`] if `grid` is another system, [`CrsError::OutOfRange`] if a coordinate cannot be
/// projected.
pub fn grid_area(geometry: &Geometry<f64>, grid: Crs) -> Result<f64, CrsError> {
    Ok(on_grid(geometry, grid)?.unsigned_area())
}

/// Length in m of lines on the grid; perimeters are not counted.
///
/// # Errors
/// [`CrsError::NotAGrid`] if `grid` is another system, [`CrsError::OutOfRange`] if a coordinate cannot be
/// projected.
pub fn grid_length(geometry: &Geometry<f64>, grid: Crs) -> Result<f64, CrsError> {
    Ok(length(&on_grid(geometry, grid)?, &|line| Euclidean.length(line)))
}

/// Area in m² on the WGS 84 ellipsoid of geometry in WGS 84 degrees whose edges are straight in longitude and
/// latitude, as features are stored and cut. The direction of rings does not matter.
pub fn ellipsoidal_area(geometry: &Geometry<f64>) -> f64 {
    match geometry {
        Geometry::Polygon(polygon) => polygon_area(polygon),
        Geometry::MultiPolygon(polygons) => polygons.iter().map(polygon_area).sum(),
        Geometry::Rect(rect) => polygon_area(&rect.to_polygon()),
        Geometry::Triangle(triangle) => polygon_area(&triangle.to_polygon()),
        Geometry::GeometryCollection(parts) => parts.iter().map(ellipsoidal_area).sum(),
        _ => 0.0,
    }
}

/// Length in m on the WGS 84 ellipsoid of lines that are straight in longitude and latitude, for geometry in
/// WGS 84 degrees; perimeters are not counted.
pub fn ellipsoidal_length(geometry: &Geometry<f64>) -> f64 {
    length(geometry, &degrees::line_length)
}

/// The geometry projected to a grid whose unit is the metre.
fn on_grid(geometry: &Geometry<f64>, grid: Crs) -> Result<Geometry<f64>, CrsError> {
    if Family::of(grid).is_none() || grid.is_geographic() || grid == Crs::WEB_MERCATOR {
        return Err(CrsError::NotAGrid(grid));
    }
    let mut planar = geometry.clone();
    Transform::new(Crs::WGS84, grid)?.geometry(&mut planar)?;
    Ok(planar)
}

/// Summed ring by ring, so that the result does not depend on their direction.
fn polygon_area(polygon: &Polygon<f64>) -> f64 {
    let holes: f64 = polygon.interiors().iter().map(degrees::ring_area).sum();
    degrees::ring_area(polygon.exterior()) - holes
}

fn length(geometry: &Geometry<f64>, measure: &dyn Fn(&LineString<f64>) -> f64) -> f64 {
    match geometry {
        Geometry::Line(line) => measure(&LineString::from(*line)),
        Geometry::LineString(line) => measure(line),
        Geometry::MultiLineString(lines) => lines.iter().map(measure).sum(),
        Geometry::GeometryCollection(parts) => parts.iter().map(|part| length(part, measure)).sum(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use geo::{Geometry, MultiPolygon, line_string, polygon};

    use super::*;

    /// A square of about 100 m at Bến Thành with a hole of a quarter of its area.
    fn block() -> Polygon<f64> {
        polygon![
            exterior: [
                (x: 106.698, y: 10.772), (x: 106.699, y: 10.772),
                (x: 106.699, y: 10.773), (x: 106.698, y: 10.773),
            ],
            interiors: [[
                (x: 106.6982, y: 10.7722), (x: 106.6987, y: 10.7722),
                (x: 106.6987, y: 10.7727), (x: 106.6982, y: 10.7727),
            ]],
        ]
    }

    #[test]
    fn holes_count_against_and_parts_add_up() {
        let holed = Geometry::from(block());
        let solid = Geometry::from(Polygon::new(block().exterior().clone(), vec![]));
        for (holed, solid) in [
            (grid_area(&holed, Crs::home()).unwrap(), grid_area(&solid, Crs::home()).unwrap()),
            (ellipsoidal_area(&holed), ellipsoidal_area(&solid)),
        ] {
            assert!((holed / solid - 0.75).abs() < 1e-4, "{holed} {solid}");
        }
        let mut away = block();
        geo::MapCoordsInPlace::map_coords_in_place(&mut away, |c| geo::Coord { x: c.x + 0.01, y: c.y });
        let both = Geometry::from(MultiPolygon(vec![block(), away.clone()]));
        let sum = grid_area(&holed, Crs::home()).unwrap() + grid_area(&away.into(), Crs::home()).unwrap();
        assert!((grid_area(&both, Crs::home()).unwrap() - sum).abs() < 1e-6);
    }

    #[test]
    fn direction_of_rings_does_not_matter() {
        let (outer, inner) = block().into_inner();
        let turn = |ring: &LineString<f64>| LineString::new(ring.0.iter().rev().copied().collect());
        let turned = Polygon::new(turn(&outer), inner.iter().map(turn).collect());
        let mixed = Polygon::new(turn(&outer), inner);
        let expected = ellipsoidal_area(&block().into());
        for polygon in [turned, mixed] {
            assert!((ellipsoidal_area(&polygon.into()) - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn perimeters_are_no_lengths_and_lines_no_areas() {
        assert_eq!(grid_length(&block().into(), Crs::home()).unwrap(), 0.0);
        let line = Geometry::from(line_string![(x: 106.6, y: 10.7), (x: 106.7, y: 10.8)]);
        assert_eq!(grid_area(&line, Crs::home()).unwrap(), 0.0);
        assert_eq!(ellipsoidal_area(&line), 0.0);
        assert!(ellipsoidal_length(&line) > 15_000.0);
    }

    #[test]
    fn only_metric_grids_measure() {
        for code in [4326, 4756, 3857, 2249] {
            let crs = Crs::new(code).unwrap();
            assert!(matches!(grid_area(&block().into(), crs), Err(CrsError::NotAGrid(_))), "{code}");
        }
        assert!(grid_area(&block().into(), Crs::new(32648).unwrap()).is_ok());
    }
}
