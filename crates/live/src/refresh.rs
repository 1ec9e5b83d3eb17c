//! Taking over what the store has committed since the last refresh.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_engine::{City, LayerSnapshot};
use citymap_model::{CityProfile, Fid, LayerId, Revision, RevisionNumber};
use citymap_store::{LayerEntry, ReadView, Store, city_profile};

use crate::{
    ChangeTracker, CitySnapshot, Live, LiveError, merge,
    read::{is_small_change, read_changes, read_layers},
    running_merge::LayerStep,
    shared::WriterState,
};

/// How long a store may have fewer revisions than the city in memory (a standby that lags) before that is an
/// error.
const LAG: Duration = Duration::from_secs(5);

impl Live {
    /// Takes over what the store has committed since the last refresh, and returns the layers that changed.
    /// Cheap if there is nothing new; an edit costs what was edited. After a failure the city is as it was.
    ///
    /// # Errors
    /// [`LiveError::Behind`] if the store has had fewer revisions than the city in memory for some seconds;
    /// the store's failure.
    pub fn refresh(&self) -> Result<Vec<LayerId>, LiveError> {
        let mut state = self.shared.lock_writer();
        let result = self.take_over(&mut state);
        self.shared.note_failure(result.as_ref().err().map(ToString::to_string));
        result
    }

    fn take_over(&self, state: &mut WriterState) -> Result<Vec<LayerId>, LiveError> {
        let old = self.snapshot();
        let (shown, found) = (old.revision(), self.store.revision()?);
        if found == shown && state.behind.is_none() {
            return Ok(Vec::new());
        }
        if found < shown {
            let since = *state.behind.get_or_insert_with(Instant::now);
            return if since.elapsed() < LAG {
                Ok(Vec::new())
            } else {
                Err(LiveError::Behind { shown, found })
            };
        }
        let same_record = self.head(shown)? == state.head;
        if same_record && found == shown {
            state.behind = None;
            return Ok(Vec::new());
        }
        let old = if same_record { old } else { self.start_over(state, &old) };
        let touched = self.advance(state, &old)?;
        state.behind = None;
        merge::start_if_due(&self.shared, state);
        Ok(touched)
    }

    /// The log's entry of a revision.
    pub(crate) fn head(&self, revision: RevisionNumber) -> Result<Option<Revision>, LiveError> {
        let Some(before) = revision.checked_sub(1) else { return Ok(None) };
        Ok(self.store.log_after(before, 1)?.into_iter().next())
    }

    /// The city profile in the record. One that cannot be read leaves the former one in place: it is no
    /// reason to show nothing.
    fn profile(&self, old: &City) -> Arc<CityProfile> {
        match city_profile(self.store()) {
            Ok(profile) if profile == *old.profile => Arc::clone(&old.profile),
            Ok(profile) => Arc::new(profile),
            Err(error) => {
                tracing::warn!(%error, "the city profile stays as it was");
                Arc::clone(&old.profile)
            }
        }
    }

    /// Forgets the city, because the store is not the one that it was read from.
    fn start_over(&self, state: &mut WriterState, old: &CitySnapshot) -> CitySnapshot {
        tracing::warn!(
            revision = old.revision(),
            "the store holds another history than before; the whole city is read again"
        );
        if let Some(merge) = &mut state.merge {
            merge.abandon();
        }
        self.former.clear();
        self.recent.clear();
        CitySnapshot { epoch: old.epoch + 1, city: Arc::default(), changes: Arc::default(), ..old.clone() }
    }

    /// Brings the snapshot to the store's newest revision. Returns the layers that changed.
    fn advance(&self, state: &mut WriterState, old: &CitySnapshot) -> Result<Vec<LayerId>, LiveError> {
        let start = Instant::now();
        let view = self.store.view()?;
        let mut next = NextCity::after(old);
        for entry in view.layers()? {
            next.add(self, view.as_ref(), entry)?;
        }
        let read_whole = !next.unread.is_empty();
        next.read_unread(self.store(), view.as_ref())?;
        next.drop_removed();

        let NextCity { layers, changed, tracker, stamps, steps, replaced, .. } = next;
        let profile = self.profile(&old.city);
        let city = Arc::new(City { revision: view.revision(), layers, profile });
        drop(view);
        state.head = self.head(city.revision)?;
        state.stamps.extend(stamps);
        if let Some(merge) = &mut state.merge {
            merge.follow(steps, &replaced);
        }
        let city_snapshot = CitySnapshot { city, changes: Arc::new(tracker), ..old.clone() };
        if read_whole {
            // Indexing a large layer takes seconds. The map does not wait for its names.
            self.shared.show(city_snapshot.clone());
            if let Some(writer) = &self.shared.snapshot_writer {
                writer.wake();
            }
        }
        let city_snapshot = city_snapshot.indexed();
        tracing::debug!(
            revision = city_snapshot.revision(),
            ms = start.elapsed().as_secs_f64() * 1e3,
            layers = changed.len(),
            "revision taken over"
        );
        self.shared.show(city_snapshot);
        Ok(changed)
    }
}

/// The city at the store's newest revision, while it is put together.
struct NextCity<'a> {
    old: &'a CitySnapshot,
    layers: BTreeMap<LayerId, Arc<LayerSnapshot>>,
    /// The layers that differ from those of the old city.
    changed: Vec<LayerId>,
    tracker: ChangeTracker,
    /// Layers that must be read as a whole.
    unread: Vec<LayerEntry>,
    /// The store's stamps of layers that were read.
    stamps: Vec<(LayerId, Option<String>)>,
    /// What brought the other layers to their newest revisions. A running merge gets them only when all
    /// layers have succeeded: the steps of a failed refresh must not be replayed.
    steps: Vec<LayerStep>,
    /// Layers that were read as a whole or removed.
    replaced: Vec<LayerId>,
}

impl<'a> NextCity<'a> {
    fn after(old: &'a CitySnapshot) -> Self {
        Self {
            old,
            layers: BTreeMap::new(),
            changed: Vec::new(),
            tracker: ChangeTracker::clone(&old.changes),
            unread: Vec::new(),
            stamps: Vec::new(),
            steps: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Adds a layer of the catalogue: the one in memory or in a snapshot file, brought to its newest
    /// revision. A layer that has changed too much for that is noted as unread.
    fn add(&mut self, live: &Live, view: &dyn ReadView, entry: LayerEntry) -> Result<(), LiveError> {
        let id = entry.layer.id.clone();
        if let Some(known) = self.old.city.layers.get(&id)
            && known.revision() == entry.revision
        {
            self.layers.insert(id, Arc::clone(known));
            return Ok(());
        }
        self.changed.push(id.clone());
        let (known, from) = match self.old.city.layers.get(&id) {
            Some(known) => (Some(Arc::clone(known)), self.old.revision()),
            None => match live.read_snapshot_file(view, &entry)? {
                Some(found) => {
                    self.tracker.replaced(&id, entry.revision);
                    self.stamps.push((id.clone(), Some(found.stamp)));
                    if found.snapshot.revision() == entry.revision {
                        self.layers.insert(id, found.snapshot);
                        return Ok(());
                    }
                    (Some(found.snapshot), found.city_revision)
                }
                None => (None, 0),
            },
        };
        let known = match known {
            Some(known)
                if known.takes(&entry.layer) && is_small_change(view.touched(&id, from)?, entry.count) =>
            {
                known
            }
            _ => {
                self.tracker.replaced(&id, entry.revision);
                self.replaced.push(id);
                self.unread.push(entry);
                return Ok(());
            }
        };
        let changes = read_changes(view, &id, from, |change| change.after)?;
        let step = LayerStep { layer: entry.layer, revision: entry.revision, changes };
        let next = known.apply(step.layer.clone(), step.revision, step.changes.iter().cloned())?;
        let changed: Vec<Fid> = step.changes.iter().map(|(fid, _)| *fid).collect();
        self.tracker.step(&known, &next, &changed);
        self.steps.push(step);
        self.layers.insert(id, Arc::new(next));
        Ok(())
    }

    /// Reads the layers that are noted as unread.
    fn read_unread(&mut self, store: &dyn Store, view: &dyn ReadView) -> Result<(), LiveError> {
        for (snapshot, stamp) in read_layers(store, view, std::mem::take(&mut self.unread))? {
            let id = snapshot.layer().id.clone();
            self.stamps.push((id.clone(), stamp));
            self.layers.insert(id, Arc::new(snapshot));
        }
        Ok(())
    }

    /// Notes the layers of the old city that are no longer in the catalogue.
    fn drop_removed(&mut self) {
        for id in self.old.city.layers.keys().filter(|id| !self.layers.contains_key(*id)) {
            self.tracker.removed(id);
            self.replaced.push(id.clone());
            self.changed.push(id.clone());
        }
    }
}
