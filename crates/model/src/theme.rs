//! What a layer shows, where its role does not say it: how the map draws it follows from this.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{GeometryKind, LayerId, Role};

/// The subject of a layer, finer than its [`Role`]: which colours or which symbol the map gives it.
///
/// Part of the layer's definition ([`crate::Layer::theme`]). It is proposed at import from the layer's name
/// ([`Theme::propose`]), and set by the steward; whoever draws a layer reads it and never looks at the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Theme {
    /// Rivers, canals, lakes, the sea.
    Water,
    /// Parks and open spaces, as areas or lines.
    Green,
    /// Power lines and cables.
    Power,
    /// Borders that are areas in the data, of which only the lines may be drawn.
    Boundary,
    /// Fire hydrants, as points.
    Hydrant,
    /// Street lights, as points.
    Light,
    /// Schools of all levels.
    School,
    /// Hospitals and other places of health care.
    Hospital,
    /// Markets, covered or not.
    Market,
    /// Parks and trees, as points.
    Park,
    /// Reports that residents made.
    Report,
}

impl Theme {
    /// Every theme, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::Water,
        Self::Green,
        Self::Power,
        Self::Boundary,
        Self::Hydrant,
        Self::Light,
        Self::School,
        Self::Hospital,
        Self::Market,
        Self::Park,
        Self::Report,
    ];

    /// The theme's name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Green => "green",
            Self::Power => "power",
            Self::Boundary => "boundary",
            Self::Hydrant => "hydrant",
            Self::Light => "light",
            Self::School => "school",
            Self::Hospital => "hospital",
            Self::Market => "market",
            Self::Park => "park",
            Self::Report => "report",
        }
    }

    /// Whether the map has a symbol for it, which it draws at points.
    pub fn is_symbol(self) -> bool {
        SYMBOLS.iter().any(|(theme, _)| *theme == self)
    }

    /// What the name of a layer says about its theme; `None` where it says nothing.
    ///
    /// Points have symbols, so their names are compared with what symbols there are; other geometry has
    /// colours.
    pub fn propose(id: &LayerId, role: Role, geometry: GeometryKind) -> Option<Self> {
        let name = format!("_{id}_");
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if geometry == GeometryKind::Point {
            return SYMBOLS.iter().find(|(_, parts)| has(parts)).map(|(theme, _)| *theme);
        }
        if role == Role::Utility {
            return has(&POWER).then_some(Self::Power);
        }
        let areas = [(Self::Water, WATER.as_slice()), (Self::Green, &GREEN), (Self::Boundary, &BOUNDARY)];
        areas.into_iter().find(|(_, parts)| has(parts)).map(|(theme, _)| theme)
    }
}

// Parts of layer names. `_` stands for the edge of a word: the names are compared with one in front and one
// behind.
const WATER: [&str; 16] = [
    "_water_",
    "_waterway_",
    "_waterways_",
    "_hydro",
    "_song_",
    "_kenh_",
    "_rach_",
    "_mat_nuoc_",
    "_thuy_he_",
    "_thuy_van_",
    "_river_",
    "_rivers_",
    "_canal_",
    "_canals_",
    "_lake_",
    "_lakes_",
];
const GREEN: [&str; 8] = [
    "_green_",
    "_park_",
    "_parks_",
    "_open_space_",
    "openspace",
    "_cay_xanh_",
    "_cong_vien_",
    "_recreation_",
];
const POWER: [&str; 5] = ["_power_", "_electric", "_dien_", "_cable_", "_cables_"];
const BOUNDARY: [&str; 3] = ["boundar", "ranh_gioi", "dia_gioi"];
const SYMBOLS: [(Theme, &[&str]); 7] = [
    (Theme::Hydrant, &["hydrant", "chua_chay"]),
    (Theme::Light, &["light", "den_"]),
    (Theme::School, &["school", "truong"]),
    (Theme::Hospital, &["hospital", "y_te", "benh_vien"]),
    (Theme::Market, &["market", "cho_"]),
    (Theme::Park, &["park", "tree", "cay"]),
    (Theme::Report, &["report", "1022", "phan_anh"]),
];

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the name of a theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a theme; the themes are {all}", all = Theme::ALL.map(Theme::as_str).join(", "))]
pub struct UnknownTheme(pub String);

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .ok_or_else(|| UnknownTheme(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(id: &str, role: Role, geometry: GeometryKind) -> Option<Theme> {
        Theme::propose(&id.parse().unwrap(), role, geometry)
    }

    #[test]
    fn every_theme_reads_back_from_its_name() {
        for theme in Theme::ALL {
            assert_eq!(theme.as_str().parse(), Ok(theme));
            assert_eq!(serde_json::to_string(&theme).unwrap(), format!("\"{theme}\""));
        }
        assert!("fire".parse::<Theme>().unwrap_err().to_string().contains("hydrant"));
    }

    #[test]
    fn names_of_areas_say_water_green_or_border() {
        use GeometryKind::{Line, Polygon};
        for (id, role, kind, theme) in [
            ("water", Role::Other, Polygon, Some(Theme::Water)),
            ("osm_water", Role::Other, Polygon, Some(Theme::Water)),
            ("song_2025", Role::Place, Line, Some(Theme::Water)),
            ("songs", Role::Other, Line, None),
            ("hydrography", Role::Other, Line, Some(Theme::Water)),
            ("cong_vien", Role::Other, Polygon, Some(Theme::Green)),
            ("nycopenspace", Role::Other, Polygon, Some(Theme::Green)),
            ("boundaries", Role::Other, Polygon, Some(Theme::Boundary)),
            ("drainage", Role::Utility, Line, None),
            ("power_lines", Role::Utility, Line, Some(Theme::Power)),
            ("day_dien", Role::Utility, Line, Some(Theme::Power)),
            ("water_pipes", Role::Utility, Line, None),
        ] {
            assert_eq!(proposed(id, role, kind), theme, "{id}");
        }
    }

    #[test]
    fn names_of_points_say_their_symbol() {
        for (id, theme) in [
            ("hydrants", Some(Theme::Hydrant)),
            ("street_lights", Some(Theme::Light)),
            ("truong_hoc", Some(Theme::School)),
            ("tram_y_te", Some(Theme::Hospital)),
            ("cho", Some(Theme::Market)),
            ("trees", Some(Theme::Park)),
            ("reports_1022", Some(Theme::Report)),
            ("places", None),
            ("water", None),
        ] {
            assert_eq!(proposed(id, Role::Other, GeometryKind::Point), theme, "{id}");
        }
    }
}
