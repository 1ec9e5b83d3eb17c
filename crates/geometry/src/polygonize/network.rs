//! Lines as a network: nodes, and edges that meet only at nodes.

use std::collections::{HashMap, HashSet};

use geo::{GeoNum, Kernel, Orientation};
use geo_index::rtree::{RTree, RTreeBuilder, RTreeIndex, sort::HilbertSort};
use geo_types::{Coord, LineString};

use super::{CellMap, OpenLine, faces};

type Exact = <f64 as GeoNum>::Ker;

/// How often edges are cut again: moving a cut onto a node can bend an edge over another one.
const ROUNDS: usize = 8;
/// Size of a cell where nothing is snapped, so that equal places are found by their cell.
const NO_TOLERANCE: f64 = 1e-9;

/// Nodes, and the edges between them, each once.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) nodes: Vec<Coord>,
    /// Pairs of different nodes, the smaller number first.
    pub(super) edges: Vec<[u32; 2]>,
}

impl Network {
    pub(super) fn new(lines: &[LineString], tolerance: f64) -> Self {
        let mut snapper = Snapper::new(tolerance);
        // Ends first: a boundary's end is where its neighbour should meet it.
        for line in lines {
            for end in [line.0.first(), line.0.last()].into_iter().flatten() {
                snapper.node(*end);
            }
        }
        let mut edges = HashSet::new();
        for line in lines {
            let nodes: Vec<u32> = line.0.iter().map(|at| snapper.node(*at)).collect();
            edges.extend(nodes.windows(2).filter_map(|pair| edge(pair[0], pair[1])));
        }
        for _ in 0..ROUNDS {
            let cut = cut(&mut snapper, &edges);
            let same = cut == edges;
            edges = cut;
            if same {
                break;
            }
        }
        let mut edges: Vec<[u32; 2]> = edges.into_iter().collect();
        edges.sort_unstable();
        Self { nodes: snapper.nodes, edges }
    }

    pub(super) fn at(&self, node: u32) -> Coord {
        self.nodes[node as usize]
    }

    fn degrees(&self) -> Vec<u32> {
        let mut degrees = vec![0; self.nodes.len()];
        self.edges.iter().flatten().for_each(|&node| degrees[node as usize] += 1);
        degrees
    }

    /// Takes out edges that end at a node without another edge, until none is left. Each chain of them is one
    /// open line.
    pub(super) fn remove_dangling(&mut self) -> Vec<OpenLine> {
        let mut degrees = self.degrees();
        let mut at_node: HashMap<u32, Vec<usize>> = HashMap::new();
        for (number, edge) in self.edges.iter().enumerate() {
            edge.iter().for_each(|&node| at_node.entry(node).or_default().push(number));
        }
        let mut gone = vec![false; self.edges.len()];
        let mut found = Vec::new();
        let ends: Vec<u32> =
            (0..self.nodes.len() as u32).filter(|&node| degrees[node as usize] == 1).collect();
        let loose: HashSet<u32> = ends.iter().copied().collect();
        for end in ends {
            let (mut node, mut length) = (end, 0.0);
            while degrees[node as usize] == 1 {
                let left = at_node[&node].iter().copied().find(|&number| !gone[number]);
                let Some(number) = left else { break };
                gone[number] = true;
                let [a, b] = self.edges[number];
                let next = if a == node { b } else { a };
                length += distance(self.at(a), self.at(b));
                degrees[node as usize] -= 1;
                degrees[next as usize] -= 1;
                node = next;
            }
            if length > 0.0 {
                found.push((end, length));
                // The walk came to the other end of a line that hangs on nothing.
                if degrees[node as usize] == 0 && loose.contains(&node) {
                    found.push((node, length));
                }
            }
        }
        let index = self.index();
        let open = found
            .into_iter()
            .map(|(end, length)| OpenLine { at: self.at(end), length, gap: self.gap(end, &index) })
            .collect();
        let mut number = 0;
        self.edges.retain(|_| {
            number += 1;
            !gone[number - 1]
        });
        open
    }

    /// Takes out edges that have the same face on both sides.
    pub(super) fn remove_bridges(&mut self) -> Vec<OpenLine> {
        let mut found = Vec::new();
        // Without a bridge its ends may be bridges' ends in turn, or dangle; each turn takes out an edge.
        loop {
            let bridges = faces::bridges(self);
            if bridges.is_empty() {
                return found;
            }
            found.extend(bridges.iter().map(|&number| {
                let [a, b] = self.edges[number].map(|node| self.at(node));
                OpenLine { at: a, length: distance(a, b), gap: None }
            }));
            let bridges: HashSet<usize> = bridges.into_iter().collect();
            let mut number = 0;
            self.edges.retain(|_| {
                number += 1;
                !bridges.contains(&(number - 1))
            });
        }
    }

    fn index(&self) -> Option<RTree<f64>> {
        let boxes = self.edges.iter().map(|edge| edge.map(|node| self.at(node)));
        tree(boxes)
    }

    /// The distance of a loose end to the nearest edge that does not end there.
    fn gap(&self, end: u32, index: &Option<RTree<f64>>) -> Option<f64> {
        let at = self.at(end);
        let index = index.as_ref()?;
        let near = index.neighbors(at.x, at.y, Some(64), None);
        near.into_iter()
            .map(|number| self.edges[number as usize])
            .filter(|edge| !edge.contains(&end))
            .map(|[a, b]| distance_to_edge(at, self.at(a), self.at(b)))
            .min_by(f64::total_cmp)
    }
}

/// Turns places into nodes: one that is within the tolerance of a node becomes it.
struct Snapper {
    tolerance: f64,
    cells: CellMap,
    nodes: Vec<Coord>,
}

impl Snapper {
    fn new(tolerance: f64) -> Self {
        Self { tolerance, cells: CellMap::new(tolerance.max(NO_TOLERANCE)), nodes: Vec::new() }
    }

    fn node(&mut self, at: Coord) -> u32 {
        let near = self.cells.near(at);
        let nearest = near
            .map(|node| (distance(self.nodes[node as usize], at), node))
            .filter(|(distance, _)| *distance <= self.tolerance)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, node)) = nearest {
            return node;
        }
        let node = self.nodes.len() as u32;
        self.nodes.push(at);
        self.cells.add(at, node);
        node
    }
}

/// Cuts edges at the nodes that lie on them and where they cross each other.
fn cut(snapper: &mut Snapper, edges: &HashSet<[u32; 2]>) -> HashSet<[u32; 2]> {
    let mut list: Vec<[u32; 2]> = edges.iter().copied().collect();
    list.sort_unstable();
    let ends = |snapper: &Snapper, edge: [u32; 2]| edge.map(|node| snapper.nodes[node as usize]);
    let Some(index) = tree(list.iter().map(|&edge| ends(snapper, edge))) else { return HashSet::new() };
    let tolerance = snapper.tolerance;
    let mut cuts: Vec<Vec<u32>> = vec![Vec::new(); list.len()];
    let used: HashSet<u32> = list.iter().flatten().copied().collect();
    for &node in &used {
        let at = snapper.nodes[node as usize];
        for number in index.search(at.x - tolerance, at.y - tolerance, at.x + tolerance, at.y + tolerance) {
            let edge = list[number as usize];
            let [a, b] = ends(snapper, edge);
            if !edge.contains(&node) && lies_on(at, a, b, tolerance) {
                cuts[number as usize].push(node);
            }
        }
    }
    for (number, &edge) in list.iter().enumerate() {
        let [a, b] = ends(snapper, edge);
        let (west, east) = (a.x.min(b.x), a.x.max(b.x));
        let (south, north) = (a.y.min(b.y), a.y.max(b.y));
        for other in index.search(west, south, east, north) {
            let other = other as usize;
            if other <= number || list[other].iter().any(|node| edge.contains(node)) {
                continue;
            }
            let [c, d] = ends(snapper, list[other]);
            if let Some(at) = crossing([a, b], [c, d]) {
                let node = snapper.node(at);
                cuts[number].push(node);
                cuts[other].push(node);
            }
        }
    }
    let mut out = HashSet::with_capacity(list.len());
    for (edge, mut nodes) in list.into_iter().zip(cuts) {
        let [a, b] = ends(snapper, edge);
        let along = |node: &u32| {
            let at = snapper.nodes[*node as usize];
            (at.x - a.x) * (b.x - a.x) + (at.y - a.y) * (b.y - a.y)
        };
        nodes.sort_unstable_by(|p, q| along(p).total_cmp(&along(q)).then(p.cmp(q)));
        nodes.insert(0, edge[0]);
        nodes.push(edge[1]);
        out.extend(nodes.windows(2).filter_map(|pair| self::edge(pair[0], pair[1])));
    }
    out
}

fn tree(edges: impl ExactSizeIterator<Item = [Coord; 2]>) -> Option<RTree<f64>> {
    let count = u32::try_from(edges.len()).ok().filter(|&count| count > 0)?;
    let mut builder = RTreeBuilder::<f64>::new(count);
    for [a, b] in edges {
        builder.add(a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y));
    }
    Some(builder.finish::<HilbertSort>())
}

fn edge(a: u32, b: u32) -> Option<[u32; 2]> {
    (a != b).then(|| [a.min(b), a.max(b)])
}

pub(super) fn distance(a: Coord, b: Coord) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

fn distance_to_edge(at: Coord, a: Coord, b: Coord) -> f64 {
    let (ux, uy) = (b.x - a.x, b.y - a.y);
    let square = ux * ux + uy * uy;
    let t = if square > 0.0 { ((at.x - a.x) * ux + (at.y - a.y) * uy) / square } else { 0.0 };
    let t = t.clamp(0.0, 1.0);
    distance(at, Coord { x: a.x + t * ux, y: a.y + t * uy })
}

/// Whether a place is on the edge from `a` to `b`; without a tolerance exactly.
fn lies_on(at: Coord, a: Coord, b: Coord, tolerance: f64) -> bool {
    if tolerance > 0.0 {
        return distance_to_edge(at, a, b) <= tolerance;
    }
    Exact::orient2d(a, b, at) == Orientation::Collinear
        && (a.x.min(b.x)..=a.x.max(b.x)).contains(&at.x)
        && (a.y.min(b.y)..=a.y.max(b.y)).contains(&at.y)
}

/// Where two edges cross at a point inside both.
fn crossing([a, b]: [Coord; 2], [c, d]: [Coord; 2]) -> Option<Coord> {
    let parts = |a: Coord, b: Coord, p: Coord, q: Coord| {
        let sides = [p, q].map(|end| Exact::orient2d(a, b, end));
        sides[0] != sides[1] && !sides.contains(&Orientation::Collinear)
    };
    if !parts(a, b, c, d) || !parts(c, d, a, b) {
        return None;
    }
    let (ux, uy, vx, vy) = (b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y);
    let cross = ux * vy - uy * vx;
    let t = ((c.x - a.x) * vy - (c.y - a.y) * vx) / cross;
    let at = Coord { x: a.x + t * ux, y: a.y + t * uy };
    (at.x.is_finite() && at.y.is_finite()).then_some(at)
}
