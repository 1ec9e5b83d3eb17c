//! Transformations of coordinates and geometry between two systems.

use geo::{Geometry, LineString, Polygon};
use proj::{Coord, Proj};

use crate::{Crs, CrsError, cache, steps::steps};

/// Transforms pairs in place from one system to another. `Copy` and `Send`; the PROJ object behind it is in a
/// cache of each thread.
///
/// # Precision
/// VN-2000 ↔ WGS 84 follows EPSG:6960 at height 0 above the WGS 84 ellipsoid. There and back again ends
/// within 1e-9 degrees of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transform {
    from: Crs,
    to: Crs,
}

/// Number of pairs passed to PROJ at once: enough to hide the cost of the call, and few enough to stay in the
/// cache.
const BATCH: usize = 512;

/// Tolerance in degrees at the edges of the world: PROJ returns −180 and 90 with the last bit changed.
const EDGE: f64 = 1e-9;

/// A pair in the form that the PROJ wrapper requires.
#[derive(Clone, Copy)]
struct Pair([f64; 2]);

impl Coord<f64> for Pair {
    fn x(&self) -> f64 {
        self.0[0]
    }
    fn y(&self) -> f64 {
        self.0[1]
    }
    fn from_xy(x: f64, y: f64) -> Self {
        Self([x, y])
    }
}

impl Transform {
    /// A transformation between two systems.
    ///
    /// # Errors
    /// [`CrsError::NoTransform`] if PROJ has no transformation between them.
    pub fn new(from: Crs, to: Crs) -> Result<Self, CrsError> {
        let transform = Self { from, to };
        for step in steps(from, to) {
            transform.made(cache::object(step))?;
        }
        Ok(transform)
    }

    /// A transformation that the caller knows to exist.
    pub(crate) const fn known(from: Crs, to: Crs) -> Self {
        Self { from, to }
    }

    /// The system that coordinates come from.
    pub fn from(&self) -> Crs {
        self.from
    }

    /// The system that coordinates go to.
    pub fn to(&self) -> Crs {
        self.to
    }

    /// Transforms `[x, y]` pairs in place. After an error the pairs are unspecified.
    ///
    /// # Errors
    /// [`CrsError::OutOfRange`], with the pair as given, if a pair is not finite, is beyond ±180 or ±90
    /// degrees, or has no image in the other system.
    pub fn apply(&self, coords: &mut [[f64; 2]]) -> Result<(), CrsError> {
        let (from_degrees, to_degrees) = (self.from.is_geographic(), self.to.is_geographic());
        if let Some(&bad) = coords.iter().find(|&&pair| !on_earth(pair, from_degrees)) {
            return Err(self.out_of_range(bad));
        }
        let objects = steps(self.from, self.to)
            .map(|step| self.made(cache::object(step)))
            .collect::<Result<Vec<_>, CrsError>>()?;
        if objects.is_empty() {
            return Ok(());
        }
        let mut batch = Vec::with_capacity(BATCH.min(coords.len()));
        for given in coords.chunks_mut(BATCH) {
            batch.clear();
            batch.extend(given.iter().map(|&pair| Pair(pair)));
            let whole = objects.iter().all(|object| object.convert_array(&mut batch).is_ok())
                && batch.iter().all(|pair| on_earth(pair.0, to_degrees));
            if !whole {
                return Err(self.out_of_range(first_without_image(&objects, given, to_degrees)));
            }
            for (place, pair) in given.iter_mut().zip(&batch) {
                *place = pair.0;
            }
        }
        Ok(())
    }

    /// Transforms one pair `[x, y]`.
    ///
    /// # Errors
    /// [`CrsError::OutOfRange`] under the conditions of [`Transform::apply`].
    pub fn point(&self, coord: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let mut pair = [coord];
        self.apply(&mut pair)?;
        Ok(pair[0])
    }

    /// Transforms a geometry in place. After an error it is unspecified.
    ///
    /// # Errors
    /// [`CrsError::OutOfRange`] under the conditions of [`Transform::apply`].
    pub fn geometry(&self, geometry: &mut Geometry<f64>) -> Result<(), CrsError> {
        // One batch for the whole geometry.
        let mut coords: Vec<[f64; 2]> = Vec::new();
        visit(geometry, &mut |coord| coords.push([coord.x, coord.y]));
        self.apply(&mut coords)?;
        let mut moved = coords.into_iter();
        visit(geometry, &mut |coord| {
            if let Some([x, y]) = moved.next() {
                (coord.x, coord.y) = (x, y);
            }
        });
        Ok(())
    }

    fn made<T>(&self, made: Result<T, proj::ProjCreateError>) -> Result<T, CrsError> {
        made.map_err(|source| CrsError::NoTransform { from: self.from, to: self.to, source })
    }

    fn out_of_range(&self, [x, y]: [f64; 2]) -> CrsError {
        CrsError::OutOfRange { x, y, crs: self.from }
    }
}

/// Calls `at` with every coordinate of a geometry, always in the same order. A rectangle becomes a polygon,
/// since it is not a rectangle in another system.
fn visit(geometry: &mut Geometry<f64>, at: &mut dyn FnMut(&mut geo::Coord<f64>)) {
    fn line(line: &mut LineString<f64>, at: &mut dyn FnMut(&mut geo::Coord<f64>)) {
        line.0.iter_mut().for_each(at);
    }
    fn polygon(polygon: &mut Polygon<f64>, at: &mut dyn FnMut(&mut geo::Coord<f64>)) {
        polygon.exterior_mut(|ring| line(ring, at));
        polygon.interiors_mut(|rings| rings.iter_mut().for_each(|ring| line(ring, at)));
    }
    if let Geometry::Rect(rect) = geometry {
        *geometry = rect.to_polygon().into();
    }
    match geometry {
        Geometry::Point(point) => at(&mut point.0),
        Geometry::MultiPoint(points) => points.0.iter_mut().for_each(|point| at(&mut point.0)),
        Geometry::Line(line) => {
            at(&mut line.start);
            at(&mut line.end);
        }
        Geometry::LineString(it) => line(it, at),
        Geometry::MultiLineString(lines) => lines.0.iter_mut().for_each(|it| line(it, at)),
        Geometry::Polygon(it) => polygon(it, at),
        Geometry::MultiPolygon(polygons) => polygons.0.iter_mut().for_each(|it| polygon(it, at)),
        Geometry::GeometryCollection(parts) => parts.0.iter_mut().for_each(|part| visit(part, at)),
        Geometry::Triangle(triangle) => {
            let [mut a, mut b, mut c] = triangle.to_array();
            [&mut a, &mut b, &mut c].into_iter().for_each(at);
            *triangle = geo::Triangle::new(a, b, c);
        }
        Geometry::Rect(_) => {}
    }
}

/// Whether a pair is finite and, in degrees, on the globe.
fn on_earth([x, y]: [f64; 2], degrees: bool) -> bool {
    x.is_finite() && y.is_finite() && !(degrees && (x.abs() > 180.0 + EDGE || y.abs() > 90.0 + EDGE))
}

/// The first pair that has no image, which made its batch fail.
fn first_without_image(objects: &[std::rc::Rc<Proj>], given: &[[f64; 2]], degrees: bool) -> [f64; 2] {
    let has_image = |pair: [f64; 2]| {
        objects
            .iter()
            .try_fold(Pair(pair), |pair, object| object.convert(pair).ok())
            .is_some_and(|pair| on_earth(pair.0, degrees))
    };
    given
        .iter()
        .copied()
        .find(|&pair| !has_image(pair))
        .unwrap_or_else(|| given.first().copied().unwrap_or_default())
}
