//! What a writer was told, held against what the record holds.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use citymap_model::{CommitMeta, Mode, NewFeature, RevisionNumber, Value};
use citymap_store::{Edit, Severity, Store, StoreError};

use crate::parts::{id, parcel, parcels};

/// What the writer was told of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    /// It is this revision.
    Done(RevisionNumber),
    /// The attempt changed nothing.
    Nothing,
    /// It is not known whether it was.
    Uncertain,
}

/// The attempts of a writer, by number from 1.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) told: Vec<Told>,
}

/// What attempt `number` writes: its number stands in each feature.
fn content(number: usize) -> Vec<NewFeature> {
    let count = 150 + u32::try_from(number % 7).unwrap() * 10;
    (0..count).map(|at| parcel(&format!("k{at}"), at, number as f64)).collect()
}

/// One change set: by turns a replacement and an edit of each feature.
fn write(store: &dyn Store, number: usize) -> Result<RevisionNumber, StoreError> {
    let meta = CommitMeta { message: format!("attempt {number}"), ..CommitMeta::default() };
    let mut change = store.begin(meta)?;
    let there = change.definition(&id("parcels"))?.is_some();
    if there && number.is_multiple_of(2) {
        let mut fids = Vec::new();
        let view = store.view()?;
        view.read(&id("parcels"), &mut |feature| {
            fids.push((feature.fid, feature.values[0].clone()));
            Ok(())
        })?;
        change.layer(&parcels(), Mode::Edit)?;
        for (at, (fid, key)) in (0..).zip(fids) {
            let mut feature = parcel("", at, number as f64);
            feature.values[0] = key;
            change.edit(Edit::Update(fid, feature))?;
        }
    } else {
        change.layer(&parcels(), Mode::Replace)?;
        for feature in content(number) {
            change.put(feature)?;
        }
    }
    change.commit().map(|revision| revision.number)
}

impl Ledger {
    /// Makes one attempt to write.
    pub(crate) fn attempt(&mut self, store: &dyn Store) -> Result<RevisionNumber, StoreError> {
        let done = write(store, self.told.len() + 1);
        self.told.push(match &done {
            Ok(number) => Told::Done(*number),
            Err(StoreError::Uncertain { .. }) => Told::Uncertain,
            Err(StoreError::Away { .. } | StoreError::Busy { .. }) => Told::Nothing,
            Err(StoreError::Database { reason, .. }) if reason.contains("disk is full") => Told::Nothing,
            Err(error) => panic!("attempt {}: {error:?}", self.told.len() + 1),
        });
        done
    }

    /// Writes until `stop`, counting what was acknowledged.
    pub(crate) fn keep_writing(&mut self, store: &dyn Store, stop: &AtomicBool, done: &AtomicU64) {
        while !stop.load(Ordering::Relaxed) {
            match self.attempt(store) {
                Ok(_) => {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// What was acknowledged is there, the rest wholly or not at all, and the doctor finds nothing.
    pub(crate) fn judge(&self, store: &dyn Store, allowed: &[&str]) {
        let newest = store.revision().unwrap();
        let log = store.log_after(0, usize::MAX).unwrap();
        let numbers: Vec<u64> = log.iter().map(|revision| revision.number).collect();
        assert_eq!(numbers, (1..=newest).collect::<Vec<_>>(), "no gap");
        let attempt = |message: &str| message.strip_prefix("attempt ").unwrap().parse::<usize>().unwrap();
        let mut there = vec![None; self.told.len() + 1];
        for revision in &log {
            let number = attempt(&revision.meta.message);
            assert_eq!(there[number].replace(revision.number), None, "attempt {number} is there twice");
        }
        for (number, told) in (1..).zip(&self.told) {
            match told {
                Told::Done(revision) => assert_eq!(there[number], Some(*revision), "attempt {number}"),
                Told::Nothing => assert_eq!(there[number], None, "attempt {number} was said to be nothing"),
                Told::Uncertain => {}
            }
        }
        for revision in log.iter().rev().take(3) {
            let number = attempt(&revision.meta.message) as f64;
            let view = store.view_at(revision.number).unwrap();
            let mut count = 0;
            view.read(&id("parcels"), &mut |feature| {
                assert_eq!(feature.values[1], Value::Real(number), "revision {}", revision.number);
                count += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(view.layers().unwrap()[0].count, count);
            assert!(count >= 150);
        }
        for finding in store.check().unwrap() {
            let fine = finding.severity == Severity::Good
                || finding.severity == Severity::Warning
                    && allowed.iter().any(|words| finding.message.contains(words));
            assert!(fine, "{finding:?}");
        }
    }

    /// A line that says what happened.
    pub(crate) fn summary(&self) -> String {
        let count = |of: fn(&Told) -> bool| self.told.iter().filter(|told| of(told)).count();
        format!(
            "{} attempts: {} acknowledged, {} nothing, {} uncertain",
            self.told.len(),
            count(|told| matches!(told, Told::Done(_))),
            count(|told| *told == Told::Nothing),
            count(|told| *told == Told::Uncertain),
        )
    }
}

/// Numbers that look random and are the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
