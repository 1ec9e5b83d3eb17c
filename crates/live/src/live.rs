//! The store and the city read from it, as the rest of the program holds them.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, PoisonError},
    thread,
    time::{Duration, Instant},
};

use citymap_model::RevisionNumber;
use citymap_store::Store;
use tokio::sync::watch;

use crate::{
    CitySnapshot, LiveError, fair_mutex::FairMutex, former::FormerSnapshots, recent::RecentEvents,
    shared::Shared,
};

/// How a city is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder of the snapshot files, which is created if it does not exist. Without one, every start
    /// reads the store.
    pub snapshots: Option<PathBuf>,
}

/// A store and the city read from it.
pub struct Live {
    pub(crate) store: Box<dyn Store>,
    pub(crate) shared: Arc<Shared>,
    /// Held by the writer of this process; others wait in their order.
    pub(crate) write_turn: FairMutex,
    pub(crate) former: FormerSnapshots,
    pub(crate) recent: RecentEvents,
}

impl Live {
    /// Reads all layers of the store and indexes their names. Blocks for seconds in a large city.
    ///
    /// # Errors
    /// The store's failure, or data that cannot be held in memory.
    pub fn open(store: Box<dyn Store>) -> Result<Self, LiveError> {
        let live = Self::read_all(store, &Options::default())?;
        live.shared.index_names();
        Ok(live)
    }

    /// Brings all layers into memory: from snapshot files that fit the record, else from the store. Returns
    /// when [`Live::snapshot`] has them. A thread then indexes the names ([`CitySnapshot::names_ready`]) and
    /// writes the files that are missing.
    ///
    /// # Errors
    /// As [`Live::open`]. An unusable snapshot file is not an error; the log says what is wrong with it.
    pub fn open_with(store: Box<dyn Store>, options: &Options) -> Result<Self, LiveError> {
        let live = Self::read_all(store, options)?;
        let shared = Arc::clone(&live.shared);
        let index = move || {
            shared.index_names();
            if let Some(writer) = &shared.snapshot_writer {
                writer.start(&shared);
                writer.wake();
            }
        };
        if let Err(error) = thread::Builder::new().name("index-names".into()).spawn(index) {
            tracing::warn!(%error, "no thread to index names; the start waits until they are indexed");
            live.shared.index_names();
        }
        Ok(live)
    }

    fn read_all(store: Box<dyn Store>, options: &Options) -> Result<Self, LiveError> {
        let live = Self {
            store,
            shared: Arc::new(Shared::new(options.snapshots.as_deref())),
            write_turn: FairMutex::default(),
            former: FormerSnapshots::default(),
            recent: RecentEvents::default(),
        };
        live.refresh()?;
        Ok(live)
    }

    /// Waits until names can be found, for at most `timeout`. Returns whether they can.
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

    /// Where the record is, for people. Never contains a password.
    pub fn location(&self) -> String {
        self.store.location()
    }

    /// The record itself: its log, its documents, its former views. What is committed to it other than by
    /// [`Live::write`] is shown after the next refresh.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The city as it is now.
    pub fn snapshot(&self) -> CitySnapshot {
        self.shared.snapshot()
    }

    /// The newest revision shown, and each later one as soon as [`Live::snapshot`] gives it. Numbers in
    /// between may be skipped.
    pub fn revisions(&self) -> watch::Receiver<RevisionNumber> {
        self.shared.newest.subscribe()
    }

    /// Why the last refresh failed; `None` while the city is in step with its store.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("location", &self.location())
            .field("revision", &self.snapshot().revision())
            .finish_non_exhaustive()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(writer) = &self.shared.snapshot_writer {
            writer.stop();
        }
    }
}
