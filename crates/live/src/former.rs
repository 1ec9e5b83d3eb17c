//! The city as it was.

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
    read::{differing, stepwise, whole},
};

/// Features that former cities may hold beside those that they share with the present one.
const FEATURES: usize = 2_000_000;
/// Former cities kept at most, however small.
const CITIES: usize = 64;

/// A former city, or the place where it will be: who comes second waits for who builds it.
type Slot = Arc<Mutex<Option<Arc<City>>>>;

/// Former cities, those asked for last.
#[derive(Default)]
pub(crate) struct FormerSnapshots {
    /// Asked for last comes last.
    slots: Mutex<Vec<(RevisionNumber, Slot)>>,
}

impl FormerSnapshots {
    fn slot(&self, revision: RevisionNumber) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let position = slots.iter().position(|(own, _)| *own == revision);
        let entry = position.map_or_else(|| (revision, Slot::default()), |position| slots.remove(position));
        let slot = Arc::clone(&entry.1);
        slots.push(entry);
        slot
    }

    pub(crate) fn clear(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Lets those go that were asked for longest ago, until the rest is within the bounds. The last one always stays.
    fn trim(&self, now: &City) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut features = 0;
        let mut kept = 0;
        let mut keep = slots.len();
        for (position, (_, slot)) in slots.iter().enumerate().rev() {
            // One that is being built counts when it is done.
            features += slot
                .try_lock()
                .ok()
                .and_then(|city| city.as_ref().map(|city| own_features(city, now)))
                .unwrap_or(0);
            kept += 1;
            if kept > 1 && (features > FEATURES || kept > CITIES) {
                break;
            }
            keep = position;
        }
        slots.drain(..keep);
    }
}

/// Features that only the former city keeps in memory.
fn own_features(former: &City, now: &City) -> usize {
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
    /// The city as it was at a former revision; 0 is the empty one. Layers that nobody has touched since are those of the
    /// newest snapshot; others are the newest ones with what has changed since taken back, or are read from the store where that
    /// is too much. Some are kept. [`CitySnapshot::find`] of it answers for the newest revision.
    ///
    /// Blocks: for milliseconds where little has changed, for as long as reading the layers takes where much has.
    ///
    /// # Errors
    /// [`StoreError::NoRevision`] if there is none of this number.
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
        let mut place = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let city = match &*place {
            Some(city) => Arc::clone(city),
            None => {
                let city = Arc::new(self.former_city(revision, &now)?);
                *place = Some(Arc::clone(&city));
                drop(place);
                self.former.trim(&now.city);
                city
            }
        };
        Ok(CitySnapshot { city, ..now })
    }

    fn former_city(&self, revision: RevisionNumber, now: &CitySnapshot) -> Result<City, LiveError> {
        if revision == 0 {
            return Ok(City::default());
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
            let near = match present {
                Some(present)
                    if present.takes(&entry.layer)
                        && stepwise(since.touched(&id, revision)?, entry.count) =>
                {
                    Some(present)
                }
                _ => None,
            };
            let snapshot = match near {
                Some(present) => {
                    let changes = differing(since.as_ref(), &id, revision, |change| change.before)?;
                    present.apply(entry.layer, entry.revision, changes)?
                }
                None => whole(then.as_ref(), entry)?,
            };
            layers.insert(id, Arc::new(snapshot));
        }
        tracing::debug!(revision, ms = start.elapsed().as_secs_f64() * 1e3, "former city made");
        Ok(City { revision, layers })
    }
}
