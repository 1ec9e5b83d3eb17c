//! Crosses of the home grid in the frame, and their coordinates along its edges.

use super::{
    Sheet,
    paper::{Area, Layout},
    pen::{Align, INK, Lettering, Pen},
};
use crate::raster::Frames;

/// The least distance between crosses on A4, in millimetres.
const SPACING: f64 = 40.0;
/// Half of the length of a cross, in millimetres.
const ARM: f32 = 2.5;
/// The width of a cross, in millimetres.
const WIDTH: f32 = 0.12;

/// The number of metres between crosses: 1, 2 or 5 and zeros.
pub(crate) fn interval(scale: f64, enlargement: f64) -> f64 {
    let least = SPACING * enlargement * scale / 1e3;
    let unit = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|part| part * unit)
        .find(|own| *own >= least - 1e-9)
        .unwrap_or(least)
}

/// The multiples of `step` from `low` to `high`.
fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(move |number| number as f64 * step)
}

/// The crosses in the frame, in units from its top left corner.
pub(super) fn crosses(sheet: &Sheet, step: f64) -> Vec<[f32; 2]> {
    let corners = sheet.corners();
    let range = |axis: usize| {
        let values = corners.map(|corner| corner[axis]);
        (
            values.into_iter().fold(f64::INFINITY, f64::min),
            values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    };
    let ((west, east), (south, north)) = (range(0), range(1));
    let size = sheet.size().map(f64::from);
    let inside = |place: &[f64; 2]| (0..2).all(|axis| (0.0..=size[axis]).contains(&place[axis]));
    multiples(west, east, step)
        .flat_map(|easting| multiples(south, north, step).map(move |northing| [easting, northing]))
        .map(|point| sheet.place(point))
        .filter(inside)
        .map(|place| place.map(|value| value as f32))
        .collect()
}

/// Where a line of the grid crosses an edge of the frame.
struct EdgeMark {
    /// In units from the top left corner of the frame.
    at: [f32; 2],
    /// The edge: top, right, bottom, left.
    edge: usize,
    /// `X` for a northing and `Y` for an easting, as Vietnamese land papers have it, and the metres.
    text: String,
}

fn edge_marks(sheet: &Sheet, step: f64) -> Vec<EdgeMark> {
    let corners = sheet.corners();
    let mut marks = Vec::new();
    for edge in 0..4 {
        let (from, to) = (corners[edge], corners[(edge + 1) % 4]);
        for (axis, letter) in [(0, "Y"), (1, "X")] {
            let (start, end) = (from[axis], to[axis]);
            // A line that is nearly along the edge would cross it anywhere.
            let across = (start - end).abs() > (from[1 - axis] - to[1 - axis]).abs();
            if !across {
                continue;
            }
            for value in multiples(start.min(end), start.max(end), step) {
                let t = (value - start) / (end - start);
                let point = [0, 1].map(|axis| from[axis] + t * (to[axis] - from[axis]));
                let at = sheet.place(point).map(|value| value as f32);
                marks.push(EdgeMark { at, edge, text: format!("{letter} {value:.0}") });
            }
        }
    }
    marks
}

/// Draws the crosses, and the coordinates around the frame.
pub(crate) fn draw(pen: &mut Pen<'_>, sheet: &Sheet, layout: &Layout, look: &Lettering, step: f64) {
    let [low, high]: Area = layout.frame;
    let mm = crate::pdf::UNITS_PER_MM;
    let (sin, cos) = (sheet.bearing() as f32).to_radians().sin_cos();
    pen.page.begin_frame(layout.frame);
    for [x, y] in crosses(sheet, step) {
        let arm = ARM * mm;
        for [right, down] in [[cos * arm, -sin * arm], [sin * arm, cos * arm]] {
            pen.line(&[[x - right, y - down], [x + right, y + down]], WIDTH * mm, INK);
        }
    }
    pen.page.end_frame();
    let tick = layout.band * 0.3;
    for mark in edge_marks(sheet, step) {
        let [x, y] = [low[0] + mark.at[0], low[1] + mark.at[1]];
        let upright = -std::f32::consts::FRAC_PI_2;
        let (end, place, angle) = match mark.edge {
            0 => ([x, y - tick], [x, y - tick - look.size * 0.25], 0.0),
            1 => ([x + tick, y], [x + tick + look.size * 0.95, y], upright),
            2 => ([x, y + tick], [x, y + tick + look.size * 0.95], 0.0),
            _ => ([x - tick, y], [x - tick - look.size * 0.25, y], upright),
        };
        pen.line(&[[x, y], end], WIDTH * mm, INK);
        // Coordinates of both axes would meet in the corners.
        let half = look.width(&mark.text) / 2.0;
        let along = if mark.edge % 2 == 0 { (x, low[0], high[0]) } else { (y, low[1], high[1]) };
        if along.0 - half >= along.1 && along.0 + half <= along.2 {
            pen.turned(&mark.text, look, (place, Align::Middle), angle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crosses_are_at_round_metres() {
        assert_eq!(interval(1_000.0, 1.0), 50.0);
        assert_eq!(interval(500.0, 1.0), 20.0);
        assert_eq!(interval(200.0, 1.0), 10.0);
        assert_eq!(interval(25_000.0, 1.0), 1_000.0);
        assert_eq!(interval(1_000.0, 1.6), 100.0);
        let found: Vec<f64> = multiples(-0.5, 2.0, 1.0).collect();
        assert_eq!(found, [0.0, 1.0, 2.0]);
    }
}
