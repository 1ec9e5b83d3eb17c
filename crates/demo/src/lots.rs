//! Rows of narrow lots, and the corners that neighbours share.

use std::collections::HashMap;

use crate::{
    dice::Dice,
    geom::{Convex, NONE, P, Tag, is_simple, ring_area2},
    quarter::{Lot, Quarter},
    road::{Class, Roads},
    style::{Style, Use},
    warp::Warp,
};

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

/// Corners closer than this are one, metres.
const JOIN: f64 = 0.005;

/// The grid in which corners are looked up, metres.
const GRID: f64 = 0.05;

/// What is given where lots are added: the roads that they can face, and how the plan is bent.
#[derive(Clone, Copy)]
pub(crate) struct Neighbourhood<'a> {
    pub(crate) roads: Roads<'a>,
    pub(crate) warp: &'a Warp,
}

/// Adds lots to a quarter: joins equal corners, gives each lot the corners that its neighbours
/// have on its edges, and bends all of it.
pub(crate) fn add(
    quarter: &mut Quarter,
    shapes: &[(Convex, Option<Use>)],
    around: &Neighbourhood<'_>,
    taken: &mut HashMap<(Tag, u32), u8>,
    dice: &mut Dice,
) {
    let Neighbourhood { roads, warp } = *around;
    let base = quarter.corners.len() as u32;
    let mut places: Vec<P> = Vec::with_capacity(shapes.len() * 3);
    let mut known: HashMap<(i64, i64), Vec<u32>> = HashMap::with_capacity(shapes.len() * 3);
    let mut number = |v: P, places: &mut Vec<P>| {
        // Equal corners are equal bit by bit, save where two cuts met in nearly one place.
        let (x, y) = ((v.x / GRID).floor() as i64, (v.y / GRID).floor() as i64);
        let around = (x - 1..=x + 1).flat_map(|i| (y - 1..=y + 1).map(move |j| (i, j)));
        let same = |i: &&u32| (places[**i as usize] - v).len() < JOIN;
        if let Some(known) = around.filter_map(|key| known.get(&key)).flatten().find(same) {
            return *known;
        }
        places.push(v);
        let number = places.len() as u32 - 1;
        known.entry((x, y)).or_default().push(number);
        number
    };
    let rings: Vec<Vec<u32>> =
        shapes.iter().map(|(shape, _)| shape.v.iter().map(|v| number(*v, &mut places)).collect()).collect();
    // A lot behind others is reached from the block's last road, the deepest alley.
    let fallback =
        shapes.iter().flat_map(|(shape, _)| shape.tag.iter().copied()).filter(|tag| *tag != NONE).max();
    let mut by_x: Vec<u32> = (0..places.len() as u32).collect();
    let warped: Vec<P> = places.iter().map(|place| warp.at(*place)).collect();
    by_x.sort_by(|a, b| places[*a as usize].x.total_cmp(&places[*b as usize].x));
    for ((shape, use_), ring) in shapes.iter().zip(&rings) {
        let area = shape.area();
        let (front, road) = frontage(shape, roads).unwrap_or((0, fallback.unwrap_or(NONE)));
        let mut whole = Vec::with_capacity(ring.len() + 4);
        let n = ring.len();
        for i in 0..n {
            let (a, b) = (ring[i], ring[(i + 1) % n]);
            if a != b {
                whole.push(a);
                between(a, b, &places, &by_x, |corner| whole.push(corner));
            }
        }
        let whole = without_spikes(whole, &places);
        if whole.len() < 3 || whole.len() > 250 {
            continue;
        }
        // A long sliver with one side bent can be turned inside out by the warp: it belongs to nobody.
        let bent: Vec<P> = whole.iter().map(|corner| warped[*corner as usize]).collect();
        if ring_area2(&bent) < area || !is_simple(&bent) {
            continue;
        }
        let start = quarter.rings.len() as u32;
        let front = whole.iter().position(|corner| *corner == ring[front]).unwrap_or(0) as u8;
        let count = whole.len() as u8;
        quarter.rings.extend(whole.iter().map(|corner| base + corner));
        let (number, class) = match roads.get(road) {
            Some(road) => (road.number_at(shape.centroid()), road.class),
            None => (0, Class::Track),
        };
        let use_ = use_.unwrap_or_else(|| Use::of_lot(quarter.kind, area, class >= Class::Secondary, dice));
        let count_of = taken.entry((road, number)).or_default();
        let repeat = *count_of;
        *count_of = count_of.saturating_add(1);
        quarter.lots.push(Lot { start, count, front, road, number, repeat, use_ });
    }
    quarter.corners.extend(warped);
}

/// A ring in which no corner comes twice. At a sharp end a neighbour's corner may lie on both edges:
/// what is beyond it, millimetres wide, goes.
fn without_spikes(mut ring: Vec<u32>, places: &[P]) -> Vec<u32> {
    let twice = |ring: &[u32]| {
        (0..ring.len()).find_map(|i| (i + 1..ring.len()).find(|j| ring[*j] == ring[i]).map(|j| (i, j)))
    };
    let area = |ring: &[u32]| ring_area2(&ring.iter().map(|i| places[*i as usize]).collect::<Vec<_>>());
    while let Some((i, j)) = twice(&ring) {
        let inner = ring[i..j].to_vec();
        let outer = [&ring[..i], &ring[j..]].concat();
        ring = if area(&inner) > area(&outer) { inner } else { outer };
    }
    ring
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
fn between(a: u32, b: u32, places: &[P], by_x: &[u32], mut found: impl FnMut(u32)) {
    let (from, to) = (places[a as usize], places[b as usize]);
    let ahead = to - from;
    let length = ahead.len();
    let (x0, x1) = (from.x.min(to.x) - JOIN, from.x.max(to.x) + JOIN);
    let (y0, y1) = (from.y.min(to.y) - JOIN, from.y.max(to.y) + JOIN);
    let mut on_edge: Vec<(f64, u32)> = Vec::new();
    let first = by_x.partition_point(|i| places[*i as usize].x < x0);
    for i in by_x[first..].iter().copied() {
        let place = places[i as usize];
        if place.x > x1 {
            break;
        }
        if place.y < y0 || place.y > y1 || i == a || i == b {
            continue;
        }
        let away = place - from;
        let t = away.dot(ahead) / length;
        if t > 0.0 && t < length && away.cross(ahead).abs() / length < JOIN {
            on_edge.push((t, i));
        }
    }
    on_edge.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, corner) in on_edge {
        found(corner);
    }
}
