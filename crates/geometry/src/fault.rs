//! What is wrong with a geometry, and where.

/// The position of a fault: x, then y, in the coordinate system of the geometry that was examined.
pub type FaultLocation = [f64; 2];

/// Why a geometry cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct GeometryFault {
    /// What is wrong, as the end of a sentence about the geometry.
    pub reason: String,
    /// Where it is wrong, if one position can be named.
    pub location: Option<FaultLocation>,
}

impl GeometryFault {
    /// A fault that has no single position.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), location: None }
    }

    /// The same fault at a position.
    #[must_use]
    pub fn at(self, location: FaultLocation) -> Self {
        Self { location: Some(location), ..self }
    }
}
