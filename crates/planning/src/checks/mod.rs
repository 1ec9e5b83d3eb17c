//! Checks of a whole city: what contradicts itself in its plans, parcels and rights-of-way, fault by fault.

mod compare;
mod gaps;
mod near_edges;
mod overlaps;
mod parcels;

use citymap_access::Audience;
use citymap_engine::{Cancel, City, EngineError, LayerSnapshot, Method, Query, Row, TimeInterval};
use citymap_model::{Geometry, GeometryKind, LayerId, Role, Title};
use geo::{LineString, MultiPolygon, Polygon};
use rayon::prelude::*;

pub use compare::{FaultState, compare};
pub(crate) use gaps::united;
pub(crate) use overlaps::same_name;

/// What a check looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckKind {
    /// Parcels that rights-of-way of roads cut.
    RightOfWay,
    /// Zones of one level that overlap.
    ZoneOverlaps,
    /// Narrow gaps that zones of one level enclose.
    ZoneGaps,
    /// Zones of different levels that give the same land different functions.
    LevelConflicts,
    /// Parcels that no zone of any plan shares area with.
    UnplannedParcels,
    /// Parcels that overlap each other.
    ParcelOverlaps,
    /// Narrow gaps that parcels enclose.
    ParcelGaps,
    /// Boundaries of parcels, or of zones of one level, that nearly meet and do not.
    NearEdges,
}

impl CheckKind {
    /// Every kind of check, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::RightOfWay,
        Self::ZoneOverlaps,
        Self::ZoneGaps,
        Self::LevelConflicts,
        Self::UnplannedParcels,
        Self::ParcelOverlaps,
        Self::ParcelGaps,
        Self::NearEdges,
    ];

    /// The name in the API and on the command line: `parcel-overlaps`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RightOfWay => "right-of-way",
            Self::ZoneOverlaps => "zone-overlaps",
            Self::ZoneGaps => "zone-gaps",
            Self::LevelConflicts => "level-conflicts",
            Self::UnplannedParcels => "unplanned-parcels",
            Self::ParcelOverlaps => "parcel-overlaps",
            Self::ParcelGaps => "parcel-gaps",
            Self::NearEdges => "near-edges",
        }
    }

    /// The check with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What a fault of this kind is.
    pub fn title(self) -> Title {
        match self {
            Self::RightOfWay => Title::new("Thửa đất bị lộ giới cắt", "Parcel cut by a right-of-way"),
            Self::ZoneOverlaps => Title::new("Ô quy hoạch cùng cấp chồng nhau", "Zones of one level overlap"),
            Self::ZoneGaps => {
                Title::new("Khe hở giữa các ô quy hoạch cùng cấp", "Gap between zones of one level")
            }
            Self::LevelConflicts => Title::new(
                "Quy hoạch các cấp khác nhau về chức năng",
                "Plans of different levels disagree on the function",
            ),
            Self::UnplannedParcels => Title::new("Thửa đất chưa có quy hoạch", "Parcel without a plan"),
            Self::ParcelOverlaps => Title::new("Thửa đất chồng nhau", "Parcels overlap"),
            Self::ParcelGaps => Title::new("Khe hở giữa các thửa đất", "Gap between parcels"),
            Self::NearEdges => Title::new("Ranh giới gần khớp", "Boundaries nearly meet"),
        }
    }

    /// The unit of [`Fault::measure`].
    pub fn unit(self) -> &'static str {
        if self == Self::NearEdges { "m" } else { "m²" }
    }

    /// The kind of geometry of its faults.
    pub fn geometry(self) -> GeometryKind {
        if self == Self::NearEdges { GeometryKind::Point } else { GeometryKind::Polygon }
    }
}

/// How a check is made.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// For whom the check is made: fields that the audience may not see are as if they did not exist.
    pub audience: Audience,
    /// The time at which zones, roads and parcels must be valid; `None` for all of them.
    pub time: Option<TimeInterval>,
    /// Only parcels, and zones, that share a point with this geometry in WGS 84 degrees; `None` for all.
    pub within: Option<Geometry>,
    /// Area in m² up to which an overlap, a cut or a conflict does not count.
    pub area_tolerance: f64,
    /// Mean width in m up to which an enclosed hole is a gap. Wider ones are streets and courtyards.
    pub gap_width: f64,
    /// Distance in m up to which boundaries nearly meet; up to [`NOISE`] they do meet.
    pub near_distance: f64,
    /// Maximum number of faults that are listed; all are counted.
    pub faults_max: usize,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            audience: Audience::Public,
            time: None,
            within: None,
            area_tolerance: 0.01,
            gap_width: 0.5,
            near_distance: 0.1,
            faults_max: 100_000,
        }
    }
}

/// Distance in m up to which two places are one: the last digit of papers.
pub const NOISE: f64 = 1e-3;

/// A feature that a fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSubject {
    /// Layer of the feature.
    pub layer: LayerId,
    /// Public id of the feature.
    pub id: String,
    /// Name of the feature.
    pub label: String,
}

impl FaultSubject {
    pub(crate) fn new(snapshot: &LayerSnapshot, row: Row) -> Self {
        Self {
            layer: snapshot.layer().id.clone(),
            id: snapshot.id(row).to_string(),
            label: snapshot.label(row),
        }
    }
}

/// One fault that a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What the fault is called in every run: the features that it concerns, or its place. Two runs are
    /// compared by it.
    pub key: String,
    /// The features that it concerns, at most two; none for a gap.
    pub subjects: Vec<FaultSubject>,
    /// What is wrong, with the values that contradict each other.
    pub reason: Title,
    /// Its area in m², or its distance in m ([`CheckKind::unit`]).
    pub measure: f64,
    /// Where it is, WGS 84 degrees.
    pub geometry: Geometry,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckResult {
    /// Number of features that were checked.
    pub checked: u64,
    /// Number of faults, listed or not.
    pub found: u64,
    /// Sum of the areas of all faults in m²; the largest distance in m for [`CheckKind::NearEdges`].
    pub measure: f64,
    /// The faults in a fixed order, at most [`CheckOptions::faults_max`].
    pub faults: Vec<Fault>,
}

/// How much of a check is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckProgress {
    /// Number of features that are done.
    pub done: u64,
    /// Number of features in all.
    pub total: u64,
    /// Number of faults so far.
    pub found: u64,
}

/// Why a check has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The city lacks the layers that are checked.
    #[error(
        "there is no layer with the role `{role}` and polygons to check; `citymap doctor planning` says what \
         the city's data lacks"
    )]
    NoLayer {
        /// The role that no layer has.
        role: Role,
    },
    /// No road has a right-of-way.
    #[error(
        "no field of a layer with the role `road` has the meaning `right_of_way`; set it with \
         `citymap layer set LAYER --meaning FIELD=right_of_way`"
    )]
    NoWidths,
    /// Adjoining polygons have too many vertices to be united in memory.
    #[error(
        "{vertices} vertices of adjoining polygons of `{layer}` are more than the {max} that can be united; \
         check a part of the city with an area"
    )]
    TooLarge {
        /// Layer of the polygons.
        layer: LayerId,
        /// Number of their vertices.
        vertices: usize,
        /// Maximum number of vertices.
        max: usize,
    },
    /// Two runs cannot be compared, because one of them found more faults than are listed.
    #[error(
        "a run found more than the {max} faults that are listed, so that two runs cannot be compared; check \
         a part of the city, or raise the tolerance"
    )]
    TooMany {
        /// Maximum number of faults that are listed.
        max: usize,
    },
    /// The overlay of two layers ended early.
    #[error("two layers could not be laid on one another: {0}")]
    Overlay(String),
    /// The engine could not compute a fault, or the work was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Runs a check over the layers of a city, on all processors of the current rayon pool. `progress` is called
/// after every few thousand features.
///
/// # Errors
/// [`CheckError::NoLayer`] if the city has nothing to check, [`CheckError::TooLarge`] for a check of gaps
/// over too much land at once, [`CheckError::Engine`] soon after `cancel` is set.
///
/// # Performance
/// One search in an R-tree for each feature, and exact work for the pairs whose boxes meet. Faults are held
/// in memory, at most [`CheckOptions::faults_max`] of them.
pub fn check(
    city: &City,
    kind: CheckKind,
    options: &CheckOptions,
    hooks: &CheckHooks<'_>,
) -> Result<CheckResult, CheckError> {
    let mut run = CheckRun { city, options, hooks, kind, result: CheckResult::default(), done: (0, 0) };
    match kind {
        CheckKind::RightOfWay => parcels::cut_by_rights_of_way(&mut run)?,
        CheckKind::UnplannedParcels => parcels::without_plan(&mut run)?,
        CheckKind::ZoneOverlaps => overlaps::of_zones(&mut run)?,
        CheckKind::LevelConflicts => overlaps::of_levels(&mut run)?,
        CheckKind::ParcelOverlaps => overlaps::of_parcels(&mut run)?,
        CheckKind::ZoneGaps => gaps::of_zones(&mut run)?,
        CheckKind::ParcelGaps => gaps::of_parcels(&mut run)?,
        CheckKind::NearEdges => near_edges::of_city(&mut run)?,
    }
    Ok(run.result)
}

/// How a caller follows and ends a check.
#[derive(Clone, Default)]
pub struct CheckHooks<'a> {
    /// Ends the check early.
    pub cancel: Cancel,
    /// Called with what is done.
    pub progress: Option<&'a (dyn Fn(CheckProgress) + Sync)>,
}

impl std::fmt::Debug for CheckHooks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckHooks").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

/// A check at work.
pub(crate) struct CheckRun<'a> {
    city: &'a City,
    options: &'a CheckOptions,
    hooks: &'a CheckHooks<'a>,
    kind: CheckKind,
    result: CheckResult,
    /// Features that are done, and features in all.
    done: (u64, u64),
}

/// Features that are checked in parallel before their faults are taken.
const CHUNK: usize = 4096;

impl<'a> CheckRun<'a> {
    /// The layers with this role and polygons, by id.
    fn layers(&self, role: Role) -> Result<Vec<&'a LayerSnapshot>, CheckError> {
        let polygonal = |kind: GeometryKind| matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed);
        let all = self.city.layers.values().map(AsRef::as_ref);
        let found: Vec<&LayerSnapshot> =
            all.filter(|own| own.layer().role == role && polygonal(own.layer().geometry)).collect();
        if found.is_empty() { Err(CheckError::NoLayer { role }) } else { Ok(found) }
    }

    /// The rows of a layer that are checked, by number.
    fn rows(&self, snapshot: &LayerSnapshot) -> Result<Vec<Row>, CheckError> {
        let page = snapshot.select(&Query {
            time: self.options.time,
            intersects: self.options.within.clone(),
            cancel: self.hooks.cancel.clone(),
            ..Query::default()
        });
        self.hooks.cancel.check().map_err(EngineError::from)?;
        Ok(page.rows)
    }

    /// Announces features that will be checked.
    fn expect(&mut self, count: usize) {
        self.done.1 += count as u64;
        self.result.checked += count as u64;
    }

    /// Counts features that are done, and reports it.
    fn advance(&mut self, count: u64) -> Result<(), CheckError> {
        self.hooks.cancel.check().map_err(EngineError::from)?;
        self.done.0 += count;
        if let Some(progress) = self.hooks.progress {
            let (done, total) = self.done;
            progress(CheckProgress { done, total, found: self.result.found });
        }
        Ok(())
    }

    /// Counts a fault, and lists it if there is room.
    fn add(&mut self, fault: Fault) {
        self.count(fault.measure);
        if self.result.faults.len() < self.options.faults_max {
            self.result.faults.push(fault);
        }
    }

    fn count(&mut self, measure: f64) {
        self.result.found += 1;
        if self.kind == CheckKind::NearEdges {
            self.result.measure = self.result.measure.max(measure);
        } else {
            self.result.measure += measure;
        }
    }

    /// Checks each of `rows` with `of`, in parallel, and takes the faults in the order of the rows.
    fn each(
        &mut self,
        rows: &[Row],
        of: impl Fn(Row) -> Result<Vec<Fault>, EngineError> + Sync,
    ) -> Result<(), CheckError> {
        let cancel = self.hooks.cancel.clone();
        for chunk in rows.chunks(CHUNK) {
            let found: Result<Vec<Vec<Fault>>, EngineError> = chunk
                .par_iter()
                .map(|&row| {
                    cancel.check()?;
                    of(row)
                })
                .collect();
            found?.into_iter().flatten().for_each(|fault| self.add(fault));
            self.advance(chunk.len() as u64)?;
        }
        Ok(())
    }
}

/// The key of a fault that concerns two features, whichever of them was found first.
fn pair_key(subjects: &[FaultSubject]) -> String {
    let mut names: Vec<String> = subjects.iter().map(|own| format!("{}/{}", own.layer, own.id)).collect();
    names.sort_unstable();
    names.join("|")
}

/// Polygons of a local plane in WGS 84 degrees.
pub(crate) fn lonlat(
    plane: &citymap_engine::LocalPlane,
    polygons: &MultiPolygon<f64>,
) -> Result<Geometry, EngineError> {
    let ring = |ring: &LineString<f64>| -> Result<LineString<f64>, EngineError> {
        let coords = ring.0.iter().map(|at| Ok(plane.lonlat(*at)?.into()));
        coords.collect::<Result<Vec<_>, EngineError>>().map(LineString::new)
    };
    let polygon = |polygon: &Polygon<f64>| -> Result<Polygon<f64>, EngineError> {
        let holes = polygon.interiors().iter().map(ring).collect::<Result<_, _>>()?;
        Ok(Polygon::new(ring(polygon.exterior())?, holes))
    };
    match &polygons.0[..] {
        [only] => Ok(polygon(only)?.into()),
        all => Ok(MultiPolygon::new(all.iter().map(polygon).collect::<Result<_, _>>()?).into()),
    }
}

/// The area of a feature in m², on the home grid where it applies.
fn area(snapshot: &LayerSnapshot, row: Row) -> Result<f64, EngineError> {
    let Some(geometry) = snapshot.geometry(row) else { return Ok(0.0) };
    Ok(Method::within(snapshot.bbox(row)).area(&geometry)?)
}
