//! What of a layer occurs on a map, so that a legend lists nothing else.

use std::collections::BTreeSet;

use citymap_engine::{Bbox, LayerSnapshot, Row, TimeInterval, ValueRef};
use citymap_model::Meaning;
use citymap_planning::PlanLevel;
use geo::{BoundingRect, Intersects, Polygon};

use super::legend_field;

/// What of a layer occurs on a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occurring {
    /// The codes of the field that [`legend_field`] names.
    pub codes: BTreeSet<String>,
    /// Whether there is a feature without a code, or in a layer without such a field any feature.
    pub uncoded: bool,
}

impl Occurring {
    /// Whether nothing of the layer is on the picture.
    pub(super) fn is_empty(&self) -> bool {
        self.codes.is_empty() && !self.uncoded
    }
}

/// The part of the world whose legend is wanted, in WGS 84 degrees.
#[derive(Clone, Debug)]
pub struct ShownArea {
    parts: Vec<ShownPart>,
}

#[derive(Clone, Debug)]
struct ShownPart {
    bbox: Bbox,
    polygon: Polygon<f64>,
    /// Whether the polygon is the box.
    is_box: bool,
}

impl ShownArea {
    /// A polygon that does not cross the antimeridian, for example a sheet that is turned.
    pub fn new(polygon: Polygon<f64>) -> Self {
        let rect = polygon.bounding_rect();
        let part = rect.map(|rect| ShownPart {
            bbox: Bbox::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y),
            polygon,
            is_box: false,
        });
        Self { parts: part.into_iter().collect() }
    }
}

impl From<Bbox> for ShownArea {
    fn from(bbox: Bbox) -> Self {
        let (boxes, count) = bbox.split();
        let part = |bbox: &Bbox| ShownPart { bbox: *bbox, polygon: bbox.to_polygon(), is_box: true };
        Self { parts: boxes[..count].iter().map(part).collect() }
    }
}

/// What of a layer lies in an area at a time; of plans only those of one level, if one is given.
pub fn occurring(
    snapshot: &LayerSnapshot,
    area: &ShownArea,
    time: Option<TimeInterval>,
    level: Option<PlanLevel>,
) -> Occurring {
    let layer = snapshot.layer();
    let field = legend_field(layer);
    let level_field = layer.field_meaning(Meaning::PlanLevel).zip(level);
    let is_level = |row: Row| {
        level_field.is_none_or(|(field, level)| {
            PlanLevel::read(&snapshot.value(row, field).to_text()) == Some(level)
        })
    };
    let mut found = Occurring::default();
    for part in &area.parts {
        // A row that adds nothing is not looked at: that is nearly all of them.
        snapshot.during(time).candidates(&part.bbox, |row| {
            let value = field.map_or(ValueRef::Null, |(index, _)| snapshot.value(row, index));
            let code = (!value.is_null()).then(|| value.to_text());
            let code = code.filter(|code| field.is_some_and(|(_, field)| field.code(code).is_some()));
            let is_known = code.as_ref().map_or(found.uncoded, |code| found.codes.contains(code));
            if is_known || !is_level(row) {
                return;
            }
            let is_inside = part.is_box && snapshot.bbox(row).is_some_and(|own| part.bbox.contains(&own));
            let touches = || snapshot.geometry(row).is_some_and(|own| own.intersects(&part.polygon));
            if is_inside || touches() {
                match code {
                    Some(code) => {
                        found.codes.insert(code);
                    }
                    None => found.uncoded = true,
                }
            }
        });
    }
    found
}

/// What of a layer one feature is.
pub fn occurring_in(snapshot: &LayerSnapshot, row: Row) -> Occurring {
    let field = legend_field(snapshot.layer());
    let code = field.map(|(index, field)| (snapshot.value(row, index).to_text(), field));
    let code = code.filter(|(code, field)| field.code(code).is_some());
    Occurring { uncoded: code.is_none(), codes: code.map(|(code, _)| code).into_iter().collect() }
}
