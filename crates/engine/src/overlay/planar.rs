//! A feature projected to the home grid, as edges, lines and points in metres.

use citymap_crs::{CrsError, PolynomialGrid};
use geo::MultiPolygon;
use rustc_hash::FxHashSet;

use super::{dissolve, plane::Plane, shared_area::TOUCH};

use crate::{PartKind, ShapeRef};

/// Degrees up to which an edge counts as straight on the grid: about 100 m.
pub(crate) const STRAIGHT: f64 = 0.0009;

/// An edge of a polygon that runs up: `low` is not above `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) low: [f64; 2],
    pub(crate) high: [f64; 2],
    /// What the edge adds to the winding number of points to its left: 1 or −1.
    pub(crate) sign: f64,
    /// Metres to the east for each metre to the north; 0 for a horizontal edge, which encloses nothing.
    pub(crate) slope: f64,
}

impl Edge {
    pub(super) fn new(a: [f64; 2], b: [f64; 2], factor: f64) -> Self {
        let (low, high, sign) = if a[1] <= b[1] { (a, b, factor) } else { (b, a, -factor) };
        let rise = high[1] - low[1];
        let slope = if rise > 0.0 { (high[0] - low[0]) / rise } else { 0.0 };
        Self { low, high, sign, slope }
    }

    /// The easting of the edge at a northing between its ends.
    #[inline]
    pub(crate) fn x(&self, y: f64) -> f64 {
        // Exact at the ends, so that edges that meet leave no gap.
        if y == self.high[1] { self.high[0] } else { self.low[0] + (y - self.low[1]) * self.slope }
    }

    #[inline]
    pub(crate) fn west(&self) -> f64 {
        self.low[0].min(self.high[0])
    }

    #[inline]
    pub(crate) fn east(&self) -> f64 {
        self.low[0].max(self.high[0])
    }

    /// The same edge relative to another base.
    #[inline]
    pub(crate) fn moved(&self, [dx, dy]: [f64; 2]) -> Self {
        let moved = |[x, y]: [f64; 2]| [x + dx, y + dy];
        Self { low: moved(self.low), high: moved(self.high), ..*self }
    }
}

/// A feature on the home grid in metres from `base`, its south-west corner. Grid coordinates are multiples of
/// 2⁻³³ m below 2²¹ m, so coordinates relative to another base are exactly the same places.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanarShape {
    pub(crate) plane: Plane,
    pub(crate) base: [f64; 2],
    /// Width and height of the bounding box, which begins at the base.
    pub(crate) size: [f64; 2],
    /// The edges of its polygons that have a length, relative to the base.
    pub(crate) edges: Vec<Edge>,
    /// The coordinates of its lines, without runs over places where they were before; `line_ends` holds the
    /// end of each.
    pub(crate) line_coords: Vec<[f64; 2]>,
    pub(crate) line_ends: Vec<usize>,
    /// The coordinates of its lines as they are, if some runs were left out.
    whole_lines: Vec<[f64; 2]>,
    pub(crate) points: Vec<[f64; 2]>,
    /// Area of its polygons in m².
    pub(crate) area: f64,
    /// Length of its lines in m.
    pub(crate) length: f64,
    ring: Vec<[f64; 2]>,
    rings: Vec<(usize, f64)>,
}

impl PlanarShape {
    /// Replaces the content by that of a shape in WGS 84 degrees.
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub(crate) fn read(&mut self, shape: ShapeRef<'_>) -> Result<(), CrsError> {
        self.read_on(Plane::Grid, shape)
    }

    /// The same on a plane.
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub(crate) fn read_on(&mut self, plane: Plane, shape: ShapeRef<'_>) -> Result<(), CrsError> {
        self.clear();
        self.plane = plane;
        for part in shape.parts() {
            let mut outer = 1.0;
            for ring in part.rings() {
                let coords = shape.ring(ring);
                let kept = match part.kind {
                    PartKind::Polygon => &mut self.ring,
                    PartKind::Line => &mut self.line_coords,
                    PartKind::Point => &mut self.points,
                };
                let start = kept.len();
                if part.kind != PartKind::Point {
                    for &coord in coords {
                        kept.push(plane.place(coord)?);
                    }
                }
                match part.kind {
                    PartKind::Polygon => {
                        self.end_ring(start, outer);
                        outer = -1.0;
                    }
                    PartKind::Line => self.line_ends.push(self.line_coords.len()),
                    PartKind::Point => {}
                }
            }
        }
        for coord in distinct_points(shape) {
            self.points.push(plane.place(coord)?);
        }
        self.dissolve_lines();
        if plane == Plane::Degrees {
            self.area = shape.geometry().map_or(0.0, |geometry| citymap_crs::ellipsoidal_area(&geometry));
        }
        let steps = self.lines().flat_map(|line| line.windows(2));
        self.length = steps.map(|step| plane.ground_length(step[0], step[1])).sum();
        self.settle();
        Ok(())
    }

    /// Leaves out what its lines run over a second time.
    fn dissolve_lines(&mut self) {
        let lines: Vec<&[[f64; 2]]> = self.lines().collect();
        if let Some(once) = dissolve::once(&lines, TOUCH) {
            self.whole_lines = std::mem::take(&mut self.line_coords);
            self.line_ends.clear();
            for line in once {
                self.line_coords.extend(line);
                self.line_ends.push(self.line_coords.len());
            }
        }
    }

    /// Replaces the content by an area in WGS 84 degrees. Edges longer than `straight` degrees are straight
    /// there and get additional vertices on the grid; shorter ones are straight on the grid. With
    /// [`STRAIGHT`] no edge deviates by more than 0.1 mm.
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub(crate) fn read_area(&mut self, area: &MultiPolygon<f64>, straight: f64) -> Result<(), CrsError> {
        self.clear();
        self.plane = Plane::Grid;
        let way = PolynomialGrid::to_home();
        for polygon in area {
            let mut outer = 1.0;
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                let start = self.ring.len();
                for edge in ring.lines() {
                    let (from, to) = (edge.start, edge.delta());
                    let steps = (to.x.abs().max(to.y.abs()) / straight).ceil().clamp(1.0, 10_000.0) as usize;
                    for step in 0..steps {
                        let t = step as f64 / steps as f64;
                        self.ring.push(way.point([from.x + t * to.x, from.y + t * to.y])?);
                    }
                }
                if let Some(&first) = self.ring.get(start) {
                    self.ring.push(first);
                    self.end_ring(start, outer);
                }
                outer = -1.0;
            }
        }
        self.settle();
        Ok(())
    }

    fn clear(&mut self) {
        self.edges.clear();
        self.line_coords.clear();
        self.line_ends.clear();
        self.whole_lines.clear();
        self.points.clear();
        self.ring.clear();
        self.rings.clear();
        self.area = 0.0;
        self.length = 0.0;
    }

    /// Ends the ring that begins at `start`. `outer` is 1 for an outer ring and −1 for a hole.
    fn end_ring(&mut self, start: usize, outer: f64) {
        let twice = twice_area(&self.ring[start..]);
        // Whichever way rings run, outer rings enclose and holes exclude.
        let factor = if twice < 0.0 { -outer } else { outer };
        self.area += outer * twice.abs() / 2.0;
        self.rings.push((self.ring.len(), factor));
    }

    /// Finds the base, makes coordinates relative to it, and turns rings into edges.
    fn settle(&mut self) {
        let (mut min, mut max) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for coord in self.ring.iter().chain(&self.line_coords).chain(&self.points) {
            for axis in 0..2 {
                min[axis] = min[axis].min(coord[axis]);
                max[axis] = max[axis].max(coord[axis]);
            }
        }
        if min[0] > max[0] {
            (min, max) = ([0.0; 2], [0.0; 2]);
        }
        self.base = min;
        self.size = [max[0] - min[0], max[1] - min[1]];
        let to_base = |coord: &mut [f64; 2]| *coord = [coord[0] - min[0], coord[1] - min[1]];
        self.line_coords.iter_mut().for_each(to_base);
        self.whole_lines.iter_mut().for_each(to_base);
        self.points.iter_mut().for_each(to_base);
        self.ring.iter_mut().for_each(to_base);
        let mut start = 0;
        for &(end, factor) in &self.rings {
            let ring = &self.ring[start..end];
            self.edges.extend(
                ring.windows(2)
                    .filter(|pair| pair[0] != pair[1])
                    .map(|pair| Edge::new(pair[0], pair[1], factor)),
            );
            start = end;
        }
    }

    /// The vertices of its polygons, relative to the base.
    pub(crate) fn vertices(&self) -> &[[f64; 2]] {
        &self.ring
    }

    /// All vertices of its lines in their order, relative to the base.
    pub(crate) fn line_vertices(&self) -> &[[f64; 2]] {
        if self.whole_lines.is_empty() { &self.line_coords } else { &self.whole_lines }
    }

    /// Its lines, relative to the base.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[[f64; 2]]> {
        let starts = std::iter::once(0).chain(self.line_ends.iter().copied());
        starts.zip(&self.line_ends).map(|(start, &end)| &self.line_coords[start..end])
    }

    /// What to add to coordinates of this shape to make them relative to the base of the other.
    pub(crate) fn shift_to(&self, other: &Self) -> [f64; 2] {
        [self.base[0] - other.base[0], self.base[1] - other.base[1]]
    }
}

/// The points of a shape in degrees, in their order, those that are equal once.
pub(crate) fn distinct_points(shape: ShapeRef<'_>) -> impl Iterator<Item = [f64; 2]> {
    let mut seen = FxHashSet::default();
    let points = shape.parts().filter(|part| part.kind == PartKind::Point);
    let coords =
        points.flat_map(|part| part.rings()).filter_map(move |ring| shape.ring(ring).first().copied());
    // A sum with 0 makes -0 and 0 equal.
    coords.filter(move |at| seen.insert(at.map(|value| (value + 0.0).to_bits())))
}

/// Twice the signed area of a closed ring; positive if it runs counterclockwise.
fn twice_area(ring: &[[f64; 2]]) -> f64 {
    let Some(&[x0, y0]) = ring.first() else { return 0.0 };
    ring.windows(2)
        .map(|pair| {
            let [[ax, ay], [bx, by]] = [pair[0], pair[1]];
            (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        })
        .sum()
}
