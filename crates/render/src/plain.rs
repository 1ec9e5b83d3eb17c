//! A style for one layer of which nothing more is known than its definition.
//!
//! Areas are filled with the official colours of their codes, or with one colour; lines and points have one
//! colour; all are labelled by the layer's label field. Colours are those of `tiles/styles/look.json`.

use std::sync::LazyLock;

use citymap_access::{Audience, visible};
use citymap_model::{GeometryKind, Layer};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Look {
    light: Palette,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Palette {
    ground: String,
    label: String,
    halo: String,
    no_code: String,
    parcel_line: String,
    others: Vec<String>,
    /// How strong official colours are over the ground, 0–1.
    code_strength: f64,
}

/// The colours of the light map. A test reads them; with them the program is complete.
static PALETTE: LazyLock<Palette> = LazyLock::new(|| {
    let look = serde_json::from_str(include_str!("../../../tiles/styles/look.json"));
    look.map(|look: Look| look.light).unwrap_or_default()
});

/// A style (MapLibre style specification, version 8) that draws one layer.
pub fn plain_style(layer: &Layer) -> Value {
    let palette = &*PALETTE;
    let id = layer.id.as_str();
    let color = palette.others.first().unwrap_or(&palette.label);
    let base = |part: &str, kind: &str| json!({"id": format!("{id}/{part}"), "type": kind, "source": id});
    let mut layers =
        vec![json!({"id": "ground", "type": "background", "paint": {"background-color": palette.ground}})];
    let mut push = |mut layer: Value, more: &[(&str, Value)]| {
        for (name, value) in more {
            layer[name] = value.clone();
        }
        layers.push(layer);
    };
    let is = |kind: &str| json!(["==", ["geometry-type"], kind]);
    let kind = layer.geometry;
    if matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed) {
        let coded = code_color(layer);
        let opacity = if coded.is_some() { palette.code_strength } else { 0.22 };
        let fill = json!({
            "fill-color": coded.unwrap_or_else(|| json!(color)),
            "fill-opacity": opacity,
            "fill-antialias": false,
        });
        push(base("fill", "fill"), &[("paint", fill), ("filter", is("Polygon"))]);
        // Merged areas of far views have no borders of their own.
        let edge = json!({
            "line-color": palette.parcel_line,
            "line-width": ["interpolate", ["linear"], ["zoom"], 14, 0.4, 18, 0.9, 21, 1.6],
        });
        let detail = json!(layer.tile_rule().detail_zoom);
        push(base("edge", "line"), &[("paint", edge), ("filter", is("Polygon")), ("minzoom", detail)]);
    }
    if matches!(kind, GeometryKind::Line | GeometryKind::Mixed) {
        let line = json!({
            "line-color": color,
            "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.6, 14, 1.5, 19, 4],
        });
        let round = json!({"line-cap": "round", "line-join": "round"});
        push(base("line", "line"), &[("paint", line), ("layout", round), ("filter", is("LineString"))]);
    }
    if matches!(kind, GeometryKind::Point | GeometryKind::Mixed) {
        let disc = json!({
            "circle-color": color,
            // A cluster is larger than a point.
            "circle-radius": ["case", ["has", "point_count"], 8,
                ["interpolate", ["linear"], ["zoom"], 10, 2, 15, 3.5, 19, 6]],
            "circle-stroke-color": palette.halo,
            "circle-stroke-width": 1,
        });
        push(base("disc", "circle"), &[("paint", disc), ("filter", is("Point"))]);
    }
    let label = visible(layer, &Audience::Public).named(layer.label.as_deref());
    if let Some(label) = label.filter(|_| kind != GeometryKind::None) {
        let mut layout = json!({
            "text-field": ["to-string", ["get", label]],
            "text-font": ["BeVietnamPro-Regular"],
            "text-size": 11,
            "text-max-width": 8,
        });
        match kind {
            GeometryKind::Line => layout["symbol-placement"] = json!("line"),
            GeometryKind::Point => {
                layout["text-anchor"] = json!("top");
                layout["text-offset"] = json!([0, 0.6]);
            }
            _ => {}
        }
        let from = json!(label_zoom(layer));
        let paint = json!({
            "text-color": palette.label, "text-halo-color": palette.halo, "text-halo-width": 1.2,
        });
        push(base("label", "symbol"), &[("layout", layout), ("paint", paint), ("minzoom", from)]);
    }
    json!({"version": 8, "name": layer.title.get("en"), "sources": {}, "layers": layers})
}

/// The zoom from which features are labelled: where each is drawn by itself, and large enough.
fn label_zoom(layer: &Layer) -> u8 {
    let detail = layer.tile_rule().detail_zoom;
    if layer.geometry == GeometryKind::Polygon && detail > 0 { detail + 2 } else { detail }
}

/// The official colour by code, of the first public field with at least two coloured codes.
fn code_color(layer: &Layer) -> Option<Value> {
    visible(layer, &Audience::Public).iter().find_map(|(_, field)| {
        let codes = field.codes();
        let mut cases = Vec::new();
        for (index, code) in codes.iter().enumerate() {
            let first = codes[..index].iter().all(|other| other.code != code.code);
            if let (Some(color), true) = (&code.color, first) {
                cases.extend([json!(code.code), json!(color)]);
            }
        }
        if cases.len() < 4 {
            return None;
        }
        let mut expression = vec![json!("match"), json!(["to-string", ["get", field.name]])];
        expression.extend(cases);
        expression.push(json!(PALETTE.no_code));
        Some(Value::Array(expression))
    })
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, Role, Title};

    use super::*;
    use crate::spec::Style;

    fn layer(kind: GeometryKind) -> Layer {
        let mut layer = Layer::new("lots".parse().unwrap(), Title::same("Lots"), Role::Other, kind);
        layer.fields =
            vec![Field::new("use", FieldType::Text).coded("land_use"), Field::new("name", FieldType::Text)];
        layer.label = Some("name".into());
        layer
    }

    #[test]
    fn every_kind_of_layer_has_a_style_that_can_be_drawn() {
        assert!(PALETTE.ground.starts_with('#') && !PALETTE.others.is_empty());
        for (kind, count) in [
            (GeometryKind::Polygon, 4),
            (GeometryKind::Line, 3),
            (GeometryKind::Point, 3),
            (GeometryKind::Mixed, 6),
            (GeometryKind::None, 1),
        ] {
            let style = Style::parse(&plain_style(&layer(kind))).unwrap();
            assert_eq!(style.layers.len(), count, "{kind:?}");
        }
    }

    #[test]
    fn official_colors_are_used_and_personal_fields_are_not() {
        let mut layer = layer(GeometryKind::Polygon);
        let style = plain_style(&layer);
        assert_eq!(style["layers"][1]["paint"]["fill-color"][1], json!(["to-string", ["get", "use"]]));
        layer.fields.iter_mut().for_each(|field| field.personal = true);
        let style = plain_style(&layer);
        assert!(style["layers"][1]["paint"]["fill-color"].is_string());
        assert_eq!(style["layers"].as_array().unwrap().len(), 3, "no label");
    }
}
