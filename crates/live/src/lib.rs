//! One city kept in step with its record.
//!
//! [`Live::open`] reads every layer of a store into memory, [`Live::open_with`] takes them from snapshot files where it can. [`Live::refresh`] takes over what has changed since: an
//! edit costs what was edited, a layer that became another one is read whole. [`Live::write`] commits a change set and
//! returns when the city shows it. [`Live::snapshot_at`] is the city as it was at a former revision.
//!
//! Readers take an `Arc` and keep it for as long as their request lasts; they never wait for a refresh, a write or a
//! merge. All calls but [`Live::city_snapshot`], [`Live::revisions`] and [`Live::failure`] block: never make them on an async
//! worker thread.

mod city_snapshot;
mod error;
mod feed;
mod follow;
mod former;
mod gate;
mod merge;
mod read;
mod refresh;
mod snapshots;
mod touches;
mod write;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use citymap_model::{LayerId, Revision, RevisionNumber};
use citymap_store::Store;
use tokio::sync::watch;

pub use city_snapshot::CitySnapshot;
pub use error::LiveError;
pub use feed::{FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, RevisionEvent};
pub use touches::Touches;
pub use write::{Decision, Written};

use former::FormerSnapshots;
use gate::Gate;
use merge::Merging;
use snapshots::Keeper;

/// How a city is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder of the layers' snapshot files, made where there is none; without one, every start reads the store.
    pub snapshots: Option<PathBuf>,
}

/// A store and the city read from it.
pub struct Live {
    pub(crate) store: Box<dyn Store>,
    pub(crate) shared: Arc<Shared>,
    /// One writer of this process at a time, in the order of their coming.
    writing: Gate,
    former: FormerSnapshots,
    pub(crate) feed: feed::Feed,
}

/// What the thread that merges deltas needs too.
pub(crate) struct Shared {
    city_snapshot: RwLock<CitySnapshot>,
    keeping: Mutex<Keeping>,
    newest: watch::Sender<RevisionNumber>,
    failure: RwLock<Option<String>>,
    pub(crate) keeper: Option<Arc<Keeper>>,
}

/// What only the one that changes the snapshot may touch; who holds it is the one.
#[derive(Default)]
pub(crate) struct Keeping {
    /// The log's entry of the revision in memory, to notice when the store is another one.
    head: Option<Revision>,
    /// Since when the store has shown fewer revisions than the city in memory.
    behind: Option<std::time::Instant>,
    /// The layer that is being merged, if one is.
    merging: Option<Merging>,
    /// What the store's stamp of each layer was when it was read.
    stamps: BTreeMap<LayerId, Option<String>>,
    /// Bases that no merge can take more into: they are left alone.
    full: Vec<u64>,
}

impl Live {
    /// Reads all layers of the store and indexes their names. Blocks for seconds in a large city.
    pub fn open(store: Box<dyn Store>) -> Result<Self, LiveError> {
        let live = Self::layers(store, &Options::default())?;
        live.shared.index_names();
        Ok(live)
    }

    /// Brings all layers into memory: from their snapshot files where these go with the store, else from the store. Returns when
    /// [`Live::city_snapshot`] has them; the names are indexed by a thread meanwhile ([`CitySnapshot::names_ready`]), and then files are
    /// written where layers have none.
    ///
    /// # Errors
    /// What the store fails with. A snapshot file is never a reason: what is wrong with it stands in the log.
    pub fn open_with(store: Box<dyn Store>, options: &Options) -> Result<Self, LiveError> {
        let live = Self::layers(store, options)?;
        let shared = Arc::clone(&live.shared);
        let index = move || {
            shared.index_names();
            if let Some(keeper) = &shared.keeper {
                keeper.start(&shared);
                keeper.wake();
            }
        };
        if let Err(error) = thread::Builder::new().name("index-names".into()).spawn(index) {
            tracing::warn!(%error, "no thread to index names; the start waits for them");
            live.shared.index_names();
        }
        Ok(live)
    }

    fn layers(store: Box<dyn Store>, options: &Options) -> Result<Self, LiveError> {
        let shared = Shared {
            city_snapshot: RwLock::default(),
            keeping: Mutex::default(),
            newest: watch::Sender::new(0),
            failure: RwLock::default(),
            keeper: options.snapshots.as_deref().map(|folder| Arc::new(Keeper::new(folder))),
        };
        let live = Self {
            store,
            shared: Arc::new(shared),
            writing: Gate::default(),
            former: FormerSnapshots::default(),
            feed: feed::Feed::default(),
        };
        live.refresh()?;
        Ok(live)
    }

    /// Waits until names can be found, or the time is over; whether they can.
    pub fn wait_for_names(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while !self.snapshot().names_ready() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Where the record is, for people.
    pub fn location(&self) -> String {
        self.store.location()
    }

    /// The record itself: its log, its documents, former views. What is committed past [`Live::write`] is shown when the
    /// follower has seen it.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The city as it is now.
    pub fn snapshot(&self) -> CitySnapshot {
        self.shared.snapshot()
    }

    /// The newest revision shown, and each new one as soon as [`Live::city_snapshot`] gives it. Numbers in between may be skipped.
    pub fn revisions(&self) -> watch::Receiver<RevisionNumber> {
        self.shared.newest.subscribe()
    }

    /// Why the last refresh failed; `None` when the city is in step with its store.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(keeper) = &self.shared.keeper {
            keeper.stop();
        }
    }
}

impl Shared {
    /// Indexes the names of the first snapshot, beside everybody else.
    fn index_names(&self) {
        let start = Instant::now();
        let first = refresh::indexed(CitySnapshot { named: true, ..self.snapshot() });
        let _keeping = self.keep();
        // What has changed meanwhile is little.
        let now = self.snapshot();
        let city_snapshot =
            CitySnapshot { search: first.search, searched: first.searched, named: true, ..now };
        self.show(refresh::indexed(city_snapshot));
        tracing::info!(ms = start.elapsed().as_millis() as u64, "names indexed");
    }

    pub(crate) fn snapshot(&self) -> CitySnapshot {
        self.city_snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn keep(&self) -> MutexGuard<'_, Keeping> {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps the snapshot in; only for the one that holds [`Keeping`].
    pub(crate) fn show(&self, city_snapshot: CitySnapshot) {
        let revision = city_snapshot.revision();
        *self.city_snapshot.write().unwrap_or_else(PoisonError::into_inner) = city_snapshot;
        self.newest.send_if_modified(|newest| std::mem::replace(newest, revision) != revision);
    }

    pub(crate) fn note(&self, failure: Option<String>) {
        *self.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
