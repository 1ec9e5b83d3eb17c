//! A sink that keeps the city, and ways to look at it.

// Helpers of tests: clippy knows only the functions marked as such.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    error::Error,
    hash::{DefaultHasher, Hash, Hasher},
};

use citymap_demo::{Recipe, Sink, Summary, generate};
use citymap_model::{Layer, NewFeature, Value};
use geo::{BoundingRect, Coord, CoordsIter, Geometry, Polygon};
use rstar::{
    AABB, RTree,
    primitives::{GeomWithData, Rectangle},
};

/// A sink that keeps all layers with their features.
#[derive(Default)]
pub(crate) struct Keep {
    pub(crate) layers: Vec<(Layer, Vec<NewFeature>)>,
}

impl Sink for Keep {
    fn layer(
        &mut self,
        layer: &Layer,
        features: &mut dyn Iterator<Item = NewFeature>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.layers.push((layer.clone(), features.collect()));
        Ok(())
    }
}

impl Keep {
    pub(crate) fn city(parcels: u32, seed: u64) -> (Self, Summary) {
        let mut keep = Self::default();
        let summary = generate(&Recipe { parcels, seed }, &mut keep, &mut |_, _, _| {}).unwrap();
        (keep, summary)
    }

    pub(crate) fn get(&self, id: &str) -> (&Layer, &[NewFeature]) {
        let (layer, features) = self.layers.iter().find(|(layer, _)| layer.id.as_str() == id).unwrap();
        (layer, features)
    }

    /// The texts of one field, in the order of the features; nulls are left out.
    pub(crate) fn texts(&self, id: &str, field: &str) -> Vec<&str> {
        let (layer, features) = self.get(id);
        let index = layer.field_index(field).unwrap();
        fn text(value: &Value) -> Option<&str> {
            match value {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            }
        }
        features.iter().filter_map(|feature| text(&feature.values[index])).collect()
    }

    pub(crate) fn polygons(&self, id: &str) -> Vec<&Polygon> {
        let (_, features) = self.get(id);
        features
            .iter()
            .flat_map(|feature| match feature.geometry.as_ref().unwrap() {
                Geometry::Polygon(polygon) => std::slice::from_ref(polygon).iter(),
                Geometry::MultiPolygon(many) => many.0.iter(),
                other => panic!("{id}: {other:?}"),
            })
            .collect()
    }

    /// Every coordinate and every value, bit by bit.
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (layer, features) in &self.layers {
            layer.id.hash(&mut hasher);
            features.len().hash(&mut hasher);
            for feature in features {
                format!("{:?}", feature.values).hash(&mut hasher);
                for coord in feature.geometry.as_ref().unwrap().coords_iter() {
                    bits(&coord).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

pub(crate) type Index = RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>;

pub(crate) fn index(polygons: &[&Polygon]) -> Index {
    let entries = polygons.iter().enumerate().map(|(i, polygon)| {
        let rect = polygon.bounding_rect().unwrap();
        GeomWithData::new(
            Rectangle::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]),
            i,
        )
    });
    RTree::bulk_load(entries.collect())
}

/// The polygons whose boxes meet one's box, itself included.
pub(crate) fn near(index: &Index, polygon: &Polygon) -> Vec<usize> {
    let rect = polygon.bounding_rect().unwrap();
    let envelope = AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]);
    let mut found: Vec<usize> =
        index.locate_in_envelope_intersecting(envelope).map(|entry| entry.data).collect();
    found.sort_unstable();
    found
}

/// Square metres in a square degree at the city, near enough for tolerances.
pub(crate) const M2: f64 = 109_300.0 * 110_600.0;

pub(crate) fn bits(coord: &Coord) -> [u64; 2] {
    [coord.x.to_bits(), coord.y.to_bits()]
}

/// Metres from a point to a segment.
pub(crate) fn distance(a: Coord, b: Coord, at: Coord) -> f64 {
    let scale = |c: Coord| ((c.x - a.x) * 109_300.0, (c.y - a.y) * 110_600.0);
    let ((bx, by), (x, y)) = (scale(b), scale(at));
    let t = ((x * bx + y * by) / (bx * bx + by * by)).clamp(0.0, 1.0);
    (x - t * bx).hypot(y - t * by)
}
