//! One query while it is answered: candidates are collected from keys, parcels, names and addresses.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::{Bbox, Cancel, City, LayerSnapshot, Row};
use citymap_model::{Role, Value};

use crate::{
    SearchIndex,
    hit::{HitKind, Precision},
    layer::LayerIndex,
    parcel::ParcelNumber,
    phrases::{Fit, PhraseQuery},
    postings::{Phrase, Postings},
    rank::{NEARLY, distance_to, gather, nearness, weight, worth},
    units,
    words::{NameKind, split_kind, split_number},
};

/// A place that may be an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchCandidate {
    pub(crate) score: f64,
    pub(crate) id: CandidateId,
    pub(crate) bbox: Option<Bbox>,
    pub(crate) precision: Precision,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CandidateId {
    /// A row of the layer at this position in `SearchIndex::layers`.
    Row(usize, Row),
    /// The built-in unit at this position.
    Unit(usize),
}

/// The run of one query over a city.
pub(crate) struct QueryRun<'a> {
    pub(crate) index: &'a SearchIndex,
    pub(crate) city: &'a City,
    /// The snapshots of the index's layers; `None` if the city has another snapshot than was indexed.
    pub(crate) snapshots: Vec<Option<&'a Arc<LayerSnapshot>>>,
    pub(crate) near: Option<[f64; 2]>,
    pub(crate) limit: usize,
    /// Whether the last word may be unfinished.
    pub(crate) partial: bool,
    /// What was typed, in lower case; `None` if it has no accents.
    pub(crate) accents: Option<String>,
    /// Once it is set, no further layer is looked at, and the caller drops what was found.
    pub(crate) cancel: &'a Cancel,
    pub(crate) candidates: Vec<SearchCandidate>,
}

impl QueryRun<'_> {
    /// The layers whose snapshots are those that were indexed.
    fn layers(&self) -> impl Iterator<Item = (usize, &Arc<LayerIndex>, &Arc<LayerSnapshot>)> {
        let layers = self.index.layers.iter().zip(&self.snapshots).enumerate();
        layers
            .take_while(|_| !self.cancel.is_cancelled())
            .filter_map(|(position, (layer, snapshot))| Some((position, layer, (*snapshot)?)))
    }

    /// A feature as a candidate; `base` is its score without what its role and its distance add.
    fn feature(
        &self,
        (position, role): (usize, Role),
        (row, bbox): (Row, Option<Bbox>),
        base: f64,
        precision: Precision,
    ) -> SearchCandidate {
        let score = base + weight(HitKind::Role(role)) + nearness(bbox, self.near);
        SearchCandidate { score, id: CandidateId::Row(position, row), bbox, precision }
    }

    /// Adds features by their key, or by the beginning of it.
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
            // At least three characters: one or two digits begin half of all keys.
            let longer: Vec<Row> = match text.len() {
                0..3 => Vec::new(),
                _ if upper == text => longer(text).collect(),
                _ => longer(text).chain(snapshot.rows_of_key_prefix(&upper).take(self.limit)).collect(),
            };
            let exact_rows = exact.iter().take(self.limit).map(|&row| (Fit::Exact, row));
            for (fit, row) in exact_rows.chain(longer.iter().map(|&row| (Fit::Prefix, row))) {
                let bbox = snapshot.bbox(row);
                let precision = precision_of(layer.role, bbox);
                found.push(self.feature((position, layer.role), (row, bbox), worth(fit), precision));
            }
        }
        self.candidates.append(&mut found);
    }

    /// Adds parcels by sheet and parcel number.
    pub(crate) fn parcels(&mut self, number: &ParcelNumber) {
        let commune = number.commune.as_deref().and_then(citymap_model::units::commune);
        let areas = match commune {
            Some(commune) => {
                let [west, south, east, north] = commune.bbox;
                vec![Bbox::new(west, south, east, north)]
            }
            None if self.city.profile.has_builtin_units() => units::places(&number.rest),
            None => Vec::new(),
        };
        let mut found = Vec::new();
        for (position, layer, snapshot) in self.layers() {
            for row in layer.parcels(snapshot, &number.sheet, &number.parcel, 2_000) {
                let bbox = snapshot.bbox(row);
                let base = if is_inside(bbox, &areas) { worth(Fit::Exact) } else { NEARLY };
                found.push(self.feature((position, layer.role), (row, bbox), base, Precision::Parcel));
            }
        }
        self.candidates.append(&mut found);
    }

    /// Adds names and addresses. What is outside `areas`, if there are any, counts as only near.
    pub(crate) fn names(&mut self, text: &str, areas: Option<&[Bbox]>) {
        let readings = readings(text, self.partial);
        let mut found = Vec::new();
        let base = |fit: Fit, bbox: Option<Bbox>| {
            if areas.is_none_or(|areas| is_inside(bbox, areas)) { worth(fit) } else { NEARLY }
        };
        if areas.is_none() {
            self.units(readings[0], &mut found);
        }
        for (position, layer, snapshot) in self.layers() {
            let (names, addresses) = (layer.names(snapshot), layer.addresses(snapshot));
            for (fit, phrase) in find(&names, readings, self.limit) {
                let close = phrase.closeness(readings[0]);
                for (row, bbox) in gather(snapshot, names.rows(phrase), self.near) {
                    let (score, precision) = (base(fit, bbox) + close, precision_of(layer.role, bbox));
                    found.push(self.feature((position, layer.role), (row, bbox), score, precision));
                }
            }
            // For a street without a house number, one of its addresses is taken for the street.
            for (fit, phrase) in find(&addresses, readings.map(street), self.limit) {
                for (row, bbox) in gather(snapshot, addresses.rows(phrase), self.near) {
                    let score = base(fit, bbox) - 0.05;
                    found.push(self.feature((position, layer.role), (row, bbox), score, Precision::Street));
                }
            }
        }
        if let Some((number, street)) = split_number(text) {
            self.houses(number, street, &base, &mut found);
        }
        self.candidates.append(&mut found);
    }

    /// Adds communes that no layer has, and former units.
    fn units(&self, asked: PhraseQuery<'_>, found: &mut Vec<SearchCandidate>) {
        // The tables list the units of one city.
        if !self.city.profile.has_builtin_units() {
            return;
        }
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
                found.push(SearchCandidate {
                    score,
                    id: CandidateId::Unit(row as usize),
                    bbox: Some(unit.bbox),
                    precision,
                });
            }
        }
    }

    /// Adds houses on a street. If no house has the number, the mouth of its alley, or else the street.
    fn houses(
        &self,
        number: &str,
        name: &str,
        base: &dyn Fn(Fit, Option<Bbox>) -> f64,
        found: &mut Vec<SearchCandidate>,
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
                    let score = base(fit, bbox);
                    found.push(self.feature((position, layer.role), (row, bbox), score, Precision::Rooftop));
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
                found.push(self.feature((position, layer.role), (row, bbox), base, Precision::Street));
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

/// How precisely a feature that was found by its name or key says where something is.
fn precision_of(role: Role, bbox: Option<Bbox>) -> Precision {
    match role {
        Role::Parcel => Precision::Parcel,
        Role::Road => Precision::Street,
        Role::AdminUnit | Role::Zone => Precision::Area,
        // A box of a hundred metres or more is an area.
        _ if bbox
            .is_some_and(|bbox| bbox.max[0] - bbox.min[0] > 0.001 || bbox.max[1] - bbox.min[1] > 0.001) =>
        {
            Precision::Area
        }
        _ => Precision::Rooftop,
    }
}

/// The two ways to read a name: with its first word as the word for its kind, or as part of the name. Without
/// accents `duong ba trac` may be a street called Bá Trạc, or Dương Bá Trạc.
fn readings(text: &str, partial: bool) -> [PhraseQuery<'_>; 2] {
    let (kind, core) = split_kind(text);
    [PhraseQuery { kind, core, partial }, PhraseQuery { kind: NameKind::None, core: text, partial }]
}

/// The query for addresses, whose streets are indexed without the word for street.
fn street(asked: PhraseQuery<'_>) -> PhraseQuery<'_> {
    PhraseQuery { kind: if asked.kind == NameKind::Road { NameKind::None } else { asked.kind }, ..asked }
}

/// The phrases that fit either reading. Those of the second reading must begin with all of it.
fn find<'a>(
    phrases: &Postings<'a>,
    [first, second]: [PhraseQuery<'_>; 2],
    limit: usize,
) -> Vec<(Fit, Phrase<'a>)> {
    let mut found = phrases.find(first, limit);
    if first.core != second.core {
        found.extend(phrases.find(second, limit).into_iter().filter(|(fit, _)| *fit <= Fit::Prefix));
    }
    found
}

/// Whether a feature is inside one of the areas; true if there are no areas.
fn is_inside(bbox: Option<Bbox>, areas: &[Bbox]) -> bool {
    areas.is_empty()
        || bbox.is_some_and(|bbox| areas.iter().any(|area| distance_to(*area, bbox.center()) == 0.0))
}
