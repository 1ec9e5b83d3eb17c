//! Builds paths from the rings and lines of features.

use tiny_skia::PathBuilder;

use super::features::ItemFeature;
use crate::expression::GeometryType;

/// Adds the rings of an area as closed contours.
pub(super) fn push_area(path: &mut PathBuilder, feature: &ItemFeature<'_>) {
    for ring in feature.rings() {
        push_points(path, ring);
        path.close();
    }
}

/// Adds the lines of a feature, or the edges of an area.
pub(super) fn push_lines(path: &mut PathBuilder, feature: &ItemFeature<'_>) {
    match feature.item.kind {
        GeometryType::Point => {}
        GeometryType::Line => feature.rings().for_each(|line| push_points(path, line)),
        GeometryType::Polygon => push_area(path, feature),
    }
}

/// Adds lines beside those of a feature, `distance` pixels to the right (negative: to the left), joined by
/// short edges outside of corners.
pub(super) fn push_offset(path: &mut PathBuilder, feature: &ItemFeature<'_>, distance: f32) {
    let closed = match feature.item.kind {
        GeometryType::Point => return,
        GeometryType::Line => false,
        GeometryType::Polygon => true,
    };
    for line in feature.rings() {
        let beside = offset(line, distance, closed);
        if beside.len() > 1 {
            push_points(path, &beside);
            if closed {
                path.close();
            }
        }
    }
}

fn push_points(path: &mut PathBuilder, points: &[[f32; 2]]) {
    let mut points = points.iter();
    if let Some(&[x, y]) = points.next() {
        path.move_to(x, y);
    }
    points.for_each(|&[x, y]| path.line_to(x, y));
}

/// Maximum length of the edge from a corner to the corner beside it, in distances.
const MITER: f32 = 2.0;

/// The polyline at a distance to the right of another one.
fn offset(line: &[[f32; 2]], distance: f32, closed: bool) -> Vec<[f32; 2]> {
    let mut points: Vec<[f32; 2]> = Vec::with_capacity(line.len());
    for &point in line {
        if points.last() != Some(&point) {
            points.push(point);
        }
    }
    if closed && points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let count = points.len();
    if count < 2 {
        return Vec::new();
    }
    // The unit normal to the right of the edge from one point to the next; y runs down.
    let normal = |a: [f32; 2], b: [f32; 2]| {
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy);
        [-dy / length, dx / length]
    };
    let mut out = Vec::with_capacity(count + 2);
    for index in 0..count {
        let before = if index > 0 { Some(index - 1) } else { closed.then_some(count - 1) };
        let after = if index + 1 < count { Some(index + 1) } else { closed.then_some(0) };
        let [x, y] = points[index];
        let n = before.map(|before| normal(points[before], points[index]));
        let m = after.map(|after| normal(points[index], points[after]));
        let at = |n: [f32; 2], factor: f32| [x + n[0] * distance * factor, y + n[1] * distance * factor];
        match (n, m) {
            (Some(n), Some(m)) => {
                let sum = [n[0] + m[0], n[1] + m[1]];
                let squared = sum[0] * sum[0] + sum[1] * sum[1];
                // The mitre reaches 2 / |n + m| distances far.
                if squared > (2.0 / MITER) * (2.0 / MITER) {
                    out.push(at(sum, 2.0 / squared));
                } else {
                    out.push(at(n, 1.0));
                    out.push(at(m, 1.0));
                }
            }
            (Some(n), None) | (None, Some(n)) => out.push(at(n, 1.0)),
            (None, None) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_beside_another_keeps_its_distance() {
        // Eastwards, then southwards (y runs down): right is south, then west.
        let line = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]];
        assert_eq!(offset(&line, 2.0, false), [[0.0, 2.0], [8.0, 2.0], [8.0, 10.0]]);
        assert_eq!(offset(&line, -2.0, false), [[0.0, -2.0], [12.0, -2.0], [12.0, 10.0]]);
        // A hairpin is cut instead of running far away.
        let hairpin = offset(&[[0.0, 0.0], [10.0, 0.0], [0.0, 0.1]], -2.0, false);
        assert!(hairpin.iter().all(|point| point[0] < 13.0), "{hairpin:?}");
        assert!(offset(&[[1.0, 1.0], [1.0, 1.0]], 2.0, false).is_empty());
        let square = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        assert_eq!(offset(&square, 1.0, true), [[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 9.0]]);
    }
}
