//! The city at former revisions: made one at a time, once for all who ask for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use citymap_engine::Cancel;
use citymap_live::{CitySnapshot, Live};
use citymap_model::RevisionNumber;

use super::{BatchPool, SingleFlight};
use crate::http::problem::Problem;

/// Makes former states of the city. A state that is kept ([`Live::kept_at`]) is given at once; others are
/// made by threads of low priority, in a queue of their own, so that pages and searches do not wait.
pub(crate) struct FormerStates {
    live: Arc<Live>,
    pool: Arc<BatchPool>,
    /// The states that are being made.
    flights: Mutex<HashMap<RevisionNumber, Arc<SingleFlight<CitySnapshot>>>>,
}

impl FormerStates {
    /// Former states of `live`, made in `pool`.
    pub(crate) fn new(live: Arc<Live>, pool: BatchPool) -> Self {
        Self { live, pool: Arc::new(pool), flights: Mutex::default() }
    }

    /// Where they are made.
    pub(crate) fn pool(&self) -> &BatchPool {
        &self.pool
    }

    /// The city at a revision. Who asks for a revision that is being made for another one waits for it and
    /// takes no place in the queue.
    ///
    /// # Errors
    /// 400 if there is no such revision; 429 or 503 if too many others are wanted.
    pub(crate) async fn at(&self, revision: RevisionNumber) -> Result<CitySnapshot, Problem> {
        if let Some(kept) = self.live.kept_at(revision) {
            return Ok(kept);
        }
        let flight = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for those that only the map holds.
            flights.retain(|_, flight| Arc::strong_count(flight) > 1);
            Arc::clone(flights.entry(revision).or_default())
        };
        let begin = || {
            let (live, pool) = (Arc::clone(&self.live), Arc::clone(&self.pool));
            async move {
                let work = move |cancel: &Cancel| Ok(live.snapshot_at_until(revision, cancel)?);
                pool.run(work).await
            }
        };
        flight.join(begin).await
    }
}
