//! The next revisions as JSON, for any number of readers: one reads the store, the others find its result.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use citymap_live::{Live, LiveError};
use citymap_model::RevisionNumber;
use citymap_tile::Tiler;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::{FeedError, FeedLimits, RenderedRevision, rendered};

/// Maximum size of the revisions kept as JSON, in bytes.
const CACHE_BYTES: u64 = 32 << 20;
/// Maximum number of revisions read from the store in one go.
const CHUNK: usize = 16;
/// A reader that is at most this many revisions behind the newest one uses the lane of the newest revisions.
const FRESH: u64 = 64;
/// How long a failure of the store is reported to readers before the store is asked again.
const FAILURE_KEPT: Duration = Duration::from_millis(500);

/// A revision's number, and a hash of which fields are personal ([`rendered::privacy`]).
type CacheKey = (RevisionNumber, u64);

/// What all readers of the feed share.
pub struct Hub {
    cache: Cache<CacheKey, Arc<RenderedRevision>>,
    /// Readers that wait for the newest revisions.
    newest: Lane,
    /// Readers that are far behind. They have a lane of their own, so that they do not hold up the others.
    older: Lane,
    /// When the store failed last, and why.
    failed: Mutex<Option<(Instant, String)>>,
    /// Says how far a change reaches in tiles.
    tiler: Arc<Tiler>,
    /// One permit for each stream that may be open.
    streams: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("cached", &self.cache.entry_count())
            .field("streams", &self.streams.available_permits())
            .finish_non_exhaustive()
    }
}

/// Lets one reader at a time read the store; the others wait, and then find the revisions in the cache.
struct Lane {
    /// The turn of async tasks.
    tasks: Semaphore,
    /// The turn of threads that block.
    threads: Mutex<()>,
}

impl Lane {
    fn new() -> Self {
        Self { tasks: Semaphore::new(1), threads: Mutex::new(()) }
    }
}

impl Hub {
    /// A hub without revisions in memory. `tiler` says which tiles a change touches.
    pub fn new(limits: &FeedLimits, tiler: Arc<Tiler>) -> Self {
        let weigh = |_: &CacheKey, revision: &Arc<RenderedRevision>| {
            u32::try_from(revision.weight()).unwrap_or(u32::MAX)
        };
        Self {
            cache: Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build(),
            newest: Lane::new(),
            older: Lane::new(),
            failed: Mutex::new(None),
            tiler,
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            closing: watch::Sender::new(false),
        }
    }

    /// A permit to keep one stream open, until it is dropped; `None` if the maximum number is open.
    pub fn open_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// Tells all open streams to end.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Becomes true when the streams are to end.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Some of the next revisions above `after`, oldest first; none if `after` is the newest revision shown.
    /// Blocks while it reads the store.
    ///
    /// # Errors
    /// The store's failure to give the revisions.
    pub fn after(&self, live: &Live, after: RevisionNumber) -> Result<Vec<Arc<RenderedRevision>>, LiveError> {
        let city_snapshot = live.snapshot();
        let privacy = rendered::privacy(&city_snapshot);
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        // Webhook deliveries ask from many threads at once.
        let lane = self.lane(after, city_snapshot.revision());
        let _turn = lane.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let events = live.events_after(after, CHUNK)?;
        Ok(events
            .into_iter()
            .map(|event| {
                self.cache.get_with((event.revision.number, privacy), || {
                    Arc::new(RenderedRevision::new(&event, &city_snapshot, &self.tiler))
                })
            })
            .collect())
    }

    /// As [`Hub::after`], without blocking the thread.
    ///
    /// # Errors
    /// The store's failure to give the revisions, for half a second also to readers that come after it;
    /// [`FeedError::Stopping`] while the server stops.
    pub async fn next(
        self: &Arc<Self>,
        live: &Arc<Live>,
        after: RevisionNumber,
    ) -> Result<Vec<Arc<RenderedRevision>>, FeedError> {
        let newest = live.snapshot().revision();
        if after >= newest {
            return Ok(Vec::new());
        }
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let Ok(_turn) = self.lane(after, newest).tasks.acquire().await else {
            return Err(FeedError::Stopping);
        };
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let last_failure = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, reason)) = last_failure.filter(|(time, _)| time.elapsed() < FAILURE_KEPT) {
            return Err(FeedError::FailedRecently(reason));
        }
        let (hub, live) = (Arc::clone(self), Arc::clone(live));
        match tokio::task::spawn_blocking(move || hub.after(&live, after)).await {
            Ok(Ok(revisions)) => Ok(revisions),
            Ok(Err(error)) => {
                let failure = (Instant::now(), error.to_string());
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                Err(error.into())
            }
            Err(error) => {
                tracing::error!(%error, "a revision could not be read");
                Err(FeedError::Task(error))
            }
        }
    }

    fn lane(&self, after: RevisionNumber, newest: RevisionNumber) -> &Lane {
        if after + FRESH >= newest { &self.newest } else { &self.older }
    }

    /// As [`Hub::after`], from memory only.
    fn known(&self, live: &Live, after: RevisionNumber) -> Vec<Arc<RenderedRevision>> {
        let city_snapshot = live.snapshot();
        let (newest, privacy) = (city_snapshot.revision(), rendered::privacy(&city_snapshot));
        (after + 1..=newest).map_while(|number| self.cache.get(&(number, privacy))).take(CHUNK).collect()
    }
}
