//! Mapbox vector tiles (MVT 2.1) from engine snapshots.
//!
//! A [`Tiler`] cuts tiles by the rules of their layers ([`citymap_model::TileRule`]): below a layer's detail
//! zoom, polygons are merged by class, lines are thinned and points clustered; [`Tiler::explain`] reports
//! how. [`encode`] cuts all features of any number of layers at any zoom. [`compress`] compresses tiles,
//! [`tilejson`] describes what they contain, [`touched_tiles`] finds the tiles that an edit changes, and
//! [`archive`] bakes tiles into PMTiles. This crate knows neither HTTP nor a store.
//!
//! # Guarantees of a tile with all features
//! - **Nothing is lost.** Every feature whose geometry meets the closed square of the tile is in the tile, at
//!   every zoom: a feature that is too small for the grid becomes a shape of one unit. Features that only
//!   reach the buffer may be in the tile too.
//! - **Polygons are valid after rounding**: rings are simple and have an area, their direction is as
//!   specified (outer rings positive in the tile's y-down coordinates), holes are inside, and parts of one
//!   feature do not overlap.
//! - **Neighbours agree.** Coordinates are rounded on one global grid of the zoom, and an edge that crosses
//!   the border of a tile gets a vertex there, so both tiles hold the same shape at their seam. Polygons that
//!   share vertices keep sharing them.
//! - **Ids are stable.** The id of a feature is its fid, in all tiles and zooms; layers with a key also carry
//!   the text `_id`. Equal features give equal bytes, whichever blocks of a snapshot they are in.
//!
//! A geometry collection becomes up to three features with one id: its points, lines and polygons.
//!
//! # How to read this crate
//! `cut` cuts the geometry of one feature, `encode` puts features of a layer together, `merge` derives areas
//! and rasters of classes, `mvt` writes the format, and [`Tiler`] chooses between them.
//!
//! ```
//! use citymap_engine::SnapshotBuilder;
//! use citymap_model::{Feature, GeometryKind, Layer, Role, Title};
//! use citymap_tile::{TileId, TileOptions, encode};
//!
//! let id = "wells".parse().unwrap();
//! let layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! let mut builder = SnapshotBuilder::new(layer);
//! let point = geo::Point::new(106.7, 10.77);
//! builder.push(&Feature { fid: 7, geometry: Some(point.into()), values: vec![] }).unwrap();
//! let wells = builder.finish(1);
//!
//! let tile = TileId::at([106.7, 10.77], 16).unwrap();
//! assert!(!encode(&[&wells], tile, &TileOptions::default()).is_empty());
//! ```

pub mod archive;
mod content_encoding;
mod cut;
mod decompress;
mod describe;
mod encode;
mod explain;
mod layer_tile;
mod merge;
mod mvt;
mod options;
mod tile_id;
mod tiler;
mod touched;

pub use content_encoding::{ContentEncoding, Effort, GZIP_LEVEL, compress, compress_for, gzip};
pub use decompress::decompress;
pub use describe::{NATIVE_MAX_ZOOM, tilejson, vector_layer};
pub use encode::encode;
pub use explain::{Explanation, Method};
pub use options::TileOptions;
pub use tile_id::{MAX_ZOOM, TileError, TileId};
pub use tiler::Tiler;
pub use touched::{TileRange, touched_tiles};

/// Width and height of a tile in tile units.
pub const EXTENT: u32 = 4096;
