//! Texts along lines.

use rustc_hash::FxHashMap;

use super::{GlyphRun, LabelBox, PlacedGlyph, Shaper, TextBlock};

/// A polyline with the distance of each corner from its start, in pixels.
#[derive(Clone, Debug)]
pub(super) struct Course {
    points: Vec<[f32; 2]>,
    along: Vec<f32>,
}

impl Course {
    pub(super) fn new(points: Vec<[f32; 2]>) -> Self {
        let mut along = Vec::with_capacity(points.len());
        let mut total = 0.0;
        let mut before: Option<[f32; 2]> = None;
        for &point in &points {
            if let Some(before) = before {
                total += (point[0] - before[0]).hypot(point[1] - before[1]);
            }
            along.push(total);
            before = Some(point);
        }
        Self { points, along }
    }

    pub(super) fn length(&self) -> f32 {
        self.along.last().copied().unwrap_or_default()
    }

    /// The point at a distance from the start; before the start and after the end that of the first and last.
    pub(super) fn at(&self, distance: f32) -> [f32; 2] {
        let next = self.along.partition_point(|&at| at < distance).clamp(1, self.points.len() - 1);
        let (a, b) = (self.points[next - 1], self.points[next]);
        let span = self.along[next] - self.along[next - 1];
        let t = if span > 0.0 { ((distance - self.along[next - 1]) / span).clamp(0.0, 1.0) } else { 0.0 };
        [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
    }

    /// The angle of the chord between two distances, in radians clockwise from the x axis.
    pub(super) fn angle(&self, from: f32, to: f32) -> f32 {
        let (a, b) = (self.at(from), self.at(to));
        (b[1] - a[1]).atan2(b[0] - a[0])
    }

    fn reversed(&self) -> Self {
        Self::new(self.points.iter().rev().copied().collect())
    }
}

/// How a text lies on a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineFit {
    /// Maximum angle in degrees between a letter and the next.
    pub(super) max_angle: f32,
    /// Whether the text is turned so that it is not upside down.
    pub(super) keep_upright: bool,
    /// The distance from the line to the middle of the letters, in pixels, downwards.
    pub(super) offset: f32,
}

/// Puts a text of one line on a course with its middle at a distance from the start. Returns the text and the
/// boxes of its letters; `None` if the course is too short or too bent there.
pub(super) fn place_along(
    block: &TextBlock,
    course: &Course,
    middle: f32,
    fit: LineFit,
    shaper: &mut Shaper,
) -> Option<(GlyphRun, Vec<LabelBox>)> {
    let width = block.size[0];
    let (start, end) = (middle - width / 2.0, middle + width / 2.0);
    if start < 0.0 || end > course.length() || course.points.len() < 2 {
        return None;
    }
    let turned;
    let (course, start) = if fit.keep_upright && course.angle(start, end).cos() < 0.0 {
        turned = course.reversed();
        (&turned, turned.length() - end)
    } else {
        (course, start)
    };
    let middle_y = block.size[1] / 2.0;
    let mut run = GlyphRun { font: block.font, text: block.text.clone(), glyphs: Vec::new() };
    let mut boxes = Vec::new();
    let mut before: Option<f32> = None;
    for glyph in &block.glyphs {
        let half = glyph.advance.max(0.0) / 2.0;
        let center = start + glyph.origin[0] + half;
        // The chord under the letter, and at least three pixels, so that small corners do not shake letters.
        let reach = half.max(1.5);
        let angle = course.angle(center - reach, center + reach);
        if let Some(before) = before {
            let bend = (angle - before + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU);
            if (bend - std::f32::consts::PI).abs().to_degrees() > fit.max_angle {
                return None;
            }
        }
        before = Some(angle);
        let (sin, cos) = angle.sin_cos();
        let down = glyph.origin[1] - middle_y + fit.offset;
        let on = course.at(center);
        let origin = [on[0] - half * cos - down * sin, on[1] - half * sin + down * cos];
        run.glyphs.push(PlacedGlyph { id: glyph.id, origin, size: glyph.size, angle });
        if let Some(bounds) = shaper.bounds(block.font, glyph.id) {
            let scaled = LabelBox {
                low: bounds.low.map(|value| value * glyph.size),
                high: bounds.high.map(|value| value * glyph.size),
            };
            boxes.push(scaled.turned(angle).moved(origin));
        }
    }
    Some((run, boxes))
}

/// A line to label with its text.
#[derive(Clone, Debug)]
pub(super) struct LabelledLine {
    pub(super) text: String,
    /// The number of the feature that it, or its first part, is from.
    pub(super) feature: usize,
    pub(super) points: Vec<[f32; 2]>,
}

/// Joins lines with the same text where one begins and another ends, so that a street that is cut at every
/// crossing has room for its name.
pub(super) fn joined(lines: Vec<LabelledLine>) -> Vec<LabelledLine> {
    let corner = |point: [f32; 2]| point.map(|value| (value * 2.0).round() as i32);
    let mut open: FxHashMap<(String, [i32; 2]), usize> = FxHashMap::default();
    let mut out: Vec<Option<LabelledLine>> = Vec::with_capacity(lines.len());
    for mut line in lines {
        if line.points.len() < 2 {
            continue;
        }
        // At each end at most one line is joined.
        for at_end in [false, true] {
            let end = if at_end { line.points.last() } else { line.points.first() };
            let Some(&end) = end else { continue };
            let Some(&other) = open.get(&(line.text.clone(), corner(end))) else { continue };
            let Some(mut before) = out[other].take() else { continue };
            for end in [before.points.first(), before.points.last()].into_iter().flatten() {
                open.remove(&(before.text.clone(), corner(*end)));
            }
            // Bring the joint to the start of the new line and the end of the old one.
            if at_end {
                line.points.reverse();
            }
            let joins_at_start = before.points.first().is_some_and(|first| corner(*first) == corner(end));
            if joins_at_start {
                before.points.reverse();
            }
            let feature = before.feature;
            before.points.extend_from_slice(&line.points[1..]);
            line = LabelledLine { text: line.text, feature, points: before.points };
        }
        let number = out.len();
        for end in [line.points.first(), line.points.last()].into_iter().flatten() {
            open.entry((line.text.clone(), corner(*end))).or_insert(number);
        }
        out.push(Some(line));
    }
    out.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{
        expression::Section,
        labels::{Font, TextStyle},
        spec::{Justify, LabelText, Transform},
    };

    fn line(text: &str, points: &[[f32; 2]]) -> LabelledLine {
        LabelledLine { text: text.to_owned(), feature: 0, points: points.to_vec() }
    }

    #[test]
    fn pieces_of_a_street_become_one_line() {
        let lines = vec![
            line("A", &[[0.0, 0.0], [10.0, 0.0]]),
            line("B", &[[10.0, 0.0], [10.0, 10.0]]),
            line("A", &[[20.0, 0.0], [10.0, 0.0]]),
            line("A", &[[30.0, 0.0], [40.0, 0.0]]),
            line("A", &[[20.0, 0.0], [30.0, 0.0]]),
        ];
        let joined = joined(lines);
        let lengths: Vec<(&str, f32)> = joined
            .iter()
            .map(|line| (line.text.as_str(), Course::new(line.points.clone()).length()))
            .collect();
        assert_eq!(lengths, [("B", 10.0), ("A", 40.0)]);
    }

    #[test]
    fn letters_follow_the_line_and_stand_upright() {
        let style = TextStyle {
            font: &Font::all()[0],
            size: 10.0,
            max_width: f32::INFINITY,
            line_height: 12.0,
            letter_spacing: 0.0,
            justify: Justify::Center,
            transform: Transform::None,
        };
        let text = LabelText(vec![Section { text: Cow::Borrowed("Lê Lợi"), scale: 1.0 }]);
        let mut shaper = Shaper::default();
        let block = shaper.set(&text, &style).unwrap();
        let fit = LineFit { max_angle: 30.0, keep_upright: true, offset: 0.0 };
        // From right to left: the text is turned.
        let course = Course::new(vec![[200.0, 50.0], [0.0, 50.0]]);
        let (run, boxes) = place_along(&block, &course, 100.0, fit, &mut shaper).unwrap();
        assert!(run.glyphs.windows(2).all(|pair| pair[0].origin[0] < pair[1].origin[0]));
        assert!(run.glyphs.iter().all(|glyph| glyph.angle.abs() < 1e-5));
        let middle = (boxes[0].low[0] + boxes.last().unwrap().high[0]) / 2.0;
        assert!((middle - 100.0).abs() < 2.0, "{middle}");
        assert!(place_along(&block, &course, 5.0, fit, &mut shaper).is_none(), "no room at the end");
        let bent = Course::new(vec![[100.0, 0.0], [100.0, 50.0], [150.0, 50.0]]);
        assert!(place_along(&block, &bent, 50.0, fit, &mut shaper).is_none(), "a right angle");
    }
}
