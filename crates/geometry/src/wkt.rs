//! Well-known text.

use crate::Geometry;

/// Appends well-known text; each number is the shortest that reads back as the same.
///
/// ```
/// let mut text = Vec::new();
/// citymap_geometry::wkt::write(&mut text, &geo_types::Point::new(106.7, 0.1 + 0.2).into());
/// assert_eq!(text, b"POINT (106.7 0.30000000000000004)");
/// ```
pub fn write(out: &mut Vec<u8>, geometry: &Geometry) {
    match geometry {
        Geometry::Point(point) => {
            out.extend(b"POINT ");
            coords(out, [&point.0]);
        }
        Geometry::LineString(line) => {
            out.extend(b"LINESTRING ");
            coords(out, &line.0);
        }
        Geometry::Polygon(polygon) => {
            out.extend(b"POLYGON ");
            rings(out, polygon);
        }
        Geometry::MultiPoint(points) => {
            out.extend(b"MULTIPOINT ");
            list(out, &points.0, |out, point| coords(out, [&point.0]));
        }
        Geometry::MultiLineString(lines) => {
            out.extend(b"MULTILINESTRING ");
            list(out, &lines.0, |out, line| coords(out, &line.0));
        }
        Geometry::MultiPolygon(polygons) => {
            out.extend(b"MULTIPOLYGON ");
            list(out, &polygons.0, rings);
        }
        Geometry::GeometryCollection(parts) => {
            out.extend(b"GEOMETRYCOLLECTION ");
            list(out, &parts.0, write);
        }
        Geometry::Line(line) => {
            out.extend(b"LINESTRING ");
            coords(out, [&line.start, &line.end]);
        }
        Geometry::Rect(rect) => write(out, &rect.to_polygon().into()),
        Geometry::Triangle(triangle) => write(out, &triangle.to_polygon().into()),
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    if items.is_empty() {
        out.extend(b"EMPTY");
        return;
    }
    out.push(b'(');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b')');
}

fn rings(out: &mut Vec<u8>, polygon: &geo_types::Polygon) {
    let all = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let rings: Vec<_> = all.filter(|ring| !ring.0.is_empty()).collect();
    list(out, &rings, |out, ring| coords(out, &ring.0));
}

fn coords<'a>(out: &mut Vec<u8>, coords: impl IntoIterator<Item = &'a geo_types::Coord>) {
    let mut separator = b'(';
    for coord in coords {
        out.push(separator);
        out.extend(format!("{} {}", coord.x, coord.y).as_bytes());
        separator = b',';
    }
    if separator == b'(' {
        out.extend(b"EMPTY");
    } else {
        out.push(b')');
    }
}

#[cfg(test)]
mod tests {
    use geo_types::{LineString, MultiPolygon, Polygon};

    use super::*;

    fn text(geometry: impl Into<Geometry>) -> String {
        let mut out = Vec::new();
        write(&mut out, &geometry.into());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_empty_says_so() {
        let empty = || Polygon::new(LineString(Vec::new()), Vec::new());
        assert_eq!(text(empty()), "POLYGON EMPTY");
        assert_eq!(text(MultiPolygon(Vec::new())), "MULTIPOLYGON EMPTY");
        assert_eq!(text(MultiPolygon(vec![empty()])), "MULTIPOLYGON (EMPTY)");
        assert_eq!(text(LineString(Vec::new())), "LINESTRING EMPTY");
    }
}
