//! What the API answers over real HTTP. One program for all, since each program costs a link of the server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod behaviour;
mod client_rows;
mod editing;
mod features;
mod feed;
mod filters;
mod freshness;
mod gdal;
mod maps;
mod overlay;
mod processes;
mod questions;
mod report;
mod schemas;
mod styles;
mod tiles;
mod tilesets;
mod within;
