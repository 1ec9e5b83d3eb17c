use citymap_model::Geometry;
use geo::{Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use crate::{Bbox, Row, gather::Piece, mercator};

/// What a row's geometry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// No geometry.
    Null,
    /// One point.
    Point,
    /// One line.
    Line,
    /// One polygon.
    Polygon,
    /// Points; none of them is an empty geometry.
    MultiPoint,
    /// Lines.
    MultiLine,
    /// Polygons.
    MultiPolygon,
    /// Parts of more than one kind. Collections in collections are laid flat.
    Collection,
}

/// What a part of a shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// One ring of one coordinate.
    Point,
    /// One ring: the line.
    Line,
    /// The outer ring, then the holes, each closed as stored.
    Polygon,
}

/// A part of a shape: its kind and its rings.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    first_ring: u32,
    end_ring: u32,
}

impl Part {
    /// The numbers of its rings, for [`Shape::ring`](crate::Shape::ring) and
    /// [`Shape::mercator_ring`](crate::Shape::mercator_ring).
    pub fn rings(&self) -> std::ops::Range<u32> {
        self.first_ring..self.end_ring
    }
}

/// The geometry of all rows in flat buffers: rows → parts → rings → coordinates, the nested
/// offsets of GeoArrow's multi-polygons used for every kind. Beside the stored degrees stand
/// the same coordinates in [`mercator`] units, which tiles are cut from.
#[derive(Clone, Debug)]
pub(crate) struct ShapeColumn {
    kinds: Vec<ShapeKind>,
    row_parts: Vec<u32>,
    part_kinds: Vec<PartKind>,
    part_rings: Vec<u32>,
    ring_coords: Vec<u32>,
    lonlat: Vec<[f64; 2]>,
    mercator: Vec<[u32; 2]>,
}

impl Default for ShapeColumn {
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
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// What the row's geometry is.
    pub(crate) fn kind(&self, row: Row) -> ShapeKind {
        self.kinds[row as usize]
    }

    /// The row's parts.
    pub(crate) fn parts(&self, row: Row) -> impl ExactSizeIterator<Item = Part> + '_ {
        let range = self.row_parts[row as usize] as usize..self.row_parts[row as usize + 1] as usize;
        range.map(|part| Part {
            kind: self.part_kinds[part],
            first_ring: self.part_rings[part],
            end_ring: self.part_rings[part + 1],
        })
    }

    fn span(&self, ring: u32) -> std::ops::Range<usize> {
        self.ring_coords[ring as usize] as usize..self.ring_coords[ring as usize + 1] as usize
    }

    /// A ring's coordinates, longitude and latitude in degrees.
    pub(crate) fn ring(&self, ring: u32) -> &[[f64; 2]] {
        &self.lonlat[self.span(ring)]
    }

    /// A ring's coordinates in [`mercator`] units.
    pub(crate) fn mercator_ring(&self, ring: u32) -> &[[u32; 2]] {
        &self.mercator[self.span(ring)]
    }

    fn row_span(&self, row: Row) -> std::ops::Range<usize> {
        let first = self.part_rings[self.row_parts[row as usize] as usize];
        let end = self.part_rings[self.row_parts[row as usize + 1] as usize];
        self.ring_coords[first as usize] as usize..self.ring_coords[end as usize] as usize
    }

    /// All coordinates of the row, in degrees.
    pub(crate) fn coords(&self, row: Row) -> &[[f64; 2]] {
        &self.lonlat[self.row_span(row)]
    }

    /// All coordinates of the row, in [`mercator`] units.
    pub(crate) fn mercator_coords(&self, row: Row) -> &[[u32; 2]] {
        &self.mercator[self.row_span(row)]
    }

    /// The box around the row; `None` for null and empty geometry.
    pub(crate) fn bbox(&self, row: Row) -> Option<Bbox> {
        let mut coords = self.coords(row).iter();
        let first = *coords.next()?;
        Some(coords.fold(Bbox { min: first, max: first }, |bbox, coord| Bbox {
            min: [bbox.min[0].min(coord[0]), bbox.min[1].min(coord[1])],
            max: [bbox.max[0].max(coord[0]), bbox.max[1].max(coord[1])],
        }))
    }

    /// The row's geometry, as stored; `None` for a null geometry.
    pub(crate) fn geometry(&self, row: Row) -> Option<Geometry> {
        let mut parts = self.parts(row);
        let line =
            |ring: u32| self.ring(ring).iter().map(|&[x, y]| Coord { x, y }).collect::<LineString<f64>>();
        let point = |part: &Part| {
            let [x, y] = self.ring(part.first_ring)[0];
            Point::new(x, y)
        };
        let polygon = |part: &Part| {
            let mut rings = part.rings();
            let outer = rings.next().map_or_else(|| LineString::new(Vec::new()), line);
            Polygon::new(outer, rings.map(line).collect())
        };
        let any = |part: Part| -> Geometry {
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

    /// Adds a row. False (and the row is null) where the buffers' 32-bit offsets do not reach.
    pub(crate) fn push(&mut self, geometry: Option<&Geometry>) -> bool {
        let kind = geometry.map_or(ShapeKind::Null, |geometry| self.push_parts(geometry));
        self.kinds.push(kind);
        self.row_parts.push(self.part_kinds.len() as u32);
        self.lonlat.len() < u32::MAX as usize
    }

    /// The shapes of the pieces, one after the other; `None` where 32 bits do not reach.
    pub(crate) fn gather(sources: [&Self; 2], pieces: &[Piece]) -> Option<Self> {
        let mut out = Self::default();
        let [a, b] = sources;
        out.kinds.reserve(pieces.iter().map(|piece| piece.rows.len()).sum());
        out.row_parts.reserve(out.kinds.capacity());
        out.part_kinds.reserve(a.part_kinds.len() + b.part_kinds.len());
        out.part_rings.reserve(a.part_kinds.len() + b.part_kinds.len());
        out.ring_coords.reserve(a.ring_coords.len() + b.ring_coords.len());
        out.lonlat.reserve(a.lonlat.len() + b.lonlat.len());
        out.mercator.reserve(a.lonlat.len() + b.lonlat.len());
        for piece in pieces {
            let from = sources[piece.source];
            let rows = piece.range();
            let parts = from.row_parts[rows.start] as usize..from.row_parts[rows.end] as usize;
            let rings = from.part_rings[parts.start] as usize..from.part_rings[parts.end] as usize;
            let coords = from.ring_coords[rings.start] as usize..from.ring_coords[rings.end] as usize;
            let most = u32::MAX as usize;
            if out.lonlat.len() + coords.len() >= most || out.part_kinds.len() + parts.len() >= most {
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
            out.lonlat.extend_from_slice(&from.lonlat[coords.clone()]);
            out.mercator.extend_from_slice(&from.mercator[coords]);
        }
        Some(out)
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
        self.part_kinds.push(kind);
        self.part_rings.push((self.ring_coords.len() - 1) as u32);
    }

    pub(crate) fn shrink(&mut self) {
        self.kinds.shrink_to_fit();
        self.row_parts.shrink_to_fit();
        self.part_kinds.shrink_to_fit();
        self.part_rings.shrink_to_fit();
        self.ring_coords.shrink_to_fit();
        self.lonlat.shrink_to_fit();
        self.mercator.shrink_to_fit();
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
        let mut column = ShapeColumn::default();
        for shape in &shapes {
            assert!(column.push(Some(shape)));
        }
        column.push(None);
        for (row, shape) in shapes.iter().enumerate() {
            assert_eq!(column.geometry(row as Row).as_ref(), Some(shape));
            assert_eq!(column.bbox(row as Row), Bbox::of(shape));
        }
        assert_eq!(column.geometry(shapes.len() as Row), None);
    }
}
