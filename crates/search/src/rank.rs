use citymap_engine::{Bbox, LayerSnapshot, Row, ValueRef};
use citymap_model::{FieldType, Role};

use crate::{hit::HitKind, phrases::Fit};

/// How far apart (degrees, about 3 km) two streets of one name are two streets.
const ONE_STREET: f64 = 0.027;
/// How many rows of one name are looked at.
const LOOKED_AT: usize = 2_000;
/// How many places of one name are told apart.
const PLACES: usize = 8;

/// What a fit is worth; the steps are wider than everything that kind and distance add.
pub(crate) fn worth(fit: Fit) -> f64 {
    match fit {
        Fit::Exact => 0.90,
        Fit::Prefix => 0.75,
        Fit::Inside => 0.65,
        Fit::Words => 0.55,
    }
}

/// What an answer is worth that is only near what was asked: the street without the house, the name outside the place.
pub(crate) const NEARLY: f64 = 0.45;

/// What it adds that the accents are those that were typed: `Thạnh An` is not `Thanh An`. More than distance, less than kind.
pub(crate) const ACCENTS: f64 = 0.035;

/// Of equal fits the communes come first.
pub(crate) fn weight(kind: HitKind) -> f64 {
    match kind {
        HitKind::Coordinates => 0.1,
        HitKind::Role(Role::AdminUnit) => 0.06,
        HitKind::FormerUnit => 0.05,
        HitKind::Role(Role::Road) => 0.04,
        HitKind::Role(Role::Place) => 0.035,
        HitKind::Role(Role::Address) => 0.03,
        HitKind::Role(Role::Parcel) => 0.02,
        HitKind::Role(Role::Building) => 0.015,
        HitKind::Role(_) => 0.01,
    }
}

/// Up to 0.03 for what is near; nothing where nobody said near to what.
pub(crate) fn nearness(bbox: Option<Bbox>, near: Option<[f64; 2]>) -> f64 {
    match (bbox, near) {
        (Some(bbox), Some(near)) => 0.03 / (1.0 + away(bbox, near) / 0.02),
        _ => 0.0,
    }
}

/// Degrees from a point to a box.
pub(crate) fn away(bbox: Bbox, [lon, lat]: [f64; 2]) -> f64 {
    let gap = |low: f64, high: f64, at: f64| (low - at).max(at - high).max(0.0);
    gap(bbox.min[0], bbox.max[0], lon).hypot(gap(bbox.min[1], bbox.max[1], lat))
}

/// The rows of one name, put together where they lie together: the pieces of a street are one answer,
/// streets of one name in two districts are two.
pub(crate) fn gather(
    snapshot: &LayerSnapshot,
    rows: impl Iterator<Item = Row>,
    near: Option<[f64; 2]>,
) -> Vec<(Row, Option<Bbox>)> {
    let mut places: Vec<(Row, Option<Bbox>, f64)> = Vec::new();
    // Names that differ in their accents only are one phrase, and still different streets.
    let text = |field: &usize| snapshot.layer().fields[*field].field_type == FieldType::Text;
    let labels = snapshot.layer().label_index().filter(text);
    let label = |row: Row| labels.map_or(ValueRef::Null, |field| snapshot.value(row, field));
    for row in rows.take(LOOKED_AT) {
        let bbox = snapshot.bbox(row);
        let distance = bbox.zip(near).map_or(0.0, |(bbox, near)| away(bbox, near));
        let same = places.iter().position(|(other, place, _)| {
            label(*other) == label(row)
                && match (place, bbox) {
                    (Some(place), Some(bbox)) => away(*place, bbox.center()) < ONE_STREET,
                    (place, bbox) => place.is_none() && bbox.is_none(),
                }
        });
        match same {
            Some(at) => {
                let place = &mut places[at];
                place.1 = place.1.zip(bbox).map(|(a, b)| a.union(b));
                if distance < place.2 {
                    (place.0, place.2) = (row, distance);
                }
            }
            None if places.len() < PLACES || near.is_some() => places.push((row, bbox, distance)),
            None => {}
        }
        if places.len() > 4 * PLACES {
            places.sort_by(|a, b| a.2.total_cmp(&b.2));
            places.truncate(PLACES);
        }
    }
    places.sort_by(|a, b| a.2.total_cmp(&b.2));
    places.truncate(PLACES);
    places.into_iter().map(|(row, bbox, _)| (row, bbox)).collect()
}
