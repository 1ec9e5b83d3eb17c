//! How a layer is generalised in tiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FieldType, GeometryKind, Layer, Meaning, Role};

/// How a layer is generalised in tiles: what is drawn below the zoom at which everything is.
///
/// From `detail_zoom` on every feature is in every tile that it meets, with all its public fields. Below it
/// polygons are merged by class into areas, lines are thinned by class and simplified, points are clustered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TileRule {
    /// The lowest zoom at which every feature is drawn, as it is, with all public fields. 0: always.
    pub detail_zoom: u8,
    /// The field by whose values polygons are merged, lines are thinned and points are clustered apart;
    /// without one all are alike. A personal field counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// For lines: the zoom from which a class is drawn. A class that is not named here always is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub class_zooms: BTreeMap<String, u8>,
    /// How far a simplified line or border may lie from the exact one, in pixels of 1/512 of a tile.
    #[serde(default = "default_simplify")]
    pub simplify: f64,
    /// How many bytes (gzip) one tile of the layer may have below `detail_zoom`, before it is drawn more
    /// coarsely.
    #[serde(default = "default_budget")]
    pub budget: u32,
}

fn default_simplify() -> f64 {
    0.25
}

fn default_budget() -> u32 {
    200_000
}

/// A rule that cannot be applied to its layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTileRule {
    /// The layer has no such field.
    #[error("layer {layer} has no field `{field}`: `class` must name one of its fields")]
    Class {
        /// The layer of the rule.
        layer: String,
        /// The field that was named.
        field: String,
    },
    /// The field is personal: personal data must not decide what a public tile shows.
    #[error("field `{0}` holds personal data, and tiles are public: `class` must name another field")]
    Personal(String),
    /// The zoom is above the highest that a rule may name.
    #[error("zoom {0} is too high for a rule; the highest is {deepest}", deepest = TileRule::DEEPEST)]
    Zoom(u8),
    /// The tolerance is negative, too large, or not a number.
    #[error("`simplify` is {0}: it must be from 0 to 8 pixels")]
    Simplify(f64),
    /// The budget is too small for any feature.
    #[error("`budget` is {0} bytes: it must be 1000 or more")]
    Budget(u32),
}

impl TileRule {
    /// The highest zoom that a rule may name.
    pub const DEEPEST: u8 = 18;

    /// A rule that draws every feature at every zoom.
    pub fn everything() -> Self {
        Self {
            detail_zoom: 0,
            class: None,
            class_zooms: BTreeMap::new(),
            simplify: default_simplify(),
            budget: default_budget(),
        }
    }

    /// Checks whether the rule can be applied to this layer.
    ///
    /// # Errors
    /// [`InvalidTileRule`], whose text says what to change.
    pub fn check(&self, layer: &Layer) -> Result<(), InvalidTileRule> {
        if let Some(name) = &self.class {
            let field = layer
                .field_index(name)
                .map(|index| &layer.fields[index])
                .ok_or_else(|| InvalidTileRule::Class { layer: layer.id.to_string(), field: name.clone() })?;
            if field.personal {
                return Err(InvalidTileRule::Personal(name.clone()));
            }
        }
        if let Some(&zoom) = std::iter::once(&self.detail_zoom)
            .chain(self.class_zooms.values())
            .find(|&&zoom| zoom > Self::DEEPEST)
        {
            return Err(InvalidTileRule::Zoom(zoom));
        }
        if !(0.0..=8.0).contains(&self.simplify) {
            return Err(InvalidTileRule::Simplify(self.simplify));
        }
        if self.budget < 1000 {
            return Err(InvalidTileRule::Budget(self.budget));
        }
        Ok(())
    }
}

/// What layers are classed by, in the order in which the meanings count.
const CLASS_MEANINGS: [Meaning; 4] =
    [Meaning::LandUse, Meaning::PlanFunction, Meaning::RoadClass, Meaning::Class];

/// From which zoom classes of roads are drawn: our own list (`road_class`), and OpenStreetMap's.
const ROAD_ZOOMS: [(&str, u8); 20] = [
    ("cao_toc", 0),
    ("quoc_lo", 0),
    ("duong_chinh", 9),
    ("lien_khu_vuc", 11),
    ("noi_bo", 13),
    ("hem", 14),
    ("dat_nong_thon", 13),
    ("motorway", 0),
    ("trunk", 0),
    ("primary", 9),
    ("secondary", 11),
    ("tertiary", 12),
    ("unclassified", 13),
    ("residential", 13),
    ("living_street", 13),
    ("service", 14),
    ("track", 13),
    ("footway", 14),
    ("path", 14),
    ("steps", 14),
];

impl Layer {
    /// How the layer is generalised in tiles: its own rule, or where it has none the one that its role, its
    /// kind of geometry and the meanings of its fields suggest. A rule that cannot be followed (its field is
    /// gone) counts as none.
    pub fn tile_rule(&self) -> TileRule {
        match &self.tiles {
            Some(rule) if rule.check(self).is_ok() => rule.clone(),
            _ => self.default_tile_rule(),
        }
    }

    /// The rule for a layer that has none in its definition.
    pub fn default_tile_rule(&self) -> TileRule {
        let detail_zoom = match (self.geometry, self.role) {
            (GeometryKind::Mixed | GeometryKind::None, _) | (_, Role::AdminUnit) => 0,
            (GeometryKind::Polygon, Role::Parcel | Role::Building) => 15,
            (GeometryKind::Polygon, _) => 12,
            (GeometryKind::Line, Role::Road) => 15,
            (GeometryKind::Line, Role::Utility) => 14,
            (GeometryKind::Line, _) => 12,
            (GeometryKind::Point, Role::Address | Role::Utility | Role::Report) => 16,
            (GeometryKind::Point, _) => 14,
        };
        if detail_zoom == 0 {
            return TileRule::everything();
        }
        // What the map colours by comes first: the field with a code list.
        let public = || self.fields.iter().filter(|field| !field.personal);
        let coded = public().find(|field| field.code_list.is_some());
        let meant = || {
            CLASS_MEANINGS.iter().find_map(|meaning| {
                public().find(|field| field.field_type == FieldType::Text && field.meaning == Some(*meaning))
            })
        };
        let class = if self.geometry == GeometryKind::Point { None } else { coded.or_else(meant) };
        let class_zooms = match class {
            Some(_) if self.role == Role::Road => {
                ROAD_ZOOMS.iter().map(|&(class, zoom)| (class.to_owned(), zoom)).collect()
            }
            _ => BTreeMap::new(),
        };
        let class = class.map(|field| field.name.clone());
        TileRule { detail_zoom, class, class_zooms, ..TileRule::everything() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Title};

    fn roads() -> Layer {
        let mut layer =
            Layer::new("roads".parse().unwrap(), Title::same("Roads"), Role::Road, GeometryKind::Line);
        layer.fields = vec![
            Field::new("owner", FieldType::Text),
            Field::new("cap_duong", FieldType::Text).coded("road_class"),
        ];
        layer.fields[0].personal = true;
        layer
    }

    #[test]
    fn a_layer_without_a_rule_gets_one_by_what_it_is() {
        let rule = roads().tile_rule();
        assert_eq!((rule.detail_zoom, rule.class.as_deref()), (15, Some("cap_duong")));
        assert_eq!(rule.class_zooms["cao_toc"], 0);
        let mixed = Layer { geometry: GeometryKind::Mixed, ..roads() };
        assert_eq!(mixed.tile_rule(), TileRule::everything());
        for class in crate::codes::builtin("road_class").unwrap().entries.iter() {
            assert!(rule.class_zooms.contains_key(&class.code), "{}", class.code);
        }
    }

    #[test]
    fn an_own_rule_goes_first_while_it_can_be_followed() {
        let mut layer = roads();
        let own = TileRule { detail_zoom: 12, budget: 5000, ..TileRule::everything() };
        layer.tiles = Some(own.clone());
        assert_eq!(layer.tile_rule(), own);
        for bad in [
            TileRule { class: Some("gone".into()), ..own.clone() },
            TileRule { class: Some("owner".into()), ..own.clone() },
            TileRule { detail_zoom: 19, ..own.clone() },
            TileRule { simplify: f64::NAN, ..own.clone() },
            TileRule { budget: 10, ..own.clone() },
        ] {
            assert!(bad.check(&layer).is_err(), "{bad:?}");
            layer.tiles = Some(bad);
            assert_eq!(layer.tile_rule(), layer.default_tile_rule());
        }
    }

    #[test]
    fn definitions_without_a_rule_still_read_and_rules_come_back() {
        let mut layer = roads();
        let text = serde_json::to_string(&layer).unwrap();
        assert!(!text.contains("\"tiles\""), "an absent rule is not written");
        assert_eq!(serde_json::from_str::<Layer>(&text).unwrap(), layer);
        layer.tiles = Some(layer.default_tile_rule());
        let text = serde_json::to_string(&layer).unwrap();
        assert_eq!(serde_json::from_str::<Layer>(&text).unwrap(), layer);
        let short: TileRule = serde_json::from_str(r#"{"detail_zoom":13}"#).unwrap();
        assert_eq!(short, TileRule { detail_zoom: 13, ..TileRule::everything() });
    }
}
