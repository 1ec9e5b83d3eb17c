//! Queries and answers, as callers see them.

use std::fmt;

use citymap_engine::{Bbox, Row};
use citymap_model::{FeatureId, LayerId, Role};

/// What to search for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// The text as it was typed. Its last word may be unfinished, unless a space follows it.
    pub text: String,
    /// Maximum number of answers.
    pub limit: usize,
    /// WGS 84 longitude and latitude in degrees; of equal answers the nearer one comes first.
    pub near: Option<[f64; 2]>,
    /// The language of labels and details, as [`Title::get`](citymap_model::Title::get) reads it: `vi` or
    /// `en`. Names are in the language of the data.
    pub lang: &'static str,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HitKind {
    /// A feature of a layer with this role, or (without a layer) a commune of the built-in table.
    Role(Role),
    /// A ward or district that no longer exists.
    FormerUnit,
    /// A position that was written as coordinates.
    Coordinates,
    /// The place where two streets meet.
    Crossing,
}

impl HitKind {
    /// The name in the HTTP interface, for instance `former_unit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::FormerUnit => "former_unit",
            Self::Coordinates => "coordinates",
            Self::Crossing => "crossing",
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
    /// The position of the thing itself.
    Rooftop,
    /// The street that it is on, or the mouth of its alley.
    Street,
    /// The area that it names.
    Area,
    /// The communes that a former unit was merged into.
    FormerUnit,
    /// The position as it was written.
    Coordinates,
    /// The parcel as a whole.
    Parcel,
}

impl Precision {
    /// The name in the HTTP interface, for instance `former_unit`.
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

/// The answers to one query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The answers, the best first.
    pub hits: Vec<Hit>,
    /// The place that the query names beside what it looks for.
    pub place: Option<AskedPlace>,
}

/// A place that restricts a query: the commune of `52 đường số 46, phường Bến Thành`.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedPlace {
    /// Its name for people.
    pub label: String,
    /// The box around it in WGS 84 degrees; of a former unit, around what it was merged into.
    pub bbox: Bbox,
    /// Whether anything that was found lies in it. If not, every hit is [`Hit::elsewhere`].
    pub matched: bool,
}

/// One answer to a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What the answer is.
    pub kind: HitKind,
    /// The layer of the feature; `None` if the answer is not a feature.
    pub layer: Option<LayerId>,
    /// The id of the feature; `None` if the answer is not a feature.
    pub id: Option<FeatureId>,
    /// The feature's row in the snapshot that was searched.
    pub row: Option<Row>,
    /// The name for people.
    pub label: String,
    /// What distinguishes it from others with the same name, in the language of the query.
    pub detail: String,
    /// A position on it in WGS 84 longitude and latitude, degrees; `None` for a feature without geometry.
    pub lonlat: Option<[f64; 2]>,
    /// The box around it in WGS 84 degrees; of a street, around its parts with that name in the
    /// neighbourhood.
    pub bbox: Option<Bbox>,
    /// How precise [`Hit::lonlat`] is.
    pub precision: Precision,
    /// The communes in which it lies, in Vietnamese: those that a street passes through, else at most one.
    pub communes: Vec<String>,
    /// Whether it lies outside the place that the query names ([`Answer::place`]).
    pub elsewhere: bool,
    /// Whether the query has typing errors or other spaces, compared with it.
    pub similar: bool,
    /// From 0 to 1. It orders the answers of one query and has no other meaning.
    pub score: f64,
}
