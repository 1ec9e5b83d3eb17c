use std::sync::Arc;

use citymap_engine::{Bbox, City, LayerSnapshot, Row};
use citymap_model::{Role, Value, units::communes};
use geo::InteriorPoint;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;

use crate::{
    coordinates::parse_coordinates,
    hit::{Hit, HitKind, Precision, SearchQuery},
    layer::LayerIndex,
    parcel::{ParcelNumber, parse_parcel},
    phrases::{Asked, Fit, Phrases},
    rank::{ACCENTS, NEARLY, away, gather, nearness, weight, worth},
    units,
    words::{Kind, Words, split_kind, split_number},
};

/// The index of names, addresses and keys of a city. Cheap to clone.
///
/// It holds row numbers of the snapshots it was built from: a layer of another revision in the city
/// that is searched with it is left out, so build or update the index with each new city.
#[derive(Clone, Debug, Default)]
pub struct SearchIndex {
    layers: Vec<Arc<LayerIndex>>,
    /// Which communes of the built-in table no layer has.
    missing: Vec<bool>,
}

/// How many characters of a question are read.
const LONGEST: usize = 200;
/// The most answers to one question.
const MOST: usize = 200;

/// An answer before it is written out.
#[derive(Clone, Copy, Debug)]
struct Found {
    score: f64,
    thing: Thing,
    bbox: Option<Bbox>,
    precision: Precision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    /// A position in `SearchIndex::layers`, and a row.
    Row(usize, Row),
    /// A position in the built-in units.
    Unit(usize),
}

/// One question while it is answered.
struct Asking<'a> {
    index: &'a SearchIndex,
    snapshots: Vec<Option<&'a Arc<LayerSnapshot>>>,
    near: Option<[f64; 2]>,
    limit: usize,
    partial: bool,
    /// What was typed, in lower case, where it has accents.
    accents: Option<String>,
    found: Vec<Found>,
}

impl SearchIndex {
    /// Indexes a city.
    pub fn build(city: &City) -> Self {
        Self::update(&Self::default(), city)
    }

    /// Indexes a city, keeping from `old` the layers whose revision is the same.
    pub fn update(old: &Self, city: &City) -> Self {
        let layers: Vec<&Arc<LayerSnapshot>> = city.layers.values().collect();
        let layers: Vec<Arc<LayerIndex>> = layers
            .into_par_iter()
            .map(|snapshot| {
                let kept = old
                    .layers
                    .iter()
                    .find(|layer| layer.id == snapshot.layer().id && layer.revision == snapshot.revision());
                kept.cloned().unwrap_or_else(|| Arc::new(LayerIndex::build(snapshot)))
            })
            .collect();
        let has = |(kind, core): (Kind, String)| {
            layers.iter().filter(|layer| layer.role == Role::AdminUnit).any(|layer| {
                let found = layer.names.find(Asked { kind: Kind::None, core: &core, partial: false }, 20);
                found.iter().any(|&(fit, phrase)| {
                    let (own, ..) = layer.names.get(phrase);
                    fit == Fit::Exact && (own == kind || own == Kind::None)
                })
            })
        };
        let missing = communes().iter().map(|commune| !has(units::commune_name(commune))).collect();
        Self { layers, missing }
    }

    /// The answers, the best first, at most `query.limit` (and never more than 200).
    ///
    /// Order: exact names before beginnings before names that have every word before what is only near; among equals
    /// communes, former units, roads, places, addresses, parcels; then what lies nearer to `query.near`.
    pub fn search(&self, city: &City, query: &SearchQuery) -> Vec<Hit> {
        let text: String = query.text.chars().take(LONGEST).collect();
        let limit = query.limit.min(MOST);
        if limit == 0 || text.trim().is_empty() {
            return Vec::new();
        }
        if let Some(position) = parse_coordinates(&text) {
            return vec![Hit::at(position)];
        }
        let snapshots = self
            .layers
            .iter()
            .map(|layer| city.layers.get(&layer.id).filter(|snapshot| snapshot.revision() == layer.revision))
            .collect();
        let near = query.near.filter(|near| near.iter().all(|degrees| degrees.is_finite()));
        let partial = !text.ends_with(char::is_whitespace);
        let accents = (!text.is_ascii()).then(|| accented(text.trim()));
        let mut asking = Asking { index: self, snapshots, near, limit, partial, accents, found: Vec::new() };
        asking.keys(text.trim());
        if let Some(number) = parse_parcel(&text) {
            asking.parcels(&number);
        }
        let words = Words::of(&text);
        asking.names(&words.text, None);
        if !asking.found.iter().any(|found| found.score >= worth(Fit::Words))
            && let Some((main, place)) = split_place(&words)
        {
            let areas = units::places(place);
            if !areas.is_empty() {
                asking.partial = false;
                asking.names(main, Some(&areas));
            }
        }
        asking.finish()
    }
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
    fn keys(&mut self, text: &str) {
        if text.contains(char::is_whitespace) || !text.contains(|letter: char| letter.is_ascii_digit()) {
            return;
        }
        let mut found = Vec::new();
        for (position, layer, snapshot) in self.layers() {
            let Some(field) =
                snapshot.layer().key_index().filter(|&field| !snapshot.layer().fields[field].personal)
            else {
                continue;
            };
            let exact = Value::parse(text, snapshot.column(field).field_type());
            let exact: Vec<Row> = exact.map(|key| snapshot.rows_of_key(&key).to_vec()).unwrap_or_default();
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
                let bbox = snapshot.shapes().bbox(row);
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
    fn parcels(&mut self, number: &ParcelNumber) {
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
            let Some(sheets) = &layer.sheets else { continue };
            for &(_, _, row) in sheets.rows(&number.sheet, &number.parcel).iter().take(2_000) {
                let bbox = snapshot.shapes().bbox(row);
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
    fn names(&mut self, text: &str, areas: Option<&[Bbox]>) {
        let readings = readings(text, self.partial);
        let mut found = Vec::new();
        let base = |fit: Fit, bbox: Option<Bbox>| {
            if areas.is_none_or(|areas| inside(bbox, areas)) { worth(fit) } else { NEARLY }
        };
        if areas.is_none() {
            self.units(readings[0], &mut found);
        }
        for (position, layer, snapshot) in self.layers() {
            for (fit, phrase) in find(&layer.names, readings, self.limit) {
                for (row, bbox) in gather(snapshot, layer.names.rows(phrase), self.near) {
                    let thing = Thing::Row(position, row);
                    Self::push(
                        &mut found,
                        self.near,
                        layer.role,
                        thing,
                        base(fit, bbox),
                        bbox,
                        precise(layer.role, bbox),
                    );
                }
            }
            // A street without a house number: one address of it stands for the street.
            for (fit, phrase) in find(&layer.addresses, readings.map(street), self.limit) {
                for (row, bbox) in gather(snapshot, layer.addresses.rows(phrase), self.near) {
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
                let score = worth(fit) + weight(kind) + nearness(Some(unit.bbox), self.near);
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
            for (fit, phrase) in find(&layer.addresses, streets, 4 * self.limit) {
                let exact = layer.addresses.rows_numbered(phrase, number).map(|row| (fit, row));
                let longer =
                    layer.addresses.rows_numbered_from(phrase, number).map(|row| (fit.max(Fit::Prefix), row));
                for (fit, row) in exact.take(20 * self.limit).chain(longer.take(self.limit)) {
                    known = true;
                    let bbox = snapshot.shapes().bbox(row);
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
            for (_, phrase) in find(&layer.addresses, streets, self.limit) {
                let mouth =
                    mouths.iter().find_map(|alley| layer.addresses.rows_numbered(phrase, alley).next());
                match mouth {
                    Some(row) => push(row, snapshot.shapes().bbox(row), NEARLY + 0.05),
                    None => {
                        let places = gather(snapshot, layer.addresses.rows(phrase), self.near);
                        places.into_iter().for_each(|(row, bbox)| push(row, bbox, NEARLY));
                    }
                }
            }
            if layer.role == Role::Road {
                for (_, phrase) in find(&layer.names, readings, self.limit) {
                    let places = gather(snapshot, layer.names.rows(phrase), self.near);
                    places.into_iter().for_each(|(row, bbox)| push(row, bbox, NEARLY));
                }
            }
        }
    }

    /// The best of what was found, each once, written out.
    fn finish(self) -> Vec<Hit> {
        let mut best: FxHashMap<Thing, Found> = FxHashMap::default();
        for found in &self.found {
            let place = best.entry(found.thing).or_insert(*found);
            if found.score > place.score {
                *place = *found;
            }
        }
        let mut order: Vec<Found> = best.into_values().collect();
        let rank = |thing: Thing| match thing {
            Thing::Unit(unit) => (0, unit),
            Thing::Row(layer, row) => (layer + 1, row as usize),
        };
        order.sort_unstable_by(|a, b| {
            b.score.total_cmp(&a.score).then_with(|| rank(a.thing).cmp(&rank(b.thing)))
        });
        // Accents are looked at in what is shown, so only of the best.
        order.truncate(4 * self.limit);
        let mut hits: Vec<Hit> = order.into_iter().filter_map(|found| self.hit(found)).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(self.limit);
        for hit in &mut hits {
            self.place(hit);
        }
        hits
    }

    /// Puts the answer's position onto the feature; the middle of its box may lie beside it.
    fn place(&self, hit: &mut Hit) {
        let snapshot =
            self.snapshots.iter().flatten().find(|snapshot| Some(&snapshot.layer().id) == hit.layer.as_ref());
        if let (Some(snapshot), Some(row)) = (snapshot, hit.row)
            && let Some(point) = snapshot.geometry(row).and_then(|geometry| geometry.interior_point())
        {
            hit.lonlat = Some([point.x(), point.y()]);
        }
    }

    /// The score of an answer with this label.
    fn score(&self, found: Found, label: &str) -> f64 {
        let same = self.accents.as_ref().is_some_and(|typed| accented(label).contains(typed.as_str()));
        (found.score + if same { ACCENTS } else { 0.0 }).min(1.0)
    }

    fn hit(&self, found: Found) -> Option<Hit> {
        match found.thing {
            Thing::Unit(unit) => {
                let unit = &units::all().list[unit];
                let kind =
                    if unit.commune.is_some() { HitKind::Role(Role::AdminUnit) } else { HitKind::FormerUnit };
                Some(Hit {
                    kind,
                    layer: None,
                    id: None,
                    row: None,
                    label: unit.label.clone(),
                    detail: unit.detail.clone(),
                    lonlat: Some(unit.bbox.center()),
                    bbox: Some(unit.bbox),
                    precision: found.precision,
                    score: self.score(found, &unit.label),
                })
            }
            Thing::Row(position, row) => {
                let (layer, snapshot) = (&self.index.layers[position], self.snapshots[position]?);
                let (label, detail) = describe(layer, snapshot, row, found.precision);
                let score = self.score(found, &label);
                Some(Hit {
                    kind: HitKind::Role(layer.role),
                    layer: Some(layer.id.clone()),
                    id: Some(snapshot.id(row)),
                    row: Some(row),
                    label,
                    detail,
                    lonlat: found.bbox.map(|bbox| bbox.center()),
                    bbox: found.bbox,
                    precision: found.precision,
                    score,
                })
            }
        }
    }
}

impl Hit {
    fn at(position: crate::Position) -> Self {
        let [lon, lat] = position.lonlat;
        Self {
            kind: HitKind::Coordinates,
            layer: None,
            id: None,
            row: None,
            label: format!("{lat:.6}, {lon:.6}"),
            detail: position.crs.name(),
            lonlat: Some(position.lonlat),
            bbox: None,
            precision: Precision::Coordinates,
            score: 1.0,
        }
    }
}

/// A text in lower case and one Unicode form, with its accents.
fn accented(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}

/// What people read of a row, and what tells it from others.
fn describe(
    layer: &LayerIndex,
    snapshot: &LayerSnapshot,
    row: Row,
    precision: Precision,
) -> (String, String) {
    let title = snapshot.layer().title.get("vi").to_owned();
    let text = |field: usize| snapshot.value(row, field).to_text();
    let address: Vec<String> =
        layer.address_fields.iter().map(|&field| text(field)).filter(|text| !text.is_empty()).collect();
    let address = address.join(" ");
    let label = snapshot.label(row);
    if layer.role == Role::AdminUnit {
        return (label, "Thành phố Hồ Chí Minh".to_owned());
    }
    if let (Some(sheets), true) = (&layer.sheets, precision == Precision::Parcel) {
        let [sheet, parcel] = sheets.fields.map(text);
        let detail = if address.is_empty() { snapshot.id(row).to_string() } else { address };
        return (format!("Tờ {sheet}, thửa {parcel}"), detail);
    }
    if address.is_empty() { (label, title) } else { (address, title) }
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
fn find(phrases: &Phrases, [first, second]: [Asked<'_>; 2], limit: usize) -> Vec<(Fit, u32)> {
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

/// `123 nguyen trai, quan 5` in two: the name, and the commune or former unit behind it.
fn split_place(words: &Words) -> Option<(&str, &str)> {
    let text = words.text.as_str();
    let (main, place) = if words.head < text.len() {
        (&text[..words.head], text[words.head..].trim_start())
    } else {
        // No comma: the first word that says a kind of unit begins the place.
        let mut starts = text.match_indices(' ').map(|(space, _)| space);
        let space =
            starts.find(|&space| !matches!(split_kind(&text[space + 1..]).0, Kind::None | Kind::Road))?;
        (&text[..space], &text[space + 1..])
    };
    // The city itself narrows nothing down, and of `phường x, quận y` all of it is a former unit's full name.
    let place = place.strip_suffix("viet nam").unwrap_or(place).trim_end();
    let place = place
        .strip_suffix("ho chi minh")
        .map_or(place, |rest| rest.trim_end().trim_end_matches("thanh pho").trim_end());
    (!main.is_empty() && !place.is_empty()).then_some((main, place))
}
