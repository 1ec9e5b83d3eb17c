//! WKB as GDAL writes it (OGC and ISO dialects) to `geo` types: heights and measures dropped, arcs
//! made straight, rings checked before a polygon type can hide that they are open.

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
    Polygon,
};

/// A geometry in the source's coordinates.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub geometry: Geometry<f64>,
    /// It had heights or measures.
    pub dropped_z: bool,
    /// It had arcs.
    pub curved: bool,
}

/// Why a geometry is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub reason: String,
    pub place: Option<[f64; 2]>,
}

impl Fault {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), place: None }
    }
}

/// Deepest nesting of collections that is followed.
const DEPTH: usize = 16;
/// Angle of the pieces that an arc becomes, degrees; GDAL's default.
const ARC_STEP: f64 = 4.0;

pub(crate) fn read(bytes: &[u8]) -> Result<Read, Fault> {
    let mut reader = Reader { rest: bytes, little: true, dropped_z: false, curved: false };
    let geometry = reader.geometry(0)?;
    Ok(Read { geometry, dropped_z: reader.dropped_z, curved: reader.curved })
}

struct Reader<'a> {
    rest: &'a [u8],
    little: bool,
    dropped_z: bool,
    curved: bool,
}

struct Head {
    kind: u32,
    extra: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| Fault::new("its geometry is cut off"))?;
        self.rest = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take()?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn f64(&mut self) -> Result<f64, Fault> {
        let bytes = self.take()?;
        Ok(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn head(&mut self) -> Result<Head, Fault> {
        let [order] = self.take()?;
        self.little = order != 0;
        let code = self.u32()?;
        // OGC dialect: bits for z, m, srid. ISO dialect: thousands.
        let (z, m, srid) = (code & 0x8000_0000 != 0, code & 0x4000_0000 != 0, code & 0x2000_0000 != 0);
        let plain = code & 0x1FFF_FFFF;
        if srid {
            self.u32()?;
        }
        let (thousands, kind) = (plain / 1000, plain % 1000);
        let extra = (usize::from(z) + usize::from(m)).max(match thousands {
            0 => 0,
            1 | 2 => 1,
            3 => 2,
            _ => return Err(Fault::new(format!("geometry type {code} is unknown"))),
        });
        Ok(Head { kind, extra })
    }

    /// A count, checked against the bytes left so that a lie cannot ask for memory.
    fn count(&mut self, smallest: usize) -> Result<usize, Fault> {
        let count = self.u32()? as usize;
        if count > self.rest.len() / smallest {
            return Err(Fault::new("its geometry is cut off"));
        }
        Ok(count)
    }

    fn coord(&mut self, extra: usize) -> Result<Coord<f64>, Fault> {
        let (x, y) = (self.f64()?, self.f64()?);
        for _ in 0..extra {
            self.f64()?;
            self.dropped_z = true;
        }
        Ok(Coord { x, y })
    }

    fn coords(&mut self, extra: usize) -> Result<Vec<Coord<f64>>, Fault> {
        let count = self.count(16 + 8 * extra)?;
        (0..count).map(|_| self.coord(extra)).collect()
    }

    fn rings(&mut self, extra: usize) -> Result<Polygon<f64>, Fault> {
        let count = self.count(4)?;
        let rings = (0..count).map(|_| self.coords(extra)).collect::<Result<Vec<_>, _>>()?;
        polygon(rings)
    }

    fn parts(&mut self, depth: usize) -> Result<Vec<Geometry<f64>>, Fault> {
        let count = self.count(5)?;
        (0..count).map(|_| self.geometry(depth + 1)).collect()
    }

    /// A line of any sort as its points.
    fn curve(&mut self, depth: usize) -> Result<Vec<Coord<f64>>, Fault> {
        if depth > DEPTH {
            return Err(Fault::new("its geometry is nested too deep"));
        }
        let head = self.head()?;
        match head.kind {
            2 => self.coords(head.extra),
            8 => {
                self.curved = true;
                Ok(straighten(&self.coords(head.extra)?))
            }
            9 => {
                let count = self.count(5)?;
                let mut all: Vec<Coord<f64>> = Vec::new();
                for _ in 0..count {
                    let piece = self.curve(depth + 1)?;
                    let shared = all.last().is_some() && all.last() == piece.first();
                    all.extend(piece.into_iter().skip(usize::from(shared)));
                }
                Ok(all)
            }
            kind => Err(Fault::new(format!("a part of type {kind} stands where a curve should"))),
        }
    }

    fn geometry(&mut self, depth: usize) -> Result<Geometry<f64>, Fault> {
        if depth > DEPTH {
            return Err(Fault::new("its geometry is nested too deep"));
        }
        let start = self.rest;
        let head = self.head()?;
        Ok(match head.kind {
            1 => {
                let coord = self.coord(head.extra)?;
                // That is how WKB writes an empty point; `geo` has none but the empty multi-point.
                if coord.x.is_nan() && coord.y.is_nan() {
                    MultiPoint::<f64>::new(vec![]).into()
                } else {
                    Point(coord).into()
                }
            }
            2 => LineString::new(self.coords(head.extra)?).into(),
            // A triangle is a polygon of one ring.
            3 | 17 => self.rings(head.extra)?.into(),
            4 => {
                let mut points = Vec::new();
                for part in self.parts(depth)? {
                    match part {
                        Geometry::Point(point) => points.push(point),
                        Geometry::MultiPoint(many) => points.extend(many.0),
                        _ => return Err(Fault::new("its multi-point holds something else")),
                    }
                }
                MultiPoint(points).into()
            }
            8 | 9 => {
                self.rest = start;
                LineString::new(self.curve(depth)?).into()
            }
            5 => lines(self.parts(depth)?)?,
            11 => {
                let count = self.count(5)?;
                let curves = (0..count)
                    .map(|_| self.curve(depth + 1).map(LineString::new))
                    .collect::<Result<_, _>>()?;
                MultiLineString(curves).into()
            }
            10 => {
                let count = self.count(5)?;
                let rings = (0..count).map(|_| self.curve(depth + 1)).collect::<Result<Vec<_>, _>>()?;
                polygon(rings)?.into()
            }
            // Multi-polygon, multi-surface, polyhedral surface, TIN.
            6 | 12 | 15 | 16 => {
                let mut polygons = Vec::new();
                for part in self.parts(depth)? {
                    match part {
                        Geometry::Polygon(polygon) => polygons.push(polygon),
                        Geometry::MultiPolygon(many) => polygons.extend(many.0),
                        _ => return Err(Fault::new("its multi-polygon holds something else")),
                    }
                }
                MultiPolygon(polygons).into()
            }
            7 => Geometry::GeometryCollection(GeometryCollection(self.parts(depth)?)),
            kind => return Err(Fault::new(format!("geometry type {kind} is unknown"))),
        })
    }
}

fn lines(parts: Vec<Geometry<f64>>) -> Result<Geometry<f64>, Fault> {
    let mut lines = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Geometry::LineString(line) => lines.push(line),
            Geometry::MultiLineString(many) => lines.extend(many.0),
            _ => return Err(Fault::new("its multi-line holds something else")),
        }
    }
    Ok(MultiLineString(lines).into())
}

/// A polygon of rings, the outer one first. Open and short rings are faults here: the polygon type
/// would close them without a word.
pub(crate) fn polygon(rings: Vec<Vec<Coord<f64>>>) -> Result<Polygon<f64>, Fault> {
    for (number, ring) in rings.iter().enumerate() {
        let (Some(first), Some(last)) = (ring.first(), ring.last()) else {
            if number == 0 && rings.len() == 1 {
                continue;
            }
            return Err(Fault::new(format!("ring {} is empty", number + 1)));
        };
        let place = Some([first.x, first.y]);
        if ring.len() < 4 {
            return Err(Fault {
                reason: format!(
                    "ring {} has {} positions; a ring needs four or more, the last equal to the first",
                    number + 1,
                    ring.len()
                ),
                place,
            });
        }
        if first != last {
            return Err(Fault {
                reason: format!("ring {} is not closed: its first and last positions differ", number + 1),
                place,
            });
        }
    }
    let mut rings = rings.into_iter().map(LineString::new);
    let outer = rings.next().unwrap_or_else(|| LineString::new(vec![]));
    Ok(Polygon::new(outer, rings.collect()))
}

/// Arcs through each three points, the third being the first of the next, as short lines.
fn straighten(arc: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let Some(first) = arc.first() else { return Vec::new() };
    let mut out = vec![*first];
    let mut i = 0;
    while i + 2 < arc.len() {
        one_arc(arc[i], arc[i + 1], arc[i + 2], &mut out);
        i += 2;
    }
    out
}

fn one_arc(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>, out: &mut Vec<Coord<f64>>) {
    use std::f64::consts::{PI, TAU};
    let (centre, sweep) = if a == c {
        // A full circle: the middle point lies opposite.
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
        let angle = |point: Coord<f64>| (point.y - centre.y).atan2(point.x - centre.x);
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

#[cfg(test)]
mod tests {
    use gdal::vector::Geometry as Ogr;
    use geo::Area;

    use super::*;

    fn wkt(text: &str) -> Result<Read, Fault> {
        read(&Ogr::from_wkt(text).unwrap().iso_wkb().unwrap())
    }

    #[test]
    fn heights_are_dropped_and_said() {
        let read = wkt("POINT ZM (1 2 3 4)").unwrap();
        assert_eq!((read.geometry, read.dropped_z), (Point::new(1.0, 2.0).into(), true));
        assert!(!wkt("POINT (1 2)").unwrap().dropped_z);
    }

    #[test]
    fn open_and_short_rings_are_faults() {
        assert!(wkt("POLYGON ((0 0,1 0,1 1,0 1))").unwrap_err().reason.contains("not closed"));
        assert!(wkt("POLYGON ((0 0,1 0,0 0))").unwrap_err().reason.contains("four"));
        assert_eq!(
            wkt("POLYGON EMPTY").unwrap().geometry,
            Polygon::new(LineString::new(vec![]), vec![]).into()
        );
        assert_eq!(wkt("POINT EMPTY").unwrap().geometry, MultiPoint::<f64>::new(vec![]).into());
    }

    #[test]
    fn a_circle_of_arcs_has_nearly_the_area_of_a_circle() {
        let read = wkt("CURVEPOLYGON (CIRCULARSTRING (1 0,0 1,-1 0,0 -1,1 0))").unwrap();
        assert!(read.curved);
        assert!((read.geometry.unsigned_area() - std::f64::consts::PI).abs() < 0.005);
    }

    #[test]
    fn cut_bytes_are_a_fault_and_not_a_panic() {
        let whole = Ogr::from_wkt("MULTIPOLYGON (((0 0,1 0,1 1,0 0)))").unwrap().iso_wkb().unwrap();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err());
        }
        assert!(read(&[1, 2, 0, 0, 0, 255, 255, 255, 255]).is_err());
    }
}
