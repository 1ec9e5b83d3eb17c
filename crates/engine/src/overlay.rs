use citymap_model::Geometry;
use geo::{
    BooleanOps, BoundingRect, MultiLineString, MultiPolygon, PreparedGeometry, Relate, Validation,
};
use rayon::prelude::*;

use crate::{Bbox, EngineError, LayerSnapshot, Measure, Row, ShapeKind};

/// An area that somebody drew or named, checked and made ready for many tests.
pub struct Area {
    polygons: MultiPolygon<f64>,
    bbox: Bbox,
}

/// What of a layer lies in an [`Area`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerShare {
    /// The rows that share a point with the area, by fid.
    pub rows: Vec<Row>,
    /// How many of them lie wholly inside.
    pub whole: usize,
    /// The area of the polygons' parts inside; `None` where there are no polygons.
    pub area: Option<Measure>,
    /// The length of the lines' parts inside; `None` where there are no lines.
    pub length: Option<Measure>,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    whole: usize,
    area: Option<f64>,
    length: Option<f64>,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        let sum = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        Self {
            whole: self.whole + other.whole,
            area: sum(self.area, other.area),
            length: sum(self.length, other.length),
        }
    }
}

impl Area {
    /// An area from a WGS 84 polygon or multi-polygon that is valid.
    pub fn new(geometry: Geometry) -> Result<Self, EngineError> {
        let polygons = match geometry {
            Geometry::Polygon(polygon) => MultiPolygon::new(vec![polygon]),
            Geometry::MultiPolygon(polygons) => polygons,
            Geometry::Rect(rect) => MultiPolygon::new(vec![rect.to_polygon()]),
            _ => {
                return Err(EngineError::InvalidArea("the area must be a Polygon or a MultiPolygon".into()));
            }
        };
        if let Err(error) = polygons.check_validation() {
            return Err(EngineError::InvalidArea(format!("the area is not valid: {error}; draw it without crossings")));
        }
        let Some(rect) = polygons.bounding_rect() else {
            return Err(EngineError::InvalidArea("the area is empty".into()));
        };
        let bbox = Bbox::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y);
        Ok(Self { polygons, bbox })
    }

    /// The polygons.
    pub fn polygons(&self) -> &MultiPolygon<f64> {
        &self.polygons
    }

    /// The box around it.
    pub fn bbox(&self) -> Bbox {
        self.bbox
    }

    /// Its own area.
    pub fn measure(&self) -> Result<Measure, EngineError> {
        Ok(Measure::area(&self.polygons.clone().into())?)
    }
}

impl LayerSnapshot {
    /// What of this layer lies in `area`, exactly: parts are cut, what lies wholly inside is not.
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        let mut rows = Vec::new();
        self.candidates(&area.bbox, |row| rows.push(row));
        rows.sort_unstable();
        // A piece is small enough to be worth a thread, large enough to be worth preparing for.
        let pieces: Vec<(Vec<Row>, Tally)> =
            rows.par_chunks(2048).map(|rows| self.within_piece(area, rows)).collect::<Result<_, EngineError>>()?;
        let tally = pieces.iter().fold(Tally::default(), |sum, (_, tally)| sum.add(*tally));
        let method = Measure::area(&area.polygons.clone().into())?.method;
        let measure = |value: Option<f64>| value.map(|value| Measure { value, method });
        Ok(LayerShare {
            rows: pieces.into_iter().flat_map(|(rows, _)| rows).collect(),
            whole: tally.whole,
            area: measure(tally.area),
            length: measure(tally.length),
        })
    }

    fn within_piece(&self, area: &Area, rows: &[Row]) -> Result<(Vec<Row>, Tally), EngineError> {
        let prepared = PreparedGeometry::from(&area.polygons);
        let mut kept = Vec::with_capacity(rows.len());
        let mut tally = Tally::default();
        for &row in rows {
            let Some(geometry) = self.geometry(row) else { continue };
            let relation = prepared.relate(&geometry);
            if !relation.is_intersects() {
                continue;
            }
            kept.push(row);
            let whole = relation.is_covers();
            tally.whole += usize::from(whole);
            let (part_area, part_length) = match (self.shapes().kind(row), whole) {
                (ShapeKind::Null | ShapeKind::Point | ShapeKind::MultiPoint, _) => (None, None),
                (_, true) => (polygon_area(&geometry)?, line_length(&geometry)?),
                (_, false) => cut(&geometry, &area.polygons)?,
            };
            tally = tally.add(Tally { whole: 0, area: part_area, length: part_length });
        }
        Ok((kept, tally))
    }
}

fn has_polygons(geometry: &Geometry) -> bool {
    match geometry {
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => true,
        Geometry::GeometryCollection(parts) => parts.iter().any(has_polygons),
        _ => false,
    }
}

fn has_lines(geometry: &Geometry) -> bool {
    match geometry {
        Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => true,
        Geometry::GeometryCollection(parts) => parts.iter().any(has_lines),
        _ => false,
    }
}

fn polygon_area(geometry: &Geometry) -> Result<Option<f64>, EngineError> {
    if !has_polygons(geometry) {
        return Ok(None);
    }
    Ok(Some(Measure::area(geometry)?.value))
}

fn line_length(geometry: &Geometry) -> Result<Option<f64>, EngineError> {
    if !has_lines(geometry) {
        return Ok(None);
    }
    Ok(Some(Measure::length(geometry)?.value))
}

/// The area and the length of what is left of `geometry` inside `area`.
fn cut(geometry: &Geometry, area: &MultiPolygon<f64>) -> Result<(Option<f64>, Option<f64>), EngineError> {
    Ok(match geometry {
        Geometry::Polygon(polygon) => (Some(cut_polygons(&MultiPolygon::from(polygon.clone()), area)?), None),
        Geometry::MultiPolygon(polygons) => (Some(cut_polygons(polygons, area)?), None),
        Geometry::LineString(line) => (None, Some(cut_lines(&MultiLineString::new(vec![line.clone()]), area)?)),
        Geometry::MultiLineString(lines) => (None, Some(cut_lines(lines, area)?)),
        Geometry::GeometryCollection(parts) => {
            let mut tally = Tally::default();
            for part in parts {
                let (area, length) = cut(part, area)?;
                tally = tally.add(Tally { whole: 0, area, length });
            }
            (tally.area, tally.length)
        }
        _ => (None, None),
    })
}

fn cut_polygons(polygons: &MultiPolygon<f64>, area: &MultiPolygon<f64>) -> Result<f64, EngineError> {
    Ok(Measure::area(&polygons.intersection(area).into())?.value)
}

fn cut_lines(lines: &MultiLineString<f64>, area: &MultiPolygon<f64>) -> Result<f64, EngineError> {
    Ok(Measure::length(&area.clip(lines, false).into())?.value)
}
