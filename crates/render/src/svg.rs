//! SVG documents: the canvas for pictures that are edited or scaled afterwards.
//!
//! Texts are drawn from the outlines of glyphs, each of which is in the document once, so that a picture
//! looks the same where the fonts are missing; the text itself is the `aria-label` of its group. The same
//! drawing gives the same bytes.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::Engine as _;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use rustc_hash::FxHashMap;
use tiny_skia::{Path, PathSegment, Pixmap};

use crate::{
    labels::{Font, GlyphRun},
    raster::{Canvas, FillPaint, Frames, ImagePlace, PatternPlace, StrokePaint, TextPaint},
    spec::{Color, LineCap, LineJoin},
    sprite::Sprite,
};

/// The picture has become larger than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SVG picture is larger than {max} bytes; ask for a smaller area, or for PNG")]
pub struct SvgTooLarge {
    /// The maximum size in bytes.
    pub max: usize,
}

/// An SVG picture that is being drawn, in pixels of the picture.
#[derive(Debug)]
pub struct SvgPicture {
    size: [u32; 2],
    bytes_max: usize,
    body: String,
    /// The glyphs that are used: by the position of the font and the number of the glyph.
    glyphs: BTreeMap<(usize, u32), String>,
    /// The images of the sprite by width and pixels, and their data addresses.
    numbers: FxHashMap<(u32, Vec<u8>), usize>,
    images: Vec<(Pixmap, String)>,
    patterns: Vec<(usize, PatternPlace)>,
    /// Whether a frame is being drawn.
    framed: bool,
}

impl SvgPicture {
    /// An empty picture of this width and height in pixels.
    pub fn new(size: [u32; 2], bytes_max: usize) -> Self {
        Self {
            size,
            bytes_max,
            body: String::new(),
            glyphs: BTreeMap::new(),
            numbers: FxHashMap::default(),
            images: Vec::new(),
            patterns: Vec::new(),
            framed: false,
        }
    }

    /// The document.
    ///
    /// # Errors
    /// [`SvgTooLarge`] if it is larger than it may be.
    pub fn finish(self) -> Result<String, SvgTooLarge> {
        let [width, height] = self.size;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<defs>\n"
        );
        for ((font, glyph), path) in &self.glyphs {
            out.push_str(&format!("<path id=\"g{font}-{glyph}\" d=\"{path}\"/>\n"));
        }
        for (number, (pixmap, address)) in self.images.iter().enumerate() {
            let (width, height) = (pixmap.width(), pixmap.height());
            out.push_str(&format!(
                "<image id=\"i{number}\" width=\"{width}\" height=\"{height}\" href=\"{address}\"/>\n"
            ));
        }
        for (number, (image, place)) in self.patterns.iter().enumerate() {
            let pixmap = &self.images[*image].0;
            let (width, height) = (pixmap.width(), pixmap.height());
            let ([x, y], scale, opacity) = (place.origin, place.scale, place.opacity);
            out.push_str(&format!(
                "<pattern id=\"p{number}\" width=\"{width}\" height=\"{height}\" \
                 patternUnits=\"userSpaceOnUse\" patternTransform=\"translate({x} {y}) scale({scale})\">\
                 <use href=\"#i{image}\" opacity=\"{opacity}\"/></pattern>\n"
            ));
        }
        out.push_str("</defs>\n");
        if self.body.len() + out.len() > self.bytes_max {
            return Err(SvgTooLarge { max: self.bytes_max });
        }
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        Ok(out)
    }

    /// Appends an element, unless the picture is too large already.
    fn push(&mut self, element: &str) {
        if self.body.len() <= self.bytes_max {
            self.body.push_str(element);
            self.body.push('\n');
        }
    }

    fn image_number(&mut self, pixmap: &Pixmap) -> usize {
        let next = self.images.len();
        let number = *self.numbers.entry((pixmap.width(), pixmap.data().to_vec())).or_insert(next);
        if number == next {
            self.images.push((pixmap.clone(), data_address(pixmap)));
        }
        number
    }

    /// The elements of glyphs.
    fn uses(&mut self, run: &GlyphRun) -> String {
        let font = Font::all().iter().position(|own| own.name() == run.font.name()).unwrap_or_default();
        let mut uses = String::new();
        for glyph in &run.glyphs {
            let path = self.glyphs.entry((font, glyph.id)).or_insert_with(|| {
                run.font.outline(glyph.id).map_or_else(String::new, |outline| path_data(&outline, 4))
            });
            if path.is_empty() {
                continue;
            }
            let ([x, y], size) = (glyph.origin, glyph.size);
            let turn = if glyph.angle == 0.0 {
                String::new()
            } else {
                format!(" rotate({})", short(glyph.angle.to_degrees(), 2))
            };
            uses.push_str(&format!(
                "<use href=\"#g{font}-{}\" transform=\"translate({} {}){turn} scale({})\"/>",
                glyph.id,
                short(x, 2),
                short(y, 2),
                short(size, 3)
            ));
        }
        uses
    }
}

impl Canvas for SvgPicture {
    fn clear(&mut self, color: Color) {
        let paint = paint("fill", color);
        self.push(&format!("<rect width=\"100%\" height=\"100%\"{paint}/>"));
    }

    fn fill(&mut self, path: &Path, own: &FillPaint) {
        // Areas that share edges overlap a little, or the ground would shine through.
        let edge = if own.antialias || own.color.alpha < 1.0 {
            String::new()
        } else {
            format!("{} stroke-width=\"0.3\"", paint("stroke", own.color))
        };
        self.push(&format!("<path d=\"{}\"{}{edge}/>", path_data(path, 2), paint("fill", own.color)));
    }

    fn fill_pattern(&mut self, path: &Path, sprite: &Sprite<'_>, place: &PatternPlace) {
        let image = self.image_number(sprite.pixmap);
        let is_same = |own: &(usize, PatternPlace)| {
            let (number, own) = own;
            *number == image
                && own.origin == place.origin
                && own.scale == place.scale
                && own.opacity == place.opacity
        };
        let number = self.patterns.iter().position(is_same).unwrap_or_else(|| {
            self.patterns.push((image, *place));
            self.patterns.len() - 1
        });
        self.push(&format!("<path d=\"{}\" fill=\"url(#p{number})\"/>", path_data(path, 2)));
    }

    fn stroke(&mut self, path: &Path, own: &StrokePaint) {
        let cap = match own.cap {
            LineCap::Butt => "",
            LineCap::Round => " stroke-linecap=\"round\"",
            LineCap::Square => " stroke-linecap=\"square\"",
        };
        let join = match own.join {
            LineJoin::Miter => format!(" stroke-miterlimit=\"{}\"", short(own.miter_limit.max(1.0), 2)),
            LineJoin::Round => " stroke-linejoin=\"round\"".to_owned(),
            LineJoin::Bevel => " stroke-linejoin=\"bevel\"".to_owned(),
        };
        let dashes = if own.dashes.iter().any(|part| *part > 0.0) {
            let parts: Vec<String> = own.dashes.iter().map(|part| short(*part, 2)).collect();
            format!(" stroke-dasharray=\"{}\"", parts.join(" "))
        } else {
            String::new()
        };
        let (color, width) = (paint("stroke", own.color), short(own.width, 3));
        let data = path_data(path, 2);
        self.push(&format!(
            "<path d=\"{data}\" fill=\"none\"{color} stroke-width=\"{width}\"{cap}{join}{dashes}/>"
        ));
    }

    fn glyphs(&mut self, run: &GlyphRun, own: &TextPaint) {
        let uses = self.uses(run);
        if uses.is_empty() {
            return;
        }
        let size = run.glyphs.first().map_or(1.0, |glyph| glyph.size);
        let label = escaped(&run.text.replace('\n', " "));
        let mut group = format!("<g role=\"img\" aria-label=\"{label}\">");
        if own.halo.alpha > 0.0 && own.halo_width > 0.0 {
            // Widths are scaled with the glyphs.
            let width = short(own.halo_width * 2.0 / size, 4);
            let _ = write!(
                group,
                "<g fill=\"none\" stroke-linejoin=\"round\"{} stroke-width=\"{width}\">{uses}</g>",
                paint("stroke", own.halo)
            );
        }
        let _ = write!(group, "<g{}>{uses}</g></g>", paint("fill", own.color));
        self.push(&group);
    }

    fn image(&mut self, sprite: &Sprite<'_>, place: &ImagePlace) {
        let number = self.image_number(sprite.pixmap);
        let [width, height] = [sprite.pixmap.width(), sprite.pixmap.height()].map(|side| side as f32);
        let ([x, y], scale) = (place.center, place.scale);
        let opacity = if place.opacity < 1.0 {
            format!(" opacity=\"{}\"", short(place.opacity, 3))
        } else {
            String::new()
        };
        self.push(&format!(
            "<use href=\"#i{number}\" transform=\"translate({} {}) rotate({}) scale({}) \
             translate({} {})\"{opacity}/>",
            short(x, 2),
            short(y, 2),
            short(place.rotate, 2),
            short(scale, 4),
            -width / 2.0,
            -height / 2.0
        ));
    }
}

impl Frames for SvgPicture {
    fn begin_frame(&mut self, [low, high]: [[f32; 2]; 2]) {
        let [x, y] = low.map(|value| short(value, 2));
        let [width, height] = [0, 1].map(|axis| short(high[axis] - low[axis], 2));
        self.push(&format!("<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">"));
        self.framed = true;
    }

    fn end_frame(&mut self) {
        // An element that was begun is ended, however large the picture is.
        if std::mem::take(&mut self.framed) {
            self.body.push_str("</svg>\n");
        }
    }
}

/// The attributes of a colour.
fn paint(name: &str, color: Color) -> String {
    let [red, green, blue, _] = Color { alpha: 1.0, ..color }.to_rgba8();
    let opacity = if color.alpha < 1.0 {
        format!(" {name}-opacity=\"{}\"", short(color.alpha, 3))
    } else {
        String::new()
    };
    format!(" {name}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

/// A number with at most so many decimals.
fn short(value: f32, decimals: i32) -> String {
    let unit = 10_f64.powi(decimals);
    let rounded = (f64::from(value) * unit).round() / unit;
    // No "-0".
    format!("{}", rounded + 0.0)
}

fn path_data(path: &Path, decimals: i32) -> String {
    let mut data = String::new();
    let mut put = |letter: char, points: &[tiny_skia::Point]| {
        data.push(letter);
        for (number, point) in points.iter().enumerate() {
            if number > 0 {
                data.push(' ');
            }
            data.push_str(&short(point.x, decimals));
            data.push(' ');
            data.push_str(&short(point.y, decimals));
        }
    };
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(to) => put('M', &[to]),
            PathSegment::LineTo(to) => put('L', &[to]),
            PathSegment::QuadTo(by, to) => put('Q', &[by, to]),
            PathSegment::CubicTo(a, b, to) => put('C', &[a, b, to]),
            PathSegment::Close => put('Z', &[]),
        }
    }
    data
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// An image as a `data:` address.
fn data_address(pixmap: &Pixmap) -> String {
    let mut png = Vec::new();
    let pixels = pixmap.clone().take_demultiplied();
    // Writing into memory does not fail for an image of valid size.
    let _ = PngEncoder::new(&mut png).write_image(
        &pixels,
        pixmap.width(),
        pixmap.height(),
        ExtendedColorType::Rgba8,
    );
    format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png))
}

#[cfg(test)]
mod tests {
    use tiny_skia::PathBuilder;

    use super::*;
    use crate::labels::PlacedGlyph;

    #[test]
    fn a_picture_is_well_formed_and_bounded() {
        let draw = |bytes_max: usize| {
            let mut picture = SvgPicture::new([100, 50], bytes_max);
            picture.clear(Color::WHITE);
            let mut path = PathBuilder::new();
            path.move_to(1.0, 2.0);
            path.quad_to(3.0, 4.0, 5.006, 6.0);
            path.close();
            picture.fill(&path.finish().unwrap(), &FillPaint { color: Color::BLACK, antialias: true });
            let font = Font::all().first().unwrap();
            let glyph = font.shape("Đ")[0];
            let placed = PlacedGlyph { id: glyph.id, origin: [10.0, 20.0], size: 12.0, angle: 0.0 };
            let run = GlyphRun { font, text: "Đ & \"<".to_owned(), glyphs: vec![placed, placed] };
            let halo = Color { alpha: 0.5, ..Color::WHITE };
            picture.glyphs(&run, &TextPaint { color: Color::BLACK, halo, halo_width: 1.0 });
            picture.finish()
        };
        let text = draw(1 << 20).unwrap();
        assert_eq!(text, draw(1 << 20).unwrap());
        assert!(text.contains("<path d=\"M1 2Q3 4 5.01 6Z\" fill=\"#000000\"/>"), "{text}");
        assert!(text.contains("aria-label=\"Đ &amp; &quot;&lt;\""), "{text}");
        assert_eq!(text.matches("<path id=\"g0-").count(), 1);
        assert_eq!(text.matches("<use href=\"#g0-").count(), 4);
        assert!(text.contains("stroke-opacity=\"0.5\""));
        assert_eq!(draw(100), Err(SvgTooLarge { max: 100 }));
    }
}
