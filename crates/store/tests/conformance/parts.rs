//! Small makers that the tests share.

use citymap_model::{
    CommitMeta, Domain, Feature, Field, FieldType, Geometry, GeometryKind, Layer, LayerId, Mode, NewFeature,
    Revision, Role, Title, Value, ValueRange,
};
use citymap_store::{Put, Store, Transaction};
use geo_types::polygon;

pub(crate) fn id(name: &str) -> LayerId {
    name.parse().unwrap()
}

/// Parcels with a key and a number.
pub(crate) fn parcels() -> Layer {
    let mut layer =
        Layer::new(id("parcels"), Title::new("Thửa đất", "Parcels"), Role::Parcel, GeometryKind::Polygon);
    let area = Domain::Range(ValueRange { min: Some(0.0), min_excluded: true, ..ValueRange::default() });
    layer.fields = vec![
        Field::new("ma", FieldType::Text).titled("Mã", "Key").within(Domain::Glob("*".to_owned())),
        Field::new("dien_tich", FieldType::Real).titled("Diện tích", "Area").unit("m²").within(area),
    ];
    layer.key = Some("ma".to_owned());
    layer
}

/// A square of 0.001 degrees at a place that `at` gives.
pub(crate) fn square(at: u32) -> Geometry {
    let (x, y) = (106.0 + f64::from(at % 100) * 0.01, 10.0 + f64::from(at / 100 % 100) * 0.01);
    polygon![(x: x, y: y), (x: x + 0.001, y: y), (x: x + 0.001, y: y + 0.001), (x: x, y: y + 0.001)].into()
}

pub(crate) fn parcel(key: &str, at: u32, area: f64) -> NewFeature {
    let key = if key.is_empty() { Value::Null } else { Value::Text(key.to_owned()) };
    NewFeature { geometry: Some(square(at)), values: vec![key, Value::Real(area)] }
}

/// Puts features into a layer and commits.
pub(crate) fn write(
    store: &dyn Store,
    layer: &Layer,
    mode: Mode,
    features: Vec<NewFeature>,
) -> (Revision, Vec<Put>) {
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(layer, mode).unwrap();
    let puts = put_all(change.as_mut(), features);
    (change.commit().unwrap(), puts)
}

pub(crate) fn put_all(change: &mut dyn Transaction, features: Vec<NewFeature>) -> Vec<Put> {
    features.into_iter().map(|feature| change.put(feature).unwrap()).collect()
}

pub(crate) fn read(store: &dyn Store, layer: &str) -> Vec<Feature> {
    let view = store.view().unwrap();
    let mut features = Vec::new();
    view.read(&id(layer), &mut |feature| {
        features.push(feature);
        Ok(())
    })
    .unwrap();
    let entry = view.layers().unwrap().into_iter().find(|entry| entry.layer.id.as_str() == layer).unwrap();
    assert_eq!(entry.count, features.len() as u64, "the catalogue's count of {layer}");
    features
}

/// Key, fid and area of each parcel.
pub(crate) fn areas(store: &dyn Store) -> Vec<(String, i64, f64)> {
    read(store, "parcels")
        .into_iter()
        .map(|feature| {
            let Value::Real(area) = feature.values[1] else { panic!("{feature:?}") };
            (feature.values[0].to_key().unwrap_or_default(), feature.fid, area)
        })
        .collect()
}

/// added, changed, removed, rejected of a revision's first layer.
pub(crate) fn counts(revision: &Revision) -> [u64; 4] {
    let change = &revision.changes[0];
    [change.added, change.changed, change.removed, change.rejected]
}
