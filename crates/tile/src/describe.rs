//! TileJSON: what the tiles of layers contain.

use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::{FieldType, GeometryKind};
use serde_json::{Map, Value, json};

use crate::{
    merge::COUNT_KEY,
    mvt::values::{ID_KEY, fields, has_id},
};

/// The deepest zoom in TileJSON. Its grid is 4 cm, finer than boundaries are surveyed, so a map enlarges
/// these tiles instead of requesting deeper ones. Deeper tiles exist nevertheless, down to
/// [`MAX_ZOOM`](crate::MAX_ZOOM).
pub const NATIVE_MAX_ZOOM: u8 = 18;

/// A layer as an entry of TileJSON's `vector_layers`: `id`, `description`, `minzoom`, `maxzoom` and `fields`
/// (name to `String`, `Number` or `Boolean`; only the fields that tiles carry). `citymap` holds the layer's
/// rule: `detail_zoom`, below which polygons are merged (`_count` is the number of features), lines are
/// thinned and points clustered (`point_count`), and `class`, the field by which.
pub fn vector_layer(snapshot: &LayerSnapshot) -> Value {
    let layer = snapshot.layer();
    let mut names: Map<String, Value> = fields(snapshot)
        .map(|(_, field)| {
            let kind = match field.field_type {
                FieldType::Bool => "Boolean",
                FieldType::Int | FieldType::Real => "Number",
                FieldType::Text | FieldType::Date | FieldType::DateTime => "String",
            };
            (field.name.clone(), kind.into())
        })
        .collect();
    if has_id(snapshot) {
        names.insert(ID_KEY.into(), "String".into());
    }
    let rule = layer.tile_rule();
    if rule.detail_zoom > 0 {
        match layer.geometry {
            GeometryKind::Polygon => {
                names.insert(COUNT_KEY.into(), "Number".into());
            }
            GeometryKind::Point => {
                names.insert("cluster".into(), "Boolean".into());
                names.insert("point_count".into(), "Number".into());
            }
            _ => {}
        }
    }
    json!({
        "id": layer.id.as_str(),
        "description": layer.title.get("vi"),
        "minzoom": 0,
        "maxzoom": NATIVE_MAX_ZOOM,
        "fields": names,
        "citymap": { "detail_zoom": rule.detail_zoom, "class": rule.class },
    })
}

/// TileJSON 3.0.0 for tiles with the given layers. `url` is the address of a tile with `{z}`, `{x}` and
/// `{y}`. There is no `center`: the middle of the data need not be a good start.
pub fn tilejson(layers: &[&LayerSnapshot], url: &str) -> Value {
    let names: Vec<&str> = layers.iter().map(|snapshot| snapshot.layer().title.get("vi")).collect();
    let mut credits: Vec<&str> =
        layers.iter().filter_map(|snapshot| snapshot.layer().attribution.as_deref()).collect();
    credits.sort_unstable();
    credits.dedup();
    let mut description = json!({
        "tilejson": "3.0.0",
        "name": names.join(", "),
        "scheme": "xyz",
        "tiles": [url],
        "minzoom": 0,
        "maxzoom": NATIVE_MAX_ZOOM,
        "vector_layers": layers.iter().map(|snapshot| vector_layer(snapshot)).collect::<Vec<_>>(),
    });
    if !credits.is_empty() {
        description["attribution"] = credits.join(" | ").into();
    }
    if let Some(extent) = layers.iter().filter_map(|snapshot| snapshot.extent()).reduce(Bbox::union) {
        description["bounds"] = json!([extent.min[0], extent.min[1], extent.max[0], extent.max[1]]);
    }
    description
}
