//! The formats of map pictures: pixels, or vectors.

use citymap_render::raster::ImageFormat;

/// A format of a map picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum MapFormat {
    /// Pixels, exact and with transparency.
    #[default]
    Png,
    /// Pixels, small and inexact.
    Jpeg,
    /// Pixels, exact and smaller than PNG.
    WebP,
    /// Vectors, with texts as outlines.
    Svg,
    /// Vectors on a page of the size of the picture, with texts that can be selected.
    Pdf,
}

impl MapFormat {
    /// All formats; the first is the default.
    pub(crate) const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::WebP, Self::Svg, Self::Pdf];
    /// The names of [`MapFormat::ALL`], as `f` has them.
    pub(crate) const NAMES: &[&str] = &["png", "jpeg", "webp", "svg", "pdf"];

    /// The format with this name of [`MapFormat::NAMES`].
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().zip(Self::NAMES).find(|(_, own)| **own == name);
        found.map(|(format, _)| format).unwrap_or_default()
    }

    /// The media type, for example `image/png`.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Pdf => "application/pdf",
            Self::Png => ImageFormat::Png.media_type(),
            Self::Jpeg => ImageFormat::Jpeg.media_type(),
            Self::WebP => ImageFormat::WebP.media_type(),
        }
    }

    /// The format of pixels; `None` for vectors.
    pub(super) fn image(self) -> Option<ImageFormat> {
        match self {
            Self::Png => Some(ImageFormat::Png),
            Self::Jpeg => Some(ImageFormat::Jpeg),
            Self::WebP => Some(ImageFormat::WebP),
            Self::Svg | Self::Pdf => None,
        }
    }
}
