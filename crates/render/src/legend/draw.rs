//! Draws what stands for an entry of a legend, on any canvas.

use tiny_skia::{Path, PathBuilder};

use super::{LegendEntry, LegendGeometry, LegendPart};
use crate::{
    raster::{FillPaint, Frames, ImagePlace, PatternPlace, StrokePaint},
    spec::{Color, LineCap, LineJoin},
    sprite::SpriteSheet,
};

/// Draws what stands for an entry in a box (left and top, right and bottom), at `ratio` pixels of the canvas
/// to a pixel of the style; `backing` is behind lines and points.
pub(crate) fn draw_sample(
    canvas: &mut impl Frames,
    entry: &LegendEntry,
    area: [[f32; 2]; 2],
    (ratio, backing): (f32, Color),
) {
    let [low, high] = area;
    let size = [high[0] - low[0], high[1] - low[1]];
    let middle = size.map(|side| side / 2.0);
    let sheet = SpriteSheet::for_ratio(f64::from(ratio));
    let is_area = entry.geometry == LegendGeometry::Polygon;
    canvas.begin_frame(area);
    let whole = rectangle([0.0; 2], size);
    let excess = excess(&entry.parts, ratio, size[1]);
    if let Some(path) = whole.as_ref().filter(|_| !is_area) {
        // Streets may be as white as the paper.
        canvas.fill(path, &FillPaint { color: backing, antialias: true });
    }
    for part in &entry.parts {
        match part {
            LegendPart::Fill { color, opacity } => {
                if let Some(path) = &whole {
                    canvas.fill(path, &FillPaint { color: seen(color, *opacity), antialias: true });
                }
            }
            LegendPart::Pattern { image, opacity } => {
                if let (Some(path), Some(sprite)) = (&whole, sheet.get(image)) {
                    let place =
                        PatternPlace { origin: [0.0; 2], scale: ratio / sprite.ratio, opacity: *opacity };
                    canvas.fill_pattern(path, &sprite, &place);
                }
            }
            LegendPart::Line { color, opacity, width, dashes, offset } => {
                let width = (width * ratio - excess).max((width * ratio).min(ratio));
                // The edge of an area is drawn inside of the sample, where the frame does not cut it.
                let path = if is_area {
                    let inset = offset * ratio + width / 2.0;
                    let far = size.map(|side| (side - inset).max(inset));
                    rectangle([inset; 2], far)
                } else {
                    let y = middle[1] + offset * ratio;
                    let mut path = PathBuilder::new();
                    path.move_to(0.0, y);
                    path.line_to(size[0], y);
                    path.finish()
                };
                if let Some(path) = path {
                    let plain = plain_stroke(seen(color, *opacity), width);
                    let paint = StrokePaint { dashes: even(dashes, width), ..plain };
                    canvas.stroke(&path, &paint);
                }
            }
            LegendPart::Circle { color, opacity, radius, stroke_color, stroke_width } => {
                let radius = radius * ratio;
                let disc = |radius: f32| PathBuilder::from_circle(middle[0], middle[1], radius);
                if let Some(path) = disc(radius) {
                    let paint = FillPaint { color: seen(color, *opacity), antialias: true };
                    canvas.fill(&path, &paint);
                }
                let width = stroke_width * ratio;
                if let Some(path) = disc(radius + width / 2.0).filter(|_| width > 0.0) {
                    canvas.stroke(&path, &plain_stroke(seen(stroke_color, 1.0), width));
                }
            }
            LegendPart::Icon { image, size } => {
                if let Some(sprite) = sheet.get(image) {
                    let scale = ratio / sprite.ratio * size;
                    let place = ImagePlace { center: middle, scale, rotate: 0.0, opacity: 1.0 };
                    canvas.image(&sprite, &place);
                }
            }
        }
    }
    canvas.end_frame();
}

/// How much narrower than on the map lines are drawn, so that the edges of a wide road are in the sample.
fn excess(parts: &[LegendPart], ratio: f32, height: f32) -> f32 {
    let widths = parts.iter().map(|part| match part {
        LegendPart::Line { width, .. } => width * ratio,
        _ => 0.0,
    });
    (widths.fold(0.0, f32::max) - 0.75 * height).max(0.0)
}

/// The box between two corners.
fn rectangle(low: [f32; 2], high: [f32; 2]) -> Option<Path> {
    let rect = tiny_skia::Rect::from_ltrb(low[0], low[1], high[0], high[1])?;
    Some(PathBuilder::from_rect(rect))
}

/// A whole line of a width.
fn plain_stroke(color: Color, width: f32) -> StrokePaint {
    let (cap, join) = (LineCap::Butt, LineJoin::Miter);
    StrokePaint { color, width, cap, join, miter_limit: 4.0, dashes: Vec::new() }
}

/// The dashes in units, an even number of them.
fn even(dashes: &[f32], width: f32) -> Vec<f32> {
    let mut dashes: Vec<f32> = dashes.iter().map(|part| part * width).collect();
    if dashes.len() % 2 == 1 {
        dashes.extend_from_within(..);
    }
    dashes
}

/// A colour of a legend with its opacity.
fn seen(color: &str, opacity: f32) -> Color {
    Color::parse(color).unwrap_or(Color::BLACK).with_opacity(opacity)
}
