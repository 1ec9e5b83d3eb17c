//! Styles that an operator writes: checked when the server starts, and served with absolute addresses.

use std::collections::BTreeSet;

use citymap_model::Title;
use serde_json::Value;

use super::{book::StyleEntry, build::Addresses, error::Fault};

/// Maximum number of layers and of sources of a style.
const MEMBERS_MAX: usize = 2_000;

/// The types of style layers of the specification.
const LAYER_TYPES: [&str; 10] = [
    "background",
    "fill",
    "line",
    "symbol",
    "circle",
    "fill-extrusion",
    "raster",
    "hillshade",
    "heatmap",
    "color-relief",
];

/// A style of the operator's own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnStyle {
    pub(crate) id: String,
    pub(crate) title: Title,
    pub(crate) description: Title,
    document: Value,
}

impl OwnStyle {
    /// Reads a style from a text and checks what a client would stumble over first: its version, its sources,
    /// and that each layer has an id and a source.
    ///
    /// # Errors
    /// [`Fault`] with the place: line and column of a text that is not JSON, else the member.
    pub(crate) fn read(id: &str, text: &str) -> Result<Self, Fault> {
        let document: Value = serde_json::from_str(text).map_err(Fault::of_syntax)?;
        if !document.is_object() {
            return Err(Fault::new("a style must be an object"));
        }
        if document["version"] != 8 {
            return Err(Fault::new("`version` must be 8"));
        }
        check_sources(&document["sources"])?;
        check_layers(&document)?;
        let text = |name: &str| read_title(&document["metadata"][name]);
        let title = text("citymap:title").unwrap_or_else(|| {
            Title::same(document["name"].as_str().filter(|name| !name.is_empty()).unwrap_or(id))
        });
        let description = text("citymap:description").unwrap_or_default();
        Ok(Self { id: id.to_owned(), title, description, document })
    }

    /// The style as a list shows it.
    pub(crate) fn entry(&self) -> StyleEntry<'_> {
        let Self { id, title, description, .. } = self;
        StyleEntry { id, title, description, is_file: true }
    }

    /// Whether it draws a layer of the city.
    pub(crate) fn draws(&self, id: &str) -> bool {
        let layers = self.document["layers"].as_array();
        layers.into_iter().flatten().any(|layer| layer["source-layer"] == id)
    }

    /// The style with absolute addresses, and with the glyphs and the sprite of the server if it names none.
    pub(crate) fn document(&self, addresses: &Addresses<'_>) -> Value {
        let mut document = self.document.clone();
        let absolute = |value: &mut Value| {
            let path = value.as_str().filter(|path| path.starts_with('/') && !path.starts_with("//"));
            if let Some(path) = path {
                *value = format!("{}{path}", addresses.root).into();
            }
        };
        for (name, standard) in [("glyphs", addresses.glyphs), ("sprite", addresses.sprite)] {
            match document.get_mut(name) {
                Some(Value::Array(list)) => {
                    list.iter_mut().filter_map(|entry| entry.get_mut("url")).for_each(absolute);
                }
                Some(own) => absolute(own),
                None => document[name] = standard.into(),
            }
        }
        let sources = document["sources"].as_object_mut().into_iter().flatten();
        for (_, source) in sources {
            let Some(source) = source.as_object_mut() else { continue };
            for name in ["url", "data"] {
                source.get_mut(name).into_iter().for_each(absolute);
            }
            let tiles = source.get_mut("tiles").and_then(Value::as_array_mut);
            tiles.into_iter().flatten().for_each(absolute);
        }
        document
    }
}

/// A title in both languages, or one text for both.
fn read_title(value: &Value) -> Option<Title> {
    match value {
        Value::String(text) => Some(Title::same(text.as_str())),
        Value::Object(members) => {
            let text = |lang: &str| members.get(lang).and_then(Value::as_str).unwrap_or_default();
            Some(Title::new(text("vi"), text("en"))).filter(|title| !title.is_empty())
        }
        _ => None,
    }
}

fn check_sources(sources: &Value) -> Result<(), Fault> {
    let Some(sources) = sources.as_object() else {
        return Err(Fault::new("`sources` must be an object"));
    };
    if sources.len() > MEMBERS_MAX {
        return Err(Fault::new(format!("`sources` has more than {MEMBERS_MAX} members")));
    }
    for (name, source) in sources {
        let at = |what: &str| Fault::new(format!("`sources.{name}` {what}"));
        match source["type"].as_str() {
            Some("vector" | "raster" | "raster-dem") => {
                let has_tiles = source["tiles"].as_array().is_some_and(|list| !list.is_empty());
                if !has_tiles && !source["url"].is_string() {
                    return Err(at("needs `url` (TileJSON) or `tiles`"));
                }
            }
            Some("geojson") if source["data"].is_string() || source["data"].is_object() => {}
            Some("geojson") => return Err(at("needs `data`")),
            Some("image" | "video") => {}
            _ => {
                return Err(at(
                    "has no known `type`; use vector, raster, raster-dem, geojson, image or video",
                ));
            }
        }
    }
    Ok(())
}

fn check_layers(document: &Value) -> Result<(), Fault> {
    let layers = document["layers"].as_array().filter(|layers| !layers.is_empty());
    let layers = layers.ok_or_else(|| Fault::new("`layers` must be a list of layers"))?;
    if layers.len() > MEMBERS_MAX {
        return Err(Fault::new(format!("`layers` has more than {MEMBERS_MAX} members")));
    }
    let mut ids = BTreeSet::new();
    for (index, layer) in layers.iter().enumerate() {
        let id = layer["id"].as_str().unwrap_or_default();
        let at = |what: String| Fault::new(format!("`layers[{index}]` ({id}) {what}"));
        if id.is_empty() {
            return Err(at("needs an `id`".to_owned()));
        }
        if !ids.insert(id) {
            return Err(at("has the id of an earlier layer".to_owned()));
        }
        let kind = layer["type"].as_str().unwrap_or_default();
        if !LAYER_TYPES.contains(&kind) {
            return Err(at(format!("has no known `type`; use one of {}", LAYER_TYPES.join(", "))));
        }
        if kind == "background" {
            continue;
        }
        let source = &document["sources"][layer["source"].as_str().unwrap_or_default()];
        if source.is_null() {
            let known: Vec<&str> = document["sources"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect();
            return Err(at(format!("needs a `source`; there are {}", known.join(", "))));
        }
        if source["type"] == "vector" && !layer["source-layer"].is_string() {
            return Err(at("needs a `source-layer`: the name of a layer of the city".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = r#"{
        "version": 8,
        "name": "Fire",
        "metadata": {"citymap:title": {"vi": "Chữa cháy", "en": "Fire"}},
        "sources": {
            "city": {"type": "vector", "url": "/tiles/hydrants.json"},
            "far": {"type": "raster", "tiles": ["https://far.test/{z}/{x}/{y}.png", "/p/{z}/{x}/{y}.png"]},
            "area": {"type": "geojson", "data": "/api/collections/communes/items"}
        },
        "layers": [
            {"id": "ground", "type": "background"},
            {"id": "hydrants", "type": "circle", "source": "city", "source-layer": "hydrants"}
        ]
    }"#;

    fn addresses() -> Addresses<'static> {
        Addresses {
            root: "https://city.test/geo",
            glyphs: "https://city.test/geo/fonts/{fontstack}/{range}.pbf",
            sprite: "https://city.test/geo/sprites/citymap",
            tiles: &|_| String::new(),
            layers_max: 64,
        }
    }

    #[test]
    fn addresses_of_an_own_style_become_absolute() {
        let own = OwnStyle::read("fire", GOOD).unwrap();
        assert_eq!((own.title.vi.as_str(), own.title.en.as_str()), ("Chữa cháy", "Fire"));
        let style = own.document(&addresses());
        assert_eq!(style["sources"]["city"]["url"], "https://city.test/geo/tiles/hydrants.json");
        assert_eq!(style["sources"]["area"]["data"], "https://city.test/geo/api/collections/communes/items");
        let tiles = &style["sources"]["far"]["tiles"];
        assert_eq!(tiles[0], "https://far.test/{z}/{x}/{y}.png");
        assert_eq!(tiles[1], "https://city.test/geo/p/{z}/{x}/{y}.png");
        assert_eq!(style["sprite"], "https://city.test/geo/sprites/citymap");
        assert_eq!(style["glyphs"], addresses().glyphs);
        assert!(own.draws("hydrants") && !own.draws("city"));
    }

    #[test]
    fn sprites_of_several_sheets_become_absolute() {
        let mut document: Value = serde_json::from_str(GOOD).unwrap();
        document["sprite"] = json!([{"id": "a", "url": "/sprites/citymap"}, "odd"]);
        let own = OwnStyle::read("fire", &document.to_string()).unwrap();
        let style = own.document(&addresses());
        assert_eq!(style["sprite"][0]["url"], "https://city.test/geo/sprites/citymap");
    }

    #[test]
    fn a_broken_style_names_its_place() {
        let changed = |path: &str, value: Value| {
            let mut document: Value = serde_json::from_str(GOOD).unwrap();
            *document.pointer_mut(path).unwrap() = value;
            document.to_string()
        };
        for (text, part) in [
            (GOOD[..40].to_owned(), "line 3 column"),
            ("[]".to_owned(), "must be an object"),
            (changed("/version", json!(7)), "`version` must be 8"),
            (changed("/sources", json!([])), "`sources` must be"),
            (changed("/sources/city", json!({"type": "vector"})), "`sources.city` needs `url`"),
            (changed("/sources/city", json!({"type": "wms"})), "`sources.city` has no known `type`"),
            (changed("/sources/area", json!({"type": "geojson"})), "`sources.area` needs `data`"),
            (changed("/layers", json!([])), "`layers` must be a list"),
            (changed("/layers/0/id", json!("")), "`layers[0]`"),
            (changed("/layers/0/id", json!("hydrants")), "`layers[1]` (hydrants) has the id"),
            (changed("/layers/1/type", json!("dot")), "`layers[1]` (hydrants) has no known `type`"),
            (changed("/layers/1/source", json!("town")), "needs a `source`; there are city, far, area"),
            (changed("/layers/1/source-layer", json!(1)), "`layers[1]` (hydrants) needs a `source-layer`"),
        ] {
            let error = OwnStyle::read("fire", &text).unwrap_err().to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
