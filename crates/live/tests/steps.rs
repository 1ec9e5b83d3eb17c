//! The city in memory against its store, through edits, merges and former revisions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use citymap_engine::{Cancel, EngineError};
use citymap_live::{CitySnapshot, Live, LiveError};
use citymap_model::{
    CommitMeta, Fid, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Revision, RevisionNumber, Role,
    Title, Value,
};
use citymap_store::{Edit, GeoPackage, Options, Put, Store, StoreError, Transaction};
use citymap_testing::SwitchStore;

fn layer(id: &str) -> Layer {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Place, GeometryKind::Point);
    layer.fields = vec![Field::new("name", FieldType::Text), Field::new("n", FieldType::Int)];
    layer.key = Some("n".into());
    layer.label = Some("name".into());
    layer
}

fn feature(name: &str, n: i64) -> NewFeature {
    let point = geo_types::Point::new(106.7 + (n % 1000) as f64 * 1e-4, 10.77 + (n % 7) as f64 * 1e-4);
    NewFeature { geometry: Some(point.into()), values: vec![Value::Text(name.to_owned()), Value::Int(n)] }
}

fn fill(store: &dyn Store, id: &str, count: i64) {
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer(id), Mode::Replace).unwrap();
    for n in 0..count {
        transaction.put(feature(&format!("{id} {n}"), n)).unwrap();
    }
    transaction.commit().unwrap();
}

fn edit(live: &Live, id: &str, edits: Vec<Edit>) -> (Vec<Put>, Revision) {
    live.write::<_, LiveError>(CommitMeta { author: "test".into(), ..CommitMeta::default() }, |transaction| {
        transaction.layer(&layer(id), Mode::Edit)?;
        Ok(edits.into_iter().map(|edit| transaction.edit(edit)).collect::<Result<Vec<_>, StoreError>>()?)
    })
    .unwrap()
}

fn open(path: &Path) -> Live {
    Live::open(Box::new(GeoPackage::open(path).unwrap())).unwrap()
}

/// A city with one layer of `count` places.
fn city(count: i64) -> (tempfile::TempDir, Live) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    fill(&GeoPackage::open_or_create(&path).unwrap(), "places", count);
    let live = open(&path);
    (folder, live)
}

fn same(a: &CitySnapshot, b: &CitySnapshot) {
    assert_eq!(a.revision(), b.revision());
    assert_eq!(a.city.layers.keys().collect::<Vec<_>>(), b.city.layers.keys().collect::<Vec<_>>());
    for (id, own) in &a.city.layers {
        let other = &b.city.layers[id];
        assert_eq!(own.revision(), other.revision(), "layer {id} of revision {}", a.revision());
        assert_eq!(own.layer(), other.layer());
        assert!(own.features_equal(other), "layer {id} of revision {}", a.revision());
    }
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

fn random_edits(random: &mut Random, city_snapshot: &CitySnapshot, id: &str, count: usize) -> Vec<Edit> {
    let snapshot = city_snapshot.city.layer(id).unwrap();
    let mut fids: Vec<Fid> = snapshot.rows().map(|row| snapshot.fid(row)).collect();
    (0..count)
        .map(|_| {
            let n = random.below(400) as i64;
            // Numbers repeat, so that keys do.
            let new = feature(&format!("name {}", random.below(40)), n);
            match random.below(if fids.is_empty() { 1 } else { 3 }) {
                0 => Edit::Insert(None, new),
                1 => Edit::Update(fids[random.below(fids.len())], new),
                _ => Edit::Delete(fids.swap_remove(random.below(fids.len()))),
            }
        })
        .collect()
}

#[test]
fn an_edit_costs_what_was_edited_and_not_what_there_is() {
    let (_folder, live) = city(5_000);
    let before = live.snapshot();
    let mut newest = live.revisions();
    assert_eq!(*newest.borrow_and_update(), 1);
    let (puts, revision) = edit(&live, "places", vec![Edit::Insert(None, feature("Chợ Bến Thành", 7))]);
    assert_eq!(revision.number, 2);
    assert_eq!(revision.meta.author, "test");
    // Shown when `write` returns, by the same base and a delta of one.
    let after = live.snapshot();
    assert_eq!(after.revision(), 2);
    assert_eq!(*newest.borrow_and_update(), 2);
    let (old, new) = (before.city.layer("places").unwrap(), after.city.layer("places").unwrap());
    assert_eq!(old.base().id(), new.base().id());
    assert_eq!((old.len(), new.len(), new.delta_len()), (5_000, 5_001, 1));
    let Put::Added(fid) = puts[0] else { panic!("{puts:?}") };
    assert_eq!(new.label(new.row_of_fid(fid).unwrap()), "Chợ Bến Thành");
    let query =
        citymap_search::SearchQuery { text: "cho ben thanh".into(), limit: 5, near: None, lang: "vi" };
    assert_eq!(after.find(&query).hits[0].label, "Chợ Bến Thành");
    assert!(before.find(&query).hits.iter().all(|hit| hit.label != "Chợ Bến Thành"));
}

#[test]
fn random_edits_of_two_writers_equal_a_fresh_reading_and_every_former_revision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    drop(GeoPackage::open_or_create(&path).unwrap());
    two_writers(&|| GeoPackage::open(&path).map(|store| Box::new(store) as Box<dyn Store>).unwrap());
}

#[test]
fn the_same_of_a_database() {
    let Some(server) = citymap_testing::database() else { return };
    let name = format!("citymap_live_{}", std::process::id());
    let psql = |sql: &str| {
        let done = Command::new("psql").args(["-q", "-v", "ON_ERROR_STOP=1", &server, "-c", sql]).status();
        assert!(done.unwrap().success(), "{sql}");
    };
    psql(&format!("CREATE DATABASE {name}"));
    let (front, _) = server.rsplit_once('/').unwrap();
    let address = format!("{front}/{name}");
    let options = Options { migrate: true, ..Options::default() };
    two_writers(&|| citymap_store::open_with(&address, &options).unwrap());
    psql(&format!("DROP DATABASE {name} WITH (FORCE)"));
}

/// Two servers that write to one record in turn; `store` opens it.
fn two_writers(store: &dyn Fn() -> Box<dyn Store>) {
    fill(store().as_ref(), "places", 200);
    let open = || Live::open(store()).unwrap();
    let (live, other) = (open(), open());
    let mut random = Random(20_261_122);
    let mut snapshots: BTreeMap<RevisionNumber, CitySnapshot> = BTreeMap::from([(1, live.snapshot())]);
    for round in 0..60 {
        let writer = if round % 3 == 0 { &other } else { &live };
        match round {
            // Now and then the layer becomes another one, or a second one comes and goes.
            20 => fill(writer.store(), "places", 150),
            30 | 45 => fill(writer.store(), "more", 20),
            40 => {
                let drop = |transaction: &mut dyn Transaction| -> Result<(), LiveError> {
                    Ok(transaction.layer(&layer("more"), Mode::Drop)?)
                };
                writer.write(CommitMeta::default(), drop).unwrap();
            }
            _ => {
                // Edits are chosen by what the writer's own city shows, which is the newest.
                writer.refresh().unwrap();
                let edits = random_edits(&mut random, &writer.snapshot(), "places", 1 + round % 9);
                edit(writer, "places", edits);
            }
        }
        live.refresh().unwrap();
        let fresh = open();
        same(&live.snapshot(), &fresh.snapshot());
        snapshots.insert(live.snapshot().revision(), live.snapshot());
    }
    other.refresh().unwrap();
    same(&live.snapshot(), &other.snapshot());
    assert_eq!(snapshots.len(), 61);
    // From the newest revision back, from both, and from one that has everything in its cache.
    for _ in 0..2 {
        for (number, city_snapshot) in snapshots.iter().rev() {
            same(&live.snapshot_at(*number).unwrap(), city_snapshot);
            same(&open().snapshot_at(*number).unwrap(), city_snapshot);
        }
    }
    assert!(live.snapshot_at(0).unwrap().city.layers.is_empty());
    let error = live.snapshot_at(62).err().unwrap();
    assert!(matches!(error, LiveError::Store(StoreError::NoRevision { asked: 62, newest: 61 })), "{error}");
}

#[test]
fn a_former_city_shares_what_nobody_has_touched_and_conceals_what_is_personal_now() {
    let (_folder, live) = city(100);
    fill(live.store(), "other", 10);
    live.refresh().unwrap();
    edit(&live, "places", vec![Edit::Update(3, feature("tên mới", 3))]);
    let (now, then) = (live.snapshot(), live.snapshot_at(2).unwrap());
    let own = |city_snapshot: &CitySnapshot, id: &str| Arc::clone(city_snapshot.city.layer(id).unwrap());
    assert!(Arc::ptr_eq(&own(&now, "other"), &own(&then, "other")));
    assert_eq!(own(&now, "places").base().id(), own(&then, "places").base().id());
    assert!(Arc::ptr_eq(&own(&then, "places"), &own(&live.snapshot_at(2).unwrap(), "places")), "it is kept");
    // From now on the name is personal, for the past as well.
    let personal = |transaction: &mut dyn Transaction| -> Result<(), LiveError> {
        let mut layer = layer("places");
        layer.fields[0].personal = true;
        Ok(transaction.layer(&layer, Mode::Edit)?)
    };
    live.write(CommitMeta::default(), personal).unwrap();
    for revision in [3, 1] {
        let places = own(&live.snapshot_at(revision).unwrap(), "places");
        assert!(places.layer().fields[0].personal, "revision {revision}");
        assert_eq!(places.label(places.rows().next().unwrap()), "0", "the key");
    }
}

#[test]
fn former_cities_are_bounded_by_bytes_also_while_they_are_held() {
    let (_folder, live) = city(1_500);
    for round in 0..6 {
        let mut transaction = live.store().begin(CommitMeta::default()).unwrap();
        transaction.layer(&layer("places"), Mode::Replace).unwrap();
        for n in 0..1_500 {
            transaction.put(feature(&format!("round {round} {n:04}"), n)).unwrap();
        }
        transaction.commit().unwrap();
    }
    live.refresh().unwrap();
    assert_eq!(live.former_bytes(), 0);
    let gone = Cancel::new();
    gone.cancel();
    let error = live.snapshot_at_until(2, &gone).err().unwrap();
    assert!(matches!(error, LiveError::Engine(EngineError::Cancelled(_))), "{error}");
    assert!(live.kept_at(2).is_none(), "a city that nobody waited for is not made");

    let second = live.snapshot_at(2).unwrap();
    let one = live.former_bytes();
    assert!(one > 0 && live.kept_at(2).is_some());
    live.bound_former(2 * one);
    let third = live.snapshot_at(3).unwrap();
    // Both are held, and their memory is not free.
    let error = live.snapshot_at(4).err().unwrap();
    assert!(matches!(error, LiveError::FormerFull { held, .. } if held == 2 * one), "{error}");
    drop((second, third));
    for revision in [4, 5, 6, 2] {
        assert_eq!(live.snapshot_at(revision).unwrap().revision(), revision);
        assert!(live.former_bytes() <= 2 * one, "{} of {one} each", live.former_bytes());
    }
    assert!(live.kept_at(2).is_some() && live.kept_at(6).is_some() && live.kept_at(5).is_none());
    live.bound_former(1);
    assert_eq!(live.snapshot_at(3).unwrap().revision(), 3, "one alone may be larger");
    assert_eq!(live.former_bytes(), one);
}

#[test]
fn what_fails_leaves_no_trace_and_the_next_writer_is_not_held_up() {
    let (_folder, live) = city(10);
    let refused = live.write(CommitMeta::default(), |transaction| -> Result<(), LiveError> {
        transaction.layer(&layer("places"), Mode::Edit)?;
        transaction.edit(Edit::Delete(1))?;
        Err(StoreError::Stopped("no".into()).into())
    });
    assert!(refused.is_err());
    assert_eq!((live.snapshot().revision(), live.store().revision().unwrap()), (1, 1));
    let (_, revision) = edit(&live, "places", vec![Edit::Delete(1)]);
    assert_eq!(revision.number, 2);
    assert_eq!(live.snapshot().city.layer("places").unwrap().len(), 9);
}

#[test]
fn a_grown_delta_is_merged_while_edits_go_on() {
    let (folder, live) = city(3_000);
    let mut random = Random(7);
    for round in 0..12 {
        let edits = random_edits(&mut random, &live.snapshot(), "places", 400);
        edit(&live, "places", edits);
        if round % 3 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    assert!(live.wait_for_merges(Duration::from_secs(60)));
    let snapshot = Arc::clone(live.snapshot().city.layer("places").unwrap());
    assert!(snapshot.delta_len() <= 2_000, "a delta of {} was left", snapshot.delta_len());
    same(&live.snapshot(), &open(&folder.path().join("city.gpkg")).snapshot());
    // A former city is still made from the new base.
    assert_eq!(live.snapshot_at(1).unwrap().city.layer("places").unwrap().len(), 3_000);
    // The names are those of the merged rows.
    let row = snapshot.rows().last().unwrap();
    let text = snapshot.label(row);
    let query = citymap_search::SearchQuery { text: text.clone(), limit: 50, near: None, lang: "vi" };
    assert!(live.snapshot().find(&query).hits.iter().any(|hit| hit.label == text), "{text}");
}

#[test]
fn writers_and_readers_at_once_see_every_revision_once() {
    let (folder, live) = city(500);
    let live = Arc::new(live);
    let stop = Arc::new(AtomicBool::new(false));
    let follower = Arc::new(open(&folder.path().join("city.gpkg")));
    let following = {
        let (follower, stop) = (Arc::clone(&follower), Arc::clone(&stop));
        thread::spawn(move || follower.follow(Duration::from_millis(50), &stop))
    };
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let live = Arc::clone(&live);
            thread::spawn(move || {
                let mut numbers = Vec::new();
                for n in 0..15 {
                    let name = format!("writer {writer} {n}");
                    let (puts, revision) = edit(&live, "places", vec![Edit::Insert(None, feature(&name, n))]);
                    let Put::Added(fid) = puts[0] else { panic!("{puts:?}") };
                    // Read your own write.
                    let places = Arc::clone(live.snapshot().city.layer("places").unwrap());
                    assert_eq!(places.label(places.row_of_fid(fid).unwrap()), name);
                    numbers.push(revision.number);
                }
                numbers
            })
        })
        .collect();
    let mut numbers: Vec<u64> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=61).collect::<Vec<u64>>());
    let start = Instant::now();
    while follower.snapshot().revision() < 61 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the follower stands at {}",
            follower.snapshot().revision()
        );
        thread::sleep(Duration::from_millis(5));
    }
    same(&live.snapshot(), &follower.snapshot());
    stop.store(true, Ordering::Relaxed);
    following.join().unwrap();
}

#[test]
fn another_record_of_the_same_revisions_is_noticed_and_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let stores = ["a", "b"].map(|name| GeoPackage::open_or_create(&folder.path().join(name)).unwrap());
    fill(&stores[0], "places", 10);
    fill(&stores[1], "places", 20);
    let store = SwitchStore::new(stores);
    let live = Live::open(Box::new(store.clone())).unwrap();
    edit(&live, "places", vec![Edit::Delete(1)]);
    assert_eq!((live.snapshot().revision(), live.snapshot().epoch), (2, 0));
    // A backup of another history, one revision behind: at first it may be a standby that lags.
    store.connect(1);
    assert!(live.refresh().unwrap().is_empty());
    assert_eq!(live.snapshot().city.layer("places").unwrap().len(), 9);
    // It catches up with revisions of its own, as many as we have seen: the same number, another city.
    let mut transaction = live.store().begin(CommitMeta::default()).unwrap();
    transaction.layer(&layer("places"), Mode::Edit).unwrap();
    transaction.edit(Edit::Delete(2)).unwrap();
    transaction.commit().unwrap();
    live.refresh().unwrap();
    assert_eq!((live.snapshot().revision(), live.snapshot().epoch), (2, 1));
    assert_eq!(live.snapshot().city.layer("places").unwrap().len(), 19);
    assert_eq!(live.snapshot_at(1).unwrap().city.layer("places").unwrap().len(), 20);
}

#[test]
fn a_follower_outlives_a_store_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let stores = ["a", "b"].map(|name| GeoPackage::open_or_create(&folder.path().join(name)).unwrap());
    fill(&stores[0], "places", 10);
    let store = SwitchStore::new(stores);
    let live = Arc::new(Live::open(Box::new(store.clone())).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let following = {
        let (live, stop) = (Arc::clone(&live), Arc::clone(&stop));
        thread::spawn(move || live.follow(Duration::from_millis(10), &stop))
    };
    let until = |what: &str, reached: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !reached() {
            assert!(start.elapsed() < Duration::from_secs(10), "never: {what}");
            thread::sleep(Duration::from_millis(2));
        }
    };
    store.disconnect();
    until("it notices", &|| live.failure().is_some());
    assert!(live.failure().unwrap().contains("pulled the plug"));
    assert_eq!(live.snapshot().city.layer("places").unwrap().len(), 10);
    let refused = live.write(CommitMeta::default(), |_| Ok::<(), LiveError>(()));
    assert!(matches!(refused, Err(LiveError::Store(StoreError::Away { .. }))));
    store.connect(0);
    until("it recovers", &|| live.failure().is_none());
    edit(&live, "places", vec![Edit::Delete(1)]);
    assert_eq!(live.snapshot().revision(), 2);
    stop.store(true, Ordering::Relaxed);
    following.join().unwrap();
}
