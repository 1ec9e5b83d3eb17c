//! Random change sets of every kind, on the store and on a plain model of it; then the whole past is looked
//! at.

use std::collections::BTreeMap;

use citymap_model::{CommitMeta, Feature, Field, FieldType, Layer, Mode, NewFeature, Title, Value};
use citymap_store::{Edit, Put, Store, Transaction};

use super::{
    parts::{parcel, parcels},
    seen::{Seen, see_newest, the_past_is_as_it_was},
};

/// Numbers that look random and repeat with their seed (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// Key, place and area; the area tells many features apart, so that few changes are none.
type Row = (String, u32, f64);
type Rows = BTreeMap<i64, Row>;

/// A layer as the trait's words make it.
#[derive(Clone, Default)]
struct Model {
    /// The layer's definition, if it is there.
    layer: Option<Layer>,
    rows: Rows,
    last: i64,
}

/// One of the definitions that the layer has in its life: two lists of fields, two titles.
fn definition(noted: bool, titled: bool) -> Layer {
    let mut layer = parcels();
    if noted {
        layer.fields.push(Field::new("ghi_chu", FieldType::Text));
    }
    if titled {
        layer.title = Title::same("Retitled");
    }
    layer
}

fn feature(row: &Row, layer: &Layer) -> NewFeature {
    let mut feature = parcel(&row.0, row.1, row.2);
    feature.values.resize(layer.fields.len(), Value::Null);
    feature
}

fn row(dice: &mut Dice) -> Row {
    let key = ["", "a", "b", "c", "d", "e", "f", "g"][usize::try_from(dice.below(8)).unwrap()];
    (
        key.to_owned(),
        u32::try_from(dice.below(50)).unwrap(),
        [1.0, 2.0][usize::try_from(dice.below(2)).unwrap()],
    )
}

fn rows(dice: &mut Dice, most: u64) -> Vec<Row> {
    (0..dice.below(most + 1)).map(|_| row(dice)).collect()
}

impl Model {
    fn unique(&self, key: &str) -> Option<i64> {
        let mut found =
            self.rows.iter().filter(|(_, row)| !key.is_empty() && row.0 == key).map(|(fid, _)| *fid);
        found.next().filter(|_| found.next().is_none())
    }

    fn give(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    fn counts(before: &Self, after: &Self) -> [u64; 4] {
        let other_fields = before.layer.as_ref().map(|layer| layer.fields.len())
            != after.layer.as_ref().map(|layer| layer.fields.len());
        let added = after.rows.keys().filter(|fid| !before.rows.contains_key(fid)).count();
        let removed = before.rows.keys().filter(|fid| !after.rows.contains_key(fid)).count();
        let changed = after
            .rows
            .iter()
            .filter(|(fid, row)| before.rows.get(fid).is_some_and(|old| other_fields || old != *row))
            .count();
        [added as u64, changed as u64, removed as u64, 0]
    }

    /// One turn to the layer, in the model and in the transaction.
    fn turn(&mut self, dice: &mut Dice, past: &[Self], change: &mut dyn Transaction) -> (Mode, [u64; 4]) {
        let before = self.clone();
        let there = self.layer.is_some();
        let mode = match dice.below(20) {
            0..=2 => Mode::Replace,
            3..=5 => Mode::Append,
            6..=9 => Mode::Upsert,
            10..=15 if there => Mode::Edit,
            16 if there => Mode::Drop,
            10..=15 => Mode::Append,
            _ => Mode::Restore,
        };
        match mode {
            Mode::Replace | Mode::Append | Mode::Upsert => self.put(dice, mode, change),
            Mode::Edit => self.edit(dice, change),
            Mode::Restore => self.restore(dice, past, change),
            Mode::Drop => {
                change.layer(self.layer.as_ref().unwrap(), mode).unwrap();
                self.layer = None;
                self.rows.clear();
            }
        }
        (mode, Self::counts(&before, self))
    }

    fn put(&mut self, dice: &mut Dice, mode: Mode, change: &mut dyn Transaction) {
        let before = self.clone();
        let anew = mode == Mode::Replace || self.layer.is_none();
        let layer = if anew {
            definition(dice.below(4) == 0, dice.below(4) == 0)
        } else {
            self.layer.clone().unwrap()
        };
        change.layer(&layer, mode).unwrap();
        // Features that no key tells apart are known by their content, where the fields are the same.
        let same_fields =
            before.layer.as_ref().is_some_and(|former| former.fields.len() == layer.fields.len());
        let mut like: Vec<i64> = before
            .rows
            .iter()
            .filter(|(_, row)| mode == Mode::Replace && same_fields && before.unique(&row.0).is_none())
            .map(|(fid, _)| *fid)
            .collect();
        if mode == Mode::Replace {
            self.rows.clear();
        }
        let mut seen: Vec<String> = Vec::new();
        for row in rows(dice, 8) {
            let known = before.unique(&row.0);
            let repeated = before.rows.values().filter(|old| old.0 == row.0).count() > 1;
            let again = seen.contains(&row.0);
            seen.push(row.0.clone());
            let put = change.put(feature(&row, &layer)).unwrap();
            let (fid, expected) = match mode {
                Mode::Upsert if row.0.is_empty() || again || repeated => {
                    assert!(matches!(put, Put::Rejected(_)), "{put:?}");
                    continue;
                }
                Mode::Replace | Mode::Upsert if known.is_some() && !again => {
                    (known.unwrap(), Put::Changed(known.unwrap()))
                }
                _ => match like.iter().position(|fid| before.rows[fid] == row) {
                    Some(first) => {
                        let fid = like.remove(first);
                        (fid, Put::Changed(fid))
                    }
                    None => {
                        let fid = self.give();
                        (fid, Put::Added(fid))
                    }
                },
            };
            assert_eq!(put, expected);
            self.rows.insert(fid, row);
        }
        self.layer = Some(layer);
    }

    fn edit(&mut self, dice: &mut Dice, change: &mut dyn Transaction) {
        let noted = self.layer.as_ref().unwrap().fields.len() == 3;
        let layer = definition(noted, dice.below(4) == 0);
        change.layer(&layer, Mode::Edit).unwrap();
        let spread = u64::try_from(self.last + 3).unwrap();
        for _ in 0..dice.below(8) {
            let fid = i64::try_from(dice.below(spread)).unwrap();
            let row = row(dice);
            let there = self.rows.contains_key(&fid);
            let new = feature(&row, &layer);
            let (edit, expected) = match dice.below(8) {
                0..=1 => {
                    let fid = self.give();
                    self.rows.insert(fid, row);
                    (Edit::Insert(None, new), Some(Put::Added(fid)))
                }
                2 => {
                    let taken = there || fid == 0;
                    if !taken {
                        self.rows.insert(fid, row);
                        self.last = self.last.max(fid);
                    }
                    (Edit::Insert(Some(fid), new), (!taken).then_some(Put::Added(fid)))
                }
                3..=5 => {
                    if there {
                        self.rows.insert(fid, row);
                    }
                    (Edit::Update(fid, new), there.then_some(Put::Changed(fid)))
                }
                _ => {
                    self.rows.remove(&fid);
                    (Edit::Delete(fid), there.then_some(Put::Removed(fid)))
                }
            };
            let put = change.edit(edit.clone()).unwrap();
            match expected {
                Some(expected) => assert_eq!(put, expected, "{edit:?}"),
                None => assert!(matches!(put, Put::Rejected(_)), "{edit:?}: {put:?}"),
            }
            let id = &layer.id;
            let seen = change.feature(id, fid).unwrap().map(|feature| feature.values);
            assert_eq!(seen, self.rows.get(&fid).map(|row| feature(row, &layer).values), "{edit:?}");
        }
        self.layer = Some(layer);
    }

    /// Puts the features of some former revision with their numbers, some of them not, some otherwise.
    fn restore(&mut self, dice: &mut Dice, past: &[Self], change: &mut dyn Transaction) {
        let then = &past[usize::try_from(dice.below(past.len() as u64)).unwrap()];
        let layer = then.layer.clone().unwrap_or_else(|| definition(false, false));
        change.layer(&layer, Mode::Restore).unwrap();
        let before = std::mem::take(&mut self.rows);
        for (fid, old) in &then.rows {
            let row = match dice.below(10) {
                0 => continue,
                1 => row(dice),
                _ => old.clone(),
            };
            let put = change.put_at(*fid, feature(&row, &layer)).unwrap();
            let expected = if before.contains_key(fid) { Put::Changed(*fid) } else { Put::Added(*fid) };
            assert_eq!(put, expected);
            self.rows.insert(*fid, row);
        }
        self.last = self.last.max(self.rows.keys().next_back().copied().unwrap_or(0));
        self.layer = Some(layer);
    }

    fn holds(&self, seen: &Seen) {
        assert_eq!(seen.entry("parcels").map(|entry| &entry.layer), self.layer.as_ref());
        let Some(layer) = &self.layer else { return };
        let expected: Vec<Feature> = self
            .rows
            .iter()
            .map(|(fid, row)| {
                let NewFeature { geometry, values } = feature(row, layer);
                Feature { fid: *fid, geometry, values }
            })
            .collect();
        assert_eq!(seen.features["parcels"], expected);
    }
}

/// `revisions` random revisions of one layer; what each showed when it was the newest. The same seed gives
/// the same in every store.
pub(crate) fn random_life(store: &dyn Store, seed: u64, revisions: u64) -> Vec<Seen> {
    let mut dice = Dice::new(seed);
    let mut seen = vec![see_newest(store)];
    let (mut model, mut past) = (Model::default(), vec![Model::default()]);
    for number in 1..=revisions {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        let (mut next, mut told) = (model.clone(), Vec::new());
        for _ in 0..=dice.below(3) {
            told.push(next.turn(&mut dice, &past, change.as_mut()));
        }
        if dice.below(8) == 0 {
            // What is given up was never there: its numbers are given again.
            drop(change);
            change = store.begin(CommitMeta::default()).unwrap();
            next = model;
            told = vec![next.turn(&mut dice, &past, change.as_mut())];
        }
        let revision = change.commit().unwrap();
        let changes = revision.changes.iter();
        let got: Vec<_> =
            changes.map(|one| (one.mode, [one.added, one.changed, one.removed, one.rejected])).collect();
        assert_eq!((revision.number, got), (number, told), "seed {seed}");
        model = next;
        past.push(model.clone());
        seen.push(see_newest(store));
        model.holds(seen.last().unwrap());
    }
    seen
}

/// The seed can be given as `CITYMAP_TEST_SEED`.
#[allow(clippy::print_stdout, reason = "the seed repeats a failure")]
pub(crate) fn a_random_life_is_remembered(store: &dyn Store) {
    let seed = std::env::var("CITYMAP_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let seen = random_life(store, seed, 120);
    the_past_is_as_it_was(store, &seen);
}
