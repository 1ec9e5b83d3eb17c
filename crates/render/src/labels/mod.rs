//! Texts and icons: shaping, layout, and which of them have room.
//!
//! Fonts ship with the program ([`Font`]); texts are shaped with them by HarfBuzz's rules, so that Vietnamese
//! letters with two marks are right in composed and decomposed form. [`Shaper`] sets the lines of a label,
//! `Placer` decides which labels of a picture are drawn: layers from top to bottom, in a layer by sort key
//! and then by feature, and a label only where it lies wholly inside the picture and over no other one.

mod along;
mod collision;
mod font;
mod layout;
mod place;
mod pole;

pub use font::Font;
pub use layout::{Shaper, TextBlock, TextStyle};
pub(crate) use place::{PlacedSymbol, Placer};

/// A text whose glyphs have been placed in the picture.
#[derive(Clone, Debug)]
pub struct GlyphRun {
    /// The font of all glyphs.
    pub font: &'static Font,
    /// The text that the glyphs stand for, with line feeds between lines.
    pub text: String,
    /// The glyphs in reading order.
    pub glyphs: Vec<PlacedGlyph>,
}

/// A glyph of a placed text.
#[derive(Clone, Copy, Debug)]
pub struct PlacedGlyph {
    /// The number of the glyph in its font.
    pub id: u32,
    /// Where its origin on the baseline is, in pixels of the picture.
    pub origin: [f32; 2],
    /// Pixels to an em.
    pub size: f32,
    /// Rotation in radians, clockwise on the screen.
    pub angle: f32,
}

/// A box in pixels of the picture: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LabelBox {
    pub(crate) low: [f32; 2],
    pub(crate) high: [f32; 2],
}

impl LabelBox {
    /// The box that holds nothing yet.
    pub(crate) const NOTHING: Self = Self { low: [f32::INFINITY; 2], high: [f32::NEG_INFINITY; 2] };

    pub(crate) fn add(&mut self, point: [f32; 2]) {
        let [x, y] = point;
        self.low = [self.low[0].min(x), self.low[1].min(y)];
        self.high = [self.high[0].max(x), self.high[1].max(y)];
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.low[0] > self.high[0]
    }

    pub(crate) fn grown(self, by: f32) -> Self {
        Self { low: self.low.map(|value| value - by), high: self.high.map(|value| value + by) }
    }

    pub(crate) fn moved(self, by: [f32; 2]) -> Self {
        let [x, y] = by;
        Self { low: [self.low[0] + x, self.low[1] + y], high: [self.high[0] + x, self.high[1] + y] }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.low[axis] < other.high[axis] && other.low[axis] < self.high[axis])
    }

    pub(crate) fn is_inside(&self, other: &Self) -> bool {
        (0..2).all(|axis| other.low[axis] <= self.low[axis] && self.high[axis] <= other.high[axis])
    }

    /// The box around this one turned about the origin.
    pub(crate) fn turned(self, radians: f32) -> Self {
        let (sin, cos) = radians.sin_cos();
        let mut turned = Self::NOTHING;
        for [x, y] in [self.low, [self.high[0], self.low[1]], self.high, [self.low[0], self.high[1]]] {
            turned.add([x * cos - y * sin, x * sin + y * cos]);
        }
        turned
    }
}
