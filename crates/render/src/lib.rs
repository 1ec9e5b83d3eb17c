//! How the city is drawn: MapLibre styles made from layer definitions, their legends, and pictures of them.
//!
//! A style is data, with one source: the page, QGIS and the renderer draw the same document, so they agree.
//! This crate knows neither HTTP nor a store.

pub mod legend;
pub mod raster;
pub mod styles;
