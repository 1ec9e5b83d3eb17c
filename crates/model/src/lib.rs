//! The terms that every other crate of citymap uses: layers, fields, values, features, keys, revisions and
//! code lists.
//!
//! Nothing here does I/O, and nothing here knows HTTP or SQL. Geometry is two-dimensional, in
//! WGS 84 longitude and latitude (degrees, x = longitude, y = latitude), everywhere in the
//! program; other systems exist only where data enters or leaves (`citymap-crs`).
//!
//! ```
//! use citymap_model::{Field, FieldType, GeometryKind, Layer, LayerId, Role, Title};
//!
//! let id: LayerId = "parcels".parse().unwrap();
//! let mut layer = Layer::new(id, Title::new("Thửa đất", "Parcels"), Role::Parcel, GeometryKind::Polygon);
//! layer.fields.push(Field::new("so_to", FieldType::Text));
//! assert_eq!(layer.field_index("so_to"), Some(0));
//! ```

mod as_of;
mod city;
pub mod codes;
mod counted;
mod domain;
mod feature;
mod field;
mod hex;
pub mod json;
mod layer;
mod meaning;
mod nearest;
mod proposal;
pub mod quote;
mod revision;
mod table;
pub mod text;
mod theme;
mod tile_rule;
mod title;
mod ucum;
pub mod units;
mod value;

pub use as_of::{AsOf, InvalidAsOf};
pub use city::{CityProfile, CoreView, InvalidCityProfile, UtcOffset};
/// The kind of geometry that a layer holds, and geometry itself; the rules about them are in
/// `citymap-geometry`.
pub use citymap_geometry::GeometryKind;
pub use counted::{counted, plural};
pub use domain::{
    CODE_BYTES_MAX, CODE_TEXT_BYTES_MAX, CODES_MAX, Domain, DomainCheck, InvalidDomain, PATTERN_BYTES_MAX,
    ValueRange, glob_to_regex, matches_glob,
};
pub use feature::{Feature, FeatureId, Fid, NewFeature};
pub use field::{Field, FieldType};
pub use hex::hex;
pub use layer::{InvalidLayerId, Layer, LayerId, Role, UnknownRole};
pub use meaning::{Meaning, UnknownMeaning};
pub use nearest::nearest;
pub use proposal::{plain_name, propose_label, propose_meanings, propose_role};
pub use revision::{CommitMeta, LayerChange, Mode, Revision, RevisionNumber, UnknownMode};
pub use text::normalize_text;
pub use theme::{Theme, UnknownTheme};
pub use tile_rule::{InvalidTileRule, TileRule};
pub use title::Title;
pub use ucum::{is_unit, ucum};
pub use value::{
    Value, YEARS, format_datetime, format_real, parse_date, parse_datetime, parse_local_datetime,
    states_offset,
};

/// Two-dimensional geometry in WGS 84 longitude and latitude, degrees.
pub type Geometry = citymap_geometry::Geometry;
