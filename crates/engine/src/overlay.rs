use citymap_model::Geometry;
use geo::{
    BooleanOps, BoundingRect, GeometryCollection, MultiLineString, MultiPolygon, PreparedGeometry, Relate,
    Validation,
};
use rayon::prelude::*;

use crate::{
    Bbox, During, EngineError, LayerSnapshot, Measure, Method, Row,
    sides::{Side, Sides},
};

/// An area that somebody drew or named, checked and made ready for many tests.
pub struct Area {
    polygons: MultiPolygon<f64>,
    bbox: Bbox,
    sides: Sides,
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
            return Err(EngineError::InvalidArea(format!(
                "the area is not valid: {error}; draw it without crossings"
            )));
        }
        let Some(rect) = polygons.bounding_rect() else {
            return Err(EngineError::InvalidArea("the area is empty".into()));
        };
        let bbox = Bbox::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y);
        let sides = Sides::new(&polygons);
        Ok(Self { polygons, bbox, sides })
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
    /// All measures are taken as the area's own ([`Method::within`] its box).
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        self.during(None).within(area)
    }
}

impl During<'_> {
    /// As [`LayerSnapshot::within`].
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        let mut rows = Vec::new();
        self.candidates(&area.bbox, |row| rows.push(row));
        self.snapshot.sort(&mut rows);
        let method = Method::within(Some(area.bbox));
        // A piece is small enough to be worth a thread, large enough to be worth preparing for.
        let pieces: Vec<(Vec<Row>, Tally)> = rows
            .par_chunks(2048)
            .map(|rows| self.snapshot.within_piece(area, rows, method))
            .collect::<Result<_, EngineError>>()?;
        let tally = pieces.iter().fold(Tally::default(), |sum, (_, tally)| sum.add(*tally));
        let measure = |value: Option<f64>| value.map(|value| Measure { value, method });
        Ok(LayerShare {
            rows: pieces.into_iter().flat_map(|(rows, _)| rows).collect(),
            whole: tally.whole,
            area: measure(tally.area),
            length: measure(tally.length),
        })
    }
}

impl LayerSnapshot {
    fn within_piece(
        &self,
        area: &Area,
        rows: &[Row],
        method: Method,
    ) -> Result<(Vec<Row>, Tally), EngineError> {
        let prepared = PreparedGeometry::from(&area.polygons);
        let mut kept = Vec::with_capacity(rows.len());
        let mut tally = Tally::default();
        // What lies wholly inside is measured at once: most of a measure's time is the way to the grid.
        let mut inside = Vec::new();
        for &row in rows {
            let side = self.bbox(row).map_or(Side::Outside, |bbox| area.sides.of(&bbox));
            if side == Side::Outside {
                continue;
            }
            let Some(geometry) = self.geometry(row) else { continue };
            let whole = side == Side::Inside || {
                let relation = prepared.relate(&geometry);
                if !relation.is_intersects() {
                    continue;
                }
                relation.is_covers()
            };
            kept.push(row);
            if whole {
                tally.whole += 1;
                inside.push(geometry);
            } else {
                tally = tally.add(cut_share(&geometry, area, method)?);
            }
        }
        if !inside.is_empty() {
            let inside = Geometry::GeometryCollection(GeometryCollection::new_from(inside));
            tally = tally.add(whole_share(&inside, method)?);
        }
        Ok((kept, tally))
    }
}

/// The area and the length of all of `geometry`.
fn whole_share(geometry: &Geometry, method: Method) -> Result<Tally, EngineError> {
    let (polygons, lines) = kinds(geometry);
    Ok(Tally {
        whole: 0,
        area: if polygons { Some(method.area(geometry)?) } else { None },
        length: if lines { Some(method.length(geometry)?) } else { None },
    })
}

/// Whether there are polygons in it, and whether there are lines.
fn kinds(geometry: &Geometry) -> (bool, bool) {
    match geometry {
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {
            (true, false)
        }
        Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => (false, true),
        Geometry::Point(_) | Geometry::MultiPoint(_) => (false, false),
        Geometry::GeometryCollection(parts) => {
            parts.iter().map(kinds).fold((false, false), |a, b| (a.0 | b.0, a.1 | b.1))
        }
    }
}

/// The area and the length of what is left of `geometry` inside `area`.
fn cut_share(geometry: &Geometry, area: &Area, method: Method) -> Result<Tally, EngineError> {
    let polygons = |polygons: MultiPolygon<f64>| -> Result<Tally, EngineError> {
        let inside = polygons.intersection(&area.polygons);
        Ok(Tally { area: Some(method.area(&inside.into())?), ..Tally::default() })
    };
    let lines = |lines: MultiLineString<f64>| -> Result<Tally, EngineError> {
        let inside = area.polygons.clip(&lines, false);
        Ok(Tally { length: Some(method.length(&inside.into())?), ..Tally::default() })
    };
    match geometry {
        Geometry::Polygon(polygon) => polygons(MultiPolygon::new(vec![polygon.clone()])),
        Geometry::MultiPolygon(all) => polygons(all.clone()),
        Geometry::Rect(rect) => polygons(MultiPolygon::new(vec![rect.to_polygon()])),
        Geometry::Triangle(triangle) => polygons(MultiPolygon::new(vec![triangle.to_polygon()])),
        Geometry::Line(line) => lines(MultiLineString::new(vec![(*line).into()])),
        Geometry::LineString(line) => lines(MultiLineString::new(vec![line.clone()])),
        Geometry::MultiLineString(all) => lines(all.clone()),
        Geometry::Point(_) | Geometry::MultiPoint(_) => Ok(Tally::default()),
        Geometry::GeometryCollection(parts) => {
            parts.iter().try_fold(Tally::default(), |sum, part| Ok(sum.add(cut_share(part, area, method)?)))
        }
    }
}
