//! The fonts of a file: the glyphs that are used, their widths and their texts.

use std::{collections::BTreeMap, io::Write};

use skrifa::{
    MetadataProvider,
    instance::{LocationRef, Size},
};
use subsetter::GlyphRemapper;

use super::{PdfError, objects::ObjectWriter, syntax::utf16};
use crate::labels::Font;

/// The fonts of a file in the order of their first use.
#[derive(Default)]
pub(super) struct Fonts {
    fonts: Vec<FontUse>,
}

/// A font and the glyphs that the file uses of it.
struct FontUse {
    font: &'static Font,
    glyphs: GlyphRemapper,
    /// The characters that glyphs of the font stand for, by the glyph's number in the font.
    letters: BTreeMap<u32, char>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fonts.iter().map(|own| own.font.name())).finish()
    }
}

/// A glyph as the file names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    /// Its number in the subset of the font.
    pub(super) number: u16,
    /// Its advance in ems.
    pub(super) advance: f32,
    /// Whether the font says which character it stands for.
    pub(super) has_letter: bool,
}

impl Fonts {
    /// The number of a font in the file.
    pub(super) fn font(&mut self, font: &'static Font) -> usize {
        let position = self.fonts.iter().position(|own| own.font.name() == font.name());
        position.unwrap_or_else(|| {
            let glyphs = GlyphRemapper::new();
            self.fonts.push(FontUse { font, glyphs, letters: font.letters() });
            self.fonts.len() - 1
        })
    }

    /// The code of a glyph of the font with this number in the file.
    pub(super) fn code(&mut self, font: usize, glyph: u32) -> Code {
        let own = &mut self.fonts[font];
        // Glyph numbers of TrueType fonts have 16 bits.
        let id = u16::try_from(glyph).unwrap_or(0);
        Code {
            number: own.glyphs.remap(id),
            advance: own.font.advance(glyph),
            has_letter: own.letters.contains_key(&glyph),
        }
    }

    /// Writes all fonts, and gives the entry of a resource dictionary.
    pub(super) fn write<W: Write>(&self, file: &mut ObjectWriter<W>) -> Result<String, PdfError> {
        let mut named = String::new();
        for (number, own) in self.fonts.iter().enumerate() {
            let font = own.write(file)?;
            named.push_str(&format!("/F{number} {font} "));
        }
        Ok(if named.is_empty() { String::new() } else { format!("/Font << {named}>> ") })
    }
}

impl FontUse {
    fn write<W: Write>(&self, file: &mut ObjectWriter<W>) -> Result<super::objects::Ref, PdfError> {
        let name = self.font.name();
        let program = subsetter::subset(self.font.bytes(), 0, &self.glyphs)
            .map_err(|source| PdfError::Font { font: name, source })?;
        let length = program.len();
        let program = file.stream(&format!("/Length1 {length}"), &program)?;
        let name = format!("{}+{name}", self.tag());
        let metrics = self.font.outlines().metrics(Size::new(1_000.0), LocationRef::default());
        let bounds = metrics.bounds.unwrap_or_default();
        let [left, bottom, right, top] =
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(f32::round);
        let (ascent, descent) = (metrics.ascent.round(), metrics.descent.round());
        let capital = metrics.cap_height.unwrap_or(700.0).round();
        let angle = metrics.italic_angle;
        let descriptor = file.add(&format!(
            "<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{left} {bottom} {right} {top}] \
             /ItalicAngle {angle} /Ascent {ascent} /Descent {descent} /CapHeight {capital} /StemV 80 \
             /FontFile2 {program} >>"
        ))?;
        let widths: Vec<String> = self
            .glyphs
            .remapped_gids()
            .map(|glyph| format!("{}", (self.font.advance(glyph.into()) * 1e3).round()))
            .collect();
        let descendant = file.add(&format!(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> \
             /FontDescriptor {descriptor} /W [0 [{}]] >>",
            widths.join(" ")
        ))?;
        let texts = file.stream("/Type /CMap /CMapName /Texts", self.texts().as_bytes())?;
        file.add(&format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H \
             /DescendantFonts [{descendant}] /ToUnicode {texts} >>"
        ))
    }

    /// Six capitals that differ between subsets of a font.
    fn tag(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for glyph in self.glyphs.remapped_gids() {
            hash = (hash ^ u64::from(glyph)).wrapping_mul(0x0100_0000_01b3);
        }
        (0..6)
            .map(|_| {
                let letter = b'A' + (hash % 26) as u8;
                hash /= 26;
                char::from(letter)
            })
            .collect()
    }

    /// The table from glyphs to characters.
    fn texts(&self) -> String {
        let mut lines = Vec::new();
        for (number, glyph) in self.glyphs.remapped_gids().enumerate() {
            if let Some(letter) = self.letters.get(&u32::from(glyph)) {
                lines.push(format!("<{number:04X}> <{}>\n", utf16(letter.encode_utf8(&mut [0; 4]))));
            }
        }
        let mut table = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
            /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
            /CMapName /Texts def\n/CMapType 2 def\n\
            1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            .to_owned();
        // A block has at most 100 entries.
        for block in lines.chunks(100) {
            table.push_str(&format!("{} beginbfchar\n{}endbfchar\n", block.len(), block.concat()));
        }
        table.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
        table
    }
}
