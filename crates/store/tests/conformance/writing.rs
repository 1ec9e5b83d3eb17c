//! What each mode does, and what a revision is.

use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Put, Store, StoreError};

use super::parts::{areas, counts, id, parcel, parcels, put_all, read, square, write};

fn named(name: &str, fid: i64, area: f64) -> (String, i64, f64) {
    (name.to_owned(), fid, area)
}

pub(crate) fn an_empty_city_has_revision_0_and_no_layers(store: &dyn Store) {
    assert_eq!(store.revision().unwrap(), 0);
    let view = store.view().unwrap();
    assert_eq!(view.revision(), 0);
    assert!(view.layers().unwrap().is_empty());
    assert!(store.log(10).unwrap().is_empty());
    assert!(matches!(view.read(&id("parcels"), &mut |_| Ok(())), Err(StoreError::NoLayer(_))));
}

pub(crate) fn what_is_written_is_read_back_in_order(store: &dyn Store) {
    let features: Vec<_> = (0..5000).map(|at| parcel(&format!("k{at}"), at, f64::from(at))).collect();
    let (revision, puts) = write(store, &parcels(), Mode::Replace, features.clone());
    assert_eq!((revision.number, counts(&revision)), (1, [5000, 0, 0, 0]));
    assert_eq!(store.revision().unwrap(), 1);
    let back = read(store, "parcels");
    for ((feature, back), put) in features.iter().zip(&back).zip(&puts) {
        assert_eq!((&feature.geometry, &feature.values), (&back.geometry, &back.values));
        assert_eq!(*put, Put::Added(back.fid));
    }
    let entry = &store.view().unwrap().layers().unwrap()[0];
    assert_eq!((entry.layer.clone(), entry.revision, entry.count), (parcels(), 1, 5000));
}

pub(crate) fn a_dropped_change_set_changes_nothing(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let before = areas(store);
    for mode in [Mode::Replace, Mode::Append, Mode::Upsert] {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), mode).unwrap();
        put_all(change.as_mut(), (0..3000).map(|at| parcel(&at.to_string(), at, 0.0)).collect());
        change
            .layer(
                &Layer::new(id("other"), Title::same("Other"), Role::Other, GeometryKind::Point),
                mode.min_for_new(),
            )
            .unwrap();
        drop(change);
        assert_eq!((store.revision().unwrap(), areas(store)), (1, before.clone()));
    }
}

/// Upsert wants a key, which a made-up layer lacks.
trait ForNew {
    fn min_for_new(self) -> Mode;
}

impl ForNew for Mode {
    fn min_for_new(self) -> Mode {
        if self == Mode::Upsert { Mode::Append } else { self }
    }
}

pub(crate) fn a_failed_change_set_cannot_be_committed(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Append).unwrap();
    change.put(parcel("b", 2, 2.0)).unwrap();
    let wrong = NewFeature { geometry: None, values: vec![Value::Int(1), Value::Null] };
    assert!(matches!(change.put(wrong), Err(StoreError::Schema { .. })));
    assert!(change.commit().is_err());
    assert_eq!((store.revision().unwrap(), areas(store)), (1, vec![named("a", 1, 1.0)]));
    // A feature before a layer is a mistake that is told, not a panic.
    assert!(store.begin(CommitMeta::default()).unwrap().put(parcel("a", 1, 1.0)).is_err());
}

pub(crate) fn a_replaced_layer_keeps_the_numbers_of_unique_keys(store: &dyn Store) {
    let before = ["a", "b", "c", "twice", "twice", ""];
    write(
        store,
        &parcels(),
        Mode::Replace,
        before.iter().zip(1..).map(|(key, at)| parcel(key, at, 1.0)).collect(),
    );
    // b is gone, a moved to the end and changed, c is the same, d is new; what repeats and what has no key is
    // known by its content.
    let after = [("c", 3, 1.0), ("d", 7, 1.0), ("twice", 4, 1.0), ("", 6, 1.0), ("a", 1, 2.0)];
    let features = after.map(|(key, at, area)| parcel(key, at, area)).into();
    let (revision, puts) = write(store, &parcels(), Mode::Replace, features);
    assert_eq!(
        puts,
        [Put::Changed(3), Put::Added(7), Put::Changed(4), Put::Changed(6), Put::Changed(1)],
        "all but d keep their numbers"
    );
    assert_eq!(counts(&revision), [1, 1, 2, 0]);
    let read: Vec<i64> = areas(store).iter().map(|(_, fid, _)| *fid).collect();
    assert_eq!(read, [1, 3, 4, 6, 7]);
    // A moved geometry is a change too; the same again is none.
    let moved = vec![parcel("c", 30, 1.0), parcel("a", 1, 2.0)];
    assert_eq!(counts(&write(store, &parcels(), Mode::Replace, moved.clone()).0), [0, 1, 3, 0]);
    assert_eq!(counts(&write(store, &parcels(), Mode::Replace, moved).0), [0, 0, 0, 0]);
}

pub(crate) fn the_same_again_is_no_change(store: &dyn Store) {
    let keys = ["a", "b", "twice", "twice", "", "", ""];
    // The last two differ in nothing.
    let all: Vec<NewFeature> =
        keys.iter().zip([1, 2, 3, 4, 5, 6, 6]).map(|(key, at)| parcel(key, at, 1.0)).collect();
    let mut bare = parcels();
    bare.key = None;
    let mut bare_table = bare.clone();
    (bare_table.id, bare_table.geometry) = (id("bare_table"), GeometryKind::None);
    for layer in [parcels(), bare, bare_table] {
        let mut given = all.clone();
        if layer.geometry == GeometryKind::None {
            given.iter_mut().for_each(|feature| feature.geometry = None);
        }
        write(store, &layer, Mode::Replace, given.clone());
        let before = read(store, layer.id.as_str());
        let (revision, _) = write(store, &layer, Mode::Replace, given.clone());
        assert_eq!(counts(&revision), [0, 0, 0, 0], "{:?}", layer.key);
        // In another order, without one and with another one.
        given.reverse();
        let (revision, _) = write(store, &layer, Mode::Replace, given.clone());
        assert_eq!(counts(&revision), [0, 0, 0, 0], "{:?}", layer.key);
        assert_eq!(read(store, layer.id.as_str()), before);
        given.remove(0);
        given.push(parcel("new", 9, 1.0));
        if layer.geometry == GeometryKind::None {
            given.iter_mut().for_each(|feature| feature.geometry = None);
        }
        let (revision, _) = write(store, &layer, Mode::Replace, given);
        assert_eq!(counts(&revision), [1, 0, 1, 0], "{:?}", layer.key);
    }
}

pub(crate) fn an_upsert_leaves_the_fields_that_it_lacks(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0), parcel("b", 2, 2.0)]);
    let mut part = parcels();
    part.fields.pop();
    let keyed =
        |key: &str, at| NewFeature { values: vec![Value::Text(key.to_owned())], ..parcel("", at, 0.0) };
    let given = vec![keyed("a", 1), keyed("b", 3), keyed("c", 4)];
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&part, Mode::Upsert).unwrap();
    put_all(change.as_mut(), given);
    let told = change.changes().unwrap();
    let revision = change.commit().unwrap();
    assert_eq!(
        (told, counts(&revision)),
        (revision.changes.clone(), [1, 1, 0, 0]),
        "b moved, a is as it was"
    );
    let values: Vec<Vec<Value>> = read(store, "parcels").into_iter().map(|feature| feature.values).collect();
    let row = |key: &str, area| vec![Value::Text(key.to_owned()), area];
    assert_eq!(values, [row("a", Value::Real(1.0)), row("b", Value::Real(2.0)), row("c", Value::Null)]);
}

pub(crate) fn a_number_is_never_given_twice(store: &dyn Store) {
    let mut bare = parcels();
    bare.key = None;
    let three = || (0..3).map(|at| parcel("a", at, 1.0)).collect::<Vec<_>>();
    for round in 0..3 {
        let others = (0..3).map(|at| parcel("a", at, f64::from(round))).collect();
        let (_, puts) = write(store, &bare, Mode::Replace, others);
        assert_eq!(puts, [1, 2, 3].map(|fid| Put::Added(i64::from(round) * 3 + fid)));
    }
    let (revision, _) = write(store, &bare, Mode::Replace, vec![]);
    assert_eq!(counts(&revision), [0, 0, 3, 0]);
    let (_, puts) = write(store, &bare, Mode::Append, three());
    assert_eq!(puts[0], Put::Added(10));
}

pub(crate) fn a_replaced_layer_may_change_its_shape(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("7", 1, 1.0), parcel("8", 2, 1.0)]);
    let mut other = Layer::new(id("parcels"), Title::same("Bảng"), Role::Other, GeometryKind::None);
    other.fields = vec![Field::new("x", FieldType::Bool), Field::new("ma", FieldType::Int)];
    other.key = Some("ma".to_owned());
    let row = |key| NewFeature { geometry: None, values: vec![Value::Bool(true), Value::Int(key)] };
    let (revision, puts) = write(store, &other, Mode::Replace, vec![row(8), row(9)]);
    assert_eq!((counts(&revision), puts), ([1, 1, 1, 0], vec![Put::Changed(2), Put::Added(3)]));
    assert_eq!(store.view().unwrap().layers().unwrap()[0].layer, other);
    write(store, &parcels(), Mode::Replace, vec![parcel("9", 1, 1.0)]);
    assert_eq!(areas(store), [named("9", 3, 1.0)]);
}

pub(crate) fn append_adds_and_fills_missing_fields_with_null(store: &dyn Store) {
    write(store, &parcels(), Mode::Append, vec![parcel("a", 1, 1.0)]);
    let mut part = parcels();
    part.fields = vec![Field::new("dien_tich", FieldType::Real)];
    part.key = None;
    let features = vec![NewFeature { geometry: None, values: vec![Value::Real(2.0)] }];
    let (revision, puts) = write(store, &part, Mode::Append, features);
    assert_eq!((counts(&revision), puts), ([1, 0, 0, 0], vec![Put::Added(2)]));
    assert_eq!(areas(store), [named("a", 1, 1.0), named("", 2, 2.0)]);
    assert_eq!(store.view().unwrap().layers().unwrap()[0].layer, parcels(), "the definition stays");
    // The same key again is a repeated key, which is allowed; many at once rebuild the index.
    let mut swapped = parcels();
    swapped.fields.swap(0, 1);
    let features = (0..4000).map(|at| {
        let NewFeature { geometry, mut values } = parcel("a", at, 3.0);
        values.swap(0, 1);
        NewFeature { geometry, values }
    });
    assert_eq!(counts(&write(store, &swapped, Mode::Append, features.collect()).0), [4000, 0, 0, 0]);
    assert_eq!(areas(store)[4001], named("a", 4002, 3.0));
}

pub(crate) fn append_refuses_what_does_not_fit(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let mut more = parcels();
    more.fields.push(Field::new("chu", FieldType::Text));
    let mut retyped = parcels();
    retyped.fields[1].field_type = FieldType::Int;
    let mut lines = parcels();
    lines.geometry = GeometryKind::Line;
    for (layer, word) in [(more, "chu"), (retyped, "dien_tich"), (lines, "lines")] {
        for mode in [Mode::Append, Mode::Upsert] {
            let mut change = store.begin(CommitMeta::default()).unwrap();
            let error = change.layer(&layer, mode).unwrap_err();
            assert!(
                matches!(error, StoreError::Schema { .. }) && error.to_string().contains(word),
                "{error}"
            );
        }
    }
    assert_eq!(store.revision().unwrap(), 1);
}

pub(crate) fn upsert_replaces_by_key(store: &dyn Store) {
    write(store, &parcels(), Mode::Upsert, vec![parcel("a", 1, 1.0), parcel("b", 2, 2.0)]);
    let features = vec![parcel("b", 2, 3.0), parcel("c", 3, 3.0), parcel("a", 1, 1.0)];
    let (revision, puts) = write(store, &parcels(), Mode::Upsert, features);
    assert_eq!(puts, [Put::Changed(2), Put::Added(3), Put::Changed(1)]);
    assert_eq!(counts(&revision), [1, 1, 0, 0], "a is as it was");
    assert_eq!(areas(store), [named("a", 1, 1.0), named("b", 2, 3.0), named("c", 3, 3.0)]);
    // In a transaction that wrote the layer before, what it wrote is seen.
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Append).unwrap();
    change.put(parcel("d", 4, 4.0)).unwrap();
    change.layer(&parcels(), Mode::Upsert).unwrap();
    assert_eq!(change.put(parcel("d", 4, 5.0)).unwrap(), Put::Changed(4));
    change.commit().unwrap();
    assert_eq!(areas(store)[3], named("d", 4, 5.0));
}

pub(crate) fn upsert_rejects_what_it_cannot_match(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0), parcel("a", 2, 1.0)]);
    let features = vec![parcel("a", 1, 9.0), parcel("", 1, 9.0), parcel("b", 1, 9.0), parcel("b", 2, 9.0)];
    let (revision, puts) = write(store, &parcels(), Mode::Upsert, features);
    let kinds: Vec<bool> = puts.iter().map(|put| matches!(put, Put::Rejected(_))).collect();
    assert_eq!(kinds, [true, true, false, true]);
    assert_eq!(counts(&revision), [1, 0, 0, 0], "the source's rejects are what `rejected` says, no more");
    let mut bare = parcels();
    bare.id = id("bare");
    bare.key = None;
    let error = store.begin(CommitMeta::default()).unwrap().layer(&bare, Mode::Upsert).unwrap_err();
    assert!(error.to_string().contains("no key"), "{error}");
}

pub(crate) fn upsert_moves_a_feature_in_the_index(store: &dyn Store) {
    let all = || (0..3000).map(|at| parcel(&at.to_string(), at, 1.0));
    write(store, &parcels(), Mode::Replace, all().collect());
    super::nothing_is_wrong(store);
    let mut gone = parcel("7", 0, 1.0);
    gone.geometry = None;
    let mut empty = parcel("8", 0, 1.0);
    empty.geometry = Some(geo_types::MultiPolygon(vec![]).into());
    write(store, &parcels(), Mode::Upsert, vec![parcel("5", 9999, 1.0), gone, empty.clone()]);
    super::nothing_is_wrong(store);
    let read = read(store, "parcels");
    assert_eq!((&read[5].geometry, &read[7].geometry), (&Some(square(9999)), &None));
    assert_eq!(read[8].geometry, empty.geometry, "empty is not null");
    // All of them at once.
    let moved = (0..3000).map(|at| parcel(&at.to_string(), at + 3, 1.0)).collect();
    assert_eq!(counts(&write(store, &parcels(), Mode::Upsert, moved).0), [0, 3000, 0, 0]);
}

pub(crate) fn one_writer_at_a_time(store: &dyn Store) {
    let first = store.begin(CommitMeta::default()).unwrap();
    assert!(matches!(store.begin(CommitMeta::default()), Err(StoreError::Busy { .. })));
    assert_eq!(store.revision().unwrap(), 0, "readers do not wait");
    store.view().unwrap().layers().unwrap();
    drop(first);
    store.begin(CommitMeta::default()).unwrap();
}

pub(crate) fn a_view_stays_at_its_revision(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let view = store.view().unwrap();
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Replace).unwrap();
    put_all(change.as_mut(), (0..3000).map(|at| parcel(&at.to_string(), at, 2.0)).collect());
    assert_eq!(store.view().unwrap().layers().unwrap()[0].count, 1, "what is not committed is not seen");
    change.commit().unwrap();
    let mut seen = 0;
    view.read(&id("parcels"), &mut |feature| {
        assert_eq!(feature.values[1], Value::Real(1.0));
        seen += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!((view.revision(), seen, view.layers().unwrap()[0].count), (1, 1, 1));
    drop(view);
    assert_eq!(store.view().unwrap().layers().unwrap()[0].count, 3000);
}

pub(crate) fn several_layers_and_turns_make_one_revision(store: &dyn Store) {
    let wells = Layer::new(id("wells"), Title::same("Wells"), Role::Utility, GeometryKind::Point);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Replace).unwrap();
    change.put(parcel("a", 1, 1.0)).unwrap();
    change.rejected(2).unwrap();
    change.layer(&wells, Mode::Replace).unwrap();
    change.put(NewFeature { geometry: None, values: vec![] }).unwrap();
    change.layer(&parcels(), Mode::Append).unwrap();
    change.put(parcel("b", 2, 2.0)).unwrap();
    change.rejected(1).unwrap();
    let revision = change.commit().unwrap();
    let told: Vec<_> = revision
        .changes
        .iter()
        .map(|change| (change.layer.as_str(), change.mode, change.added, change.rejected))
        .collect();
    assert_eq!(
        told,
        [("parcels", Mode::Replace, 1, 2), ("wells", Mode::Replace, 1, 0), ("parcels", Mode::Append, 1, 1)]
    );
    assert_eq!(store.revision().unwrap(), 1);
    let layers = store.view().unwrap().layers().unwrap();
    let told: Vec<_> =
        layers.iter().map(|entry| (entry.layer.id.as_str(), entry.count, entry.revision)).collect();
    assert_eq!(told, [("parcels", 2, 1), ("wells", 1, 1)]);
    // Only the layer that a revision touches is of that revision.
    write(store, &wells, Mode::Append, vec![]);
    let layers = store.view().unwrap().layers().unwrap();
    assert_eq!([layers[0].revision, layers[1].revision], [1, 2]);
}

pub(crate) fn the_log_tells_newest_first(store: &dyn Store) {
    let mut made = Vec::new();
    for number in 0..5 {
        let meta = CommitMeta {
            author: "Phòng Địa chính".to_owned(),
            message: format!("import {number}"),
            source: (number % 2 == 0).then(|| "thửa.shp".to_owned()),
            source_sha256: (number % 2 == 0).then(|| "00ff".to_owned()),
        };
        let mut change = store.begin(meta).unwrap();
        if number > 0 {
            change.layer(&parcels(), Mode::Append).unwrap();
            change.put(parcel("a", number, 1.0)).unwrap();
        }
        made.insert(0, change.commit().unwrap());
    }
    assert_eq!(store.log(100).unwrap(), made);
    assert_eq!(store.log(2).unwrap(), made[..2]);
    assert!(store.log(0).unwrap().is_empty());
}

pub(crate) fn what_contradicts_itself_is_refused(store: &dyn Store) {
    let mut twice = parcels();
    twice.fields.push(Field::new("ma", FieldType::Text));
    let mut keyless = parcels();
    keyless.key = Some("so_thua".to_owned());
    for layer in [twice, keyless] {
        let error = store.begin(CommitMeta::default()).unwrap().layer(&layer, Mode::Replace).unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    }
}

pub(crate) fn the_sink_can_stop_the_reading(store: &dyn Store) {
    write(store, &parcels(), Mode::Replace, (0..10).map(|at| parcel("a", at, 1.0)).collect());
    let mut seen = 0;
    let stopped = store.view().unwrap().read(&id("parcels"), &mut |_| {
        seen += 1;
        if seen == 3 { Err(StoreError::Stopped("enough".to_owned())) } else { Ok(()) }
    });
    assert!(matches!(stopped, Err(StoreError::Stopped(reason)) if reason == "enough"));
    assert_eq!(seen, 3);
}

/// Readers beside a writer: each view is of one revision, whatever is committed meanwhile.
pub(crate) fn readers_beside_a_writer_see_whole_revisions(store: &dyn Store) {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    let (done, looked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let view = store.view().unwrap();
                    let revision = view.revision();
                    assert!(revision >= last && store.revision().unwrap() >= revision);
                    last = revision;
                    if revision == 0 {
                        continue;
                    }
                    let mut count = 0;
                    view.read(&id("parcels"), &mut |feature| {
                        assert_eq!(
                            feature.values[1].to_json(),
                            serde_json::json!(f64::from(u32::try_from(revision).unwrap()))
                        );
                        count += 1;
                        Ok(())
                    })
                    .unwrap();
                    assert_eq!(count, 100 + revision);
                    looked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for revision in 1..=30u32 {
            let features = (0..100 + revision).map(|at| parcel(&at.to_string(), at, f64::from(revision)));
            write(store, &parcels(), Mode::Replace, features.collect());
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(looked.load(Ordering::Relaxed) > 10, "the readers looked too seldom to prove anything");
}
