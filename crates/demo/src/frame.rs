//! From the plan's metres to longitude and latitude, many points at a time.

use citymap_crs::{Crs, CrsError, Transform};
use citymap_model::{Geometry, NewFeature, Value};
use geo::{Coord, LineString, MultiPolygon, Point, Polygon};

use crate::geom::P;

/// Bến Thành market on VN-2000 / TM-3 105-45 (EPSG:9210), metres east and north: the plan's origin.
const ORIGIN: [f64; 2] = [603_481.588, 1_191_454.611];

/// Longitudes and latitudes, degrees, as metres from the centre.
pub(crate) fn to_local(lonlat: &[[f64; 2]]) -> Result<Vec<P>, CrsError> {
    let mut coords = lonlat.to_vec();
    Transform::new(Crs::WGS84, Crs::home())?.apply(&mut coords)?;
    Ok(coords.into_iter().map(|[x, y]| P { x: x - ORIGIN[0], y: y - ORIGIN[1] }).collect())
}

enum Shape {
    Point,
    Line(usize),
    Polygon(usize),
    Polygons(Vec<usize>, Vec<usize>),
}

/// Features in the plan's metres, on their way to longitude and latitude.
#[derive(Default)]
pub(crate) struct Batch {
    coords: Vec<[f64; 2]>,
    shapes: Vec<(Shape, Vec<Value>)>,
}

impl Batch {
    fn add(&mut self, points: impl IntoIterator<Item = P>) -> usize {
        let before = self.coords.len();
        self.coords.extend(points.into_iter().map(|point| [point.x + ORIGIN[0], point.y + ORIGIN[1]]));
        self.coords.len() - before
    }

    pub(crate) fn point(&mut self, point: P, values: Vec<Value>) {
        self.add([point]);
        self.shapes.push((Shape::Point, values));
    }

    pub(crate) fn line(&mut self, points: impl IntoIterator<Item = P>, values: Vec<Value>) {
        let count = self.add(points);
        self.shapes.push((Shape::Line(count), values));
    }

    /// A polygon without holes; the ring's end is not repeated.
    pub(crate) fn polygon(&mut self, ring: impl IntoIterator<Item = P>, values: Vec<Value>) {
        let count = self.add(ring);
        self.shapes.push((Shape::Polygon(count), values));
    }

    /// Outer rings and, in the first of them, holes.
    pub(crate) fn polygons(&mut self, outer: &[Vec<P>], holes: &[Vec<P>], values: Vec<Value>) {
        let outer = outer.iter().map(|ring| self.add(ring.iter().copied())).collect();
        let holes = holes.iter().map(|ring| self.add(ring.iter().copied())).collect();
        self.shapes.push((Shape::Polygons(outer, holes), values));
    }

    /// The features, in the order in which they were added, in WGS 84.
    pub(crate) fn finish(mut self) -> Result<Vec<NewFeature>, CrsError> {
        Transform::new(Crs::home(), Crs::WGS84)?.apply(&mut self.coords)?;
        let mut coords = self.coords.into_iter().map(|[x, y]| Coord { x, y });
        let mut take = |count: usize| LineString(coords.by_ref().take(count).collect());
        let features = self
            .shapes
            .into_iter()
            .map(|(shape, values)| {
                let geometry: Geometry = match shape {
                    Shape::Point => take(1)
                        .0
                        .first()
                        .map(|at| Point(*at).into())
                        .unwrap_or_else(|| Point::new(0.0, 0.0).into()),
                    Shape::Line(count) => take(count).into(),
                    Shape::Polygon(count) => Polygon::new(take(count), Vec::new()).into(),
                    Shape::Polygons(outer, holes) => {
                        let outer: Vec<LineString> = outer.into_iter().map(&mut take).collect();
                        let mut holes: Vec<LineString> = holes.into_iter().map(&mut take).collect();
                        let polygons: Vec<Polygon> = outer
                            .into_iter()
                            .map(|ring| Polygon::new(ring, std::mem::take(&mut holes)))
                            .collect();
                        MultiPolygon(polygons).into()
                    }
                };
                NewFeature { geometry: Some(geometry), values }
            })
            .collect();
        Ok(features)
    }
}
