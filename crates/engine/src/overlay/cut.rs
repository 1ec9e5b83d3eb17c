//! The shape of an overlay piece: cut on the home grid, returned in degrees.
//!
//! Vertices that a piece shares with one of its features come out exactly as they are stored.

use citymap_model::Geometry;
use geo::{BooleanOps, Coord, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use super::{
    ellipsoid::GeometryParts,
    planar,
    plane::Plane,
    shared_area::{self, TOUCH},
    slabs::PreparedShape,
};
use crate::{EngineError, PartKind, ShapeRef};

/// The geometry that two features share, in WGS 84 degrees; `None` if they share none.
pub(crate) fn geometry(
    plane: Plane,
    a: ShapeRef<'_>,
    b: ShapeRef<'_>,
) -> Result<Option<Geometry>, EngineError> {
    let (mut first, mut second) = (PreparedShape::default(), PreparedShape::default());
    first.planar.read_on(plane, a)?;
    second.planar.read_on(plane, b)?;
    second.prepare();
    let base = first.planar.base;
    let window = [
        [first.planar.size[0].min(0.0) - 1.0, first.planar.size[1].min(0.0) - 1.0],
        [first.planar.size[0] + 1.0, first.planar.size[1] + 1.0],
    ];
    let [polygons_a, polygons_b] = [polygons(plane, a, base, None)?, polygons(plane, b, base, Some(window))?];
    let mut unprojector = Unprojector { plane, base, known: Vec::new() };
    unprojector.add_known(&first, a, window);
    unprojector.add_known(&second, b, window);
    unprojector.known.sort_unstable_by(|(a, _), (b, _)| a[0].total_cmp(&b[0]));
    let shared = GeometryParts {
        polygons: unprojector.polygons(polygons_a.intersection(&polygons_b))?,
        lines: {
            let mut lines = unprojector.stretches(&first, &second)?;
            lines.extend(unprojector.stretches(&second, &first)?);
            MultiLineString::new(lines)
        },
        points: {
            let mut points = points(&first, &second, a);
            points.extend(self::points(&second, &first, b));
            MultiPoint::new(points)
        },
    };
    Ok(shared.geometry())
}

/// The polygons of a shape in metres from `base`. With a window, only the part that may lie in it.
pub(super) fn polygons(
    plane: Plane,
    shape: ShapeRef<'_>,
    base: [f64; 2],
    window: Option<[[f64; 2]; 2]>,
) -> Result<MultiPolygon<f64>, EngineError> {
    let mut out = Vec::new();
    for part in shape.parts().filter(|part| part.kind == PartKind::Polygon) {
        let mut rings = Vec::new();
        for (position, ring) in part.rings().enumerate() {
            let mut coords = Vec::with_capacity(shape.ring(ring).len());
            for &coord in shape.ring(ring) {
                let [x, y] = plane.place(coord)?;
                coords.push([x - base[0], y - base[1]]);
            }
            if let Some(window) = window {
                coords = clipped(coords, window);
            }
            if coords.len() < 4 {
                if position == 0 {
                    break;
                }
                continue;
            }
            rings.push(LineString::new(coords.into_iter().map(|[x, y]| Coord { x, y }).collect()));
        }
        let mut rings = rings.into_iter();
        if let Some(outer) = rings.next() {
            out.push(Polygon::new(outer, rings.collect()));
        }
    }
    Ok(MultiPolygon::new(out))
}

/// Clips a closed ring to a window (Sutherland and Hodgman). A ring that leaves the window and comes back
/// runs along its side, which is a metre away from everything that the ring is intersected with later.
fn clipped(mut ring: Vec<[f64; 2]>, [min, max]: [[f64; 2]; 2]) -> Vec<[f64; 2]> {
    for (axis, limit, sign) in [(0, min[0], 1.0), (0, max[0], -1.0), (1, min[1], 1.0), (1, max[1], -1.0)] {
        let depth = |p: [f64; 2]| (p[axis] - limit) * sign;
        if ring.iter().all(|&p| depth(p) >= 0.0) {
            continue;
        }
        let mut kept: Vec<[f64; 2]> = Vec::with_capacity(ring.len());
        for pair in ring.windows(2) {
            let [p, q] = [pair[0], pair[1]];
            let (dp, dq) = (depth(p), depth(q));
            if dp >= 0.0 {
                kept.push(p);
            }
            if (dp >= 0.0) != (dq >= 0.0) {
                let t = dp / (dp - dq);
                let mut cross = [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
                cross[axis] = limit;
                kept.push(cross);
            }
        }
        if let Some(&first) = kept.first()
            && kept.last() != Some(&first)
        {
            kept.push(first);
        }
        ring = kept;
    }
    ring
}

fn points(points: &PreparedShape, polygons: &PreparedShape, shape: ShapeRef<'_>) -> Vec<Point<f64>> {
    let [dx, dy] = points.planar.shift_to(&polygons.planar);
    points
        .planar
        .points
        .iter()
        .zip(planar::distinct_points(shape))
        .filter(|(point, _)| shared_area::has_point(polygons, [point[0] + dx, point[1] + dy]))
        .map(|(_, [x, y])| Point::new(x, y))
        .collect()
}

/// Converts coordinates on the home grid back to degrees. Known vertices get their stored coordinates.
struct Unprojector {
    plane: Plane,
    base: [f64; 2],
    /// Known vertices, from west to east: in metres from the base, and as stored in degrees.
    known: Vec<([f64; 2], [f64; 2])>,
}

impl Unprojector {
    /// Adds the vertices of a feature that are in the window, which is relative to the base.
    fn add_known(&mut self, prepared: &PreparedShape, shape: ShapeRef<'_>, [min, max]: [[f64; 2]; 2]) {
        let planar = &prepared.planar;
        let [dx, dy] = [planar.base[0] - self.base[0], planar.base[1] - self.base[1]];
        let stored = |kind: PartKind| {
            shape
                .parts()
                .filter(move |part| part.kind == kind)
                .flat_map(move |part| part.rings())
                .flat_map(move |ring| shape.ring(ring))
        };
        let corners = planar.vertices().iter().zip(stored(PartKind::Polygon));
        let lines = planar.line_vertices().iter().zip(stored(PartKind::Line));
        let known = corners.chain(lines).map(|(at, &stored)| ([at[0] + dx, at[1] + dy], stored));
        self.known.extend(
            known.filter(|(at, _)| (0..2).all(|axis| min[axis] <= at[axis] && at[axis] <= max[axis])),
        );
    }

    /// The stored vertex that is nearest to a place within the tolerance, else the place itself.
    fn coord(&self, [x, y]: [f64; 2]) -> Result<Coord<f64>, EngineError> {
        let start = self.known.partition_point(|(at, _)| at[0] < x - TOUCH);
        let distance = |at: &[f64; 2]| (at[0] - x).abs().max((at[1] - y).abs());
        let near = self.known[start..]
            .iter()
            .take_while(|(at, _)| at[0] <= x + TOUCH)
            .filter(|(at, _)| distance(at) <= TOUCH)
            .min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)));
        let [x, y] = match near {
            Some((_, stored)) => *stored,
            None => self.plane.degrees([x + self.base[0], y + self.base[1]])?,
        };
        Ok(Coord { x, y })
    }

    fn polygons(&self, polygons: MultiPolygon<f64>) -> Result<MultiPolygon<f64>, EngineError> {
        let ring = |ring: &LineString<f64>| -> Result<LineString<f64>, EngineError> {
            let mut coords =
                ring.0.iter().map(|at| self.coord([at.x, at.y])).collect::<Result<Vec<_>, _>>()?;
            coords.dedup();
            Ok(LineString::new(coords))
        };
        let mut out = Vec::with_capacity(polygons.0.len());
        for polygon in &polygons.0 {
            let outer = ring(polygon.exterior())?;
            let holes = polygon.interiors().iter().map(ring).collect::<Result<Vec<_>, _>>()?;
            // A ring that collapses to less than a triangle was a sliver some nanometres wide.
            if outer.0.len() >= 4 {
                out.push(Polygon::new(outer, holes.into_iter().filter(|hole| hole.0.len() >= 4).collect()));
            }
        }
        Ok(MultiPolygon::new(out))
    }

    /// The parts of the lines of one feature that are in the polygons of the other.
    fn stretches(
        &self,
        lines: &PreparedShape,
        polygons: &PreparedShape,
    ) -> Result<Vec<LineString<f64>>, EngineError> {
        let mut out: Vec<Vec<[f64; 2]>> = Vec::new();
        if polygons.planar.edges.is_empty() {
            return Ok(Vec::new());
        }
        let [dx, dy] = lines.planar.shift_to(&polygons.planar);
        let moved = |[x, y]: [f64; 2]| [x + dx, y + dy];
        let mut cuts = Vec::new();
        for line in lines.planar.lines() {
            let mut joined = false;
            for step in line.windows(2) {
                let [a, b] = [moved(step[0]), moved(step[1])];
                let at = |t: f64| match t {
                    0.0 => step[0],
                    1.0 => step[1],
                    t => [0, 1].map(|axis| step[0][axis] + t * (step[1][axis] - step[0][axis])),
                };
                let mut last = 0.0;
                shared_area::stretches(polygons, a, b, &mut cuts, |from, to| {
                    match out.last_mut() {
                        Some(open) if joined && from == 0.0 => open.push(at(to)),
                        _ => out.push(vec![at(from), at(to)]),
                    }
                    last = to;
                    joined = false;
                });
                joined = last == 1.0;
            }
        }
        let [ex, ey] = [lines.planar.base[0] - self.base[0], lines.planar.base[1] - self.base[1]];
        out.into_iter()
            .map(|line| {
                let mut coords =
                    line.iter().map(|[x, y]| self.coord([x + ex, y + ey])).collect::<Result<Vec<_>, _>>()?;
                coords.dedup();
                Ok(LineString::new(coords))
            })
            .filter(|line| !matches!(line, Ok(line) if line.0.len() < 2))
            .collect()
    }
}
