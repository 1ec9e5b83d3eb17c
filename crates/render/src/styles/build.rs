//! Puts a style together: the layers that a theme draws, their sources, and the ground.

use std::collections::BTreeMap;

use citymap_model::{CityProfile, GeometryKind, Layer, LayerId, Meaning};
use citymap_planning::PlanLevel;
use serde_json::{Map, Value, json};

use super::{
    classify::{kind_of, meant, public, symbol_of},
    draw::{Drawer, DrawnLayer, Placed},
    map_theme::{DrawKind, MapTheme, Treatment},
    nation,
    palette::{Appearance, Palettes},
    plan_level::level_name,
};

/// A layer of the catalogue, and what a style must know of its features.
#[derive(Clone, Copy, Debug)]
pub struct CatalogueLayer<'a> {
    /// Its definition in the catalogue.
    pub layer: &'a Layer,
    /// The number of its features.
    pub count: usize,
    /// The points at which its areas are labelled, one each; empty where the tiles label them.
    pub labels: &'a [AreaLabel],
}

/// The point at which an area is labelled.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaLabel {
    /// WGS 84 longitude and latitude in degrees.
    pub lonlat: [f64; 2],
    /// The values of the fields that [`label_fields`] names, as JSON.
    pub properties: Map<String, Value>,
}

/// The city that a style is made for.
#[derive(Clone, Copy, Debug)]
pub struct StyledCity<'a> {
    /// Its name and first view.
    pub profile: &'a CityProfile,
    /// Its layers in catalogue order.
    pub layers: &'a [CatalogueLayer<'a>],
}

/// What a client asks of a style.
#[derive(Clone, Copy, Debug)]
pub struct StyleRequest<'a> {
    /// Whether the map is light or dark.
    pub appearance: Appearance,
    /// The language of names: `"vi"` or `"en"`.
    pub lang: &'a str,
    /// The only level of plans that is drawn; all if there is none.
    pub level: Option<PlanLevel>,
    /// The layers that are drawn instead of those of the theme.
    pub layers: Option<&'a [LayerId]>,
}

/// Where a style finds what it draws. Addresses must be absolute for clients other than the page.
#[derive(Clone, Copy)]
pub struct Addresses<'a> {
    /// What the addresses of an operator's style that begin with a slash are appended to.
    pub root: &'a str,
    /// The template of glyphs, with `{fontstack}` and `{range}`.
    pub glyphs: &'a str,
    /// The sprite, without its suffix.
    pub sprite: &'a str,
    /// The TileJSON of tiles with these layers.
    pub tiles: &'a dyn Fn(&[&str]) -> String,
    /// Maximum number of layers of one tile.
    pub layers_max: usize,
}

impl std::fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { root, glyphs, sprite, layers_max, .. } = self;
        f.debug_struct("Addresses")
            .field("root", root)
            .field("glyphs", glyphs)
            .field("sprite", sprite)
            .field("layers_max", layers_max)
            .finish_non_exhaustive()
    }
}

/// The names of the public fields whose values label a feature of the layer, in any language.
pub fn label_fields(layer: &Layer) -> Vec<&str> {
    let fields = public(layer);
    let mut names: Vec<&str> = fields.named(layer.label.as_deref()).into_iter().collect();
    if !names.is_empty() {
        names.extend(meant(layer, Meaning::NameEn));
        let other = fields.iter().filter(|(_, field)| field.meaning == Some(Meaning::Name));
        names.extend(other.map(|(_, field)| field.name.as_str()));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The style of a theme as a document of the MapLibre style specification, version 8.
pub(crate) fn build(
    palettes: &Palettes,
    theme: &MapTheme,
    city: StyledCity<'_>,
    request: &StyleRequest<'_>,
    addresses: &Addresses<'_>,
) -> Value {
    let own = palettes.of(request.appearance);
    let greyed;
    let palette = if theme.grey {
        greyed = own.greyed();
        &greyed
    } else {
        own
    };
    let mut drawn = drawn_layers(palettes, theme, city, request);
    assign_sources(&mut drawn, addresses.layers_max.max(1));
    let drawer = Drawer {
        palette,
        lang: request.lang,
        latitude: city.profile.view.lat,
        level: request.level,
        parcels_coded: drawn.iter().any(|own| own.kind == DrawKind::Parcel && own.is_coded()),
    };
    let mut list: Vec<(usize, Placed)> = Vec::new();
    for (index, own) in drawn.iter().enumerate() {
        list.extend(drawer.draw(own).into_iter().map(|placed| (index, placed)));
    }
    // Within a slot the first layer of the catalogue is drawn on top; the sort is stable.
    list.sort_by_key(|(index, placed)| (placed.slot, std::cmp::Reverse(*index)));
    let has_ground = drawn.iter().any(|own| own.kind == DrawKind::Admin);
    let mut layers = vec![json!({
        "id": "citymap-ground",
        "type": "background",
        // If administrative units are drawn they are the ground, and the area outside recedes.
        "paint": {"background-color": if has_ground { palette.outside } else { palette.ground }},
    })];
    layers.extend(list.into_iter().map(|(_, placed)| placed.layer));
    layers.push(nation::layer(palette));
    let profile = city.profile;
    let name = format!("{} – {}", profile.name.get(request.lang), theme.title.get(request.lang));
    json!({
        "version": 8,
        "name": name,
        "metadata": {
            "citymap:style": theme.id,
            "citymap:appearance": request.appearance.as_str(),
            "citymap:language": request.lang,
            "citymap:level": request.level.and_then(level_name),
        },
        "center": [profile.view.lon, profile.view.lat],
        "zoom": profile.view.zoom,
        "sources": sources(&drawn, city, request.lang, addresses),
        "sprite": addresses.sprite,
        "glyphs": addresses.glyphs,
        "layers": layers,
    })
}

/// The layers that are drawn, in catalogue order.
fn drawn_layers<'a>(
    palettes: &Palettes,
    theme: &MapTheme,
    city: StyledCity<'a>,
    request: &StyleRequest<'_>,
) -> Vec<DrawnLayer<'a>> {
    let palette = palettes.of(request.appearance);
    let treatment = |layer: &Layer| -> Option<Option<Treatment>> {
        let is_drawn = match request.layers {
            None => theme.draws(layer),
            Some(named) => named.contains(&layer.id),
        };
        is_drawn.then(|| theme.draw.get(&kind_of(layer)).copied())
    };
    let mut drawn = Vec::new();
    for (index, own) in city.layers.iter().enumerate() {
        if own.layer.geometry == GeometryKind::None {
            continue;
        }
        let Some(treatment) = treatment(own.layer) else { continue };
        let by_position = palette.others.get(index % palette.others.len().max(1)).copied();
        let color = symbol_of(own.layer).and_then(|name| palettes.symbol(name)).or(by_position);
        let mut layer = DrawnLayer::new(own.layer, own.count, treatment, color.unwrap_or(palette.label));
        if !own.labels.is_empty() {
            layer.label_source = Some(format!("citymap-labels-{}", own.layer.id));
        }
        drawn.push(layer);
    }
    drawn
}

/// Names the source of each layer. Layers that begin at about the same zoom share one, so that one request
/// fetches them all; those that begin deeper are not fetched before. A source has at most `max` layers.
fn assign_sources(drawn: &mut [DrawnLayer<'_>], max: usize) {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for own in drawn {
        let group = match own.from {
            from if from < 8.0 => "citymap-base",
            from if from < 13.0 => "citymap-land",
            from if from < 17.0 => "citymap-near",
            _ => "citymap-detail",
        };
        let count = counts.entry(group).or_insert(0);
        let number = *count / max;
        own.source = if number == 0 { group.to_owned() } else { format!("{group}-{}", number + 1) };
        *count += 1;
    }
}

/// The sources of a style: tiles, label points, and the names of the nation.
fn sources(
    drawn: &[DrawnLayer<'_>],
    city: StyledCity<'_>,
    lang: &str,
    addresses: &Addresses<'_>,
) -> Map<String, Value> {
    let mut groups: BTreeMap<&str, Vec<&DrawnLayer<'_>>> = BTreeMap::new();
    for own in drawn {
        groups.entry(&own.source).or_default().push(own);
    }
    let mut sources = Map::new();
    for (name, members) in groups {
        let ids: Vec<&str> = members.iter().map(|own| own.layer.id.as_str()).collect();
        let from = members.iter().map(|own| own.from).fold(f64::INFINITY, f64::min).floor();
        let mut source = json!({"type": "vector", "url": (addresses.tiles)(&ids)});
        if from > 0.0 {
            source["minzoom"] = json!(from as u8);
        }
        sources.insert(name.to_owned(), source);
    }
    for own in drawn {
        let labels = city.layers.iter().find(|other| other.layer.id == own.layer.id);
        if let (Some(name), Some(labels)) = (&own.label_source, labels) {
            sources.insert(name.clone(), label_source(labels.labels));
        }
    }
    sources.insert(nation::NATION.to_owned(), nation::source(city.profile, lang));
    sources
}

/// Label points as a GeoJSON source.
fn label_source(labels: &[AreaLabel]) -> Value {
    // Seven digits are 1 cm, far less than a letter.
    let rounded = |value: f64| (value * 1e7).round() / 1e7;
    let feature = |label: &AreaLabel| {
        json!({
            "type": "Feature",
            "properties": label.properties,
            "geometry": {"type": "Point", "coordinates": label.lonlat.map(rounded)},
        })
    };
    let features: Vec<Value> = labels.iter().map(feature).collect();
    json!({"type": "geojson", "data": {"type": "FeatureCollection", "features": features}})
}
