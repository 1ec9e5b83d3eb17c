//! Pictures as files: PNG, JPEG and WebP.

use image::{
    ExtendedColorType, ImageEncoder, ImageError,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
        webp::WebPEncoder,
    },
};

use super::Picture;

/// A format of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// Exact, and keeps transparency.
    Png,
    /// Small, inexact and without transparency: white is under it.
    Jpeg,
    /// Exact, with transparency; smaller than PNG.
    WebP,
}

/// The picture could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be written as {format:?}: {source}")]
pub struct EncodeError {
    /// The format that was wanted.
    pub format: ImageFormat,
    /// What the encoder says.
    pub source: ImageError,
}

/// Quality of JPEG files, 1–100: thin lines and small letters stay legible.
const JPEG_QUALITY: u8 = 88;

impl ImageFormat {
    /// All formats; the first is the default.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::WebP];

    /// The media type, for example `image/png`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

impl Picture {
    /// The picture as a file.
    ///
    /// # Errors
    /// [`EncodeError`] if the format cannot hold it: WebP ends at 16 383 pixels a side, JPEG at 65 535.
    pub fn encode(self, format: ImageFormat) -> Result<Vec<u8>, EncodeError> {
        let [width, height] = self.size();
        let mut rgba = self.into_rgba();
        let mut out = Vec::new();
        let opaque = rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
        if format == ImageFormat::Jpeg && !opaque {
            for pixel in rgba.as_chunks_mut::<4>().0 {
                let alpha = u16::from(pixel[3]);
                for channel in &mut pixel[..3] {
                    *channel = ((u16::from(*channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
                }
            }
        }
        let color = if opaque || format == ImageFormat::Jpeg {
            rgba = rgba
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|&[red, green, blue, _]| [red, green, blue])
                .collect();
            ExtendedColorType::Rgb8
        } else {
            ExtendedColorType::Rgba8
        };
        let written = match format {
            ImageFormat::Png => PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Up)
                .write_image(&rgba, width, height, color),
            ImageFormat::Jpeg => {
                JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).write_image(&rgba, width, height, color)
            }
            ImageFormat::WebP => WebPEncoder::new_lossless(&mut out).write_image(&rgba, width, height, color),
        };
        written.map_err(|source| EncodeError { format, source })?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        raster::{Canvas, FillPaint},
        spec::Color,
    };

    fn picture() -> Picture {
        let mut picture = Picture::new([40, 30]).unwrap();
        let left = tiny_skia::Rect::from_xywh(0.0, 0.0, 20.0, 30.0).unwrap();
        let red = Color::parse("rgba(255,0,0,0.5)").unwrap();
        picture.fill(&tiny_skia::PathBuilder::from_rect(left), &FillPaint { color: red, antialias: true });
        picture
    }

    #[test]
    fn exact_formats_come_back_as_they_were_drawn() {
        let before = picture().into_rgba();
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let bytes = picture().encode(format).unwrap();
            let read = image::load_from_memory(&bytes).unwrap().into_rgba8();
            assert_eq!(read.dimensions(), (40, 30));
            assert_eq!(read.into_raw(), before, "{format:?}");
        }
    }

    #[test]
    fn jpeg_has_white_where_nothing_was_drawn() {
        let bytes = picture().encode(ImageFormat::Jpeg).unwrap();
        let read = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert!(
            read.get_pixel(35, 15).0.iter().all(|channel| *channel > 250),
            "{:?}",
            read.get_pixel(35, 15)
        );
        let [red, green, blue] = read.get_pixel(5, 15).0;
        assert!(
            red > 245 && (115..140).contains(&green) && (115..140).contains(&blue),
            "{red} {green} {blue}"
        );
    }

    #[test]
    fn a_side_that_a_format_cannot_hold_is_an_error() {
        let wide = Picture::new([20_000, 1]).unwrap();
        assert!(wide.encode(ImageFormat::WebP).is_err());
    }
}
