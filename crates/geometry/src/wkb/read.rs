//! Well-known binary to geometry, for bytes of a store: straight geometry, in either byte order and dialect.

use geo_types::{GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use super::{
    WkbError, code,
    cursor::{Cursor, Head},
};
use crate::Geometry;

/// Maximum nesting of collections: beyond any real data, far below what the stack takes.
const MAX_DEPTH: usize = 64;

/// Reads one geometry from the start of `bytes`; heights, measures and the number of a coordinate system are
/// skipped.
///
/// `POINT EMPTY`, which WKB writes as a point of two NaN, becomes an empty multi-point, since `geo_types` has
/// no empty point.
///
/// # Errors
/// [`WkbError`] for bytes that are damaged, nested too deep, or hold curves. No bytes make it panic.
pub fn read(bytes: &[u8]) -> Result<Geometry, WkbError> {
    Reader { cursor: Cursor::new(bytes) }.geometry(0)
}

struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl Reader<'_> {
    fn point(&mut self, head: Head) -> Result<Point, WkbError> {
        self.cursor.coord(head).map(Point)
    }

    fn line(&mut self, head: Head) -> Result<LineString, WkbError> {
        self.cursor.coords(head).map(LineString)
    }

    fn polygon(&mut self, head: Head) -> Result<Polygon, WkbError> {
        let count = self.cursor.count(head.little, 4)?;
        if count == 0 {
            return Ok(Polygon::new(LineString(Vec::new()), Vec::new()));
        }
        let exterior = self.line(head)?;
        let mut interiors = Vec::with_capacity(count - 1);
        for _ in 1..count {
            interiors.push(self.line(head)?);
        }
        Ok(Polygon::new(exterior, interiors))
    }

    /// The parts of a multi-geometry, each of which must be of type `code`.
    fn parts<T>(
        &mut self,
        little: bool,
        code: u32,
        part: impl Fn(&mut Self, Head) -> Result<T, WkbError>,
    ) -> Result<Vec<T>, WkbError> {
        let count = self.cursor.count(little, 9)?;
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            let head = self.cursor.head()?;
            if head.code != code {
                return Err(WkbError::ForeignPart);
            }
            parts.push(part(self, head)?);
        }
        Ok(parts)
    }

    fn geometry(&mut self, depth: usize) -> Result<Geometry, WkbError> {
        if depth > MAX_DEPTH {
            return Err(WkbError::TooDeep);
        }
        let head = self.cursor.head()?;
        let little = head.little;
        Ok(match head.code {
            code::POINT => {
                let point = self.point(head)?;
                if point.x().is_nan() && point.y().is_nan() {
                    MultiPoint(Vec::new()).into()
                } else {
                    point.into()
                }
            }
            code::LINE_STRING => self.line(head)?.into(),
            code::POLYGON => self.polygon(head)?.into(),
            code::MULTI_POINT => MultiPoint(self.parts(little, code::POINT, Self::point)?).into(),
            code::MULTI_LINE_STRING => {
                MultiLineString(self.parts(little, code::LINE_STRING, Self::line)?).into()
            }
            code::MULTI_POLYGON => MultiPolygon(self.parts(little, code::POLYGON, Self::polygon)?).into(),
            code::COLLECTION => {
                let count = self.cursor.count(little, 9)?;
                let mut parts = Vec::with_capacity(count);
                for _ in 0..count {
                    parts.push(self.geometry(depth + 1)?);
                }
                Geometry::GeometryCollection(GeometryCollection(parts))
            }
            8..=17 => return Err(WkbError::Curved),
            unknown => return Err(WkbError::UnknownType(unknown)),
        })
    }
}
