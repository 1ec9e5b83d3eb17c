//! What of a layer is inside a drawn area: rows, lengths and areas.

use std::cell::LazyCell;

use citymap_geometry::{check_validity, sweep_validity};
use citymap_model::Geometry;
use geo::{BoundingRect, CoordsIter, Densify, Euclidean, Length, MultiPolygon, PreparedGeometry, Relate};
use rayon::prelude::*;

use super::{
    predicate::covers_point,
    sides::{Side, Sides},
    valid::During,
};
use crate::{
    AreaError, Bbox, EngineError, LayerSnapshot, Measure, Method, PartKind, Row, ShapeRef,
    overlay::{ellipsoid::GeometryParts, pair, shared_area::Scratch, slabs::PreparedShape},
};

/// Degrees below which an edge that is straight in degrees is straight on the grid too, to 0.01 mm.
const STEP: f64 = 0.000_4;
/// Approximate maximum number of edges of an area after its long edges are divided.
const MAX_EDGES: f64 = 20_000.0;
/// Maximum number of corners of an area in which rings touch each other.
const TOUCHING_CORNERS_MAX: usize = 4_000;

/// A drawn or named area, validated and prepared for many tests.
#[derive(Debug)]
pub struct Area {
    polygons: MultiPolygon<f64>,
    bbox: Bbox,
    sides: Sides,
    method: Method,
    /// The area on the home grid with its index of edges; empty if the area is measured on the ellipsoid.
    prepared: PreparedShape,
}

/// The part of a layer that is in an [`Area`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerShare {
    /// The rows that share a point with the area, by fid.
    pub rows: Vec<Row>,
    /// The number of `rows` that are completely inside.
    pub whole: usize,
    /// The area of the parts of polygons that are inside; `None` if no row has polygons.
    pub area: Option<Measure>,
    /// The length of the parts of lines that are inside; `None` if no row has lines.
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
    /// Prepares an area from a polygon or multi-polygon in WGS 84 degrees.
    ///
    /// # Validity
    /// The polygons must be valid by the rules of OGC Simple Features: no ring may cross itself or another
    /// one, holes are inside, and polygons do not overlap. Invalid ones are rejected, since sums over them
    /// would count parts twice.
    ///
    /// # Errors
    /// [`EngineError::InvalidArea`] if the geometry is of another kind, invalid or empty;
    /// [`EngineError::Crs`] if it cannot be projected to the home grid.
    pub fn new(geometry: Geometry) -> Result<Self, EngineError> {
        check(&geometry)?;
        let polygons = match geometry {
            Geometry::Polygon(polygon) => MultiPolygon::new(vec![polygon]),
            Geometry::MultiPolygon(polygons) => polygons,
            Geometry::Rect(rect) => MultiPolygon::new(vec![rect.to_polygon()]),
            _ => return Err(AreaError::Kind.into()),
        };
        let Some(rect) = polygons.bounding_rect() else {
            return Err(AreaError::Empty.into());
        };
        let bbox = Bbox::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y);
        let sides = Sides::new(&polygons);
        let method = Method::within(Some(bbox));
        let mut prepared = PreparedShape::default();
        if method != Method::Ellipsoid {
            // A drawn edge is straight in degrees and therefore not straight on the grid: over 1 km it
            // deviates by 4 mm.
            let length: f64 = polygons.iter().map(|polygon| Euclidean.length(polygon.exterior())).sum();
            let step = STEP.max(length / MAX_EDGES);
            prepared.planar.read_area(&Euclidean.densify(&polygons, step))?;
            prepared.prepare();
        }
        Ok(Self { polygons, bbox, sides, method, prepared })
    }

    /// The polygons of the area in WGS 84 degrees.
    pub fn polygons(&self) -> &MultiPolygon<f64> {
        &self.polygons
    }

    /// The bounding box of the area in degrees.
    pub fn bbox(&self) -> Bbox {
        self.bbox
    }

    /// The area of the polygons themselves, in m².
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a coordinate cannot be projected to the grid.
    pub fn measure(&self) -> Result<Measure, EngineError> {
        Ok(Measure::area(&self.polygons.clone().into())?)
    }
}

/// Checks an area. Comparing every pair of edges is necessary only where rings touch, and limited to
/// [`TOUCHING_CORNERS_MAX`].
fn check(area: &Geometry) -> Result<(), AreaError> {
    let valid = match sweep_validity(area) {
        Some(decided) => decided,
        None if area.coords_count() > TOUCHING_CORNERS_MAX => {
            return Err(AreaError::TouchingRings { max: TOUCHING_CORNERS_MAX });
        }
        None => check_validity(area),
    };
    valid.map_err(|source| AreaError::Invalid { source })
}

impl LayerSnapshot {
    /// The part of this layer that is in `area`. Lengths and areas are computed by one method for all
    /// features, that of the area's bounding box ([`Method::within`]).
    ///
    /// # Validity
    /// Polygons of the layer that overlap themselves count the overlap twice.
    ///
    /// # Precision
    /// On the home grid, sums of areas are accurate to 1e-6 m² for each feature. Which rows are inside, and
    /// which completely, is decided exactly.
    ///
    /// # Complexity
    /// Rows whose box is clear of the area's boundary are decided by one index search and are not cut. For
    /// the others the edges near the boundary are compared, in parallel over chunks of rows.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a coordinate cannot be projected to the grid.
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        self.during(None).within(area)
    }
}

impl During<'_> {
    /// Like [`LayerSnapshot::within`], among the rows that are valid at the time.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a coordinate cannot be projected to the grid; [`EngineError::Cancelled`] soon
    /// after the flag of [`During::until`] is set.
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        let mut rows = Vec::new();
        self.candidates(&area.bbox, |row| rows.push(row));
        self.snapshot.sort(&mut rows);
        let method = area.method;
        let pieces: Vec<(Vec<Row>, Tally)> = rows
            .par_chunks(CHUNK)
            .map(|rows| self.within_piece(area, rows))
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

/// Rows that one thread processes at a time.
const CHUNK: usize = 512;

/// The relation of a feature to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AreaRelation {
    Apart,
    Crosses,
    Within,
}

impl During<'_> {
    fn within_piece(&self, area: &Area, rows: &[Row]) -> Result<(Vec<Row>, Tally), EngineError> {
        // Rarely needed, and expensive to build for a large area.
        let prepared = LazyCell::new(|| PreparedGeometry::from(&area.polygons));
        let within = |shape: ShapeRef<'_>| {
            shape.geometry().is_some_and(|geometry| prepared.relate(&geometry).is_covers())
        };
        let mut kept = Vec::with_capacity(rows.len());
        let mut tally = Tally::default();
        let (mut feature, mut scratch) = (PreparedShape::default(), Scratch::default());
        for &row in rows {
            self.check()?;
            let shape = self.snapshot.shape(row);
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
                feature.planar.read(shape)?;
                match relation {
                    AreaRelation::Within => [feature.planar.area, feature.planar.length],
                    _ => [
                        pair::areas(&feature, &area.prepared, &mut scratch),
                        pair::lengths(&feature, &area.prepared, &mut scratch),
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
    /// The relation of a feature whose box meets the boundary. Exact; calls `within` only if vertices and
    /// edges do not decide it.
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
        let edges = |meets: &dyn Fn([f64; 2], [f64; 2]) -> bool| {
            let parts = shape.parts().filter(|part| part.kind != PartKind::Point);
            let mut rings = parts.flat_map(|part| part.rings()).map(|ring| shape.ring(ring));
            rings.any(|ring| ring.windows(2).any(|edge| meets(edge[0], edge[1])))
        };
        // An edge that goes through an edge of the boundary leaves the area: the relation is decided without
        // comparing the whole of both, which takes long for an area of many corners.
        if !outside && edges(&|a, b| self.sides.crosses_edge(a, b)) {
            return AreaRelation::Crosses;
        }
        let crossed = on_edge || edges(&|a, b| self.sides.meets_edge(a, b));
        // Without a vertex in the area the feature still shares a point with it if edges cross, or if a whole
        // part of the area is in the feature.
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
        // A hole of the area may be inside the feature without touching it.
        let holed = || {
            let holes = self.polygons.iter().flat_map(|polygon| polygon.interiors());
            holes.filter_map(|hole| hole.0.first()).any(|corner| covers_point(shape, [corner.x, corner.y]))
        };
        if (crossed || holed()) && !within(shape) { AreaRelation::Crosses } else { AreaRelation::Within }
    }
}

/// Area (m²) and length (m) inside, measured on the ellipsoid outside of Vietnam.
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
