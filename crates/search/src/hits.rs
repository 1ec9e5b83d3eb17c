//! From candidates to answers: the best are chosen, described for people and placed on the map.

use citymap_engine::{LayerSnapshot, Row};
use citymap_model::{Role, units::communes};
use geo::InteriorPoint;
use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;

use crate::{
    hit::{Answer, AskedPlace, Hit, HitKind, Precision},
    layer::LayerIndex,
    query_run::{CandidateId, QueryRun, SearchCandidate},
    rank::ACCENTS,
    units,
};

/// Maximum number of communes of a street that its detail names.
const COMMUNES_SHOWN: usize = 3;

impl QueryRun<'_> {
    /// The best candidates as answers, each once.
    pub(crate) fn finish(mut self) -> Answer {
        // The place matters only if the best answers were found by it.
        let restricted = |candidate: &SearchCandidate| candidate.elsewhere;
        let hits = self.hits();
        let place = self.place.take().map(|place| AskedPlace {
            label: place.label,
            bbox: place.bbox,
            matched: !self.candidates.iter().any(restricted),
        });
        Answer { hits, place }
    }

    fn hits(&self) -> Vec<Hit> {
        let mut best: FxHashMap<CandidateId, SearchCandidate> = FxHashMap::default();
        for candidate in &self.candidates {
            let known = best.entry(candidate.id).or_insert(*candidate);
            if candidate.score > known.score {
                *known = *candidate;
            }
        }
        let mut order: Vec<SearchCandidate> = best.into_values().collect();
        // Equals are ordered by fid, because the order of rows depends on how the layer is held in memory.
        let rank = |id: CandidateId| match id {
            CandidateId::Unit(unit) => (0, unit as i64),
            CandidateId::Decision(layer, row) | CandidateId::Row(layer, row) => {
                (layer + 1, self.snapshots[layer].map_or(0, |snapshot| snapshot.fid(row)))
            }
        };
        order.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then_with(|| rank(a.id).cmp(&rank(b.id))));
        // Accents are compared with the label, which is made only for the best.
        order.truncate(4 * self.limit);
        let mut hits: Vec<Hit> = order.into_iter().filter_map(|candidate| self.hit(candidate)).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(self.limit);
        for hit in &mut hits {
            self.place_on_feature(hit);
            self.tell_commune(hit);
        }
        hits
    }

    /// The name of the city that is searched.
    fn city_name(&self) -> String {
        self.city.profile.name.get(self.lang).to_owned()
    }

    /// Moves the answer's position onto the feature; the centre of its box may be outside it.
    fn place_on_feature(&self, hit: &mut Hit) {
        let snapshot =
            self.snapshots.iter().flatten().find(|snapshot| Some(&snapshot.layer().id) == hit.layer.as_ref());
        if let (Some(snapshot), Some(row)) = (snapshot, hit.row)
            && let Some(point) = snapshot.geometry(row).and_then(|geometry| geometry.interior_point())
        {
            hit.lonlat = Some([point.x(), point.y()]);
        }
    }

    /// Adds the commune to the detail, unless the answer names it.
    fn tell_commune(&self, hit: &mut Hit) {
        if matches!(hit.kind, HitKind::Role(Role::AdminUnit) | HitKind::FormerUnit) {
            return;
        }
        if hit.communes.is_empty() {
            hit.communes.extend(hit.lonlat.and_then(|lonlat| self.commune_at(lonlat)));
        }
        let shown = match &hit.communes[..] {
            [] => return,
            names if names.len() <= COMMUNES_SHOWN => names.join(", "),
            names => {
                let (shown, more) = (names[..COMMUNES_SHOWN].join(", "), names.len() - COMMUNES_SHOWN);
                match self.lang {
                    "en" => format!("{shown} and {more} more"),
                    _ => format!("{shown} và {more} nơi khác"),
                }
            }
        };
        if hit.communes.iter().all(|name| hit.label.contains(name) || hit.detail.contains(name)) {
            return;
        }
        hit.detail = if hit.detail.is_empty() { shown } else { format!("{} · {shown}", hit.detail) };
    }

    /// The score of a candidate whose label is `label`: higher if the label has the accents that were typed.
    fn score(&self, candidate: SearchCandidate, label: &str) -> f64 {
        let same = self.accents.as_ref().is_some_and(|typed| accented(label).contains(typed.as_str()));
        (candidate.score + if same { ACCENTS } else { 0.0 }).min(1.0)
    }

    fn hit(&self, candidate: SearchCandidate) -> Option<Hit> {
        match candidate.id {
            CandidateId::Unit(unit) => {
                let unit = &units::all().list[unit];
                let kind =
                    if unit.commune.is_some() { HitKind::Role(Role::AdminUnit) } else { HitKind::FormerUnit };
                Some(Hit {
                    kind,
                    layer: None,
                    id: None,
                    row: None,
                    label: unit.label.clone(),
                    detail: match unit.commune {
                        Some(_) => self.city_name(),
                        None => unit.detail.get(self.lang).to_owned(),
                    },
                    lonlat: Some(unit.bbox.center()),
                    bbox: Some(unit.bbox),
                    precision: candidate.precision,
                    communes: unit.communes.iter().map(|&at| communes()[at].name.to_owned()).collect(),
                    elsewhere: candidate.elsewhere,
                    similar: candidate.similar,
                    score: self.score(candidate, &unit.label),
                })
            }
            CandidateId::Decision(position, row) => {
                let (layer, snapshot) = (&self.index.layers[position], self.snapshots[position]?);
                let number = snapshot.value(row, layer.decision_field?).to_text();
                Some(Hit {
                    kind: HitKind::Role(layer.role),
                    layer: Some(layer.id.clone()),
                    id: None,
                    row: None,
                    label: match self.lang {
                        "en" => format!("Decision {number}"),
                        _ => format!("Quyết định {number}"),
                    },
                    detail: snapshot.layer().title.get(self.lang).to_owned(),
                    lonlat: candidate.bbox.map(|bbox| bbox.center()),
                    bbox: candidate.bbox,
                    precision: candidate.precision,
                    communes: Vec::new(),
                    elsewhere: candidate.elsewhere,
                    similar: candidate.similar,
                    score: candidate.score,
                })
            }
            CandidateId::Row(position, row) => {
                let (layer, snapshot) = (&self.index.layers[position], self.snapshots[position]?);
                let (label, detail) = match layer.role {
                    Role::AdminUnit => (snapshot.label(row), self.city_name()),
                    _ => self.describe(layer, snapshot, row, candidate.precision),
                };
                let score = self.score(candidate, &label);
                Some(Hit {
                    kind: HitKind::Role(layer.role),
                    layer: Some(layer.id.clone()),
                    id: Some(snapshot.id(row)),
                    row: Some(row),
                    label,
                    detail,
                    lonlat: candidate.bbox.map(|bbox| bbox.center()),
                    bbox: candidate.bbox,
                    precision: candidate.precision,
                    communes: self.communes.borrow_mut().remove(&candidate.id).unwrap_or_default(),
                    elsewhere: candidate.elsewhere,
                    similar: candidate.similar,
                    score,
                })
            }
        }
    }

    /// A row's label for people, and a detail that tells it from others with the same label.
    fn describe(
        &self,
        layer: &LayerIndex,
        snapshot: &LayerSnapshot,
        row: Row,
        precision: Precision,
    ) -> (String, String) {
        // Streets and addresses say what they are; what tells them apart is the commune.
        let title = match layer.role {
            Role::Road | Role::Address | Role::Parcel => String::new(),
            _ => snapshot.layer().title.get(self.lang).to_owned(),
        };
        let text = |field: usize| snapshot.value(row, field).to_text();
        let address: Vec<String> =
            layer.address_fields.iter().map(|&field| text(field)).filter(|text| !text.is_empty()).collect();
        let address = address.join(" ");
        let label = snapshot.label(row);
        if let (Some(fields), true) = (layer.sheet_fields, precision == Precision::Parcel) {
            let [sheet, parcel] = fields.map(text);
            let detail = if address.is_empty() { snapshot.id(row).to_string() } else { address };
            let label = match self.lang {
                "en" => format!("Sheet {sheet}, parcel {parcel}"),
                _ => format!("Tờ {sheet}, thửa {parcel}"),
            };
            return (label, detail);
        }
        if address.is_empty() { (label, title) } else { (address, title) }
    }
}

impl Hit {
    /// An answer that is a position.
    pub(crate) fn at(position: crate::Position) -> Self {
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
            communes: Vec::new(),
            elsewhere: false,
            similar: false,
            score: 1.0,
        }
    }
}

/// A text in lower case and in Unicode form C, with its accents.
pub(crate) fn accented(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}
