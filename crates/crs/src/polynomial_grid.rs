//! The transformation between WGS 84 and the home grid as piecewise polynomials, for work that transforms
//! millions of points.
//!
//! PROJ takes 0.5 µs for each point, which would dominate the overlay of a city. The transformation is
//! smooth: over a cell of 0.05° (5 km) a polynomial of degree 4 in both coordinates equals it to less than
//! the last bit of a coordinate, in one thirtieth of the time. Each cell is fitted to PROJ at its first use,
//! at 6 × 6 Chebyshev nodes, so there is no second formula that could differ from the pinned pipeline; tests
//! compare both over the whole country. Outside of the cells PROJ is called.

use std::sync::{LazyLock, OnceLock};

use crate::{Crs, CrsError, Transform};

/// Number of nodes along each side of a cell.
const NODES: usize = 6;
/// The highest total degree that is kept.
const DEGREE: usize = 4;
/// Number of terms `u^i v^j` with `i + j ≤ DEGREE`.
const TERMS: usize = (DEGREE + 1) * (DEGREE + 2) / 2;

/// A fast transformation between two systems over a part of the world; equals PROJ's within 1e-8 m (or 1e-13
/// degrees).
#[derive(Debug)]
pub struct PolynomialGrid {
    transform: Transform,
    origin: [f64; 2],
    cell: f64,
    columns: usize,
    rows: usize,
    /// An inner `None` marks a cell that PROJ cannot transform completely.
    patches: Box<[OnceLock<Option<Box<Patch>>>]>,
}

/// A polynomial over one cell, in `u` and `v` from −1 to 1.
#[derive(Debug)]
struct Patch {
    center: [f64; 2],
    image: [f64; 2],
    terms: [[f64; 2]; TERMS],
}

static TO_HOME: LazyLock<PolynomialGrid> = LazyLock::new(|| {
    PolynomialGrid::new(Transform::known(Crs::WGS84, Crs::home()), [102.0, 6.0], 0.05, [160, 360])
});
static FROM_HOME: LazyLock<PolynomialGrid> = LazyLock::new(|| {
    PolynomialGrid::new(Transform::known(Crs::home(), Crs::WGS84), [50_000.0, 640_000.0], 5_000.0, [185, 410])
});

impl PolynomialGrid {
    /// From WGS 84 degrees to metres on the home grid; fast between 102° and 110° E, 6° and 24°
    /// N.
    pub fn to_home() -> &'static Self {
        &TO_HOME
    }

    /// From metres on the home grid to WGS 84 degrees; fast over the same part of the world.
    pub fn from_home() -> &'static Self {
        &FROM_HOME
    }

    fn new(transform: Transform, origin: [f64; 2], cell: f64, [columns, rows]: [usize; 2]) -> Self {
        let patches = std::iter::repeat_with(OnceLock::new).take(columns * rows).collect();
        Self { transform, origin, cell, columns, rows, patches }
    }

    /// The pair `[x, y]` in the other system.
    ///
    /// # Errors
    /// The errors of [`Transform::point`].
    #[inline]
    pub fn point(&self, [x, y]: [f64; 2]) -> Result<[f64; 2], CrsError> {
        let column = (x - self.origin[0]) / self.cell;
        let row = (y - self.origin[1]) / self.cell;
        // NaN matches no cell.
        let within = column >= 0.0 && row >= 0.0 && column < self.columns as f64 && row < self.rows as f64;
        if !within {
            return self.transform.point([x, y]);
        }
        let [column, row] = [column as usize, row as usize];
        match self.patches[row * self.columns + column].get_or_init(|| self.fit(column, row)) {
            Some(patch) => Ok(patch.at([x, y], 2.0 / self.cell)),
            None => self.transform.point([x, y]),
        }
    }

    #[cold]
    fn fit(&self, column: usize, row: usize) -> Option<Box<Patch>> {
        let half = self.cell / 2.0;
        let center = [
            self.origin[0] + column as f64 * self.cell + half,
            self.origin[1] + row as f64 * self.cell + half,
        ];
        let nodes: [f64; NODES] = std::array::from_fn(node);
        let mut values = Vec::with_capacity(NODES * NODES + 1);
        for v in nodes {
            values.extend(nodes.map(|u| [center[0] + u * half, center[1] + v * half]));
        }
        values.push(center);
        self.transform.apply(&mut values).ok()?;
        let image = values.pop()?;
        let chebyshev = chebyshev();
        let mut terms = [[0.0; 2]; TERMS];
        for (i, j) in powers() {
            // The coefficient, by the discrete orthogonality of Chebyshev polynomials at their nodes. Higher
            // degrees are dropped here and not among the powers, where PROJ's noise (1e-9 m) would be
            // amplified.
            let mut factor = [0.0; 2];
            for (n, value) in values.iter().enumerate() {
                let weight = weight(i, n % NODES) * weight(j, n / NODES);
                for axis in 0..2 {
                    factor[axis] += weight * (value[axis] - image[axis]);
                }
            }
            for (slot, (a, b)) in powers().enumerate() {
                let part = chebyshev[i][a] * chebyshev[j][b];
                for axis in 0..2 {
                    terms[slot][axis] += factor[axis] * part;
                }
            }
        }
        Some(Box::new(Patch { center, image, terms }))
    }
}

impl Patch {
    #[inline]
    fn at(&self, [x, y]: [f64; 2], scale: f64) -> [f64; 2] {
        let [u, v] = [(x - self.center[0]) * scale, (y - self.center[1]) * scale];
        let t = &self.terms;
        // Horner's rule in u, whose coefficients are polynomials in v. Terms are ordered by power of u, then
        // of v.
        std::array::from_fn(|axis| {
            let c = |n: usize| t[n][axis];
            let c0 = c(0) + v * (c(1) + v * (c(2) + v * (c(3) + v * c(4))));
            let c1 = c(5) + v * (c(6) + v * (c(7) + v * c(8)));
            let c2 = c(9) + v * (c(10) + v * c(11));
            let c3 = c(12) + v * c(13);
            self.image[axis] + (c0 + u * (c1 + u * (c2 + u * (c3 + u * c(14)))))
        })
    }
}

/// The powers of u and v of each term, in the order that [`Patch::at`] reads them.
fn powers() -> impl Iterator<Item = (usize, usize)> {
    (0..=DEGREE).flat_map(|i| (0..=DEGREE - i).map(move |j| (i, j)))
}

/// The n-th Chebyshev node.
fn node(n: usize) -> f64 {
    (std::f64::consts::PI * (n as f64 + 0.5) / NODES as f64).cos()
}

/// The coefficients of the Chebyshev polynomials, as `[k][power]`.
fn chebyshev() -> [[f64; DEGREE + 1]; DEGREE + 1] {
    let mut all = [[0.0; DEGREE + 1]; DEGREE + 1];
    all[0][0] = 1.0;
    all[1][1] = 1.0;
    for k in 2..=DEGREE {
        for power in 0..=DEGREE {
            let raised = if power > 0 { 2.0 * all[k - 1][power - 1] } else { 0.0 };
            all[k][power] = raised - all[k - 2][power];
        }
    }
    all
}

/// What the value at node `n` adds to the coefficient of the k-th Chebyshev polynomial.
fn weight(k: usize, n: usize) -> f64 {
    let angle = std::f64::consts::PI * (n as f64 + 0.5) / NODES as f64;
    if k == 0 { 1.0 / NODES as f64 } else { 2.0 / NODES as f64 * (k as f64 * angle).cos() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evenly spread numbers between 0 and 1 from a counter.
    fn spread(n: u32, step: f64) -> f64 {
        (f64::from(n) * step).fract()
    }

    fn worst(path: &PolynomialGrid, places: impl Iterator<Item = [f64; 2]>) -> f64 {
        let mut worst = 0.0f64;
        for place in places {
            let [ours, theirs] = [path.point(place).unwrap(), path.transform.point(place).unwrap()];
            worst = worst.max((ours[0] - theirs[0]).abs()).max((ours[1] - theirs[1]).abs());
        }
        worst
    }

    #[test]
    fn over_the_city_it_is_proj_to_less_than_ten_nanometres() {
        let city =
            |n: u32| [106.3 + 1.3 * spread(n, 0.618_033_988_75), 10.2 + 1.5 * spread(n, 0.754_877_666_25)];
        let gap = worst(PolynomialGrid::to_home(), (0..40_000).map(city));
        assert!(gap < 1e-8, "{gap} m");
        let home = |n: u32| Transform::known(Crs::WGS84, Crs::home()).point(city(n)).unwrap();
        let gap = worst(PolynomialGrid::from_home(), (0..40_000).map(home));
        assert!(gap < 1e-13, "{gap} degrees");
    }

    #[test]
    fn over_the_country_and_beyond_it_is_proj_too() {
        let country =
            |n: u32| [101.9 + 8.2 * spread(n, 0.618_033_988_75), 5.9 + 18.2 * spread(n, 0.754_877_666_25)];
        let gap = worst(PolynomialGrid::to_home(), (0..20_000).map(country));
        assert!(gap < 2e-8, "{gap} m");
        let edges = [[102.0, 6.0], [110.0, 24.0], [106.7, 10.75], [106.75, 10.7]];
        assert!(worst(PolynomialGrid::to_home(), edges.into_iter()) < 2e-8);
        assert!(PolynomialGrid::to_home().point([f64::NAN, 10.0]).is_err());
        assert!(PolynomialGrid::to_home().point([106.0, 95.0]).is_err());
    }
}
