//! Random change sets on the store and on a plain model of it: both must tell the same.

use std::collections::BTreeMap;

use citymap_model::{Mode, NewFeature};
use citymap_store::{Put, Store};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::parts::{areas, counts, parcel, parcels, write};

type Rows = BTreeMap<i64, (String, u32, f64)>;

fn unique(rows: &Rows, key: &str) -> Option<i64> {
    let mut found = rows.iter().filter(|(_, row)| !key.is_empty() && row.0 == key).map(|(fid, _)| *fid);
    found.next().filter(|_| found.next().is_none())
}

/// What the trait says, word by word, as slowly as need be.
fn expect(
    rows: &mut Rows,
    next: &mut i64,
    mode: Mode,
    features: &[(String, u32, f64)],
) -> ([u64; 4], Vec<Option<i64>>) {
    let before = rows.clone();
    let mut counts = [0; 4];
    let mut fids = Vec::new();
    let mut seen = Vec::new();
    let mut like: Vec<i64> =
        before.iter().filter(|(_, row)| unique(&before, &row.0).is_none()).map(|(fid, _)| *fid).collect();
    if mode == Mode::Replace {
        rows.clear();
    }
    for row in features {
        let known = unique(&before, &row.0);
        let repeated = before.values().filter(|old| old.0 == row.0).count() > 1;
        let again = seen.contains(&row.0);
        seen.push(row.0.clone());
        let fid = match mode {
            Mode::Upsert if row.0.is_empty() || again || repeated => {
                fids.push(None);
                continue;
            }
            Mode::Replace | Mode::Upsert if known.is_some() && !again => known.unwrap(),
            _ => match like.iter().position(|fid| mode == Mode::Replace && before[fid] == *row) {
                Some(first) => like.remove(first),
                None => {
                    counts[0] += 1;
                    *next += 1;
                    *next
                }
            },
        };
        counts[1] += u64::from(before.get(&fid).is_some_and(|old| old != row));
        rows.insert(fid, row.clone());
        fids.push(Some(fid));
    }
    counts[2] = before.keys().filter(|fid| !rows.contains_key(fid)).count() as u64;
    (counts, fids)
}

/// A few hundred random change sets with keys that repeat and are missing.
pub(crate) fn random_operations_agree_with_a_model(store: &dyn Store) {
    let feature = ("[a-f]?", 0u32..50, prop_oneof![Just(1.0), Just(2.0)]);
    let mode = prop_oneof![1 => Just(Mode::Replace), 1 => Just(Mode::Append), 2 => Just(Mode::Upsert)];
    let changes = (mode, prop::collection::vec(feature, 0..8));
    let state = std::cell::RefCell::new((Rows::new(), 0));
    TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    })
    .run(&changes, |(mode, features)| {
        let (rows, next) = &mut *state.borrow_mut();
        let (expected, fids) = expect(rows, next, mode, &features);
        let given: Vec<NewFeature> = features.iter().map(|(key, at, area)| parcel(key, *at, *area)).collect();
        let (revision, puts) = write(store, &parcels(), mode, given);
        let got: Vec<Option<i64>> = puts
            .iter()
            .map(|put| match put {
                Put::Added(fid) | Put::Changed(fid) => Some(*fid),
                Put::Removed(_) | Put::Rejected(_) => None,
            })
            .collect();
        prop_assert_eq!(got, fids);
        prop_assert_eq!(counts(&revision), expected);
        let told: Vec<_> = rows.iter().map(|(fid, (key, _, area))| (key.clone(), *fid, *area)).collect();
        prop_assert_eq!(areas(store), told);
        Ok(())
    })
    .unwrap();
}
