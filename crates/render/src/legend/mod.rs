//! Legends: what a style draws at a zoom, as labelled entries in the colours that are seen.
//!
//! A legend is read from the style itself, as the renderer reads it: each code of a layer is a feature with
//! that code and nothing else, and what the style's layers would draw of it becomes the parts of an entry. So
//! a legend cannot tell of colours that the map does not have, and styles of an operator have one too.

mod draw;
mod occurring;
mod picture;
mod samples;

use citymap_model::{Layer, Title};
use serde::Serialize;
use serde_json::Value;

use self::samples::{Sample, samples};
use crate::{
    expression::{GeometryType, Scope},
    spec::{self, LayerKind, Style, StyleError},
    styles::LEGEND,
};

pub(crate) use draw::draw_sample;
pub use occurring::{Occurring, ShownArea, occurring, occurring_in};
pub use picture::{LegendLook, LegendPicture};
pub use samples::legend_field;

/// A layer of the city, and which of its features are on the picture.
#[derive(Clone, Debug)]
pub struct LegendLayer<'a> {
    /// Its definition in the catalogue.
    pub layer: &'a Layer,
    /// What occurs on the picture; `None` for everything that may occur.
    pub occurring: Option<Occurring>,
}

/// What a style draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Legend {
    /// The zoom that it is for (512-pixel tiles).
    pub zoom: f64,
    /// The layers that are drawn, in catalogue order.
    pub groups: Vec<LegendGroup>,
}

/// The entries of one layer of the city.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LegendGroup {
    /// The id of the layer.
    pub collection: String,
    /// Its title in the language of the legend.
    pub title: String,
    /// What is drawn of it, in the order of its code list.
    pub entries: Vec<LegendEntry>,
}

/// One row of a legend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LegendEntry {
    /// What it is, in the language of the legend.
    pub label: String,
    /// The code that has this look, if it is one code's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it is drawn on.
    pub geometry: LegendGeometry,
    /// What is drawn, from bottom to top.
    pub parts: Vec<LegendPart>,
}

/// The kind of geometry of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LegendGeometry {
    /// One or more points.
    Point,
    /// One or more lines.
    Line,
    /// One or more areas.
    Polygon,
}

/// What one style layer draws. Lengths are in pixels, opacities from 0 to 1, colours `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum LegendPart {
    /// An area in one colour.
    Fill {
        /// The colour of the area.
        color: String,
        /// The opacity of the area.
        opacity: f32,
    },
    /// An area with an image of the sprite as its pattern.
    Pattern {
        /// The name of the image.
        image: String,
        /// The opacity of the pattern.
        opacity: f32,
    },
    /// A line, or the edge of an area.
    Line {
        /// The colour of the line.
        color: String,
        /// The opacity of the line.
        opacity: f32,
        /// The width of the line.
        width: f32,
        /// Lengths of dashes and gaps in widths of the line; empty for a whole line.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        dashes: Vec<f32>,
        /// How far it lies inside the edge of an area, or to the right of a line.
        offset: f32,
    },
    /// A disc at a point.
    Circle {
        /// The colour of the disc.
        color: String,
        /// The opacity of the disc.
        opacity: f32,
        /// The radius without the stroke.
        radius: f32,
        /// The colour of the stroke.
        stroke_color: String,
        /// The width of the stroke; 0 for none.
        stroke_width: f32,
    },
    /// An image of the sprite at a point.
    Icon {
        /// The name of the image.
        image: String,
        /// The factor of its size.
        size: f32,
    },
}

impl Legend {
    /// The legend of a style document at a zoom, in a language (`"vi"` or `"en"`), for these layers of the
    /// city.
    ///
    /// # Errors
    /// [`StyleError`] if the style is not in the subset that the program can draw itself.
    pub fn of(
        document: &Value,
        layers: &[LegendLayer<'_>],
        zoom: f64,
        lang: &str,
    ) -> Result<Self, StyleError> {
        Ok(Self::of_parsed((document, &Style::parse(document)?), layers, zoom, lang))
    }

    /// As [`Legend::of`], for a document that has been parsed.
    pub(crate) fn of_parsed(
        (document, style): (&Value, &Style),
        layers: &[LegendLayer<'_>],
        zoom: f64,
        lang: &str,
    ) -> Self {
        let titles = entitled(document);
        let reader = Reader { style, titles: &titles, zoom, lang };
        let groups = layers.iter().filter_map(|own| reader.group(own)).collect();
        Self { zoom, groups }
    }
}

/// The titles that style layers have for the legend, by their position.
fn entitled(document: &Value) -> Vec<Option<Title>> {
    let title = |layer: &Value| serde_json::from_value(layer["metadata"][LEGEND].clone()).ok();
    document["layers"].as_array().into_iter().flatten().map(title).collect()
}

/// Reads entries from a style.
struct Reader<'a> {
    style: &'a Style,
    titles: &'a [Option<Title>],
    zoom: f64,
    lang: &'a str,
}

impl Reader<'_> {
    fn group(&self, own: &LegendLayer<'_>) -> Option<LegendGroup> {
        if own.occurring.as_ref().is_some_and(Occurring::is_empty) {
            return None;
        }
        let layer = own.layer;
        let title = if layer.title.is_empty() { layer.id.as_str() } else { layer.title.get(self.lang) };
        let mut entries = Vec::new();
        for geometry in samples::geometries(layer.geometry) {
            entries.extend(self.features(own, geometry, title));
            entries.extend(self.additions(own, geometry));
        }
        let collection = layer.id.to_string();
        (!entries.is_empty()).then(|| LegendGroup { collection, title: title.to_owned(), entries })
    }

    /// One entry for each code, or a single one if all look alike.
    fn features(&self, own: &LegendLayer<'_>, geometry: GeometryType, title: &str) -> Vec<LegendEntry> {
        let occurs = |sample: &Sample<'_>| {
            let Some(occurring) = &own.occurring else { return true };
            match sample.code {
                Some(code) => occurring.codes.contains(&code.code),
                None => occurring.uncoded,
            }
        };
        let all = samples(own.layer, geometry);
        let drawn: Vec<(&Sample<'_>, Vec<LegendPart>)> =
            all.iter().map(|sample| (sample, self.parts(own.layer, sample, None))).collect();
        let alike = drawn.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let entry = |label: &str, code: Option<&str>, parts: Vec<LegendPart>| LegendEntry {
            label: label.to_owned(),
            code: code.map(str::to_owned),
            geometry: geometry.into(),
            parts,
        };
        if alike {
            let parts = drawn.into_iter().next().map(|(_, parts)| parts).unwrap_or_default();
            return if parts.is_empty() { Vec::new() } else { vec![entry(title, None, parts)] };
        }
        let unknown = if self.lang == "en" { "Other or not known" } else { "Khác hoặc chưa rõ" };
        drawn
            .into_iter()
            .filter(|(sample, parts)| !parts.is_empty() && occurs(sample))
            .map(|(sample, parts)| match sample.code {
                Some(code) => {
                    let label = if code.title.is_empty() { &code.code } else { code.title.get(self.lang) };
                    entry(label, Some(&code.code), parts)
                }
                None => entry(unknown, None, parts),
            })
            .collect()
    }

    /// The entries of style layers that have titles of their own: rights-of-way, clusters.
    fn additions(&self, own: &LegendLayer<'_>, geometry: GeometryType) -> Vec<LegendEntry> {
        let mut titles: Vec<&Title> = Vec::new();
        for title in self.titles.iter().flatten() {
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        let samples = [Sample::typical(own.layer, geometry), Sample::cluster(geometry)];
        let mut entries = Vec::new();
        for title in titles {
            let parts = samples.iter().map(|sample| self.parts(own.layer, sample, Some(title)));
            if let Some(parts) = parts.into_iter().find(|parts| !parts.is_empty()) {
                let label = title.get(self.lang).to_owned();
                entries.push(LegendEntry { label, code: None, geometry: geometry.into(), parts });
            }
        }
        entries
    }

    /// What the style layers with this title draw of a sample.
    fn parts(&self, layer: &Layer, sample: &Sample<'_>, title: Option<&Title>) -> Vec<LegendPart> {
        let scope = Scope { zoom: self.zoom, feature: Some(sample) };
        let source = spec::LayerSource::City(layer.id.to_string());
        let layers = self.style.layers.iter().zip(self.titles);
        layers
            .filter(|(own, entitled)| {
                own.source.as_ref() == Some(&source) && entitled.as_ref() == title && own.is_drawn(self.zoom)
            })
            .filter(|(own, _)| own.admits(&scope))
            .filter_map(|(own, _)| part(&own.kind, &scope))
            .collect()
    }
}

/// What a style layer draws of a feature; `None` for a background, for labels, and for what is not seen.
fn part(kind: &LayerKind, scope: &Scope<'_>) -> Option<LegendPart> {
    let is_area = scope.feature.is_some_and(|own| own.geometry_type() == GeometryType::Polygon);
    let is_point = scope.feature.is_some_and(|own| own.geometry_type() == GeometryType::Point);
    let seen = match kind {
        LayerKind::Fill(fill) if is_area => match fill.pattern.get(scope) {
            Some(image) => LegendPart::Pattern { image: image.0, opacity: round(fill.opacity.get(scope)) },
            None => {
                let (color, opacity) = seen(fill.color.get(scope), fill.opacity.get(scope));
                LegendPart::Fill { color, opacity }
            }
        },
        LayerKind::Line(line) if !is_point => {
            let (color, opacity) = seen(line.color.get(scope), line.opacity.get(scope));
            LegendPart::Line {
                color,
                opacity,
                width: round(line.width.get(scope)),
                dashes: line.dashes.get(scope),
                offset: round(line.offset.get(scope)),
            }
        }
        LayerKind::Circle(circle) if is_point => {
            let (color, opacity) = seen(circle.color.get(scope), circle.opacity.get(scope));
            let stroke_width = round(circle.stroke_width.get(scope));
            let (stroke_color, _) = seen(circle.stroke_color.get(scope), circle.stroke_opacity.get(scope));
            LegendPart::Circle {
                color,
                opacity,
                radius: round(circle.radius.get(scope)),
                stroke_color,
                stroke_width,
            }
        }
        LayerKind::Symbol(symbol) => {
            let image = symbol.icon.image.get(scope)?;
            LegendPart::Icon { image: image.0, size: round(symbol.icon.size.get(scope)) }
        }
        _ => return None,
    };
    let is_seen = match &seen {
        LegendPart::Fill { opacity, .. } | LegendPart::Pattern { opacity, .. } => *opacity > 0.0,
        LegendPart::Line { opacity, width, .. } => *opacity > 0.0 && *width > 0.0,
        LegendPart::Circle { radius, .. } => *radius > 0.0,
        LegendPart::Icon { size, .. } => *size > 0.0,
    };
    is_seen.then_some(seen)
}

/// A colour as `#rrggbb`, and the opacity that it has together with its layer.
fn seen(color: spec::Color, opacity: f32) -> (String, f32) {
    let [red, green, blue, _] = spec::Color { alpha: 1.0, ..color }.to_rgba8();
    (format!("#{red:02x}{green:02x}{blue:02x}"), round(color.alpha * opacity))
}

/// Rounds to a thousandth, so that documents are short.
fn round(value: f32) -> f32 {
    (value * 1e3).round() / 1e3
}

impl From<GeometryType> for LegendGeometry {
    fn from(geometry: GeometryType) -> Self {
        match geometry {
            GeometryType::Point => Self::Point,
            GeometryType::Line => Self::Line,
            GeometryType::Polygon => Self::Polygon,
        }
    }
}

#[cfg(test)]
mod tests;
