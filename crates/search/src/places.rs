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
    words::{NameKind, kinds_behind, split_kind},
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
    /// The communes and units of today; those that a former unit became, if the name is only a former one.
    areas: Vec<Area>,
    /// What former units became that had the name of a commune of today. The ward Cầu Ông Lãnh of 2024 is
    /// partly in Phường Bến Thành: who writes its name means the Phường Cầu Ông Lãnh of today first.
    former: Vec<Area>,
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

/// How a feature lies in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// In none of its parts.
    No,
    /// Only in what a former unit of that name became.
    Former,
    /// In a unit of today, or in what a unit became that is only a former one.
    Present,
}

impl Place {
    /// Whether the boxes of two places overlap.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.bbox.intersects(&other.bbox)
    }
}

/// A unit with the name that a question has.
struct FoundUnit {
    /// The typing errors in its name.
    errors: u8,
    label: String,
    areas: Vec<Area>,
    /// Whether it no longer exists.
    is_former: bool,
}

impl QueryRun<'_> {
    /// The communes, former units and units of layers that have this name or code; `None` for any other text.
    /// With [`Matching::Similar`] those with the fewest typing errors.
    pub(crate) fn place(&self, text: &str, matching: Matching) -> Option<Place> {
        self.place_of_kind(split_kind(text), matching)
            .or_else(|| kinds_behind(text).find_map(|named| self.place_of_kind(named, matching)))
    }

    /// The place with this kind and name.
    fn place_of_kind(&self, (kind, core): (NameKind, &str), matching: Matching) -> Option<Place> {
        // `3 quận 11` is no name without its kind.
        let named = kind != NameKind::None || core.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if core.is_empty() || kind == NameKind::Road {
            return None;
        }
        if !named {
            return self.place_of_code(core);
        }
        let asked = PhraseQuery { kind, core, partial: false };
        let mut found: Vec<FoundUnit> = Vec::new();
        for (position, layer, snapshot) in self.admin_layers() {
            let names = layer.names(snapshot);
            let exact = || names.find(asked, SAME_NAME_MAX);
            for (errors, phrase) in whole(matching, exact, || names.find_similar(asked, SAME_NAME_MAX)) {
                for row in names.rows(phrase).take(SAME_NAME_MAX) {
                    let areas = vec![Area::Row(position, row)];
                    found.push(FoundUnit { errors, label: snapshot.label(row), areas, is_former: false });
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
                    let is_former = unit.commune.is_none();
                    found.push(FoundUnit { errors, label: unit.label.clone(), areas, is_former });
                }
            }
        }
        let errors = found.iter().map(|unit| unit.errors).min()?;
        found.retain(|unit| unit.errors == errors);
        // `Thạnh An` is not `Thanh An`, if the accents were typed.
        if let Some(typed) = &self.accents {
            let as_typed = |label: &str| typed.contains(&accented(label.split(',').next().unwrap_or(label)));
            if found.iter().any(|unit| as_typed(&unit.label)) {
                found.retain(|unit| as_typed(&unit.label));
            }
        }
        let label = found[0].label.clone();
        let areas_of =
            |units: Vec<FoundUnit>| -> Vec<Area> { units.into_iter().flat_map(|unit| unit.areas).collect() };
        let (former, present): (Vec<_>, Vec<_>) = found.into_iter().partition(|unit| unit.is_former);
        let [areas, former] = if present.is_empty() {
            [areas_of(former), Vec::new()]
        } else {
            [areas_of(present), areas_of(former)]
        };
        Some(Place { bbox: self.bbox_of(areas.iter().chain(&former))?, label, areas, former, errors })
    }

    fn bbox_of<'a>(&self, areas: impl Iterator<Item = &'a Area>) -> Option<Bbox> {
        let bbox = |area: &Area| match *area {
            Area::Box(bbox) => Some(bbox),
            Area::Row(layer, row) => self.snapshots[layer]?.bbox(row),
        };
        areas.filter_map(bbox).reduce(Bbox::union)
    }

    /// The commune with this code of five digits.
    fn place_of_code(&self, code: &str) -> Option<Place> {
        if code.len() != 5 || !self.city.profile.has_builtin_units() {
            return None;
        }
        let communes = citymap_model::units::communes();
        let position = communes.binary_search_by(|commune| commune.code.cmp(code)).ok()?;
        let (label, areas) = (communes[position].name.to_owned(), self.areas_of(position));
        Some(Place { bbox: self.bbox_of(areas.iter())?, label, areas, former: Vec::new(), errors: 0 })
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
    pub(crate) fn within(
        &self,
        place: &Place,
        snapshot: &LayerSnapshot,
        row: Row,
        bbox: Option<Bbox>,
    ) -> Within {
        let Some(bbox) = bbox.filter(|bbox| place.bbox.intersects(bbox)) else { return Within::No };
        // A small feature is where its centre is; of another one, some corners are looked at too.
        let mut points = vec![bbox.center()];
        let small = bbox.max[0] - bbox.min[0] < SMALL && bbox.max[1] - bbox.min[1] < SMALL;
        if !small && let Some(geometry) = snapshot.geometry(row) {
            let step = geometry.coords_count().div_ceil(CORNERS_MAX).max(1);
            points.extend(geometry.coords_iter().step_by(step).map(|corner| [corner.x, corner.y]));
        }
        let reaches = |areas: &[Area]| points.iter().any(|&point| self.has_point(areas, point));
        if reaches(&place.areas) {
            Within::Present
        } else if reaches(&place.former) {
            Within::Former
        } else {
            Within::No
        }
    }

    fn has_point(&self, areas: &[Area], lonlat: [f64; 2]) -> bool {
        let mut rows: Vec<(usize, Vec<Row>)> = Vec::new();
        areas.iter().any(|area| match *area {
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
