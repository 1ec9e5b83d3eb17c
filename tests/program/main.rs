//! The built binary as a whole, driven from outside, and oracles. One program for all, since each costs a
//! link.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod database_edits;
mod faults;
mod filters;
mod gdal_client;
mod hostile;
mod import;
mod overlay;
mod overlay_geos;
mod postgis;
mod serve;
mod servers;
mod tiles;
mod versions;
