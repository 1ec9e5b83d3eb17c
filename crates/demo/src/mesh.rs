//! The bones: arterials as rings and spokes, and the cells between them.

use crate::{
    dice::{Dice, mix_unit},
    geom::{Convex, P, Tag, p},
    road::{Class, Name, Road},
};

/// The arterials and what they enclose.
pub(crate) struct Mesh {
    pub(crate) roads: Vec<Road>,
    pub(crate) cells: Vec<Convex>,
    /// For each road whether it is a line of the plan only: outside the city most are.
    pub(crate) unbuilt: Vec<bool>,
    seed: u64,
}

struct Ring {
    corners: Vec<P>,
    /// Where the corners would be without chance.
    even: Vec<P>,
}

/// How far the mesh reaches, metres: over the whole province.
const REACH: f64 = 95_000.0;

impl Mesh {
    /// The mesh of a city whose built-up area has the given radius, metres.
    pub(crate) fn new(seed: u64, radius: f64, streets: usize) -> Self {
        let mut dice = Dice::new(seed, 4, 0);
        let mut rings = rings(&mut dice, radius);
        straighten(&mut rings);
        let mut mesh = Self { roads: Vec::new(), cells: Vec::new(), unbuilt: Vec::new(), seed };
        let mut previous: Vec<Tag> = Vec::new();
        for (k, ring) in rings.iter().enumerate() {
            let around = mesh.add_ring((k, ring), radius, streets, &mut dice);
            if k == 0 {
                mesh.cells.push(Convex::new(ring.corners.clone(), around.clone()));
            } else {
                mesh.add_band([(&rings[k - 1], &previous), (ring, &around)], radius, streets, &mut dice);
            }
            previous = around;
        }
        mesh
    }

    fn add_ring(
        &mut self,
        (k, ring): (usize, &Ring),
        radius: f64,
        streets: usize,
        dice: &mut Dice,
    ) -> Vec<Tag> {
        let n = ring.corners.len();
        let beltway = k % 4 == 3;
        let (mut name, mut before) = (Name::Unnamed, 0.0);
        (0..n)
            .map(|j| {
                let (from, to) = (ring.corners[j], ring.corners[(j + 1) % n]);
                let outside = from.len() > radius;
                let (class, width) = match (beltway, outside) {
                    (true, false) => (Class::Primary, 40.0),
                    (true, true) => (Class::National, 45.0),
                    (false, false) => (Class::Secondary, 24.0),
                    (false, true) => (Class::Secondary, 18.0),
                };
                if beltway {
                    name = Name::Ring((k / 4 + 1) as u16);
                } else if j % 2 == 0 {
                    (name, before) = (Name::Street(dice.below(streets) as u16), 0.0);
                }
                let road = Road { from, to, class, width, name: name.clone(), before };
                before += (to - from).len();
                let unbuilt = outside && !beltway && mix_unit(self.seed, k as u64, (j / 5) as u64) < 0.6;
                self.push(road, unbuilt)
            })
            .collect()
    }

    fn push(&mut self, road: Road, unbuilt: bool) -> Tag {
        self.roads.push(road);
        self.unbuilt.push(unbuilt);
        (self.roads.len() - 1) as Tag
    }

    /// Adds the spokes and cells between two rings, each given with the tags of its edges.
    fn add_band(
        &mut self,
        [(inner, inner_tags), (outer, outer_tags)]: [(&Ring, &[Tag]); 2],
        radius: f64,
        streets: usize,
        dice: &mut Dice,
    ) {
        let n = inner.corners.len();
        let ratio = outer.corners.len() / n;
        let spokes: Vec<Tag> = (0..n)
            .map(|j| {
                let (from, to) = (inner.corners[j], outer.corners[j * ratio]);
                let trunk = j * 6 % n == 0;
                let outside = from.len() > radius;
                let (class, width) = match (trunk, outside) {
                    (true, false) => (Class::Primary, 35.0),
                    (true, true) => (Class::National, 40.0),
                    (false, false) => (Class::Secondary, 22.0),
                    (false, true) => (Class::Secondary, 16.0),
                };
                let name = if trunk && outside {
                    Name::National([1, 13, 22, 51, 50, 14][j * 6 / n % 6])
                } else {
                    Name::Street(dice.below(streets) as u16)
                };
                // A spoke is built or not as a whole, however many there are in its ring.
                let line = (j * 96 / n) as u64;
                let unbuilt = outside && !trunk && mix_unit(self.seed, 0x7370_6f6b, line) < 0.4;
                self.push(Road { from, to, class, width, name, before: 0.0 }, unbuilt)
            })
            .collect();
        for j in 0..n {
            let next = (j + 1) % n;
            let mut corners = vec![inner.corners[j]];
            let mut tags = vec![spokes[j]];
            for step in 0..ratio {
                corners.push(outer.corners[j * ratio + step]);
                tags.push(outer_tags[j * ratio + step]);
            }
            corners.push(outer.corners[next * ratio]);
            tags.push(spokes[next]);
            corners.push(inner.corners[next]);
            tags.push(inner_tags[j]);
            self.cells.push(Convex::new(corners, tags));
        }
    }
}

fn rings(dice: &mut Dice, radius: f64) -> Vec<Ring> {
    let turn = dice.range(0.0, 1.0);
    let (mut r, mut step, mut count) = (620.0, 760.0, 6_usize);
    let mut rings: Vec<Ring> = Vec::new();
    while r < REACH {
        let doubled = rings.last().is_some_and(|last: &Ring| last.corners.len() < count);
        let jitter = if doubled || r < 700.0 { 0.05 } else { 0.17 };
        // Longer from north-west to south-east, as the land between the rivers is.
        let shape =
            |angle: f64| 1.0 + 0.12 * (2.0 * (angle - 2.3)).cos() + 0.015 * (3.0 * angle + turn * 6.0).cos();
        let even = |j: usize| {
            let angle = turn + j as f64 * std::f64::consts::TAU / count as f64;
            p(1.0, 0.0).turned(angle) * (r * shape(angle))
        };
        let corners = (0..count)
            .map(|j| {
                let angle =
                    turn + (j as f64 + dice.range(-jitter, jitter)) * std::f64::consts::TAU / count as f64;
                p(1.0, 0.0).turned(angle) * ((r + dice.range(-jitter, jitter) * step) * shape(angle))
            })
            .collect();
        rings.push(Ring { corners, even: (0..count).map(even).collect() });
        step *= if r > radius * 1.1 { 1.6 } else { 1.07 };
        r += step;
        if r * std::f64::consts::TAU / count as f64 > 1.7 * step && count < 96 {
            count *= 2;
        }
    }
    rings
}

/// Pulls corners towards where they would be without chance until every cell is convex.
fn straighten(rings: &mut [Ring]) {
    for _ in 0..24 {
        let mut bent: Vec<(usize, usize)> = Vec::new();
        for k in 1..rings.len() {
            let (n, count) = (rings[k - 1].corners.len(), rings[k].corners.len());
            let ratio = count / n;
            for j in 0..n {
                let next = (j + 1) % n;
                let mut places = vec![(k - 1, j)];
                places.extend((0..=ratio).map(|step| (k, (j * ratio + step) % count)));
                places.push((k - 1, next));
                let corners: Vec<P> = places.iter().map(|(ring, i)| rings[*ring].corners[*i]).collect();
                let tags = vec![0; corners.len()];
                if !Convex::new(corners, tags).is_convex() {
                    bent.extend(places);
                }
            }
        }
        if bent.is_empty() {
            return;
        }
        bent.sort_unstable();
        bent.dedup();
        for (ring, i) in bent {
            let ring = &mut rings[ring];
            ring.corners[i] = (ring.corners[i] + ring.even[i]) * 0.5;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_convex_whatever_the_seed() {
        for seed in 0..60 {
            let mesh = Mesh::new(seed, 6_000.0, 100);
            assert!(mesh.cells.len() > 50);
            for cell in &mesh.cells {
                assert!(cell.is_convex(), "seed {seed}: {:?}", cell.v);
            }
        }
    }
}
