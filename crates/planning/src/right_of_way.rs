//! What the rights-of-way of roads (lộ giới) cut off a parcel.

use std::collections::HashMap;

use citymap_engine::{Cancel, EngineError, LayerSnapshot, Row};
use citymap_model::Meaning;
use geo::{
    Area, BooleanOps, BoundingRect, Buffer, Coord, Intersects, LineString, MultiPolygon, Polygon,
    algorithm::buffer::{BufferStyle, LineCap, LineJoin},
};
use serde::Serialize;

use crate::{ReportOptions, Status, codes::FeatureValues, partition::Subject, rounded};

/// Metres around a parcel in which roads are looked for: half of the widest right-of-way.
pub(crate) const REACH: f64 = 75.0;
/// Metres within which the ends of two roads are one place.
const JOINT: f64 = 0.05;

/// What the rights-of-way of roads cut off a parcel. They are drawn from the centre lines of roads and the
/// widths in the record: half of the width to each side. Lines that were staked out in the field prevail.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RightOfWay {
    /// Whether a right-of-way touches the parcel.
    pub status: Status,
    /// The roads whose right-of-way shares area with the parcel, the largest part first.
    pub roads: Vec<RoadCut>,
    /// Area in m² of the parcel in the rights-of-way of all roads together.
    pub cut: f64,
    /// Area in m² that remains.
    pub remaining: f64,
}

/// The part of a parcel in the right-of-way of one road.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoadCut {
    /// Layer of the road.
    pub layer: String,
    /// Public id of the road.
    pub id: serde_json::Value,
    /// Name of the road.
    pub label: String,
    /// Width of the right-of-way in m.
    pub width: f64,
    /// Area in m² of the parcel in it.
    pub area: f64,
}

/// A road near the parcel, on the parcel's plane.
pub(crate) struct Road<'a> {
    pub(crate) roads: &'a LayerSnapshot,
    pub(crate) row: Row,
    pub(crate) width: f64,
    pub(crate) lines: Vec<LineString<f64>>,
}

/// Finds what the rights-of-way of roads in `layers` cut off a parcel. Layers whose roads have no such width
/// do not count. The second value is the part in them, on the parcel's plane.
pub(crate) fn right_of_way(
    subject: &Subject<'_>,
    layers: &[&LayerSnapshot],
    options: &ReportOptions,
    cancel: &Cancel,
) -> Result<(RightOfWay, MultiPolygon<f64>), EngineError> {
    let mut near = Vec::new();
    let mut known = false;
    for roads in layers {
        cancel.check()?;
        known |= find(subject, roads, options, &mut near)?;
    }
    let joints = joints(&near);
    let mut cut = MultiPolygon::<f64>::new(vec![]);
    let mut roads = Vec::new();
    for road in &near {
        cancel.check()?;
        let strip = strip(road, &joints);
        let part = strip.intersection(subject.polygons);
        let area = part.unsigned_area();
        if area > options.sliver_tolerance {
            cut = cut.union(&part);
            roads.push(RoadCut {
                layer: road.roads.layer().id.to_string(),
                id: road.roads.id(road.row).to_json(),
                label: road.roads.label(road.row),
                width: road.width,
                area: rounded(area),
            });
        }
    }
    roads.sort_by(|a, b| b.area.total_cmp(&a.area).then_with(|| a.id.to_string().cmp(&b.id.to_string())));
    let area = cut.unsigned_area().min(subject.area);
    let found = RightOfWay {
        status: Status::of(!roads.is_empty(), known),
        roads,
        cut: rounded(area),
        remaining: rounded(subject.area - area),
    };
    Ok((found, cut))
}

/// Adds the roads near the parcel that have a width; returns whether the layer says widths at all.
fn find<'a>(
    subject: &Subject<'_>,
    roads: &'a LayerSnapshot,
    options: &ReportOptions,
    near: &mut Vec<Road<'a>>,
) -> Result<bool, EngineError> {
    let layer = roads.layer();
    let public = citymap_access::visible(layer, &options.audience);
    if layer.field_meaning(Meaning::RightOfWay).is_none_or(|field| !public.contains(field)) {
        return Ok(false);
    }
    let Some(rect) = subject.polygons.bounding_rect() else { return Ok(true) };
    let mut rows = Vec::new();
    roads.during(options.time).candidates(&subject.plane.bbox()?, |row| rows.push(row));
    roads.sort(&mut rows);
    for row in rows {
        let width = FeatureValues::new(roads, row, &options.audience).number(Meaning::RightOfWay);
        let Some(width) = width.filter(|width| (0.0..=2.0 * REACH).contains(width) && *width > 0.0) else {
            continue;
        };
        let reach = width / 2.0 + 1.0;
        let wide = geo::Rect::new(
            Coord { x: rect.min().x - reach, y: rect.min().y - reach },
            Coord { x: rect.max().x + reach, y: rect.max().y + reach },
        );
        let lines = subject.plane.lines(roads, row)?.0;
        if lines.iter().any(|line| line.intersects(&wide)) {
            near.push(Road { roads, row, width, lines });
        }
    }
    Ok(true)
}

/// The places where at least two ends of roads meet, in multiples of [`JOINT`].
pub(crate) fn joints(roads: &[Road<'_>]) -> HashMap<[i64; 2], usize> {
    let mut joints = HashMap::new();
    for end in roads.iter().flat_map(|road| &road.lines).flat_map(ends) {
        *joints.entry(cell(end)).or_default() += 1;
    }
    joints
}

fn ends(line: &LineString<f64>) -> impl Iterator<Item = Coord<f64>> + use<> {
    let ends = [line.0.first().copied(), line.0.last().copied()];
    ends.into_iter().flatten()
}

#[expect(clippy::cast_possible_truncation, reason = "a number of cells, far below 2^63")]
fn cell(at: Coord<f64>) -> [i64; 2] {
    [at.x, at.y].map(|metres| (metres / JOINT).round() as i64)
}

/// The strip on both sides of a road. It ends square where the road ends, and round where another road goes
/// on, so that strips join without a notch.
pub(crate) fn strip(road: &Road<'_>, joints: &HashMap<[i64; 2], usize>) -> MultiPolygon<f64> {
    let half = road.width / 2.0;
    let style = BufferStyle::new(half).line_cap(LineCap::Butt).line_join(LineJoin::Round(0.05));
    let mut strip = MultiPolygon::new(vec![]);
    for line in &road.lines {
        strip = strip.union(&line.buffer_with_style(style.clone()));
        for end in ends(line).filter(|end| joints.get(&cell(*end)).is_some_and(|count| *count > 1)) {
            strip = strip.union(&disc(end, half));
        }
    }
    strip
}

/// A circle as a polygon of 64 corners.
fn disc(centre: Coord<f64>, radius: f64) -> Polygon<f64> {
    let corner = |step: u32| {
        let (sin, cos) = (f64::from(step) / 64.0 * std::f64::consts::TAU).sin_cos();
        Coord { x: centre.x + radius * cos, y: centre.y + radius * sin }
    };
    Polygon::new((0..64).map(corner).collect(), vec![])
}
