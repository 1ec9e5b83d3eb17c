//! Geometry to well-known binary: little endian, two dimensions.

use geo_types::{Coord, LineString, Polygon};

use super::code;
use crate::Geometry;

/// What was met while a geometry was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    min: [f64; 2],
    max: [f64; 2],
    finite: bool,
}

impl Written {
    const NOTHING: Self = Self { min: [f64::INFINITY; 2], max: [f64::NEG_INFINITY; 2], finite: true };

    /// Whether the geometry has no position.
    pub fn is_empty(&self) -> bool {
        self.min[0] > self.max[0]
    }

    /// Whether every coordinate is a finite number.
    pub fn is_finite(&self) -> bool {
        self.finite
    }

    /// `[min x, min y, max x, max y]` in the units of the coordinates; `None` for an empty geometry.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        (!self.is_empty()).then_some([self.min[0], self.min[1], self.max[0], self.max[1]])
    }
}

/// Appends a geometry to `out`. What WKB lacks becomes what it is equal to: a `Line` a line string, a `Rect`
/// or a `Triangle` a polygon.
///
/// Coordinates that are not finite are written as they are; [`Written::is_finite`] reports them.
///
/// # Examples
/// ```
/// use citymap_geometry::wkb;
///
/// let mut bytes = Vec::new();
/// let written = wkb::write(&mut bytes, &geo_types::Point::new(106.7, 10.77).into());
/// assert_eq!(bytes.len(), 21);
/// assert_eq!(written.bounds(), Some([106.7, 10.77, 106.7, 10.77]));
/// ```
pub fn write(out: &mut Vec<u8>, geometry: &Geometry) -> Written {
    let mut writer = Writer { out, written: Written::NOTHING };
    writer.geometry(geometry);
    writer.written
}

/// A geometry as bytes, see [`write()`].
pub fn to_wkb(geometry: &Geometry) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, geometry);
    out
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    written: Written,
}

impl Writer<'_> {
    fn head(&mut self, code: u32) {
        self.out.push(1);
        self.out.extend_from_slice(&code.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        // No store holds a value of 2^32 bytes, so a larger count never reaches one.
        self.out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn coord(&mut self, coord: Coord) {
        let Coord { x, y } = coord;
        let Written { min, max, finite } = &mut self.written;
        *min = [min[0].min(x), min[1].min(y)];
        *max = [max[0].max(x), max[1].max(y)];
        *finite &= x.is_finite() && y.is_finite();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&x.to_le_bytes());
        bytes[8..].copy_from_slice(&y.to_le_bytes());
        self.out.extend_from_slice(&bytes);
    }

    fn coords(&mut self, line: &LineString) {
        self.count(line.0.len());
        self.out.reserve(line.0.len() * 16);
        for coord in &line.0 {
            self.coord(*coord);
        }
    }

    fn point(&mut self, coord: Coord) {
        self.head(code::POINT);
        self.coord(coord);
    }

    fn line(&mut self, line: &LineString) {
        self.head(code::LINE_STRING);
        self.coords(line);
    }

    fn polygon(&mut self, polygon: &Polygon) {
        self.head(code::POLYGON);
        if polygon.exterior().0.is_empty() && polygon.interiors().is_empty() {
            return self.count(0);
        }
        self.count(1 + polygon.interiors().len());
        self.coords(polygon.exterior());
        for ring in polygon.interiors() {
            self.coords(ring);
        }
    }

    fn geometry(&mut self, geometry: &Geometry) {
        match geometry {
            Geometry::Point(point) => self.point(point.0),
            Geometry::LineString(line) => self.line(line),
            Geometry::Polygon(polygon) => self.polygon(polygon),
            Geometry::MultiPoint(points) => {
                self.head(code::MULTI_POINT);
                self.count(points.0.len());
                points.0.iter().for_each(|point| self.point(point.0));
            }
            Geometry::MultiLineString(lines) => {
                self.head(code::MULTI_LINE_STRING);
                self.count(lines.0.len());
                lines.0.iter().for_each(|line| self.line(line));
            }
            Geometry::MultiPolygon(polygons) => {
                self.head(code::MULTI_POLYGON);
                self.count(polygons.0.len());
                polygons.0.iter().for_each(|polygon| self.polygon(polygon));
            }
            Geometry::GeometryCollection(parts) => {
                self.head(code::COLLECTION);
                self.count(parts.0.len());
                parts.0.iter().for_each(|part| self.geometry(part));
            }
            Geometry::Line(line) => self.line(&LineString(vec![line.start, line.end])),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon()),
        }
    }
}
