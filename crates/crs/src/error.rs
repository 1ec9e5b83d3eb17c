use crate::Crs;

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
    /// Areas and lengths are measured on VN-2000 and UTM grids only, where a unit is a metre and
    /// the scale is near one.
    #[error("{0} is no grid to measure on; use EPSG:9210 or another VN-2000 or UTM zone")]
    NotAGrid(Crs),
}
