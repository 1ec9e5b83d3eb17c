//! Boundaries that nearly meet: a corner of one polygon lies close to the boundary of another one, and not on
//! it.

use citymap_engine::{EngineError, LayerSnapshot, LocalPlane, Row};
use citymap_model::{Role, Title};
use geo::{Coord, CoordsIter, MultiPolygon, Point};

use super::{CheckError, CheckRun, Fault, FaultSubject, NOISE, overlaps::level_of, pair_key};
use crate::codes::FeatureValues;

pub(super) fn of_city(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let parcels = run.layers(Role::Parcel);
    let zones = run.layers(Role::Zone);
    if parcels.is_err() && zones.is_err() {
        return parcels.map(drop);
    }
    for layer in parcels.into_iter().chain(zones).flatten() {
        of_layer(run, layer)?;
    }
    Ok(())
}

fn of_layer(run: &mut CheckRun<'_>, layer: &LayerSnapshot) -> Result<(), CheckError> {
    let rows = run.rows(layer)?;
    run.expect(rows.len());
    let mut selected = rows.clone();
    selected.sort_unstable();
    let (options, title) = (run.options, run.kind.title());
    let moment = layer.during(options.time);
    let level = |row| level_of(&FeatureValues::new(layer, row, &options.audience));
    let is_zone = layer.layer().role == Role::Zone;
    run.each(&rows, |row| {
        let Some(plane) = LocalPlane::around(layer, row, options.near_distance + 1.0)? else {
            return Ok(Vec::new());
        };
        let own = plane.polygons(layer, row)?;
        let mut others = Vec::new();
        moment.candidates(&plane.bbox()?, |other| {
            // A pair counts once, unless only one of it is in the area.
            let is_second = layer.fid(other) < layer.fid(row) && selected.binary_search(&other).is_ok();
            if other != row && !is_second {
                others.push(other);
            }
        });
        layer.sort(&mut others);
        let mut found = Vec::new();
        for other in others {
            if is_zone && level(row) != level(other) {
                continue;
            }
            let theirs = plane.polygons(layer, other)?;
            let worst =
                [worst(&own, &theirs, options.near_distance), worst(&theirs, &own, options.near_distance)];
            let worst = worst.into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0));
            let Some((distance, at)) = worst else { continue };
            let subjects = vec![FaultSubject::new(layer, row), FaultSubject::new(layer, other)];
            let [lon, lat] = plane.lonlat(at)?;
            found.push(Fault {
                key: pair_key(&subjects),
                subjects,
                reason: with_distance(&title, distance),
                measure: distance,
                geometry: Point::new(lon, lat).into(),
            });
        }
        Ok(found)
    })
}

fn with_distance(title: &Title, distance: f64) -> Title {
    Title::new(
        format!("{}; lệch {} m", title.get("vi"), format!("{distance:.3}").replace('.', ",")),
        format!("{}; {distance:.3} m off", title.get("en")),
    )
}

/// The corner of `corners` that is farthest from the boundary of `polygons`, of those that are near it and
/// not on it, with its distance in m.
fn worst(corners: &MultiPolygon<f64>, polygons: &MultiPolygon<f64>, near: f64) -> Option<(f64, Coord<f64>)> {
    let distances = corners.coords_iter().map(|at| (distance(at, polygons, near), at));
    distances
        .filter(|(distance, _)| *distance > NOISE && *distance <= near)
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

/// The distance in m from a place to the boundary of polygons; infinite if it is more than `near`.
fn distance(at: Coord<f64>, polygons: &MultiPolygon<f64>, near: f64) -> f64 {
    let rings = polygons.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
    let edges = rings.flat_map(geo::LineString::lines);
    let is_near = |edge: &geo::Line<f64>| {
        let beyond = |at: f64, a: f64, b: f64| at < a.min(b) - near || at > a.max(b) + near;
        !beyond(at.x, edge.start.x, edge.end.x) && !beyond(at.y, edge.start.y, edge.end.y)
    };
    edges.filter(is_near).map(|edge| to_edge(at, edge)).fold(f64::INFINITY, f64::min)
}

fn to_edge(at: Coord<f64>, edge: geo::Line<f64>) -> f64 {
    let (along, from) = (edge.end - edge.start, at - edge.start);
    let square = along.x * along.x + along.y * along.y;
    let t = if square > 0.0 { ((from.x * along.x + from.y * along.y) / square).clamp(0.0, 1.0) } else { 0.0 };
    (from.x - t * along.x).hypot(from.y - t * along.y)
}

/// Whether the boundaries of two polygons meet: a corner of one is on the boundary of the other, or edges
/// cross.
pub(super) fn meet(layer: &LayerSnapshot, a: Row, b: Row) -> Result<bool, EngineError> {
    let Some(plane) = LocalPlane::around(layer, a, 1.0)? else { return Ok(false) };
    let (own, theirs) = (plane.polygons(layer, a)?, plane.polygons(layer, b)?);
    let touches = |corners: &MultiPolygon<f64>, polygons: &MultiPolygon<f64>| {
        corners.coords_iter().any(|at| distance(at, polygons, NOISE) <= NOISE)
    };
    Ok(touches(&own, &theirs) || touches(&theirs, &own) || geo::Intersects::intersects(&own, &theirs))
}
