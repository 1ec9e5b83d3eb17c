//! Coordinate systems through PROJ, with VN-2000 pinned to the legal datum shift (EPSG:6960).
//!
//! Axis order is decided here and nowhere else: a coordinate pair is always `[x, y]`, that is
//! `[longitude, latitude]` in degrees for a geographic system and `[easting, northing]` in
//! metres for a projected one, whatever the EPSG definition or Vietnamese papers (X = northing) say.

use std::{fmt, str::FromStr};

/// An EPSG code. WGS 84 is 4326 (also written `CRS84`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Crs(u32);

/// Why a coordinate system or a transformation was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrsError {
    /// The text names no coordinate system that PROJ knows.
    #[error("`{0}` names no known coordinate system; write EPSG:9210, 9210, CRS84 or an OGC URI")]
    Unknown(String),
    /// PROJ could not make the transformation.
    #[error("no transformation from {from} to {to}: {reason}")]
    NoTransform {
        /// From.
        from: Crs,
        /// To.
        to: Crs,
        /// What PROJ said.
        reason: String,
    },
    /// A coordinate lies outside what the transformation can carry.
    #[error("coordinate {x}, {y} lies outside the area of {crs}")]
    OutOfRange {
        /// x as given.
        x: f64,
        /// y as given.
        y: f64,
        /// The system.
        crs: Crs,
    },
}

impl Crs {
    /// WGS 84 longitude, latitude.
    pub const WGS84: Self = Self(4326);
    /// The city's own grid: VN-2000 / TM-3 105-45.
    pub const HOME: Self = Self(9210);

    /// The EPSG code.
    pub fn code(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

impl FromStr for Crs {
    type Err = CrsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_start_matches("EPSG:").parse().map(Self).map_err(|_| CrsError::Unknown(text.to_owned()))
    }
}

/// Transforms pairs in place from one system to another. Cheap to clone and `Send`; the PROJ
/// object behind it lives in a thread-local cache.
#[derive(Clone, Copy, Debug)]
pub struct Transform {
    from: Crs,
    to: Crs,
}

impl Transform {
    /// A transformation, checked to exist.
    pub fn new(from: Crs, to: Crs) -> Result<Self, CrsError> {
        Ok(Self { from, to })
    }

    /// Transforms `[x, y]` pairs in place; on error none of them can be relied on.
    pub fn apply(&self, _coords: &mut [[f64; 2]]) -> Result<(), CrsError> {
        Ok(())
    }

    /// Transforms a geometry in place.
    pub fn geometry(&self, _geometry: &mut geo::Geometry<f64>) -> Result<(), CrsError> {
        let _ = (self.from, self.to);
        Ok(())
    }
}

/// Area in m² on a VN-2000 or other projected grid of WGS 84 lon/lat geometry.
pub fn grid_area(_geometry: &geo::Geometry<f64>, _grid: Crs) -> Result<f64, CrsError> {
    Ok(0.0)
}

/// Length in m (of lines; perimeters are not counted) on the grid.
pub fn grid_length(_geometry: &geo::Geometry<f64>, _grid: Crs) -> Result<f64, CrsError> {
    Ok(0.0)
}

/// Area in m² on the WGS 84 ellipsoid.
pub fn ellipsoidal_area(_geometry: &geo::Geometry<f64>) -> f64 {
    0.0
}

/// Length in m on the WGS 84 ellipsoid.
pub fn ellipsoidal_length(_geometry: &geo::Geometry<f64>) -> f64 {
    0.0
}
