//! The bones: arterials as rings and spokes, and the cells between them.

use crate::{
    dice::Dice,
    geom::{Convex, NONE, P, Tag, p},
    road::{Class, Name, Road},
};

/// The arterials and what they enclose.
pub(crate) struct Mesh {
    pub(crate) roads: Vec<Road>,
    pub(crate) cells: Vec<Convex>,
}

struct Ring {
    corners: Vec<P>,
}

/// How far the mesh reaches, metres: over the whole province.
const REACH: f64 = 95_000.0;

impl Mesh {
    /// The mesh of a city whose built-up area has the given radius, metres.
    pub(crate) fn new(seed: u64, radius: f64, streets: usize) -> Self {
        let mut dice = Dice::new(seed, 4, 0);
        let rings = rings(&mut dice, radius);
        let mut mesh = Self { roads: Vec::new(), cells: Vec::new() };
        let mut previous: Vec<Tag> = Vec::new();
        for (k, ring) in rings.iter().enumerate() {
            let around = mesh.add_ring(k, ring, radius, streets, &mut dice);
            if k == 0 {
                mesh.cells.push(Convex::new(ring.corners.clone(), around.clone()));
            } else {
                mesh.add_band(k, &rings[k - 1], ring, &previous, &around, radius, streets, &mut dice);
            }
            previous = around;
        }
        mesh
    }

    fn add_ring(&mut self, k: usize, ring: &Ring, radius: f64, streets: usize, dice: &mut Dice) -> Vec<Tag> {
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
                self.push(road)
            })
            .collect()
    }

    fn push(&mut self, road: Road) -> Tag {
        self.roads.push(road);
        (self.roads.len() - 1) as Tag
    }

    #[allow(clippy::too_many_arguments)]
    fn add_band(
        &mut self,
        k: usize,
        inner: &Ring,
        outer: &Ring,
        inner_tags: &[Tag],
        outer_tags: &[Tag],
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
                self.push(Road { from, to, class, width, name, before: 0.0 })
            })
            .collect();
        let _ = k;
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
        let jitter = if doubled || r < 700.0 { 0.05 } else { 0.13 };
        let corners = (0..count)
            .map(|j| {
                let angle = turn + (j as f64 + dice.range(-jitter, jitter)) * std::f64::consts::TAU / count as f64;
                p(1.0, 0.0).turned(angle) * (r + dice.range(-jitter, jitter) * step)
            })
            .collect();
        rings.push(Ring { corners });
        step *= if r > radius * 1.1 { 1.6 } else { 1.07 };
        r += step;
        if r * std::f64::consts::TAU / count as f64 > 1.7 * step && count < 96 {
            count *= 2;
        }
    }
    rings
}

/// Whether an edge faces an arterial of the mesh.
pub(crate) fn is_arterial(tag: Tag, mesh: &Mesh) -> bool {
    tag != NONE && (tag as usize) < mesh.roads.len()
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
