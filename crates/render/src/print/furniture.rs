//! The scale bar, the north arrow, and the code of squares that leads to the map.

use citymap_crs::Crs;
use citymap_planning::wording::number;
use qrcodegen::{QrCode, QrCodeEcc};
use tiny_skia::PathBuilder;

use super::{
    PrintError, Sheet,
    highlight::Highlight,
    paper::Area,
    pen::{ACCENT, Align, INK, Lettering, Pen, corners},
    sheet::metres_per_unit,
};
use crate::{
    raster::{Canvas, FillPaint, Frames},
    spec::Color,
};

/// The scale of a map in words.
pub(crate) fn scale_text(scale: f64, lang: &str) -> String {
    let name = if lang == "en" { "Scale" } else { "Tỷ lệ" };
    format!("{name} 1:{}", number(scale, 0, lang))
}

/// The coordinate system of a map, the distance of its grid, and what its coordinates are.
pub(crate) fn grid_texts(step: f64, lang: &str) -> [String; 3] {
    let say = |vi, en| if lang == "en" { en } else { vi };
    let crs = Crs::home();
    [
        format!("{} {} (EPSG:{})", say("Hệ tọa độ", "Coordinates"), crs.name(), crs.code()),
        format!("{} {} m", say("Lưới tọa độ", "Grid of"), number(step, 0, lang)),
        say("X: bắc, Y: đông (m)", "X: northing, Y: easting (m)").to_owned(),
    ]
}

/// Outlines a feature in the frame of a sheet.
pub(crate) fn draw_outline(
    pen: &mut Pen<'_>,
    (sheet, frame): (&Sheet, Area),
    highlight: &Highlight,
) -> Result<(), PrintError> {
    let mut path = PathBuilder::new();
    let mut pixels = Vec::new();
    for ring in highlight.rings() {
        let points: Vec<[f64; 2]> = ring.coords().map(|at| [at.x, at.y]).collect();
        sheet.view().pixels_of_lonlat(&points, &mut pixels)?;
        for (number, [x, y]) in pixels.iter().map(|at| at.map(|value| value as f32)).enumerate() {
            if number == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        path.close();
    }
    pen.page.begin_frame(frame);
    if let Some(path) = path.finish() {
        pen.stroke(&path, OUTLINE[0], Color { alpha: 0.9, ..Color::WHITE });
        pen.stroke(&path, OUTLINE[1], ACCENT);
    }
    pen.page.end_frame();
    Ok(())
}

/// The widths of an outline in units: of its pale edges, and of its line.
pub(crate) const OUTLINE: [f32; 2] = [9.0, 5.0];

/// The length of a scale bar in metres, and its number of parts: as long as fits into `width` units.
pub(super) fn bar(scale: f64, width: f32) -> (f64, u32) {
    let most = f64::from(width) * metres_per_unit(scale);
    let unit = 10_f64.powf(most.log10().floor());
    let part = [5.0, 2.0, 1.0].into_iter().find(|part| part * unit <= most).unwrap_or(1.0);
    (part * unit, if part == 2.0 { 4 } else { 5 })
}

/// Draws a scale bar with its left end at a point; gives its height.
pub(crate) fn draw_bar(
    pen: &mut Pen<'_>,
    scale: f64,
    look: &Lettering,
    ([x, y], width): ([f32; 2], f32),
) -> f32 {
    let (metres, parts) = bar(scale, width);
    let length = (metres / metres_per_unit(scale)) as f32;
    let (top, height) = (y + look.leading(), look.size * 0.6);
    for part in 0..parts {
        let at = |part: u32| x + length * part as f32 / parts as f32;
        let area = [[at(part), top], [at(part + 1), top + height]];
        pen.fill(&corners(area), if part.is_multiple_of(2) { INK } else { Color::WHITE });
    }
    pen.frame([[x, top], [x + length, top + height]], look.size * 0.06, INK);
    pen.text("0", look, [x, y + look.size], Align::Left);
    let text = if metres >= 1_000.0 { format!("{} km", metres / 1e3) } else { format!("{metres} m") };
    pen.text(&text, look, [x + length, y + look.size], Align::Middle);
    look.leading() + height
}

/// Draws an arrow to grid north with its middle at a point, `length` units long.
pub(crate) fn draw_north(
    pen: &mut Pen<'_>,
    look: &Lettering,
    (middle, length): ([f32; 2], f32),
    (bearing, letter): (f64, &str),
) {
    let (sin, cos) = (-bearing as f32).to_radians().sin_cos();
    let at = |x: f32, y: f32| {
        let [x, y] = [x * length, y * length];
        [middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos]
    };
    let (tip, foot) = (at(0.0, -0.5), at(0.0, 0.3));
    pen.fill(&[tip, at(0.22, 0.5), foot], INK);
    if let Some(path) = super::pen::path_of(&[tip, at(-0.22, 0.5), foot], true) {
        pen.stroke(&path, look.size * 0.06, INK);
    }
    let [x, y] = at(0.0, -0.78);
    pen.text(letter, look, [x, y + look.size * 0.35], Align::Middle);
}

/// Draws the code of an address in a square with this top left corner, and makes the square a link.
pub(crate) fn draw_code(
    pen: &mut Pen<'_>,
    address: &str,
    ([x, y], side): ([f32; 2], f32),
) -> Result<(), PrintError> {
    let code = QrCode::encode_text(address, QrCodeEcc::Low)?;
    let count = code.size();
    let unit = side / count as f32;
    let mut path = PathBuilder::new();
    for row in 0..count {
        // Squares that touch are one rectangle.
        let mut column = 0;
        while column < count {
            let start = column;
            while column < count && code.get_module(column, row) {
                column += 1;
            }
            let (left, right) = (x + start as f32 * unit, x + column as f32 * unit);
            let (top, bottom) = (y + row as f32 * unit, y + (row + 1) as f32 * unit);
            if let Some(rect) =
                tiny_skia::Rect::from_ltrb(left, top, right, bottom).filter(|_| column > start)
            {
                path.push_rect(rect);
            }
            column = column.max(start + 1);
        }
    }
    if let Some(path) = path.finish() {
        pen.page.fill(&path, &FillPaint { color: Color::BLACK, antialias: true });
    }
    pen.page.link([[x, y], [x + side, y + side]], address);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_bar_has_a_round_length() {
        assert_eq!(bar(1_000.0, 400.0), (20.0, 4));
        assert_eq!(bar(1_000.0, 500.0), (50.0, 5));
        assert_eq!(bar(25_000.0, 450.0), (1_000.0, 5));
    }
}
