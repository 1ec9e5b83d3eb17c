//! What a draft would change: the parcels, buildings and networks that it touches, what its roads cut off,
//! and the plans in force that it contradicts. Nothing of a draft is stored.

use citymap_access::{Audience, visible};
use citymap_engine::{
    Area, CONTACT, Cancel, City, EngineError, Grouping, LayerSnapshot, LocalPlane, Method, Row, ShareTotals,
    SnapshotBuilder, TimeInterval,
};
use citymap_model::{
    Feature, Geometry, GeometryKind, InvalidLayerId, Layer, LayerId, Meaning, RevisionNumber, Role, Title,
    Value,
};
use geo::Polygon;
use serde::Serialize;

use crate::{
    Coded, PlanLevel,
    checks::{lonlat, same_name, united},
    right_of_way::{Road, joints, strip},
    rounded,
};

/// A part of a draft, WGS 84 degrees.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftPart {
    /// An area that is to get a function.
    Zone {
        /// Polygons of the zone.
        area: Geometry,
        /// The function, as a code or as text.
        function: Option<String>,
    },
    /// A road that is to be built or widened.
    Road {
        /// Centre line of the road.
        line: Geometry,
        /// Width of its right-of-way in m.
        width: f64,
    },
    /// An area that is asked about, without a function.
    Boundary {
        /// Polygons of the area.
        area: Geometry,
    },
}

/// How a draft is asked.
#[derive(Clone, Debug)]
pub struct DraftOptions {
    /// For whom: fields that the audience may not see are as if they did not exist.
    pub audience: Audience,
    /// The time at which features must be valid; `None` for all of them.
    pub time: Option<TimeInterval>,
    /// Persons who live on a residential parcel, for the estimate of the population.
    pub persons_per_parcel: f64,
    /// Maximum number of classes of a layer.
    pub groups_max: usize,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self { audience: Audience::Public, time: None, persons_per_parcel: 3.5, groups_max: 1_000 }
    }
}

/// The codes of residential land: rural and urban (Circular 08/2024/TT-BTNMT).
const RESIDENTIAL: [&str; 2] = ["ODT", "ONT"];

/// Why a draft cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The draft has no parts.
    #[error("the draft is empty; give at least one zone, road or boundary")]
    Empty,
    /// A part is outside of the home grid.
    #[error("the draft is not within the home grid, so nothing can be measured")]
    OutsideGrid,
    /// The draft has no name that a layer can have.
    #[error(transparent)]
    Name(#[from] InvalidLayerId),
    /// The engine could not compute an area, or the work was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A draft that is ready to be asked: its parts on the grid, and their union.
#[derive(Debug)]
pub struct Draft {
    area: Area,
    /// Rights-of-way of all its roads together.
    roads: Option<Area>,
    /// Each zone that has a function.
    zones: Vec<(Area, String)>,
}

impl Draft {
    /// Prepares a draft. Rights-of-way are drawn as in the report on a parcel.
    ///
    /// # Errors
    /// [`DraftError::Empty`] and [`DraftError::OutsideGrid`]; [`DraftError::Engine`] for invalid polygons.
    pub fn new(parts: &[DraftPart]) -> Result<Self, DraftError> {
        let id: LayerId = "draft".parse()?;
        let layer = Layer::new(id, Title::default(), Role::Other, GeometryKind::Mixed);
        let mut builder = SnapshotBuilder::new(layer);
        for (fid, part) in (1..).zip(parts) {
            let geometry = match part {
                DraftPart::Zone { area, .. } | DraftPart::Boundary { area } => area,
                DraftPart::Road { line, .. } => line,
            };
            builder.push(&Feature { fid, geometry: Some(geometry.clone()), values: Vec::new() })?;
        }
        let drawn = builder.finish(0);
        let first = drawn.rows().next().ok_or(DraftError::Empty)?;
        let plane = LocalPlane::around(&drawn, first, EVERYWHERE)?.ok_or(DraftError::OutsideGrid)?;
        let (mut polygons, mut near, mut zones) = (Vec::<Polygon<f64>>::new(), Vec::new(), Vec::new());
        for (row, part) in drawn.rows().zip(parts) {
            if Method::within(drawn.bbox(row)) == Method::Ellipsoid {
                return Err(DraftError::OutsideGrid);
            }
            match part {
                DraftPart::Road { width, .. } => {
                    near.push(Road { roads: &drawn, row, width: *width, lines: plane.lines(&drawn, row)?.0 });
                }
                DraftPart::Zone { area, function } => {
                    let area = Area::of_feature(area.clone())?;
                    polygons.extend(plane.polygons(&drawn, row)?.0);
                    zones.extend(function.clone().map(|function| (area, function)));
                }
                DraftPart::Boundary { area } => {
                    Area::of_feature(area.clone())?;
                    polygons.extend(plane.polygons(&drawn, row)?.0);
                }
            }
        }
        let joints = joints(&near);
        let strips: Vec<Polygon<f64>> = near.iter().flat_map(|road| strip(road, &joints).0).collect();
        let area_of = |polygons: &[Polygon<f64>]| -> Result<Area, EngineError> {
            Area::of_feature(lonlat(&plane, &united(polygons))?)
        };
        let roads = if strips.is_empty() { None } else { Some(area_of(&strips)?) };
        polygons.extend(strips);
        Ok(Self { area: area_of(&polygons)?, roads, zones })
    }

    /// The union of all parts.
    pub fn area(&self) -> &Area {
        &self.area
    }

    /// The rights-of-way of the draft's roads.
    pub fn roads(&self) -> Option<&Area> {
        self.roads.as_ref()
    }
}

/// Metres around the first part in which the others lie: everywhere on the grid.
const EVERYWHERE: f64 = 1e7;

/// The figures of a draft. Areas are in m², lengths in m.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DraftImpact {
    /// Revision of the record that was asked.
    pub revision: RevisionNumber,
    /// Area of the draft.
    pub area: f64,
    /// What it touches, layer by layer.
    pub layers: Vec<LayerImpact>,
    /// Parcels in the rights-of-way of its roads; `null` for a draft without roads.
    pub cut: Option<DraftCut>,
    /// Plans in force that give its zones another function.
    pub conflicts: Vec<PlanConflict>,
    /// Who lives there, as an estimate; `null` if no layer of parcels says its land use.
    pub population: Option<Population>,
    /// What the figures are good for.
    pub notice: Title,
}

/// What a draft touches of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerImpact {
    /// Id of the layer.
    pub layer: String,
    /// Title of the layer.
    pub title: Title,
    /// Role of the layer.
    pub role: &'static str,
    /// The sums of the layer.
    #[serde(flatten)]
    pub totals: ImpactTotals,
    /// The field by which the layer is divided, where it has one.
    pub by: Option<String>,
    /// The sums by the values of that field.
    pub groups: Vec<ImpactGroup>,
}

/// The features of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImpactGroup {
    /// The value, with what it means; `null` for features without one.
    pub value: Option<Coded>,
    /// The sums of the class.
    #[serde(flatten)]
    pub totals: ImpactTotals,
}

/// Sums over features that share more than a point with a draft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ImpactTotals {
    /// Number of features of the class or layer.
    pub count: usize,
    /// Area of their parts inside.
    pub area: Option<f64>,
    /// Length of their parts inside.
    pub length: Option<f64>,
}

impl From<&ShareTotals> for ImpactTotals {
    fn from(totals: &ShareTotals) -> Self {
        Self {
            count: totals.count - totals.contacts,
            area: totals.area.map(rounded),
            length: totals.length.map(rounded),
        }
    }
}

/// Parcels in rights-of-way that a draft adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DraftCut {
    /// Number of parcels that are cut.
    pub parcels: usize,
    /// Number of those of which nothing remains.
    pub whole: usize,
    /// Area of the parts that are cut off.
    pub area: f64,
    /// Area that remains of these parcels.
    pub remaining: f64,
}

/// Plans in force that give a draft's zone another function.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanConflict {
    /// Layer of the zones in force.
    pub layer: String,
    /// The level of their plan.
    pub level: Option<Coded>,
    /// Function of these zones.
    pub function: Coded,
    /// The function in the draft.
    pub draft_function: String,
    /// Number of zones in force.
    pub zones: usize,
    /// Area in which both apply.
    pub area: f64,
}

/// An estimate of how many people live on the parcels that a draft touches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Population {
    /// Number of residential parcels.
    pub residential_parcels: usize,
    /// Persons on each of them that the estimate assumes.
    pub persons_per_parcel: f64,
    /// The product of both, rounded.
    pub estimate: u64,
}

impl DraftImpact {
    /// Asks what a draft would change.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] soon after `cancel` is set; [`EngineError::TooManyGroups`].
    ///
    /// # Performance
    /// One search in the R-tree of each layer; only features near the draft's boundary are cut.
    pub fn ask(
        city: &City,
        draft: &Draft,
        options: &DraftOptions,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        let mut layers = Vec::new();
        let mut residential: Option<usize> = None;
        let mut cut = draft.roads.as_ref().map(|_| DraftCut::default());
        for snapshot in city.layers.values() {
            let layer = snapshot.layer();
            let Some(class) = class_meaning(layer.role) else { continue };
            let impact = impact(snapshot, (draft, class), options, cancel)?;
            if layer.role == Role::Parcel {
                let is_residential = |own: &&ImpactGroup| {
                    own.value.as_ref().is_some_and(|value| RESIDENTIAL.contains(&value.value.as_str()))
                };
                let own: usize =
                    impact.groups.iter().filter(is_residential).map(|own| own.totals.count).sum();
                residential = impact.by.as_ref().map(|_| residential.unwrap_or(0) + own).or(residential);
                if let Some((roads, cut)) = draft.roads.as_ref().zip(cut.as_mut()) {
                    add_cut(snapshot, roads, (options, cancel), cut)?;
                }
            }
            layers.push(impact);
        }
        let conflicts = conflicts(city, draft, options, cancel)?;
        let population = residential.map(|parcels| Population {
            residential_parcels: parcels,
            persons_per_parcel: options.persons_per_parcel,
            estimate: (parcels as f64 * options.persons_per_parcel).round() as u64,
        });
        Ok(Self {
            revision: city.revision,
            area: rounded(draft.area.measure()?.value),
            layers,
            cut,
            conflicts,
            population,
            notice: Title::new(
                "Phương án thử, không được lưu và không có giá trị pháp lý. Dân số là số ước tính.",
                "A draft: it is not stored and has no legal effect. The population is an estimate.",
            ),
        })
    }
}

/// The meaning of the field by which layers of a role are divided; `None` for roles that a draft does not
/// concern.
fn class_meaning(role: Role) -> Option<Meaning> {
    match role {
        Role::Parcel => Some(Meaning::LandUse),
        Role::Zone => Some(Meaning::PlanFunction),
        Role::Road => Some(Meaning::RoadClass),
        Role::Building | Role::Utility => Some(Meaning::Class),
        _ => None,
    }
}

/// The position of the visible field with a meaning.
fn field_of(layer: &Layer, meaning: Meaning, audience: &Audience) -> Option<usize> {
    layer.field_meaning(meaning).filter(|index| visible(layer, audience).contains(*index))
}

/// A value with what it means, where the field's code list says so.
fn coded(layer: &Layer, field: usize, value: &Value) -> Option<Coded> {
    let value = value.to_key()?;
    let title = layer.fields[field].code(&value).map(|code| code.title.clone());
    Some(Coded { value, title })
}

fn impact(
    snapshot: &LayerSnapshot,
    (draft, class): (&Draft, Meaning),
    options: &DraftOptions,
    cancel: &Cancel,
) -> Result<LayerImpact, EngineError> {
    let layer = snapshot.layer();
    let field = field_of(layer, class, &options.audience);
    let fields: Vec<usize> = field.into_iter().collect();
    let grouping = Grouping { fields: &fields, max: options.groups_max, filters: &[] };
    let share = snapshot.during(options.time).until(cancel).within_by(&draft.area, &grouping)?;
    let groups = share.groups.iter().map(|group| ImpactGroup {
        value: field.and_then(|field| coded(layer, field, group.values.first()?)),
        totals: (&group.totals).into(),
    });
    Ok(LayerImpact {
        layer: layer.id.to_string(),
        title: layer.title.clone(),
        role: layer.role.as_str(),
        totals: (&share.totals).into(),
        by: field.map(|field| layer.fields[field].name.clone()),
        groups: groups.filter(|group: &ImpactGroup| group.totals.count > 0).collect(),
    })
}

/// What a right-of-way cuts off a feature, and what remains of it; `None` if they only touch.
pub fn cut_of(share: &ShareTotals) -> Option<[f64; 2]> {
    let cut = share.area.filter(|area| *area > CONTACT)?;
    let remaining = (share.full_area.unwrap_or(cut) - cut).max(0.0);
    Some([rounded(cut), rounded(remaining)])
}

fn add_cut(
    parcels: &LayerSnapshot,
    roads: &Area,
    (options, cancel): (&DraftOptions, &Cancel),
    cut: &mut DraftCut,
) -> Result<(), EngineError> {
    let moment = parcels.during(options.time).until(cancel);
    let mut rows: Vec<Row> = Vec::new();
    moment.candidates(&roads.bbox(), |row| rows.push(row));
    parcels.sort(&mut rows);
    for rows in rows.chunks(4096) {
        for [own, remaining] in moment.shares(roads, rows)?.iter().filter_map(cut_of) {
            cut.parcels += 1;
            cut.whole += usize::from(remaining <= CONTACT);
            cut.area = rounded(cut.area + own);
            cut.remaining = rounded(cut.remaining + remaining);
        }
    }
    Ok(())
}

/// The zones in force that give a zone of the draft another function.
fn conflicts(
    city: &City,
    draft: &Draft,
    options: &DraftOptions,
    cancel: &Cancel,
) -> Result<Vec<PlanConflict>, EngineError> {
    let mut found: Vec<PlanConflict> = Vec::new();
    for snapshot in city.layers.values().filter(|own| own.layer().role == Role::Zone) {
        let layer = snapshot.layer();
        let Some(function) = field_of(layer, Meaning::PlanFunction, &options.audience) else { continue };
        let level = field_of(layer, Meaning::PlanLevel, &options.audience);
        let fields: Vec<usize> = std::iter::once(function).chain(level).collect();
        for (area, draft_function) in &draft.zones {
            let grouping = Grouping { fields: &fields, max: options.groups_max, filters: &[] };
            let share = snapshot.during(options.time).until(cancel).within_by(area, &grouping)?;
            for group in &share.groups {
                let Some(own) = group.values.first().and_then(|value| coded(layer, function, value)) else {
                    continue;
                };
                let area = group.totals.area.unwrap_or(0.0);
                if area <= CONTACT || same_name(&own, draft_function) {
                    continue;
                }
                let level = level.zip(group.values.get(1)).and_then(|(field, value)| {
                    let own = coded(layer, field, value)?;
                    let title = own.title.or_else(|| PlanLevel::read(&own.value).map(PlanLevel::title));
                    Some(Coded { value: own.value, title })
                });
                let zones = group.totals.count - group.totals.contacts;
                let is_same = |other: &&mut PlanConflict| {
                    other.layer == layer.id.as_str()
                        && other.level == level
                        && other.function == own
                        && other.draft_function == *draft_function
                };
                match found.iter_mut().find(is_same) {
                    Some(known) => {
                        known.area = rounded(known.area + area);
                        known.zones += zones;
                    }
                    None => found.push(PlanConflict {
                        layer: layer.id.to_string(),
                        level,
                        function: own,
                        draft_function: draft_function.clone(),
                        zones,
                        area: rounded(area),
                    }),
                }
            }
        }
    }
    Ok(found)
}
