//! Which features have which key at a former revision, so that the change feed names each feature as it was
//! called then, and tells whose id moved because of another feature's change.
//!
//! Of the features with one key, the one with the lowest number is called by the key alone
//! ([`FeatureId`]). When it goes, the next one takes the name over; when a feature with a lower number gets
//! the key, its holder loses the name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use citymap_access::{Audience, lasting_key};
use citymap_engine::LayerSnapshot;
use citymap_model::{Feature, FeatureId, Fid, Layer, RevisionNumber, Value};
use citymap_store::{Change, ReadView, StoreError, Touched};

/// Maximum number of changed features that are read to find the keys of a former revision.
const CHANGES_MAX: u64 = 50_000;

/// The keys of one layer at a revision: those of a newer snapshot, and how they differ.
pub(crate) struct KeyHolders<'a> {
    snapshot: &'a LayerSnapshot,
    /// The position of the key field, in the definition of the snapshot and in the former one.
    field: usize,
    /// The keys of the features that differ; `None` for one that does not exist.
    keys: HashMap<Fid, Option<Value>>,
    /// The features that differ, by key as text.
    by_key: HashMap<String, BTreeSet<Fid>>,
}

/// How the ids of a layer's features changed at one revision.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct IdChanges {
    /// The ids before and after of the features that changed.
    pub(crate) changed: BTreeMap<Fid, [Option<FeatureId>; 2]>,
    /// The ids before and after of features that are called otherwise, although they did not change.
    pub(crate) moved: BTreeMap<Fid, [FeatureId; 2]>,
}

/// Whether the ids of a former revision can be known.
pub(crate) enum Known<'a> {
    Exactly(KeyHolders<'a>),
    /// The layer has no public key, or it was read as a whole or defined otherwise since, which a later event
    /// says.
    Otherwise,
    /// More has changed since than is read.
    TooMuch,
}

impl<'a> KeyHolders<'a> {
    /// The keys that `snapshot` has, if its features are named by the key that they had in the former
    /// definition `then`.
    pub(crate) fn of(then: &Layer, snapshot: &'a LayerSnapshot) -> Option<Self> {
        let now = snapshot.layer();
        let field = lasting_key(then, Some(now), &Audience::Public)?;
        let same = now.key == then.key && now.key_index() == Some(field);
        same.then(|| Self { snapshot, field, keys: HashMap::new(), by_key: HashMap::new() })
    }

    /// The keys at `revision`, by undoing what has changed since. `newest` is a view of the revision that the
    /// snapshot shows.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) fn at(
        mut self,
        revision: RevisionNumber,
        newest: &dyn ReadView,
    ) -> Result<Known<'a>, StoreError> {
        let layer = &self.snapshot.layer().id;
        match newest.touched(layer, revision) {
            Ok(Touched::Features(0)) => {}
            Ok(Touched::Features(count)) if count <= CHANGES_MAX => {
                newest.changes(layer, revision, &mut |change| {
                    self.set(change.fid, change.before.as_ref());
                    Ok(())
                })?;
            }
            Ok(Touched::Features(_)) => return Ok(Known::TooMuch),
            Ok(Touched::Whole) | Err(StoreError::NoHistory { .. } | StoreError::NoLayer(_)) => {
                return Ok(Known::Otherwise);
            }
            Err(error) => return Err(error),
        }
        Ok(Known::Exactly(self))
    }

    fn key_of(&self, feature: &Feature) -> Value {
        feature.values.get(self.field).cloned().unwrap_or(Value::Null)
    }

    /// Notes that a feature is as given, or does not exist.
    pub(crate) fn set(&mut self, fid: Fid, feature: Option<&Feature>) {
        let key = feature.map(|feature| self.key_of(feature));
        let now = key.as_ref().and_then(Value::to_key);
        let before = self.keys.insert(fid, key).flatten();
        if let Some(fids) = before.and_then(|key| key.to_key()).and_then(|key| self.by_key.get_mut(&key)) {
            fids.remove(&fid);
        }
        if let Some(now) = now {
            self.by_key.entry(now).or_default().insert(fid);
        }
    }

    /// The feature that is called by this key alone.
    fn holder(&self, key: &Value) -> Option<Fid> {
        let text = key.to_key()?;
        let rows = self.snapshot.rows_of_key(key);
        let unchanged =
            rows.into_iter().map(|row| self.snapshot.fid(row)).find(|fid| !self.keys.contains_key(fid));
        let changed = self.by_key.get(&text).and_then(|fids| fids.first().copied());
        unchanged.into_iter().chain(changed).min()
    }

    fn id(&self, key: &Value, fid: Fid) -> FeatureId {
        FeatureId::of_key(key.to_key(), fid, self.holder(key).is_some_and(|holder| holder != fid))
    }

    /// Goes on by the changes of one revision.
    pub(crate) fn step(&mut self, changes: &[Change]) -> IdChanges {
        let mut ids = IdChanges::default();
        let mut keys: BTreeMap<String, Value> = BTreeMap::new();
        for change in changes {
            for feature in [&change.before, &change.after].into_iter().flatten() {
                let key = self.key_of(feature);
                if let Some(text) = key.to_key() {
                    keys.insert(text, key);
                }
            }
            let before = change.before.as_ref().map(|feature| self.id(&self.key_of(feature), change.fid));
            ids.changed.insert(change.fid, [before, None]);
        }
        let before: Vec<Option<Fid>> = keys.values().map(|key| self.holder(key)).collect();
        for change in changes {
            self.set(change.fid, change.after.as_ref());
        }
        for change in changes {
            let after = change.after.as_ref().map(|feature| self.id(&self.key_of(feature), change.fid));
            if let Some(own) = ids.changed.get_mut(&change.fid) {
                own[1] = after;
            }
        }
        for ((text, key), before) in keys.iter().zip(before) {
            let after = self.holder(key);
            if before == after || !FeatureId::stands_alone(text) {
                continue;
            }
            let name = |fid: Fid, holder: Option<Fid>| {
                FeatureId::of_key(Some(text.clone()), fid, holder != Some(fid))
            };
            let unchanged =
                [before, after].into_iter().flatten().filter(|fid| !ids.changed.contains_key(fid));
            let moved: Vec<Fid> = unchanged.collect();
            ids.moved.extend(moved.into_iter().map(|fid| (fid, [name(fid, before), name(fid, after)])));
        }
        ids
    }

    /// Whether the feature is not as in the newest snapshot.
    pub(crate) fn differs(&self, fid: Fid) -> bool {
        self.keys.contains_key(&fid)
    }
}
