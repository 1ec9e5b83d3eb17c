//! One city kept in step with its record.
//!
//! [`Live::open`] reads every layer of a store into memory; [`Live::refresh`] takes over what
//! has changed since, layer by layer, and swaps the new [`City`] in at once. Readers take an
//! `Arc` and keep it for as long as their request lasts; they never wait for a refresh.

mod feed;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use citymap_engine::{City, EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{LayerId, RevisionNumber};
use citymap_search::SearchIndex;
use citymap_store::{LayerEntry, Store, StoreError, View};
pub use feed::{FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, RevisionEvent, public_key};
use tokio::sync::watch;

/// Why the city could not be read from its store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds cannot be held in memory.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A city in memory with the index that finds its names.
#[derive(Clone)]
pub struct Scene {
    /// The layers.
    pub city: Arc<City>,
    /// The index of names, addresses and keys, of the same revision.
    pub search: Arc<SearchIndex>,
}

/// A store and the city read from it.
pub struct Live {
    store: Box<dyn Store>,
    scene: RwLock<Scene>,
    /// Held while a refresh runs; the last failure, if the last refresh failed.
    refreshing: Mutex<Option<String>>,
    failure: RwLock<Option<String>>,
    shown: watch::Sender<RevisionNumber>,
    feed: feed::Feed,
}

impl Live {
    /// Reads all layers of the store. Blocks for seconds in a large city.
    pub fn open(store: Box<dyn Store>) -> Result<Self, LiveError> {
        let nothing = Scene { city: Arc::default(), search: Arc::new(SearchIndex::build(&City::default())) };
        let live = Self {
            store,
            scene: RwLock::new(nothing),
            refreshing: Mutex::new(None),
            failure: RwLock::new(None),
            shown: watch::Sender::new(0),
            feed: feed::Feed::default(),
        };
        live.refresh()?;
        Ok(live)
    }

    /// The record.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The newest revision that [`Live::scene`] shows, and each later one as soon as it does.
    pub fn revisions(&self) -> watch::Receiver<RevisionNumber> {
        self.shown.subscribe()
    }

    /// Where the record is, for people.
    pub fn location(&self) -> String {
        self.store.location()
    }

    /// The city as it is now.
    pub fn scene(&self) -> Scene {
        self.scene.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the last refresh failed; `None` when the city is in step with its store.
    pub fn failure(&self) -> Option<String> {
        self.failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what the store has committed since; the layers touched. Cheap when there is
    /// nothing. Blocks: call it from a thread of its own. On failure the city stays as it was.
    pub fn refresh(&self) -> Result<Vec<LayerId>, LiveError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.take_over();
        let failure = result.as_ref().err().map(ToString::to_string);
        *self.failure.write().unwrap_or_else(PoisonError::into_inner) = failure;
        result
    }

    fn take_over(&self) -> Result<Vec<LayerId>, LiveError> {
        let old = self.scene();
        if self.store.revision()? == old.city.revision {
            return Ok(Vec::new());
        }
        let view = self.store.view()?;
        let mut layers = BTreeMap::new();
        let mut touched = Vec::new();
        for entry in view.layers()? {
            let id = entry.layer.id.clone();
            match old.city.layers.get(&id) {
                Some(kept) if kept.revision() == entry.revision => {
                    layers.insert(id, Arc::clone(kept));
                }
                _ => {
                    touched.push(id.clone());
                    layers.insert(id, Arc::new(read_layer(view.as_ref(), entry)?));
                }
            }
        }
        touched.extend(old.city.layers.keys().filter(|id| !layers.contains_key(*id)).cloned());
        let revision = view.revision();
        let city = Arc::new(City { revision: view.revision(), layers });
        let start = Instant::now();
        let search = Arc::new(SearchIndex::update(&old.search, &city));
        tracing::debug!(
            revision = city.revision,
            ms = start.elapsed().as_millis() as u64,
            "search index built"
        );
        *self.scene.write().unwrap_or_else(PoisonError::into_inner) = Scene { city, search };
        self.shown.send_replace(revision);
        Ok(touched)
    }
}

fn read_layer(view: &dyn View, entry: LayerEntry) -> Result<LayerSnapshot, LiveError> {
    let start = Instant::now();
    let LayerEntry { layer, revision, count } = entry;
    let id = layer.id.clone();
    let mut builder = SnapshotBuilder::new(layer);
    let mut failure: Option<EngineError> = None;
    let outcome = view.read(&id, &mut |feature| {
        builder.push(&feature).map_err(|error| {
            let stopped = StoreError::Stopped(error.to_string());
            failure = Some(error);
            stopped
        })
    });
    match failure {
        Some(error) => return Err(error.into()),
        None => outcome?,
    }
    let snapshot = builder.finish(revision);
    tracing::info!(layer = %id, features = count, ms = start.elapsed().as_millis() as u64, "layer read");
    Ok(snapshot)
}

/// The revision that a scene shows.
impl Scene {
    /// The revision.
    pub fn revision(&self) -> RevisionNumber {
        self.city.revision
    }
}
