//! Geometry to well-known binary (OGC 06-103r4, little endian, two dimensions).

use citymap_model::Geometry;
use geo_types::{Coord, LineString, Polygon};

/// The codes of WKB's geometry types.
pub(crate) mod code {
    pub(in super::super) const POINT: u32 = 1;
    pub(in super::super) const LINE_STRING: u32 = 2;
    pub(in super::super) const POLYGON: u32 = 3;
    pub(in super::super) const MULTI_POINT: u32 = 4;
    pub(in super::super) const MULTI_LINE_STRING: u32 = 5;
    pub(in super::super) const MULTI_POLYGON: u32 = 6;
    pub(in super::super) const COLLECTION: u32 = 7;
}

/// What was met while a geometry was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Met {
    /// `[min x, max x, min y, max y]`, infinite the wrong way round as long as no coordinate came.
    pub(crate) bounds: [f64; 4],
    /// Whether each coordinate was a finite number.
    pub(crate) finite: bool,
}

impl Met {
    pub(crate) const NOTHING: Self =
        Self { bounds: [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY], finite: true };

    /// Whether no coordinate came.
    pub(crate) fn is_empty(&self) -> bool {
        self.bounds[0] > self.bounds[1]
    }

    fn coord(&mut self, out: &mut Vec<u8>, coord: Coord) {
        let Coord { x, y } = coord;
        let [min_x, max_x, min_y, max_y] = &mut self.bounds;
        *min_x = min_x.min(x);
        *max_x = max_x.max(x);
        *min_y = min_y.min(y);
        *max_y = max_y.max(y);
        self.finite &= x.is_finite() && y.is_finite();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&x.to_le_bytes());
        bytes[8..].copy_from_slice(&y.to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    fn coords(&mut self, out: &mut Vec<u8>, line: &LineString) {
        count(out, line.0.len());
        out.reserve(line.0.len() * 16);
        for coord in &line.0 {
            self.coord(out, *coord);
        }
    }

    fn polygon(&mut self, out: &mut Vec<u8>, polygon: &Polygon) {
        head(out, code::POLYGON);
        if polygon.exterior().0.is_empty() && polygon.interiors().is_empty() {
            return count(out, 0);
        }
        count(out, 1 + polygon.interiors().len());
        self.coords(out, polygon.exterior());
        for ring in polygon.interiors() {
            self.coords(out, ring);
        }
    }

    fn line(&mut self, out: &mut Vec<u8>, line: &LineString) {
        head(out, code::LINE_STRING);
        self.coords(out, line);
    }

    fn point(&mut self, out: &mut Vec<u8>, coord: Coord) {
        head(out, code::POINT);
        self.coord(out, coord);
    }

    /// Appends `geometry` to `out`. What WKB lacks becomes what it is: a `Line` a line string, a
    /// `Rect` or `Triangle` a polygon.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, geometry: &Geometry) {
        match geometry {
            Geometry::Point(point) => self.point(out, point.0),
            Geometry::LineString(line) => self.line(out, line),
            Geometry::Polygon(polygon) => self.polygon(out, polygon),
            Geometry::MultiPoint(many) => {
                head(out, code::MULTI_POINT);
                count(out, many.0.len());
                many.0.iter().for_each(|point| self.point(out, point.0));
            }
            Geometry::MultiLineString(many) => {
                head(out, code::MULTI_LINE_STRING);
                count(out, many.0.len());
                many.0.iter().for_each(|line| self.line(out, line));
            }
            Geometry::MultiPolygon(many) => {
                head(out, code::MULTI_POLYGON);
                count(out, many.0.len());
                many.0.iter().for_each(|polygon| self.polygon(out, polygon));
            }
            Geometry::GeometryCollection(many) => {
                head(out, code::COLLECTION);
                count(out, many.0.len());
                many.0.iter().for_each(|part| self.write(out, part));
            }
            Geometry::Line(line) => self.line(out, &LineString(vec![line.start, line.end])),
            Geometry::Rect(rect) => self.polygon(out, &rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygon(out, &triangle.to_polygon()),
        }
    }
}

fn head(out: &mut Vec<u8>, code: u32) {
    out.push(1);
    out.extend_from_slice(&code.to_le_bytes());
}

fn count(out: &mut Vec<u8>, count: usize) {
    // SQLite holds at most 2^31 bytes in a value, so a larger count never reaches a file.
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
