//! One query while it is answered: candidates are collected from keys, parcels, names and addresses.

use std::{cell::RefCell, sync::Arc};

use citymap_access::{Audience, visible};
use citymap_engine::{Bbox, Cancel, City, LayerSnapshot, Row};
use citymap_model::{Role, Value};
use rustc_hash::FxHashMap;

use crate::{
    SearchIndex,
    hit::{HitKind, Precision},
    layer::LayerIndex,
    parcel::ParcelNumber,
    phrases::{Fit, PhraseQuery},
    places::{Place, Within},
    postings::{Phrase, Postings},
    rank::{FORMER, Group, NEARLY, OUTSIDE_SIMILAR, gather, nearness, weight, worth, worth_similar},
    similar::Similarity,
    units,
    words::{NameKind, kinds_behind, similar_kinds, split_kind, split_number},
};

/// Whether names are found as they were typed, or also with typing errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    Exact,
    Similar,
}

/// A place that may be an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchCandidate {
    pub(crate) score: f64,
    pub(crate) id: CandidateId,
    pub(crate) bbox: Option<Bbox>,
    pub(crate) precision: Precision,
    /// Whether it lies outside the place that was asked for.
    pub(crate) elsewhere: bool,
    /// Whether the query has typing errors or other spaces, compared with it.
    pub(crate) similar: bool,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CandidateId {
    /// A row of the layer at this position in `SearchIndex::layers`.
    Row(usize, Row),
    /// The decision that the row of the layer at this position names.
    Decision(usize, Row),
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
    /// The language of labels and details.
    pub(crate) lang: &'static str,
    pub(crate) limit: usize,
    /// Whether the last word may be unfinished.
    pub(crate) partial: bool,
    /// What was typed, in lower case; `None` if it has no accents.
    pub(crate) accents: Option<String>,
    /// Once it is set, no further layer is looked at, and the caller drops what was found.
    pub(crate) cancel: &'a Cancel,
    pub(crate) candidates: Vec<SearchCandidate>,
    /// The place that restricted the question at last.
    pub(crate) place: Option<Place>,
    /// The communes of the streets among the candidates.
    pub(crate) communes: RefCell<FxHashMap<CandidateId, Vec<String>>>,
}

/// What restricts a search for names, and how far names may differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameSearch<'a> {
    /// What is outside counts as only near.
    pub(crate) place: Option<&'a Place>,
    pub(crate) matching: Matching,
    /// Differences that the text has already, other spaces for instance.
    pub(crate) errors: u8,
}

impl NameSearch<'_> {
    /// A search for names exactly as they are written, everywhere.
    pub(crate) const EXACT: Self = Self { place: None, matching: Matching::Exact, errors: 0 };

    fn errors(&self) -> u8 {
        self.errors + self.place.map_or(0, |place| place.errors)
    }
}

/// A phrase that was found, and what it is worth.
struct Found<P> {
    phrase: P,
    base: f64,
    similar: bool,
}

impl QueryRun<'_> {
    /// The layers whose snapshots are those that were indexed.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (usize, &Arc<LayerIndex>, &Arc<LayerSnapshot>)> {
        let layers = self.index.layers.iter().zip(&self.snapshots).enumerate();
        layers
            .take_while(|_| !self.cancel.is_cancelled())
            .filter_map(|(position, (layer, snapshot))| Some((position, layer, (*snapshot)?)))
    }

    /// The score of the best candidate; 0 without any.
    pub(crate) fn best(&self) -> f64 {
        self.candidates.iter().map(|candidate| candidate.score).fold(0.0, f64::max)
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
        let id = CandidateId::Row(position, row);
        SearchCandidate { score, id, bbox, precision, elsewhere: false, similar: false }
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
        let rest = match &number.commune {
            Some(code) => code.as_str(),
            None => number.rest.as_str(),
        };
        let place = match rest {
            "" => None,
            rest => self.place(rest, Matching::Exact).or_else(|| self.place(rest, Matching::Similar)),
        };
        // Two numbers beside words that name no place are no parcel.
        if place.is_none() && !rest.is_empty() && !number.labelled {
            return;
        }
        let known = if place.is_some() || rest.is_empty() { Fit::Exact } else { Fit::Words };
        let mut found = Vec::new();
        let mut add = |sheet: &str, parcel: &str, fit: Fit| {
            for (position, layer, snapshot) in self.layers() {
                for row in layer.parcels(snapshot, sheet, parcel, 2_000) {
                    let bbox = snapshot.bbox(row);
                    let (base, elsewhere) = match &place {
                        Some(place) => match self.within(place, snapshot, row, bbox) {
                            Within::Present => (worth(fit), false),
                            Within::Former => (worth(fit) - FORMER, false),
                            Within::No => (NEARLY, true),
                        },
                        None => (worth(fit), false),
                    };
                    let parcel = self.feature((position, layer.role), (row, bbox), base, Precision::Parcel);
                    let similar = place.as_ref().is_some_and(|place| place.errors > 0);
                    found.push(SearchCandidate { elsewhere, similar, ..parcel });
                }
            }
        };
        add(&number.sheet, &number.parcel, known);
        if !number.labelled && number.sheet != number.parcel {
            add(&number.parcel, &number.sheet, Fit::Inside);
        }
        self.take(found, place);
    }

    /// Adds what was found in a place; what lies elsewhere only if nothing is in it.
    fn take(&mut self, mut found: Vec<SearchCandidate>, place: Option<Place>) {
        if found.iter().any(|candidate| !candidate.elsewhere) {
            found.retain(|candidate| !candidate.elsewhere);
        }
        if !found.is_empty() && place.is_some() {
            self.place = place;
        }
        self.candidates.append(&mut found);
    }

    /// Adds decisions by their number, each as one answer for all that it put in force.
    pub(crate) fn decisions(&mut self, text: &str) {
        let mut number = text;
        for word in ["quiet dinh ", "decision ", "qd ", "so "] {
            number = number.strip_prefix(word).unwrap_or(number);
        }
        if !number.starts_with(|letter: char| letter.is_ascii_digit())
            || !number.contains("qd") && number.len() == text.len()
        {
            return;
        }
        let asked = PhraseQuery { kind: NameKind::None, core: number, partial: true };
        let mut found = Vec::new();
        for (position, layer, snapshot) in self.layers() {
            let decisions = layer.decisions(snapshot);
            for (fit, phrase) in decisions.find(asked, self.limit) {
                if fit > Fit::Prefix {
                    continue;
                }
                let mut rows = decisions.rows(phrase).take(DECISION_ROWS_MAX).peekable();
                let Some(&first) = rows.peek() else { continue };
                let bbox = rows.filter_map(|row| snapshot.bbox(row)).reduce(Bbox::union);
                let base = worth(fit) - 0.02;
                let decision = self.feature((position, layer.role), (first, bbox), base, Precision::Area);
                found.push(SearchCandidate { id: CandidateId::Decision(position, first), ..decision });
            }
        }
        self.candidates.append(&mut found);
    }

    /// Adds names and addresses.
    pub(crate) fn names(&mut self, text: &str, search: NameSearch<'_>) {
        let readings = self.readings(text, search.matching);
        let mut found = Vec::new();
        if search.place.is_none() {
            self.units(&readings, search, &mut found);
        }
        for (position, layer, snapshot) in self.layers() {
            let (names, addresses) = (layer.names(snapshot), layer.addresses(snapshot));
            for Found { phrase, base, similar } in find(&names, &readings, search, self.limit) {
                let close = phrase.closeness(readings[0].0);
                for Group { row, bbox, communes } in gather(self, (layer, snapshot), names.rows(phrase)) {
                    let precision = precision_of(layer.role, bbox);
                    let (base, elsewhere) = self.placed(search, snapshot, (row, bbox), base);
                    let hit = self.feature((position, layer.role), (row, bbox), base + close, precision);
                    if !communes.is_empty() {
                        self.communes.borrow_mut().insert(hit.id, communes);
                    }
                    found.push(SearchCandidate { elsewhere, similar, ..hit });
                }
            }
            // For a street without a house number, one of its addresses is taken for the street.
            let streets: Vec<_> = readings.iter().map(|&(asked, errors)| (street(asked), errors)).collect();
            for Found { phrase, base, similar } in find(&addresses, &streets, search, self.limit) {
                for Group { row, bbox, .. } in gather(self, (layer, snapshot), addresses.rows(phrase)) {
                    let (base, elsewhere) = self.placed(search, snapshot, (row, bbox), base);
                    let hit =
                        self.feature((position, layer.role), (row, bbox), base - 0.05, Precision::Street);
                    found.push(SearchCandidate { elsewhere, similar, ..hit });
                }
            }
        }
        if let Some((number, street)) = split_number(text) {
            self.houses(number, street, search, &mut found);
        }
        self.take(found, search.place.cloned());
    }

    /// The score of a feature, and whether it is outside the place that was asked for.
    fn placed(
        &self,
        search: NameSearch<'_>,
        snapshot: &LayerSnapshot,
        (row, bbox): (Row, Option<Bbox>),
        base: f64,
    ) -> (f64, bool) {
        match search.place.map(|place| self.within(place, snapshot, row, bbox)) {
            Some(Within::No) => (if base < worth(Fit::Words) { OUTSIDE_SIMILAR } else { NEARLY }, true),
            Some(Within::Former) => (base - FORMER, false),
            Some(Within::Present) | None => (base, false),
        }
    }

    /// Adds communes that no layer has, and former units.
    fn units(
        &self,
        readings: &[(PhraseQuery<'_>, u8)],
        search: NameSearch<'_>,
        found: &mut Vec<SearchCandidate>,
    ) {
        // The tables list the units of one city.
        if !self.city.profile.has_builtin_units() {
            return;
        }
        let units = units::all();
        let limit = 4 * self.limit;
        // The second reading takes the word for the kind as part of the name, which no unit has.
        let first = readings.iter().take(1).chain(readings.iter().skip(2));
        for &(asked, errors) in first {
            let phrases: Vec<Found<u32>> = match search.matching {
                Matching::Exact => units
                    .names
                    .find(asked, limit)
                    .into_iter()
                    .map(|(fit, phrase)| Found {
                        phrase,
                        base: exactly(fit, errors + search.errors()),
                        similar: errors + search.errors() > 0,
                    })
                    .collect(),
                Matching::Similar => {
                    similar_or_whole(errors, units.names.find_similar(asked, limit, |_| true), || {
                        units.names.find(asked, limit)
                    })
                    .map(|(similarity, phrase)| similarly(similarity, phrase, errors + search.errors()))
                    .collect()
                }
            };
            for Found { phrase, base, similar } in phrases {
                for row in units.names.rows(phrase) {
                    let unit = &units.list[row as usize];
                    let (kind, precision) = match unit.commune {
                        Some(commune) if !self.index.missing[commune] => continue,
                        Some(_) => (HitKind::Role(Role::AdminUnit), Precision::Area),
                        None => (HitKind::FormerUnit, Precision::FormerUnit),
                    };
                    let close = units.names.closeness(phrase, asked);
                    let score = base + close + weight(kind) + nearness(Some(unit.bbox), self.near);
                    let id = CandidateId::Unit(row as usize);
                    let bbox = Some(unit.bbox);
                    found.push(SearchCandidate { score, id, bbox, precision, elsewhere: false, similar });
                }
            }
        }
    }

    /// Adds houses on a street. If no house has the number, the mouth of its alley, or else the street.
    fn houses(&self, number: &str, name: &str, search: NameSearch<'_>, found: &mut Vec<SearchCandidate>) {
        let readings = self.readings(name, search.matching);
        let streets: Vec<_> = readings.iter().map(|&(asked, errors)| (street(asked), errors)).collect();
        let mut known = false;
        for (position, layer, snapshot) in self.layers() {
            let addresses = layer.addresses(snapshot);
            for Found { phrase, base, similar } in find(&addresses, &streets, search, 4 * self.limit) {
                let exact = addresses.rows_numbered(phrase, number).map(|row| (0.0, row));
                let longer = addresses.rows_numbered_from(phrase, number).map(|row| (0.15, row));
                for (less, row) in exact.take(20 * self.limit).chain(longer.take(self.limit)) {
                    let bbox = snapshot.bbox(row);
                    let (base, elsewhere) = self.placed(search, snapshot, (row, bbox), base);
                    known |= !elsewhere;
                    let hit =
                        self.feature((position, layer.role), (row, bbox), base - less, Precision::Rooftop);
                    found.push(SearchCandidate { elsewhere, similar, ..hit });
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
            let mut push = |(row, bbox): (Row, Option<Bbox>), similar: bool, more: f64| {
                let base = if similar { OUTSIDE_SIMILAR } else { NEARLY } + more;
                let (base, elsewhere) = match self.placed(search, snapshot, (row, bbox), base) {
                    (_, true) => (OUTSIDE_SIMILAR, true),
                    inside => inside,
                };
                let hit = self.feature((position, layer.role), (row, bbox), base, Precision::Street);
                found.push(SearchCandidate { elsewhere, similar, ..hit });
            };
            let addresses = layer.addresses(snapshot);
            for Found { phrase, similar, .. } in find(&addresses, &streets, search, self.limit) {
                let mouth = mouths.iter().find_map(|alley| addresses.rows_numbered(phrase, alley).next());
                match mouth {
                    Some(row) => push((row, snapshot.bbox(row)), similar, 0.05),
                    None => {
                        let places = gather(self, (layer, snapshot), addresses.rows(phrase));
                        places.into_iter().for_each(|place| push((place.row, place.bbox), similar, 0.0));
                    }
                }
            }
            if layer.role == Role::Road {
                let names = layer.names(snapshot);
                for Found { phrase, similar, .. } in find(&names, &readings, search, self.limit) {
                    let places = gather(self, (layer, snapshot), names.rows(phrase));
                    places.into_iter().for_each(|place| push((place.row, place.bbox), similar, 0.0));
                }
            }
        }
    }

    /// The ways to read a name, with the typing errors of each: its first word as the word for its kind, or
    /// as part of the name. Without accents `duong ba trac` may be a street called Bá Trạc, or Dương Bá Trạc.
    /// English writes the word for the kind behind the name. Among similar names also with errors in the word
    /// for the kind.
    fn readings<'a>(&self, text: &'a str, matching: Matching) -> Vec<(PhraseQuery<'a>, u8)> {
        let partial = self.partial;
        let (kind, core) = split_kind(text);
        let mut readings = vec![
            (PhraseQuery { kind, core, partial }, 0),
            (PhraseQuery { kind: NameKind::None, core: text, partial }, 0),
        ];
        readings
            .extend(kinds_behind(text).map(|(kind, core)| (PhraseQuery { kind, core, partial: false }, 0)));
        if matching == Matching::Similar {
            let kinds = similar_kinds(text).into_iter();
            readings.extend(kinds.map(|(kind, core, errors)| (PhraseQuery { kind, core, partial }, errors)));
        }
        readings
    }
}

/// Maximum number of features of one decision that are looked at.
const DECISION_ROWS_MAX: usize = 20_000;

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

/// The query for addresses, whose streets are indexed without the word for street.
fn street(asked: PhraseQuery<'_>) -> PhraseQuery<'_> {
    PhraseQuery { kind: if asked.kind == NameKind::Road { NameKind::None } else { asked.kind }, ..asked }
}

/// What a phrase is worth that fits the text exactly, if the text was changed in so many places before.
fn exactly(fit: Fit, errors: u8) -> f64 {
    if errors == 0 { worth(fit) } else { worth_similar(Similarity { errors, fit }) }
}

/// A similar phrase and what it is worth.
fn similarly<P>(similarity: Similarity, phrase: P, errors: u8) -> Found<P> {
    let errors = similarity.errors + errors;
    Found { phrase, base: exactly(similarity.fit, errors), similar: errors > 0 }
}

/// The similar phrases; if the errors are in the word for the kind, also those that fit the rest as it is,
/// which may be a number.
fn similar_or_whole<P>(
    errors: u8,
    similar: Vec<(Similarity, P)>,
    whole: impl FnOnce() -> Vec<(Fit, P)>,
) -> impl Iterator<Item = (Similarity, P)> {
    let whole = if errors > 0 { whole() } else { Vec::new() };
    let whole = whole.into_iter().filter(|(fit, _)| *fit <= Fit::Prefix);
    similar.into_iter().chain(whole.map(|(fit, phrase)| (Similarity { errors: 0, fit }, phrase)))
}

/// The phrases that fit a reading. Those of the second reading must begin with all of it.
fn find<'a>(
    phrases: &Postings<'a>,
    readings: &[(PhraseQuery<'_>, u8)],
    search: NameSearch<'_>,
    limit: usize,
) -> Vec<Found<Phrase<'a>>> {
    let mut found = Vec::new();
    for (position, &(asked, errors)) in readings.iter().enumerate() {
        if position == 1 && asked.core == readings[0].0.core {
            continue;
        }
        let typed = errors;
        let errors = errors + search.errors();
        match search.matching {
            Matching::Exact => {
                let fits = phrases.find(asked, limit).into_iter();
                let fits = fits.filter(|(fit, _)| position != 1 || *fit <= Fit::Prefix);
                found.extend(fits.map(|(fit, phrase)| Found {
                    phrase,
                    base: exactly(fit, errors),
                    similar: errors > 0,
                }));
            }
            Matching::Similar => {
                let similar = similar_or_whole(typed, phrases.find_similar(asked, limit), || {
                    phrases.find(asked, limit)
                });
                found.extend(similar.map(|(similarity, phrase)| similarly(similarity, phrase, errors)));
            }
        }
    }
    found.sort_by(|a, b| b.base.total_cmp(&a.base));
    found.truncate(limit);
    found
}
