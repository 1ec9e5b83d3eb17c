//! Well-known binary as GDAL writes it for a file of any origin: heights and measures are dropped, arcs
//! become short lines, and rings are checked before a polygon type can close them silently.

use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

use super::{
    WkbError,
    cursor::{Cursor, Head},
};
use crate::{Geometry, GeometryFault, polygon_from_rings};

/// A geometry in the coordinate system of its source.
#[derive(Debug, PartialEq)]
pub struct SourceGeometry {
    /// The geometry, in two dimensions and without arcs.
    pub geometry: Geometry,
    /// Whether it had heights or measures.
    pub dropped_z: bool,
    /// Whether it had arcs.
    pub curved: bool,
}

/// Maximum nesting of collections.
const MAX_DEPTH: usize = 16;
/// The angle of the pieces that replace an arc, in degrees; the default of GDAL.
const ARC_STEP: f64 = 4.0;

impl From<WkbError> for GeometryFault {
    fn from(error: WkbError) -> Self {
        Self::new(error.to_string())
    }
}

/// Reads one geometry from the start of `bytes`. Triangles become polygons, polyhedral surfaces and TINs
/// multi-polygons, and an empty point an empty multi-point.
///
/// # Errors
/// [`GeometryFault`] for bytes that are damaged or nested too deep, and for rings that are open or too short;
/// for those with the location of the ring.
pub fn read_source(bytes: &[u8]) -> Result<SourceGeometry, GeometryFault> {
    let mut reader = Reader { cursor: Cursor::new(bytes), dropped_z: false, curved: false };
    let head = reader.head()?;
    let geometry = reader.geometry(head, 0)?;
    Ok(SourceGeometry { geometry, dropped_z: reader.dropped_z, curved: reader.curved })
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    dropped_z: bool,
    curved: bool,
}

impl Reader<'_> {
    fn head(&mut self) -> Result<Head, GeometryFault> {
        Ok(self.cursor.head()?)
    }

    fn coord(&mut self, head: Head) -> Result<Coord, GeometryFault> {
        self.dropped_z |= head.extra > 0;
        Ok(self.cursor.coord(head)?)
    }

    fn coords(&mut self, head: Head) -> Result<Vec<Coord>, GeometryFault> {
        let coords = self.cursor.coords(head)?;
        self.dropped_z |= head.extra > 0 && !coords.is_empty();
        Ok(coords)
    }

    fn polygon(&mut self, head: Head) -> Result<Polygon, GeometryFault> {
        let count = self.cursor.count(head.little, 4)?;
        let rings = (0..count).map(|_| self.coords(head)).collect::<Result<Vec<_>, _>>()?;
        polygon_from_rings(rings)
    }

    /// The parts of a multi-geometry or collection, of whatever type.
    fn parts(&mut self, head: Head, depth: usize) -> Result<Vec<Geometry>, GeometryFault> {
        let count = self.cursor.count(head.little, 5)?;
        let part = |_| {
            let head = self.head()?;
            self.geometry(head, depth + 1)
        };
        (0..count).map(part).collect()
    }

    /// The parts of a geometry made of curves, each as its positions.
    fn curves(&mut self, head: Head, depth: usize) -> Result<Vec<Vec<Coord>>, GeometryFault> {
        let count = self.cursor.count(head.little, 5)?;
        let curve = |_| {
            let head = self.head()?;
            self.curve(head, depth + 1)
        };
        (0..count).map(curve).collect()
    }

    /// The positions of a line, an arc or a compound curve.
    fn curve(&mut self, head: Head, depth: usize) -> Result<Vec<Coord>, GeometryFault> {
        if depth > MAX_DEPTH {
            return Err(WkbError::TooDeep.into());
        }
        match head.code {
            2 => self.coords(head),
            8 => {
                self.curved = true;
                Ok(straighten(&self.coords(head)?))
            }
            9 => {
                let mut all: Vec<Coord> = Vec::new();
                for piece in self.curves(head, depth)? {
                    let shared = all.last().is_some() && all.last() == piece.first();
                    all.extend(piece.into_iter().skip(usize::from(shared)));
                }
                Ok(all)
            }
            code => {
                Err(GeometryFault::new(format!("it has a part of type {code} where a curve is expected")))
            }
        }
    }

    fn geometry(&mut self, head: Head, depth: usize) -> Result<Geometry, GeometryFault> {
        if depth > MAX_DEPTH {
            return Err(WkbError::TooDeep.into());
        }
        Ok(match head.code {
            1 => {
                let coord = self.coord(head)?;
                if coord.x.is_nan() && coord.y.is_nan() {
                    MultiPoint::<f64>::new(vec![]).into()
                } else {
                    Point(coord).into()
                }
            }
            2 => LineString::new(self.coords(head)?).into(),
            // A triangle is a polygon of one ring.
            3 | 17 => self.polygon(head)?.into(),
            4 => {
                let mut points = Vec::new();
                for part in self.parts(head, depth)? {
                    match part {
                        Geometry::Point(point) => points.push(point),
                        Geometry::MultiPoint(many) => points.extend(many.0),
                        _ => return Err(WkbError::ForeignPart.into()),
                    }
                }
                MultiPoint(points).into()
            }
            5 => {
                let mut lines = Vec::new();
                for part in self.parts(head, depth)? {
                    match part {
                        Geometry::LineString(line) => lines.push(line),
                        Geometry::MultiLineString(many) => lines.extend(many.0),
                        _ => return Err(WkbError::ForeignPart.into()),
                    }
                }
                MultiLineString(lines).into()
            }
            // Multi-polygon, multi-surface, polyhedral surface, TIN.
            6 | 12 | 15 | 16 => {
                let mut polygons = Vec::new();
                for part in self.parts(head, depth)? {
                    match part {
                        Geometry::Polygon(polygon) => polygons.push(polygon),
                        Geometry::MultiPolygon(many) => polygons.extend(many.0),
                        _ => return Err(WkbError::ForeignPart.into()),
                    }
                }
                MultiPolygon(polygons).into()
            }
            7 => Geometry::GeometryCollection(GeometryCollection(self.parts(head, depth)?)),
            8 | 9 => LineString::new(self.curve(head, depth)?).into(),
            10 => polygon_from_rings(self.curves(head, depth)?)?.into(),
            11 => {
                MultiLineString(self.curves(head, depth)?.into_iter().map(LineString::new).collect()).into()
            }
            unknown => return Err(WkbError::UnknownType(unknown).into()),
        })
    }
}

/// The positions of a circular string: arcs through each three points, the last of one being the first of the
/// next, as short lines.
fn straighten(arc: &[Coord]) -> Vec<Coord> {
    let Some(first) = arc.first() else { return Vec::new() };
    let mut out = vec![*first];
    let mut i = 0;
    while i + 2 < arc.len() {
        add_arc(arc[i], arc[i + 1], arc[i + 2], &mut out);
        i += 2;
    }
    out
}

/// Adds the positions of the arc from `a` through `b` to `c`, without `a`.
fn add_arc(a: Coord, b: Coord, c: Coord, out: &mut Vec<Coord>) {
    use std::f64::consts::{PI, TAU};
    let (centre, sweep) = if a == c {
        // A full circle: the middle point is opposite.
        ((a + b) / 2.0, TAU)
    } else {
        let (p, q) = (b - a, c - a);
        let d = 2.0 * (p.x * q.y - p.y * q.x);
        if d.abs() <= 1e-12 * (p.x.hypot(p.y) * q.x.hypot(q.y)) {
            out.extend([b, c]);
            return;
        }
        let (pp, qq) = (p.x * p.x + p.y * p.y, q.x * q.x + q.y * q.y);
        let centre = Coord { x: a.x + (q.y * pp - p.y * qq) / d, y: a.y + (p.x * qq - q.x * pp) / d };
        let angle = |point: Coord| (point.y - centre.y).atan2(point.x - centre.x);
        let turn = (angle(c) - angle(a)).rem_euclid(TAU);
        (centre, if d > 0.0 { turn } else { turn - TAU })
    };
    let radius = (a.x - centre.x).hypot(a.y - centre.y);
    let start = (a.y - centre.y).atan2(a.x - centre.x);
    let steps = (sweep.abs() / (ARC_STEP * PI / 180.0)).ceil().clamp(2.0, 360.0);
    let mut step = 1.0;
    while step < steps {
        let angle = start + sweep * step / steps;
        out.push(Coord { x: centre.x + radius * angle.cos(), y: centre.y + radius * angle.sin() });
        step += 1.0;
    }
    out.push(c);
}
