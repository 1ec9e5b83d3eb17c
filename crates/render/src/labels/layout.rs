//! Sets the lines of a label.

use std::{borrow::Cow, rc::Rc};

use rustc_hash::FxHashMap;

use super::{Font, LabelBox, font::ShapedGlyph};
use crate::{
    expression::Section,
    spec::{Justify, LabelText, Transform},
};

/// How a text is set. Lengths in pixels.
#[derive(Clone, Copy, Debug)]
pub struct TextStyle {
    /// The font of all letters.
    pub font: &'static Font,
    /// Pixels to an em.
    pub size: f32,
    /// The width after which lines break.
    pub max_width: f32,
    /// The distance between lines.
    pub line_height: f32,
    /// Space between letters, in addition to their advances.
    pub letter_spacing: f32,
    /// How lines are aligned; `Auto` counts as the middle.
    pub justify: Justify,
    /// Whether letters are changed.
    pub transform: Transform,
}

/// A text that has been set, relative to the top left corner of its block.
#[derive(Clone, Debug)]
pub struct TextBlock {
    /// The font of all glyphs.
    pub(crate) font: &'static Font,
    /// The text with line feeds where lines break.
    pub(crate) text: String,
    pub(crate) glyphs: Vec<BlockGlyph>,
    /// Width and height by advances and line heights.
    pub(crate) size: [f32; 2],
    /// The box of what is inked, marks above capitals included.
    pub(crate) ink: LabelBox,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockGlyph {
    pub(crate) id: u32,
    /// The origin on the baseline.
    pub(crate) origin: [f32; 2],
    pub(crate) advance: f32,
    pub(crate) size: f32,
}

/// The height of capitals over an em is about 0.7: a line is centred on the middle of its capitals.
const HALF_CAPITAL: f32 = 0.35;

/// Maximum number of lines of a label.
const MAX_LINES: usize = 20;

/// Shapes texts, and keeps what it has shaped for the labels of one picture.
#[derive(Debug, Default)]
pub struct Shaper {
    shaped: FxHashMap<(&'static str, String), Rc<[ShapedGlyph]>>,
    bounds: FxHashMap<(&'static str, u32), Option<LabelBox>>,
}

/// A piece of a line in one scale.
struct Piece<'a> {
    text: &'a str,
    scale: f32,
}

impl Shaper {
    fn shape(&mut self, font: &'static Font, text: &str) -> Rc<[ShapedGlyph]> {
        let key = (font.name(), text.to_owned());
        Rc::clone(self.shaped.entry(key).or_insert_with(|| font.shape(text).into()))
    }

    /// The inked box of a glyph in ems, y down; `None` for a blank.
    pub(crate) fn bounds(&mut self, font: &'static Font, glyph: u32) -> Option<LabelBox> {
        *self.bounds.entry((font.name(), glyph)).or_insert_with(|| {
            let bounds = font.outline(glyph)?.bounds();
            Some(LabelBox { low: [bounds.left(), bounds.top()], high: [bounds.right(), bounds.bottom()] })
        })
    }

    /// Sets a text; `None` if there is nothing to draw.
    pub fn set(&mut self, text: &LabelText, style: &TextStyle) -> Option<TextBlock> {
        if text.is_empty() || style.size <= 0.0 {
            return None;
        }
        let sections: Vec<Section<'_>> = text
            .0
            .iter()
            .map(|section| Section {
                text: transformed(&section.text, style.transform),
                scale: section.scale,
            })
            .collect();
        let mut lines: Vec<Vec<Piece<'_>>> = vec![Vec::new()];
        for section in &sections {
            for (index, part) in section.text.split('\n').enumerate() {
                if index > 0 {
                    lines.push(Vec::new());
                }
                if let (Some(line), false) = (lines.last_mut(), part.is_empty()) {
                    line.push(Piece { text: part, scale: section.scale });
                }
            }
        }
        let mut broken: Vec<Vec<Piece<'_>>> = Vec::new();
        for line in lines {
            match line.as_slice() {
                // Only lines of one scale break by themselves.
                &[Piece { text, scale }] => {
                    let parts = self.broken(text, scale, style);
                    broken.extend(parts.into_iter().map(|text| vec![Piece { text, scale }]));
                }
                _ => broken.push(line),
            }
        }
        broken.retain(|line| line.iter().any(|piece| !piece.text.trim().is_empty()));
        broken.truncate(MAX_LINES);
        if broken.is_empty() { None } else { Some(self.block(&broken, style)) }
    }

    fn block(&mut self, lines: &[Vec<Piece<'_>>], style: &TextStyle) -> TextBlock {
        let TextStyle { font, size, letter_spacing, .. } = *style;
        let mut block = TextBlock {
            font,
            text: String::new(),
            glyphs: Vec::new(),
            size: [0.0; 2],
            ink: LabelBox::NOTHING,
        };
        // The first glyph and the width of each line.
        let mut spans: Vec<(usize, f32)> = Vec::new();
        for line in lines {
            let scale = line.iter().map(|piece| piece.scale).fold(0.0, f32::max);
            let height = style.line_height * scale;
            let baseline = block.size[1] + height / 2.0 + HALF_CAPITAL * size * scale;
            spans.push((block.glyphs.len(), 0.0));
            let mut x = 0.0;
            if !block.text.is_empty() {
                block.text.push('\n');
            }
            for piece in line {
                block.text.push_str(piece.text);
                let em = size * piece.scale;
                for glyph in &*self.shape(font, piece.text) {
                    let origin = [x + glyph.offset[0] * em, baseline - glyph.offset[1] * em];
                    let advance = glyph.advance * em + letter_spacing;
                    block.glyphs.push(BlockGlyph { id: glyph.id, origin, advance, size: em });
                    x += advance;
                }
            }
            if let Some((_, width)) = spans.last_mut() {
                *width = (x - letter_spacing).max(0.0);
            }
            block.size = [block.size[0].max(x - letter_spacing), block.size[1] + height];
        }
        let ends = spans.iter().skip(1).map(|(first, _)| *first).chain([block.glyphs.len()]);
        for ((first, width), end) in spans.iter().zip(ends.collect::<Vec<_>>()) {
            let room = block.size[0] - width;
            let shift = match style.justify {
                Justify::Left => 0.0,
                Justify::Right => room,
                Justify::Center | Justify::Auto => room / 2.0,
            };
            for glyph in &mut block.glyphs[*first..end] {
                glyph.origin[0] += shift;
                if let Some(bounds) = self.bounds(font, glyph.id) {
                    for corner in [bounds.low, bounds.high] {
                        let at = |axis: usize| glyph.origin[axis] + corner[axis] * glyph.size;
                        block.ink.add([at(0), at(1)]);
                    }
                }
            }
        }
        block
    }

    /// The lines of a text: broken after spaces, hyphens and slashes so that they are about equally long and
    /// as few as the maximum width allows.
    fn broken<'t>(&mut self, text: &'t str, scale: f32, style: &TextStyle) -> Vec<&'t str> {
        let text = text.trim();
        let em = style.size * scale;
        let glyphs = self.shape(style.font, text);
        let width = |from: usize, to: usize| -> f32 {
            let within = glyphs.iter().filter(|glyph| (from..to).contains(&(glyph.cluster as usize)));
            within.map(|glyph| glyph.advance * em + style.letter_spacing).sum()
        };
        let total = width(0, text.len());
        if style.max_width <= 0.0 || total <= style.max_width {
            return vec![text];
        }
        let is_break = |(_, letter): &(usize, char)| matches!(letter, ' ' | '-' | '–' | '/');
        let breaks = text.char_indices().filter(is_break).map(|(at, letter)| at + letter.len_utf8());
        let mut places: Vec<usize> = std::iter::once(0).chain(breaks).collect();
        places.push(text.len());
        places.dedup();
        let target = total / (total / style.max_width).ceil();
        // The least sum of squared differences from the target, for each place where a line may end.
        let mut best: Vec<(f32, usize)> = vec![(0.0, 0)];
        for end in 1..places.len() {
            let mut chosen = (f32::INFINITY, 0);
            for start in 0..end {
                let line = width(places[start], places[end]);
                // The last line may be short.
                let short = end + 1 == places.len() && line < target;
                let difference = if short { (line - target) / 2.0 } else { line - target };
                let wide = if line > style.max_width * 1.2 { 4.0 } else { 1.0 };
                let cost = best[start].0 + difference * difference * wide;
                if cost < chosen.0 {
                    chosen = (cost, start);
                }
            }
            best.push(chosen);
        }
        let mut lines = Vec::new();
        let mut end = places.len() - 1;
        while end > 0 {
            let start = best[end].1;
            lines.push(text[places[start]..places[end]].trim());
            end = start;
        }
        lines.reverse();
        lines
    }
}

fn transformed(text: &str, transform: Transform) -> Cow<'_, str> {
    match transform {
        Transform::None => Cow::Borrowed(text),
        Transform::Uppercase => Cow::Owned(text.to_uppercase()),
        Transform::Lowercase => Cow::Owned(text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> TextStyle {
        TextStyle {
            font: &Font::all()[0],
            size: 10.0,
            max_width: 80.0,
            line_height: 12.0,
            letter_spacing: 0.0,
            justify: Justify::Center,
            transform: Transform::None,
        }
    }

    fn text(text: &str) -> LabelText {
        LabelText(vec![Section { text: Cow::Owned(text.to_owned()), scale: 1.0 }])
    }

    #[test]
    fn lines_are_about_equally_long() {
        let block = Shaper::default().set(&text("Công viên Phan Bội Châu"), &style()).unwrap();
        assert_eq!(block.text, "Công viên\nPhan Bội Châu");
        assert_eq!(block.size[1], 24.0);
        assert!(block.size[0] < 80.0, "{:?}", block.size);
        let one = Shaper::default().set(&text("Công viên"), &style()).unwrap();
        assert_eq!(one.text, "Công viên");
        assert!(Shaper::default().set(&text(" \n "), &style()).is_none());
    }

    #[test]
    fn marks_above_capitals_count_as_ink() {
        let ink = |word: &str| Shaper::default().set(&text(word), &style()).unwrap().ink;
        assert!(ink("Ẩ").low[1] < ink("A").low[1] - 1.0, "{:?} {:?}", ink("Ẩ"), ink("A"));
        assert!(ink("ọ").high[1] > ink("o").high[1] + 0.5);
    }

    #[test]
    fn spacing_and_scale_change_the_size() {
        let wide = TextStyle { letter_spacing: 2.0, ..style() };
        let plain = Shaper::default().set(&text("abc"), &style()).unwrap();
        let spaced = Shaper::default().set(&text("abc"), &wide).unwrap();
        assert!((spaced.size[0] - plain.size[0] - 4.0).abs() < 1e-3);
        let two = LabelText(vec![
            Section { text: Cow::Borrowed("12\n"), scale: 1.0 },
            Section { text: Cow::Borrowed("ODT"), scale: 0.5 },
        ]);
        let block = Shaper::default().set(&two, &style()).unwrap();
        assert_eq!((block.text.as_str(), block.size[1]), ("12\nODT", 18.0));
        assert_eq!(block.glyphs.last().unwrap().size, 5.0);
    }
}
