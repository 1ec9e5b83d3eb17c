//! Which part of a repaired geometry may replace the original.

use geo_types::{MultiLineString, MultiPoint, MultiPolygon};

use crate::{Geometry, GeometryKind};

/// The part of `repaired` that is of the same kind as `original`; `None` if there is none.
///
/// Repairing a bow tie can leave points and lines next to the polygons: those are dropped. A multi-polygon or
/// multi-line stays one even if one part is left, so that a layer keeps one type. A collection is kept whole.
pub fn keep_kind(original: &Geometry, repaired: Geometry) -> Option<Geometry> {
    let kind = GeometryKind::of(original);
    let kept = if kind == GeometryKind::Mixed || GeometryKind::of(&repaired) == kind {
        repaired
    } else {
        parts_of_kind(repaired, kind)?
    };
    Some(match (original, kept) {
        (Geometry::MultiPolygon(_), Geometry::Polygon(polygon)) => MultiPolygon(vec![polygon]).into(),
        (Geometry::MultiLineString(_), Geometry::LineString(line)) => MultiLineString(vec![line]).into(),
        (_, kept) => kept,
    })
}

/// The parts of a flat collection that are of one kind, as a multi-geometry.
fn parts_of_kind(geometry: Geometry, kind: GeometryKind) -> Option<Geometry> {
    let Geometry::GeometryCollection(parts) = geometry else { return None };
    let (mut points, mut lines, mut polygons) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part {
            Geometry::Point(point) => points.push(point),
            Geometry::MultiPoint(many) => points.extend(many.0),
            Geometry::LineString(line) => lines.push(line),
            Geometry::MultiLineString(many) => lines.extend(many.0),
            Geometry::Polygon(polygon) => polygons.push(polygon),
            Geometry::MultiPolygon(many) => polygons.extend(many.0),
            _ => return None,
        }
    }
    match kind {
        GeometryKind::Polygon if !polygons.is_empty() => Some(MultiPolygon(polygons).into()),
        GeometryKind::Line if !lines.is_empty() => Some(MultiLineString(lines).into()),
        GeometryKind::Point if !points.is_empty() => Some(MultiPoint(points).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use geo_types::{GeometryCollection, Point, line_string, polygon};

    use super::*;

    #[test]
    fn lines_that_a_repair_leaves_are_dropped_and_a_multi_polygon_stays_one() {
        let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 0.0)];
        let line = line_string![(x: 0.0, y: 0.0), (x: 5.0, y: 5.0)];
        let repaired = Geometry::GeometryCollection(GeometryCollection(vec![
            square.clone().into(),
            line.clone().into(),
        ]));
        let whole: Geometry = MultiPolygon(vec![square.clone()]).into();
        assert_eq!(keep_kind(&square.clone().into(), repaired), Some(whole.clone()));
        assert_eq!(keep_kind(&whole, square.clone().into()), Some(whole));
        assert_eq!(keep_kind(&square.into(), line.into()), None);
        let point: Geometry = Point::new(1.0, 1.0).into();
        assert_eq!(keep_kind(&point, point.clone()), Some(point));
    }
}
