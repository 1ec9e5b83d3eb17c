//! The rows nearest to a point, and the rows at a point.

use super::{predicate::covers_point, valid::During};
use crate::{Bbox, Filter, LayerSnapshot, PartKind, Row, ShapeRef, filter::PreparedFilter};

/// A row and its distance from a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The row that was found.
    pub row: Row,
    /// Distance in metres; 0 if the point is on or in the geometry.
    pub distance: f64,
}

/// A plane with metres for units that touches the WGS 84 ellipsoid at a point. Its scales are the radii of
/// curvature in the prime vertical and in the meridian. Distances within 5 km of a point in Vietnam are
/// accurate to 1e-4 of their length.
#[derive(Clone, Copy, Debug)]
struct LocalPlane {
    origin: [f64; 2],
    scale: [f64; 2],
}

impl LocalPlane {
    fn at(origin: [f64; 2]) -> Self {
        const A: f64 = 6_378_137.0;
        const E2: f64 = 0.006_694_379_990_141_3;
        let (sin, cos) = origin[1].to_radians().sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let prime_vertical = A / w2.sqrt();
        let meridian = prime_vertical * (1.0 - E2) / w2;
        Self { origin, scale: [(prime_vertical * cos).to_radians().max(1e-9), meridian.to_radians()] }
    }

    fn metres(&self, lonlat: [f64; 2]) -> [f64; 2] {
        [(lonlat[0] - self.origin[0]) * self.scale[0], (lonlat[1] - self.origin[1]) * self.scale[1]]
    }

    fn bbox(&self, distance: f64) -> Bbox {
        let [dx, dy] = [distance / self.scale[0], distance / self.scale[1]];
        // Slightly more than the distance: the exact test decides.
        let (dx, dy) = (dx * 1.001, dy * 1.001);
        let [x, y] = self.origin;
        Bbox::new(x - dx, y - dy, x + dx, y + dy)
    }

    fn distance(&self, shape: ShapeRef<'_>) -> f64 {
        if covers_point(shape, self.origin) {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for part in shape.parts() {
            for ring in part.rings() {
                let ring = shape.ring(ring);
                match part.kind {
                    PartKind::Point => best = best.min(length2(self.metres(ring[0]))),
                    PartKind::Line | PartKind::Polygon => {
                        let mut points = ring.iter().map(|&point| self.metres(point));
                        let Some(mut a) = points.next() else { continue };
                        best = best.min(length2(a));
                        for b in points {
                            best = best.min(to_segment2(a, b));
                            a = b;
                        }
                    }
                }
            }
        }
        best.sqrt()
    }
}

fn length2([x, y]: [f64; 2]) -> f64 {
    x * x + y * y
}

/// The squared distance of the origin from a segment.
fn to_segment2(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { (-(a[0] * dx + a[1] * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    length2([a[0] + t * dx, a[1] + t * dy])
}

impl LayerSnapshot {
    /// The rows within `distance` metres of a point (longitude, latitude in degrees), nearest first, then by
    /// fid; at most `limit` rows.
    ///
    /// # Precision
    /// Distances are measured in a plane that touches the WGS 84 ellipsoid at the point. Up to 5 km they are
    /// accurate to 1e-4 of their length.
    ///
    /// # Complexity
    /// Searches growing boxes in the R-tree until enough rows are nearer than everything outside the box:
    /// O(log n + k) for k rows in the last box, which is at most about six times as large as needed, plus the
    /// vertices of those rows.
    pub fn near(&self, lonlat: [f64; 2], distance: f64, limit: usize) -> Vec<Hit> {
        self.during(None).near(lonlat, distance, limit)
    }

    /// The rows that contain the point (longitude, latitude in degrees) or have it on their edge, by fid.
    ///
    /// # Precision
    /// Exact for the stored coordinates: the tests use adaptive floating-point arithmetic.
    pub fn at(&self, lonlat: [f64; 2]) -> Vec<Row> {
        self.during(None).at(lonlat)
    }
}

impl During<'_> {
    /// Like [`LayerSnapshot::near`], among the rows that are valid at the time.
    pub fn near(&self, lonlat: [f64; 2], distance: f64, limit: usize) -> Vec<Hit> {
        self.near_where(&[], lonlat, distance, limit)
    }

    /// Like [`During::near`], among the rows that match all of these filters.
    pub fn near_where(&self, filters: &[Filter], lonlat: [f64; 2], distance: f64, limit: usize) -> Vec<Hit> {
        let filters: Vec<PreparedFilter<'_>> =
            filters.iter().map(|filter| PreparedFilter::new(self.snapshot, filter)).collect();
        let plane = LocalPlane::at(lonlat);
        // Widen the box until enough rows are nearer than anything outside it can be.
        let mut reach = if limit < 64 { (distance / 32.0).max(5.0).min(distance) } else { distance };
        loop {
            let mut hits = Vec::new();
            self.candidates(&plane.bbox(reach), |row| {
                if self.check().is_err() || !filters.iter().all(|filter| filter.matches(row)) {
                    return;
                }
                let found = plane.distance(self.snapshot.shape(row));
                if found <= reach {
                    hits.push(Hit { row, distance: found });
                }
            });
            if hits.len() >= limit || reach >= distance || self.check().is_err() {
                let fid = |hit: &Hit| self.snapshot.fid(hit.row);
                hits.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(fid(a).cmp(&fid(b))));
                hits.truncate(limit);
                return hits;
            }
            reach = (reach * 2.5).min(distance);
        }
    }

    /// Like [`LayerSnapshot::at`], among the rows that are valid at the time.
    pub fn at(&self, lonlat: [f64; 2]) -> Vec<Row> {
        let mut rows = Vec::new();
        self.candidates(&Bbox { min: lonlat, max: lonlat }, |row| {
            if covers_point(self.snapshot.shape(row), lonlat) {
                rows.push(row);
            }
        });
        self.snapshot.sort(&mut rows);
        rows
    }
}
