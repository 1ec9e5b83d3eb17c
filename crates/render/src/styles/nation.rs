//! What a view of national extent names: the archipelagos and the sea as the law wants them, and the city.

use citymap_model::{CityProfile, Title};
use serde_json::{Value, json};

use super::{draw::font, palette::Palette};

/// The source and the style layer of these names.
pub(crate) const NATION: &str = "citymap-nation";

/// The GeoJSON source of the names, in a language.
pub(crate) fn source(city: &CityProfile, lang: &str) -> Value {
    let title = Title::new;
    let mut places = vec![
        (
            title("Quần đảo Hoàng Sa\n(Việt Nam)", "Hoàng Sa Archipelago\n(Vietnam)"),
            [111.9, 16.45],
            "islands",
        ),
        (
            title("Quần đảo Trường Sa\n(Việt Nam)", "Trường Sa Archipelago\n(Vietnam)"),
            [113.8, 9.6],
            "islands",
        ),
        (title("BIỂN ĐÔNG", "EAST SEA"), [112.4, 13.2], "sea"),
    ];
    let label = if city.map_label.is_empty() { &city.name } else { &city.map_label };
    places.push((label.clone(), [city.view.lon, city.view.lat], "city"));
    let features: Vec<Value> = places
        .iter()
        .map(|(title, at, kind)| {
            json!({
                "type": "Feature",
                "properties": {"name": title.get(lang), "kind": kind},
                "geometry": {"type": "Point", "coordinates": at},
            })
        })
        .collect();
    json!({"type": "geojson", "data": {"type": "FeatureCollection", "features": features}})
}

/// The style layer of the names. They are always drawn: the law does not leave it to a placement of labels.
pub(crate) fn layer(colors: &Palette) -> Value {
    let kind = json!(["get", "kind"]);
    json!({
        "id": NATION,
        "type": "symbol",
        "source": NATION,
        "maxzoom": 9,
        "filter": ["any", ["!=", kind, "city"], ["<", ["zoom"], 8]],
        "layout": {
            "text-field": ["get", "name"],
            "text-font": ["match", kind, "sea", ["literal", [font::ITALIC]], ["literal", [font::BOLD]]],
            "text-size": ["match", kind, "sea", 15, "city", 14, 12.5],
            "text-letter-spacing": ["match", kind, "sea", 0.2, 0],
            "text-allow-overlap": true,
        },
        "paint": {
            "text-color": ["match", kind, "sea", colors.water_label, colors.label],
            "text-halo-color": colors.halo,
            "text-halo-width": 1.4,
        },
    })
}
