//! Taking over what the store has committed.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_engine::City;
use citymap_model::{Fid, LayerId, Revision, RevisionNumber};
use citymap_search::SearchIndex;

use crate::{
    CitySnapshot, Keeping, Live, LiveError, Touches,
    merge::{self, Step},
    read::{all, differing, stepwise},
};

/// How long a store may show fewer revisions than the city in memory (a standby that lags) before that is a failure.
const LAG: Duration = Duration::from_secs(5);

impl Live {
    /// Takes over what the store has committed since; the layers touched. Cheap when there is nothing; an edit costs what
    /// was edited. On failure the city stays as it was.
    ///
    /// # Errors
    /// [`LiveError::Behind`] if the store has had fewer revisions than the city in memory for some seconds.
    pub fn refresh(&self) -> Result<Vec<LayerId>, LiveError> {
        let mut keeping = self.shared.keep();
        let result = self.take_over(&mut keeping);
        self.shared.note(result.as_ref().err().map(ToString::to_string));
        result
    }

    fn take_over(&self, keeping: &mut Keeping) -> Result<Vec<LayerId>, LiveError> {
        let old = self.snapshot();
        let (shown, found) = (old.revision(), self.store.revision()?);
        if found == shown && keeping.behind.is_none() {
            return Ok(Vec::new());
        }
        if found < shown {
            let since = *keeping.behind.get_or_insert_with(Instant::now);
            return if since.elapsed() < LAG {
                Ok(Vec::new())
            } else {
                Err(LiveError::Behind { shown, found })
            };
        }
        let same_record = self.head(shown)? == keeping.head;
        if same_record && found == shown {
            keeping.behind = None;
            return Ok(Vec::new());
        }
        let old = if same_record { old } else { self.begin_anew(keeping, &old) };
        let touched = self.advance(keeping, &old)?;
        keeping.behind = None;
        merge::start_if_due(&self.shared, keeping);
        Ok(touched)
    }

    /// The log's entry of a revision.
    pub(crate) fn head(&self, revision: RevisionNumber) -> Result<Option<Revision>, LiveError> {
        let Some(before) = revision.checked_sub(1) else { return Ok(None) };
        Ok(self.store.log_after(before, 1)?.into_iter().next())
    }

    /// The store is not the one that the city was read from: nothing of it is kept.
    fn begin_anew(&self, keeping: &mut Keeping, old: &CitySnapshot) -> CitySnapshot {
        tracing::warn!(
            revision = old.revision(),
            "the store holds another history than before; the city is read anew"
        );
        if let Some(merging) = &mut keeping.merging {
            merging.abandon();
        }
        self.former.clear();
        self.feed.clear();
        CitySnapshot { epoch: old.epoch + 1, city: Arc::default(), touches: Arc::default(), ..old.clone() }
    }

    /// Brings the snapshot to the store's newest revision; the layers touched.
    fn advance(&self, keeping: &mut Keeping, old: &CitySnapshot) -> Result<Vec<LayerId>, LiveError> {
        let start = Instant::now();
        let view = self.store.view()?;
        let mut layers = BTreeMap::new();
        let mut touched = Vec::new();
        let mut touches = Touches::clone(&old.touches);
        let mut unread = Vec::new();
        let mut stamps = Vec::new();
        // Kept until all layers have succeeded: what fails half-way must not be replayed by a merge.
        let mut steps: Vec<Step> = Vec::new();
        let mut replaced = Vec::new();
        for entry in view.layers()? {
            let id = entry.layer.id.clone();
            let kept = old.city.layers.get(&id);
            if let Some(kept) = kept
                && kept.revision() == entry.revision
            {
                layers.insert(id, Arc::clone(kept));
                continue;
            }
            touched.push(id.clone());
            let (kept, from) = match kept {
                Some(kept) => (Some(Arc::clone(kept)), old.revision()),
                None => match self.in_file(view.as_ref(), &entry)? {
                    Some(found) => {
                        touches.whole(&id, entry.revision);
                        stamps.push((id.clone(), Some(found.stamp)));
                        if found.snapshot.revision() == entry.revision {
                            layers.insert(id, found.snapshot);
                            continue;
                        }
                        (Some(found.snapshot), found.city)
                    }
                    None => (None, 0),
                },
            };
            let known = match kept {
                Some(kept) if kept.takes(&entry.layer) && stepwise(view.touched(&id, from)?, entry.count) => {
                    kept
                }
                _ => {
                    replaced.push(id.clone());
                    touches.whole(&id, entry.revision);
                    unread.push(entry);
                    continue;
                }
            };
            let changes = differing(view.as_ref(), &id, from, |change| change.after)?;
            let step = Step { layer: entry.layer, revision: entry.revision, changes };
            let next = known.apply(step.layer.clone(), step.revision, step.changes.iter().cloned())?;
            let changed: Vec<Fid> = step.changes.iter().map(|(fid, _)| *fid).collect();
            touches.step(&known, &next, &changed);
            steps.push(step);
            layers.insert(id, Arc::new(next));
        }
        let read_whole = !unread.is_empty();
        for (snapshot, stamp) in all(self.store(), view.as_ref(), unread)? {
            let id = snapshot.layer().id.clone();
            stamps.push((id.clone(), stamp));
            layers.insert(id, Arc::new(snapshot));
        }
        let gone: Vec<LayerId> =
            old.city.layers.keys().filter(|id| !layers.contains_key(*id)).cloned().collect();
        gone.iter().for_each(|id| touches.gone(id));
        replaced.extend(gone.iter().cloned());
        touched.extend(gone);

        let city = Arc::new(City { revision: view.revision(), layers });
        drop(view);
        keeping.head = self.head(city.revision)?;
        keeping.stamps.extend(stamps);
        if let Some(merging) = &mut keeping.merging {
            merging.follow(steps, &replaced);
        }
        let city_snapshot = CitySnapshot { city, touches: Arc::new(touches), ..old.clone() };
        if read_whole {
            // A large layer takes seconds to index. The map need not wait for its names.
            self.shared.show(city_snapshot.clone());
            if let Some(keeper) = &self.shared.keeper {
                keeper.wake();
            }
        }
        let city_snapshot = indexed(city_snapshot);
        tracing::debug!(
            revision = city_snapshot.revision(),
            ms = start.elapsed().as_secs_f64() * 1e3,
            layers = touched.len(),
            "revision taken over"
        );
        self.shared.show(city_snapshot);
        Ok(touched)
    }
}

/// The snapshot with its names indexed; as it is before the first index is there, which a thread makes.
pub(crate) fn indexed(city_snapshot: CitySnapshot) -> CitySnapshot {
    if !city_snapshot.named {
        return city_snapshot;
    }
    let search = Arc::new(SearchIndex::update(&city_snapshot.search, &city_snapshot.city));
    CitySnapshot { search, searched: Arc::clone(&city_snapshot.city), ..city_snapshot }
}
