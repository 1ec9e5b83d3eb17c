//! What has changed on a parcel between two reports.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{ParcelReport, RoadCut, ZonePiece};

/// Areas in m² that differ by no more than this are the same.
const AREA_TOLERANCE: f64 = 0.01;
/// Corners in m that differ by no more than this are the same: the last digit of papers.
const CORNER_TOLERANCE: f64 = 0.001;

/// The part of a report in which something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// What the parcel is called.
    Identification,
    /// Its area or the corners of its boundary.
    Shape,
    /// The zones that touch it.
    Plans,
    /// The roads whose right-of-way touches it.
    RightOfWay,
}

/// One change of a parcel between two reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportChange {
    /// The part of the report.
    pub theme: Theme,
    /// Layer of the zone or road that the change concerns.
    pub layer: Option<String>,
    /// Public id of that zone or road.
    pub id: Option<Value>,
    /// Name of that zone or road.
    pub label: Option<String>,
    /// The member that differs, as the report names it.
    pub member: &'static str,
    /// The value in the earlier report; `null` if there was none.
    pub before: Value,
    /// The value in the later report; `null` if there is none.
    pub after: Value,
}

impl ParcelReport {
    /// What differs between this report and a later one on the same parcel: names, areas by more than
    /// 0.01 m², corners by more than 1 mm, and zones and roads by layer and id.
    pub fn changes_until(&self, later: &Self) -> Vec<ReportChange> {
        let mut found = Vec::new();
        identification(self, later, &mut found);
        let shape = |member, before: Value, after: Value| ReportChange {
            theme: Theme::Shape,
            layer: None,
            id: None,
            label: None,
            member,
            before,
            after,
        };
        if differ(Some(self.areas.grid), Some(later.areas.grid)) {
            found.push(shape("grid", json!(self.areas.grid), json!(later.areas.grid)));
        }
        if differ(self.areas.certificate, later.areas.certificate) {
            found.push(shape("certificate", json!(self.areas.certificate), json!(later.areas.certificate)));
        }
        if corners_moved(self, later) {
            found.push(shape("corners", json!(self.corners_total), json!(later.corners_total)));
        }
        plans(self, later, &mut found);
        roads(self, later, &mut found);
        found
    }
}

fn differ(before: Option<f64>, after: Option<f64>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => (before - after).abs() > AREA_TOLERANCE,
        (before, after) => before.is_some() != after.is_some(),
    }
}

fn identification(before: &ParcelReport, after: &ParcelReport, found: &mut Vec<ReportChange>) {
    let members = |report: &ParcelReport| {
        let own = &report.identification;
        let value = |coded: &Option<crate::Coded>| coded.as_ref().map(|coded| coded.value.clone());
        [
            ("commune", value(&own.commune)),
            ("formerCommune", value(&own.former_commune)),
            ("sheet", own.sheet.clone()),
            ("number", own.number.clone()),
            ("parcelId", own.parcel_id.clone()),
            ("landUse", value(&own.land_use)),
            ("address", own.address.clone()),
        ]
    };
    for ((member, before), (_, after)) in members(before).into_iter().zip(members(after)) {
        if before != after {
            let theme = Theme::Identification;
            let (before, after) = (json!(before), json!(after));
            found.push(ReportChange { theme, layer: None, id: None, label: None, member, before, after });
        }
    }
}

/// Whether a corner was added, removed or moved.
fn corners_moved(before: &ParcelReport, after: &ParcelReport) -> bool {
    let moved = |before: f64, after: f64| (before - after).abs() > CORNER_TOLERANCE + 1e-6;
    before.corners_total != after.corners_total
        || before.corners.iter().zip(&after.corners).any(|(a, b)| moved(a.x, b.x) || moved(a.y, b.y))
}

/// What two lists have of one zone or road.
type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Entries of two lists by layer and id: what each list has of one zone or road.
fn paired<'a, T>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> (String, String),
) -> impl Iterator<Item = Pair<'a, T>> {
    let mut pairs: BTreeMap<(String, String), Pair<'a, T>> = BTreeMap::new();
    for own in before {
        pairs.entry(key(own)).or_default().0 = Some(own);
    }
    for own in after {
        pairs.entry(key(own)).or_default().1 = Some(own);
    }
    pairs.into_values()
}

/// The zones of a report that are more than slivers.
fn whole_pieces(report: &ParcelReport) -> Vec<&ZonePiece> {
    report.plans.pieces.iter().filter(|piece| !piece.sliver).collect()
}

fn plans(before: &ParcelReport, after: &ParcelReport, found: &mut Vec<ReportChange>) {
    let (before, after) = (whole_pieces(before), whole_pieces(after));
    let key = |piece: &&ZonePiece| (piece.layer.clone(), piece.id.to_string());
    for (before, after) in paired(&before, &after, key) {
        let Some(own) = after.or(before) else { continue };
        let mut push = |member, before: Value, after: Value| {
            found.push(ReportChange {
                theme: Theme::Plans,
                layer: Some(own.layer.clone()),
                id: Some(own.id.clone()),
                label: Some(own.label.clone()),
                member,
                before,
                after,
            });
        };
        let (Some(before), Some(after)) = (before, after) else {
            push("area", json!(before.map(|piece| piece.area)), json!(after.map(|piece| piece.area)));
            continue;
        };
        for (member, area) in [
            ("area", [before.area, after.area]),
            ("prevailing", [before.prevailing.area, after.prevailing.area]),
        ] {
            if differ(Some(area[0]), Some(area[1])) {
                push(member, json!(area[0]), json!(area[1]));
            }
        }
        for (member, values) in [
            ("function", [before, after].map(|piece| json!(piece.function.as_ref().map(|own| &own.value)))),
            ("level", [before, after].map(|piece| json!(piece.level.as_ref().map(|own| &own.value)))),
            ("decision", [before, after].map(|piece| json!(piece.decision))),
            ("date", [before, after].map(|piece| json!(piece.date))),
            ("indicators", [before, after].map(|piece| indicators(piece))),
        ] {
            let [before, after] = values;
            if before != after {
                push(member, before, after);
            }
        }
    }
}

/// The values of a zone by field.
fn indicators(piece: &ZonePiece) -> Value {
    Value::Object(piece.indicators.iter().map(|own| (own.field.clone(), own.value.clone())).collect())
}

fn roads(before: &ParcelReport, after: &ParcelReport, found: &mut Vec<ReportChange>) {
    let (before, after) = (&before.right_of_way.roads, &after.right_of_way.roads);
    for (before, after) in paired(before, after, |road| (road.layer.clone(), road.id.to_string())) {
        let Some(own) = after.or(before) else { continue };
        let [widths, areas] =
            [[before, after].map(|road| road.map(|road| road.width)), [before, after].map(area)];
        for (member, [before, after]) in [("width", widths), ("area", areas)] {
            if differ(before, after) {
                found.push(ReportChange {
                    theme: Theme::RightOfWay,
                    layer: Some(own.layer.clone()),
                    id: Some(own.id.clone()),
                    label: Some(own.label.clone()),
                    member,
                    before: json!(before),
                    after: json!(after),
                });
            }
        }
    }
}

/// The area of a parcel in the right-of-way of a road.
fn area(road: Option<&RoadCut>) -> Option<f64> {
    road.map(|road| road.area)
}
