//! The corners of a parcel on the home grid, as its papers list them.

use citymap_engine::LocalPlane;
use geo::{Coord, LineString, MultiPolygon};
use serde::Serialize;

/// A corner of a parcel, and the edge that begins there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Corner {
    /// Number of the ring, from 1: the outer ring of the first part, its holes, then the next part.
    pub ring: usize,
    /// Number of the corner in its ring, from 1. It counts clockwise from the most northern corner.
    pub number: usize,
    /// Northing on the home grid in m: the X of Vietnamese land papers.
    pub x: f64,
    /// Easting on the home grid in m: the Y of Vietnamese land papers.
    pub y: f64,
    /// Length in m of the edge to the next corner.
    pub edge: f64,
}

/// The corners of polygons on a local plane, to the millimetre; at most `max`. The second value is their
/// number without that limit.
pub(crate) fn corners(plane: &LocalPlane, polygons: &MultiPolygon<f64>, max: usize) -> (Vec<Corner>, usize) {
    let rings = polygons.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
    let all = rings.enumerate().flat_map(|(ring, line)| of_ring(plane, ring + 1, line));
    let mut count = 0;
    let kept = all.inspect(|_| count += 1).enumerate().filter(|(position, _)| *position < max);
    let kept: Vec<Corner> = kept.map(|(_, corner)| corner).collect();
    (kept, count)
}

fn of_ring(plane: &LocalPlane, ring: usize, line: &LineString<f64>) -> Vec<Corner> {
    let mut places: Vec<Coord<f64>> = line.0.clone();
    places.pop();
    places.dedup();
    let turn: f64 = line.lines().map(|edge| edge.start.x * edge.end.y - edge.end.x * edge.start.y).sum();
    if turn > 0.0 {
        places.reverse();
    }
    let millimetres = |value: f64| (value * 1e3).round() / 1e3;
    // The most northern corner, of several the most western; to the millimetre, so that no noise decides.
    let key = |at: &Coord<f64>| (millimetres(at.y), -millimetres(at.x));
    let northern = |a: &Coord<f64>, b: &Coord<f64>| {
        let ((ay, ax), (by, bx)) = (key(a), key(b));
        ay.total_cmp(&by).then(ax.total_cmp(&bx))
    };
    let first = places.iter().enumerate().max_by(|(_, a), (_, b)| northern(a, b));
    let first = first.map_or(0, |(position, _)| position);
    places.rotate_left(first);
    (0..places.len())
        .map(|position| {
            let (at, next) = (places[position], places[(position + 1) % places.len()]);
            let [easting, northing] = plane.grid(at);
            Corner {
                ring,
                number: position + 1,
                x: millimetres(northing),
                y: millimetres(easting),
                edge: millimetres((next.x - at.x).hypot(next.y - at.y)),
            }
        })
        .collect()
}
