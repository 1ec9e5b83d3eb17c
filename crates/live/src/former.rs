//! The city as it was at former revisions, and a cache of such cities.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use citymap_access::conceal;
use citymap_engine::{Cancel, City, EngineError, LayerSnapshot};
use citymap_model::RevisionNumber;
use citymap_store::{LayerEntry, StoreError};

use crate::{
    CitySnapshot, Live, LiveError,
    read::{is_small_change, read_changes_until, read_layer_until},
};

/// Bytes that former cities may take, unless [`Live::bound_former`] says otherwise.
const BYTES_MAX: u64 = 256 << 20;
/// Maximum number of former cities kept, however small they are.
const CITIES_MAX: usize = 64;
/// Bytes of a feature of a layer that is not there any more, before it is read.
const FEATURE_BYTES: u64 = 400;

/// A former city, or `None` while it is being built. A second caller waits for the first caller's result.
type Slot = Arc<Mutex<Option<Arc<City>>>>;

/// The former cities that were asked for last, and those that requests still hold.
pub(crate) struct FormerSnapshots {
    bytes_max: AtomicU64,
    /// The one that was asked for last is last.
    slots: Mutex<Vec<(RevisionNumber, Slot)>>,
    /// Every former city that somebody holds, kept here or not, with the bytes that it was found to take.
    alive: Mutex<Vec<(Weak<City>, u64)>>,
}

impl Default for FormerSnapshots {
    fn default() -> Self {
        Self { bytes_max: AtomicU64::new(BYTES_MAX), slots: Mutex::default(), alive: Mutex::default() }
    }
}

impl FormerSnapshots {
    fn slots(&self) -> MutexGuard<'_, Vec<(RevisionNumber, Slot)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, revision: RevisionNumber) -> Slot {
        let mut slots = self.slots();
        let position = slots.iter().position(|(number, _)| *number == revision);
        let entry = position.map_or_else(|| (revision, Slot::default()), |position| slots.remove(position));
        let slot = Arc::clone(&entry.1);
        slots.push(entry);
        slot
    }

    /// The city if it is kept; it then counts as asked for last.
    fn kept(&self, revision: RevisionNumber) -> Option<Arc<City>> {
        let mut slots = self.slots();
        let position = slots.iter().position(|(number, _)| *number == revision)?;
        let city = slots[position].1.try_lock().ok()?.clone()?;
        let entry = slots.remove(position);
        slots.push(entry);
        Some(city)
    }

    pub(crate) fn clear(&self) {
        self.slots().clear();
    }

    /// The former cities that somebody holds.
    fn alive(&self) -> MutexGuard<'_, Vec<(Weak<City>, u64)>> {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.retain(|(city, _)| city.strong_count() > 0);
        alive
    }

    /// The bytes of all of them, in addition to those that they share with `now`.
    fn bytes(&self, now: &City) -> u64 {
        let mut alive = self.alive();
        for (city, bytes) in alive.iter_mut() {
            // A base that was shared may have been replaced since.
            *bytes = city.upgrade().map_or(0, |city| extra_bytes(&city, now));
        }
        alive.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Drops the cities that were not asked for the longest until `needed` bytes are free.
    ///
    /// # Errors
    /// [`LiveError::FormerFull`] if requests hold so many that they are not. A city that is larger than the
    /// bound is made if it is the only one.
    fn make_room(&self, needed: u64, now: &City) -> Result<(), LiveError> {
        let max = self.bytes_max.load(Ordering::Relaxed);
        loop {
            let held = self.bytes(now);
            if held == 0 || held.saturating_add(needed) <= max {
                return Ok(());
            }
            let mut slots = self.slots();
            // To drop what a request holds frees nothing, nor does what is being built.
            let unused =
                |city: &Option<Arc<City>>| city.as_ref().is_some_and(|city| Arc::strong_count(city) == 1);
            let free = |(_, slot): &(_, Slot)| slot.try_lock().is_ok_and(|city| unused(&city));
            let Some(oldest) = slots.iter().position(free) else {
                return Err(LiveError::FormerFull { held, max });
            };
            slots.remove(oldest);
        }
    }

    /// Adds a city that was built.
    fn add(&self, city: &Arc<City>, now: &City) {
        self.alive().push((Arc::downgrade(city), extra_bytes(city, now)));
        let mut slots = self.slots();
        let beyond = slots.len().saturating_sub(CITIES_MAX);
        slots.drain(..beyond);
    }
}

/// The bytes that only the former city keeps in memory.
fn extra_bytes(former: &City, now: &City) -> u64 {
    let size = |layer: &LayerSnapshot, delta_only: bool| -> u64 {
        let parts = layer.memory();
        let own = parts.iter().filter(|(name, _)| !delta_only || name.starts_with("delta."));
        own.map(|(_, bytes)| *bytes as u64).sum()
    };
    former
        .layers
        .iter()
        .map(|(id, layer)| match now.layers.get(id) {
            Some(present) if Arc::ptr_eq(present, layer) => 0,
            Some(present) => size(layer, present.base().id() == layer.base().id()),
            None => size(layer, false),
        })
        .sum()
}

/// The bytes that a layer will take, before it is read: those of as many features as it has now.
fn expected_bytes(entry: &LayerEntry, present: Option<&Arc<LayerSnapshot>>) -> u64 {
    let a_feature = present.filter(|present| !present.is_empty()).map_or(FEATURE_BYTES, |present| {
        let bytes: usize = present.memory().iter().map(|(_, bytes)| bytes).sum();
        (bytes / present.len()) as u64
    });
    entry.count.saturating_mul(a_feature)
}

impl Live {
    /// Bounds the bytes that former cities take in memory, kept or held by requests, in addition to what they
    /// share with the present one. A single city may be larger.
    pub fn bound_former(&self, bytes: u64) {
        self.former.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// The bytes that former cities take now, as [`Live::bound_former`] counts them.
    pub fn former_bytes(&self) -> u64 {
        self.former.alive().iter().map(|(_, bytes)| bytes).sum()
    }

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
        self.snapshot_at_until(revision, &Cancel::new())
    }

    /// The city at a revision if it is in memory: the newest one, or a former one that is kept. Does not
    /// block.
    pub fn kept_at(&self, revision: RevisionNumber) -> Option<CitySnapshot> {
        let now = self.snapshot();
        if revision == now.revision() {
            return Some(now);
        }
        self.former.kept(revision).map(|city| CitySnapshot { city, ..now })
    }

    /// As [`Live::snapshot_at`], but reading ends soon after `cancel` is set.
    ///
    /// # Errors
    /// Also [`LiveError::FormerFull`] if requests hold too many other former cities, and
    /// [`EngineError::Cancelled`].
    pub fn snapshot_at_until(
        &self,
        revision: RevisionNumber,
        cancel: &Cancel,
    ) -> Result<CitySnapshot, LiveError> {
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
                let city = Arc::new(self.former_city(revision, &now, cancel)?);
                *built = Some(Arc::clone(&city));
                drop(built);
                self.former.add(&city, &now.city);
                city
            }
        };
        Ok(CitySnapshot { city, ..now })
    }

    fn former_city(
        &self,
        revision: RevisionNumber,
        now: &CitySnapshot,
        cancel: &Cancel,
    ) -> Result<City, LiveError> {
        if revision == 0 {
            return Ok(City { profile: Arc::clone(&now.city.profile), ..City::default() });
        }
        let start = Instant::now();
        let then = self.store.view_at(revision)?;
        let since = self.store.view_at(now.revision())?;
        let mut layers = BTreeMap::new();
        // Also what was read of this city so far, which nobody holds yet.
        let mut expected = 0;
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
                    let changes =
                        read_changes_until(since.as_ref(), (&id, revision), |change| change.before, cancel)?;
                    present.apply(entry.layer, entry.revision, changes)?
                }
                None => {
                    expected += expected_bytes(&entry, present);
                    self.former.make_room(expected, &now.city)?;
                    read_layer_until(then.as_ref(), entry, cancel)?
                }
            };
            cancel.check().map_err(EngineError::from)?;
            layers.insert(id, Arc::new(snapshot));
        }
        tracing::debug!(revision, ms = start.elapsed().as_secs_f64() * 1e3, "former city built");
        Ok(City { revision, layers, profile: Arc::clone(&now.city.profile) })
    }
}
