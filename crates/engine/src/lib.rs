//! The city in memory: immutable columnar snapshots of layers, a packed R-tree over each, and exact answers
//! to questions about them.
//!
//! # Snapshots
//! A [`City`] holds all layers as of one revision. A request keeps one `Arc<City>` from start to end, so it
//! never sees half of an edit and takes no lock. A new revision is a new `City` that shares the snapshots of
//! layers that did not change. A [`LayerSnapshot`] that did change shares its large packed base with the one
//! before and gets a new small *delta* ([`LayerSnapshot::apply`]), so the cost of an edit depends on what was
//! edited and not on the size of the city. A background merge folds the delta into a new base
//! ([`LayerSnapshot::merged`]).
//!
//! # Questions
//! - [`LayerSnapshot::select`] finds rows by box, geometry, filters, time and fid, page by page.
//! - [`LayerSnapshot::at`] and [`LayerSnapshot::near`] find what is at or near a point.
//! - [`LayerSnapshot::within`] measures what of a layer is inside a drawn [`Area`].
//! - [`Overlay`] computes what each feature of one layer shares with each feature of another.
//!
//! All of them accept a [`Row`] or return rows; [`LayerSnapshot::value`], [`LayerSnapshot::shape`] and
//! [`LayerSnapshot::id`] read a row without copying the feature. Long computations take a [`Cancel`].
//!
//! # Units
//! Coordinates are WGS 84 longitude and latitude in degrees, exactly as stored; [`mercator`] units are for
//! tiles. Lengths are in metres and areas in square metres, on the home grid (EPSG:9210) in Vietnam and on
//! the ellipsoid elsewhere ([`Method`]).
//!
//! # Files
//! A snapshot can be written as named [`Section`]s and read back in place from a memory-mapped file. This
//! crate does no I/O itself.
//!
//! ```
//! use citymap_engine::{Query, SnapshotBuilder};
//! use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
//!
//! let id = "wells".parse().unwrap();
//! let mut layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//! let mut builder = SnapshotBuilder::new(layer);
//! builder
//!     .push(&Feature {
//!         fid: 1,
//!         geometry: Some(geo::Point::new(106.7, 10.77).into()),
//!         values: vec![Value::Real(12.5)],
//!     })
//!     .unwrap();
//! let wells = builder.finish(1);
//! let page = wells.select(&Query::default());
//! assert_eq!(page.rows, [0]);
//! ```

mod bbox;
mod cancel;
mod city;
mod columns;
mod delta;
mod error;
mod filter;
mod measure;
pub mod mercator;
mod overlay;
mod query;
mod sections;
mod snapshot;

pub use bbox::Bbox;
pub use cancel::{Cancel, Cancelled};
pub use city::City;
/// How two values compare, in filters.
pub use citymap_cql2::Comparison;
pub use columns::{
    block::Block,
    buffer::Buffer,
    column::{Column, Dictionary, Nulls, ValueRef},
    shape::ShapeRef,
    shapes::{PartKind, ShapeKind, ShapePart},
};
pub use error::{AreaError, EngineError};
pub use filter::{Filter, FilterError, FunctionInfo, functions};
pub use measure::{Measure, Method};
pub use overlay::{
    LocalPlane, Measures, Operand, Overlay, OverlayError, OverlayOptions, OverlayPiece, PieceShapes,
    Progress, Summary,
};
pub use query::{
    near::Hit,
    rows::RowsByFid,
    select::{IndexUse, Page, Plan, Query},
    sort::SortKey,
    valid::{During, TimeInterval},
    within::{Area, CONTACT, Grouping, LayerShare, ShareGroup, ShareTotals},
};
pub use sections::{FORMAT, Section};
pub use snapshot::{LayerSnapshot, SnapshotBuilder};

/// The position of a feature in one snapshot. It has no meaning in another snapshot, and rows are not in the
/// order of fids or of any other property.
pub type Row = u32;
