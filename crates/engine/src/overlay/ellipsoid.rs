//! Overlay outside of Vietnam, where the home grid does not apply: cut in degrees, where edges are
//! straight, and measured on the ellipsoid. This path is correct but not optimised for speed.

use citymap_model::Geometry;
use geo::{
    BooleanOps, BoundingRect, Coord, CoordsIter, GeometryCollection, Intersects, LineString, MultiLineString,
    MultiPoint, MultiPolygon,
};
use rustc_hash::FxHashSet;

use super::{dissolve, pair::Pair};
use crate::{EngineError, Method, ShapeRef};

/// Degrees within which lines count as running over each other: about 1 µm.
const TOUCH: f64 = 1e-11;
/// Product of the numbers of coordinates up to which a full test for a common point is quicker than cutting.
const SMALL: usize = 10_000;

/// The parts of a geometry, sorted by kind.
pub(crate) struct GeometryParts {
    pub(crate) polygons: MultiPolygon<f64>,
    pub(crate) lines: MultiLineString<f64>,
    pub(crate) points: MultiPoint<f64>,
}

impl GeometryParts {
    pub(crate) fn of(geometry: Geometry) -> Self {
        let mut parts = Self {
            polygons: MultiPolygon::new(Vec::new()),
            lines: MultiLineString::new(Vec::new()),
            points: MultiPoint::new(Vec::new()),
        };
        parts.add(geometry);
        parts.count_once();
        parts
    }

    /// Leaves out equal points, and what lines run over a second time.
    fn count_once(&mut self) {
        let mut seen = FxHashSet::default();
        self.points
            .0
            .retain(|point| seen.insert([point.x(), point.y()].map(|value| (value + 0.0).to_bits())));
        let lines: Vec<Vec<[f64; 2]>> =
            self.lines.iter().map(|line| line.coords().map(|at| [at.x, at.y]).collect()).collect();
        let slices: Vec<&[[f64; 2]]> = lines.iter().map(Vec::as_slice).collect();
        if let Some(once) = dissolve::once(&slices, TOUCH) {
            let line = |line: Vec<[f64; 2]>| {
                LineString::new(line.into_iter().map(|[x, y]| Coord { x, y }).collect())
            };
            self.lines.0 = once.into_iter().map(line).collect();
        }
    }

    fn add(&mut self, geometry: Geometry) {
        match geometry {
            Geometry::Polygon(polygon) => self.polygons.0.push(polygon),
            Geometry::MultiPolygon(polygons) => self.polygons.0.extend(polygons.0),
            Geometry::Rect(rect) => self.polygons.0.push(rect.to_polygon()),
            Geometry::Triangle(triangle) => self.polygons.0.push(triangle.to_polygon()),
            Geometry::Line(line) => self.lines.0.push(line.into()),
            Geometry::LineString(line) => self.lines.0.push(line),
            Geometry::MultiLineString(lines) => self.lines.0.extend(lines.0),
            Geometry::Point(point) => self.points.0.push(point),
            Geometry::MultiPoint(points) => self.points.0.extend(points.0),
            Geometry::GeometryCollection(parts) => parts.0.into_iter().for_each(|part| self.add(part)),
        }
    }

    /// The simplest geometry that holds all parts; `None` if there are none.
    pub(crate) fn geometry(self) -> Option<Geometry> {
        fn simple<T, G: From<T>, M: Into<G>>(mut parts: Vec<T>, many: impl FnOnce(Vec<T>) -> M) -> Option<G> {
            match parts.len() {
                0 => None,
                1 => parts.pop().map(Into::into),
                _ => Some(many(parts).into()),
            }
        }
        let mut all: Vec<Geometry> = [
            simple(self.polygons.0, MultiPolygon::new),
            simple(self.lines.0, MultiLineString::new),
            simple(self.points.0, MultiPoint::new),
        ]
        .into_iter()
        .flatten()
        .collect();
        if all.len() > 1 {
            return Some(Geometry::GeometryCollection(GeometryCollection::new_from(all)));
        }
        all.pop()
    }

    /// What both geometries share: polygons in polygons, lines in polygons, points in polygons.
    pub(crate) fn shared(&self, other: &Self) -> Self {
        let mut lines = other.polygons.clip(&self.lines, false);
        lines.0.extend(self.polygons.clip(&other.lines, false).0);
        let inside = |points: &MultiPoint<f64>, polygons: &MultiPolygon<f64>| {
            points.0.iter().copied().filter(|point| polygons.intersects(point)).collect::<Vec<_>>()
        };
        let mut points = inside(&self.points, &other.polygons);
        points.extend(inside(&other.points, &self.polygons));
        Self { polygons: self.polygons.intersection(&other.polygons), lines, points: MultiPoint::new(points) }
    }

    pub(crate) fn measures(&self, method: Method) -> Result<[f64; 3], EngineError> {
        Ok([
            method.area(&self.polygons.clone().into())?,
            method.length(&self.lines.clone().into())?,
            self.points.0.len() as f64,
        ])
    }
}

/// The measures that two features share; measures of at most `min_measure` count as 0.
pub(crate) fn pair(
    a: ShapeRef<'_>,
    b: ShapeRef<'_>,
    method: Method,
    min_measure: f64,
) -> Result<Pair, EngineError> {
    let (Some(first), Some(second)) = (a.geometry(), b.geometry()) else { return Ok(Pair::Apart) };
    let boxes_meet = match (first.bounding_rect(), second.bounding_rect()) {
        (Some(one), Some(other)) => one.intersects(&other),
        _ => false,
    };
    // The test compares all edges with all edges, so it comes first for small shapes only.
    let small = first.coords_count() * second.coords_count() <= SMALL;
    if !boxes_meet || small && !first.intersects(&second) {
        return Ok(Pair::Apart);
    }
    let (one, other) = (GeometryParts::of(first.clone()), GeometryParts::of(second.clone()));
    let shared = one.shared(&other).measures(method)?;
    let shared = [
        if shared[0] > min_measure { shared[0] } else { 0.0 },
        if shared[1] > min_measure { shared[1] } else { 0.0 },
        shared[2],
    ];
    Ok(match Pair::measured(shared, one.measures(method)?, other.measures(method)?) {
        Pair::Apart if small || first.intersects(&second) => Pair::Contact,
        pair => pair,
    })
}

/// The geometry that two features share, in WGS 84 degrees.
pub(crate) fn geometry(a: ShapeRef<'_>, b: ShapeRef<'_>) -> Option<Geometry> {
    GeometryParts::of(a.geometry()?).shared(&GeometryParts::of(b.geometry()?)).geometry()
}
