//! The symbols and hatchings that ship with the program (`tiles/sprites`).

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use tiny_skia::{IntSize, Pixmap};

/// An image of the sheet.
#[derive(Clone, Copy, Debug)]
pub struct Sprite<'a> {
    /// Its pixels, cut from the sheet.
    pub pixmap: &'a Pixmap,
    /// Pixels of the sheet to a pixel of the style.
    pub ratio: f32,
}

impl Sprite<'_> {
    /// Width and height in pixels of the style.
    pub fn size(&self) -> [f32; 2] {
        [self.pixmap.width(), self.pixmap.height()].map(|side| side as f32 / self.ratio)
    }
}

/// All images at one density.
#[derive(Debug, Default)]
pub struct SpriteSheet {
    images: BTreeMap<String, (Pixmap, f32)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    pixel_ratio: f32,
}

static SHEETS: LazyLock<[SpriteSheet; 2]> = LazyLock::new(|| {
    [
        SpriteSheet::read(
            include_bytes!("../../../tiles/sprites/citymap.json"),
            include_bytes!("../../../tiles/sprites/citymap.png"),
        ),
        SpriteSheet::read(
            include_bytes!("../../../tiles/sprites/citymap@2x.json"),
            include_bytes!("../../../tiles/sprites/citymap@2x.png"),
        ),
    ]
    // A test reads both sheets; with them the program is complete.
    .map(Option::unwrap_or_default)
});

impl SpriteSheet {
    /// The sheet for a picture with `ratio` pixels to a pixel of the style.
    pub fn for_ratio(ratio: f64) -> &'static Self {
        &SHEETS[usize::from(ratio > 1.0)]
    }

    /// The image with this name.
    pub fn get(&self, name: &str) -> Option<Sprite<'_>> {
        self.images.get(name).map(|(pixmap, ratio)| Sprite { pixmap, ratio: *ratio })
    }

    /// The names of all images, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.images.keys().map(String::as_str)
    }

    fn read(index: &[u8], png: &[u8]) -> Option<Self> {
        let entries: BTreeMap<String, Entry> = serde_json::from_slice(index).ok()?;
        let sheet = image::load_from_memory_with_format(png, image::ImageFormat::Png).ok()?.into_rgba8();
        let mut images = BTreeMap::new();
        for (name, Entry { x, y, width, height, pixel_ratio }) in entries {
            let part = image::imageops::crop_imm(&sheet, x, y, width, height).to_image();
            let mut bytes = part.into_raw();
            for pixel in bytes.as_chunks_mut::<4>().0 {
                let alpha = u16::from(pixel[3]);
                for channel in &mut pixel[..3] {
                    *channel = ((u16::from(*channel) * alpha + 127) / 255) as u8;
                }
            }
            let pixmap = Pixmap::from_vec(bytes, IntSize::from_wh(width, height)?)?;
            images.insert(name, (pixmap, pixel_ratio));
        }
        Some(Self { images })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sheets_have_the_same_images_in_the_same_size() {
        let [one, two] = [1.0, 2.0].map(SpriteSheet::for_ratio);
        assert!(one.names().eq(two.names()) && one.names().any(|name| name == "hatch-diagonal"));
        for name in one.names() {
            let (one, two) = (one.get(name).unwrap(), two.get(name).unwrap());
            assert_eq!(one.size(), two.size(), "{name}");
            assert_eq!(two.ratio, 2.0);
        }
        assert!(one.get("nothing").is_none());
    }
}
