//! Which zones share area with a parcel, and which of them prevails where.

use std::cmp::Reverse;

use chrono::NaiveDate;
use citymap_engine::{Cancel, EngineError, LayerSnapshot, LocalPlane, Operand, Overlay, Row};
use citymap_model::{Meaning, Title};
use geo::{Area, BooleanOps, BoundingRect, Intersects, MultiPolygon};
use serde::Serialize;

use crate::{Coded, PlanLevel, ReportOptions, Status, codes::FeatureValues, rounded};

/// Area in m² below which what is left of a parcel counts as nothing: a strip of a micrometre along the sides
/// of a large parcel.
const NOTHING: f64 = 1e-3;

/// What plans say about a parcel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plans {
    /// Whether a plan touches the parcel.
    pub status: Status,
    /// Area in m² up to which a piece is named a sliver.
    pub sliver_tolerance: f64,
    /// The zones that share area with the parcel, in order of precedence.
    pub pieces: Vec<ZonePiece>,
    /// Area in m² of the parcel where no zone of any plan is.
    pub uncovered: f64,
    /// The fraction of the parcel that `uncovered` is, 0 to 1.
    pub uncovered_share: f64,
    /// Area in m² where zones of one level overlap, summed over the levels. It must be 0 in plans without
    /// faults.
    pub overlapping: f64,
}

/// What a zone of a plan shares with the parcel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZonePiece {
    /// Layer of the zone.
    pub layer: String,
    /// Public id of the zone.
    pub id: serde_json::Value,
    /// Name of the zone.
    pub label: String,
    /// Level of the plan as the record has it, with its name.
    pub level: Option<Coded>,
    /// What the plan means the land for.
    pub function: Option<Coded>,
    /// Number of the decision.
    pub decision: Option<String>,
    /// Day of the decision, or from which the zone is valid.
    pub date: Option<NaiveDate>,
    /// The other public values of the zone: coverage, floor-area ratio, storeys, agency.
    pub indicators: Vec<Indicator>,
    /// Area in m² that the zone shares with the parcel.
    pub area: f64,
    /// The fraction of the parcel that `area` is, 0 to 1.
    pub share: f64,
    /// Where the zone prevails.
    pub prevailing: Prevailing,
    /// Whether `area` is at most the sliver tolerance: borders of the parcel and of the zone that do not
    /// agree, rather than a zone that the parcel has a part in.
    pub sliver: bool,
}

/// Where a zone prevails over the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prevailing {
    /// Area in m² in which the zone prevails.
    pub area: f64,
    /// The fraction of the parcel that `area` is, 0 to 1.
    pub share: f64,
    /// The zones that prevail over this one in a part of the parcel, by position in the list of pieces.
    pub overruled_by: Vec<usize>,
}

/// A value of a zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Indicator {
    /// Name of the field.
    pub field: String,
    /// Title of the field.
    pub title: Title,
    /// The value: a number, a text or a truth value.
    pub value: serde_json::Value,
    /// Unit of the value.
    pub unit: Option<String>,
    /// What a code means.
    pub text: Option<Title>,
}

/// The meanings that a piece has members for, so that they are no indicators.
const MEMBERS: [Meaning; 4] = [Meaning::PlanLevel, Meaning::PlanFunction, Meaning::Decision, Meaning::Name];

/// A zone that shares area with the parcel, before it is written.
struct Found<'a> {
    zones: &'a LayerSnapshot,
    row: Row,
    area: f64,
    share: f64,
    whole: bool,
    rank: usize,
    date: Option<NaiveDate>,
}

/// The parcel that plans are asked about.
pub(crate) struct Subject<'a> {
    pub(crate) parcels: &'a LayerSnapshot,
    pub(crate) row: Row,
    pub(crate) plane: &'a LocalPlane,
    /// The parcel on `plane`.
    pub(crate) polygons: &'a MultiPolygon<f64>,
    /// Area in m² on the home grid.
    pub(crate) area: f64,
}

/// Finds the zones of `layers` that share area with the parcel, and where each prevails.
pub(crate) fn plans(
    subject: &Subject<'_>,
    layers: &[&LayerSnapshot],
    options: &ReportOptions,
    cancel: &Cancel,
) -> Result<Plans, EngineError> {
    let mut found = Vec::new();
    for zones in layers {
        find(subject, zones, options, cancel, &mut found)?;
    }
    found.sort_by_cached_key(|zone| (zone.rank, Reverse(zone.date), zone.zones.id(zone.row).to_string()));
    let (prevailing, rest, overlapping) = partition(subject, &found, cancel)?;
    let share = |area: f64| if subject.area > 0.0 { area / subject.area } else { 0.0 };
    let write = |(zone, (area, overruled_by)): (&Found<'_>, (f64, Vec<usize>))| {
        let prevailing = Prevailing { area: rounded(area), share: share(area), overruled_by };
        piece(zone, prevailing, options)
    };
    let pieces: Vec<ZonePiece> = found.iter().zip(prevailing).map(write).collect();
    Ok(Plans {
        status: Status::of(!pieces.is_empty(), !layers.is_empty()),
        sliver_tolerance: options.sliver_tolerance,
        pieces,
        uncovered: rounded(rest),
        uncovered_share: share(rest),
        overlapping: rounded(overlapping),
    })
}

fn find<'a>(
    subject: &Subject<'_>,
    zones: &'a LayerSnapshot,
    options: &ReportOptions,
    cancel: &Cancel,
    found: &mut Vec<Found<'a>>,
) -> Result<(), EngineError> {
    let operand: Operand<'_> = Operand::new(zones).during(options.time);
    let overlay = Overlay::new(Operand::new(subject.parcels), operand)?;
    let (pieces, _) = overlay.of_until(subject.row, cancel)?;
    for piece in pieces.into_iter().filter(|piece| piece.area > 0.0) {
        let values = FeatureValues::new(zones, piece.row_b, &options.audience);
        let level = values.text(Meaning::PlanLevel).and_then(|text| PlanLevel::read(&text));
        found.push(Found {
            zones,
            row: piece.row_b,
            area: piece.area,
            share: piece.share_a.unwrap_or(0.0),
            whole: piece.is_whole_a(),
            rank: options.precedence.rank(level),
            date: values.day(),
        });
    }
    Ok(())
}

/// For each zone the area in which it prevails and the positions of those that prevail over it; the area
/// where no zone is; and the area that zones of one rank share.
#[expect(clippy::type_complexity, reason = "it is taken apart at once")]
fn partition(
    subject: &Subject<'_>,
    found: &[Found<'_>],
    cancel: &Cancel,
) -> Result<(Vec<(f64, Vec<usize>)>, f64, f64), EngineError> {
    let mut rest = subject.polygons.clone();
    let mut prevailing: Vec<(f64, Vec<usize>)> = Vec::with_capacity(found.len());
    let mut overlapping = 0.0;
    let mut shapes: Vec<MultiPolygon<f64>> = Vec::with_capacity(found.len());
    for (position, zone) in found.iter().enumerate() {
        cancel.check()?;
        let shape = if zone.whole {
            subject.polygons.clone()
        } else {
            subject.plane.polygons(zone.zones, zone.row)?.intersection(subject.polygons)
        };
        let free = if rest.0.is_empty() {
            MultiPolygon::new(vec![])
        } else if zone.whole {
            std::mem::replace(&mut rest, MultiPolygon::new(vec![]))
        } else {
            let free = rest.intersection(&shape);
            rest = rest.difference(&shape);
            free
        };
        if rest.unsigned_area() < NOTHING {
            rest = MultiPolygon::new(vec![]);
        }
        let area = free.unsigned_area();
        let mut over = Vec::new();
        if zone.area - area > NOTHING {
            let bounds = shape.bounding_rect();
            for (earlier, other) in shapes.iter().enumerate() {
                cancel.check()?;
                if !bounds.zip(other.bounding_rect()).is_some_and(|(a, b)| a.intersects(&b)) {
                    continue;
                }
                let shared = other.intersection(&shape).unsigned_area();
                if shared > NOTHING {
                    over.push(earlier);
                    if found[earlier].rank == zone.rank && position != earlier {
                        overlapping += shared;
                    }
                }
            }
        }
        prevailing.push((area, over));
        shapes.push(shape);
    }
    Ok((prevailing, rest.unsigned_area(), overlapping))
}

fn piece(zone: &Found<'_>, prevailing: Prevailing, options: &ReportOptions) -> ZonePiece {
    let (zones, row) = (zone.zones, zone.row);
    let values = FeatureValues::new(zones, row, &options.audience);
    let level = values.coded(Meaning::PlanLevel).map(|coded| Coded {
        title: coded.title.or_else(|| PlanLevel::read(&coded.value).map(PlanLevel::title)),
        ..coded
    });
    let layer = zones.layer();
    let members: Vec<usize> = MEMBERS.iter().filter_map(|meaning| layer.field_meaning(*meaning)).collect();
    let is_member = |index: &usize| {
        let own = [layer.key_index(), layer.label_index(), values.day_index()];
        members.contains(index) || own.contains(&Some(*index))
    };
    let indicators = values.fields().filter(|(index, _)| !is_member(index)).filter_map(|(index, field)| {
        let value = values.value(index);
        let text = value.to_key().and_then(|key| field.code(&key).map(|code| code.title.clone()));
        let indicator = Indicator {
            field: field.name.clone(),
            title: field.title.clone(),
            value: value.to_json(),
            unit: field.unit.clone(),
            text,
        };
        (!value.is_null()).then_some(indicator)
    });
    ZonePiece {
        layer: layer.id.to_string(),
        id: zones.id(row).to_json(),
        label: zones.label(row),
        level,
        function: values.coded(Meaning::PlanFunction),
        decision: values.text(Meaning::Decision),
        date: zone.date,
        indicators: indicators.collect(),
        area: rounded(zone.area),
        share: zone.share,
        prevailing,
        sliver: zone.area <= options.sliver_tolerance,
    }
}
