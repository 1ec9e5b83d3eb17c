//! The errors of this crate.

use proj::ProjCreateError;

use crate::Crs;

/// Why a coordinate system or a transformation was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrsError {
    /// The text does not name a coordinate system that PROJ knows.
    #[error("`{0}` is not a known coordinate system; write EPSG:9210, 9210, CRS84 or an OGC URI")]
    Unknown(String),
    /// PROJ could not create the transformation.
    #[error("no transformation from {from} to {to}: {source}")]
    NoTransform {
        /// System that coordinates come from.
        from: Crs,
        /// System that coordinates go to.
        to: Crs,
        /// The error of PROJ.
        source: ProjCreateError,
    },
    /// A coordinate is outside of the area that the transformation covers.
    #[error("coordinate {x}, {y} is outside of the area of {crs}")]
    OutOfRange {
        /// First number of the pair as given.
        x: f64,
        /// Second number of the pair as given.
        y: f64,
        /// System of the pair.
        crs: Crs,
    },
    /// Lengths and areas are computed only on VN-2000 and UTM grids, where the unit is a metre and the scale
    /// is near one.
    #[error("lengths and areas cannot be computed in {0}; use EPSG:9210 or another VN-2000 or UTM zone")]
    NotAGrid(Crs),
}
