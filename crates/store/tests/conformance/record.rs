//! The log, the clock, documents, and waiting.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use citymap_model::{CommitMeta, LayerChange, Mode, Revision};
use citymap_store::{Document, Edit, Store, StoreError};

use super::{
    editing::edit,
    parts::{areas, id, parcel, parcels, write},
    seen::see_newest,
};

pub(crate) fn the_log_is_read_forwards_too(store: &dyn Store) {
    assert!(store.log_after(0, 10).unwrap().is_empty());
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(write(store, &parcels(), Mode::Append, vec![parcel("a", number, 1.0)]).0);
    }
    assert_eq!(store.log_after(0, 100).unwrap(), made);
    assert_eq!(store.log_after(2, 3).unwrap(), made[2..5]);
    assert_eq!(store.log_after(6, 100).unwrap(), made[6..]);
    assert!(store.log_after(7, 100).unwrap().is_empty());
    assert!(store.log_after(u64::MAX, 100).unwrap().is_empty());
    assert!(store.log_after(0, 0).unwrap().is_empty());
    assert_eq!(store.log_after(0, usize::MAX).unwrap().len(), 7);
}

pub(crate) fn a_time_has_a_revision(store: &dyn Store) {
    assert_eq!(store.revision_at(Utc::now()).unwrap(), 0);
    let mut times: Vec<DateTime<Utc>> = Vec::new();
    for number in 0..6 {
        let (revision, _) = write(store, &parcels(), Mode::Append, vec![parcel("a", number, 1.0)]);
        let old = Utc::now() - revision.time;
        assert!(old < TimeDelta::seconds(10) && old > TimeDelta::seconds(-1), "{old}");
        times.push(revision.time);
        if number % 2 == 0 {
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    assert!(times.is_sorted());
    // The newest of those that were committed by then.
    let expected = |at: DateTime<Utc>| times.iter().filter(|time| **time <= at).count() as u64;
    let millisecond = TimeDelta::milliseconds(1);
    for time in &times {
        for at in [*time - millisecond, *time, *time + TimeDelta::microseconds(400), *time + millisecond] {
            assert_eq!(store.revision_at(at).unwrap(), expected(at), "{at}");
        }
    }
    assert_eq!(store.revision_at(DateTime::UNIX_EPOCH).unwrap(), 0);
    assert_eq!(store.revision_at(Utc::now() + TimeDelta::days(400)).unwrap(), 6);
}

/// A revision as another store has it, long ago.
fn foreign(
    number: u64,
    time: DateTime<Utc>,
    mode: Mode,
    [added, changed, removed, rejected]: [u64; 4],
) -> Revision {
    let meta = CommitMeta {
        author: "Người khác".to_owned(),
        message: format!("revision {number} elsewhere"),
        source: Some("thửa.shp".to_owned()),
        source_sha256: Some("00ff".to_owned()),
    };
    let change = LayerChange { layer: parcels().id, mode, added, changed, removed, rejected };
    Revision { number, time, meta, changes: vec![change] }
}

pub(crate) fn another_stores_revisions_are_repeated_exactly(store: &dyn Store) {
    let start: DateTime<Utc> = "2019-05-01T08:30:00.125Z".parse().unwrap();
    let restore = |fids: &[i64]| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), Mode::Restore).unwrap();
        for fid in fids {
            change.put_at(*fid, parcel(&fid.to_string(), 1, 1.0)).unwrap();
        }
        change
    };
    let first = foreign(1, start, Mode::Append, [3, 0, 0, 7]);
    restore(&[1, 4, 9]).commit_as(&first).unwrap();
    assert_eq!((store.revision().unwrap(), store.log(10).unwrap()), (1, vec![first.clone()]));
    // The very same time is not before.
    let mut second = foreign(2, start, Mode::Upsert, [0, 0, 1, 0]);
    second.changes.push(LayerChange { layer: id("passing"), mode: Mode::Drop, ..second.changes[0].clone() });
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    change.edit(Edit::Delete(4)).unwrap();
    change.commit_as(&second).unwrap();
    assert_eq!(store.log_after(0, 10).unwrap(), [first, second]);
    let fids: Vec<i64> = areas(store).iter().map(|(_, fid, _)| *fid).collect();
    assert_eq!(fids, [1, 9]);
    // Nothing happened to the layer in the end, and yet it is of this revision.
    let third = foreign(3, start + TimeDelta::days(1), Mode::Append, [0; 4]);
    store.begin(CommitMeta::default()).unwrap().commit_as(&third).unwrap();
    let layers = store.view().unwrap().layers().unwrap();
    assert_eq!((layers.len(), layers[0].revision, layers[0].count), (1, 3, 2));
    for (at, revision, count) in [(1, 1, 3), (2, 2, 2), (3, 3, 2)] {
        let entry = store.view_at(at).unwrap().layers().unwrap().remove(0);
        assert_eq!((entry.revision, entry.count), (revision, count));
    }
    assert_eq!(store.revision_at(start).unwrap(), 2);
    // Neither a number that is not the next one.
    for number in [3, 5] {
        let before = see_newest(store);
        let wrong = foreign(number, start + TimeDelta::days(2), Mode::Append, [0; 4]);
        assert!(restore(&[1]).commit_as(&wrong).is_err());
        assert_eq!(see_newest(store), before);
    }
    let fourth = edit(store, vec![Edit::Insert(None, parcel("n", 1, 1.0))]).0;
    assert_eq!((fourth.number, areas(store)[2].1), (4, 10));
}

pub(crate) fn documents_are_compared_and_swapped(store: &dyn Store) {
    let document = |version, body: &str| Some(Document { version, body: body.to_owned() });
    assert_eq!(store.document("webhooks").unwrap(), None);
    assert!(!store.put_document("webhooks", 1, Some("x")).unwrap(), "there is none");
    assert_eq!(store.document("webhooks").unwrap(), None);
    assert!(store.put_document("webhooks", 0, Some("{\"a\": \"đ\"}")).unwrap());
    assert_eq!(store.document("webhooks").unwrap(), document(1, "{\"a\": \"đ\"}"));
    assert!(!store.put_document("webhooks", 0, Some("x")).unwrap(), "there is one");
    assert!(!store.put_document("webhooks", 2, Some("x")).unwrap());
    assert!(store.put_document("webhooks", 1, Some("")).unwrap());
    assert_eq!(store.document("webhooks").unwrap(), document(2, ""));
    assert!(store.put_document("other \"'; name", 0, Some("y")).unwrap());
    assert_eq!(store.document_names().unwrap(), ["other \"'; name", "webhooks"]);
    assert!(!store.put_document("webhooks", 1, None).unwrap());
    assert!(store.put_document("webhooks", 2, None).unwrap());
    assert_eq!(store.document("webhooks").unwrap(), None);
    assert!(!store.put_document("webhooks", 2, Some("z")).unwrap(), "it is gone");
    assert!(store.put_document("webhooks", 0, Some("z")).unwrap());
    assert_eq!(store.document("webhooks").unwrap().unwrap().body, "z");
    assert_eq!(store.document("other \"'; name").unwrap(), document(1, "y"));
    assert_eq!(store.revision().unwrap(), 0, "documents are in no revision");
    // Of many who swap at once, each round has one winner: nothing is lost.
    assert!(store.put_document("count", 0, Some("0")).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    loop {
                        let Document { version, body } = store.document("count").unwrap().unwrap();
                        let next = (body.parse::<u64>().unwrap() + 1).to_string();
                        match store.put_document("count", version, Some(&next)) {
                            Ok(true) => break,
                            Ok(false) | Err(StoreError::Busy { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(store.document("count").unwrap(), document(21, "20"));
}

pub(crate) fn waiting_ends_with_a_commit_or_the_time(store: &dyn Store) {
    let start = Instant::now();
    assert_eq!(store.wait(0, Duration::from_millis(80)).unwrap(), 0);
    assert!((80..2_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    write(store, &parcels(), Mode::Append, vec![]);
    let start = Instant::now();
    assert_eq!(store.wait(0, Duration::from_secs(20)).unwrap(), 1, "it is above already");
    assert_eq!(store.wait(7, Duration::ZERO).unwrap(), 1);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let newest = store.wait(1, Duration::from_secs(20)).unwrap();
                    (newest, Instant::now())
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150));
        // What is not committed wakes nobody.
        drop(store.begin(CommitMeta::default()).unwrap());
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
        write(store, &parcels(), Mode::Append, vec![parcel("a", 1, 1.0)]);
        let committed = Instant::now();
        for waiter in waiters {
            let (newest, woke) = waiter.join().unwrap();
            let late = woke.saturating_duration_since(committed);
            assert_eq!(newest, 2);
            assert!(late < Duration::from_millis(500), "woken {late:?} after the commit");
        }
    });
}
