//! Areas from the ways of a relation.
//!
//! The ways are taken apart into pieces between two nodes. A piece that occurs twice separates nothing and
//! goes; the others must close. At a node where several rings meet, the sharpest turn to the left is taken,
//! so rings never cross; a ring inside an even number of others is an outer one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use geo::{Area, Contains, InteriorPoint};
use geo_types::{Coord, LineString, MultiPolygon, Polygon};

/// The nodes and the tags of each way, and where nodes are (degrees).
#[derive(Default)]
pub(super) struct Ways {
    pub nodes: HashMap<i64, Vec<i64>>,
    pub tags: HashMap<i64, Vec<(String, String)>>,
    pub places: HashMap<i64, [f64; 2]>,
}

/// The area that ways enclose.
///
/// # Errors
/// Why they enclose none: a way or a node that is not in the file, or an open end.
pub(super) fn area(members: &[i64], ways: &Ways) -> Result<MultiPolygon<f64>, String> {
    let missing: Vec<i64> = members.iter().copied().filter(|way| !ways.nodes.contains_key(way)).collect();
    if let Some(first) = missing.first() {
        return Err(match missing.len() {
            1 => format!("its way {first} is not in the file: the extract was cut here"),
            many => format!(
                "{many} of its {} ways are not in the file, way {first} for one: the extract was \
                             cut here",
                members.len()
            ),
        });
    }
    let rings = rings(pieces(members, ways)?, ways)?;
    if rings.is_empty() {
        return Err("it has no ways that enclose an area".into());
    }
    Ok(nested(rings))
}

/// The pieces that occur an odd number of times, as a graph: the neighbours of each node.
type Graph = BTreeMap<i64, BTreeSet<i64>>;

fn pieces(members: &[i64], ways: &Ways) -> Result<Graph, String> {
    let mut graph = Graph::new();
    for way in members {
        let Some(nodes) = ways.nodes.get(way) else { continue };
        if let Some(node) = nodes.iter().find(|node| !ways.places.contains_key(node)) {
            return Err(format!("node {node} of its way {way} is not in the file: the extract was cut here"));
        }
        for pair in nodes.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            if a == b {
                continue;
            }
            for (from, to) in [(a, b), (b, a)] {
                let neighbours = graph.entry(from).or_default();
                if !neighbours.remove(&to) {
                    neighbours.insert(to);
                }
            }
        }
    }
    graph.retain(|_, neighbours| !neighbours.is_empty());
    Ok(graph)
}

/// Rings of nodes, each closed and without a node twice.
fn rings(mut graph: Graph, ways: &Ways) -> Result<Vec<LineString<f64>>, String> {
    if let Some((node, _)) = graph.iter().find(|(_, neighbours)| neighbours.len() % 2 == 1) {
        let [lon, lat] = ways.places.get(node).copied().unwrap_or_default();
        return Err(format!("its ways do not close: one ends at {lon:.6}, {lat:.6} (node {node})"));
    }
    let at = |node: i64| {
        let [x, y] = ways.places.get(&node).copied().unwrap_or_default();
        Coord { x, y }
    };
    let mut starts: Vec<i64> = graph.keys().copied().collect();
    starts.sort_by(|a, b| (at(*a).x, at(*a).y).partial_cmp(&(at(*b).x, at(*b).y)).unwrap_or(a.cmp(b)));
    let mut rings = Vec::new();
    for start in starts {
        while let Some(first) = leave(&graph, start, None, &at) {
            let mut path = vec![start, first];
            let mut positions = HashMap::from([(start, 0), (first, 1)]);
            cut(&mut graph, start, first);
            while let [.., before, last] = path[..] {
                let Some(next) = leave(&graph, last, Some(before), &at) else { break };
                cut(&mut graph, last, next);
                if let Some(position) = positions.get(&next).copied() {
                    let ring: Vec<i64> = path.drain(position..).collect();
                    ring.iter().for_each(|node| {
                        positions.remove(node);
                    });
                    rings.push(ring.into_iter().chain([next]).map(at).collect());
                }
                positions.insert(next, path.len());
                path.push(next);
                if path.len() == 1 {
                    break;
                }
            }
        }
    }
    Ok(rings)
}

fn cut(graph: &mut Graph, a: i64, b: i64) {
    for (from, to) in [(a, b), (b, a)] {
        if let Some(neighbours) = graph.get_mut(&from) {
            neighbours.remove(&to);
        }
    }
}

/// The next node: from the first one the lowest, so that the ring runs anticlockwise, and then the one that
/// is most to the left.
fn leave(graph: &Graph, node: i64, before: Option<i64>, at: &impl Fn(i64) -> Coord<f64>) -> Option<i64> {
    let neighbours = graph.get(&node)?;
    let here = at(node);
    let angle = |to: i64| (at(to).y - here.y).atan2(at(to).x - here.x);
    let back = before.map(angle);
    // How far right from straight back, clockwise: the most left turn is the first one met.
    let turn = |to: i64| match back {
        None => angle(to),
        Some(back) => (back - angle(to)).rem_euclid(std::f64::consts::TAU),
    };
    neighbours.iter().copied().min_by(|a, b| turn(*a).total_cmp(&turn(*b)))
}

/// Rings as polygons: one inside an odd number of others is a hole of the smallest of them.
fn nested(rings: Vec<LineString<f64>>) -> MultiPolygon<f64> {
    let shells: Vec<Polygon<f64>> = rings.into_iter().map(|ring| Polygon::new(ring, Vec::new())).collect();
    let areas: Vec<f64> = shells.iter().map(Area::unsigned_area).collect();
    // Rings do not cross: one is in another if a point of it is, and it is the smaller one.
    let inside: Vec<Vec<usize>> = shells
        .iter()
        .enumerate()
        .map(|(own, shell)| {
            let Some(point) = shell.interior_point() else { return Vec::new() };
            (0..shells.len())
                .filter(|other| areas[own] < areas[*other] && shells[*other].contains(&point))
                .collect()
        })
        .collect();
    let mut out: Vec<(usize, Polygon<f64>)> = (0..shells.len())
        .filter(|ring| inside[*ring].len().is_multiple_of(2))
        .map(|ring| (ring, shells[ring].clone()))
        .collect();
    for (ring, around) in inside.iter().enumerate().filter(|(_, around)| around.len() % 2 == 1) {
        // The one that is itself in all the others is the smallest.
        let smallest = around.iter().max_by_key(|other| inside[**other].len());
        if let Some((_, polygon)) = out.iter_mut().find(|(shell, _)| Some(shell) == smallest) {
            polygon.interiors_push(shells[ring].exterior().clone());
        }
    }
    MultiPolygon(out.into_iter().map(|(_, polygon)| polygon).collect())
}

#[cfg(test)]
mod tests {
    use geo::Validation;

    use super::*;

    /// Ways by the places of their nodes, which are whole numbers: node `100 x + y`.
    fn ways(lines: &[&[(i64, i64)]]) -> (Vec<i64>, Ways) {
        let mut all = Ways::default();
        for (way, line) in (1..).zip(lines) {
            all.nodes.insert(way, line.iter().map(|(x, y)| 100 * x + y).collect());
            all.places.extend(line.iter().map(|(x, y)| (100 * x + y, [*x as f64, *y as f64])));
        }
        ((1..=lines.len() as i64).collect(), all)
    }

    fn made(lines: &[&[(i64, i64)]]) -> Result<MultiPolygon<f64>, String> {
        let (members, all) = ways(lines);
        area(&members, &all)
    }

    const SHELL: [(i64, i64); 5] = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)];

    #[test]
    fn rings_that_touch_are_told_apart() {
        for (what, lines, area, parts, holes) in [
            ("one way", &[&SHELL[..]][..], 100.0, 1, 0),
            ("two halves", &[&SHELL[..3], &SHELL[2..]], 100.0, 1, 0),
            ("a hole", &[&SHELL, &[(2, 2), (4, 2), (4, 4), (2, 2)]], 98.0, 1, 1),
            ("a hole at a corner", &[&SHELL, &[(0, 0), (4, 2), (4, 4), (0, 0)]], 96.0, 1, 1),
            (
                "a hole from corner to corner",
                &[&SHELL, &[(0, 0), (5, 4), (10, 10), (4, 5), (0, 0)]],
                90.0,
                2,
                0,
            ),
            (
                "an island",
                &[&SHELL, &[(2, 2), (8, 2), (8, 8), (2, 8), (2, 2)], &[(4, 4), (5, 4), (5, 5), (4, 4)]],
                64.5,
                2,
                1,
            ),
            ("neighbours", &[&SHELL, &[(10, 0), (20, 0), (20, 10), (10, 10), (10, 0)]], 200.0, 1, 0),
            ("a hole along the side", &[&SHELL, &[(0, 0), (10, 0), (5, 5), (0, 0)]], 75.0, 1, 0),
        ] {
            let made = made(lines).unwrap();
            assert!(made.is_valid(), "{what}: {made:?}");
            assert!((made.unsigned_area() - area).abs() < 1e-9, "{what}: {}", made.unsigned_area());
            let found: usize = made.iter().map(|polygon| polygon.interiors().len()).sum();
            assert_eq!((made.0.len(), found), (parts, holes), "{what}: {made:?}");
        }
    }

    #[test]
    fn what_does_not_close_says_where() {
        let open = made(&[&SHELL[..3]]).unwrap_err();
        assert!(open.contains("0.000000, 0.000000"), "{open}");
        let (members, mut all) = ways(&[&SHELL]);
        all.places.remove(&1_000);
        assert!(area(&members, &all).unwrap_err().contains("node 1000"));
        all.nodes.clear();
        assert!(area(&members, &all).unwrap_err().contains("way 1 is not in the file"));
    }
}
