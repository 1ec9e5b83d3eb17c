use std::fmt;

use citymap_engine::{Bbox, Row};
use citymap_model::{FeatureId, LayerId, Role};

/// A question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// What was typed. Its last word may be unfinished, unless a space follows it.
    pub text: String,
    /// How many answers at most.
    pub limit: usize,
    /// WGS 84 longitude and latitude; of equal answers the nearer comes first.
    pub near: Option<[f64; 2]>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HitKind {
    /// A feature of a layer with this role, or (without a layer) a commune of the built-in table.
    Role(Role),
    /// A ward or district that no longer exists.
    FormerUnit,
    /// A position.
    Coordinates,
}

impl HitKind {
    /// The name in the HTTP interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::FormerUnit => "former_unit",
            Self::Coordinates => "coordinates",
        }
    }
}

impl fmt::Display for HitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How precisely an answer says where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// The thing itself.
    Rooftop,
    /// The street it is on, or the mouth of its alley.
    Street,
    /// The area that it names.
    Area,
    /// The communes that a former unit became.
    FormerUnit,
    /// The position as written.
    Coordinates,
    /// The parcel.
    Parcel,
}

impl Precision {
    /// The name in the HTTP interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rooftop => "rooftop",
            Self::Street => "street",
            Self::Area => "area",
            Self::FormerUnit => "former_unit",
            Self::Coordinates => "coordinates",
            Self::Parcel => "parcel",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// The feature's layer; `None` where the answer is no feature.
    pub layer: Option<LayerId>,
    /// The feature's id.
    pub id: Option<FeatureId>,
    /// The feature's row in the snapshot that was searched.
    pub row: Option<Row>,
    /// What people read.
    pub label: String,
    /// What tells it from others of that name, in Vietnamese.
    pub detail: String,
    /// A place on it, WGS 84 longitude and latitude; `None` for a feature without geometry.
    pub lonlat: Option<[f64; 2]>,
    /// The box around it (of a street: around the parts of that name thereabouts).
    pub bbox: Option<Bbox>,
    /// How precise `lonlat` is.
    pub precision: Precision,
    /// 0 to 1; it orders the answers of one question and means nothing else.
    pub score: f64,
}
