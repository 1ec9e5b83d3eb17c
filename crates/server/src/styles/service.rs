//! What styles are made of, and the label points of areas, which are computed once for each state of a layer.

use std::{path::Path, sync::Arc};

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_model::{GeometryKind, Role};
use citymap_render::styles::{AreaLabel, StyleBook, StylesError, label_fields};
use geo::InteriorPoint;
use moka::sync::Cache;
use serde_json::Value;

/// Maximum number of areas of a layer that a style labels by points; the tiles label those of larger layers.
const LABELS_MAX: usize = 1_000;
/// Number of states of layers whose label points are kept.
const STATES_MAX: u64 = 32;

/// The label points of one state of a layer.
type Labels = Arc<Vec<AreaLabel>>;

/// The styles of the server.
pub(crate) struct StyleService {
    /// What there is to choose from.
    pub(crate) book: StyleBook,
    labels: Cache<(u64, Option<TimeInterval>), Labels>,
}

impl StyleService {
    /// The standard styles, and those of an operator's folder.
    ///
    /// # Errors
    /// [`StylesError`] for the first file that cannot be used.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, StylesError> {
        Ok(Self { book: StyleBook::load(folder)?, labels: Cache::new(STATES_MAX) })
    }

    /// A point inside each administrative unit that is valid at `time`: a tile holds a part of an area only,
    /// and would label each part. Empty for layers of other kinds, for layers without a public label, and for
    /// those with more than [`LABELS_MAX`] features. CPU work of some milliseconds for a new state.
    pub(crate) fn labels(&self, snapshot: &LayerSnapshot, time: Option<TimeInterval>) -> Labels {
        let layer = snapshot.layer();
        let is_area = layer.role == Role::AdminUnit && layer.geometry == GeometryKind::Polygon;
        if !is_area || snapshot.len() > LABELS_MAX || label_fields(layer).is_empty() {
            return Labels::default();
        }
        // No other snapshot has this id.
        self.labels.get_with((snapshot.delta().id(), time), || Arc::new(label_points(snapshot, time)))
    }
}

fn label_points(snapshot: &LayerSnapshot, time: Option<TimeInterval>) -> Vec<AreaLabel> {
    let layer = snapshot.layer();
    let fields: Vec<(&str, usize)> = label_fields(layer)
        .into_iter()
        .filter_map(|name| layer.field_index(name).map(|index| (name, index)))
        .collect();
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
