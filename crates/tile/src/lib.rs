//! Mapbox vector tiles (MVT 2.1) from engine snapshots.
//!
//! A [`Tiler`] cuts tiles by the rules of their layers ([`citymap_model::TileRule`]): below a layer's detail zoom polygons
//! are merged by class, lines thinned, points clustered, and [`Tiler::explain`] says how. [`encode`] cuts all of any
//! number of layers at any zoom; [`gzip`] packs it; [`tilejson`] says what the tiles hold. Nothing here knows HTTP or a store.
//!
//! # What a tile of all features promises
//! - **Nothing is lost.** Every feature whose geometry meets the tile's closed square is in the
//!   tile, at every zoom: what is too small for the grid becomes a shape of one unit. Features
//!   that only reach the buffer may be there too.
//! - **Polygons are valid after rounding**: rings are simple, have an area, wind as the
//!   specification asks (outer rings positive in the tile's y-down coordinates), holes lie inside,
//!   parts of one feature do not overlap.
//! - **Neighbours agree.** Coordinates are rounded on one global grid of the zoom, and an edge
//!   that crosses a tile's border gets a vertex there, so both tiles hold the same shape at their
//!   seam. Polygons that share vertices go on sharing them.
//! - **Ids stay.** A feature's id is its fid, in all tiles and zooms; layers with a key also
//!   carry the text `_id`. Equal features give equal bytes, however they lie in the blocks of a snapshot.
//!
//! A geometry collection comes as up to three features of one id: its points, lines, polygons.
//!
//! ```
//! use citymap_engine::SnapshotBuilder;
//! use citymap_model::{Feature, GeometryKind, Layer, Role, Title};
//! use citymap_tile::{TileId, TileOptions, encode};
//!
//! let layer = Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
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
mod merge;
mod mvt;
mod tile_id;
mod tiler;
mod touched;

pub use content_encoding::{ContentEncoding, Effort, GZIP_LEVEL, compress, compress_for, gzip};
pub use decompress::decompress;
pub use describe::{NATIVE_MAX_ZOOM, tilejson, vector_layer};
pub use encode::{TileOptions, encode};
pub use explain::{Explanation, Method};
pub use tile_id::{MAX_ZOOM, TileError, TileId};
pub use tiler::Tiler;
pub use touched::{TileRange, touched_tiles};

/// The width and height of a tile in its own units.
pub const EXTENT: u32 = 4096;
