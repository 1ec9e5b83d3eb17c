//! The same random operations on both stores: the same answers, revisions, features and former states.
//!
//! `CITYMAP_OPERATIONS` says how many operations (default 2 000), `CITYMAP_SEED` which (default 1).

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, unused_imports, reason = "of the suite, this test needs the last check alone")]
mod conformance;
mod databases;

use chrono::{DateTime, Duration, TimeZone, Utc};
use citymap_model::{
    CommitMeta, Feature, Field, FieldType, Geometry, GeometryKind, Layer, LayerId, Mode, NewFeature,
    Revision, Role, Title, Value,
};
use citymap_store::{Change, Edit, GeoPackage, Store, StoreError, Touched, Transaction, checksum};
use geo_types::{LineString, MultiPoint, MultiPolygon, Point, Polygon};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a whole number"))
}

/// Makes what is put into the stores.
struct Maker(ChaCha8Rng);

impl Maker {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.0).unwrap()
    }

    fn layer(&mut self) -> Layer {
        let id = self.pick(&["parcels", "roads", "wells"]);
        let kind = self.pick(&[GeometryKind::Mixed, GeometryKind::Mixed, GeometryKind::Point]);
        let mut layer = Layer::new(id.parse().unwrap(), Title::new("Lớp", id), Role::Other, kind);
        let types = [
            FieldType::Text,
            FieldType::Int,
            FieldType::Real,
            FieldType::Bool,
            FieldType::Date,
            FieldType::DateTime,
        ];
        let shapes: [&[usize]; 3] = [&[0, 1, 2], &[0, 1, 2, 3, 4, 5], &[1, 0]];
        layer.fields = self
            .pick(&shapes)
            .iter()
            .map(|&at| Field::new(["mã", "số", "Real", "có", "ngày", "lúc"][at], types[at]))
            .collect();
        layer.key = self.0.random_bool(0.8).then(|| layer.fields[0].name.clone());
        layer
    }

    fn value(&mut self, field_type: FieldType, is_key: bool) -> Value {
        if self.0.random_bool(if is_key { 0.05 } else { 0.15 }) {
            return Value::Null;
        }
        match field_type {
            FieldType::Bool => Value::Bool(self.0.random()),
            FieldType::Int if is_key => Value::Int(self.0.random_range(0..40)),
            FieldType::Int => Value::Int(self.0.random()),
            FieldType::Real => Value::Real(self.pick(&[0.0, 1.5, -1e300, f64::INFINITY, 1e-320])),
            FieldType::Text if is_key => Value::Text(self.0.random_range(0..40).to_string()),
            FieldType::Text => Value::Text(
                self.pick(&["", "thửa đất", "a\"b'c\\", "1", "😀\u{301}", "a\nb\tc", "x\0y"]).to_owned(),
            ),
            FieldType::Date => {
                Value::Date(chrono::NaiveDate::from_yo_opt(self.pick(&[0, 1, 1975, 2026, 9999]), 1).unwrap())
            }
            FieldType::DateTime => Value::DateTime(
                Utc.timestamp_millis_opt(self.pick(&[0, 1_750_000_000_123, -62_000_000_000_000])).unwrap(),
            ),
        }
    }

    fn geometry(&mut self) -> Option<Geometry> {
        let (x, y) = (106.0 + self.0.random_range(0.0..1.0), 10.0 + self.0.random_range(0.0..1.0));
        let ring = LineString::from(vec![(x, y), (x + 0.1, y), (x, y + 0.1), (x, y)]);
        Some(match self.0.random_range(0..8) {
            0 => return None,
            1 => Polygon::new(ring, vec![]).into(),
            2 => MultiPolygon(vec![Polygon::new(ring, vec![])]).into(),
            3 => ring.into(),
            4 => MultiPoint(vec![]).into(),
            5 => Point::new(f64::NAN, y).into(),
            _ => Point::new(x, y).into(),
        })
    }

    fn feature(&mut self, layer: &Layer) -> NewFeature {
        let key = layer.key_index();
        let values = layer.fields.iter().enumerate();
        let values =
            values.map(|(at, field)| self.value(field.field_type, Some(at) == key)).collect::<Vec<_>>();
        NewFeature { geometry: self.geometry(), values }
    }
}

/// What an operation answered, in words that can be compared.
fn told<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            let kind = match error {
                StoreError::NoLayer(_) => "no layer",
                StoreError::Schema { .. } => "schema",
                StoreError::Busy { .. } => "busy",
                StoreError::NoRevision { .. } => "no revision",
                _ => return format!("failed: {error}"),
            };
            format!("refused: {kind}")
        }
    }
}

/// One operation on both; panics where the answers differ.
fn on_both<T: std::fmt::Debug>(
    transactions: &mut [Box<dyn Transaction + '_>; 2],
    mut work: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError>,
) -> String {
    let [one, two] = transactions;
    let (one, two) = (told(work(one.as_mut())), told(work(two.as_mut())));
    assert_eq!(one, two, "GeoPackage (left) and PostGIS (right) answer differently");
    assert!(!one.starts_with("failed"), "{one}");
    one
}

fn features(store: &dyn Store, revision: u64, id: &LayerId) -> Vec<Feature> {
    let mut features = Vec::new();
    let view = store.view_at(revision).unwrap();
    let read = view.read(id, &mut |feature| {
        features.push(feature);
        Ok(())
    });
    match read {
        Ok(()) => features,
        Err(StoreError::NoLayer(_)) => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

fn changes(store: &dyn Store, from: u64, to: u64, id: &LayerId) -> Vec<Change> {
    let mut changes = Vec::new();
    let view = store.view_at(to).unwrap();
    let touched = match view.touched(id, from) {
        // In neither of the two revisions.
        Err(StoreError::NoLayer(_)) => return changes,
        touched => touched.unwrap(),
    };
    view.changes(id, from, &mut |change| {
        changes.push(change);
        Ok(())
    })
    .unwrap();
    if let Touched::Features(most) = touched {
        assert!(changes.len() as u64 <= most, "{} changes of at most {most}", changes.len());
    }
    changes
}

fn timeless(mut revision: Revision) -> Revision {
    revision.time = DateTime::<Utc>::UNIX_EPOCH;
    revision
}

/// Whether a layer is brought back feature by feature or as a whole is each store's own affair.
fn wayless(mut revision: Revision) -> Revision {
    for change in &mut revision.changes {
        if change.mode == Mode::Restore {
            change.mode = Mode::Edit;
        }
    }
    revision
}

fn same_at(stores: [&dyn Store; 2], revision: u64) {
    let [one, two] = stores.map(|store| store.view_at(revision).unwrap().layers().unwrap());
    assert_eq!(one, two, "the catalogue at revision {revision}");
    for entry in one {
        let id = &entry.layer.id;
        let [one, two] = stores.map(|store| features(store, revision, id));
        assert_eq!(one.len() as u64, entry.count);
        assert_eq!(one, two, "{id} at revision {revision}");
        let [one, two] = stores.map(|store| checksum(store.view_at(revision).unwrap().as_ref(), id).unwrap());
        assert_eq!(one, two);
    }
}

#[test]
fn random_operations_on_both_stores_agree() {
    let Some(database) = databases::Database::new() else { return };
    let postgis = database.store();
    let operations = number("CITYMAP_OPERATIONS", 2_000);
    let mut maker = Maker(ChaCha8Rng::seed_from_u64(number("CITYMAP_SEED", 1)));
    let folder = tempfile::tempdir().unwrap();
    let file = GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap();
    let stores: [&dyn Store; 2] = [&file, &postgis];

    let mut done = 0;
    let mut answers = std::collections::BTreeMap::<String, u64>::new();
    while done < operations {
        let meta = CommitMeta { message: format!("operation {done}"), ..CommitMeta::default() };
        let mut both = stores.map(|store| store.begin(meta.clone()).unwrap());
        assert_eq!(both[0].number(), both[1].number());
        let mut broken = false;
        for _turn in 0..maker.0.random_range(0..3) {
            let mut layer = maker.layer();
            let existing = both[0].definition(&layer.id).unwrap();
            on_both(&mut both, |change| change.definition(&layer.id));
            let mode = maker.pick(&[
                Mode::Replace,
                Mode::Append,
                Mode::Upsert,
                Mode::Upsert,
                Mode::Edit,
                Mode::Edit,
                Mode::Edit,
                Mode::Restore,
                Mode::Drop,
            ]);
            // Mostly what fits; now and then what does not.
            if let Some(existing) = existing
                && !matches!(mode, Mode::Replace | Mode::Restore)
                && maker.0.random_bool(0.95)
            {
                layer = existing;
            }
            let outcome = on_both(&mut both, |change| change.layer(&layer, mode));
            done += 1;
            if outcome != "()" {
                *answers.entry(outcome).or_default() += 1;
                broken = true;
                break;
            }
            if mode == Mode::Drop {
                continue;
            }
            let mut fid = 0;
            for _ in 0..maker.0.random_range(0..10) {
                let feature = maker.feature(&layer);
                let outcome = match mode {
                    Mode::Edit => {
                        let at = maker.0.random_range(1..60);
                        let edit = match maker.0.random_range(0..6) {
                            0 => Edit::Insert(None, feature),
                            1 => Edit::Insert(Some(at), feature),
                            2 => Edit::Delete(at),
                            _ => Edit::Update(at, feature),
                        };
                        on_both(&mut both, |change| change.feature(&layer.id, at));
                        on_both(&mut both, |change| change.edit(edit.clone()))
                    }
                    Mode::Restore => {
                        fid += maker.0.random_range(1..20);
                        on_both(&mut both, |change| change.put_at(fid, feature.clone()))
                    }
                    _ => on_both(&mut both, |change| change.put(feature.clone())),
                };
                done += 1;
                let word = outcome.split(['(', ' ']).next().unwrap_or_default().to_owned();
                *answers.entry(format!("{mode} {word}")).or_default() += 1;
            }
        }
        let [one, two] = both;
        if broken || maker.0.random_bool(0.05) {
            drop((one, two));
            continue;
        }
        let (one, two) = (one.commit().unwrap(), two.commit().unwrap());
        assert_eq!(timeless(one.clone()), timeless(two), "the revision");
        if one.number % 10 == 0 {
            same_at(stores, one.number);
        }
        if maker.0.random_bool(0.01) && one.number > 3 {
            let to = maker.0.random_range(0..one.number);
            let revisions = stores.map(|store| citymap_store::roll_back(store, to, meta.clone()).unwrap());
            let [one, two] = revisions.map(|revision| wayless(timeless(revision)));
            assert_eq!(one, two, "a return to {to}");
            for entry in file.view_at(to).unwrap().layers().unwrap() {
                let id = entry.layer.id;
                assert_eq!(
                    features(&file, to, &id),
                    features(&file, one.number, &id),
                    "{id} after the return"
                );
            }
        }
    }

    let newest = file.revision().unwrap();
    assert_eq!(newest, postgis.revision().unwrap());
    let logs = stores.map(|store| store.log_after(0, usize::MAX).unwrap());
    assert_eq!(logs[0].len() as u64, newest, "no gap");
    let [one, two] =
        logs.map(|log| log.into_iter().map(|revision| wayless(timeless(revision))).collect::<Vec<_>>());
    assert_eq!(one, two, "the log");
    for _ in 0..60 {
        let to = maker.0.random_range(0..=newest);
        let from = maker.0.random_range(0..=to);
        same_at(stores, from);
        for id in ["parcels", "roads", "wells"].map(|id| id.parse::<LayerId>().unwrap()) {
            let [one, two] = stores.map(|store| changes(store, from, to, &id));
            assert_eq!(one, two, "changes of {id} from {from} to {to}");
        }
    }
    let late = Utc::now() + Duration::days(1);
    for store in stores {
        assert_eq!(store.revision_at(late).unwrap(), newest);
        conformance::nothing_is_wrong(store);
    }
    println!("{done} operations, {newest} revisions; answers: {answers:?}");
    assert!(answers.len() > 12, "the operations reach too little: {answers:?}");

    // And all of it once more, revision by revision, into empty stores of the other kind.
    let Some(empty) = databases::Database::new() else { return };
    let empty = empty.store();
    let second = GeoPackage::open_or_create(&folder.path().join("copy.gpkg")).unwrap();
    for (from, to) in [(stores[0], &empty as &dyn Store), (stores[1], &second as &dyn Store)] {
        assert_eq!(citymap_store::copy(from, to, &mut |_, _| {}).unwrap(), newest);
        for revision in [newest, newest / 2, newest / 3] {
            same_at([from, to], revision);
        }
        assert_eq!(from.log_after(0, usize::MAX).unwrap(), to.log_after(0, usize::MAX).unwrap());
    }
}
