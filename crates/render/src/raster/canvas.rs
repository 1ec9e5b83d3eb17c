//! What a map is drawn on. Layout and labels know only this trait, so that pictures, SVG and PDF can have the
//! same map.

use tiny_skia::Path;

use crate::{
    labels::GlyphRun,
    spec::{Color, LineCap, LineJoin},
    sprite::Sprite,
};

/// How the inside of a path is painted.
#[derive(Clone, Copy, Debug)]
pub struct FillPaint {
    /// The colour with its opacity.
    pub color: Color,
    /// Whether edges are smooth. Areas that share edges are drawn without, or the ground shines through.
    pub antialias: bool,
}

/// How a path is stroked. Lengths in pixels of the picture.
#[derive(Clone, Debug)]
pub struct StrokePaint {
    /// The colour with its opacity.
    pub color: Color,
    /// The width of the line.
    pub width: f32,
    /// What its ends look like.
    pub cap: LineCap,
    /// What its corners look like.
    pub join: LineJoin,
    /// How many widths a sharp corner may reach.
    pub miter_limit: f32,
    /// Lengths of dashes and gaps in turn, an even number; empty for none.
    pub dashes: Vec<f32>,
}

/// The colours of a text.
#[derive(Clone, Copy, Debug)]
pub struct TextPaint {
    /// The colour of the letters with their opacity.
    pub color: Color,
    /// The colour around the letters with its opacity.
    pub halo: Color,
    /// How far the halo reaches, in pixels of the picture.
    pub halo_width: f32,
}

/// How copies of an image fill a path.
#[derive(Clone, Copy, Debug)]
pub struct PatternPlace {
    /// Where a row of copies begins, in pixels of the picture.
    pub origin: [f32; 2],
    /// Pixels of the picture to a pixel of the sheet.
    pub scale: f32,
    /// The opacity, from 0 to 1.
    pub opacity: f32,
}

/// Where an image of the sprite is drawn: its middle in pixels, its scale, and its rotation.
#[derive(Clone, Copy, Debug)]
pub struct ImagePlace {
    /// The middle of the image.
    pub center: [f32; 2],
    /// Pixels of the picture to a pixel of the sheet.
    pub scale: f32,
    /// Rotation in degrees, clockwise.
    pub rotate: f32,
    /// The opacity, from 0 to 1.
    pub opacity: f32,
}

/// A surface that takes paths, texts and images, in pixels of the picture from the top left corner.
pub trait Canvas {
    /// Paints the whole surface with a colour.
    fn clear(&mut self, color: Color);

    /// Fills a path by the winding rule.
    fn fill(&mut self, path: &Path, paint: &FillPaint);

    /// Fills a path by the winding rule with copies of an image.
    fn fill_pattern(&mut self, path: &Path, sprite: &Sprite<'_>, place: &PatternPlace);

    /// Draws a line along a path.
    fn stroke(&mut self, path: &Path, paint: &StrokePaint);

    /// Draws a text that has been placed glyph by glyph.
    fn glyphs(&mut self, run: &GlyphRun, paint: &TextPaint);

    /// Draws an image of the sprite.
    fn image(&mut self, sprite: &Sprite<'_>, place: &ImagePlace);
}

/// A canvas of which a part can be drawn on alone.
pub trait Frames: Canvas {
    /// Draws in a box (left and top, right and bottom) from now on: its top left corner is the origin, and
    /// nothing is drawn outside of it, until [`end_frame`](Self::end_frame). Frames are not nested.
    fn begin_frame(&mut self, area: [[f32; 2]; 2]);

    /// Draws on the whole canvas again.
    fn end_frame(&mut self);
}
