//! The layers of a style and their properties.

use serde_json::{Map, Value as Json, json};

use super::{
    Alignment, Anchor, Color, FromValue, ImageName, Justify, LabelText, LineCap, LineJoin, Placement,
    Property, StyleError, Transform, Visibility,
};
use crate::expression::{Expression, Scope, Value};

/// A layer of a style.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The id, unique in the style.
    pub id: String,
    /// Whose features are drawn; `None` for a background.
    pub source: Option<LayerSource>,
    /// Drawn from this zoom on.
    pub min_zoom: f64,
    /// Drawn below this zoom.
    pub max_zoom: f64,
    /// Which features are drawn; all if it is missing.
    pub filter: Option<Expression>,
    /// Whether it is drawn at all.
    pub visible: bool,
    /// How it is drawn.
    pub kind: LayerKind,
}

/// Where the features of a layer come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerSource {
    /// The layer of the city with this id.
    City(String),
    /// The features of the GeoJSON source with this name, which the style carries itself.
    Inline(String),
}

/// How a layer is drawn.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// One colour or pattern everywhere.
    Background(Background),
    /// Areas, filled with a colour or a pattern.
    Fill(Fill),
    /// Lines, also the edges of areas.
    Line(Box<Line>),
    /// Discs at points, with a stroke around them.
    Circle(Circle),
    /// Icons and texts, where they have room.
    Symbol(Box<Symbol>),
}

/// The ground under the whole map.
#[derive(Clone, Debug)]
pub struct Background {
    /// The colour of what is painted.
    pub color: Property<Color>,
    /// The pattern instead of the colour.
    pub pattern: Property<Option<ImageName>>,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
}

/// Areas, filled with a colour or a pattern.
#[derive(Clone, Debug)]
pub struct Fill {
    /// Whether edges are smooth.
    pub antialias: Property<bool>,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
    /// The colour of what is painted.
    pub color: Property<Color>,
    /// The colour of a line of one pixel around it.
    pub outline: Property<Option<Color>>,
    /// The pattern instead of the colour.
    pub pattern: Property<Option<ImageName>>,
    /// Features with higher keys are drawn above others.
    pub sort_key: Option<Property<f32>>,
}

/// Lines. Lengths in pixels.
#[derive(Clone, Debug)]
pub struct Line {
    /// The ends of lines.
    pub cap: Property<LineCap>,
    /// The corners of lines.
    pub join: Property<LineJoin>,
    /// How many widths a sharp corner may reach.
    pub miter_limit: Property<f32>,
    /// Features with higher keys are drawn above others.
    pub sort_key: Option<Property<f32>>,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
    /// The colour of what is painted.
    pub color: Property<Color>,
    /// The width of the line.
    pub width: Property<f32>,
    /// If above 0, two lines are drawn with this distance between them.
    pub gap_width: Property<f32>,
    /// The distance to the right of the line, negative to the left.
    pub offset: Property<f32>,
    /// Lengths of dashes and gaps, in widths of the line.
    pub dashes: Property<Vec<f32>>,
}

/// Discs at points. Lengths in pixels.
#[derive(Clone, Debug)]
pub struct Circle {
    /// The radius without the stroke.
    pub radius: Property<f32>,
    /// The colour of what is painted.
    pub color: Property<Color>,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
    /// The colour of the stroke.
    pub stroke_color: Property<Color>,
    /// The opacity of the stroke, 0–1.
    pub stroke_opacity: Property<f32>,
    /// The width of the stroke.
    pub stroke_width: Property<f32>,
    /// Features with higher keys are drawn above others.
    pub sort_key: Option<Property<f32>>,
}

/// Icons and texts, where they have room.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// Where symbols are placed.
    pub placement: Property<Placement>,
    /// The distance in pixels between symbols along a line.
    pub spacing: Property<f32>,
    /// Features with lower keys are placed first.
    pub sort_key: Option<Property<f32>>,
    /// The icon of the symbol.
    pub icon: Icon,
    /// The text of the symbol.
    pub text: Text,
}

/// The icon of a symbol.
#[derive(Clone, Debug)]
pub struct Icon {
    /// The image; no icon if it is missing.
    pub image: Property<Option<ImageName>>,
    /// The factor of the image's size.
    pub size: Property<f32>,
    /// Rotation in degrees, clockwise.
    pub rotate: Property<f32>,
    /// What the rotation is relative to.
    pub alignment: Property<Alignment>,
    /// Which part is at the point.
    pub anchor: Property<Anchor>,
    /// Offset in pixels of the image, right and down.
    pub offset: Property<[f32; 2]>,
    /// Space around it in pixels.
    pub padding: Property<f32>,
    /// Whether it may lie over others.
    pub allow_overlap: Property<bool>,
    /// Whether others may lie over it.
    pub ignore_placement: Property<bool>,
    /// Whether the text may be drawn without it.
    pub optional: Property<bool>,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
}

/// The text of a symbol.
#[derive(Clone, Debug)]
pub struct Text {
    /// What the label says.
    pub field: Property<LabelText>,
    /// How it is set.
    pub layout: TextLayout,
    /// Where the text is placed.
    pub place: TextPlace,
    /// The opacity, from 0 to 1.
    pub opacity: Property<f32>,
    /// The colour of what is painted.
    pub color: Property<Color>,
    /// The colour around the letters.
    pub halo_color: Property<Color>,
    /// How far the halo reaches, in pixels.
    pub halo_width: Property<f32>,
}

/// How the lines of a text are set. Lengths in ems where nothing else is said.
#[derive(Clone, Debug)]
pub struct TextLayout {
    /// The names of fonts; the first known one is used.
    pub font: Property<Vec<String>>,
    /// The size in pixels.
    pub size: Property<f32>,
    /// The width after which lines break.
    pub max_width: Property<f32>,
    /// The distance between lines.
    pub line_height: Property<f32>,
    /// Space between letters, in addition to their advances.
    pub letter_spacing: Property<f32>,
    /// How lines are aligned.
    pub justify: Property<Justify>,
    /// Whether letters are changed.
    pub transform: Property<Transform>,
}

/// Where a text is.
#[derive(Clone, Debug)]
pub struct TextPlace {
    /// Which part is at the point.
    pub anchor: Property<Anchor>,
    /// Anchors to try in turn; empty for the fixed one.
    pub variable_anchor: Property<Vec<Anchor>>,
    /// Distance from the point in the direction of the anchor, in ems.
    pub radial_offset: Property<f32>,
    /// Offset in ems, right and down.
    pub offset: Property<[f32; 2]>,
    /// Rotation in degrees, clockwise.
    pub rotate: Property<f32>,
    /// Maximum angle in degrees between letters along a line.
    pub max_angle: Property<f32>,
    /// Whether a text along a line is turned so that it is not upside down.
    pub keep_upright: Property<bool>,
    /// Space around it in pixels.
    pub padding: Property<f32>,
    /// Whether it may lie over others.
    pub allow_overlap: Property<bool>,
    /// Whether others may lie over it.
    pub ignore_placement: Property<bool>,
    /// Whether the icon may be drawn without it.
    pub optional: Property<bool>,
}

/// Members of a layer that are read or have no effect.
const MEMBERS: &[&str] =
    &["id", "type", "source", "source-layer", "minzoom", "maxzoom", "filter", "layout", "paint", "metadata"];

/// Properties that have no effect on a flat picture that does not move.
const WITHOUT_EFFECT: &[&str] = &[
    "circle-pitch-alignment",
    "circle-pitch-scale",
    "icon-pitch-alignment",
    "line-round-limit",
    "text-pitch-alignment",
    "text-rotation-alignment",
];

impl Layer {
    /// Whether the layer is drawn at a zoom.
    pub fn is_drawn(&self, zoom: f64) -> bool {
        self.visible && zoom >= self.min_zoom && zoom < self.max_zoom
    }

    /// Whether the filter lets a feature through. A filter that has no value does not.
    pub fn admits(&self, scope: &Scope<'_>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.evaluate(scope) == Ok(Value::Bool(true)))
    }

    /// Reads the layer at a position of the list. `is_inline` says whether the style carries the features
    /// of a source itself.
    pub(super) fn parse(
        json: &Json,
        position: usize,
        is_inline: impl Fn(&str) -> bool,
    ) -> Result<Self, StyleError> {
        let id = json["id"].as_str().map_or_else(|| format!("number {position}"), short);
        let refuse = |reason: String| StyleError::Layer { layer: id.clone(), reason };
        let Some(members) = json.as_object() else {
            return Err(refuse("it is not an object".to_owned()));
        };
        if json["id"].as_str().is_none_or(str::is_empty) {
            return Err(refuse("it has no `id`".to_owned()));
        }
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let reason = format!("member `{}` is not supported; remove it", short(unknown));
            return Err(refuse(reason));
        }
        let zoom = |name: &str, default: f64| match &json[name] {
            Json::Null => Ok(default),
            value => value
                .as_f64()
                .filter(|zoom| (0.0..=24.0).contains(zoom))
                .ok_or_else(|| refuse(format!("`{name}` is not a zoom from 0 to 24"))),
        };
        let empty = Map::new();
        let group = |name: &str| match &json[name] {
            Json::Null => Ok(&empty),
            Json::Object(properties) => Ok(properties),
            _ => Err(refuse(format!("`{name}` is not an object"))),
        };
        let mut reader =
            Reader { layer: &id, groups: [group("layout")?, group("paint")?], taken: Vec::new() };
        let visible = reader.property("visibility", Visibility::Visible)?;
        let kind = match json["type"].as_str() {
            Some("background") => LayerKind::Background(reader.background()?),
            Some("fill") => LayerKind::Fill(reader.fill()?),
            Some("line") => LayerKind::Line(Box::new(reader.line()?)),
            Some("circle") => LayerKind::Circle(reader.circle()?),
            Some("symbol") => LayerKind::Symbol(Box::new(reader.symbol()?)),
            other => {
                let other = short(other.unwrap_or("nothing"));
                return Err(refuse(format!(
                    "type `{other}` is not supported; background, fill, line, circle and symbol are"
                )));
            }
        };
        reader.finish()?;
        let source = match (&kind, json["source-layer"].as_str(), json["source"].as_str()) {
            (LayerKind::Background(_), ..) => None,
            (_, Some(layer), _) => Some(LayerSource::City(layer.to_owned())),
            (_, None, Some(source)) if is_inline(source) => Some(LayerSource::Inline(source.to_owned())),
            (_, None, Some(source)) => Some(LayerSource::City(source.to_owned())),
            (_, None, None) => {
                return Err(refuse("it has neither `source-layer` nor `source`".to_owned()));
            }
        };
        let filter = match &json["filter"] {
            Json::Null => None,
            filter => Some(Expression::parse(filter).map_err(|source| StyleError::Property {
                layer: id.clone(),
                property: "filter".to_owned(),
                source,
            })?),
        };
        let (min_zoom, max_zoom) = (zoom("minzoom", 0.0)?, zoom("maxzoom", f64::INFINITY)?);
        let scope = Scope { zoom: min_zoom, feature: None };
        let visible = visible.get(&scope) == Visibility::Visible;
        Ok(Self { id: id.clone(), source, min_zoom, max_zoom, filter, visible, kind })
    }
}

/// A name as messages show it.
fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Reads the properties of a layer, and knows which ones were read.
struct Reader<'a> {
    layer: &'a str,
    groups: [&'a Map<String, Json>; 2],
    taken: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    fn find(&mut self, name: &'static str) -> Option<&'a Json> {
        self.taken.push(name);
        let groups = self.groups;
        groups.into_iter().find_map(|group| group.get(name))
    }

    fn property<T: FromValue>(&mut self, name: &'static str, default: T) -> Result<Property<T>, StyleError> {
        let layer = self.layer;
        match self.find(name) {
            None => Ok(Property::constant(default)),
            Some(json) => Property::parse(json, default).map_err(|source| StyleError::Property {
                layer: layer.to_owned(),
                property: name.to_owned(),
                source,
            }),
        }
    }

    /// A text in which `{name}` stands for the property `name`.
    fn template<T: FromValue>(&mut self, name: &'static str, default: T) -> Result<Property<T>, StyleError> {
        let layer = self.layer;
        let Some(Json::String(text)) = self.find(name).cloned() else { return self.property(name, default) };
        let json = with_tokens(&text);
        Property::parse(&json, default).map_err(|source| StyleError::Property {
            layer: layer.to_owned(),
            property: name.to_owned(),
            source,
        })
    }

    fn sort_key(&mut self, name: &'static str) -> Result<Option<Property<f32>>, StyleError> {
        let given = self.groups[0].contains_key(name);
        let key = self.property(name, 0.0)?;
        Ok(given.then_some(key))
    }

    fn background(&mut self) -> Result<Background, StyleError> {
        Ok(Background {
            color: self.property("background-color", Color::BLACK)?,
            pattern: self.property("background-pattern", None)?,
            opacity: self.property("background-opacity", 1.0)?,
        })
    }

    fn fill(&mut self) -> Result<Fill, StyleError> {
        Ok(Fill {
            antialias: self.property("fill-antialias", true)?,
            opacity: self.property("fill-opacity", 1.0)?,
            color: self.property("fill-color", Color::BLACK)?,
            outline: self.property("fill-outline-color", None)?,
            pattern: self.property("fill-pattern", None)?,
            sort_key: self.sort_key("fill-sort-key")?,
        })
    }

    fn line(&mut self) -> Result<Line, StyleError> {
        Ok(Line {
            cap: self.property("line-cap", LineCap::Butt)?,
            join: self.property("line-join", LineJoin::Miter)?,
            miter_limit: self.property("line-miter-limit", 2.0)?,
            sort_key: self.sort_key("line-sort-key")?,
            opacity: self.property("line-opacity", 1.0)?,
            color: self.property("line-color", Color::BLACK)?,
            width: self.property("line-width", 1.0)?,
            gap_width: self.property("line-gap-width", 0.0)?,
            offset: self.property("line-offset", 0.0)?,
            dashes: self.property("line-dasharray", Vec::new())?,
        })
    }

    fn circle(&mut self) -> Result<Circle, StyleError> {
        Ok(Circle {
            radius: self.property("circle-radius", 5.0)?,
            color: self.property("circle-color", Color::BLACK)?,
            opacity: self.property("circle-opacity", 1.0)?,
            stroke_color: self.property("circle-stroke-color", Color::BLACK)?,
            stroke_opacity: self.property("circle-stroke-opacity", 1.0)?,
            stroke_width: self.property("circle-stroke-width", 0.0)?,
            sort_key: self.sort_key("circle-sort-key")?,
        })
    }

    fn symbol(&mut self) -> Result<Symbol, StyleError> {
        Ok(Symbol {
            placement: self.property("symbol-placement", Placement::Point)?,
            spacing: self.property("symbol-spacing", 250.0)?,
            sort_key: self.sort_key("symbol-sort-key")?,
            icon: self.icon()?,
            text: self.text()?,
        })
    }

    fn icon(&mut self) -> Result<Icon, StyleError> {
        Ok(Icon {
            image: self.template("icon-image", None)?,
            size: self.property("icon-size", 1.0)?,
            rotate: self.property("icon-rotate", 0.0)?,
            alignment: self.property("icon-rotation-alignment", Alignment::Auto)?,
            anchor: self.property("icon-anchor", Anchor::Center)?,
            offset: self.property("icon-offset", [0.0, 0.0])?,
            padding: self.property("icon-padding", 2.0)?,
            allow_overlap: self.property("icon-allow-overlap", false)?,
            ignore_placement: self.property("icon-ignore-placement", false)?,
            optional: self.property("icon-optional", false)?,
            opacity: self.property("icon-opacity", 1.0)?,
        })
    }

    fn text(&mut self) -> Result<Text, StyleError> {
        Ok(Text {
            field: self.template("text-field", LabelText::default())?,
            layout: TextLayout {
                font: self.property("text-font", Vec::new())?,
                size: self.property("text-size", 16.0)?,
                max_width: self.property("text-max-width", 10.0)?,
                line_height: self.property("text-line-height", 1.2)?,
                letter_spacing: self.property("text-letter-spacing", 0.0)?,
                justify: self.property("text-justify", Justify::Center)?,
                transform: self.property("text-transform", Transform::None)?,
            },
            place: TextPlace {
                anchor: self.property("text-anchor", Anchor::Center)?,
                variable_anchor: self.property("text-variable-anchor", Vec::new())?,
                radial_offset: self.property("text-radial-offset", 0.0)?,
                offset: self.property("text-offset", [0.0, 0.0])?,
                rotate: self.property("text-rotate", 0.0)?,
                max_angle: self.property("text-max-angle", 45.0)?,
                keep_upright: self.property("text-keep-upright", true)?,
                padding: self.property("text-padding", 2.0)?,
                allow_overlap: self.property("text-allow-overlap", false)?,
                ignore_placement: self.property("text-ignore-placement", false)?,
                optional: self.property("text-optional", false)?,
            },
            opacity: self.property("text-opacity", 1.0)?,
            color: self.property("text-color", Color::BLACK)?,
            halo_color: self.property("text-halo-color", Color::TRANSPARENT)?,
            halo_width: self.property("text-halo-width", 0.0)?,
        })
    }

    /// Refuses a property that was not read.
    fn finish(self) -> Result<(), StyleError> {
        let read = |name: &str| {
            self.taken.contains(&name) || WITHOUT_EFFECT.contains(&name) || name.ends_with("-transition")
        };
        match self.groups.iter().flat_map(|group| group.keys()).find(|name| !read(name)) {
            None => Ok(()),
            Some(unknown) => {
                let near = citymap_model::nearest(unknown, &self.taken, 1).join("");
                let reason = format!(
                    "property `{}` is not supported in a layer of this type; the nearest is `{near}`",
                    short(unknown)
                );
                Err(StyleError::Layer { layer: self.layer.to_owned(), reason })
            }
        }
    }
}

/// The expression of a text with `{name}` in it.
fn with_tokens(text: &str) -> Json {
    let mut parts = vec![json!("concat")];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        parts.push(json!(before));
        parts.push(json!(["get", name]));
        rest = after;
    }
    if parts.len() == 1 {
        return json!(text);
    }
    parts.push(json!(rest));
    Json::Array(parts)
}

#[cfg(test)]
mod tests {
    use crate::spec::Style;
    use serde_json::json;

    fn refusal(layer: serde_json::Value) -> String {
        Style::parse(&json!({"version": 8, "layers": [layer]})).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_layer_property_and_expression() {
        let error = refusal(json!({
            "id": "roads/casing", "type": "line", "source": "roads",
            "paint": {"line-width": ["interpolate", ["linear"], ["zoom"], 8, ["feature-state", "wide"]]},
        }));
        for part in ["`roads/casing`", "`line-width`", "[\"feature-state\",\"wide\"]", "not supported"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_not_drawn_is_refused() {
        for (layer, part) in [
            (json!({"id": "a", "type": "heatmap", "source": "a"}), "`heatmap`"),
            (json!({"id": "a", "type": "fill"}), "neither `source-layer` nor `source`"),
            (json!({"type": "fill", "source": "a"}), "no `id`"),
            (json!({"id": "a", "type": "fill", "source": "a", "slot": "b"}), "member `slot`"),
            (json!({"id": "a", "type": "fill", "source": "a", "minzoom": 30}), "`minzoom`"),
            (
                json!({"id": "a", "type": "fill", "source": "a", "paint": {"fill-colour": "#fff"}}),
                "the nearest is `fill-color`",
            ),
            (
                json!({"id": "a", "type": "fill", "source": "a", "paint": {"fill-color": "#ggg"}}),
                "a color such as",
            ),
            (json!({"id": "a", "type": "line", "source": "a", "paint": {"line-width": "2"}}), "a number"),
            (
                json!({"id": "a", "type": "line", "source": "a", "layout": {"line-cap": "flat"}}),
                "butt, round or square",
            ),
            (json!({"id": "a", "type": "fill", "source": "a", "filter": ["==", "kind", "x"]}), "`filter`"),
            (json!(7), "not an object"),
        ] {
            let error = refusal(layer);
            assert!(error.contains(part), "{error}");
        }
        let many: Vec<_> = (0..1_001).map(|_| json!({})).collect();
        let error = Style::parse(&json!({"version": 8, "layers": many})).unwrap_err();
        assert!(error.to_string().contains("1001 layers"));
        assert!(Style::parse(&json!({"layers": []})).unwrap_err().to_string().contains("version"));
    }

    #[test]
    fn tokens_stand_for_properties() {
        assert_eq!(
            super::with_tokens("{so}/{to} m"),
            json!(["concat", "", ["get", "so"], "/", ["get", "to"], " m"])
        );
        assert_eq!(super::with_tokens("plain {"), json!("plain {"));
    }
}
