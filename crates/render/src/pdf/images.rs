//! Images of the sprite as PDF knows them: colours and opacity as two streams.

use std::io::Write;

use rustc_hash::FxHashMap;
use tiny_skia::Pixmap;

use super::{
    PdfError,
    objects::{ObjectWriter, Ref},
};

/// The images and the patterns of a file, each once.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// The number of an image by its width and pixels.
    numbers: FxHashMap<(u32, Vec<u8>), usize>,
    /// The images in the order of their first use.
    images: Vec<Pixmap>,
    patterns: FxHashMap<PatternKey, usize>,
    pattern_list: Vec<PatternKey>,
}

/// What distinguishes patterns: the image, its opacity in parts of 255, and in millionths the scale and the
/// origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PatternKey {
    pub(super) image: usize,
    pub(super) opacity: u8,
    /// The matrix from the pattern to the page in points, in millionths.
    pub(super) matrix: [i64; 6],
}

impl Images {
    /// The number of an image.
    pub(super) fn image(&mut self, pixmap: &Pixmap) -> usize {
        let next = self.images.len();
        let key = (pixmap.width(), pixmap.data().to_vec());
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.images.push(pixmap.clone());
        }
        number
    }

    /// The number of a pattern.
    pub(super) fn pattern(&mut self, key: PatternKey) -> usize {
        let next = self.pattern_list.len();
        let number = *self.patterns.entry(key).or_insert(next);
        if number == next {
            self.pattern_list.push(key);
        }
        number
    }

    /// Writes all of them, and gives the entries of a resource dictionary.
    pub(super) fn write<W: Write>(
        &self,
        file: &mut ObjectWriter<W>,
        states: &str,
    ) -> Result<String, PdfError> {
        let mut images = Vec::with_capacity(self.images.len());
        for pixmap in &self.images {
            images.push(write_image(file, pixmap)?);
        }
        let mut entries = String::new();
        if !images.is_empty() {
            let named: String =
                images.iter().enumerate().map(|(number, own)| format!("/I{number} {own} ")).collect();
            entries.push_str(&format!("/XObject << {named}>> "));
        }
        if !self.pattern_list.is_empty() {
            let mut named = String::new();
            for (number, key) in self.pattern_list.iter().enumerate() {
                let own = self.write_pattern(file, key, (images[key.image], states))?;
                named.push_str(&format!("/P{number} {own} "));
            }
            entries.push_str(&format!("/Pattern << {named}>> "));
        }
        Ok(entries)
    }

    fn write_pattern<W: Write>(
        &self,
        file: &mut ObjectWriter<W>,
        key: &PatternKey,
        (image, states): (Ref, &str),
    ) -> Result<Ref, PdfError> {
        let pixmap = &self.images[key.image];
        let (width, height) = (pixmap.width(), pixmap.height());
        let matrix: Vec<String> = key.matrix.iter().map(|value| format!("{}", *value as f64 / 1e6)).collect();
        let entries = format!(
            "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 {width} {height}] \
             /XStep {width} /YStep {height} /Matrix [{}] \
             /Resources << /XObject << /I {image} >> {states}>>",
            matrix.join(" ")
        );
        let state = if key.opacity < 255 { format!("/A{} gs ", key.opacity) } else { String::new() };
        let content = format!("{state}{width} 0 0 {height} 0 0 cm /I Do");
        file.stream(&entries, content.as_bytes())
    }
}

fn write_image<W: Write>(file: &mut ObjectWriter<W>, pixmap: &Pixmap) -> Result<Ref, PdfError> {
    let (width, height) = (pixmap.width(), pixmap.height());
    let mut colors = Vec::with_capacity(pixmap.pixels().len() * 3);
    let mut opacity = Vec::with_capacity(pixmap.pixels().len());
    for pixel in pixmap.pixels() {
        let color = pixel.demultiply();
        colors.extend([color.red(), color.green(), color.blue()]);
        opacity.push(color.alpha());
    }
    let common =
        format!("/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8");
    let mask = file.stream(&format!("{common} /ColorSpace /DeviceGray"), &opacity)?;
    file.stream(&format!("{common} /ColorSpace /DeviceRGB /SMask {mask}"), &colors)
}
