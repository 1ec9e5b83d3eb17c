use citymap_engine::{LayerSnapshot, Row};
use citymap_model::Role;
use geo::InteriorPoint;
use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;

use crate::{
    asking::{Asking, Found, Thing},
    hit::{Hit, HitKind, Precision},
    layer::LayerIndex,
    rank::ACCENTS,
    units,
};

impl Asking<'_> {
    /// The best of what was found, each once, written out.
    pub(crate) fn finish(self) -> Vec<Hit> {
        let mut best: FxHashMap<Thing, Found> = FxHashMap::default();
        for found in &self.found {
            let place = best.entry(found.thing).or_insert(*found);
            if found.score > place.score {
                *place = *found;
            }
        }
        let mut order: Vec<Found> = best.into_values().collect();
        // Equals come in the order of their numbers: rows would tell how a layer lies in memory.
        let rank = |thing: Thing| match thing {
            Thing::Unit(unit) => (0, unit as i64),
            Thing::Row(layer, row) => (layer + 1, self.snapshots[layer].map_or(0, |own| own.fid(row))),
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
    /// A position as an answer.
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
            score: 1.0,
        }
    }
}

/// A text in lower case and one Unicode form, with its accents.
pub(crate) fn accented(text: &str) -> String {
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
    if let (Some(fields), true) = (layer.sheet_fields, precision == Precision::Parcel) {
        let [sheet, parcel] = fields.map(text);
        let detail = if address.is_empty() { snapshot.id(row).to_string() } else { address };
        return (format!("Tờ {sheet}, thửa {parcel}"), detail);
    }
    if address.is_empty() { (label, title) } else { (address, title) }
}
