//! Bounding boxes in WGS 84 degrees, including boxes across the antimeridian.

use geo::{BoundingRect, Coord, Geometry, Polygon, Rect};

/// A box in WGS 84 degrees, edges included. `min[0] > max[0]` means that it crosses the
/// antimeridian (RFC 7946, 5.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bbox {
    /// West and south edge: the lowest longitude and latitude.
    pub min: [f64; 2],
    /// East and north edge: the highest longitude and latitude.
    pub max: [f64; 2],
}

impl Bbox {
    /// A box from its four numbers: west, south, east, north.
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Self {
        Self { min: [west, south], max: [east, north] }
    }

    /// The bounding box of a geometry in WGS 84 degrees; `None` for an empty one.
    pub fn of(geometry: &Geometry<f64>) -> Option<Self> {
        geometry.bounding_rect().map(|rect| Self::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y))
    }

    /// The smallest box that contains both. Neither may cross the antimeridian.
    pub fn union(self, other: Self) -> Self {
        Self {
            min: [self.min[0].min(other.min[0]), self.min[1].min(other.min[1])],
            max: [self.max[0].max(other.max[0]), self.max[1].max(other.max[1])],
        }
    }

    /// Whether the boxes share a point.
    pub fn intersects(&self, other: &Self) -> bool {
        self.min[0] <= other.max[0]
            && other.min[0] <= self.max[0]
            && self.min[1] <= other.max[1]
            && other.min[1] <= self.max[1]
    }

    /// Whether `other` is within this box; shared edges count as within.
    pub fn contains(&self, other: &Self) -> bool {
        self.min[0] <= other.min[0]
            && other.max[0] <= self.max[0]
            && self.min[1] <= other.min[1]
            && other.max[1] <= self.max[1]
    }

    /// The box itself, or its two halves if it crosses the antimeridian. The second value is the number of
    /// boxes to use, 1 or 2.
    pub fn split(self) -> ([Self; 2], usize) {
        if self.min[0] <= self.max[0] {
            ([self, self], 1)
        } else {
            let west = Self::new(self.min[0], self.min[1], 180.0, self.max[1]);
            let east = Self::new(-180.0, self.min[1], self.max[0], self.max[1]);
            ([west, east], 2)
        }
    }

    /// The longitude and latitude halfway between the edges.
    pub fn center(&self) -> [f64; 2] {
        [(self.min[0] + self.max[0]) / 2.0, (self.min[1] + self.max[1]) / 2.0]
    }

    /// The box as a polygon. Split a box that crosses the antimeridian first.
    pub fn to_polygon(self) -> Polygon<f64> {
        Rect::new(Coord { x: self.min[0], y: self.min[1] }, Coord { x: self.max[0], y: self.max[1] })
            .to_polygon()
    }
}
