//! The planes on which features are overlaid, and how much ground their units are.

use citymap_crs::{CrsError, PolynomialGrid, square_degree_area};

use geo::{Coord, LineString};

use crate::Method;

/// Units for each degree on the plane of longitudes and latitudes, so that a unit is about a metre and
/// tolerances hold on both planes.
const UNITS: f64 = 111_320.0;
/// Parts of a unit to which coordinates are rounded there. Differences of such coordinates are exact.
const PARTS: f64 = 134_217_728.0;
/// Northing that one application of Gauss's rule covers, in units: half a degree.
const STEP: f64 = UNITS / 2.0;
/// Gauss's nodes on [0, 1] and their weights.
const NODES: [(f64, f64); 3] =
    [(0.112_701_665_379_258_31, 5.0 / 18.0), (0.5, 4.0 / 9.0), (0.887_298_334_620_741_7, 5.0 / 18.0)];

/// A plane on which edges are straight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Plane {
    /// The home grid, in metres.
    #[default]
    Grid,
    /// Longitude and latitude, in units of about a metre; for places where the home grid does not apply.
    Degrees,
}

impl Plane {
    /// The plane on which a method measures.
    pub(crate) fn of(method: Method) -> Self {
        if method == Method::Ellipsoid { Self::Degrees } else { Self::Grid }
    }

    /// A place in WGS 84 degrees on the plane.
    ///
    /// # Errors
    /// [`CrsError`] if it cannot be projected to the grid.
    #[inline]
    pub(crate) fn place(self, at: [f64; 2]) -> Result<[f64; 2], CrsError> {
        match self {
            Self::Grid => PolynomialGrid::to_home().point(at),
            Self::Degrees => Ok(at.map(|degrees| (degrees * UNITS * PARTS).round() / PARTS)),
        }
    }

    /// The way back to degrees.
    ///
    /// # Errors
    /// [`CrsError`] if the place is beyond the grid.
    pub(crate) fn degrees(self, at: [f64; 2]) -> Result<[f64; 2], CrsError> {
        match self {
            Self::Grid => PolynomialGrid::from_home().point(at),
            Self::Degrees => Ok(at.map(|units| units / UNITS)),
        }
    }

    /// The length in m on the ground of a line that is straight on the plane.
    pub(crate) fn ground_length(self, from: [f64; 2], to: [f64; 2]) -> f64 {
        match self {
            Self::Grid => (to[0] - from[0]).hypot(to[1] - from[1]),
            Self::Degrees => {
                let degrees = |[x, y]: [f64; 2]| Coord { x: x / UNITS, y: y / UNITS };
                let line = LineString::new(vec![degrees(from), degrees(to)]);
                citymap_crs::ellipsoidal_length(&line.into())
            }
        }
    }

    /// How much ground a unit is, for coordinates whose northings are relative to `base`.
    pub(crate) fn ground(self, base: f64) -> Ground {
        match self {
            Self::Grid => Ground::Flat,
            Self::Degrees => Ground::Ellipsoid { base },
        }
    }
}

/// How much ground a square unit of a plane is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ground {
    /// One square metre everywhere.
    Flat,
    /// That of the ellipsoid, by latitude.
    Ellipsoid {
        /// The northing from which others count.
        base: f64,
    },
}

impl Ground {
    /// The ground in m² between the western side of a plane's part and a line that is at `from` at the
    /// northing `low` and at `to` at `low + rise`.
    #[inline]
    pub(crate) fn left_of(self, low: f64, rise: f64, from: f64, to: f64) -> f64 {
        match self {
            Self::Flat => 0.5 * (from + to) * rise,
            Self::Ellipsoid { base } => on_ellipsoid(base + low, rise, from, to),
        }
    }
}

fn on_ellipsoid(low: f64, rise: f64, from: f64, to: f64) -> f64 {
    let steps = (rise / STEP).ceil().clamp(1.0, 400.0);
    let mut sum = 0.0;
    for step in 0..steps as u32 {
        for (node, weight) in NODES {
            let t = (f64::from(step) + node) / steps;
            sum += weight * (from + t * (to - from)) * square_degree_area((low + t * rise) / UNITS);
        }
    }
    sum * rise / steps / (UNITS * UNITS)
}
