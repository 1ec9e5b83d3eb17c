//! Who may see what: audiences, and the one function through which every other crate sees a layer's fields.
//!
//! A layer's definition lists all of its fields, personal ones included. Whatever leaves the program (an
//! answer, a tile, a file, an event, a message about a field) must show only the fields that its reader may
//! see. So no crate above `citymap-model` and `citymap-store` reads [`Field::personal`]: it names its
//! [`Audience`] and asks [`visible`], and treats a field that is not in the answer as one that does not
//! exist. This holds for texts about fields too: an error message that lists the fields of a layer lists
//! [`VisibleFields::names`].
//!
//! There are two audiences today: the public, which sees every field that is not personal, and the holder of
//! a role, of which the operator of the record is the only one. More roles, and policies for rows and layers,
//! change the answers of this crate and none of its callers.
//!
//! # Performance
//!
//! [`VisibleFields`] is a reference and a flag: it is copied freely and allocates nothing.
//! [`VisibleFields::contains`] is one array access, so that it may be asked for each feature of a tile.
//!
//! # Examples
//!
//! ```
//! use citymap_access::{Audience, set_personal, visible};
//! use citymap_model::{Field, FieldType, GeometryKind, Layer, Role, Title};
//!
//! let mut layer = Layer::new(
//!     "parcels".parse().unwrap(),
//!     Title::new("Thửa đất", "Parcels"),
//!     Role::Parcel,
//!     GeometryKind::Polygon,
//! );
//! layer.fields = vec![Field::new("so_to", FieldType::Text), Field::new("chu_su_dung", FieldType::Text)];
//! set_personal(&mut layer.fields[1], true);
//!
//! let fields = visible(&layer, &Audience::Public);
//! assert_eq!(fields.names(), ["so_to"]);
//! assert!(fields.get("chu_su_dung").is_none());
//! assert_eq!(visible(&layer, &Audience::OPERATOR).len(), 2);
//! ```

mod memory;
mod past;
mod visible;

pub use memory::{forget, remember, was_personal};
pub use past::{conceal, lasting_key};
pub use visible::{VisibleFields, visible};

use citymap_model::Field;

/// For whom an answer, a file or a message is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Audience {
    /// Anybody: callers who have not said who they are, and everything that is cached for all of them.
    Public,
    /// Somebody who holds a role.
    Holder(AccessRole),
}

/// What somebody does for the city, as far as it decides what they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessRole {
    /// Operates the machine that holds the record, and can read its tables anyway: sees every field.
    Operator,
}

impl Audience {
    /// The operator of the record.
    pub const OPERATOR: Self = Self::Holder(AccessRole::Operator);

    /// Whether this audience sees fields that hold personal data.
    const fn sees_personal(&self) -> bool {
        match self {
            Self::Public => false,
            Self::Holder(AccessRole::Operator) => true,
        }
    }
}

/// Declares whether a field's values are personal data (Law 91/2025/QH15).
pub fn set_personal(field: &mut Field, personal: bool) {
    field.personal = personal;
}
