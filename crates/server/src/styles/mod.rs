//! OGC API – Styles: the map's styles for any client, made from the catalogue as it is.
//!
//! A style of the city draws all layers of its theme; a style of a collection draws that layer alone. Its
//! tiles are named by TileJSON, so that a style stays the same while features change.

pub(crate) mod documents;
pub(crate) mod legend;
pub(crate) mod lists;
mod parameters;
pub(crate) mod parsed;
pub(crate) mod service;

pub(crate) use legend::{LegendQuery, SHARED_PARAMETERS as LEGEND_PARAMETERS};
pub(crate) use parameters::{COLLECTIONS, CollectionStyleQuery, LookQuery, SHARED_PARAMETERS, StyleQuery};

/// The relation of a link to a list of styles.
pub(crate) const STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";

/// The media type of styles.
pub(crate) const MAPBOX_STYLE: &str = "application/vnd.mapbox.style+json";
