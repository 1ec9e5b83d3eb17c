//! Themes: what a map shows, kind by kind. The table is data, which an operator can extend.

use std::{collections::BTreeMap, fmt};

use citymap_model::{Layer, Title};
use serde::Deserialize;

use super::{classify::kind_of, error::Fault};

/// The themes that the program ships with.
const STANDARD: &str = include_str!("../../../../tiles/styles/themes.json");

/// How a layer is drawn, in the words of `themes.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DrawKind {
    /// Land parcels (thửa đất).
    Parcel,
    /// Planning zones (ô chức năng quy hoạch).
    Zone,
    /// Roads and streets, as lines.
    Road,
    /// Buildings and their parts.
    Building,
    /// Points with house numbers.
    Address,
    /// Administrative units (phường, xã, đặc khu).
    Admin,
    /// Pipes, and utilities of no other kind, as lines.
    Pipe,
    /// Power lines and cables.
    Power,
    /// Lights, hydrants and other utilities, as points.
    Device,
    /// Places with names, as points.
    Place,
    /// Reports of residents, as points.
    Report,
    /// Rivers, canals, lakes and the sea.
    Water,
    /// Parks and open spaces.
    Green,
    /// Layers of no known kind, in any geometry.
    Other,
}

/// How areas and lines of a kind are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Fill {
    /// By the code list of the layer, or by its class.
    Codes,
    /// In one colour of the base map.
    #[default]
    Plain,
    /// Not at all: only outlines are drawn.
    None,
}

/// How a theme draws one kind of layer. Zooms are those of MapLibre (512-pixel tiles), 0 to 22.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Treatment {
    /// The zoom from which the layer is drawn; without one it follows from the kind and from how many
    /// features there are.
    #[serde(default)]
    pub from: Option<f64>,
    /// How it is coloured.
    #[serde(default)]
    pub fill: Fill,
    /// The zoom from which it is labelled; without one it is not.
    #[serde(default)]
    pub labels: Option<f64>,
    /// For roads: the zoom from which the lines of the right-of-way are drawn.
    #[serde(default)]
    pub right_of_way: Option<f64>,
}

impl Treatment {
    /// How a layer is drawn that the theme does not show, but somebody asks for.
    pub(crate) fn usual(kind: DrawKind) -> Self {
        let labels = match kind {
            DrawKind::Admin => Some(9.0),
            DrawKind::Water => Some(11.0),
            DrawKind::Road => Some(12.0),
            DrawKind::Green | DrawKind::Other => Some(13.0),
            DrawKind::Zone => Some(14.5),
            DrawKind::Place => Some(15.5),
            DrawKind::Parcel => Some(17.0),
            DrawKind::Address => Some(18.0),
            DrawKind::Building | DrawKind::Pipe | DrawKind::Power | DrawKind::Device | DrawKind::Report => {
                None
            }
        };
        let fill = match kind {
            DrawKind::Parcel | DrawKind::Zone | DrawKind::Road | DrawKind::Other => Fill::Codes,
            _ => Fill::Plain,
        };
        Self { from: None, fill, labels, right_of_way: None }
    }
}

/// A theme: what a map shows, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapTheme {
    /// The name in addresses.
    pub id: String,
    /// The title that users see.
    pub title: Title,
    /// A sentence for users.
    pub description: Title,
    /// Whether the base map has no hues, so that other data stands out.
    #[serde(default)]
    pub grey: bool,
    /// The kinds of layers that are drawn; kinds that are missing are not.
    pub draw: BTreeMap<DrawKind, Treatment>,
}

impl MapTheme {
    /// Whether the theme draws a layer before anybody chooses layers: if it has the layer's kind, unless the
    /// steward of the layer has decided ([`Layer::shown`]).
    pub(crate) fn draws(&self, layer: &Layer) -> bool {
        layer.shown.unwrap_or_else(|| self.draw.contains_key(&kind_of(layer)))
    }

    /// The standard themes, followed by `more`; a theme with the id of a standard one takes its place.
    ///
    /// # Errors
    /// [`Fault`] for a text that is not a list of themes, or an id or a zoom that cannot be used.
    pub(crate) fn all(more: Option<&str>) -> Result<Vec<Self>, Fault> {
        let mut themes = Self::read(STANDARD)?;
        for own in more.map(Self::read).transpose()?.into_iter().flatten() {
            match themes.iter_mut().find(|theme| theme.id == own.id) {
                Some(theme) => *theme = own,
                None => themes.push(own),
            }
        }
        Ok(themes)
    }

    fn read(text: &str) -> Result<Vec<Self>, Fault> {
        let themes: Vec<Self> = serde_json::from_str(text).map_err(Fault::of_syntax)?;
        for (index, theme) in themes.iter().enumerate() {
            theme.check().map_err(|fault| Fault::new(format!("[{index}] (`{}`): {fault}", theme.id)))?;
            if themes[..index].iter().any(|other| other.id == theme.id) {
                return Err(Fault::new(format!("[{index}]: two themes have the id `{}`", theme.id)));
            }
        }
        Ok(themes)
    }

    fn check(&self) -> Result<(), Fault> {
        check_id(&self.id)?;
        if self.title.is_empty() {
            return Err(Fault::new("`title` is empty; write it in Vietnamese, English or both"));
        }
        for (kind, treatment) in &self.draw {
            let zooms = [
                ("from", treatment.from),
                ("labels", treatment.labels),
                ("rightOfWay", treatment.right_of_way),
            ];
            for (name, zoom) in zooms {
                if zoom.is_some_and(|zoom| !(0.0..=22.0).contains(&zoom)) {
                    return Err(Fault::new(format!("`draw.{kind}.{name}` must be a zoom from 0 to 22")));
                }
            }
        }
        Ok(())
    }
}

/// Checks the id of a style, which is a part of addresses and the name of a file.
///
/// # Errors
/// [`Fault`] for an id that cannot be used.
pub(crate) fn check_id(id: &str) -> Result<(), Fault> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if !id.is_empty() && id.len() <= 63 && id.bytes().all(good) {
        return Ok(());
    }
    let id: String = id.chars().take(80).collect();
    Err(Fault::new(format!(
        "`{id}` cannot name a style; use lower-case letters, digits, `-` and `_`, 63 characters at most"
    )))
}

impl fmt::Display for DrawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names are those of the variants with a small first letter, all of one word.
        write!(f, "{}", format!("{self:?}").to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_themes_are_whole() {
        let themes = MapTheme::all(None).unwrap();
        let ids: Vec<&str> = themes.iter().map(|theme| theme.id.as_str()).collect();
        assert_eq!(ids, ["cadastre", "plan", "streets", "utilities", "grey"]);
        for theme in &themes {
            assert!(!theme.title.vi.is_empty() && !theme.title.en.is_empty(), "{}", theme.id);
            assert!(!theme.description.vi.is_empty() && !theme.description.en.is_empty(), "{}", theme.id);
            assert!(theme.draw.contains_key(&DrawKind::Road), "{}", theme.id);
        }
        // Never two systems of colours in one picture.
        let coded = |theme: &MapTheme, kind| theme.draw.get(&kind).is_some_and(|own| own.fill == Fill::Codes);
        assert!(
            themes.iter().all(|theme| { !(coded(theme, DrawKind::Parcel) && coded(theme, DrawKind::Zone)) })
        );
    }

    #[test]
    fn an_operator_replaces_and_adds_themes() {
        let own = r#"[
            {"id": "grey", "title": {"vi": "Xám", "en": "Grey"}, "description": {"vi": "", "en": ""},
             "draw": {}},
            {"id": "fire", "title": {"vi": "Chữa cháy", "en": "Fire"}, "description": {"vi": "", "en": ""},
             "grey": true, "draw": {"device": {"from": 14}, "road": {"labels": 12}}}]"#;
        let themes = MapTheme::all(Some(own)).unwrap();
        assert_eq!(themes.len(), 6);
        assert_eq!(themes[4].title.en, "Grey");
        assert_eq!(themes[5].draw[&DrawKind::Device].from, Some(14.0));
    }

    #[test]
    fn a_wrong_theme_names_its_place() {
        let theme = |id: &str, draw: &str| {
            format!(
                r#"[{{"id": "{id}", "title": {{"vi": "a", "en": ""}}, "description": {{"vi": "", "en": ""}},
                "draw": {draw}}}]"#
            )
        };
        for (text, part) in [
            ("{}".to_owned(), "line 1 column"),
            (theme("Fire", "{}"), "`Fire` cannot name a style"),
            (theme("fire", r#"{"car": {}}"#), "unknown variant `car`"),
            (theme("fire", r#"{"road": {"size": 2}}"#), "unknown field `size`"),
            (theme("fire", r#"{"road": {"labels": 23}}"#), "[0] (`fire`): `draw.road.labels`"),
        ] {
            let error = MapTheme::all(Some(&text)).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
