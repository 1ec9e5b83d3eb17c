//! The 168 communes: real names, codes and positions, made-up borders.
//!
//! A border is the line halfway between two communes' positions (a Voronoi diagram), roughened the
//! same way for both neighbours. Points strewn where no commune lies bound the city and its coast.

use std::collections::HashMap;

use citymap_model::units::{Commune, communes};

use crate::{
    DemoError,
    dice::{Dice, mix_unit},
    frame,
    geom::{Convex, P, Tag, p},
};

/// One commune with its polygon.
pub(crate) struct Unit {
    pub(crate) fact: &'static Commune,
    pub(crate) seat: P,
    /// Outer rings, metres from the centre, counter-clockwise, the end not repeated.
    pub(crate) rings: Vec<Vec<P>>,
}

/// The communes and the sea.
pub(crate) struct Communes {
    pub(crate) units: Vec<Unit>,
    /// The sea's outer ring, and the islands in it.
    pub(crate) sea: Vec<Vec<P>>,
    pub(crate) islands: Vec<Vec<P>>,
}

/// The commune that is an island group.
const CON_DAO: &str = "26732";

/// Between the points that bound the city, metres.
const SPACING: f64 = 4_200.0;

/// The coast that the sea's points lie south of: longitude and latitude, degrees.
const COAST: [[f64; 2]; 11] = [
    [105.6, 8.9],
    [106.5, 9.7],
    [106.72, 10.22],
    [106.8, 10.345],
    [107.0, 10.32],
    [107.1, 10.3],
    [107.2, 10.37],
    [107.42, 10.45],
    [107.6, 10.52],
    [107.9, 10.72],
    [108.6, 11.0],
];

/// The edges of the world that the sea fills: longitude and latitude, degrees.
const WORLD: [[f64; 2]; 2] = [[105.7, 8.2], [108.3, 11.9]];

impl Communes {
    /// The same communes for the same seed; [`DemoError`] if coordinates cannot be transformed.
    pub(crate) fn new(seed: u64) -> Result<Self, DemoError> {
        let facts = communes();
        let seats = frame::to_local(&facts.iter().map(|fact| fact.lonlat).collect::<Vec<_>>())?;
        let boxes = frame::to_local(
            &facts.iter().flat_map(|f| [[f.bbox[0], f.bbox[1]], [f.bbox[2], f.bbox[3]]]).collect::<Vec<_>>(),
        )?;
        let coast = frame::to_local(&COAST)?;
        let world = frame::to_local(&WORLD)?;
        let mainland: Vec<usize> = (0..facts.len()).filter(|i| facts[*i].code != CON_DAO).collect();
        let mut sites: Vec<P> = mainland.iter().map(|i| seats[*i]).collect();
        let real = sites.len();
        let mut wet = vec![false; real];
        let mut dice = Dice::new(seed, 5, 0);
        let (columns, rows) =
            (((world[1].x - world[0].x) / SPACING) as usize, ((world[1].y - world[0].y) / SPACING) as usize);
        for j in 0..rows {
            for i in 0..columns {
                let at = world[0]
                    + p(i as f64 + dice.range(0.15, 0.85), j as f64 + dice.range(0.15, 0.85)) * SPACING;
                let taken = mainland.iter().any(|unit| {
                    let (low, high) = (boxes[2 * unit], boxes[2 * unit + 1]);
                    let (middle, size) = ((low + high) * 0.5, high - low);
                    let away = at - middle;
                    p(away.x / (size.x * 0.56 + 1_600.0), away.y / (size.y * 0.56 + 1_600.0)).len() < 1.0
                });
                if !taken {
                    sites.push(at);
                    wet.push(south_of(&coast, at));
                }
            }
        }
        let diagram = Diagram::new(seed, &sites, world[0], world[1]);
        let mut units: Vec<Unit> =
            facts.iter().zip(seats).map(|(fact, seat)| Unit { fact, seat, rings: Vec::new() }).collect();
        for (site, unit) in mainland.iter().enumerate() {
            units[*unit].rings.push(diagram.outline(|other| other == site).swap_remove(0));
        }
        let mut sea = diagram.outline(|site| site < wet.len() && wet[site]);
        sea.sort_by(|a, b| crate::geom::ring_area2(b).total_cmp(&crate::geom::ring_area2(a)));
        sea.truncate(1);
        let mut islands = Vec::new();
        for unit in &mut units {
            if unit.fact.code == CON_DAO {
                unit.rings = archipelago(seed, unit.seat);
                islands.clone_from(&unit.rings);
            }
        }
        Ok(Self { units, sea, islands })
    }

    /// The commune that holds a point, by its place among `units`; off the map, the nearest.
    pub(crate) fn at(&self, point: P) -> u8 {
        let mut nearest = [(f64::MAX, 0_u8); 6];
        for (i, unit) in self.units.iter().enumerate() {
            let away = unit.seat - point;
            let distance = away.dot(away);
            if distance < nearest[5].0 {
                nearest[5] = (distance, i as u8);
                nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
            }
        }
        let holds = |i: u8| self.units[usize::from(i)].rings.iter().any(|ring| inside(ring, point));
        nearest.iter().map(|(_, i)| *i).find(|i| holds(*i)).unwrap_or(nearest[0].1)
    }

    /// Whether a point lies in any commune.
    pub(crate) fn holds(&self, point: P) -> bool {
        let unit = &self.units[usize::from(self.at(point))];
        unit.rings.iter().any(|ring| inside(ring, point))
    }
}

/// Whether a point lies in a ring (crossing number).
pub(crate) fn inside(ring: &[P], point: P) -> bool {
    let n = ring.len();
    let mut odd = false;
    for i in 0..n {
        let (a, b) = (ring[i], ring[(i + 1) % n]);
        if (a.y > point.y) != (b.y > point.y) && point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x {
            odd = !odd;
        }
    }
    odd
}

fn south_of(coast: &[P], at: P) -> bool {
    coast.windows(2).any(|pair| {
        let [a, b] = [pair[0], pair[1]];
        at.x >= a.x && at.x < b.x && at.y < a.y + (b.y - a.y) * (at.x - a.x) / (b.x - a.x)
    })
}

/// A Voronoi diagram with one rough line for each border.
struct Diagram {
    /// Each cell's corners, and the neighbour beyond the edge that starts at each.
    cells: Vec<Vec<(usize, usize)>>,
    corners: Vec<P>,
    lines: HashMap<(usize, usize), Vec<P>>,
}

/// Sites further apart than this have no border, metres: the points between them see to it.
const NEAR: f64 = SPACING * 6.0;

/// Numbers from here on are edges of the world.
const EDGE: usize = usize::MAX - 8;

impl Diagram {
    fn new(seed: u64, sites: &[P], low: P, high: P) -> Self {
        let mut corners: Vec<P> = Vec::new();
        let mut known: HashMap<[usize; 3], usize> = HashMap::new();
        let mut cells = Vec::with_capacity(sites.len());
        let mut buckets: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
        let bucket = |site: P| ((site.x / NEAR).floor() as i64, (site.y / NEAR).floor() as i64);
        for (i, site) in sites.iter().enumerate() {
            buckets.entry(bucket(*site)).or_default().push(i);
        }
        for (i, site) in sites.iter().enumerate() {
            let (column, row) = bucket(*site);
            let mut near: Vec<(f64, usize)> = (column - 1..=column + 1)
                .flat_map(|x| (row - 1..=row + 1).map(move |y| (x, y)))
                .filter_map(|key| buckets.get(&key))
                .flatten()
                .filter(|j| **j != i)
                .map(|j| ((sites[*j] - *site).len(), *j))
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0));
            let world = vec![low, p(high.x, low.y), high, p(low.x, high.y)];
            let edge = |k: usize| Tag::MAX - 8 + k as Tag;
            let mut cell = Convex::new(world, (0..4).map(edge).collect());
            for (_, j) in near {
                let n = (sites[j] - *site).unit();
                let c = ((sites[j] + *site) * 0.5).dot(n);
                if let Some(cut) = cell.clip(n, c, j as Tag) {
                    cell = cut;
                }
            }
            let number = |tag: Tag| {
                if tag >= Tag::MAX - 8 { EDGE + (tag - (Tag::MAX - 8)) as usize } else { tag as usize }
            };
            let n = cell.v.len();
            let ring = (0..n)
                .map(|k| {
                    let (before, after) = (number(cell.tag[(k + n - 1) % n]), number(cell.tag[k]));
                    let mut key = [i, before, after];
                    key.sort_unstable();
                    let corner = *known.entry(key).or_insert_with(|| {
                        corners.push(cell.v[k]);
                        corners.len() - 1
                    });
                    (corner, after)
                })
                .collect();
            cells.push(ring);
        }
        let mut diagram = Self { cells, corners, lines: HashMap::new() };
        diagram.roughen(seed);
        diagram
    }

    /// Draws each border once, from its lower corner to its higher.
    fn roughen(&mut self, seed: u64) {
        // The sharpest turn at each corner bounds how far the borders that meet there may stray.
        let mut room = vec![1.0_f64; self.corners.len()];
        for cell in &self.cells {
            let n = cell.len();
            for k in 0..n {
                let at = self.corners[cell[k].0];
                let ahead = (self.corners[cell[(k + 1) % n].0] - at).unit();
                let behind = (self.corners[cell[(k + n - 1) % n].0] - at).unit();
                let angle = ahead.dot(behind).clamp(-1.0, 1.0).acos();
                room[cell[k].0] = room[cell[k].0].min(angle / 1.2);
            }
        }
        for cell in &self.cells {
            for k in 0..cell.len() {
                let (a, neighbour) = cell[k];
                let b = cell[(k + 1) % cell.len()].0;
                let key = (a.min(b), a.max(b));
                if a == b || self.lines.contains_key(&key) {
                    continue;
                }
                let (from, to) = (self.corners[key.0], self.corners[key.1]);
                let mut line = vec![from];
                let stray = if neighbour >= EDGE { 0.0 } else { 0.1 * room[a].min(room[b]).min(1.0) };
                let chance = Chance { seed, i: (key.0 * 4_000_037 + key.1) as u64 };
                rough([from, to], stray, 1, &chance, &mut line);
                self.lines.insert(key, line);
            }
        }
    }

    /// The rings around the cells that are chosen, outer ones counter-clockwise.
    fn outline(&self, chosen: impl Fn(usize) -> bool) -> Vec<Vec<P>> {
        let mut next: HashMap<usize, usize> = HashMap::new();
        let mut starts: Vec<usize> = Vec::new();
        for (i, cell) in self.cells.iter().enumerate().filter(|(i, _)| chosen(*i)) {
            let _ = i;
            for k in 0..cell.len() {
                let (from, neighbour) = cell[k];
                let to = cell[(k + 1) % cell.len()].0;
                if from != to && (neighbour >= EDGE || !chosen(neighbour)) {
                    next.insert(from, to);
                    starts.push(from);
                }
            }
        }
        let mut rings = Vec::new();
        for start in starts {
            let mut ring = Vec::new();
            let mut at = start;
            while let Some(to) = next.remove(&at) {
                let line = &self.lines[&(at.min(to), at.max(to))];
                if at < to {
                    ring.extend_from_slice(&line[..line.len() - 1]);
                } else {
                    ring.extend(line[1..].iter().rev());
                }
                at = to;
            }
            if ring.len() > 2 {
                rings.push(ring);
            }
        }
        rings
    }
}

struct Chance {
    seed: u64,
    i: u64,
}

/// Adds the points after `from` up to `to`, each half's middle pushed aside, down to about 120 m.
fn rough([from, to]: [P; 2], stray: f64, place: u64, chance: &Chance, line: &mut Vec<P>) {
    let length = (to - from).len();
    if length < 160.0 || place > 255 || stray == 0.0 {
        line.push(to);
        return;
    }
    let push = (mix_unit(chance.seed, chance.i, place) * 2.0 - 1.0) * stray * length;
    let middle = (from + to) * 0.5 + (to - from).unit().left() * push;
    rough([from, middle], stray * 0.92, place * 2, chance, line);
    rough([middle, to], stray * 0.92, place * 2 + 1, chance, line);
}

/// A large island and small ones around the seat, which one of them holds.
fn archipelago(seed: u64, seat: P) -> Vec<Vec<P>> {
    // Offset from the seat and radius, metres.
    let islands = [(0.0, 0.0, 1_500.0), (20_500.0, 1_800.0, 4_600.0), (10_800.0, -3_400.0, 1_500.0)];
    let small = [
        (31_000.0, 2_600.0, 1_400.0),
        (27_500.0, -9_000.0, 900.0),
        (22_800.0, 13_000.0, 700.0),
        (9_000.0, 7_000.0, 450.0),
    ];
    islands
        .into_iter()
        .chain(small)
        .enumerate()
        .map(|(i, (x, y, radius))| {
            let mut dice = Dice::new(seed, 6, i as u64);
            let phases: Vec<f64> = (0..4).map(|_| dice.range(0.0, std::f64::consts::TAU)).collect();
            (0..72)
                .map(|k| {
                    let angle = f64::from(k) / 72.0 * std::f64::consts::TAU;
                    let wave: f64 = phases
                        .iter()
                        .zip([(2.0, 0.22), (3.0, 0.13), (5.0, 0.07), (9.0, 0.03)])
                        .map(|(phase, (turns, height))| height * (turns * angle + phase).sin())
                        .sum();
                    seat + p(x, y) + p(1.0, 0.0).turned(angle) * (radius * (1.0 + wave))
                })
                .collect()
        })
        .collect()
}
