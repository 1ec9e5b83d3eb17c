//! Well-known binary to geometry: ISO and extended WKB, either byte order; what is beyond two
//! dimensions (a file edited elsewhere) is read over.

use citymap_model::Geometry;
use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

use super::wkb_write::code;

/// How deep collections may lie in each other: beyond any real data, far below the stack's end.
const DEEPEST: usize = 64;

/// Reads one geometry from the start of `bytes`. `POINT EMPTY`, which WKB writes as a point of two
/// NaN, becomes an empty multi-point, since `geo_types` has no empty point.
///
/// # Errors
/// A text that says what is wrong with the bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<Geometry, &'static str> {
    Reader { rest: bytes }.geometry(0)
}

struct Reader<'a> {
    rest: &'a [u8],
}

/// What the head of a geometry said.
#[derive(Clone, Copy)]
struct Head {
    little: bool,
    code: u32,
    /// Bytes of a coordinate: 16, 24 or 32.
    stride: usize,
}

const SHORT: &str = "the geometry is cut short";

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, little: bool) -> Result<u32, &'static str> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(SHORT)?;
        self.rest = rest;
        Ok(if little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
    }

    fn head(&mut self) -> Result<Head, &'static str> {
        let little = match self.take(1)? {
            [0] => false,
            [1] => true,
            _ => return Err("the byte order is neither 0 nor 1"),
        };
        let raw = self.number(little)?;
        if raw & 0x2000_0000 != 0 {
            self.number(little)?; // an SRID, as PostGIS writes it
        }
        let plain = raw & 0x0FFF_FFFF;
        let thousands = plain / 1000;
        if thousands > 3 {
            return Err("the geometry's type is unknown");
        }
        let z = raw & 0x8000_0000 != 0 || thousands & 1 != 0;
        let m = raw & 0x4000_0000 != 0 || thousands & 2 != 0;
        Ok(Head { little, code: plain % 1000, stride: 16 + 8 * usize::from(z) + 8 * usize::from(m) })
    }

    /// A count of parts, each of at least `least` bytes: what cannot be there is not allocated.
    fn count(&mut self, little: bool, least: usize) -> Result<usize, &'static str> {
        let count = self.number(little)? as usize;
        if count.checked_mul(least).is_none_or(|bytes| bytes > self.rest.len()) {
            Err(SHORT)
        } else {
            Ok(count)
        }
    }

    fn coords(&mut self, head: Head) -> Result<Vec<Coord>, &'static str> {
        let count = self.count(head.little, head.stride)?;
        let bytes = self.take(count * head.stride)?;
        let each = bytes.chunks_exact(head.stride);
        Ok(if head.little {
            each.map(|bytes| coord(bytes, f64::from_le_bytes)).collect()
        } else {
            each.map(|bytes| coord(bytes, f64::from_be_bytes)).collect()
        })
    }

    fn point(&mut self, head: Head) -> Result<Point, &'static str> {
        let bytes = self.take(head.stride)?;
        Ok(Point(coord(bytes, if head.little { f64::from_le_bytes } else { f64::from_be_bytes })))
    }

    fn polygon(&mut self, head: Head) -> Result<Polygon, &'static str> {
        let count = self.count(head.little, 4)?;
        if count == 0 {
            return Ok(Polygon::new(LineString(Vec::new()), Vec::new()));
        }
        let exterior = LineString(self.coords(head)?);
        let mut interiors = Vec::with_capacity(count - 1);
        for _ in 1..count {
            interiors.push(LineString(self.coords(head)?));
        }
        Ok(Polygon::new(exterior, interiors))
    }

    /// The parts of a multi-geometry, each of which must be of type `code`.
    fn parts<T>(
        &mut self,
        little: bool,
        code: u32,
        part: impl Fn(&mut Self, Head) -> Result<T, &'static str>,
    ) -> Result<Vec<T>, &'static str> {
        let count = self.count(little, 9)?;
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            let head = self.head()?;
            if head.code != code {
                return Err("a multi-geometry holds a part of another type");
            }
            parts.push(part(self, head)?);
        }
        Ok(parts)
    }

    fn geometry(&mut self, depth: usize) -> Result<Geometry, &'static str> {
        if depth > DEEPEST {
            return Err("collections lie too deep in each other");
        }
        let head = self.head()?;
        Ok(match head.code {
            code::POINT => {
                let point = self.point(head)?;
                if point.x().is_nan() && point.y().is_nan() {
                    MultiPoint(Vec::new()).into()
                } else {
                    point.into()
                }
            }
            code::LINE_STRING => LineString(self.coords(head)?).into(),
            code::POLYGON => self.polygon(head)?.into(),
            code::MULTI_POINT => MultiPoint(self.parts(head.little, code::POINT, Self::point)?).into(),
            code::MULTI_LINE_STRING => {
                let lines = self.parts(head.little, code::LINE_STRING, |reader, head| {
                    reader.coords(head).map(LineString)
                })?;
                MultiLineString(lines).into()
            }
            code::MULTI_POLYGON => {
                MultiPolygon(self.parts(head.little, code::POLYGON, Self::polygon)?).into()
            }
            code::COLLECTION => {
                let count = self.count(head.little, 9)?;
                let mut parts = Vec::with_capacity(count);
                for _ in 0..count {
                    parts.push(self.geometry(depth + 1)?);
                }
                Geometry::GeometryCollection(GeometryCollection(parts))
            }
            8..=17 => {
                return Err(
                    "curves, surfaces and triangulated surfaces are not supported; make them polygons",
                );
            }
            _ => return Err("the geometry's type is unknown"),
        })
    }
}

fn coord(bytes: &[u8], number: fn([u8; 8]) -> f64) -> Coord {
    let mut x = [0; 8];
    let mut y = [0; 8];
    x.copy_from_slice(&bytes[..8]);
    y.copy_from_slice(&bytes[8..16]);
    Coord { x: number(x), y: number(y) }
}
