//! The style of a print, made from a city without a server.

use citymap_engine::{City, LayerSnapshot, TimeInterval};
use citymap_planning::PlanLevel;
use serde_json::Value;

use crate::styles::{Addresses, AreaLabel, CatalogueLayer, StyleBook, StyleRequest, StyledCity, area_labels};

/// The style that a print draws.
#[derive(Clone, Debug)]
pub struct Styled {
    /// The document of the style, version 8.
    pub document: Value,
    /// The only level of plans that it draws, if it was made for one.
    pub level: Option<PlanLevel>,
}

/// The style with this id for a city at a valid time; `None` if there is no such style. Its addresses lead
/// nowhere: the renderer reads the city itself.
pub fn styled(
    book: &StyleBook,
    id: &str,
    (city, time): (&City, Option<TimeInterval>),
    request: &StyleRequest<'_>,
) -> Option<Styled> {
    let mut snapshots: Vec<&LayerSnapshot> = city.layers.values().map(AsRef::as_ref).collect();
    snapshots.sort_by_key(|own| own.layer().role);
    let labels: Vec<Vec<AreaLabel>> = snapshots.iter().map(|own| area_labels(own, time)).collect();
    let layers: Vec<CatalogueLayer<'_>> = snapshots
        .iter()
        .zip(&labels)
        .map(|(own, labels)| CatalogueLayer { layer: own.layer(), count: own.len(), labels })
        .collect();
    let city = StyledCity { profile: &city.profile, layers: &layers };
    let tiles = |ids: &[&str]| format!("/tiles/{}.json", ids.join(","));
    let addresses = Addresses {
        root: "",
        glyphs: "/fonts/{fontstack}/{range}.pbf",
        sprite: "/sprites/citymap",
        tiles: &tiles,
        layers_max: layers.len().max(1),
    };
    let document = book.style(id, city, request, &addresses)?;
    Some(Styled { document, level: request.level })
}
