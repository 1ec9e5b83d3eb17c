//! The rules of a change: what a feature may hold, and what must be true before it is written.
//!
//! The same rules hold wherever a change comes from: an edit over HTTP, a batch of edits, an import. This
//! crate knows neither HTTP nor files. It takes GeoJSON as parsed JSON, answers what is wrong with it and
//! where ([`Fault`]), and writes accepted edits into a transaction of the store.
//!
//! A change passes through three steps:
//!
//! 1. [`Draft`] reads a feature or a merge patch against its layer: types and ranges of values
//!    ([`read_value`]), Unicode form ([`normalize_text`]), code lists, kind, coordinate system and validity
//!    of the geometry. All faults are reported together. This needs no access to the record, so it is done
//!    before a writer waits for its turn.
//! 2. [`apply`] checks each edit against the state in the transaction: the layer is still defined as it was,
//!    the feature exists and is in a state that the client has seen ([`ExpectedState`]). Then it writes all
//!    edits or none.
//! 3. [`settle_ids`] gives each edited feature the id by which the outside knows it in the new revision.
//!
//! The state of a feature is named by its [`content_tag`]: a hash of its number, its public values and its
//! geometry.
//!
//! # Examples
//!
//! ```
//! use citymap_crs::NamedCrs;
//! use citymap_edit::{Draft, ReadOptions};
//! use citymap_model::{Field, FieldType, GeometryKind, Layer, Role, Title};
//! use serde_json::json;
//!
//! let title = Title::same("Wells");
//! let mut layer = Layer::new("wells".parse().unwrap(), title, Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//! let options = ReadOptions { crs: &NamedCrs::crs84(), vertices_max: 1_000 };
//!
//! let good = json!({"type": "Feature", "properties": {"depth": 12.5},
//!                   "geometry": {"type": "Point", "coordinates": [106.7, 10.77]}});
//! assert!(Draft::whole(&good, &layer, &options, None, "").is_ok());
//!
//! let bad = json!({"type": "Feature", "properties": {"depth": "deep"}, "geometry": null});
//! let faults = Draft::whole(&bad, &layer, &options, None, "").unwrap_err();
//! assert_eq!(faults[0].pointer, "/properties/depth");
//! ```

mod apply;
mod draft;
mod fault;
mod geometry;
mod kind;
mod limits;
mod refusal;
mod tag;
mod value;

pub use apply::{AppliedEdit, EditChange, PreparedEdit, Target, apply, settle_ids};
pub use citymap_model::normalize_text;
pub use draft::{Draft, ReadOptions};
pub use fault::Fault;
pub use kind::EditKind;
pub use limits::EditLimits;
pub use refusal::{ApplyError, Refusal};
pub use tag::{ExpectedState, content_tag};
pub use value::{check_types, read_value};
