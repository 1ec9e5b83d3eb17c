//! The parts of a geometry by their kind, and what two geometries share in degrees: for drawn areas outside
//! of Vietnam, where the home grid does not apply.

use citymap_model::Geometry;
use geo::{
    BooleanOps, Coord, GeometryCollection, Intersects, LineString, MultiLineString, MultiPoint, MultiPolygon,
};
use rustc_hash::FxHashSet;

use super::dissolve;
use crate::{EngineError, Method};

/// Degrees within which lines count as running over each other: about 1 µm.
const TOUCH: f64 = 1e-11;
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
