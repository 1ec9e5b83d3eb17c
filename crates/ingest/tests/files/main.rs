//! What is read from files and written to them, a module for each kind. One program for all, since each costs
//! a link.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod build;
mod charsets;
mod dates;
mod domains;
mod encodings;
mod export;
mod export_failures;
mod export_real;
mod export_shapes;
mod formats;
mod geometry;
mod geoparquet;
mod hostile;
mod kml;
mod limits;
mod more_formats;
mod osm;
mod personal;
mod place;
mod quotes;
mod real;
mod row_systems;
mod tables;
mod traps;
mod trust;
mod whole_files;
mod wkb_from_gdal;
