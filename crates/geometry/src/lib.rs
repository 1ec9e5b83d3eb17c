//! Geometry without layers and without I/O: what kind it is, how it is written as bytes, whether it is valid
//! and where it is not, and which part of a repaired geometry may replace the original.
//!
//! This crate is at the bottom of the workspace. The store, the GeoPackage format, the importer, the rules of
//! an edit and the output formats all call it, so that each rule about geometry exists once:
//!
//! - [`GeometryKind`]: the kinds that a layer can hold, their names, and which geometry fits which layer.
//! - [`wkb`]: well-known binary. One writer and two readers: [`wkb::read`] for bytes that this program or
//!   another database wrote, [`wkb::read_source`] for bytes from GDAL, which may hold arcs, heights and open
//!   rings.
//! - [`wkt`]: a writer of well-known text that loses no digit.
//! - [`is_plainly_valid`]: a quick proof that a small shape is valid.
//! - [`polygonize`]: polygons from the lines that bound them.
//! - [`check_validity`]: the rules of OGC Simple Features, with the place of the first fault.
//! - [`sweep_validity`]: the same in O(n log n) for polygons whose rings do not touch.
//! - [`keep_kind`]: which part of a repaired geometry is of the kind that it had.
//!
//! Coordinates are `f64` pairs in whatever system the caller uses; nothing here depends on it. The model's
//! geometry is in longitude and latitude (WGS 84), and the importer also checks geometry in the coordinate
//! system of its source.
//!
//! The repair itself is done by GEOS through the `gdal` crate and is therefore part of `citymap-ingest`: this
//! crate must not link GDAL, because everything above it would link GDAL too, the server and its tile encoder
//! included.
//!
//! # Examples
//! ```
//! use citymap_geometry::{Geometry, GeometryKind, check_validity, wkb};
//! use geo_types::polygon;
//!
//! let bow_tie: Geometry = polygon![
//!     (x: 0.0, y: 0.0), (x: 2.0, y: 2.0), (x: 2.0, y: 0.0), (x: 0.0, y: 2.0), (x: 0.0, y: 0.0),
//! ]
//! .into();
//! assert_eq!(GeometryKind::of(&bow_tie), GeometryKind::Polygon);
//! let fault = check_validity(&bow_tie).unwrap_err();
//! assert_eq!(fault.location, Some([1.0, 1.0]));
//!
//! let bytes = wkb::to_wkb(&bow_tie);
//! assert_eq!(wkb::read(&bytes).unwrap(), bow_tie);
//! ```

mod fault;
mod kind;
mod plain;
mod polygonize;
mod repair;
mod rings;
mod sweep;
mod validity;
pub mod wkb;
pub mod wkt;

pub use fault::{FaultLocation, GeometryFault};
pub use kind::{GeometryKind, KindMismatch};
pub use plain::is_plainly_valid;
pub use polygonize::{OpenLine, Polygonized, polygonize};
pub use repair::keep_kind;
pub use rings::{TooFewPositions, check_positions, drop_empty_holes, polygon_from_rings};
pub use validity::{check_validity, sweep_validity};

/// Two-dimensional geometry; the coordinate system is the caller's.
pub type Geometry = geo_types::Geometry<f64>;
