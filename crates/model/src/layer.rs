//! Layers: what they are to the city, and how they are defined.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Field, GeometryKind, Meaning, Theme, TileRule, Title, propose_meanings};

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

/// What a layer is to the city. Search, the map's style and the questions depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Land parcels (thửa đất).
    Parcel,
    /// Planning zones (ô chức năng quy hoạch).
    Zone,
    /// Roads and streets, as lines.
    Road,
    /// Buildings and their parts.
    Building,
    /// Points that have an address.
    Address,
    /// Administrative units (phường, xã, đặc khu).
    AdminUnit,
    /// Pipes, cables, lights, hydrants.
    Utility,
    /// Places that have a name.
    Place,
    /// Reports that residents made.
    Report,
    /// None of the roles above.
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

/// A text that is not the name of a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a role; the roles are parcel, zone, road, building, address, admin_unit, utility, place, \
     report, other"
)]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The definition of a layer, as the catalogue holds it, without its features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The name of the layer, in tables, tiles and addresses.
    pub id: LayerId,
    /// The title that users see.
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
    /// The agency that is responsible for the data.
    #[serde(default)]
    pub steward: Option<String>,
    /// Licence and attribution, as the map must show it.
    #[serde(default)]
    pub attribution: Option<String>,
    /// Whether the data is invented, as in the demo city.
    #[serde(default)]
    pub synthetic: bool,
    /// What it shows, where its role does not say it. Always written, also where there is none: a definition
    /// without it is from before there were meanings, see [`Layer::from_definition`].
    #[serde(default)]
    pub theme: Option<Theme>,
    /// Whether the map shows the layer before the user chooses; `None` for the default that
    /// [`Layer::is_shown_at_first`] derives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<bool>,
    /// How tiles generalise the layer; `None` for the default that [`Layer::tile_rule`] derives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<TileRule>,
    /// Names of fields that were personal and are not among [`Layer::fields`]: left out, or renamed. A field
    /// that comes with one of them is personal again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub personal_names: Vec<String>,
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
            theme: None,
            shown: None,
            tiles: None,
            personal_names: Vec::new(),
        }
    }

    /// Whether the map shows the layer before the user chooses: what the steward has set, or else `false` for
    /// networks, residents' reports and symbols of places, which would cover the streets and parcels.
    pub fn is_shown_at_first(&self) -> bool {
        let is_symbol = self.geometry == GeometryKind::Point
            && (self.role == Role::Place || self.theme.is_some_and(Theme::is_symbol));
        self.shown.unwrap_or(!matches!(self.role, Role::Utility | Role::Report) && !is_symbol)
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

    /// The position of the first field with this meaning, personal or not.
    pub fn field_meaning(&self, meaning: Meaning) -> Option<usize> {
        self.fields.iter().position(|field| field.meaning == Some(meaning))
    }

    /// Gives the field at `index` a meaning, or none. Another field that had it loses it, unless several may
    /// have it. [`Layer::valid_from`] and [`Layer::valid_to`] follow.
    ///
    /// # Panics
    /// Where there is no field at `index`.
    pub fn set_meaning(&mut self, index: usize, meaning: Option<Meaning>) {
        if let Some(single) = meaning.filter(|meaning| meaning.is_single()) {
            for field in self.fields.iter_mut().filter(|field| field.meaning == Some(single)) {
                field.meaning = None;
            }
        }
        let former = std::mem::replace(&mut self.fields[index].meaning, meaning);
        for changed in [former, meaning].into_iter().flatten() {
            let name = self.field_meaning(changed).map(|index| self.fields[index].name.clone());
            match changed {
                Meaning::ValidFrom => self.valid_from = name,
                Meaning::ValidTo => self.valid_to = name,
                _ => {}
            }
        }
    }

    /// Reads a definition as a store keeps it (JSON). One from before there were meanings gets those that
    /// [`propose_meanings`] finds, so that former revisions are searched and drawn as they always were.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_definition(text: &str) -> Result<Self, serde_json::Error> {
        let document: serde_json::Value = serde_json::from_str(text)?;
        let is_former = document.get("theme").is_none();
        let mut layer: Self = serde_json::from_value(document)?;
        if is_former {
            layer.add_meanings();
        }
        Ok(layer)
    }

    /// Whether a definition as a store keeps it is from before there were meanings.
    pub fn lacks_meanings(definition: &str) -> bool {
        serde_json::from_str::<serde_json::Value>(definition)
            .is_ok_and(|document| document.get("theme").is_none())
    }

    /// Proposes meanings for a definition from before there were any. What bounds validity stays as it is: it
    /// decides which features are there, and nobody asked for another answer.
    fn add_meanings(&mut self) {
        let bounds = [self.valid_from.clone(), self.valid_to.clone()];
        for (name, meaning) in bounds.iter().zip([Meaning::ValidFrom, Meaning::ValidTo]) {
            if let Some(index) = name.as_deref().and_then(|name| self.field_index(name)) {
                self.fields[index].meaning = Some(meaning);
            }
        }
        propose_meanings(self);
        let [valid_from, valid_to] = bounds;
        if valid_from.is_none()
            && let Some(index) = self.field_meaning(Meaning::ValidFrom)
        {
            self.fields[index].meaning = None;
        }
        if valid_to.is_none()
            && let Some(index) = self.field_meaning(Meaning::ValidTo)
        {
            self.fields[index].meaning = None;
        }
        (self.valid_from, self.valid_to) = (valid_from, valid_to);
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

    fn dated() -> Layer {
        let mut layer =
            Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
        layer.fields =
            ["tu_ngay", "valid_from", "so_to"].map(|name| Field::new(name, crate::FieldType::Date)).to_vec();
        layer
    }

    #[test]
    fn a_meaning_moves_from_field_to_field_and_validity_follows() {
        let mut layer = dated();
        layer.set_meaning(0, Some(Meaning::ValidFrom));
        assert_eq!(layer.valid_from.as_deref(), Some("tu_ngay"));
        layer.set_meaning(1, Some(Meaning::ValidFrom));
        assert_eq!(layer.valid_from.as_deref(), Some("valid_from"));
        assert_eq!(layer.fields[0].meaning, None);
        layer.set_meaning(1, Some(Meaning::Sheet));
        assert_eq!((layer.valid_from.as_deref(), layer.field_meaning(Meaning::Sheet)), (None, Some(1)));
        layer.set_meaning(0, Some(Meaning::Name));
        layer.set_meaning(2, Some(Meaning::Name));
        assert_eq!(layer.fields[0].meaning, layer.fields[2].meaning, "a layer may have several names");
    }

    #[test]
    fn a_definition_from_before_meanings_gets_them_and_keeps_its_validity() {
        let mut former = dated();
        former.valid_to = Some("tu_ngay".into());
        let mut document = serde_json::to_value(&former).unwrap();
        document.as_object_mut().unwrap().remove("theme");
        let text = document.to_string();
        assert!(Layer::lacks_meanings(&text) && !Layer::lacks_meanings("{"));
        let read = Layer::from_definition(&text).unwrap();
        let meanings: Vec<_> = read.fields.iter().map(|field| field.meaning).collect();
        assert_eq!(meanings, [Some(Meaning::ValidTo), None, Some(Meaning::Sheet)]);
        assert_eq!((read.valid_from, read.valid_to.as_deref()), (None, Some("tu_ngay")));
    }

    #[test]
    fn a_definition_with_meanings_is_read_as_it_is() {
        let mut layer = dated();
        layer.theme = Some(Theme::Hydrant);
        let text = serde_json::to_string(&layer).unwrap();
        assert!(!Layer::lacks_meanings(&text) && !text.contains("meaning"));
        assert_eq!(Layer::from_definition(&text).unwrap(), layer);
        layer.theme = None;
        assert_eq!(Layer::from_definition(&serde_json::to_string(&layer).unwrap()).unwrap(), layer);
    }

    #[test]
    fn networks_reports_and_symbols_are_hidden_at_first_unless_the_steward_says_otherwise() {
        let shown = |role, geometry, theme| {
            let mut layer = Layer::new("a".parse().unwrap(), Title::same("A"), role, geometry);
            layer.theme = theme;
            layer.is_shown_at_first()
        };
        use GeometryKind::{Line, Point, Polygon};
        for role in [Role::Parcel, Role::Zone, Role::Road, Role::Building, Role::AdminUnit, Role::Other] {
            assert!(shown(role, Polygon, None), "{role}");
        }
        assert!(shown(Role::Address, Point, None) && shown(Role::Other, Point, None));
        assert!(shown(Role::Place, Polygon, Some(Theme::Green)));
        for (role, geometry, theme) in [
            (Role::Utility, Line, None),
            (Role::Utility, Point, Some(Theme::Hydrant)),
            (Role::Report, Point, None),
            (Role::Place, Point, None),
            (Role::Other, Point, Some(Theme::School)),
        ] {
            assert!(!shown(role, geometry, theme), "{role} {theme:?}");
        }
        let mut layer = dated();
        layer.shown = Some(true);
        assert!(layer.is_shown_at_first());
        let text = serde_json::to_string(&layer).unwrap();
        assert_eq!(Layer::from_definition(&text).unwrap().shown, Some(true));
    }

    #[test]
    fn every_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("parcels".parse::<Role>().is_err());
    }
}
