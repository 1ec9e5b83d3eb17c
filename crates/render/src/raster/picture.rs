//! The canvas of pixels.

use rustc_hash::FxHashMap;
use tiny_skia::{
    FillRule, FilterQuality, IntRect, Paint, Path, PathBuilder, Pattern, Pixmap, PixmapPaint, Shader,
    SpreadMode, Stroke, StrokeDash, Transform,
};

use super::{Canvas, FillPaint, Frames, ImagePlace, PatternPlace, StrokePaint, TextPaint};
use crate::{
    labels::GlyphRun,
    spec::{Color, LineCap, LineJoin},
    sprite::Sprite,
};

/// A picture of pixels, transparent at first.
#[derive(Debug)]
pub struct Picture {
    pixmap: Pixmap,
    /// Outlines of glyphs, one em wide.
    outlines: FxHashMap<(&'static str, u32), Option<Path>>,
    /// While a frame is drawn: the picture around it, and where the frame begins in it.
    around: Option<(Pixmap, [i32; 2])>,
}

impl Picture {
    /// A transparent picture of this width and height; `None` if a side is 0 or there are too many pixels.
    pub fn new([width, height]: [u32; 2]) -> Option<Self> {
        Some(Self { pixmap: Pixmap::new(width, height)?, outlines: FxHashMap::default(), around: None })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.pixmap.width(), self.pixmap.height()]
    }

    /// Red, green, blue and opacity (0–255, not multiplied by it) of each pixel, in rows from the top.
    pub fn into_rgba(self) -> Vec<u8> {
        self.pixmap.take_demultiplied()
    }

    /// A part of the picture, from a pixel on, of this width and height; `None` if it is empty or reaches
    /// beyond the picture.
    pub fn part(&self, [x, y]: [u32; 2], [width, height]: [u32; 2]) -> Option<Self> {
        let [x, y] = [i32::try_from(x).ok()?, i32::try_from(y).ok()?];
        let pixmap = self.pixmap.as_ref().clone_rect(IntRect::from_xywh(x, y, width, height)?)?;
        let is_whole = [pixmap.width(), pixmap.height()] == [width, height];
        is_whole.then(|| Self { pixmap, outlines: FxHashMap::default(), around: None })
    }

    /// The colour of a pixel: red, green, blue and opacity, 0–255; `None` outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        let color = self.pixmap.pixel(x, y)?.demultiply();
        Some([color.red(), color.green(), color.blue(), color.alpha()])
    }
}

fn solid(color: Color, anti_alias: bool) -> Paint<'static> {
    let mut paint = Paint { anti_alias, ..Paint::default() };
    let [red, green, blue, alpha] = color.to_rgba8();
    paint.set_color_rgba8(red, green, blue, alpha);
    paint
}

impl Canvas for Picture {
    fn clear(&mut self, color: Color) {
        let [width, height] = self.size().map(|side| side as f32);
        if let Some(whole) = tiny_skia::Rect::from_xywh(0.0, 0.0, width, height) {
            self.pixmap.fill_rect(whole, &solid(color, false), Transform::identity(), None);
        }
    }

    fn fill(&mut self, path: &Path, paint: &FillPaint) {
        let solid = solid(paint.color, paint.antialias);
        self.pixmap.fill_path(path, &solid, FillRule::Winding, Transform::identity(), None);
    }

    fn fill_pattern(&mut self, path: &Path, sprite: &Sprite<'_>, place: &PatternPlace) {
        // Hatchings are drawn pixel by pixel, so their rows begin at whole pixels.
        let [x, y] = place.origin.map(f32::round);
        let transform = Transform::from_row(place.scale, 0.0, 0.0, place.scale, x, y);
        let whole = (place.scale - 1.0).abs() < 1e-3;
        let quality = if whole { FilterQuality::Nearest } else { FilterQuality::Bilinear };
        let shader: Shader<'_> =
            Pattern::new(sprite.pixmap.as_ref(), SpreadMode::Repeat, quality, place.opacity, transform);
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    fn stroke(&mut self, path: &Path, paint: &StrokePaint) {
        let dash = if paint.dashes.iter().any(|part| *part > 0.0) {
            StrokeDash::new(paint.dashes.clone(), 0.0)
        } else {
            None
        };
        let stroke = Stroke {
            width: paint.width,
            miter_limit: paint.miter_limit.max(1.0),
            line_cap: match paint.cap {
                LineCap::Butt => tiny_skia::LineCap::Butt,
                LineCap::Round => tiny_skia::LineCap::Round,
                LineCap::Square => tiny_skia::LineCap::Square,
            },
            line_join: match paint.join {
                LineJoin::Miter => tiny_skia::LineJoin::Miter,
                LineJoin::Round => tiny_skia::LineJoin::Round,
                LineJoin::Bevel => tiny_skia::LineJoin::Bevel,
            },
            dash,
        };
        self.pixmap.stroke_path(path, &solid(paint.color, true), &stroke, Transform::identity(), None);
    }

    fn glyphs(&mut self, run: &GlyphRun, paint: &TextPaint) {
        let mut path = PathBuilder::new();
        for glyph in &run.glyphs {
            let key = (run.font.name(), glyph.id);
            let Some(outline) = self.outlines.entry(key).or_insert_with(|| run.font.outline(glyph.id)) else {
                continue;
            };
            let (sin, cos) = glyph.angle.sin_cos();
            let (size, [x, y]) = (glyph.size, glyph.origin);
            let transform = Transform::from_row(size * cos, size * sin, -size * sin, size * cos, x, y);
            if let Some(placed) = outline.clone().transform(transform) {
                path.push_path(&placed);
            }
        }
        let Some(path) = path.finish() else { return };
        if paint.halo.alpha > 0.0 && paint.halo_width > 0.0 {
            let halo = Stroke {
                width: paint.halo_width * 2.0,
                line_join: tiny_skia::LineJoin::Round,
                line_cap: tiny_skia::LineCap::Round,
                ..Stroke::default()
            };
            self.pixmap.stroke_path(&path, &solid(paint.halo, true), &halo, Transform::identity(), None);
        }
        let solid = solid(paint.color, true);
        self.pixmap.fill_path(&path, &solid, FillRule::Winding, Transform::identity(), None);
    }

    fn image(&mut self, sprite: &Sprite<'_>, place: &ImagePlace) {
        let [width, height] =
            [sprite.pixmap.width(), sprite.pixmap.height()].map(|side| side as f32 * place.scale);
        let [x, y] = place.center;
        let mut left_top = [x - width / 2.0, y - height / 2.0];
        let whole = (place.scale - 1.0).abs() < 1e-3 && place.rotate == 0.0;
        if whole {
            left_top = left_top.map(f32::round);
        }
        let transform = Transform::from_row(place.scale, 0.0, 0.0, place.scale, left_top[0], left_top[1])
            .post_concat(Transform::from_rotate_at(place.rotate, x, y));
        let quality = if whole { FilterQuality::Nearest } else { FilterQuality::Bilinear };
        let paint = PixmapPaint { opacity: place.opacity, quality, ..PixmapPaint::default() };
        self.pixmap.draw_pixmap(0, 0, sprite.pixmap.as_ref(), &paint, transform, None);
    }
}

impl Frames for Picture {
    /// A frame begins and ends at whole pixels.
    fn begin_frame(&mut self, [low, high]: [[f32; 2]; 2]) {
        let [low, high] = [low, high].map(|corner| corner.map(|value| value.round()));
        let [width, height] = [0, 1].map(|axis| (high[axis] - low[axis]).max(1.0) as u32);
        if let Some(frame) = Pixmap::new(width, height) {
            let whole = std::mem::replace(&mut self.pixmap, frame);
            self.around = Some((whole, low.map(|value| value as i32)));
        }
    }

    fn end_frame(&mut self) {
        let Some((whole, [x, y])) = self.around.take() else { return };
        let frame = std::mem::replace(&mut self.pixmap, whole);
        let paint = PixmapPaint::default();
        self.pixmap.draw_pixmap(x, y, frame.as_ref(), &paint, Transform::identity(), None);
    }
}
