//! How much an answer is worth, and which rows of one name are one answer.

use citymap_engine::{Bbox, LayerSnapshot, Row, ValueRef};
use citymap_model::{FieldType, Role};

use rustc_hash::FxHashMap;

use crate::{hit::HitKind, layer::LayerIndex, phrases::Fit, query_run::QueryRun, similar::Similarity};

/// Rows of one name within this distance (degrees, about 60 m) are parts of one street, park or building.
const TOUCHING: f64 = 0.000_55;
/// Maximum number of rows of one name that are compared.
const ROWS_MAX: usize = 2_000;
/// Maximum number of places with one name that are answered.
const PLACES_MAX: usize = 16;

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

/// What is taken off for a feature that lies only in a former unit that had the name of today's commune: more
/// than accents, distance and closeness can add.
pub(crate) const FORMER: f64 = 0.09;

/// What is added if the accents are those that were typed: `Thạnh An` is not `Thanh An`. More than distance
/// can add, less than kind.
pub(crate) const ACCENTS: f64 = 0.035;

/// What the kind of an answer adds; of equal fits, communes come first.
pub(crate) fn weight(kind: HitKind) -> f64 {
    match kind {
        HitKind::Coordinates | HitKind::Crossing => 0.1,
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

/// What lies outside the place that was asked for and has typing errors as well.
pub(crate) const OUTSIDE_SIMILAR: f64 = 0.30;

/// The score of a fit with typing errors: a whole name with one error comes before names that only have all
/// words; each further error costs.
pub(crate) fn worth_similar(similarity: Similarity) -> f64 {
    let fit = match similarity.fit {
        Fit::Exact => 0.0,
        Fit::Prefix => 0.03,
        Fit::Inside => 0.05,
        Fit::Words => 0.06,
    };
    (0.57 - fit - 0.08 * f64::from(similarity.errors.saturating_sub(1))).max(0.1)
}

/// The rows of one name that are one answer.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The row nearest to where the map is, or the first.
    pub(crate) row: Row,
    pub(crate) bbox: Option<Bbox>,
    /// The communes that a street passes through; empty for others and where it is not known.
    pub(crate) communes: Vec<String>,
}

/// A row that is compared with others of its name.
struct Part {
    row: Row,
    bbox: Option<Bbox>,
    label: String,
    commune: Option<String>,
}

/// Groups the rows of one name by place: the parts of a street are one answer, if they touch or lie in the
/// same commune. Streets with the same name in two communes are two answers, and so are parks. The nearest to
/// `run.near` come first.
///
/// # Complexity
/// O(n log n) for n rows, of which at most 2 000 are looked at, and for each part of a street a search in the
/// R-tree of the communes.
pub(crate) fn gather(
    run: &QueryRun<'_>,
    (layer, snapshot): (&LayerIndex, &LayerSnapshot),
    rows: impl Iterator<Item = Row>,
) -> Vec<Group> {
    // Names that differ only in their accents are one phrase, but different streets.
    let text = |field: &usize| snapshot.layer().fields[*field].field_type == FieldType::Text;
    let labels = snapshot.layer().label_index().filter(text);
    let label = |row: Row| match labels.map_or(ValueRef::Null, |field| snapshot.value(row, field)) {
        ValueRef::Null => String::new(),
        value => value.to_text(),
    };
    let rows: Vec<Row> = rows.take(ROWS_MAX).collect();
    let street = layer.role == Role::Road && rows.len() > 1;
    let mut parts: Vec<Part> = rows
        .into_iter()
        .map(|row| {
            let bbox = snapshot.bbox(row);
            let commune = bbox.filter(|_| street).and_then(|bbox| run.commune_at(bbox.center()));
            Part { row, bbox, label: label(row), commune }
        })
        .collect();
    let distance = |part: &Part| part.bbox.zip(run.near).map_or(0.0, |(bbox, near)| distance_to(bbox, near));
    parts.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    let mut groups: Vec<(Group, f64)> = Vec::new();
    for members in connected(&parts, street) {
        let first = &parts[members[0]];
        let mut communes: Vec<String> =
            members.iter().filter_map(|&member| parts[member].commune.clone()).collect();
        communes.sort_unstable();
        communes.dedup();
        let bbox = members.iter().filter_map(|&member| parts[member].bbox).reduce(Bbox::union);
        groups.push((Group { row: first.row, bbox, communes }, distance(first)));
    }
    groups.sort_by(|a, b| a.1.total_cmp(&b.1));
    groups.truncate(PLACES_MAX);
    groups.into_iter().map(|(group, _)| group).collect()
}

/// The sets of parts that are one place, each in the order of the parts.
fn connected(parts: &[Part], street: bool) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..parts.len()).collect();
    let mut joined = |a: usize, b: usize| {
        let (a, b) = (leading(&mut leader, a), leading(&mut leader, b));
        leader[a.max(b)] = a.min(b);
    };
    // Parts that touch: a sweep from west to east.
    let mut order: Vec<(usize, Bbox)> =
        parts.iter().enumerate().filter_map(|(at, part)| Some((at, part.bbox?))).collect();
    order.sort_by(|a, b| a.1.min[0].total_cmp(&b.1.min[0]));
    for (position, (at, bbox)) in order.iter().enumerate() {
        let reach = Bbox::new(
            bbox.min[0] - TOUCHING,
            bbox.min[1] - TOUCHING,
            bbox.max[0] + TOUCHING,
            bbox.max[1] + TOUCHING,
        );
        for (other, next) in order[position + 1..].iter().take_while(|(_, next)| next.min[0] <= reach.max[0])
        {
            if reach.intersects(next) && parts[*at].label == parts[*other].label {
                joined(*at, *other);
            }
        }
    }
    let mut first_in: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    let mut without_geometry: FxHashMap<&str, usize> = FxHashMap::default();
    for (at, part) in parts.iter().enumerate() {
        let known = match (&part.bbox, &part.commune) {
            (None, _) => *without_geometry.entry(&part.label).or_insert(at),
            (Some(_), Some(commune)) if street => *first_in.entry((&part.label, commune)).or_insert(at),
            _ => continue,
        };
        joined(known, at);
    }
    let mut sets: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for at in 0..parts.len() {
        sets.entry(leading(&mut leader, at)).or_default().push(at);
    }
    let mut sets: Vec<Vec<usize>> = sets.into_values().collect();
    sets.sort_unstable();
    sets
}

fn leading(leader: &mut [usize], mut at: usize) -> usize {
    while leader[at] != at {
        leader[at] = leader[leader[at]];
        at = leader[at];
    }
    at
}
