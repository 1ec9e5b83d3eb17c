//! Draws a style on a canvas: pictures of the city at any revision and valid time.
//!
//! [`draw`] reads the features of each layer once ([`Source`]), places the labels, and paints the layers of
//! the style from bottom to top on a [`Canvas`]. [`Picture`] is the canvas for PNG, JPEG and WebP.
//!
//! # Guarantees
//! - The same style, view and city give the same bytes: one thread draws one picture, in a fixed order.
//! - Time and memory are bounded: by the size of the picture, the number of features and corners of a layer
//!   ([`RenderError::TooLarge`]), and the [`Cancel`](citymap_engine::Cancel) of the source, which is checked
//!   while features are read and between the layers of the style.
//! - Personal fields are not read: an expression sees only public ones.
//!
//! # How it differs from the web map
//! - Features with equal paint are drawn as one path, so translucent ones do not darken where they overlap.
//! - A label that the edge of the picture would cut is left out.
//! - Labels of areas are placed in the part that the picture shows, once for each area.

mod canvas;
pub(crate) mod clip;
mod draw;
mod encode;
pub(crate) mod features;
mod mvt;
mod paths;
mod picture;
mod view;

use std::collections::BTreeSet;

use citymap_crs::CrsError;
use citymap_engine::Cancelled;
use citymap_tile::TileError;

pub use canvas::{Canvas, FillPaint, Frames, ImagePlace, PatternPlace, StrokePaint, TextPaint};
pub use draw::{Ground, draw};
pub use encode::{EncodeError, ImageFormat};
pub use features::{Features, Source};
pub use mvt::BrokenTile;
pub use picture::Picture;
pub use view::{PIXEL_M, View, ViewError, units_per_metre};

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The picture would show more than one picture may.
    #[error("one layer of the picture has more than {max} {what}; show a smaller area, or a larger scale")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many one layer of a picture may have.
        max: usize,
    },
    /// None of the fonts that a layer names ships with the program.
    #[error(
        "layer `{layer}`, property `text-font`: none of the fonts `{fonts}` ships with the program; use \
             BeVietnamPro-Regular, BeVietnamPro-SemiBold or BeVietnamPro-Italic"
    )]
    Font {
        /// The id of the layer of the style.
        layer: String,
        /// The names that it gives.
        fonts: String,
    },
    /// A font that ships with the program is missing: a defect of the program.
    #[error("{0}")]
    Face(String),
    /// A position has no place in the picture's coordinate system.
    #[error("a feature reaches where the picture's coordinate system is not defined: {0}")]
    Outside(#[from] CrsError),
    /// The picture needs a tile that does not exist.
    #[error("the picture cannot be put together from tiles: {0}")]
    Tile(#[from] TileError),
    /// A tile was made that cannot be read: a defect of the program.
    #[error(transparent)]
    Broken(#[from] BrokenTile),
    /// The work was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What a picture lacks though the style asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Layers of the style's sources that the city does not have.
    pub missing_layers: BTreeSet<String>,
    /// Images that the sprite does not have; at most 100 are named.
    pub missing_images: BTreeSet<String>,
}

impl Notes {
    pub(crate) fn missing_image(&mut self, name: String) {
        if self.missing_images.len() < 100 {
            self.missing_images.insert(name);
        }
    }
}
