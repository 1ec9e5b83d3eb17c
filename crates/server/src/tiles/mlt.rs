//! Conversion of MVT to MLT: the same layers, features and values, stored in columns.

use mlt_core::{MltError, encoder::EncoderConfig, mvt::mvt_to_tile_layers};

/// Converts a tile to MLT 1; no bytes give no bytes. CPU work, about ten times that of cutting the tile.
///
/// # Errors
/// If `mvt` is not a valid tile.
pub(super) fn from_mvt(mvt: &[u8]) -> Result<Vec<u8>, MltError> {
    // Features keep their order, because they are drawn in it.
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

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value};
    use citymap_tile::{TileId, TileOptions};
    use geo::{line_string, point, polygon};
    use mlt_core::{Decoder, Parser, geojson::FeatureCollection, mvt::mvt_to_feature_collection};

    use super::*;

    fn decoded(mlt: &[u8]) -> FeatureCollection {
        let layers = Parser::default().parse_layers(mlt).unwrap();
        let layers = Decoder::default().decode_all(layers).unwrap();
        FeatureCollection::from_layers(layers).unwrap()
    }

    #[test]
    fn every_feature_comes_back_with_its_number_its_shape_and_its_values() {
        let mut layer =
            Layer::new("things".parse().unwrap(), Title::same("Things"), Role::Other, GeometryKind::Mixed);
        layer.fields = vec![
            Field::new("tên", FieldType::Text),
            Field::new("tầng", FieldType::Int),
            Field::new("cao", FieldType::Real),
            Field::new("đúng", FieldType::Bool),
        ];
        let at = |index: i64| 106.69 + index as f64 * 1e-4;
        let mut builder = SnapshotBuilder::new(layer);
        for index in 0..120_i64 {
            let (x, y) = (at(index), 10.77);
            let geometry: Geometry = match index % 3 {
                0 => point!(x: x, y: y).into(),
                1 => line_string![(x: x, y: y), (x: x + 1e-3, y: y + 1e-3)].into(),
                _ => polygon!(exterior: [(x: x, y: y), (x: x + 9e-4, y: y), (x: x + 9e-4, y: y + 9e-4),
                    (x: x, y: y)],
                              interiors: [[(x: x + 5e-4, y: y + 1e-4), (x: x + 8e-4, y: y + 1e-4),
                                  (x: x + 8e-4, y: y + 3e-4), (x: x + 5e-4, y: y + 1e-4)]])
                .into(),
            };
            let values = vec![
                if index % 5 == 0 { Value::Null } else { Value::Text(format!("nhà số {}", index % 7)) },
                if index % 4 == 0 { Value::Null } else { Value::Int(index * 1_000_003 - 5_000_000) },
                Value::Real(index as f64 / 3.0),
                Value::Bool(index % 2 == 0),
            ];
            builder.push(&Feature { fid: index * 7 + 1, geometry: Some(geometry), values }).unwrap();
        }
        let snapshot = builder.finish(1);
        let mut compared = 0;
        for zoom in [10, 14, 16] {
            let tile = TileId::at([106.695, 10.7701], zoom).unwrap();
            let mvt = citymap_tile::encode(&[&snapshot], tile, &TileOptions::default());
            let expected = mvt_to_feature_collection(&mvt).unwrap();
            let mlt = from_mvt(&mvt).unwrap();
            let found = decoded(&mlt);
            assert!(!found.features.is_empty());
            assert!(found.equals(&without_nulls(expected, &found)).unwrap(), "zoom {zoom}");
            compared += found.features.len();
        }
        assert!(compared > 200, "{compared}");
        assert_eq!(from_mvt(&[]).unwrap(), Vec::<u8>::new());
    }

    /// A column says null where a Mapbox tile says nothing: gives the expected features the nulls that were
    /// found.
    fn without_nulls(mut expected: FeatureCollection, found: &FeatureCollection) -> FeatureCollection {
        for (own, found) in expected.features.iter_mut().zip(&found.features) {
            for (name, value) in &found.properties {
                if value.is_null() {
                    own.properties.entry(name.clone()).or_insert(serde_json::Value::Null);
                }
            }
        }
        expected
    }
}
