//! Letters, lines and boxes on a page.

use tiny_skia::{Path, PathBuilder};

use super::{PrintError, paper::Area};
use crate::{
    labels::{Font, GlyphRun, PlacedGlyph},
    pdf::PdfPage,
    raster::{Canvas, FillPaint, StrokePaint, TextPaint},
    spec::{Color, LineCap, LineJoin},
};

/// The colour of lines and letters of a sheet.
pub(crate) const INK: Color = Color { red: 0.13, green: 0.13, blue: 0.13, alpha: 1.0 };
/// The colour of what is less important.
pub(crate) const SOFT: Color = Color { red: 0.35, green: 0.35, blue: 0.35, alpha: 1.0 };

/// The colour of what a print points out.
pub(crate) const ACCENT: Color = Color { red: 0.78, green: 0.05, blue: 0.25, alpha: 1.0 };

/// The fonts of a sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faces {
    pub(crate) plain: &'static Font,
    pub(crate) bold: &'static Font,
}

impl Faces {
    pub(crate) fn find() -> Result<Self, PrintError> {
        let face = |name: &'static str| {
            Font::all().iter().find(|font| font.name() == name).ok_or(PrintError::Face(name))
        };
        Ok(Self { plain: face("BeVietnamPro-Regular")?, bold: face("BeVietnamPro-SemiBold")? })
    }
}

/// Font, size and colour of letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lettering {
    pub(crate) font: &'static Font,
    /// Units to an em.
    pub(crate) size: f32,
    pub(crate) color: Color,
}

/// Where a line of text is, relative to its point on the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Align {
    Left,
    Middle,
    Right,
}

impl Lettering {
    /// The width of a line in units.
    pub(crate) fn width(&self, text: &str) -> f32 {
        self.font.shape(text).iter().map(|glyph| glyph.advance).sum::<f32>() * self.size
    }

    /// A line of text from a point on its baseline, in the direction of `angle` (radians, clockwise).
    pub(crate) fn run(&self, text: &str, (at, align): ([f32; 2], Align), angle: f32) -> GlyphRun {
        let glyphs = self.font.shape(text);
        let width = glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() * self.size;
        let mut along = match align {
            Align::Left => 0.0,
            Align::Middle => -width / 2.0,
            Align::Right => -width,
        };
        let (sin, cos) = angle.sin_cos();
        let placed = glyphs.iter().map(|glyph| {
            let x = along + glyph.offset[0] * self.size;
            let y = -glyph.offset[1] * self.size;
            along += glyph.advance * self.size;
            let origin = [at[0] + x * cos - y * sin, at[1] + x * sin + y * cos];
            PlacedGlyph { id: glyph.id, origin, size: self.size, angle }
        });
        GlyphRun { font: self.font, text: text.to_owned(), glyphs: placed.collect() }
    }

    /// How the letters are painted.
    pub(crate) fn paint(&self) -> TextPaint {
        TextPaint { color: self.color, halo: Color::TRANSPARENT, halo_width: 0.0 }
    }

    /// The distance between lines.
    pub(crate) fn leading(&self) -> f32 {
        self.size * 1.35
    }

    /// The text in lines that are at most `width` wide, broken at spaces, and inside of a word that is wider.
    pub(crate) fn lines(&self, text: &str, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for part in text.lines() {
            let mut line = String::new();
            for word in part.split_whitespace() {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if self.width(&longer) <= width {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                let mut rest = word;
                loop {
                    let (start, end) = rest.split_at(self.fitting(rest, width));
                    if end.is_empty() {
                        line = start.to_owned();
                        break;
                    }
                    lines.push(start.to_owned());
                    rest = end;
                }
            }
            if !line.is_empty() {
                lines.push(line);
            }
        }
        lines
    }

    /// The number of bytes of a word that are at most `width` wide, at least one letter.
    fn fitting(&self, word: &str, width: f32) -> usize {
        let first = word.chars().next().map_or(0, char::len_utf8);
        let mut along = 0.0;
        for glyph in self.font.shape(word) {
            along += glyph.advance * self.size;
            let start = glyph.cluster as usize;
            if along > width && word.is_char_boundary(start) {
                return start.max(first);
            }
        }
        word.len()
    }

    /// The text, or as much of it as is at most `width` wide, with an ellipsis.
    pub(crate) fn cut(&self, text: &str, width: f32) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut letters: Vec<char> = text.chars().collect();
        while letters.pop().is_some() {
            let shorter = format!("{}…", letters.iter().collect::<String>().trim_end());
            if self.width(&shorter) <= width {
                return shorter;
            }
        }
        String::new()
    }
}

/// Draws on a page.
pub(crate) struct Pen<'p> {
    pub(crate) page: &'p mut PdfPage,
}

impl Pen<'_> {
    /// Draws a line of text from a point on its baseline, in the direction of `angle` (radians, clockwise).
    pub(crate) fn turned(
        &mut self,
        text: &str,
        look: &Lettering,
        (at, align): ([f32; 2], Align),
        angle: f32,
    ) {
        self.page.glyphs(&look.run(text, (at, align), angle), &look.paint());
    }

    /// Draws a line of text.
    pub(crate) fn text(&mut self, text: &str, look: &Lettering, at: [f32; 2], align: Align) {
        self.turned(text, look, (at, align), 0.0);
    }

    /// Draws a text in lines from the top left corner of a box of this width; gives the height.
    pub(crate) fn paragraph(&mut self, text: &str, look: &Lettering, [x, y]: [f32; 2], width: f32) -> f32 {
        let lines = look.lines(text, width);
        for (number, line) in lines.iter().enumerate() {
            let baseline = y + look.size + number as f32 * look.leading();
            self.text(line, look, [x, baseline], Align::Left);
        }
        lines.len() as f32 * look.leading()
    }

    /// Draws a line through points, `width` units wide.
    pub(crate) fn line(&mut self, points: &[[f32; 2]], width: f32, color: Color) {
        if let Some(path) = path_of(points, false) {
            self.stroke(&path, width, color);
        }
    }

    /// Draws the edge of a box, `width` units wide.
    pub(crate) fn frame(&mut self, [low, high]: Area, width: f32, color: Color) {
        let corners = [low, [high[0], low[1]], high, [low[0], high[1]]];
        if let Some(path) = path_of(&corners, true) {
            self.stroke(&path, width, color);
        }
    }

    /// Fills the area between points.
    pub(crate) fn fill(&mut self, points: &[[f32; 2]], color: Color) {
        if let Some(path) = path_of(points, true) {
            self.page.fill(&path, &FillPaint { color, antialias: true });
        }
    }

    pub(crate) fn stroke(&mut self, path: &Path, width: f32, color: Color) {
        let (cap, join) = (LineCap::Butt, LineJoin::Miter);
        let paint = StrokePaint { color, width, cap, join, miter_limit: 4.0, dashes: Vec::new() };
        self.page.stroke(path, &paint);
    }
}

/// The corners of a box, clockwise.
pub(crate) fn corners([low, high]: Area) -> [[f32; 2]; 4] {
    [low, [high[0], low[1]], high, [low[0], high[1]]]
}

/// A path through points.
pub(crate) fn path_of(points: &[[f32; 2]], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (number, [x, y]) in points.iter().enumerate() {
        if number == 0 {
            path.move_to(*x, *y);
        } else {
            path.line_to(*x, *y);
        }
    }
    if closed {
        path.close();
    }
    path.finish()
}
