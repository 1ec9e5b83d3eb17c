//! MapLibre tiles from Mapbox ones: the same layers, features and values, in columns.

use mlt_core::{MltError, encoder::EncoderConfig, mvt::mvt_to_tile_layers};

/// A tile as MLT 1; nothing from nothing. CPU work, about ten times the cutting of the tile itself.
pub(super) fn from_mvt(mvt: &[u8]) -> Result<Vec<u8>, MltError> {
    // Features keep their order, which is the order in which they are drawn.
    let config = EncoderConfig::default()
        .with_spatial_morton_sort(false)
        .with_spatial_hilbert_sort(false)
        .with_id_sort(false);
    let mut out = Vec::new();
    for layer in mvt_to_tile_layers(mvt)? {
        out.extend(layer.encode(config)?);
    }
    Ok(out)
}
