//! Rows of narrow lots, and the corners that neighbours share.

use std::collections::HashMap;

use crate::{
    cell::Quarter,
    dice::Dice,
    geom::{Convex, NONE, P, Tag},
    road::{Class, Roads},
    style::{Style, Use},
    warp::Warp,
};

/// A lot: its ring in its quarter, what it faces, what it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lot {
    /// Where its ring starts in [`Quarter::rings`].
    pub(crate) start: u32,
    /// How many corners it has.
    pub(crate) count: u8,
    /// Which of its edges faces the road; none where `road` is [`NONE`].
    pub(crate) front: u8,
    /// The road it faces.
    pub(crate) road: Tag,
    /// Its number on that road.
    pub(crate) number: u32,
    pub(crate) use_: Use,
}

/// Cuts what lies between streets into lots: bays along it, two rows back to back, lots side by side.
pub(crate) fn rows(leaf: Convex, style: &Style, dice: &mut Dice) -> Vec<Convex> {
    let (axis, length, width) = leaf.main_axis();
    let mut lots = Vec::new();
    let bay = style.lot.0 * dice.range(7.0, 14.0);
    let bays = (length / bay).round().max(1.0);
    let (low, high) = leaf.extent(axis);
    let mut rest = Some(leaf);
    for i in 1..=bays as usize {
        let Some(part) = rest.take() else { break };
        let piece = if i == bays as usize {
            part
        } else {
            let n = axis.turned(dice.range(-0.05, 0.05));
            // The cut turns about the middle of the leaf, wherever that lies.
            let middle = part.centroid();
            let at = low + (high - low) * (i as f64 + dice.range(-0.12, 0.12)) / bays;
            let pivot = middle + axis * (at - middle.dot(axis));
            let (piece, after) = part.split(n, pivot.dot(n), 0.0, NONE);
            rest = after;
            match piece {
                Some(piece) => piece,
                None => continue,
            }
        };
        let double = width > style.leaf * 0.62 && width > style.lot.0 * 3.2;
        if double {
            let n = axis.left().turned(dice.range(-0.02, 0.02));
            let (near, far) = piece.extent(n);
            let c = near + (far - near) * dice.range(0.42, 0.58);
            let (left, right) = piece.split(n, c, 0.0, NONE);
            for row in [left, right].into_iter().flatten() {
                side_by_side(row, axis, style, dice, &mut lots);
            }
        } else {
            side_by_side(piece, axis, style, dice, &mut lots);
        }
    }
    lots
}

/// Cuts a row into lots of varying width; a remnant too small to build on goes to its neighbour.
fn side_by_side(row: Convex, axis: P, style: &Style, dice: &mut Dice, lots: &mut Vec<Convex>) {
    let (low, high) = row.extent(axis);
    let (narrow, wide) = style.lot;
    let least = narrow * narrow * 1.6;
    let mut rest = row;
    let mut at = low;
    loop {
        let mut width = dice.range(narrow, wide);
        let corner = at == low;
        if corner && dice.chance(0.3) {
            width *= 1.4;
        } else if dice.chance(0.05) {
            width *= if dice.chance(0.8) { 2.0 } else { 3.0 };
        }
        at += width;
        if high - at < narrow * 0.8 {
            break;
        }
        let (lot, after) = rest.split(axis, at, 0.0, NONE);
        match (lot, after) {
            (Some(lot), Some(after)) if lot.area() >= least && after.area() >= least => {
                lots.push(lot);
                rest = after;
            }
            // Too small: the cut is not made.
            _ => {}
        }
    }
    lots.push(rest);
}

/// Adds lots to a quarter: joins equal corners, gives each lot the corners that its neighbours
/// have on its edges, and bends all of it.
pub(crate) fn add(
    quarter: &mut Quarter,
    shapes: Vec<Convex>,
    use_: Option<Use>,
    style: &Style,
    roads: Roads<'_>,
    warp: &Warp,
    dice: &mut Dice,
) {
    let base = quarter.corners.len() as u32;
    let mut places: Vec<P> = Vec::with_capacity(shapes.len() * 3);
    let mut known: HashMap<(i64, i64), u32> = HashMap::with_capacity(shapes.len() * 3);
    let mut number = |v: P, places: &mut Vec<P>| {
        // To the millimetre: equal corners are equal bit by bit, save where two cuts met in one place.
        let key = ((v.x * 1000.0).round() as i64, (v.y * 1000.0).round() as i64);
        *known.entry(key).or_insert_with(|| {
            places.push(v);
            places.len() as u32 - 1
        })
    };
    let rings: Vec<Vec<u32>> =
        shapes.iter().map(|shape| shape.v.iter().map(|v| number(*v, &mut places)).collect()).collect();
    // Long edges bend with the warp only if they have points to bend at.
    let fallback = shapes.iter().flat_map(|shape| shape.tag.iter().copied()).filter(|tag| *tag != NONE).max();
    for (shape, ring) in shapes.iter().zip(&rings) {
        let area = shape.area();
        let (front, road) = frontage(shape, roads).unwrap_or((0, fallback.unwrap_or(NONE)));
        let start = quarter.rings.len() as u32;
        let mut front_edge = 0;
        let n = ring.len();
        for i in 0..n {
            if i == front {
                front_edge = quarter.rings.len() as u32 - start;
            }
            let (a, b) = (ring[i], ring[(i + 1) % n]);
            if a == b {
                continue;
            }
            quarter.rings.push(base + a);
            between(a, b, &places, |corner| quarter.rings.push(base + corner));
        }
        let count = quarter.rings.len() as u32 - start;
        if count < 3 || count > 250 {
            quarter.rings.truncate(start as usize);
            continue;
        }
        let (number, class) = match roads.get(road) {
            Some(road) => (road.number_at(shape.centroid()), road.class),
            None => (0, Class::Track),
        };
        let use_ = use_.unwrap_or_else(|| Use::of_lot(quarter.kind, area, class >= Class::Secondary, dice));
        let front = (front_edge.min(count - 1)) as u8;
        quarter.lots.push(Lot { start, count: count as u8, front, road, number, use_ });
    }
    let _ = style;
    quarter.corners.extend(places.into_iter().map(|place| warp.at(place)));
}

/// The edge that faces the road a lot is entered from: the widest front, a wider road counting for more.
fn frontage(shape: &Convex, roads: Roads<'_>) -> Option<(usize, Tag)> {
    shape
        .edges()
        .enumerate()
        .filter_map(|(i, (a, b, tag))| {
            let road = roads.get(tag)?;
            let rank = (b - a).len().min(8.0) + road.width * 0.4;
            Some((i, tag, rank))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2))
        .map(|(i, tag, _)| (i, tag))
}

/// The corners of others that lie on the edge from `a` to `b`, in order.
fn between(a: u32, b: u32, places: &[P], mut found: impl FnMut(u32)) {
    let (from, to) = (places[a as usize], places[b as usize]);
    let ahead = to - from;
    let length = ahead.len();
    let (x0, x1) = (from.x.min(to.x) - 2e-3, from.x.max(to.x) + 2e-3);
    let (y0, y1) = (from.y.min(to.y) - 2e-3, from.y.max(to.y) + 2e-3);
    let mut on_edge: Vec<(f64, u32)> = Vec::new();
    for (i, place) in places.iter().enumerate() {
        if place.x < x0 || place.x > x1 || place.y < y0 || place.y > y1 || i as u32 == a || i as u32 == b {
            continue;
        }
        let away = *place - from;
        let t = away.dot(ahead) / length;
        if t > 1e-3 && t < length - 1e-3 && away.cross(ahead).abs() / length < 2e-3 {
            on_edge.push((t, i as u32));
        }
    }
    on_edge.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, corner) in on_edge {
        found(corner);
    }
}
