use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Field, GeometryKind, TileRule, Title};

/// The name of a layer: a lower-case letter, then lower-case letters, digits and underscores,
/// 63 characters at most. It names the table, the tiles and the URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerId(String);

/// A text that cannot name a layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a layer: use a lower-case letter, then lower-case letters, digits or `_`, \
     63 characters at most, and none of the prefixes gpkg_, rtree_, sqlite_, citymap_"
)]
pub struct InvalidLayerId(pub String);

impl LayerId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LayerId {
    type Err = InvalidLayerId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = text.bytes();
        let good = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && text.len() <= 63
            && !["gpkg_", "rtree_", "sqlite_", "citymap_"].iter().any(|prefix| text.starts_with(prefix));
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidLayerId(text.to_owned())) }
    }
}

impl TryFrom<String> for LayerId {
    type Error = InvalidLayerId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LayerId> for String {
    fn from(id: LayerId) -> Self {
        id.0
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a layer is to the city. Search, the map's style and the questions go by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Land parcels (thửa đất).
    Parcel,
    /// Planning zones (ô chức năng quy hoạch).
    Zone,
    /// Roads and streets, as lines.
    Road,
    /// Buildings.
    Building,
    /// Address points.
    Address,
    /// Administrative units (phường, xã, đặc khu).
    AdminUnit,
    /// Pipes, cables, lights, hydrants.
    Utility,
    /// Named places.
    Place,
    /// Reports from residents.
    Report,
    /// Anything else.
    #[default]
    Other,
}

impl Role {
    /// Every role, in the order in which layers are listed.
    pub const ALL: [Self; 10] = [
        Self::Parcel,
        Self::Zone,
        Self::Road,
        Self::Building,
        Self::Address,
        Self::AdminUnit,
        Self::Utility,
        Self::Place,
        Self::Report,
        Self::Other,
    ];

    /// The role's name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parcel => "parcel",
            Self::Zone => "zone",
            Self::Road => "road",
            Self::Building => "building",
            Self::Address => "address",
            Self::AdminUnit => "admin_unit",
            Self::Utility => "utility",
            Self::Place => "place",
            Self::Report => "report",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a role; the roles are parcel, zone, road, building, address, admin_unit, utility, place, report, other"
)]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A layer as the catalogue holds it: what it is, not what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name.
    pub id: LayerId,
    /// What people read.
    pub title: Title,
    /// What it is to the city.
    pub role: Role,
    /// The kinds of geometry in it.
    pub geometry: GeometryKind,
    /// The field that holds the key, if there is one. Keys need not be unique
    /// (see [`crate::FeatureId`]).
    #[serde(default)]
    pub key: Option<String>,
    /// The field that names a feature to people, if there is one.
    #[serde(default)]
    pub label: Option<String>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// The field (date or instant) from which a feature is valid, if there is one.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// The field (date or instant) until which a feature is valid, exclusive, if there is one.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Where the data came from: a file name, an agency, a decision.
    #[serde(default)]
    pub source: Option<String>,
    /// The coordinate system of the source, `EPSG:n`.
    #[serde(default)]
    pub source_crs: Option<String>,
    /// The day whose state the data shows.
    #[serde(default)]
    pub data_date: Option<NaiveDate>,
    /// Who answers for the data.
    #[serde(default)]
    pub steward: Option<String>,
    /// Licence and attribution, as the map must show it.
    #[serde(default)]
    pub attribution: Option<String>,
    /// Whether the data is made up (the demo city).
    #[serde(default)]
    pub synthetic: bool,
    /// How tiles generalise it; without one as [`Layer::tile_rule`] finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<TileRule>,
}

impl Layer {
    /// A layer without fields, key or provenance.
    pub fn new(id: LayerId, title: Title, role: Role, geometry: GeometryKind) -> Self {
        Self {
            id,
            title,
            role,
            geometry,
            key: None,
            label: None,
            fields: Vec::new(),
            valid_from: None,
            valid_to: None,
            source: None,
            source_crs: None,
            data_date: None,
            steward: None,
            attribution: None,
            synthetic: false,
            tiles: None,
        }
    }

    /// The position of the field called `name`.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The position of the key field.
    pub fn key_index(&self) -> Option<usize> {
        self.key.as_deref().and_then(|name| self.field_index(name))
    }

    /// The position of the field that names a feature to people.
    pub fn label_index(&self) -> Option<usize> {
        self.label.as_deref().and_then(|name| self.field_index(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_ids_are_safe_as_table_and_url() {
        for good in ["parcels", "zone_2025", "x"] {
            assert!(good.parse::<LayerId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "Parcels",
            "1a",
            "a-b",
            "a b",
            "a\"b",
            "gpkg_contents",
            "citymap_log",
            "thửa",
            &"x".repeat(64),
        ] {
            assert!(bad.parse::<LayerId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("parcels".parse::<Role>().is_err());
    }
}
