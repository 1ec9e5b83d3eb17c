//! The change feed: what each revision did, as pages, as a stream of events, and sent to others.
//!
//! All of it goes by [`citymap_live::Live::events_after`]. A revision is written as JSON once, however many read it.

mod render;
mod tiles;
pub mod webhooks;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use citymap_live::{Live, LiveError};
use citymap_model::RevisionNumber;
use citymap_store::StoreError;
use citymap_tile::Tiler;
use moka::sync::Cache;
use tokio::sync::{Semaphore, watch};

pub(crate) use render::Rendered;

use crate::{config::Limits, http::problem::Problem};

/// Bytes of revisions kept as JSON.
const CACHE_BYTES: u64 = 32 << 20;
/// Revisions read from the store at once.
const CHUNK: usize = 16;
/// So near to the newest, a revision is what everybody waits for.
const FRESH: u64 = 64;
/// How long a failure of the store is told without asking again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What all readers of the feed share.
pub(crate) struct Hub {
    cache: Cache<(RevisionNumber, u64), Arc<Rendered>>,
    /// One reader writes the newest revisions, the others wait and find them written.
    fresh: Semaphore,
    /// Who is far behind does not hold up those who are not.
    old: Semaphore,
    /// The same for those who block: the newest, and the older ones.
    building: (Mutex<()>, Mutex<()>),
    failed: Mutex<Option<(Instant, String)>>,
    /// Knows how far a change reaches in tiles.
    tiler: Arc<Tiler>,
    /// Places for streams.
    pub(crate) streams: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl Hub {
    pub(crate) fn new(limits: &Limits, tiler: Arc<Tiler>) -> Self {
        let weigh = |_: &(RevisionNumber, u64), rendered: &Arc<Rendered>| {
            u32::try_from(rendered.weight()).unwrap_or(u32::MAX)
        };
        Self {
            cache: Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build(),
            fresh: Semaphore::new(1),
            old: Semaphore::new(1),
            building: Default::default(),
            failed: Mutex::new(None),
            tiler,
            streams: Arc::new(Semaphore::new(limits.event_streams_max)),
            closing: watch::Sender::new(false),
        }
    }

    /// Ends all streams.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Turns true when the streams are to end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// The next revisions above `after`, oldest first, those at hand; none where `after` is the newest shown. Blocks.
    pub(crate) fn after(&self, live: &Live, after: RevisionNumber) -> Result<Vec<Arc<Rendered>>, LiveError> {
        let scene = live.scene();
        let privacy = render::privacy(&scene);
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        // Deliveries ask from many threads at once: one reads, the others find it read.
        let turn = if after + FRESH >= scene.revision() { &self.building.0 } else { &self.building.1 };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let events = live.events_after(after, CHUNK)?;
        Ok(events
            .into_iter()
            .map(|event| {
                self.cache.get_with((event.revision.number, privacy), || {
                    Arc::new(Rendered::new(&event, &scene, &self.tiler))
                })
            })
            .collect())
    }

    /// As [`Hub::after`], from memory alone.
    fn known(&self, live: &Live, after: RevisionNumber) -> Vec<Arc<Rendered>> {
        let scene = live.scene();
        let (newest, privacy) = (scene.revision(), render::privacy(&scene));
        (after + 1..=newest).map_while(|number| self.cache.get(&(number, privacy))).take(CHUNK).collect()
    }

    /// As [`Hub::after`], and blocks no thread that talks to clients. However many wait for a revision, one reads it.
    pub(crate) async fn next(
        self: &Arc<Self>,
        live: &Arc<Live>,
        after: RevisionNumber,
    ) -> Result<Vec<Arc<Rendered>>, Problem> {
        let newest = live.scene().revision();
        if after >= newest {
            return Ok(Vec::new());
        }
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let turns = if after + FRESH >= newest { &self.fresh } else { &self.old };
        let Ok(_turn) = turns.acquire().await else {
            return Err(Problem::unavailable("the server is stopping", 5));
        };
        let known = self.known(live, after);
        if !known.is_empty() {
            return Ok(known);
        }
        let lately = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, reason)) = lately.filter(|(time, _)| time.elapsed() < PATIENCE) {
            return Err(Problem::unavailable(reason, 5));
        }
        let (hub, live) = (Arc::clone(self), Arc::clone(live));
        let outcome = tokio::task::spawn_blocking(move || hub.after(&live, after)).await;
        match outcome {
            Ok(Ok(revisions)) => Ok(revisions),
            Ok(Err(error)) => {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), error.to_string()));
                Err(trouble(&error))
            }
            Err(error) => {
                tracing::error!(%error, "a revision could not be read");
                Err(Problem::internal("the revisions could not be read; the server's log says why"))
            }
        }
    }
}

/// What to say where the record does not answer.
pub(crate) fn trouble(error: &LiveError) -> Problem {
    match error {
        LiveError::Store(StoreError::Away { .. } | StoreError::Busy { .. } | StoreError::Database { .. }) => {
            Problem::unavailable(
                format!("the record of changes cannot be read now: {error}; ask again in a few seconds"),
                5,
            )
        }
        _ => Problem::internal(format!("the record of changes cannot be read: {error}")),
    }
}
