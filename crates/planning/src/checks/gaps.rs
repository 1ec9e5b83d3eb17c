//! Narrow holes that adjoining polygons enclose.
//!
//! Polygons that touch form a group. The polygons of each group are united; a hole of the union whose mean
//! width (twice its area by its perimeter) is small is a gap that a survey or a drawing left. Wider holes are
//! streets and courtyards. A slit that is open to the outside is no hole: it is found as boundaries that
//! nearly meet.

use std::collections::HashMap;

use citymap_engine::{EngineError, LayerSnapshot, LocalPlane, Row};
use citymap_model::{Role, Title};
use geo::{
    Area, Centroid, Euclidean, Length, LineString, MultiPolygon, Orient, Polygon, orient::Direction,
    unary_union,
};
use rayon::prelude::*;

use super::{CheckError, CheckRun, Fault, NOISE, lonlat, near_edges::meet, overlaps::level_of};
use crate::{PlanLevel, codes::FeatureValues};

/// Maximum number of vertices of a group.
const VERTICES_MAX: usize = 8_000_000;
/// Metres around the first polygon of a group in which the others lie: everywhere on the grid.
const EVERYWHERE: f64 = 1e7;

pub(super) fn of_parcels(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    for parcels in run.layers(Role::Parcel)? {
        let rows = run.rows(parcels)?;
        let title = run.kind.title();
        of_rows(run, parcels, &rows, &title)?;
    }
    Ok(())
}

pub(super) fn of_zones(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    for zones in run.layers(Role::Zone)? {
        let mut levels: HashMap<Option<PlanLevel>, Vec<Row>> = HashMap::new();
        for row in run.rows(zones)? {
            let level = level_of(&FeatureValues::new(zones, row, &run.options.audience));
            levels.entry(level).or_default().push(row);
        }
        let mut levels: Vec<_> = levels.into_iter().collect();
        levels.sort_by_key(|(level, _)| *level);
        for (level, rows) in levels {
            let title = super::overlaps::with_level(&run.kind.title(), level);
            of_rows(run, zones, &rows, &title)?;
        }
    }
    Ok(())
}

fn of_rows(
    run: &mut CheckRun<'_>,
    layer: &LayerSnapshot,
    rows: &[Row],
    title: &Title,
) -> Result<(), CheckError> {
    run.expect(rows.len());
    let groups = groups(run, layer, rows)?;
    for group in &groups {
        let vertices = group.iter().map(|row| layer.shape(*row).coords().len()).sum();
        if vertices > VERTICES_MAX {
            let layer = layer.layer().id.clone();
            return Err(CheckError::TooLarge { layer, vertices, max: VERTICES_MAX });
        }
    }
    let (cancel, width) = (run.hooks.cancel.clone(), run.options.gap_width);
    for some in groups.chunks(256) {
        let found: Result<Vec<Vec<Fault>>, EngineError> = some
            .par_iter()
            .map(|group| {
                cancel.check()?;
                of_group(layer, group, width, title)
            })
            .collect();
        let mut faults: Vec<Fault> = found?.into_iter().flatten().collect();
        faults.sort_by(|a, b| a.key.cmp(&b.key));
        faults.into_iter().for_each(|fault| run.add(fault));
        run.advance(some.iter().map(|group| group.len() as u64).sum())?;
    }
    Ok(())
}

/// The gaps that the polygons of one group enclose.
fn of_group(
    layer: &LayerSnapshot,
    group: &[Row],
    width_max: f64,
    title: &Title,
) -> Result<Vec<Fault>, EngineError> {
    let Some(plane) = LocalPlane::around(layer, group[0], EVERYWHERE)? else { return Ok(Vec::new()) };
    let mut polygons: Vec<Polygon<f64>> = Vec::with_capacity(group.len());
    for row in group {
        polygons.extend(plane.polygons(layer, *row)?.0);
    }
    let union = united(&polygons);
    let holes = union.iter().flat_map(|polygon| polygon.interiors());
    holes.filter_map(|hole| of_hole(layer, &plane, hole, (width_max, title)).transpose()).collect()
}

fn of_hole(
    layer: &LayerSnapshot,
    plane: &LocalPlane,
    hole: &LineString<f64>,
    (width_max, title): (f64, &Title),
) -> Result<Option<Fault>, EngineError> {
    let polygon = Polygon::new(hole.clone(), vec![]);
    let area = polygon.unsigned_area();
    let width = 2.0 * area / Euclidean.length(hole).max(f64::MIN_POSITIVE);
    let Some(centre) = polygon.centroid().filter(|_| width > NOISE && width <= width_max) else {
        return Ok(None);
    };
    let [easting, northing] = plane.grid(centre.0);
    let geometry = lonlat(plane, &MultiPolygon::new(vec![polygon]))?;
    let reason = Title::new(
        format!("{}; rộng trung bình {} m", title.get("vi"), format!("{width:.3}").replace('.', ",")),
        format!("{}; {width:.3} m wide on average", title.get("en")),
    );
    let key = format!("{}@{easting:.1},{northing:.1}", layer.layer().id);
    Ok(Some(Fault { key, subjects: Vec::new(), reason, measure: area, geometry }))
}

/// The union of polygons whose rings turn in any direction.
pub(crate) fn united(polygons: &[Polygon<f64>]) -> MultiPolygon<f64> {
    let turned: Vec<Polygon<f64>> =
        polygons.iter().map(|polygon| polygon.orient(Direction::Default)).collect();
    unary_union(&turned)
}

/// Groups of polygons that touch, each in the order of `rows`.
fn groups(run: &CheckRun<'_>, layer: &LayerSnapshot, rows: &[Row]) -> Result<Vec<Vec<Row>>, CheckError> {
    let mut position = vec![u32::MAX; layer.base().len() + layer.delta().len()];
    for (index, row) in rows.iter().enumerate() {
        position[*row as usize] = index as u32;
    }
    let mut sets = DisjointSets::new(rows.len());
    // Neighbours usually share a vertex, which is stored with the same digits.
    let mut owners: HashMap<[u64; 2], u32> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        run.hooks.cancel.check().map_err(EngineError::from)?;
        for at in layer.shape(*row).coords() {
            let owner = owners.entry(at.map(f64::to_bits)).or_insert(index as u32);
            sets.join(*owner as usize, index);
        }
    }
    drop(owners);
    // Those that only run along each other are compared.
    for (index, row) in rows.iter().enumerate() {
        run.hooks.cancel.check().map_err(EngineError::from)?;
        let Some(bbox) = layer.bbox(*row) else { continue };
        let mut others = Vec::new();
        layer.candidates(&bbox, |other| others.push(other));
        for other in others {
            let place = position[other as usize];
            if place == u32::MAX || place as usize <= index || sets.are_joined(index, place as usize) {
                continue;
            }
            if meet(layer, *row, other)? {
                sets.join(index, place as usize);
            }
        }
    }
    Ok(sets.groups(rows))
}

/// Sets of positions that are joined step by step.
struct DisjointSets(Vec<u32>);

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    fn root(&mut self, of: usize) -> usize {
        let mut at = of;
        while self.0[at] as usize != at {
            let above = self.0[self.0[at] as usize];
            self.0[at] = above;
            at = above as usize;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The smaller position is the root, so that groups come in the order of the rows.
        self.0[a.max(b)] = a.min(b) as u32;
    }

    fn are_joined(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }

    fn groups(mut self, rows: &[Row]) -> Vec<Vec<Row>> {
        let mut place: HashMap<usize, usize> = HashMap::new();
        let mut groups: Vec<Vec<Row>> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let root = self.root(index);
            let own = *place.entry(root).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[own].push(*row);
        }
        groups
    }
}
