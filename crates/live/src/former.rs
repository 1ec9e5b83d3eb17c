//! The city as it was at former revisions, and a cache of such cities.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use citymap_access::conceal;
use citymap_engine::City;
use citymap_model::RevisionNumber;
use citymap_store::StoreError;

use crate::{
    CitySnapshot, Live, LiveError,
    read::{is_small_change, read_changes, read_layer},
};

/// Maximum number of features that former cities hold in addition to those they share with the present one.
const FEATURES_MAX: usize = 2_000_000;
/// Maximum number of former cities kept, however small they are.
const CITIES_MAX: usize = 64;

/// A former city, or `None` while it is being built. A second caller waits for the first caller's result.
type Slot = Arc<Mutex<Option<Arc<City>>>>;

/// The former cities that were asked for last.
#[derive(Default)]
pub(crate) struct FormerSnapshots {
    /// The one that was asked for last is last.
    slots: Mutex<Vec<(RevisionNumber, Slot)>>,
}

impl FormerSnapshots {
    fn slot(&self, revision: RevisionNumber) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let position = slots.iter().position(|(number, _)| *number == revision);
        let entry = position.map_or_else(|| (revision, Slot::default()), |position| slots.remove(position));
        let slot = Arc::clone(&entry.1);
        slots.push(entry);
        slot
    }

    pub(crate) fn clear(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Drops the cities that were not asked for the longest, until the rest is within the bounds. The last
    /// one always stays.
    fn trim(&self, now: &City) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut features = 0;
        let mut kept = 0;
        let mut keep = slots.len();
        for (position, (_, slot)) in slots.iter().enumerate().rev() {
            // A city that is being built counts when it is complete.
            features += slot
                .try_lock()
                .ok()
                .and_then(|city| city.as_ref().map(|city| extra_features(city, now)))
                .unwrap_or(0);
            kept += 1;
            if kept > 1 && (features > FEATURES_MAX || kept > CITIES_MAX) {
                break;
            }
            keep = position;
        }
        slots.drain(..keep);
    }
}

/// The number of features that only the former city keeps in memory.
fn extra_features(former: &City, now: &City) -> usize {
    former
        .layers
        .iter()
        .map(|(id, layer)| match now.layers.get(id) {
            Some(present) if Arc::ptr_eq(present, layer) => 0,
            Some(present) if present.base().id() == layer.base().id() => layer.delta_len(),
            _ => layer.len(),
        })
        .sum()
}

impl Live {
    /// The city as it was at a former revision; 0 is the empty city. Layers that have not changed since are
    /// shared with the newest snapshot. Of others, the changes since are undone, or the layer is read from
    /// the store if they are too many. Some former cities are kept in memory. [`CitySnapshot::find`] of a
    /// former city answers for the newest revision.
    ///
    /// Blocks: for milliseconds if little has changed since, or for as long as it takes to read the layers if
    /// much has.
    ///
    /// # Errors
    /// [`StoreError::NoRevision`] if there is no revision of this number.
    pub fn snapshot_at(&self, revision: RevisionNumber) -> Result<CitySnapshot, LiveError> {
        if revision > self.snapshot().revision() {
            self.refresh()?;
        }
        let now = self.snapshot();
        let newest = now.revision();
        if revision == newest {
            return Ok(now);
        }
        if revision > newest {
            return Err(StoreError::NoRevision { asked: revision, newest }.into());
        }
        let slot = self.former.slot(revision);
        let mut built = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let city = match &*built {
            Some(city) => Arc::clone(city),
            None => {
                let city = Arc::new(self.former_city(revision, &now)?);
                *built = Some(Arc::clone(&city));
                drop(built);
                self.former.trim(&now.city);
                city
            }
        };
        Ok(CitySnapshot { city, ..now })
    }

    fn former_city(&self, revision: RevisionNumber, now: &CitySnapshot) -> Result<City, LiveError> {
        if revision == 0 {
            return Ok(City { profile: Arc::clone(&now.city.profile), ..City::default() });
        }
        let start = Instant::now();
        let then = self.store.view_at(revision)?;
        let since = self.store.view_at(now.revision())?;
        let mut layers = BTreeMap::new();
        for mut entry in then.layers()? {
            let id = entry.layer.id.clone();
            let present = now.city.layers.get(&id);
            if let Some(present) = present {
                conceal(&mut entry.layer, present.layer());
            }
            if let Some(present) = present
                && present.revision() == entry.revision
            {
                layers.insert(id, Arc::clone(present));
                continue;
            }
            let close = match present {
                Some(present)
                    if present.takes(&entry.layer)
                        && is_small_change(since.touched(&id, revision)?, entry.count) =>
                {
                    Some(present)
                }
                _ => None,
            };
            let snapshot = match close {
                Some(present) => {
                    let changes = read_changes(since.as_ref(), &id, revision, |change| change.before)?;
                    present.apply(entry.layer, entry.revision, changes)?
                }
                None => read_layer(then.as_ref(), entry)?,
            };
            layers.insert(id, Arc::new(snapshot));
        }
        tracing::debug!(revision, ms = start.elapsed().as_secs_f64() * 1e3, "former city built");
        Ok(City { revision, layers, profile: Arc::clone(&now.city.profile) })
    }
}
