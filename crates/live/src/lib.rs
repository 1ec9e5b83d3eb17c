//! One city kept in step with its record.
//!
//! [`Live::open`] reads every layer of a store into memory. [`Live::refresh`] takes over what has changed since: an
//! edit costs what was edited, a layer that became another one is read whole. [`Live::write`] commits a change set and
//! returns when the city shows it. [`Live::scene_at`] is the city as it was at a former revision.
//!
//! Readers take an `Arc` and keep it for as long as their request lasts; they never wait for a refresh, a write or a
//! merge. All calls but [`Live::scene`], [`Live::revisions`] and [`Live::failure`] block: never make them on an async
//! worker thread.

mod error;
mod feed;
mod follow;
mod former;
mod gate;
mod merge;
mod read;
mod refresh;
mod scene;
mod touches;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use citymap_model::{Revision, RevisionNumber};
use citymap_store::Store;
use tokio::sync::watch;

pub use error::LiveError;
pub use feed::{FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, RevisionEvent, public_key};
pub use scene::Scene;
pub use touches::Touches;

use former::FormerScenes;
use gate::Gate;
use merge::Merging;

/// A store and the city read from it.
pub struct Live {
    pub(crate) store: Box<dyn Store>,
    pub(crate) shared: Arc<Shared>,
    /// One writer of this process at a time, in the order of their coming.
    writing: Gate,
    former: FormerScenes,
    pub(crate) feed: feed::Feed,
}

/// What the thread that merges overlays needs too.
pub(crate) struct Shared {
    scene: RwLock<Scene>,
    keeping: Mutex<Keeping>,
    newest: watch::Sender<RevisionNumber>,
    failure: RwLock<Option<String>>,
}

/// What only the one that changes the scene may touch; who holds it is the one.
#[derive(Default)]
pub(crate) struct Keeping {
    /// The log's entry of the revision in memory, to notice when the store is another one.
    head: Option<Revision>,
    /// Since when the store has shown fewer revisions than the city in memory.
    behind: Option<std::time::Instant>,
    /// The layer that is being merged, if one is.
    merging: Option<Merging>,
    /// Bases that no merge can take more into: they are left alone.
    full: Vec<u64>,
}

impl Live {
    /// Reads all layers of the store. Blocks for seconds in a large city.
    pub fn open(store: Box<dyn Store>) -> Result<Self, LiveError> {
        let shared = Shared {
            scene: RwLock::default(),
            keeping: Mutex::default(),
            newest: watch::Sender::new(0),
            failure: RwLock::default(),
        };
        let live = Self {
            store,
            shared: Arc::new(shared),
            writing: Gate::default(),
            former: FormerScenes::default(),
            feed: feed::Feed::default(),
        };
        live.refresh()?;
        Ok(live)
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
    pub fn scene(&self) -> Scene {
        self.shared.scene()
    }

    /// The newest revision shown, and each new one as soon as [`Live::scene`] gives it. Numbers in between may be skipped.
    pub fn revisions(&self) -> watch::Receiver<RevisionNumber> {
        self.shared.newest.subscribe()
    }

    /// Why the last refresh failed; `None` when the city is in step with its store.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    pub(crate) fn scene(&self) -> Scene {
        self.scene.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn keep(&self) -> MutexGuard<'_, Keeping> {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps the scene in; only for the one that holds [`Keeping`].
    pub(crate) fn show(&self, scene: Scene) {
        let revision = scene.revision();
        *self.scene.write().unwrap_or_else(PoisonError::into_inner) = scene;
        self.newest.send_if_modified(|newest| std::mem::replace(newest, revision) != revision);
    }

    pub(crate) fn note(&self, failure: Option<String>) {
        *self.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
