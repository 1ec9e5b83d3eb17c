//! The subset of the MapLibre style specification (version 8) that can be drawn, parsed to types.
//!
//! [`Style::parse`] refuses everything that it does not draw, and names the layer, the property and the
//! part of the expression: a picture that silently lacks something would be wrong on paper. Of sources only
//! GeoJSON is read, which must be in the style itself ([`InlineFeature`]). For all others the
//! `source-layer` of a style layer (or its `source` if it has none) is the id of a layer of the city, whose
//! features whoever draws the style hands over ([`crate::raster::Source`]).
//!
//! `docs/pictures.md` lists the subset for people who write styles. Ignored, because they have no effect on
//! a picture that does not move: `metadata`, `*-transition`, `center`, `zoom`, `bearing`, `pitch`, `light`,
//! `terrain`, `sprite`, `glyphs`, and properties of tilted maps.

mod color;
mod inline;
mod layer;
mod property;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub use color::Color;
pub use inline::InlineFeature;
pub use layer::{
    Background, Circle, Fill, Icon, Layer, LayerKind, LayerSource, Line, Symbol, Text, TextLayout, TextPlace,
};
pub use property::{
    Alignment, Anchor, FromValue, ImageName, Justify, LabelText, LineCap, LineJoin, Placement, Property,
    Transform, Visibility,
};

use crate::expression::{ParseError, Scope};

/// Maximum number of layers of a style.
pub const MAX_LAYERS: usize = 1_000;

/// A style that can be drawn.
#[derive(Clone, Debug)]
pub struct Style {
    /// The layers from bottom to top.
    pub layers: Vec<Layer>,
    /// The features that the style carries itself, by the name of their source.
    pub inline: BTreeMap<String, Vec<InlineFeature>>,
}

/// Why a style cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StyleError {
    /// The document is not a style.
    #[error("the document is not a MapLibre style of version 8: {0}")]
    Document(String),
    /// A layer has a member that is missing, unknown or of the wrong type.
    #[error("layer `{layer}`: {reason}")]
    Layer {
        /// The id of the layer, or its position.
        layer: String,
        /// What is wrong, and what to write.
        reason: String,
    },
    /// A property cannot be used.
    #[error("layer `{layer}`, property `{property}`: {source}")]
    Property {
        /// The id of the layer.
        layer: String,
        /// The name of the property, or `filter`.
        property: String,
        /// Which part of the value, and why.
        source: ParseError,
    },
}

impl Style {
    /// Parses a style document.
    ///
    /// # Errors
    /// [`StyleError`] for the first thing that is not in the subset or exceeds a bound.
    pub fn parse(json: &Json) -> Result<Self, StyleError> {
        let document = |reason: &str| StyleError::Document(reason.to_owned());
        if json["version"] != 8 {
            return Err(document("its `version` is not 8"));
        }
        let layers = json["layers"].as_array().ok_or_else(|| document("it has no list `layers`"))?;
        if layers.len() > MAX_LAYERS {
            let reason = format!("it has {} layers, more than {MAX_LAYERS}", layers.len());
            return Err(StyleError::Document(reason));
        }
        let inline = inline::read(&json["sources"])?;
        let parse = |(position, layer): (usize, &Json)| {
            Layer::parse(layer, position, |source| inline.contains_key(source))
        };
        let layers: Result<Vec<_>, _> = layers.iter().enumerate().map(parse).collect();
        Ok(Self { layers: layers?, inline })
    }

    /// The colour of the ground at a zoom, if the style has one.
    pub fn ground(&self, zoom: f64) -> Option<Color> {
        let scope = Scope { zoom, feature: None };
        // The last one covers those before it.
        self.layers.iter().rev().filter(|layer| layer.is_drawn(zoom)).find_map(|layer| match &layer.kind {
            LayerKind::Background(background) => Some(background.color.get(&scope)),
            _ => None,
        })
    }

    /// The sources that are drawn at a zoom, each once, in the order of their first use.
    pub fn sources(&self, zoom: f64) -> Vec<&LayerSource> {
        let mut sources: Vec<&LayerSource> = Vec::new();
        for layer in self.layers.iter().filter(|layer| layer.is_drawn(zoom)) {
            if let Some(source) = &layer.source
                && !sources.contains(&source)
            {
                sources.push(source);
            }
        }
        sources
    }
}
