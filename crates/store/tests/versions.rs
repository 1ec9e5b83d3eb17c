//! What became of a feature: the GeoPackage's own way gives what the log and the differences between
//! revisions give.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use citymap_model::{
    CommitMeta, Fid, Field, FieldType, GeometryKind, Layer, LayerId, Mode, NewFeature, Revision,
    RevisionNumber, Role, Title, Value,
};
use citymap_store::{
    Document, Edit, Finding, GeoPackage, ReadView, Store, StoreError, Transaction, Version, roll_back,
};

/// A store that has no way of its own.
struct Plain<'s>(&'s GeoPackage);

impl Store for Plain<'_> {
    fn location(&self) -> String {
        self.0.location()
    }
    fn revision(&self) -> Result<RevisionNumber, StoreError> {
        self.0.revision()
    }
    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError> {
        self.0.wait(known, timeout)
    }
    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError> {
        self.0.view()
    }
    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError> {
        self.0.view_at(revision)
    }
    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError> {
        self.0.begin(meta)
    }
    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError> {
        self.0.log(limit)
    }
    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError> {
        self.0.log_after(after, limit)
    }
    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError> {
        self.0.revision_at(time)
    }
    fn document_names(&self) -> Result<Vec<String>, StoreError> {
        self.0.document_names()
    }

    fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.0.document(name)
    }
    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError> {
        self.0.put_document(name, expected, body)
    }
    fn check(&self) -> Result<Vec<Finding>, StoreError> {
        self.0.check()
    }
}

fn layer(fields: usize) -> Layer {
    let mut layer =
        Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
    layer.fields = (0..fields).map(|index| Field::new(format!("f{index}"), FieldType::Text)).collect();
    layer.key = Some("f0".into());
    layer
}

fn feature(key: u64, value: u64, fields: usize) -> NewFeature {
    let point = geo_types::Point::new(106.0 + value as f64 * 1e-3, 10.0);
    let mut values = vec![Value::Text(format!("k{key}"))];
    values.resize(fields, Value::Text(format!("v{value}")));
    NewFeature { geometry: Some(point.into()), values }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// One revision of some kind; the fields that the layer has then (0: there is none).
fn step(store: &GeoPackage, dice: &mut Dice, fields: usize) -> usize {
    let kind = if fields == 0 { 0 } else { dice.roll(12) };
    if kind == 11 {
        let newest = store.revision().unwrap();
        roll_back(store, dice.roll(newest), CommitMeta::default()).unwrap();
        let view = store.view().unwrap();
        return view.layers().unwrap().first().map_or(0, |entry| entry.layer.fields.len());
    }
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    let after = match kind {
        0 | 1 => {
            let fields = 1 + dice.roll(2) as usize;
            transaction.layer(&layer(fields), Mode::Replace).unwrap();
            for key in 0..8 {
                if dice.roll(4) > 0 {
                    transaction.put(feature(key, dice.roll(2), fields)).unwrap();
                }
            }
            fields
        }
        2 => {
            transaction.layer(&layer(fields), Mode::Upsert).unwrap();
            for _ in 0..3 {
                transaction.put(feature(dice.roll(10), dice.roll(2), fields)).unwrap();
            }
            fields
        }
        3 => {
            transaction.layer(&layer(fields), Mode::Append).unwrap();
            transaction.put(feature(dice.roll(10), dice.roll(2), fields)).unwrap();
            fields
        }
        4 => {
            transaction.layer(&layer(fields), Mode::Drop).unwrap();
            0
        }
        _ => {
            let mut layer = layer(fields);
            layer.title = Title::same(format!("Wells {}", dice.roll(3)));
            transaction.layer(&layer, Mode::Edit).unwrap();
            for _ in 0..3 {
                let fid = 1 + dice.roll(30) as Fid;
                let new = feature(dice.roll(10), dice.roll(3), fields);
                let edit = match dice.roll(4) {
                    0 => Edit::Insert(None, new),
                    1 => Edit::Delete(fid),
                    2 => Edit::Insert(Some(fid), new),
                    _ => Edit::Update(fid, new),
                };
                transaction.edit(edit).unwrap();
            }
            fields
        }
    };
    transaction.commit().unwrap();
    after
}

#[test]
fn both_ways_tell_the_same_whatever_happened() {
    let (mut told, mut longest) = (0, 0);
    for seed in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let store = GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap();
        let (mut dice, mut fields) = (Dice(seed), 0);
        for _ in 0..25 {
            fields = step(&store, &mut dice, fields);
        }
        let newest = store.revision().unwrap();
        let id: LayerId = "wells".parse().unwrap();
        for fid in 1..=40 {
            for (until, limit) in [(newest, 100), (newest / 2, 100), (newest, 2), (0, 5)] {
                let own = store.versions(&id, fid, until, limit).unwrap();
                let plain = Plain(&store).versions(&id, fid, until, limit).unwrap();
                assert_eq!(own, plain, "seed {seed}, feature {fid}, until {until}, limit {limit}");
                told += own.len();
                longest = longest.max(own.len());
            }
        }
        assert!(store.versions(&id, 1, newest + 1, 1).is_err());
        assert!(store.versions(&"nix".parse().unwrap(), 1, newest, 1).unwrap().is_empty());
    }
    assert!(told > 300 && longest > 6, "{told} versions, {longest} of one feature");
}

#[test]
fn a_feature_s_life_is_told_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap();
    let commit = |mode: Mode, work: &dyn Fn(&mut dyn Transaction)| {
        let mut transaction = store.begin(CommitMeta::default()).unwrap();
        transaction.layer(&layer(1), mode).unwrap();
        work(transaction.as_mut());
        transaction.commit().unwrap();
    };
    commit(Mode::Replace, &|transaction| {
        transaction.put(feature(1, 1, 1)).unwrap();
    });
    commit(Mode::Edit, &|transaction| {
        transaction.edit(Edit::Update(1, feature(1, 2, 1))).unwrap();
    });
    commit(Mode::Edit, &|transaction| {
        transaction.edit(Edit::Insert(None, feature(2, 2, 1))).unwrap();
    });
    commit(Mode::Edit, &|transaction| {
        transaction.edit(Edit::Delete(1)).unwrap();
    });
    let versions: Vec<Version> = store.versions(&"wells".parse().unwrap(), 1, 4, 10).unwrap();
    let told: Vec<(u64, Option<NewFeature>)> = versions
        .into_iter()
        .map(|own| {
            (own.revision, own.feature.map(|own| NewFeature { geometry: own.geometry, values: own.values }))
        })
        .collect();
    assert_eq!(told, [(4, None), (2, Some(feature(1, 2, 1))), (1, Some(feature(1, 1, 1)))]);
}
