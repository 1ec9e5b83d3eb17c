//! The city in memory: immutable columnar snapshots of layers, a packed R-tree over each, and
//! exact answers from them.
//!
//! A [`City`] is all layers as of one revision. A request holds one `Arc<City>` from start to
//! end; a new revision is a new `City` that shares the snapshots of layers it did not touch, and of those it did
//! nearly all ([`LayerSnapshot::apply`]): an edit costs what was edited.
//! Coordinates are WGS 84 longitude, latitude (degrees) exactly as stored; distances are metres.
//!
//! ```
//! use citymap_engine::{Query, SnapshotBuilder};
//! use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
//!
//! let mut layer = Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//! let mut builder = SnapshotBuilder::new(layer);
//! builder.push(&Feature {
//!     fid: 1,
//!     geometry: Some(geo::Point::new(106.7, 10.77).into()),
//!     values: vec![Value::Real(12.5)],
//! }).unwrap();
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
mod measure;
pub mod mercator;
mod overlay;
mod query;
mod sections;
mod snapshot;

pub use bbox::Bbox;
pub use cancel::{Cancel, Cancelled};
pub use city::City;
pub use columns::{
    block::Block,
    buffer::Buffer,
    column::{Column, Dictionary, Nulls, ValueRef},
    shape::ShapeRef,
    shapes::{PartKind, ShapeKind, ShapePart},
};
pub use error::EngineError;
pub use measure::{Measure, Method};
pub use overlay::{
    Measures, Operand, Overlay, OverlayError, OverlayOptions, OverlayPiece, PieceShapes, Progress, Summary,
};
pub use query::{
    filter::{Comparison, Filter, TimeInterval},
    near::Hit,
    rows::RowsByFid,
    select::{Page, Query},
    valid::During,
    within::{Area, LayerShare},
};
pub use sections::{FORMAT, Section};
pub use snapshot::{LayerSnapshot, SnapshotBuilder};

/// The position of a feature in a snapshot. It means nothing outside of that snapshot, and says nothing of the order of
/// features.
pub type Row = u32;
