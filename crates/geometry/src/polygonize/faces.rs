//! The faces of a network.

use std::{cmp::Ordering, collections::HashMap};

use geo::{Contains, GeoNum, Intersects, Kernel, Orientation};
use geo_index::rtree::{RTreeBuilder, RTreeIndex, sort::HilbertSort};
use geo_types::{Coord, LineString, Point, Polygon};

use super::network::Network;

type Exact = <f64 as GeoNum>::Ker;

/// A closed walk along edges that has its face to the left: the nodes in their order, each once.
type Loop = Vec<u32>;

/// Each edge in both directions: number `2 i` runs from the first node of edge `i` to the second, `2 i + 1`
/// back.
struct Directed<'a> {
    network: &'a Network,
    /// The directed edge that follows each around the face to its left.
    next: Vec<usize>,
}

impl<'a> Directed<'a> {
    fn new(network: &'a Network) -> Self {
        let mut out: HashMap<u32, Vec<usize>> = HashMap::new();
        for (number, &[a, b]) in network.edges.iter().enumerate() {
            out.entry(a).or_default().push(2 * number);
            out.entry(b).or_default().push(2 * number + 1);
        }
        let mut next = vec![0; network.edges.len() * 2];
        for (&node, edges) in &mut out {
            let centre = network.at(node);
            let towards = |edge: usize| network.at(end_of(network, edge));
            edges.sort_unstable_by(|&a, &b| by_angle(centre, towards(a), towards(b)).then(a.cmp(&b)));
            // After arriving by an edge, the next one to the right of the way back bounds the face to the
            // left.
            for (position, &edge) in edges.iter().enumerate() {
                let before = if position == 0 { edges.len() - 1 } else { position - 1 };
                next[edge ^ 1] = edges[before];
            }
        }
        Self { network, next }
    }

    /// All walks around faces, as directed edges.
    fn walks(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.next.len()];
        let mut walks = Vec::new();
        for first in 0..self.next.len() {
            let (mut edge, mut walk) = (first, Vec::new());
            while !seen[edge] {
                seen[edge] = true;
                walk.push(edge);
                edge = self.next[edge];
            }
            if !walk.is_empty() {
                walks.push(walk);
            }
        }
        walks
    }

    /// The loops of a walk: it is cut where it comes to a node again.
    fn loops(&self, walk: &[usize]) -> Vec<Loop> {
        let mut loops = Vec::new();
        let mut path: Loop = Vec::new();
        let mut position: HashMap<u32, usize> = HashMap::new();
        for &edge in walk {
            let node = end_of(self.network, edge ^ 1);
            if let Some(&from) = position.get(&node) {
                let closed: Loop = path.drain(from..).collect();
                closed.iter().for_each(|node| {
                    position.remove(node);
                });
                loops.push(closed);
            }
            position.insert(node, path.len());
            path.push(node);
        }
        loops.push(path);
        loops.retain(|nodes| nodes.len() >= 3);
        loops
    }
}

/// The node at the end of a directed edge.
fn end_of(network: &Network, edge: usize) -> u32 {
    network.edges[edge / 2][1 - edge % 2]
}

/// The order of two directions from a centre, counterclockwise from the east; exact.
fn by_angle(centre: Coord, a: Coord, b: Coord) -> Ordering {
    let upper = |at: Coord| at.y > centre.y || (at.y == centre.y && at.x > centre.x);
    upper(b).cmp(&upper(a)).then_with(|| match Exact::orient2d(centre, a, b) {
        Orientation::CounterClockwise => Ordering::Less,
        Orientation::Clockwise => Ordering::Greater,
        Orientation::Collinear => Ordering::Equal,
    })
}

/// The edges with the same face on both sides.
pub(super) fn bridges(network: &Network) -> Vec<usize> {
    let directed = Directed::new(network);
    let mut face = vec![0; directed.next.len()];
    for (number, walk) in directed.walks().iter().enumerate() {
        walk.iter().for_each(|&edge| face[edge] = number);
    }
    (0..network.edges.len()).filter(|&edge| face[2 * edge] == face[2 * edge + 1]).collect()
}

/// The bounded faces as polygons.
pub(super) fn polygons(network: &Network) -> Vec<Polygon> {
    let directed = Directed::new(network);
    let ring = |nodes: &Loop| {
        let mut ring = LineString::new(nodes.iter().map(|&node| network.at(node)).collect());
        ring.close();
        ring
    };
    let (mut shells, mut holes): (Vec<(LineString, Vec<LineString>)>, Vec<LineString>) = Default::default();
    for walk in directed.walks() {
        let (outer, inner): (Vec<LineString>, Vec<LineString>) =
            directed.loops(&walk).iter().map(ring).partition(|ring| twice_area(ring) > 0.0);
        let mut outer = outer.into_iter();
        match outer.next() {
            // A walk around a bounded face is one loop around it, and loops around what touches it from
            // inside.
            Some(shell) => shells.push((shell, inner)),
            None => holes.extend(inner),
        }
        shells.extend(outer.map(|shell| (shell, Vec::new())));
    }
    place_holes(&mut shells, holes);
    shells.into_iter().map(|(shell, holes)| Polygon::new(shell, holes)).collect()
}

/// Gives each hole to the smallest shell around it.
fn place_holes(shells: &mut [(LineString, Vec<LineString>)], holes: Vec<LineString>) {
    let Some(count) = u32::try_from(shells.len()).ok().filter(|&count| count > 0) else { return };
    let mut builder = RTreeBuilder::<f64>::new(count);
    for (shell, _) in shells.iter() {
        let [min, max] = bounds(shell);
        builder.add(min.x, min.y, max.x, max.y);
    }
    let index = builder.finish::<HilbertSort>();
    let polygons: Vec<Polygon> =
        shells.iter().map(|(shell, _)| Polygon::new(shell.clone(), Vec::new())).collect();
    for hole in holes {
        let [min, max] = bounds(&hole);
        let around = index
            .search(min.x, min.y, max.x, max.y)
            .into_iter()
            .map(|number| number as usize)
            .filter(|&number| {
                let [shell_min, shell_max] = bounds(&shells[number].0);
                shell_min.x <= min.x && shell_min.y <= min.y && shell_max.x >= max.x && shell_max.y >= max.y
            })
            .filter(|&number| is_within(&hole, &polygons[number]))
            .min_by(|&a, &b| twice_area(&shells[a].0).total_cmp(&twice_area(&shells[b].0)));
        if let Some(number) = around {
            shells[number].1.push(hole);
        }
    }
}

/// Whether a hole is in a shell. They share no edge part and cross nowhere, so one vertex decides that is
/// not on the shell itself.
fn is_within(hole: &LineString, shell: &Polygon) -> bool {
    let off_edge = hole.points().find(|point: &Point| !shell.exterior().intersects(point));
    off_edge.is_some_and(|point| shell.contains(&point))
}

fn bounds(ring: &LineString) -> [Coord; 2] {
    let first = ring.0.first().copied().unwrap_or_default();
    ring.0.iter().fold([first, first], |[min, max], at| {
        [Coord { x: min.x.min(at.x), y: min.y.min(at.y) }, Coord { x: max.x.max(at.x), y: max.y.max(at.y) }]
    })
}

/// Twice the signed area of a closed ring; positive if it runs counterclockwise.
fn twice_area(ring: &LineString) -> f64 {
    let Some(&origin) = ring.0.first() else { return 0.0 };
    ring.lines()
        .map(|line| {
            (line.start.x - origin.x) * (line.end.y - origin.y)
                - (line.end.x - origin.x) * (line.start.y - origin.y)
        })
        .sum()
}
