//! Mapbox vector tiles from engine snapshots.
