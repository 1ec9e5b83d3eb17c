use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::{Bbox, LayerSnapshot, Row};
use citymap_model::{Role, Value};

use crate::{
    SearchIndex,
    all::{All, Phrase},
    hit::{HitKind, Precision},
    layer::LayerIndex,
    parcel::ParcelNumber,
    phrases::{Asked, Fit},
    rank::{NEARLY, away, gather, nearness, weight, worth},
    units,
    words::{Kind, split_kind, split_number},
};

/// An answer before it is written out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) score: f64,
    pub(crate) thing: Thing,
    pub(crate) bbox: Option<Bbox>,
    pub(crate) precision: Precision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    /// A position in `SearchIndex::layers`, and a row.
    Row(usize, Row),
    /// A position in the built-in units.
    Unit(usize),
}

/// One question while it is answered.
pub(crate) struct Asking<'a> {
    pub(crate) index: &'a SearchIndex,
    pub(crate) snapshots: Vec<Option<&'a Arc<LayerSnapshot>>>,
    pub(crate) near: Option<[f64; 2]>,
    pub(crate) limit: usize,
    pub(crate) partial: bool,
    /// What was typed, in lower case, where it has accents.
    pub(crate) accents: Option<String>,
    pub(crate) found: Vec<Found>,
}

impl Asking<'_> {
    /// Layers that are as they were when they were indexed.
    fn layers(&self) -> impl Iterator<Item = (usize, &Arc<LayerIndex>, &Arc<LayerSnapshot>)> {
        let layers = self.index.layers.iter().zip(&self.snapshots).enumerate();
        layers.filter_map(|(position, (layer, snapshot))| Some((position, layer, (*snapshot)?)))
    }

    fn push(
        found: &mut Vec<Found>,
        near: Option<[f64; 2]>,
        role: Role,
        thing: Thing,
        base: f64,
        bbox: Option<Bbox>,
        precision: Precision,
    ) {
        let score = base + weight(HitKind::Role(role)) + nearness(bbox, near);
        found.push(Found { score, thing, bbox, precision });
    }

    /// Features by key, or by the beginning of one.
    pub(crate) fn keys(&mut self, text: &str) {
        if text.contains(char::is_whitespace) || !text.contains(|letter: char| letter.is_ascii_digit()) {
            return;
        }
        let mut found = Vec::new();
        for (position, layer, snapshot) in self.layers() {
            let Some(field) = visible(snapshot.layer(), &Audience::Public).key_index() else {
                continue;
            };
            let exact = Value::parse(text, snapshot.layer().fields[field].field_type);
            let exact: Vec<Row> = exact.map(|key| snapshot.rows_of_key(&key)).unwrap_or_default();
            let upper = text.to_ascii_uppercase();
            let longer = |prefix| snapshot.rows_of_key_prefix(prefix).take(self.limit);
            // Three characters or more: a digit or two begins half of all keys.
            let longer: Vec<Row> = match text.len() {
                0..3 => Vec::new(),
                _ if upper == text => longer(text).collect(),
                _ => longer(text).chain(snapshot.rows_of_key_prefix(&upper).take(self.limit)).collect(),
            };
            let exact_rows = exact.iter().take(self.limit).map(|&row| (Fit::Exact, row));
            for (fit, row) in exact_rows.chain(longer.iter().map(|&row| (Fit::Prefix, row))) {
                let bbox = snapshot.bbox(row);
                Self::push(
                    &mut found,
                    self.near,
                    layer.role,
                    Thing::Row(position, row),
                    worth(fit),
                    bbox,
                    precise(layer.role, bbox),
                );
            }
        }
        self.found.append(&mut found);
    }

    /// Parcels by sheet and number.
    pub(crate) fn parcels(&mut self, number: &ParcelNumber) {
        let commune = number.commune.as_deref().and_then(citymap_model::units::commune);
        let areas = match commune {
            Some(commune) => {
                let [west, south, east, north] = commune.bbox;
                vec![Bbox::new(west, south, east, north)]
            }
            None => units::places(&number.rest),
        };
        let mut found = Vec::new();
        for (position, layer, snapshot) in self.layers() {
            for row in layer.parcels(snapshot, &number.sheet, &number.parcel, 2_000) {
                let bbox = snapshot.bbox(row);
                let base = if inside(bbox, &areas) { worth(Fit::Exact) } else { NEARLY };
                Self::push(
                    &mut found,
                    self.near,
                    layer.role,
                    Thing::Row(position, row),
                    base,
                    bbox,
                    Precision::Parcel,
                );
            }
        }
        self.found.append(&mut found);
    }

    /// Names and addresses; what lies outside of `areas`, where there are any, is only near.
    pub(crate) fn names(&mut self, text: &str, areas: Option<&[Bbox]>) {
        let readings = readings(text, self.partial);
        let mut found = Vec::new();
        let base = |fit: Fit, bbox: Option<Bbox>| {
            if areas.is_none_or(|areas| inside(bbox, areas)) { worth(fit) } else { NEARLY }
        };
        if areas.is_none() {
            self.units(readings[0], &mut found);
        }
        for (position, layer, snapshot) in self.layers() {
            let (names, addresses) = (layer.names(snapshot), layer.addresses(snapshot));
            for (fit, phrase) in find(&names, readings, self.limit) {
                let close = phrase.closeness(readings[0]);
                for (row, bbox) in gather(snapshot, names.rows(phrase), self.near) {
                    let thing = Thing::Row(position, row);
                    Self::push(
                        &mut found,
                        self.near,
                        layer.role,
                        thing,
                        base(fit, bbox) + close,
                        bbox,
                        precise(layer.role, bbox),
                    );
                }
            }
            // A street without a house number: one address of it stands for the street.
            for (fit, phrase) in find(&addresses, readings.map(street), self.limit) {
                for (row, bbox) in gather(snapshot, addresses.rows(phrase), self.near) {
                    let base = base(fit, bbox) - 0.05;
                    Self::push(
                        &mut found,
                        self.near,
                        layer.role,
                        Thing::Row(position, row),
                        base,
                        bbox,
                        Precision::Street,
                    );
                }
            }
        }
        if let Some((number, street)) = split_number(text) {
            self.houses(number, street, &base, &mut found);
        }
        self.found.append(&mut found);
    }

    fn units(&self, asked: Asked<'_>, found: &mut Vec<Found>) {
        let units = units::all();
        for (fit, phrase) in units.names.find(asked, 4 * self.limit) {
            for row in units.names.rows(phrase) {
                let unit = &units.list[row as usize];
                let (kind, precision) = match unit.commune {
                    Some(commune) if !self.index.missing[commune] => continue,
                    Some(_) => (HitKind::Role(Role::AdminUnit), Precision::Area),
                    None => (HitKind::FormerUnit, Precision::FormerUnit),
                };
                let close = units.names.closeness(phrase, asked);
                let score = worth(fit) + close + weight(kind) + nearness(Some(unit.bbox), self.near);
                found.push(Found {
                    score,
                    thing: Thing::Unit(row as usize),
                    bbox: Some(unit.bbox),
                    precision,
                });
            }
        }
    }

    /// A house on a street; where it is not known, the mouth of its alley.
    fn houses(
        &self,
        number: &str,
        name: &str,
        base: &dyn Fn(Fit, Option<Bbox>) -> f64,
        found: &mut Vec<Found>,
    ) {
        let readings = readings(name, self.partial);
        let streets = readings.map(street);
        let mut known = false;
        for (position, layer, snapshot) in self.layers() {
            let addresses = layer.addresses(snapshot);
            for (fit, phrase) in find(&addresses, streets, 4 * self.limit) {
                let exact = addresses.rows_numbered(phrase, number).map(|row| (fit, row));
                let longer =
                    addresses.rows_numbered_from(phrase, number).map(|row| (fit.max(Fit::Prefix), row));
                for (fit, row) in exact.take(20 * self.limit).chain(longer.take(self.limit)) {
                    known = true;
                    let bbox = snapshot.bbox(row);
                    let thing = Thing::Row(position, row);
                    Self::push(
                        found,
                        self.near,
                        layer.role,
                        thing,
                        base(fit, bbox),
                        bbox,
                        Precision::Rooftop,
                    );
                }
            }
        }
        if known {
            return;
        }
        let mouths = std::iter::successors(number.rsplit_once('/').map(|(alley, _)| alley), |alley| {
            alley.rsplit_once('/').map(|(alley, _)| alley)
        });
        let mouths: Vec<&str> = mouths.collect();
        for (position, layer, snapshot) in self.layers() {
            let mut push = |row, bbox, base| {
                Self::push(
                    found,
                    self.near,
                    layer.role,
                    Thing::Row(position, row),
                    base,
                    bbox,
                    Precision::Street,
                );
            };
            let addresses = layer.addresses(snapshot);
            for (_, phrase) in find(&addresses, streets, self.limit) {
                let mouth = mouths.iter().find_map(|alley| addresses.rows_numbered(phrase, alley).next());
                match mouth {
                    Some(row) => push(row, snapshot.bbox(row), NEARLY + 0.05),
                    None => {
                        let places = gather(snapshot, addresses.rows(phrase), self.near);
                        places.into_iter().for_each(|(row, bbox)| push(row, bbox, NEARLY));
                    }
                }
            }
            if layer.role == Role::Road {
                let names = layer.names(snapshot);
                for (_, phrase) in find(&names, readings, self.limit) {
                    let places = gather(snapshot, names.rows(phrase), self.near);
                    places.into_iter().for_each(|(row, bbox)| push(row, bbox, NEARLY));
                }
            }
        }
    }
}

/// How precise a feature found by its name or key is.
fn precise(role: Role, bbox: Option<Bbox>) -> Precision {
    match role {
        Role::Parcel => Precision::Parcel,
        Role::Road => Precision::Street,
        Role::AdminUnit | Role::Zone => Precision::Area,
        // A hundred metres or more is no rooftop.
        _ if bbox
            .is_some_and(|bbox| bbox.max[0] - bbox.min[0] > 0.001 || bbox.max[1] - bbox.min[1] > 0.001) =>
        {
            Precision::Area
        }
        _ => Precision::Rooftop,
    }
}

/// The two ways to read a name: with the word for its kind as that, and as part of the name. Without
/// accents `duong ba trac` may be a street called Bá Trạc, or Dương Bá Trạc.
fn readings(text: &str, partial: bool) -> [Asked<'_>; 2] {
    let (kind, core) = split_kind(text);
    [Asked { kind, core, partial }, Asked { kind: Kind::None, core: text, partial }]
}

/// What is asked of addresses, whose streets have lost their `Đường`.
fn street(asked: Asked<'_>) -> Asked<'_> {
    Asked { kind: if asked.kind == Kind::Road { Kind::None } else { asked.kind }, ..asked }
}

/// The phrases that fit either reading; the second only where the whole of it begins them.
fn find<'a>(phrases: &All<'a>, [first, second]: [Asked<'_>; 2], limit: usize) -> Vec<(Fit, Phrase<'a>)> {
    let mut found = phrases.find(first, limit);
    if first.core != second.core {
        found.extend(phrases.find(second, limit).into_iter().filter(|(fit, _)| *fit <= Fit::Prefix));
    }
    found
}

/// Whether a feature lies in one of the areas; in none, everything does.
fn inside(bbox: Option<Bbox>, areas: &[Bbox]) -> bool {
    areas.is_empty() || bbox.is_some_and(|bbox| areas.iter().any(|area| away(*area, bbox.center()) == 0.0))
}
