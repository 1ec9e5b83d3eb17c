//! The points at which administrative units are labelled.

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_model::{GeometryKind, Role};
use geo::InteriorPoint;
use serde_json::Value;

use super::{AreaLabel, label_fields};

/// Maximum number of areas of a layer that a style labels by points; the tiles label those of larger layers.
const LABELS_MAX: usize = 1_000;

/// A point inside each administrative unit that is valid at `time`: a tile holds a part of an area only, and
/// would label each part. Empty for layers of other kinds, for layers without a public label, and for those
/// with more than 1 000 features.
///
/// # Performance
/// Some milliseconds of CPU time; a server keeps the result for each state of a layer.
pub fn area_labels(snapshot: &LayerSnapshot, time: Option<TimeInterval>) -> Vec<AreaLabel> {
    let layer = snapshot.layer();
    let is_area = layer.role == Role::AdminUnit && layer.geometry == GeometryKind::Polygon;
    let names = label_fields(layer);
    if !is_area || snapshot.len() > LABELS_MAX || names.is_empty() {
        return Vec::new();
    }
    let fields: Vec<(&str, usize)> =
        names.into_iter().filter_map(|name| layer.field_index(name).map(|index| (name, index))).collect();
    let has_id = visible(layer, &Audience::Public).key_index().is_some();
    let valid = snapshot.during(time);
    let label = |row| {
        let point = snapshot.geometry(row)?.interior_point()?;
        let named = fields.iter().filter_map(|&(name, index)| {
            let value = snapshot.value(row, index);
            (!value.is_null()).then(|| (name.to_owned(), Value::from(value.to_text())))
        });
        // As in tiles: a click on the name finds its area.
        let id = has_id.then(|| ("_id".to_owned(), Value::from(snapshot.id(row).to_string())));
        Some(AreaLabel { lonlat: [point.x(), point.y()], properties: named.chain(id).collect() })
    };
    snapshot.rows().filter(|&row| valid.has(row)).filter_map(label).collect()
}
