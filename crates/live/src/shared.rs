//! What background threads share with the city: the snapshot shown to readers, and the state of whoever
//! changes it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Instant,
};

use citymap_model::{LayerId, Revision, RevisionNumber};
use tokio::sync::watch;

use crate::{CitySnapshot, running_merge::RunningMerge, snapshots::SnapshotWriter};

/// What the threads that merge deltas, index names and write snapshot files need of the city.
pub(crate) struct Shared {
    city_snapshot: RwLock<CitySnapshot>,
    writer_state: Mutex<WriterState>,
    pub(crate) newest: watch::Sender<RevisionNumber>,
    /// Why the last refresh failed.
    pub(crate) failure: RwLock<Option<String>>,
    /// `None` if no snapshot files are written.
    pub(crate) snapshot_writer: Option<Arc<SnapshotWriter>>,
}

/// What belongs to whoever changes the snapshot. Its lock is held from reading the snapshot until the changed
/// one is shown.
#[derive(Default)]
pub(crate) struct WriterState {
    /// The log's entry of the revision in memory. A different entry in the store means that the store is
    /// another one.
    pub(crate) head: Option<Revision>,
    /// Since when the store has had fewer revisions than the city in memory.
    pub(crate) behind: Option<Instant>,
    pub(crate) merge: Option<RunningMerge>,
    /// The store's stamp of each layer at the time when it was read.
    pub(crate) stamps: BTreeMap<LayerId, Option<String>>,
    /// The ids of bases into which no further delta fits. They are not merged again.
    pub(crate) full_bases: Vec<u64>,
}

impl Shared {
    /// An empty city. `snapshot_files` is the folder for snapshot files, if they are to be written.
    pub(crate) fn new(snapshot_files: Option<&Path>) -> Self {
        Self {
            city_snapshot: RwLock::default(),
            writer_state: Mutex::default(),
            newest: watch::Sender::new(0),
            failure: RwLock::default(),
            snapshot_writer: snapshot_files.and_then(SnapshotWriter::new).map(Arc::new),
        }
    }

    /// Indexes the names of the first snapshot. Others may change the snapshot while the index is built.
    pub(crate) fn index_names(&self) {
        let start = Instant::now();
        let first = CitySnapshot { named: true, ..self.snapshot() }.indexed();
        let _state = self.lock_writer();
        // What has changed since is little, and indexed quickly.
        let now = self.snapshot();
        let city_snapshot =
            CitySnapshot { search: first.search, searched: first.searched, named: true, ..now };
        self.show(city_snapshot.indexed());
        tracing::info!(ms = start.elapsed().as_millis() as u64, "names indexed");
    }

    pub(crate) fn snapshot(&self) -> CitySnapshot {
        self.city_snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the right to change the snapshot.
    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, WriterState> {
        self.writer_state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a snapshot to readers. The caller must hold the lock of [`Shared::lock_writer`].
    pub(crate) fn show(&self, city_snapshot: CitySnapshot) {
        let revision = city_snapshot.revision();
        *self.city_snapshot.write().unwrap_or_else(PoisonError::into_inner) = city_snapshot;
        self.newest.send_if_modified(|newest| std::mem::replace(newest, revision) != revision);
    }

    /// Remembers why the last refresh failed, or that it did not.
    pub(crate) fn note_failure(&self, failure: Option<String>) {
        *self.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
