//! The fonts that ship with the program: Be Vietnam Pro, SIL Open Font License 1.1.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use harfrust::{Buffer, Direction, ShapeOptions, ShaperFont, shape};
use skrifa::{
    GlyphId, MetadataProvider,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};
use tiny_skia::{Path, PathBuilder};

/// A font, by the name under which the server offers its glyphs.
pub struct Font {
    name: &'static str,
    bytes: &'static [u8],
    outlines: skrifa::FontRef<'static>,
    shaping: harfrust::Font,
    units_per_em: f32,
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Font").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A glyph of a shaped text. Lengths in ems, y up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ShapedGlyph {
    pub(crate) id: u32,
    /// The byte of the text at which its letter begins.
    pub(crate) cluster: u32,
    pub(crate) advance: f32,
    pub(crate) offset: [f32; 2],
}

static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let files: [(&str, &[u8]); 3] = [
        ("BeVietnamPro-Regular", include_bytes!("../../fonts/BeVietnamPro-Regular.ttf")),
        ("BeVietnamPro-SemiBold", include_bytes!("../../fonts/BeVietnamPro-SemiBold.ttf")),
        ("BeVietnamPro-Italic", include_bytes!("../../fonts/BeVietnamPro-Italic.ttf")),
    ];
    // A test opens all of them.
    files.into_iter().filter_map(|(name, bytes)| Font::open(name, bytes)).collect()
});

impl Font {
    /// All fonts; the first is the one for texts that name none.
    pub fn all() -> &'static [Self] {
        &FONTS
    }

    /// The first font of a list that ships with the program; the first of all for an empty list.
    pub fn find(names: &[String]) -> Option<&'static Self> {
        if names.is_empty() {
            return FONTS.first();
        }
        names.iter().find_map(|name| FONTS.iter().find(|font| font.name == name))
    }

    fn open(name: &'static str, bytes: &'static [u8]) -> Option<Self> {
        let outlines = skrifa::FontRef::new(bytes).ok()?;
        let shaping = harfrust::Font::new(bytes, 0)?;
        let metrics = outlines.metrics(Size::unscaled(), LocationRef::default());
        let units_per_em = f32::from(metrics.units_per_em);
        (units_per_em > 0.0).then_some(Self { name, bytes, outlines, shaping, units_per_em })
    }

    /// The name, for example `BeVietnamPro-Regular`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The font file (TrueType).
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// The font as skrifa reads it.
    pub(crate) fn outlines(&self) -> &skrifa::FontRef<'static> {
        &self.outlines
    }

    /// The advance of a glyph in ems.
    pub(crate) fn advance(&self, glyph: u32) -> f32 {
        let metrics = self.outlines.glyph_metrics(Size::unscaled(), LocationRef::default());
        metrics.advance_width(GlyphId::new(glyph)).unwrap_or_default() / self.units_per_em
    }

    /// The character that each glyph stands for, by the number of the glyph; of several characters that look
    /// alike, the one that Vietnamese and English texts have.
    pub(crate) fn letters(&self) -> BTreeMap<u32, char> {
        let mut letters: BTreeMap<u32, char> = BTreeMap::new();
        for (code, glyph) in self.outlines.charmap().mappings() {
            let Some(letter) = char::from_u32(code) else { continue };
            let known = letters.entry(glyph.to_u32()).or_insert(letter);
            // Ð (eth) comes before Đ.
            if matches!(*known, 'Ð' | 'ð') || (letter < *known && !matches!(letter, 'Ð' | 'ð')) {
                *known = letter;
            }
        }
        letters
    }

    /// Shapes a text of one line from left to right. A text that cannot be shaped has no glyphs.
    pub(crate) fn shape(&self, text: &str) -> Vec<ShapedGlyph> {
        let mut buffer = Buffer::new();
        buffer.push_str(text);
        buffer.set_direction(Direction::LeftToRight);
        buffer.guess_segment_properties();
        if shape(&ShaperFont::new(&self.shaping), &mut buffer, ShapeOptions::new()).is_err() {
            return Vec::new();
        }
        let em = self.units_per_em;
        buffer
            .glyph_infos()
            .iter()
            .zip(buffer.glyph_positions())
            .map(|(info, position)| ShapedGlyph {
                id: info.glyph_id,
                cluster: info.cluster,
                advance: position.x_advance as f32 / em,
                offset: [position.x_offset as f32 / em, position.y_offset as f32 / em],
            })
            .collect()
    }

    /// The outline of a glyph: one em is 1, y down, the origin on the baseline; `None` for a blank.
    pub fn outline(&self, glyph: u32) -> Option<Path> {
        let glyph = self.outlines.outline_glyphs().get(GlyphId::new(glyph))?;
        let mut pen = Pen { path: PathBuilder::new(), scale: 1.0 / self.units_per_em };
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        glyph.draw(settings, &mut pen).ok()?;
        pen.path.finish()
    }
}

struct Pen {
    path: PathBuilder,
    scale: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(x * self.scale, -y * self.scale);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(x * self.scale, -y * self.scale);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let scale = self.scale;
        self.path.quad_to(cx * scale, -cy * scale, x * scale, -y * scale);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let scale = self.scale;
        self.path.cubic_to(ax * scale, -ay * scale, bx * scale, -by * scale, x * scale, -y * scale);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_opens_and_has_all_vietnamese_letters() {
        assert_eq!(Font::all().len(), 3);
        for font in Font::all() {
            for letter in "aăâbcdđeêghiklmnoôơpqrstuưvxy".chars() {
                for mark in ["", "\u{300}", "\u{301}", "\u{309}", "\u{303}", "\u{323}"] {
                    for letter in [letter.to_string(), letter.to_uppercase().to_string()] {
                        let text = format!("{letter}{mark}");
                        let glyphs = font.shape(&text);
                        assert!(glyphs.iter().all(|glyph| glyph.id != 0), "{}: {text}", font.name());
                        assert!(font.outline(glyphs[0].id).is_some(), "{}: {text}", font.name());
                    }
                }
            }
        }
    }

    #[test]
    fn composed_and_decomposed_letters_look_the_same() {
        for font in Font::all() {
            let glyphs = |text: &str| -> Vec<u32> { font.shape(text).iter().map(|glyph| glyph.id).collect() };
            // ệ as one character, and as e with a dot below and a circumflex.
            assert_eq!(glyphs("Vi\u{1ec7}t"), glyphs("Vie\u{323}\u{302}t"), "{}", font.name());
        }
    }

    #[test]
    fn the_first_known_font_is_used() {
        let find = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Font::find(&names).map(Font::name)
        };
        assert_eq!(find(&[]), Some("BeVietnamPro-Regular"));
        assert_eq!(find(&["Arial", "BeVietnamPro-Italic"]), Some("BeVietnamPro-Italic"));
        assert_eq!(find(&["Arial"]), None);
    }
}
