//! How much an answer is worth, and which rows of one name are one answer.

use citymap_engine::{Bbox, LayerSnapshot, Row, ValueRef};
use citymap_model::{FieldType, Role};

use crate::{hit::HitKind, phrases::Fit};

/// Rows of one name within this distance (degrees, about 3 km) are parts of one street.
const SAME_STREET: f64 = 0.027;
/// Maximum number of rows of one name that are compared.
const ROWS_MAX: usize = 2_000;
/// Maximum number of places with one name that are answered.
const PLACES_MAX: usize = 8;

/// The score of a fit. The steps are wider than everything that kind and distance can add.
pub(crate) fn worth(fit: Fit) -> f64 {
    match fit {
        Fit::Exact => 0.90,
        Fit::Prefix => 0.75,
        Fit::Inside => 0.65,
        Fit::Words => 0.55,
    }
}

/// The score of an answer that is only near what was asked for: the street without the house, the name
/// outside the place.
pub(crate) const NEARLY: f64 = 0.45;

/// What is added if the accents are those that were typed: `Thạnh An` is not `Thanh An`. More than distance
/// can add, less than kind.
pub(crate) const ACCENTS: f64 = 0.035;

/// What the kind of an answer adds; of equal fits, communes come first.
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

/// What the distance to `near` adds, up to 0.03; nothing without a position.
pub(crate) fn nearness(bbox: Option<Bbox>, near: Option<[f64; 2]>) -> f64 {
    match (bbox, near) {
        (Some(bbox), Some(near)) => 0.03 / (1.0 + distance_to(bbox, near) / 0.02),
        _ => 0.0,
    }
}

/// The distance from a point to a box in degrees; 0 inside the box.
pub(crate) fn distance_to(bbox: Bbox, [lon, lat]: [f64; 2]) -> f64 {
    let gap = |low: f64, high: f64, at: f64| (low - at).max(at - high).max(0.0);
    gap(bbox.min[0], bbox.max[0], lon).hypot(gap(bbox.min[1], bbox.max[1], lat))
}

/// Groups the rows of one name by place: the parts of a street are one answer, streets with the same name in
/// two districts are two. Returns a row and the box of each place, the nearest to `near` first.
pub(crate) fn gather(
    snapshot: &LayerSnapshot,
    rows: impl Iterator<Item = Row>,
    near: Option<[f64; 2]>,
) -> Vec<(Row, Option<Bbox>)> {
    let mut places: Vec<(Row, Option<Bbox>, f64)> = Vec::new();
    // Names that differ only in their accents are one phrase, but different streets.
    let text = |field: &usize| snapshot.layer().fields[*field].field_type == FieldType::Text;
    let labels = snapshot.layer().label_index().filter(text);
    let label = |row: Row| labels.map_or(ValueRef::Null, |field| snapshot.value(row, field));
    for row in rows.take(ROWS_MAX) {
        let bbox = snapshot.bbox(row);
        let distance = bbox.zip(near).map_or(0.0, |(bbox, near)| distance_to(bbox, near));
        let same = places.iter().position(|(other, place, _)| {
            label(*other) == label(row)
                && match (place, bbox) {
                    (Some(place), Some(bbox)) => distance_to(*place, bbox.center()) < SAME_STREET,
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
            None if places.len() < PLACES_MAX || near.is_some() => places.push((row, bbox, distance)),
            None => {}
        }
        if places.len() > 4 * PLACES_MAX {
            places.sort_by(|a, b| a.2.total_cmp(&b.2));
            places.truncate(PLACES_MAX);
        }
    }
    places.sort_by(|a, b| a.2.total_cmp(&b.2));
    places.truncate(PLACES_MAX);
    places.into_iter().map(|(row, bbox, _)| (row, bbox)).collect()
}
