//! The merged areas of one cell: polygons of one class that share borders become one.
//!
//! Edges that two neighbours of a class share cancel out; what remains are the borders of the areas.
//! Neighbours that nearly meet are snapped first, so that their borders do cancel.

use std::{
    cell::RefCell,
    hash::{Hash, Hasher},
    ops::Range,
};

use citymap_engine::{During, LayerSnapshot, PartKind, Row, ShapeKind};
use rustc_hash::{FxHashMap, FxHasher};

use super::{
    arcs::Simplifier,
    cell_grid::{CELL_SIDE, Cell, CellFit, CellGrid, WorldBox, degrees, world_box},
    labels::{Label, Labels},
    snap::VertexSet,
};
use crate::cut::{
    grid::TilePoint,
    polygon::runs_clockwise,
    repair::Repair,
    rings::{Rings, clean, doubled_area},
    simple::Checker,
    trace::{DirectedEdge, Tracer},
};

/// The polygons of a cell, merged where neighbours have one class. Coordinates are area units from the cell's
/// north-west corner.
#[derive(Debug, Default)]
pub(crate) struct CellAreas {
    pub(crate) labels: Box<[Label]>,
    pub(crate) areas: Box<[MergedArea]>,
    /// Where each ring ends in `points`, times two, plus one for an outer ring.
    rings: Box<[u32]>,
    points: Box<[[i16; 2]]>,
    /// Number of vertices removed from borders.
    pub(crate) simplified: u32,
}

/// One area: connected polygons of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergedArea {
    pub(crate) label: u16,
    /// Number of features that were merged into it.
    pub(crate) count: u32,
    first_ring: u32,
    end_ring: u32,
    pub(crate) low: [i16; 2],
    pub(crate) high: [i16; 2],
}

impl CellAreas {
    /// The rings of an area: their points, and whether each begins a polygon.
    pub(crate) fn rings(&self, area: &MergedArea) -> impl Iterator<Item = (&[[i16; 2]], bool)> {
        (area.first_ring as usize..area.end_ring as usize).map(|ring| {
            let start = if ring == 0 { 0 } else { self.rings[ring - 1] / 2 };
            let end = self.rings[ring];
            (&self.points[start as usize..end as usize / 2], end % 2 == 1)
        })
    }

    /// Size in bytes, including the labels.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.labels.iter().map(|label| label.len() + size_of::<Label>()).sum::<usize>()
            + size_of_val(&*self.areas)
            + size_of_val(&*self.rings)
            + size_of_val(&*self.points)
    }
}

/// A part of a polygon's border; `a` is before `b` in the order of points.
struct Edge {
    label: u16,
    /// Whether the polygon runs along it from `a` to `b`.
    forward: bool,
    feature: u32,
    a: TilePoint,
    b: TilePoint,
}

/// A feature that is merged into an area (a node of a union-find forest).
struct MergedFeature {
    label: u16,
    /// A feature that it is merged with, or itself.
    parent: u32,
    count: u32,
    /// One of its vertices, drawn if nothing else is left of it.
    place: TilePoint,
}

struct RawRing {
    feature: u32,
    points: Range<usize>,
}

/// Builds [`CellAreas`]. Its buffers are reused from cell to cell.
#[derive(Default)]
struct Builder {
    known_vertices: VertexSet,
    neighbour_vertices: VertexSet,
    points: Vec<TilePoint>,
    rings: Vec<RawRing>,
    members: Vec<MergedFeature>,
    edges: Vec<Edge>,
    between: Vec<TilePoint>,
    /// The edges that remain, with the area that they belong to.
    borders: Vec<(u32, DirectedEdge)>,
    directed: Vec<DirectedEdge>,
    simplifier: Simplifier,
    tracer: Tracer,
    checker: Checker,
    repair: Repair,
    ring: Vec<TilePoint>,
}

thread_local! {
    static BUILDER: RefCell<Builder> = RefCell::default();
}

/// What the areas and rasters of cells are derived from.
pub(crate) struct MergeSource<'a> {
    pub(crate) snapshot: &'a LayerSnapshot,
    pub(crate) during: During<'a>,
    pub(crate) cell_grid: CellGrid,
    /// Position of the field with the class; `None` if all features have one class.
    pub(crate) class: Option<usize>,
    /// Tolerance of the simplification in area units.
    pub(crate) tolerance: f64,
}

impl MergeSource<'_> {
    /// The rows that are merged in a cell, in the order of their fids, and the bounding box of all of them.
    fn rows_of(&self, cell: Cell) -> (Vec<Row>, Option<WorldBox>) {
        let mut rows = Vec::new();
        let mut around: Option<WorldBox> = None;
        self.during.candidates(&self.cell_grid.bbox(cell, 0), |row| {
            if let CellFit::Inside(cell_of, [low, high]) = self.cell_grid.fit(self.snapshot.shape(row))
                && cell_of == cell
            {
                rows.push(row);
                around = Some(match around {
                    None => [low, high],
                    Some([west, east]) => [
                        [west[0].min(low[0]), west[1].min(low[1])],
                        [east[0].max(high[0]), east[1].max(high[1])],
                    ],
                });
            }
        });
        self.snapshot.sort(&mut rows);
        (rows, around)
    }

    /// Merges the features of a cell.
    pub(crate) fn areas(&self, cell: Cell) -> CellAreas {
        let (rows, around) = self.rows_of(cell);
        let Some(around) = around else { return CellAreas::default() };
        BUILDER.with_borrow_mut(|builder| builder.build(self, cell, &rows, around))
    }
}

impl Builder {
    fn build(&mut self, source: &MergeSource<'_>, cell: Cell, rows: &[Row], around: WorldBox) -> CellAreas {
        let labels = self.read_polygons(source, cell, rows);
        self.collect_vertices(source, cell, rows, around);
        self.split();
        self.cancel();
        let undirected = self.borders.iter().map(|&(_, (a, b))| if a < b { (a, b) } else { (b, a) });
        let neighbour_vertices = &self.neighbour_vertices;
        self.simplifier.run(undirected, |vertex| neighbour_vertices.contains(vertex), source.tolerance);
        self.collect(labels)
    }

    /// Reads the polygons that belong to the cell, on the grid of area units.
    fn read_polygons(&mut self, source: &MergeSource<'_>, cell: Cell, rows: &[Row]) -> Vec<Label> {
        self.points.clear();
        self.rings.clear();
        self.members.clear();
        let mut labels = Labels::default();
        let mut known: FxHashMap<u64, usize> = FxHashMap::default();
        for (feature, &row) in rows.iter().enumerate() {
            let shape = source.snapshot.shape(row);
            let label = labels.of(source.snapshot, row, source.class, u16::MAX);
            let place =
                shape.mercator_coords().first().map_or([0, 0], |&world| source.cell_grid.local(cell, world));
            let feature = feature as u32;
            self.members.push(MergedFeature { label, parent: feature, count: 1, place });
            let before = self.rings.len();
            for part in shape.parts().filter(|part| part.kind == PartKind::Polygon) {
                for (index, ring) in part.rings().enumerate() {
                    let world = shape.mercator_ring(ring);
                    self.ring.clear();
                    for &world in world {
                        let point = source.cell_grid.local(cell, world);
                        if self.ring.last() != Some(&point) {
                            self.ring.push(point);
                        }
                    }
                    while self.ring.len() > 1 && self.ring.first() == self.ring.last() {
                        self.ring.pop();
                    }
                    if self.ring.len() < 3 {
                        continue;
                    }
                    if runs_clockwise(world) != (index == 0) {
                        self.ring.reverse();
                    }
                    let start = self.points.len();
                    self.points.extend_from_slice(&self.ring);
                    self.rings.push(RawRing { feature, points: start..self.points.len() });
                }
            }
            // Several flats of one house may each have its outline.
            if self.rings.len() == before + 1 {
                let points = self.rings[before].points.clone();
                let hash = hash(label, &self.points[points.clone()]);
                match known.get(&hash) {
                    Some(&ring)
                        if self.points[self.rings[ring].points.clone()] == self.points[points.clone()] =>
                    {
                        let other = self.rings[ring].feature;
                        merge(&mut self.members, feature, other);
                        self.points.truncate(points.start);
                        self.rings.truncate(before);
                    }
                    Some(_) => {}
                    None => {
                        known.insert(hash, before);
                    }
                }
            }
        }
        labels.into_list()
    }

    /// Collects vertices: those of the cell's own polygons, and those of its neighbours' polygons near them.
    fn collect_vertices(
        &mut self,
        source: &MergeSource<'_>,
        cell: Cell,
        rows: &[Row],
        [low, high]: WorldBox,
    ) {
        self.known_vertices.clear();
        self.neighbour_vertices.clear();
        self.points.iter().for_each(|&point| self.known_vertices.insert(point));
        let margin = 1i64 << (source.cell_grid.shift() - 10);
        let near = [low.map(|value| i64::from(value) - margin), high.map(|value| i64::from(value) + margin)];
        let [neighbour_vertices, known_vertices] = [&mut self.neighbour_vertices, &mut self.known_vertices];
        source.during.candidates(&degrees(near), |row| {
            let shape = source.snapshot.shape(row);
            if !matches!(shape.kind(), ShapeKind::Polygon | ShapeKind::MultiPolygon) {
                return;
            }
            let coords = shape.mercator_coords();
            // A feature of this cell is not a neighbour.
            let belongs_here =
                || matches!(source.cell_grid.fit(shape), CellFit::Inside(cell_of, _) if cell_of == cell);
            let meets = world_box(coords).is_some_and(|[first, last]| {
                (0..2).all(|axis| {
                    i64::from(first[axis]) <= near[1][axis] && near[0][axis] <= i64::from(last[axis])
                })
            });
            if meets && !belongs_here() {
                for &world in coords {
                    let place = source.cell_grid.local(cell, world);
                    neighbour_vertices.insert(place);
                    known_vertices.insert(place);
                }
            }
        });
        debug_assert!(!rows.is_empty());
    }

    /// Turns rings into edges, split where they pass a known vertex.
    fn split(&mut self) {
        self.edges.clear();
        for ring in &self.rings {
            let points = &self.points[ring.points.clone()];
            let label = self.members[ring.feature as usize].label;
            for (&from, &to) in points.iter().zip(points.iter().skip(1).chain(points.first())) {
                let forward = from < to;
                let (start, end) = if forward { (from, to) } else { (to, from) };
                self.known_vertices.between(start, end, &mut self.between);
                let mut at = start;
                for &next in self.between.iter().chain(std::iter::once(&end)) {
                    // Snapping may reverse the direction of a part.
                    let (a, b, forward) = if at < next { (at, next, forward) } else { (next, at, !forward) };
                    self.edges.push(Edge { label, forward, feature: ring.feature, a, b });
                    at = next;
                }
            }
        }
    }

    /// Removes the edges that two neighbours of one class share, and merges the neighbours.
    fn cancel(&mut self) {
        self.edges.sort_unstable_by_key(|edge| (edge.label, edge.a, edge.b));
        self.borders.clear();
        let same = |a: &Edge, b: &Edge| a.label == b.label && a.a == b.a && a.b == b.b;
        for group in self.edges.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            let forward = group.iter().filter(|edge| edge.forward).count();
            let backward = group.len() - forward;
            if forward > 0 && backward > 0 {
                group[1..].iter().for_each(|edge| merge(&mut self.members, edge.feature, first.feature));
            }
            let way = if forward > backward { (first.a, first.b) } else { (first.b, first.a) };
            for _ in 0..forward.abs_diff(backward) {
                self.borders.push((first.feature, way));
            }
        }
        for (feature, _) in &mut self.borders {
            *feature = root(&mut self.members, *feature);
        }
        for feature in 0..self.members.len() as u32 {
            let root = root(&mut self.members, feature);
            if root != feature {
                self.members[root as usize].count += self.members[feature as usize].count;
            }
        }
        self.borders.sort_unstable_by_key(|&(area, (a, b))| (area, a, b));
    }

    /// Traces and simplifies the areas, and stores them compactly.
    fn collect(&mut self, labels: Vec<Label>) -> CellAreas {
        let mut found: Vec<(u32, Rings)> = Vec::new();
        let borders = std::mem::take(&mut self.borders);
        for group in borders.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(area, _)) = group.first() else { continue };
            let mut rings = Rings::default();
            self.trace(group, &mut rings);
            found.push((area, rings));
        }
        self.borders = borders;
        let traced = |area: u32| found.binary_search_by_key(&area, |(area, _)| *area).ok();
        let mut lost = Vec::new();
        for (feature, member) in self.members.iter().enumerate() {
            let empty = traced(feature as u32).is_none_or(|index| found[index].1.rings.is_empty());
            if member.parent == feature as u32 && empty {
                // The area is smaller than a unit: a triangle of one unit stands for it.
                let [x, y] = member.place;
                let mut rings = Rings::default();
                rings.push(&[[x, y], [x + 1, y], [x, y + 1]], 1, true);
                lost.push((feature as u32, rings));
            }
        }
        found.retain(|(_, rings)| !rings.rings.is_empty());
        found.append(&mut lost);
        let label = |area: u32| &labels[usize::from(self.members[area as usize].label)];
        // By position, then class: the result must not depend on the numbering of features.
        found.sort_by_cached_key(|(area, rings)| (rings.points.iter().min().copied(), label(*area)));
        let mut out = AreaWriter::default();
        for (area, rings) in &found {
            let member = &self.members[*area as usize];
            out.push(member.label, member.count, rings);
        }
        CellAreas {
            labels: labels.into(),
            areas: out.areas.into(),
            rings: out.rings.into(),
            points: out.points.into(),
            simplified: self.simplifier.dropped.len() as u32,
        }
    }

    /// The valid polygons within the borders of one area: simplified, or exact if simplification would make
    /// them invalid, or repaired if they were invalid from the start.
    fn trace(&mut self, borders: &[(u32, DirectedEdge)], out: &mut Rings) {
        self.directed.clear();
        self.directed.extend(borders.iter().map(|&(_, way)| way));
        let mut exact = Rings::default();
        self.tracer.trace(&mut self.directed, &mut exact);
        let dropped = &self.simplifier.dropped;
        for index in 0..exact.rings.len() {
            let ring = exact.ring(index);
            let kept = ring.iter().copied().filter(|vertex| !dropped.contains(vertex));
            clean(kept, &mut self.ring);
            let area = doubled_area(&self.ring);
            let outer = exact.rings[index].outer;
            if self.ring.len() >= 3 && area != 0 && (area > 0) == outer {
                out.push(&self.ring, area, outer);
            } else {
                out.push(ring, doubled_area(ring), outer);
            }
        }
        if self.checker.polygons_fit(out) {
            return;
        }
        out.clear();
        if self.checker.polygons_fit(&exact) {
            *out = exact;
            return;
        }
        // Tracing would look for polygons; here only the winding number of the borders counts.
        self.repair.clear();
        self.directed.clear();
        self.directed.extend(borders.iter().map(|&(_, way)| way));
        close(&mut self.directed, |ring| self.repair.add(ring.iter().copied()));
        self.repair.finish(&mut self.checker, out);
    }
}

/// Splits edges into closed paths. As many edges end in each vertex as begin there.
fn close(edges: &mut [DirectedEdge], mut ring: impl FnMut(&[TilePoint])) {
    edges.sort_unstable();
    let mut used = vec![false; edges.len()];
    let mut way = Vec::new();
    for start in 0..edges.len() {
        way.clear();
        let mut at = start;
        while !used[at] {
            used[at] = true;
            way.push(edges[at].0);
            let to = edges[at].1;
            let first = edges.partition_point(|edge| edge.0 < to);
            let mut leaving = (first..edges.len()).take_while(|&edge| edges[edge].0 == to);
            let Some(next) = leaving.find(|&edge| !used[edge]) else { break };
            at = next;
        }
        if way.len() > 2 {
            ring(&way);
        }
    }
}

/// The feature that represents everything this one is merged with: the first of them.
fn root(members: &mut [MergedFeature], mut feature: u32) -> u32 {
    loop {
        let parent = members[feature as usize].parent;
        if parent == feature {
            return feature;
        }
        let above = members[parent as usize].parent;
        members[feature as usize].parent = above;
        feature = above;
    }
}

fn merge(members: &mut [MergedFeature], a: u32, b: u32) {
    let (a, b) = (root(members, a), root(members, b));
    members[a.max(b) as usize].parent = a.min(b);
}

fn hash(label: u16, points: &[TilePoint]) -> u64 {
    let mut hasher = FxHasher::default();
    (label, points).hash(&mut hasher);
    hasher.finish()
}

/// Stores areas one after the other.
#[derive(Default)]
struct AreaWriter {
    areas: Vec<MergedArea>,
    rings: Vec<u32>,
    points: Vec<[i16; 2]>,
}

impl AreaWriter {
    fn push(&mut self, label: u16, count: u32, rings: &Rings) {
        let first_ring = self.rings.len() as u32;
        let (mut low, mut high) = ([i16::MAX; 2], [i16::MIN; 2]);
        for (index, ring) in rings.iter().enumerate() {
            for point in ring {
                // No polygon here is wider than a cell, so it reaches at most half a cell beyond it.
                let point = point.map(|value| value.clamp(-2 * CELL_SIDE, 3 * CELL_SIDE) as i16);
                low = [low[0].min(point[0]), low[1].min(point[1])];
                high = [high[0].max(point[0]), high[1].max(point[1])];
                self.points.push(point);
            }
            self.rings.push(2 * self.points.len() as u32 + u32::from(rings.rings[index].outer));
        }
        self.areas.push(MergedArea {
            label,
            count,
            first_ring,
            end_ring: self.rings.len() as u32,
            low,
            high,
        });
    }
}
