use std::cell::LazyCell;

use citymap_model::Geometry;
use geo::{BoundingRect, Densify, Euclidean, Length, MultiPolygon, PreparedGeometry, Relate, Validation};
use rayon::prelude::*;

use super::{
    predicate::covers_point,
    sides::{Side, Sides},
    valid::During,
};
use crate::{
    Bbox, EngineError, LayerSnapshot, Measure, Method, PartKind, Row, ShapeRef,
    overlay::{ellipsoid::GeometryParts, pair, shared_area::Scratch, slabs::PreparedShape},
};

/// Degrees within which an edge that is straight in degrees is straight on the grid too, to a hundredth of a millimetre.
const STEP: f64 = 0.000_4;
/// Edges, about, that an area has at most after its long ones are divided.
const MAX_EDGES: f64 = 20_000.0;

/// An area that somebody drew or named, checked and made ready for many tests.
pub struct Area {
    polygons: MultiPolygon<f64>,
    bbox: Bbox,
    sides: Sides,
    method: Method,
    /// The same on the home grid, where that is meant.
    prepared: PreparedShape,
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
        let method = Method::within(Some(bbox));
        let mut prepared = PreparedShape::default();
        if method != Method::Ellipsoid {
            // An edge that somebody drew is straight in degrees, and so is no straight line on the grid: 4 mm off at 1 km.
            let length: f64 = polygons.iter().map(|polygon| Euclidean.length(polygon.exterior())).sum();
            let step = STEP.max(length / MAX_EDGES);
            prepared.planar.read_area(&Euclidean.densify(&polygons, step))?;
            prepared.prepare();
        }
        Ok(Self { polygons, bbox, sides, method, prepared })
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
        let method = area.method;
        let pieces: Vec<(Vec<Row>, Tally)> = rows
            .par_chunks(CHUNK)
            .map(|rows| self.snapshot.within_piece(area, rows))
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

/// Rows that are worth a thread.
const CHUNK: usize = 512;

/// Where a feature lies to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AreaRelation {
    Apart,
    Crosses,
    Within,
}

impl LayerSnapshot {
    fn within_piece(&self, area: &Area, rows: &[Row]) -> Result<(Vec<Row>, Tally), EngineError> {
        // Hardly ever needed, and dear to make of a large area.
        let prepared = LazyCell::new(|| PreparedGeometry::from(&area.polygons));
        let within = |shape: ShapeRef<'_>| {
            shape.geometry().is_some_and(|geometry| prepared.relate(&geometry).is_covers())
        };
        let mut kept = Vec::with_capacity(rows.len());
        let mut tally = Tally::default();
        let (mut own, mut scratch) = (PreparedShape::default(), Scratch::default());
        for &row in rows {
            let shape = self.shape(row);
            let Some(bbox) = shape.bbox() else { continue };
            let relation = match area.sides.of(&bbox) {
                Side::Outside => AreaRelation::Apart,
                Side::Inside => AreaRelation::Within,
                Side::Boundary => area.relation(shape, within),
            };
            if relation == AreaRelation::Apart {
                continue;
            }
            kept.push(row);
            tally.whole += usize::from(relation == AreaRelation::Within);
            let has = |kind: PartKind| shape.parts().any(|part| part.kind == kind);
            let [area_inside, length_inside] = if area.method == Method::Ellipsoid {
                measures_on_ellipsoid(shape, area, relation)?
            } else {
                own.planar.read(shape)?;
                match relation {
                    AreaRelation::Within => [own.planar.area, own.planar.length],
                    _ => [
                        pair::areas(&own, &area.prepared, &mut scratch),
                        pair::lengths(&own, &area.prepared, &mut scratch),
                    ],
                }
            };
            tally = tally.add(Tally {
                whole: 0,
                area: has(PartKind::Polygon).then_some(area_inside),
                length: has(PartKind::Line).then_some(length_inside),
            });
        }
        Ok((kept, tally))
    }
}

impl Area {
    /// Where a feature lies whose box the boundary goes through. Exact; `within` is asked where corners and edges do not
    /// settle it.
    fn relation(&self, shape: ShapeRef<'_>, within: impl Fn(ShapeRef<'_>) -> bool) -> AreaRelation {
        let (mut inside, mut outside, mut on_edge) = (false, false, false);
        for &at in shape.coords() {
            match self.sides.of(&Bbox { min: at, max: at }) {
                Side::Inside => inside = true,
                Side::Outside => outside = true,
                Side::Boundary => on_edge = true,
            }
            if outside && (inside || on_edge) {
                return AreaRelation::Crosses;
            }
        }
        let mut rings = shape
            .parts()
            .filter(|part| part.kind != PartKind::Point)
            .flat_map(|part| part.rings())
            .map(|ring| shape.ring(ring));
        let crossed =
            on_edge || rings.any(|ring| ring.windows(2).any(|edge| self.sides.meets_edge(edge[0], edge[1])));
        // Without a corner in the area the feature still shares a point with it where edges cross, or where all of a part of
        // the area lies in it.
        if outside {
            let around = || {
                self.polygons.iter().any(|polygon| {
                    polygon
                        .exterior()
                        .0
                        .first()
                        .is_some_and(|corner| covers_point(shape, [corner.x, corner.y]))
                })
            };
            return if crossed || around() { AreaRelation::Crosses } else { AreaRelation::Apart };
        }
        // A hole of the area may lie in the feature without touching it.
        let holed = || {
            let holes = self.polygons.iter().flat_map(|polygon| polygon.interiors());
            holes.filter_map(|hole| hole.0.first()).any(|corner| covers_point(shape, [corner.x, corner.y]))
        };
        if (crossed || holed()) && !within(shape) { AreaRelation::Crosses } else { AreaRelation::Within }
    }
}

/// Area and length inside, outside of Vietnam.
fn measures_on_ellipsoid(
    shape: ShapeRef<'_>,
    area: &Area,
    relation: AreaRelation,
) -> Result<[f64; 2], EngineError> {
    let Some(geometry) = shape.geometry() else { return Ok([0.0; 2]) };
    let mut parts = GeometryParts::of(geometry);
    if relation != AreaRelation::Within {
        parts = parts.shared(&GeometryParts::of(area.polygons.clone().into()));
    }
    let [area, length, _] = parts.measures(area.method)?;
    Ok([area, length])
}
