//! The colours of the base map, light and dark: one table, which an operator can change in part.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::error::Fault;
use crate::styles::Rgb;

/// The colours that the program ships with.
const STANDARD: &str = include_str!("../../../../tiles/styles/look.json");

/// The colours of the base map for one appearance.
///
/// The field names are those of `tiles/styles/look.json`, in camel case.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Palette {
    /// The map beyond the administrative units.
    pub outside: Rgb,
    /// The ground below everything.
    pub ground: Rgb,
    /// A lot whose use is not shown.
    pub lot: Rgb,
    /// Rivers, canals, lakes and the sea, as areas.
    pub water: Rgb,
    /// Rivers and canals as lines.
    pub water_line: Rgb,
    /// The names of water.
    pub water_label: Rgb,
    /// Parks and open spaces.
    pub green: Rgb,
    /// The names of parks and open spaces.
    pub green_label: Rgb,
    /// The fill of a building.
    pub building: Rgb,
    /// The outline of a building.
    pub building_line: Rgb,
    /// Carriageways by rank, from expressways to alleys.
    pub roads: [Rgb; 5],
    /// The edges of carriageways by rank; far views draw whole roads in them.
    pub road_casings: [Rgb; 5],
    /// The names of roads.
    pub road_label: Rgb,
    /// The borders of parcels.
    pub parcel_line: Rgb,
    /// The numbers of parcels.
    pub parcel_label: Rgb,
    /// The borders of planning zones.
    pub zone_line: Rgb,
    /// The borders of administrative units.
    pub admin_line: Rgb,
    /// The names of administrative units.
    pub admin_label: Rgb,
    /// The lines of rights-of-way (chỉ giới đường đỏ).
    pub right_of_way: Rgb,
    /// The ground within a right-of-way.
    pub right_of_way_ground: Rgb,
    /// The text of all other labels.
    pub label: Rgb,
    /// The halo around a label.
    pub halo: Rgb,
    /// An area of a coded layer whose code is not known.
    pub no_code: Rgb,
    /// Water and sewage pipes.
    pub pipe: Rgb,
    /// Power lines and cables.
    pub power: Rgb,
    /// Layers without colours of their own, by their position in the catalogue.
    pub others: Vec<Rgb>,
    /// How much of an official colour is seen, 0 to 1; the rest is the ground.
    pub code_strength: f64,
    /// What follows the names of hatchings in the sprite: those for a dark ground have pale lines.
    pub hatch_suffix: String,
}

impl Palette {
    /// The same palette without hues, for a base below other data. Utilities keep their colours, because they
    /// are that data.
    pub(crate) fn greyed(&self) -> Self {
        let roads = self.roads.map(|_| self.roads[4].grey());
        let casings = self.road_casings.map(|_| self.road_casings[4].grey());
        Self {
            outside: self.outside.grey(),
            ground: self.ground.grey(),
            lot: self.lot.grey(),
            // A third of the hue stays, so that water is told from land.
            water: self.water.over(self.water.grey(), 0.35),
            water_line: self.water_line.over(self.water_line.grey(), 0.35),
            water_label: self.water_label.over(self.water_label.grey(), 0.5),
            green: self.green.grey(),
            green_label: self.green_label.grey(),
            building: self.building.grey(),
            building_line: self.building_line.grey(),
            roads,
            road_casings: casings,
            road_label: self.road_label.grey(),
            parcel_line: self.parcel_line.grey(),
            parcel_label: self.parcel_label.grey(),
            zone_line: self.zone_line.grey(),
            admin_line: self.admin_line.grey(),
            admin_label: self.admin_label.grey(),
            right_of_way: self.right_of_way.grey(),
            right_of_way_ground: self.right_of_way_ground.grey(),
            no_code: self.no_code.grey(),
            ..self.clone()
        }
    }
}

/// Whether a map is light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Appearance {
    /// Dark lines on a pale ground.
    #[default]
    Light,
    /// Pale lines on a dark ground.
    Dark,
}

impl Appearance {
    /// The names of both, as queries write them.
    pub const NAMES: &'static [&'static str] = &["light", "dark"];

    /// The appearance with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|own| own.as_str() == name)
    }

    /// The name, as queries write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The colours of both appearances.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Palettes {
    light: Palette,
    dark: Palette,
    /// The colours of symbols (`tiles/sprites`) by their names, for the discs of clusters.
    symbols: BTreeMap<String, Rgb>,
}

impl Palettes {
    /// The colours that the program ships with, where `change` (a document with some of the same members)
    /// does not say otherwise.
    ///
    /// # Errors
    /// [`Fault`] for a member that the colours do not have, or a value of the wrong kind.
    pub(crate) fn with(change: Option<&Value>) -> Result<Self, Fault> {
        let mut colors: Value = serde_json::from_str(STANDARD).map_err(Fault::of_syntax)?;
        if let Some(change) = change {
            merge(&mut colors, change, "")?;
        }
        serde_json::from_value(colors).map_err(Fault::of_syntax)
    }

    /// The colours of one appearance.
    pub(crate) fn of(&self, appearance: Appearance) -> &Palette {
        match appearance {
            Appearance::Light => &self.light,
            Appearance::Dark => &self.dark,
        }
    }

    /// The colour of a symbol.
    pub(crate) fn symbol(&self, name: &str) -> Option<Rgb> {
        self.symbols.get(name).copied()
    }
}

/// Puts the members of `change` into `own`. `place` says where both are, as `light.roads`.
fn merge(own: &mut Value, change: &Value, place: &str) -> Result<(), Fault> {
    let at = if place.is_empty() { "the document".to_owned() } else { format!("`{place}`") };
    match (&mut *own, change) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, value) in changes {
                let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                let names: Vec<&str> = members.keys().map(String::as_str).collect();
                let known = names.join(", ");
                let Some(member) = members.get_mut(name) else {
                    return Err(Fault::new(format!("{at} has no member `{name}`; it has {known}")));
                };
                merge(member, value, &inner)?;
            }
            Ok(())
        }
        // What is no colour is the name of images, which come with the program.
        (Value::String(name), _) if name.parse::<Rgb>().is_err() => {
            Err(Fault::new(format!("{at} cannot be changed")))
        }
        (Value::String(_), Value::String(text)) => {
            let color: Rgb = text.parse().map_err(|error| Fault::new(format!("{at}: {error}")))?;
            *own = color.into();
            Ok(())
        }
        (Value::Number(_), Value::Number(number)) => {
            let strength = number.as_f64().filter(|value| (0.0..=1.0).contains(value));
            let strength =
                strength.ok_or_else(|| Fault::new(format!("{at} is {number}; it must be from 0 to 1")))?;
            *own = strength.into();
            Ok(())
        }
        (Value::Array(list), Value::Array(changes)) if list.len() == changes.len() => {
            for (index, (member, value)) in list.iter_mut().zip(changes).enumerate() {
                merge(member, value, &format!("{place}[{index}]"))?;
            }
            Ok(())
        }
        (Value::Array(list), _) => {
            Err(Fault::new(format!("{at} must be a list of {} colours, #rrggbb", list.len())))
        }
        (Value::Object(_), _) => Err(Fault::new(format!("{at} must be an object"))),
        (Value::Number(_), _) => Err(Fault::new(format!("{at} must be a number from 0 to 1"))),
        _ => Err(Fault::new(format!("{at} must be a colour, #rrggbb"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operator_changes_some_colours_and_the_others_stay() {
        let standard = Palettes::with(None).unwrap();
        let change =
            json!({"dark": {"water": "#123", "codeStrength": 0.4}, "symbols": {"report": "#ABCDEF"}});
        let changed = Palettes::with(Some(&change)).unwrap();
        assert_eq!(changed.light, standard.light);
        assert_eq!(changed.dark.water.to_string(), "#112233");
        assert!((changed.dark.code_strength - 0.4).abs() < 1e-12);
        assert_eq!(changed.symbol("report").unwrap().to_string(), "#abcdef");
        assert_eq!(changed.dark.ground, standard.dark.ground);
    }

    #[test]
    fn a_wrong_change_names_its_place() {
        for (change, parts) in [
            (json!({"lite": {}}), ["no member `lite`", "light"]),
            (json!({"light": {"watr": "#fff"}}), ["`light` has no member `watr`", "waterLine"]),
            (json!({"light": {"water": "blue"}}), ["`light.water`", "#rrggbb"]),
            (json!({"light": {"water": 7}}), ["`light.water`", "#rrggbb"]),
            (json!({"light": {"roads": ["#fff"]}}), ["`light.roads`", "5 colours"]),
            (
                json!({"light": {"roads": ["#fff", "#fff", "#f", "#fff", "#fff"]}}),
                ["`light.roads[2]`", "`#f`"],
            ),
            (json!({"dark": {"codeStrength": 2}}), ["`dark.codeStrength`", "0 to 1"]),
            (json!({"dark": {"hatchSuffix": "#fff"}}), ["`dark.hatchSuffix`", "cannot be changed"]),
            (json!([]), ["the document", "object"]),
        ] {
            let error = Palettes::with(Some(&change)).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{change}: {error}");
        }
    }

    #[test]
    fn labels_are_legible_on_what_is_below_them() {
        let palettes = Palettes::with(None).unwrap();
        for appearance in [Appearance::Light, Appearance::Dark] {
            let full = palettes.of(appearance);
            for (what, colors) in [("full", full.clone()), ("grey", full.greyed())] {
                for (label, ground) in [
                    (colors.water_label, colors.water),
                    (colors.green_label, colors.green),
                    (colors.road_label, colors.ground),
                    (colors.admin_label, colors.ground),
                    (colors.parcel_label, colors.lot),
                    (colors.zone_line, colors.ground),
                    (colors.label, colors.building),
                ] {
                    let contrast = label.contrast(ground);
                    assert!(contrast >= 4.5, "{appearance:?} {what}: {label} on {ground} {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn the_discs_of_clusters_have_the_colours_of_their_symbols() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tiles/sprites/src");
        for (name, color) in Palettes::with(None).unwrap().symbols {
            let svg = std::fs::read_to_string(format!("{folder}/{name}.svg")).unwrap();
            assert!(svg.contains(&format!("fill=\"{color}\"")), "{name}: {svg}");
        }
    }
}
