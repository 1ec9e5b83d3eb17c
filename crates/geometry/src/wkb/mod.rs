//! Well-known binary (OGC 06-103r4).
//!
//! [`write()`] appends little-endian, two-dimensional WKB and reports the bounds that it met on the way,
//! since every caller needs them. There are two readers with different contracts:
//!
//! - [`read`] is for bytes of a store. It accepts either byte order and the ISO and extended dialects, skips
//!   heights and measures, and refuses curves.
//! - [`read_source`] is for what GDAL hands over from a file. It also reports that heights were dropped,
//!   replaces arcs by short lines, accepts surfaces and TINs as multi-polygons, and refuses open rings with
//!   their location.

mod cursor;
mod error;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod write;

pub use error::WkbError;
pub use read::read;
pub use source::{SourceGeometry, read_source};
pub use write::{Written, to_wkb, write};

use crate::{Geometry, GeometryKind};

/// The codes of the types of geometry in WKB, the same in all dialects for two dimensions.
pub mod code {
    /// The code of `POINT`.
    pub const POINT: u32 = 1;
    /// The code of `LINESTRING`.
    pub const LINE_STRING: u32 = 2;
    /// The code of `POLYGON`.
    pub const POLYGON: u32 = 3;
    /// The code of `MULTIPOINT`.
    pub const MULTI_POINT: u32 = 4;
    /// The code of `MULTILINESTRING`.
    pub const MULTI_LINE_STRING: u32 = 5;
    /// The code of `MULTIPOLYGON`.
    pub const MULTI_POLYGON: u32 = 6;
    /// The code of `GEOMETRYCOLLECTION`.
    pub const COLLECTION: u32 = 7;
}

/// The types of geometry and their names as PostGIS, GeoJSON and GeoParquet write them; GeoPackage writes
/// them in upper case.
pub const TYPE_NAMES: [(u32, &str); 7] = [
    (code::POINT, "Point"),
    (code::LINE_STRING, "LineString"),
    (code::POLYGON, "Polygon"),
    (code::MULTI_POINT, "MultiPoint"),
    (code::MULTI_LINE_STRING, "MultiLineString"),
    (code::MULTI_POLYGON, "MultiPolygon"),
    (code::COLLECTION, "GeometryCollection"),
];

/// The code of the type as which [`write()`] writes a geometry: 1 to 7.
pub fn type_code(geometry: &Geometry) -> u32 {
    match geometry {
        Geometry::Point(_) => code::POINT,
        Geometry::Line(_) | Geometry::LineString(_) => code::LINE_STRING,
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => code::POLYGON,
        Geometry::MultiPoint(_) => code::MULTI_POINT,
        Geometry::MultiLineString(_) => code::MULTI_LINE_STRING,
        Geometry::MultiPolygon(_) => code::MULTI_POLYGON,
        Geometry::GeometryCollection(_) => code::COLLECTION,
    }
}

/// The name in [`TYPE_NAMES`] of the type as which [`write()`] writes a geometry.
pub fn type_name(geometry: &Geometry) -> &'static str {
    let code = type_code(geometry);
    TYPE_NAMES.iter().find(|(found, _)| *found == code).map_or("Geometry", |(_, name)| name)
}

/// The kind of geometry that a type code stands for; collections and unknown codes are
/// [`GeometryKind::Mixed`].
pub fn kind_of_code(code: u32) -> GeometryKind {
    match code {
        code::POINT | code::MULTI_POINT => GeometryKind::Point,
        code::LINE_STRING | code::MULTI_LINE_STRING => GeometryKind::Line,
        code::POLYGON | code::MULTI_POLYGON => GeometryKind::Polygon,
        _ => GeometryKind::Mixed,
    }
}
