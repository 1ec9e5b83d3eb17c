//! The GeoPackage format (OGC 12-128r18, version 1.3): what every such file has, whoever wrote it.
//!
//! A GeoPackage is an SQLite database with prescribed tables. This crate knows those tables and nothing above
//! them: no history, no revisions, no catalogue of ours. The store keeps its record in a GeoPackage file and
//! adds its own tables (`citymap-store`); the output formats write one with a single table
//! ([`PlainGeoPackage`]). Both must agree on every byte that QGIS and GDAL look at, so those bytes are
//! written here:
//!
//! - [`blob`]: a geometry as the format stores it, header and WKB, and its bounds.
//! - [`schema`]: the metadata tables, the numbers in SQLite's header, and the one coordinate system.
//! - [`table`]: a layer's table and its rows in the metadata tables.
//! - [`columns`]: which column a field gets, since column names are not as free as field names.
//! - [`data_columns`]: titles, units, code lists, ranges and patterns of fields, by the schema extension.
//! - [`rtree`]: the spatial index, filled in one pass, and the triggers that keep it right when another
//!   program edits.
//! - [`geometry_type`]: the type of geometry that a table declares, as narrow as the data allows.
//! - [`register_functions`]: the SQL functions that the triggers call.
//!
//! All geometry is in WGS 84 longitude and latitude (EPSG:4326). A call that fails in SQLite fails with
//! [`GpkgError::Sqlite`]; transactions and connections are the caller's.
//!
//! # Examples
//! ```
//! use citymap_gpkg::{Cell, PlainGeoPackage};
//! use citymap_model::{Field, FieldType, GeometryKind, Layer, Role, Title};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let mut layer =
//!     Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//!
//! let mut file = PlainGeoPackage::create(&folder.path().join("wells.gpkg"), &layer).unwrap();
//! let place = geo_types::Point::new(106.7, 10.77).into();
//! file.put(Some(&place), &[Cell::Real(31.5)]).unwrap();
//! assert_eq!(file.finish().unwrap(), 1);
//! ```

pub mod blob;
mod bulk_rtree;
pub mod columns;
pub mod data_columns;
mod error;
mod functions;
pub mod geometry_type;
mod plain;
pub mod rtree;
pub mod schema;
pub mod table;

pub use bulk_rtree::RtreeBox;
pub use error::{GpkgError, advice};
pub use functions::register as register_functions;
pub use plain::{Cell, PlainGeoPackage};
