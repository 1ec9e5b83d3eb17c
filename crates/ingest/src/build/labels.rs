//! Labels and the polygons that hold them.

use citymap_model::Value;
use geo::{Contains, InteriorPoint};
use geo_index::rtree::{RTreeBuilder, RTreeIndex, sort::HilbertSort};
use geo_types::{Point, Polygon};

use super::{PlaceNote, collect::Label, place};

/// The values of each polygon, and what to know about labels.
pub(super) struct Joined {
    pub(super) values: Vec<Vec<Value>>,
    pub(super) places: Vec<PlaceNote>,
}

/// Gives each polygon the values of the labels in it. Where two labels disagree about a field, it stays null.
pub(super) fn join(polygons: &[Polygon], labels: &[Label], fields: usize) -> Joined {
    let mut joined = Joined { values: vec![vec![Value::Null; fields]; polygons.len()], places: Vec::new() };
    let mut holders: Vec<Vec<&Label>> = vec![Vec::new(); polygons.len()];
    for (label, holder) in labels.iter().zip(holders_of(polygons, labels)) {
        match holder {
            Some(polygon) => holders[polygon].push(label),
            None => joined.places.push(("a label is in no polygon".to_owned(), place(label.at))),
        }
    }
    if labels.is_empty() {
        return joined;
    }
    for (number, (polygon, labels)) in polygons.iter().zip(holders).enumerate() {
        let mut reasons = Vec::new();
        if labels.is_empty() {
            reasons.push("a polygon without a label: its fields are empty".to_owned());
        }
        let mut doubled = 0;
        for (field, value) in joined.values[number].iter_mut().enumerate() {
            let mut given = labels.iter().filter_map(|label| label.values.get(field));
            let mut given = given.by_ref().filter(|value| !value.is_null());
            let Some(first) = given.next() else { continue };
            let others = given.filter(|other| *other != first).count();
            doubled = doubled.max(others);
            if others == 0 {
                *value = first.clone();
            }
        }
        if doubled > 0 {
            reasons.push(format!(
                "a polygon with {} labels that say different things: a boundary may be missing, and the \
                 fields in which they differ are empty",
                doubled + 1
            ));
        }
        let Some(at) = polygon.interior_point() else { continue };
        joined.places.extend(reasons.into_iter().map(|reason| (reason, place(at.0))));
    }
    joined
}

/// The polygon in whose inside each label lies.
fn holders_of(polygons: &[Polygon], labels: &[Label]) -> Vec<Option<usize>> {
    let Some(count) = u32::try_from(polygons.len()).ok().filter(|&count| count > 0) else {
        return vec![None; labels.len()];
    };
    let mut builder = RTreeBuilder::<f64>::new(count);
    for polygon in polygons {
        let bounds = geo::BoundingRect::bounding_rect(polygon);
        let (min, max) = bounds.map_or_else(Default::default, |bounds| (bounds.min(), bounds.max()));
        builder.add(min.x, min.y, max.x, max.y);
    }
    let index = builder.finish::<HilbertSort>();
    let holder = |label: &Label| {
        let at = label.at;
        let near = index.search(at.x, at.y, at.x, at.y);
        near.into_iter().map(|number| number as usize).find(|&number| polygons[number].contains(&Point(at)))
    };
    labels.iter().map(holder).collect()
}
