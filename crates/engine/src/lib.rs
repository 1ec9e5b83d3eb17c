//! The city in memory: immutable columnar snapshots of layers, a packed R-tree over each, and
//! exact answers from them.
//!
//! A [`City`] is all layers as of one revision. A request holds one `Arc<City>` from start to
//! end; a new revision is a new `City` that shares the snapshots of layers it did not touch.
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
mod city;
mod column;
mod error;
mod filter;
mod ids;
mod measure;
pub mod mercator;
mod near;
mod overlay;
mod predicate;
mod query;
mod shapes;
mod sides;
mod snapshot;

pub use bbox::Bbox;
pub use city::City;
pub use column::{Column, Dictionary, Nulls, ValueRef};
pub use error::EngineError;
pub use filter::{Filter, Op, TimeInterval};
pub use measure::{Measure, Method};
pub use near::Hit;
pub use overlay::{Area, LayerShare};
pub use query::{Page, Query};
pub use shapes::{Part, PartKind, ShapeColumn, ShapeKind};
pub use snapshot::{LayerSnapshot, SnapshotBuilder};

/// The position of a feature in a snapshot. It means nothing outside of that snapshot.
pub type Row = u32;
