//! The geometry of many rows in flat buffers.

use citymap_model::Geometry;
use geo::{Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use super::{buffer::Buffer, spans::RowSpan};
use crate::{Bbox, Row, mercator};

/// The kind of a row's geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ShapeKind {
    /// The row has no geometry.
    Null,
    /// One point, never empty.
    Point,
    /// One line, which may be empty.
    Line,
    /// A single polygon, with or without holes.
    Polygon,
    /// Any number of points; zero points are an empty geometry.
    MultiPoint,
    /// Any number of lines.
    MultiLine,
    /// Any number of polygons.
    MultiPolygon,
    /// Parts of more than one kind. Nested collections are flattened.
    Collection,
}

/// The kind of one part of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PartKind {
    /// One ring with one coordinate.
    Point,
    /// One ring, which is the line.
    Line,
    /// The outer ring, then the holes, each closed as stored.
    Polygon,
}

impl ShapeKind {
    #[inline]
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Null,
            1 => Self::Point,
            2 => Self::Line,
            3 => Self::Polygon,
            4 => Self::MultiPoint,
            5 => Self::MultiLine,
            6 => Self::MultiPolygon,
            7 => Self::Collection,
            _ => return None,
        })
    }
}

impl PartKind {
    #[inline]
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Point,
            1 => Self::Line,
            2 => Self::Polygon,
            _ => return None,
        })
    }
}

/// One part of a shape: its kind and its range of rings.
#[derive(Clone, Copy, Debug)]
pub struct ShapePart {
    /// Whether the part is a point, a line or a polygon.
    pub kind: PartKind,
    first_ring: u32,
    end_ring: u32,
}

impl ShapePart {
    /// The numbers of its rings, for [`ShapeRef::ring`](crate::ShapeRef::ring) and
    /// [`ShapeRef::mercator_ring`](crate::ShapeRef::mercator_ring).
    pub fn rings(&self) -> std::ops::Range<u32> {
        self.first_ring..self.end_ring
    }
}

/// The geometry of all rows in flat buffers: rows → parts → rings → coordinates. These are the nested offsets
/// of GeoArrow's multi-polygons, used for every kind. Each coordinate is stored twice: in degrees as the
/// store holds it, and in [`mercator`] units, from which tiles are cut.
#[derive(Clone, Debug)]
pub(crate) struct ShapeColumn {
    /// The code of the [`ShapeKind`] of each row.
    pub(crate) kinds: Buffer<u8>,
    pub(crate) row_parts: Buffer<u32>,
    /// The code of the [`PartKind`] of each part.
    pub(crate) part_kinds: Buffer<u8>,
    pub(crate) part_rings: Buffer<u32>,
    pub(crate) ring_coords: Buffer<u32>,
    /// Longitude and latitude of each coordinate, in degrees.
    pub(crate) lonlat: Buffer<f64>,
    /// x and y of each coordinate, in [`mercator`] units.
    pub(crate) mercator: Buffer<u32>,
}

/// A [`ShapeColumn`] under construction.
#[derive(Clone, Debug)]
pub(crate) struct ShapeBuilder {
    kinds: Vec<u8>,
    row_parts: Vec<u32>,
    part_kinds: Vec<u8>,
    part_rings: Vec<u32>,
    ring_coords: Vec<u32>,
    lonlat: Vec<[f64; 2]>,
    mercator: Vec<[u32; 2]>,
}

impl Default for ShapeBuilder {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            row_parts: vec![0],
            part_kinds: Vec::new(),
            part_rings: vec![0],
            ring_coords: vec![0],
            lonlat: Vec::new(),
            mercator: Vec::new(),
        }
    }
}

impl ShapeColumn {
    /// The number of rows, including those without geometry.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The kind of the row's geometry.
    #[inline]
    pub(crate) fn kind(&self, row: Row) -> ShapeKind {
        // No other code occurs: the builder and the reader have checked it.
        ShapeKind::of_code(self.kinds[row as usize]).unwrap_or(ShapeKind::Null)
    }

    /// The parts of the row's geometry.
    pub(crate) fn parts(&self, row: Row) -> impl ExactSizeIterator<Item = ShapePart> + '_ {
        let (kinds, rings) = (&*self.part_kinds, &*self.part_rings);
        span(&self.row_parts, row).map(|part| ShapePart {
            kind: PartKind::of_code(kinds[part]).unwrap_or(PartKind::Polygon),
            first_ring: rings[part],
            end_ring: rings[part + 1],
        })
    }

    /// The coordinates of a ring: longitude and latitude in degrees.
    pub(crate) fn ring(&self, ring: u32) -> &[[f64; 2]] {
        &self.lonlat()[span(&self.ring_coords, ring)]
    }

    /// The coordinates of a ring in [`mercator`] units.
    pub(crate) fn mercator_ring(&self, ring: u32) -> &[[u32; 2]] {
        &self.mercator()[span(&self.ring_coords, ring)]
    }

    #[inline]
    fn lonlat(&self) -> &[[f64; 2]] {
        self.lonlat.as_chunks().0
    }

    #[inline]
    fn mercator(&self) -> &[[u32; 2]] {
        self.mercator.as_chunks().0
    }

    fn row_span(&self, row: Row) -> std::ops::Range<usize> {
        let (rings, coords) = (&*self.part_rings, &*self.ring_coords);
        let parts = span(&self.row_parts, row);
        coords[rings[parts.start] as usize] as usize..coords[rings[parts.end] as usize] as usize
    }

    /// All coordinates of the row: longitude and latitude in degrees.
    pub(crate) fn coords(&self, row: Row) -> &[[f64; 2]] {
        &self.lonlat()[self.row_span(row)]
    }

    /// All coordinates of the row in [`mercator`] units.
    pub(crate) fn mercator_coords(&self, row: Row) -> &[[u32; 2]] {
        &self.mercator()[self.row_span(row)]
    }

    /// The bounding box of the row in degrees; `None` for null and empty geometry.
    pub(crate) fn bbox(&self, row: Row) -> Option<Bbox> {
        let mut coords = self.coords(row).iter();
        let first = *coords.next()?;
        Some(coords.fold(Bbox { min: first, max: first }, |bbox, coord| Bbox {
            min: [bbox.min[0].min(coord[0]), bbox.min[1].min(coord[1])],
            max: [bbox.max[0].max(coord[0]), bbox.max[1].max(coord[1])],
        }))
    }

    /// An owned copy of the row's geometry as stored; `None` if it is null.
    pub(crate) fn geometry(&self, row: Row) -> Option<Geometry> {
        let mut parts = self.parts(row);
        let line =
            |ring: u32| self.ring(ring).iter().map(|&[x, y]| Coord { x, y }).collect::<LineString<f64>>();
        let point = |part: &ShapePart| {
            let [x, y] = self.ring(part.first_ring)[0];
            Point::new(x, y)
        };
        let polygon = |part: &ShapePart| {
            let mut rings = part.rings();
            let outer = rings.next().map_or_else(|| LineString::new(Vec::new()), line);
            Polygon::new(outer, rings.map(line).collect())
        };
        let any = |part: ShapePart| -> Geometry {
            match part.kind {
                PartKind::Point => point(&part).into(),
                PartKind::Line => line(part.first_ring).into(),
                PartKind::Polygon => polygon(&part).into(),
            }
        };
        Some(match self.kind(row) {
            ShapeKind::Null => return None,
            ShapeKind::Point | ShapeKind::Line | ShapeKind::Polygon => any(parts.next()?),
            ShapeKind::MultiPoint => MultiPoint::new(parts.map(|part| point(&part)).collect()).into(),
            ShapeKind::MultiLine => {
                MultiLineString::new(parts.map(|part| line(part.first_ring)).collect()).into()
            }
            ShapeKind::MultiPolygon => MultiPolygon::new(parts.map(|part| polygon(&part)).collect()).into(),
            ShapeKind::Collection => {
                Geometry::GeometryCollection(GeometryCollection::new_from(parts.map(any).collect()))
            }
        })
    }

    /// Concatenates the shapes of the spans; `None` if 32-bit offsets overflow.
    pub(crate) fn gather(sources: [&Self; 2], spans: &[RowSpan]) -> Option<Self> {
        let mut out = ShapeBuilder::default();
        let [a, b] = sources;
        out.kinds.reserve(spans.iter().map(|span| span.rows.len()).sum());
        out.row_parts.reserve(out.kinds.capacity());
        out.part_kinds.reserve(a.part_kinds.len() + b.part_kinds.len());
        out.part_rings.reserve(a.part_kinds.len() + b.part_kinds.len());
        out.ring_coords.reserve(a.ring_coords.len() + b.ring_coords.len());
        out.lonlat.reserve(a.lonlat().len() + b.lonlat().len());
        out.mercator.reserve(a.lonlat().len() + b.lonlat().len());
        for span in spans {
            let from = sources[span.source];
            let rows = span.range();
            let parts = from.row_parts[rows.start] as usize..from.row_parts[rows.end] as usize;
            let rings = from.part_rings[parts.start] as usize..from.part_rings[parts.end] as usize;
            let coords = from.ring_coords[rings.start] as usize..from.ring_coords[rings.end] as usize;
            let limit = u32::MAX as usize;
            if out.lonlat.len() + coords.len() >= limit || out.part_kinds.len() + parts.len() >= limit {
                return None;
            }
            let moved = |to: usize, from: usize| move |offset: &u32| offset - from as u32 + to as u32;
            let to = moved(out.part_kinds.len(), parts.start);
            out.row_parts.extend(from.row_parts[rows.start + 1..=rows.end].iter().map(to));
            let to = moved(out.ring_coords.len() - 1, rings.start);
            out.part_rings.extend(from.part_rings[parts.start + 1..=parts.end].iter().map(to));
            let to = moved(out.lonlat.len(), coords.start);
            out.ring_coords.extend(from.ring_coords[rings.start + 1..=rings.end].iter().map(to));
            out.kinds.extend_from_slice(&from.kinds[rows]);
            out.part_kinds.extend_from_slice(&from.part_kinds[parts]);
            out.lonlat.extend_from_slice(&from.lonlat()[coords.clone()]);
            out.mercator.extend_from_slice(&from.mercator()[coords]);
        }
        Some(out.finish())
    }
}

/// The range of items that belong to `index`.
#[inline]
fn span(offsets: &[u32], index: u32) -> std::ops::Range<usize> {
    offsets[index as usize] as usize..offsets[index as usize + 1] as usize
}

impl ShapeBuilder {
    /// Adds a row. Returns false, and stores null, if the 32-bit offsets of the buffers would overflow.
    pub(crate) fn push(&mut self, geometry: Option<&Geometry>) -> bool {
        let kind = geometry.map_or(ShapeKind::Null, |geometry| self.push_parts(geometry));
        self.kinds.push(kind as u8);
        self.row_parts.push(self.part_kinds.len() as u32);
        self.lonlat.len() < u32::MAX as usize
    }

    fn push_parts(&mut self, geometry: &Geometry) -> ShapeKind {
        match geometry {
            Geometry::Point(point) => {
                self.push_ring([point.0]);
                self.end_part(PartKind::Point);
                ShapeKind::Point
            }
            Geometry::Line(line) => {
                self.push_ring([line.start, line.end]);
                self.end_part(PartKind::Line);
                ShapeKind::Line
            }
            Geometry::LineString(line) => {
                self.push_line(line);
                ShapeKind::Line
            }
            Geometry::Polygon(polygon) => {
                self.push_polygon(polygon);
                ShapeKind::Polygon
            }
            Geometry::Rect(rect) => {
                self.push_polygon(&rect.to_polygon());
                ShapeKind::Polygon
            }
            Geometry::Triangle(triangle) => {
                self.push_polygon(&triangle.to_polygon());
                ShapeKind::Polygon
            }
            Geometry::MultiPoint(points) => {
                for point in points {
                    self.push_ring([point.0]);
                    self.end_part(PartKind::Point);
                }
                ShapeKind::MultiPoint
            }
            Geometry::MultiLineString(lines) => {
                lines.iter().for_each(|line| self.push_line(line));
                ShapeKind::MultiLine
            }
            Geometry::MultiPolygon(polygons) => {
                polygons.iter().for_each(|polygon| self.push_polygon(polygon));
                ShapeKind::MultiPolygon
            }
            Geometry::GeometryCollection(parts) => {
                for part in parts {
                    self.push_parts(part);
                }
                ShapeKind::Collection
            }
        }
    }

    fn push_line(&mut self, line: &LineString<f64>) {
        self.push_ring(line.0.iter().copied());
        self.end_part(PartKind::Line);
    }

    fn push_polygon(&mut self, polygon: &Polygon<f64>) {
        if !polygon.exterior().0.is_empty() {
            self.push_ring(polygon.exterior().0.iter().copied());
            for hole in polygon.interiors() {
                self.push_ring(hole.0.iter().copied());
            }
        }
        self.end_part(PartKind::Polygon);
    }

    fn push_ring(&mut self, coords: impl IntoIterator<Item = Coord<f64>>) {
        for coord in coords {
            self.lonlat.push([coord.x, coord.y]);
            self.mercator.push(mercator::project([coord.x, coord.y]));
        }
        self.ring_coords.push(self.lonlat.len() as u32);
    }

    fn end_part(&mut self, kind: PartKind) {
        self.part_kinds.push(kind as u8);
        self.part_rings.push((self.ring_coords.len() - 1) as u32);
    }

    pub(crate) fn finish(self) -> ShapeColumn {
        ShapeColumn {
            kinds: self.kinds.into(),
            row_parts: self.row_parts.into(),
            part_kinds: self.part_kinds.into(),
            part_rings: self.part_rings.into(),
            ring_coords: self.ring_coords.into(),
            lonlat: self.lonlat.into_flattened().into(),
            mercator: self.mercator.into_flattened().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{line_string, point, polygon};

    #[test]
    fn every_kind_comes_back_as_it_went_in() {
        let hole = polygon!(exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
                            interiors: [[(x: 5., y: 2.), (x: 6., y: 2.), (x: 6., y: 3.), (x: 5., y: 2.)]]);
        let line = line_string![(x: 1., y: 2.), (x: 3., y: 4.)];
        let shapes: Vec<Geometry> = vec![
            point!(x: 106.7, y: 10.77).into(),
            line.clone().into(),
            hole.clone().into(),
            MultiPoint::new(vec![point!(x: 1., y: 1.), point!(x: 2., y: 2.)]).into(),
            MultiLineString::new(vec![line.clone(), line.clone()]).into(),
            MultiPolygon::new(vec![hole.clone(), hole.clone()]).into(),
            Geometry::GeometryCollection(GeometryCollection::new_from(vec![
                point!(x: 1., y: 1.).into(),
                line.into(),
                hole.into(),
            ])),
            MultiPoint::<f64>::new(vec![]).into(),
            MultiPolygon::<f64>::new(vec![]).into(),
            Polygon::<f64>::new(LineString::new(vec![]), vec![]).into(),
            Geometry::GeometryCollection(GeometryCollection::new_from(vec![])),
        ];
        let mut builder = ShapeBuilder::default();
        for shape in &shapes {
            assert!(builder.push(Some(shape)));
        }
        builder.push(None);
        let column = builder.finish();
        for (row, shape) in shapes.iter().enumerate() {
            assert_eq!(column.geometry(row as Row).as_ref(), Some(shape));
            assert_eq!(column.bbox(row as Row), Bbox::of(shape));
        }
        assert_eq!(column.geometry(shapes.len() as Row), None);
    }
}
