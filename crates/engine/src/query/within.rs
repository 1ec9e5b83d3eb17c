//! What of a layer is inside a drawn area: rows, lengths and areas.

use std::{
    cell::LazyCell,
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use citymap_geometry::{check_validity, sweep_validity};
use citymap_model::{Geometry, Value};
use geo::{BoundingRect, CoordsIter, Densify, Euclidean, Length, MultiPolygon, PreparedGeometry, Relate};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{
    predicate::covers_point,
    sides::{Side, Sides},
    valid::During,
};
use crate::{
    AreaError, Bbox, EngineError, Filter, LayerSnapshot, Measure, Method, PartKind, Row, ShapeRef, ValueRef,
    filter::PreparedFilter,
    overlay::{ellipsoid::GeometryParts, pair, planar::STRAIGHT, shared_area::Scratch, slabs::PreparedShape},
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

/// Sums over features that share a point with an [`Area`]. Areas are in m², lengths in m, both by the method
/// of the [`LayerShare`] that they are part of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ShareTotals {
    /// The number of features.
    pub count: usize,
    /// The number of those that are completely inside.
    pub whole: usize,
    /// The number of those that only touch the area: they have polygons or lines, and at most [`CONTACT`] m²
    /// and m of them are inside.
    pub contacts: usize,
    /// The area of the parts of polygons that are inside; `None` if no feature has polygons. Features that
    /// overlap are each added, so that the sum may be larger than the area.
    pub area: Option<f64>,
    /// The length of the parts of lines that are inside; `None` if no feature has lines.
    pub length: Option<f64>,
    /// The area of the same polygons with their parts outside.
    pub full_area: Option<f64>,
    /// The length of the same lines with their parts outside.
    pub full_length: Option<f64>,
}

/// Up to this many m² and m inside, a feature only touches an area. Borders that neighbours share are rarely
/// drawn with the same vertices; what rounding makes of them is far below what an answer shows.
pub const CONTACT: f64 = 0.01;

/// The features of one group, and the values of the grouping fields that they have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareGroup {
    /// One value for each grouping field.
    pub values: Vec<Value>,
    /// The sums over the features of the group.
    pub totals: ShareTotals,
}

/// The part of a layer that is in an [`Area`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerShare {
    /// The rows that share a point with the area, by fid.
    pub rows: Vec<Row>,
    /// How areas and lengths were measured.
    pub method: Method,
    /// The sums over all rows.
    pub totals: ShareTotals,
    /// The sums by the values of the grouping fields, in the order of these values with null first; empty
    /// without grouping fields.
    pub groups: Vec<ShareGroup>,
}

impl ShareTotals {
    fn add(&mut self, other: &Self) {
        let sum = |a: &mut Option<f64>, b: Option<f64>| *a = a.map_or(b, |a| Some(a + b.unwrap_or(0.0)));
        self.count += other.count;
        self.whole += other.whole;
        self.contacts += other.contacts;
        sum(&mut self.area, other.area);
        sum(&mut self.length, other.length);
        sum(&mut self.full_area, other.full_area);
        sum(&mut self.full_length, other.full_length);
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
        Self::prepare(geometry, Outline::Drawn)
    }

    /// Prepares the area of a feature. Its edges are straight on the home grid, as those of all features are,
    /// so that neighbours with the same border share nothing with it.
    ///
    /// # Validity
    /// As for [`Area::new`].
    ///
    /// # Errors
    /// As for [`Area::new`].
    pub fn of_feature(geometry: Geometry) -> Result<Self, EngineError> {
        Self::prepare(geometry, Outline::Feature)
    }

    fn prepare(geometry: Geometry, outline: Outline) -> Result<Self, EngineError> {
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
            match outline {
                // A drawn edge is straight in degrees and therefore not straight on the grid: over 1 km it
                // deviates by 4 mm.
                Outline::Drawn => {
                    let length: f64 =
                        polygons.iter().map(|polygon| Euclidean.length(polygon.exterior())).sum();
                    let step = STEP.max(length / MAX_EDGES);
                    prepared.planar.read_area(&Euclidean.densify(&polygons, step), STRAIGHT)?;
                }
                Outline::Feature => prepared.planar.read_area(&polygons, f64::INFINITY)?,
            }
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

    /// How areas and lengths inside are measured.
    pub fn method(&self) -> Method {
        self.method
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
pub(crate) fn check(area: &Geometry) -> Result<(), AreaError> {
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

/// Rows that one thread processes at a time.
const CHUNK: usize = 512;
/// Rows after which the number of groups is checked: what their groups take is bounded by them.
const BATCH: usize = 64 * CHUNK;

/// The sums of some rows by the values of the grouping fields.
type Groups<'a> = FxHashMap<Vec<GroupKey<'a>>, ShareTotals>;

impl<'a> During<'a> {
    /// Like [`LayerSnapshot::within`], among the rows that are valid at the time.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a coordinate cannot be projected to the grid; [`EngineError::Cancelled`] soon
    /// after the flag of [`During::until`] is set.
    pub fn within(&self, area: &Area) -> Result<LayerShare, EngineError> {
        self.within_by(area, &Grouping::default())
    }

    /// Like [`During::within`], with the sums of [`LayerShare::groups`] by the values of fields.
    ///
    /// # Errors
    /// As for [`During::within`]; [`EngineError::TooManyGroups`] if the fields have more different values in
    /// the area than the grouping allows.
    pub fn within_by(&self, area: &Area, grouping: &Grouping<'_>) -> Result<LayerShare, EngineError> {
        let mut candidates = Vec::new();
        let filters: Vec<PreparedFilter<'_>> =
            grouping.filters.iter().map(|filter| PreparedFilter::new(self.snapshot, filter)).collect();
        self.candidates(&area.bbox, |row| {
            if filters.iter().all(|filter| filter.matches(row)) {
                candidates.push(row);
            }
        });
        self.snapshot.sort(&mut candidates);
        let mut rows = Vec::new();
        let (mut totals, mut groups) = (ShareTotals::default(), Groups::default());
        for batch in candidates.chunks(BATCH) {
            let pieces: Vec<(Vec<Row>, ShareTotals, Groups<'_>)> = batch
                .par_chunks(CHUNK)
                .map(|rows| self.within_piece(area, rows, grouping.fields))
                .collect::<Result<_, EngineError>>()?;
            for (kept, sums, by_value) in pieces {
                rows.extend(kept);
                totals.add(&sums);
                for (key, sums) in by_value {
                    groups.entry(key).or_default().add(&sums);
                }
            }
            if groups.len() > grouping.max {
                return Err(EngineError::TooManyGroups { max: grouping.max });
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let groups = groups.into_iter().map(|(key, totals)| ShareGroup {
            values: key.into_iter().map(|key| key.value.to_value()).collect(),
            totals,
        });
        Ok(LayerShare { rows, method: area.method, totals, groups: groups.collect() })
    }

    /// The sums of single rows, each by itself, in the order of `rows`. Zero for a row that shares no point
    /// with the area.
    ///
    /// # Errors
    /// As for [`During::within`].
    pub fn shares(&self, area: &Area, rows: &[Row]) -> Result<Vec<ShareTotals>, EngineError> {
        let mut shares = vec![ShareTotals::default(); rows.len()];
        self.cut_each(area, rows, |index, share| shares[index] = share)?;
        Ok(shares)
    }

    fn within_piece(
        &self,
        area: &Area,
        rows: &[Row],
        fields: &[usize],
    ) -> Result<(Vec<Row>, ShareTotals, Groups<'a>), EngineError> {
        let mut kept = Vec::with_capacity(rows.len());
        let (mut totals, mut groups) = (ShareTotals::default(), Groups::default());
        self.cut_each(area, rows, |index, share| {
            kept.push(rows[index]);
            totals.add(&share);
            if !fields.is_empty() {
                let key =
                    fields.iter().map(|&field| GroupKey { value: self.snapshot.value(rows[index], field) });
                groups.entry(key.collect()).or_default().add(&share);
            }
        })?;
        Ok((kept, totals, groups))
    }

    /// Calls `visit` with the position and the share of each row that shares a point with the area.
    fn cut_each(
        &self,
        area: &Area,
        rows: &[Row],
        mut visit: impl FnMut(usize, ShareTotals),
    ) -> Result<(), EngineError> {
        // Rarely needed, and expensive to build for a large area.
        let prepared = LazyCell::new(|| PreparedGeometry::from(&area.polygons));
        let within = |shape: ShapeRef<'_>| {
            shape.geometry().is_some_and(|geometry| prepared.relate(&geometry).is_covers())
        };
        let (mut feature, mut scratch) = (PreparedShape::default(), Scratch::default());
        for (index, &row) in rows.iter().enumerate() {
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
            let (inside, full) = if area.method == Method::Ellipsoid {
                let full = measures_on_ellipsoid(shape, area, AreaRelation::Within)?;
                let inside = match relation {
                    AreaRelation::Within => full,
                    _ => measures_on_ellipsoid(shape, area, relation)?,
                };
                (inside, full)
            } else {
                feature.planar.read(shape)?;
                let full = [feature.planar.area, feature.planar.length];
                let inside = match relation {
                    AreaRelation::Within => full,
                    _ => [
                        pair::areas(&feature, &area.prepared, &mut scratch),
                        pair::lengths(&feature, &area.prepared, &mut scratch),
                    ],
                };
                (inside, full)
            };
            visit(index, ShareTotals::of(shape, relation, inside, full));
        }
        Ok(())
    }
}

impl ShareTotals {
    /// The sums of one feature; measures are its area in m² and its length in m.
    fn of(shape: ShapeRef<'_>, relation: AreaRelation, inside: [f64; 2], full: [f64; 2]) -> Self {
        let has = |kind: PartKind| shape.parts().any(|part| part.kind == kind);
        let (polygons, lines) = (has(PartKind::Polygon), has(PartKind::Line));
        let only_touches = relation == AreaRelation::Crosses
            && (polygons || lines)
            && !has(PartKind::Point)
            && inside.iter().all(|measure| *measure <= CONTACT);
        Self {
            count: 1,
            whole: usize::from(relation == AreaRelation::Within),
            contacts: usize::from(only_touches),
            area: polygons.then_some(inside[0]),
            length: lines.then_some(inside[1]),
            full_area: polygons.then_some(full[0]),
            full_length: lines.then_some(full[1]),
        }
    }
}

/// By which fields [`During::within_by`] divides a layer, and which rows it leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grouping<'a> {
    /// Positions of the fields whose values make a group.
    pub fields: &'a [usize],
    /// The maximum number of groups.
    pub max: usize,
    /// Conditions on the rows that are counted at all, all of which must hold.
    pub filters: &'a [Filter],
}

/// A value by which rows are grouped: equal where nothing tells two values apart, so that NaN equals NaN.
#[derive(Clone, Copy, Debug)]
struct GroupKey<'a> {
    value: ValueRef<'a>,
}

impl Ord for GroupKey<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.value, other.value) {
            (ValueRef::Real(a), ValueRef::Real(b)) => a.total_cmp(&b),
            // The values of one field have one type, or none.
            (a, b) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    }
}

impl PartialOrd for GroupKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for GroupKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for GroupKey<'_> {}

impl Hash for GroupKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.value {
            ValueRef::Null => state.write_u8(0),
            ValueRef::Bool(value) => value.hash(state),
            ValueRef::Int(value) => value.hash(state),
            ValueRef::Real(value) => value.to_bits().hash(state),
            ValueRef::Text(value) => value.hash(state),
            ValueRef::Date(value) => value.hash(state),
            ValueRef::DateTime(value) => value.hash(state),
        }
    }
}

/// The relation of a feature to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AreaRelation {
    Apart,
    Crosses,
    Within,
}

/// How the edges of an area run between its vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outline {
    /// Straight in longitude and latitude.
    Drawn,
    /// Straight on the home grid.
    Feature,
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
