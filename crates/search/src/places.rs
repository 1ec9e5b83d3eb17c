//! Places that restrict a question: communes, former units and the administrative units of layers.

use citymap_engine::{Bbox, LayerSnapshot, Row};
use citymap_model::{Meaning, Role};
use geo::CoordsIter;

use crate::{
    hits::accented,
    phrases::{Fit, PhraseQuery},
    query_run::{Matching, QueryRun},
    rank::distance_to,
    similar::Similarity,
    units,
    words::{NameKind, split_kind},
};

/// Maximum number of units with one name.
const SAME_NAME_MAX: usize = 50;
/// Maximum number of corners of a feature that are looked at to learn whether it reaches into a place.
const CORNERS_MAX: usize = 16;
/// A box of less than this (degrees, about 100 m) is where its centre is.
const SMALL: f64 = 0.001;

/// An area that a question names.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The name for people.
    pub(crate) label: String,
    pub(crate) bbox: Bbox,
    areas: Vec<Area>,
    /// The typing errors in its name.
    pub(crate) errors: u8,
}

/// A part of a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Area {
    /// The feature at this row of the layer at this position in `SearchIndex::layers`.
    Row(usize, Row),
    /// The box of a commune that no layer has.
    Box(Bbox),
}

impl Place {
    /// Whether the boxes of two places overlap.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.bbox.intersects(&other.bbox)
    }
}

impl QueryRun<'_> {
    /// The communes, former units and units of layers that have this name or code; `None` for any other text.
    /// With [`Matching::Similar`] those with the fewest typing errors.
    pub(crate) fn place(&self, text: &str, matching: Matching) -> Option<Place> {
        let (kind, core) = split_kind(text);
        // `3 quận 11` is no name without its kind.
        let named = kind != NameKind::None || core.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if core.is_empty() || kind == NameKind::Road {
            return None;
        }
        if !named {
            return self.place_of_code(core);
        }
        let asked = PhraseQuery { kind, core, partial: false };
        let mut found: Vec<(u8, String, Vec<Area>)> = Vec::new();
        for (position, layer, snapshot) in self.admin_layers() {
            let names = layer.names(snapshot);
            let exact = || names.find(asked, SAME_NAME_MAX);
            for (errors, phrase) in whole(matching, exact, || names.find_similar(asked, SAME_NAME_MAX)) {
                for row in names.rows(phrase).take(SAME_NAME_MAX) {
                    found.push((errors, snapshot.label(row), vec![Area::Row(position, row)]));
                }
            }
        }
        if self.city.profile.has_builtin_units() {
            let units = units::all();
            let exact = || units.names.find(asked, SAME_NAME_MAX);
            let similar = || units.names.find_similar(asked, SAME_NAME_MAX, |_| true);
            for (errors, phrase) in whole(matching, exact, similar) {
                for row in units.names.rows(phrase) {
                    let unit = &units.list[row as usize];
                    // A commune that a layer has was found there.
                    if unit.commune.is_some_and(|commune| !self.index.missing[commune]) {
                        continue;
                    }
                    let areas = unit.communes.iter().flat_map(|&commune| self.areas_of(commune)).collect();
                    found.push((errors, unit.label.clone(), areas));
                }
            }
        }
        let fewest = found.iter().map(|(errors, ..)| *errors).min()?;
        found.retain(|(errors, ..)| *errors == fewest);
        // `Thạnh An` is not `Thanh An`, if the accents were typed.
        if let Some(typed) = &self.accents {
            let as_typed = |label: &str| typed.contains(&accented(label.split(',').next().unwrap_or(label)));
            if found.iter().any(|(_, label, _)| as_typed(label)) {
                found.retain(|(_, label, _)| as_typed(label));
            }
        }
        let label = found[0].1.clone();
        let areas: Vec<Area> = found.into_iter().flat_map(|(_, _, areas)| areas).collect();
        self.place_of(label, areas, fewest)
    }

    fn place_of(&self, label: String, areas: Vec<Area>, errors: u8) -> Option<Place> {
        let boxes = areas.iter().filter_map(|area| match *area {
            Area::Box(bbox) => Some(bbox),
            Area::Row(layer, row) => self.snapshots[layer]?.bbox(row),
        });
        let bbox = boxes.reduce(Bbox::union)?;
        Some(Place { label, bbox, areas, errors })
    }

    /// The commune with this code of five digits.
    fn place_of_code(&self, code: &str) -> Option<Place> {
        if code.len() != 5 || !self.city.profile.has_builtin_units() {
            return None;
        }
        let communes = citymap_model::units::communes();
        let position = communes.binary_search_by(|commune| commune.code.cmp(code)).ok()?;
        self.place_of(communes[position].name.to_owned(), self.areas_of(position), 0)
    }

    /// A commune of the built-in table as the layers have it, or else as its box.
    fn areas_of(&self, commune: usize) -> Vec<Area> {
        let commune = &citymap_model::units::communes()[commune];
        let (kind, core) = units::commune_name(commune);
        let asked = PhraseQuery { kind: NameKind::None, core: &core, partial: false };
        for (position, layer, snapshot) in self.admin_layers() {
            let names = layer.names(snapshot);
            let found = names.find(asked, SAME_NAME_MAX);
            let same = found.into_iter().filter(|(fit, phrase)| {
                *fit == Fit::Exact && (phrase.kind() == kind || phrase.kind() == NameKind::None)
            });
            let rows: Vec<Area> = same
                .flat_map(|(_, phrase)| names.rows(phrase).take(SAME_NAME_MAX))
                .map(|row| Area::Row(position, row))
                .collect();
            if !rows.is_empty() {
                return rows;
            }
        }
        let [west, south, east, north] = commune.bbox;
        vec![Area::Box(Bbox::new(west, south, east, north))]
    }

    /// The layers of administrative units of today.
    fn admin_layers(&self) -> impl Iterator<Item = (usize, &crate::layer::LayerIndex, &LayerSnapshot)> {
        self.layers().filter(|(_, layer, _)| layer.role == Role::AdminUnit).filter_map(
            |(position, layer, snapshot)| {
                let has =
                    |meaning| snapshot.layer().fields.iter().any(|field| field.meaning == Some(meaning));
                let former = has(Meaning::FormerCommuneCode) && !has(Meaning::CommuneCode);
                (!former).then_some((position, layer.as_ref(), snapshot.as_ref()))
            },
        )
    }

    /// Whether a feature lies in a place or reaches into it.
    pub(crate) fn is_in(
        &self,
        place: &Place,
        snapshot: &LayerSnapshot,
        row: Row,
        bbox: Option<Bbox>,
    ) -> bool {
        let Some(bbox) = bbox else { return false };
        if !place.bbox.intersects(&bbox) {
            return false;
        }
        if self.has_point(place, bbox.center()) {
            return true;
        }
        let small = bbox.max[0] - bbox.min[0] < SMALL && bbox.max[1] - bbox.min[1] < SMALL;
        if small {
            return false;
        }
        let Some(geometry) = snapshot.geometry(row) else { return false };
        let corners = geometry.coords_count();
        let step = corners.div_ceil(CORNERS_MAX).max(1);
        geometry.coords_iter().step_by(step).any(|corner| self.has_point(place, [corner.x, corner.y]))
    }

    fn has_point(&self, place: &Place, lonlat: [f64; 2]) -> bool {
        let mut rows: Vec<(usize, Vec<Row>)> = Vec::new();
        place.areas.iter().any(|area| match *area {
            Area::Box(bbox) => distance_to(bbox, lonlat) == 0.0,
            Area::Row(layer, row) => {
                if !rows.iter().any(|(known, _)| *known == layer) {
                    let at = self.snapshots[layer].map(|snapshot| snapshot.at(lonlat)).unwrap_or_default();
                    rows.push((layer, at));
                }
                rows.iter().any(|(known, at)| *known == layer && at.contains(&row))
            }
        })
    }

    /// The name of the commune at a point. Where no layer has communes, that of the only box of the built-in
    /// table in which the point is.
    pub(crate) fn commune_at(&self, lonlat: [f64; 2]) -> Option<String> {
        let size = |bbox: Bbox| (bbox.max[0] - bbox.min[0]) * (bbox.max[1] - bbox.min[1]);
        let mut smallest: Option<(f64, &LayerSnapshot, Row)> = None;
        let mut any = false;
        for (_, _, snapshot) in self.admin_layers() {
            any = true;
            for row in snapshot.at(lonlat) {
                let size = snapshot.bbox(row).map_or(f64::INFINITY, size);
                if smallest.is_none_or(|(least, ..)| size < least) {
                    smallest = Some((size, snapshot, row));
                }
            }
        }
        if let Some((_, snapshot, row)) = smallest {
            return Some(snapshot.label(row)).filter(|label| !label.is_empty());
        }
        if any || !self.city.profile.has_builtin_units() {
            return None;
        }
        let mut around = citymap_model::units::communes().iter().filter(|commune| {
            let [west, south, east, north] = commune.bbox;
            distance_to(Bbox::new(west, south, east, north), lonlat) == 0.0
        });
        let only = around.next()?;
        around.next().is_none().then(|| only.name.to_owned())
    }
}

/// The phrases that are the whole name, with their typing errors.
fn whole<P>(
    matching: Matching,
    exact: impl Fn() -> Vec<(Fit, P)>,
    similar: impl Fn() -> Vec<(Similarity, P)>,
) -> Vec<(u8, P)> {
    match matching {
        Matching::Exact => {
            exact().into_iter().filter(|(fit, _)| *fit == Fit::Exact).map(|(_, phrase)| (0, phrase)).collect()
        }
        Matching::Similar => similar()
            .into_iter()
            .filter(|(similarity, _)| similarity.fit == Fit::Exact)
            .map(|(similarity, phrase)| (similarity.errors, phrase))
            .collect(),
    }
}
