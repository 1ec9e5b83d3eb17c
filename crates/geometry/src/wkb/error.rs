//! Why bytes are not well-known binary that can be read.

/// Why bytes could not be read as a geometry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WkbError {
    /// The bytes end within the geometry, or announce more parts than can follow.
    #[error("the geometry is cut short")]
    CutShort,
    /// The first byte of a geometry is neither 0 (big endian) nor 1 (little endian).
    #[error("the byte order is neither 0 nor 1")]
    ByteOrder,
    /// A type code that no dialect of WKB has, as it is in the bytes.
    #[error("the geometry's type {0} is unknown")]
    UnknownType(u32),
    /// Curves and surfaces where only straight geometry is accepted.
    #[error("curves, surfaces and triangulated surfaces are not supported; convert them to polygons")]
    Curved,
    /// A multi-geometry holds a part of another type than its own.
    #[error("a multi-geometry holds a part of another type")]
    ForeignPart,
    /// Collections are nested deeper than the reader follows.
    #[error("the geometry is nested too deep")]
    TooDeep,
}
