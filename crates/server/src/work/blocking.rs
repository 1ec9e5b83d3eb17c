//! The pool for work of middle size, and the admission that all pools share.

use std::{sync::Arc, time::Instant};

use citymap_engine::Cancel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use super::{CancelOnDrop, cancelled_by_client, latency::LatencyEstimate, shares::Shares};
use crate::http::{client::Client, problem::Problem};

/// Runs blocking work off the I/O threads, with a maximum number of tasks at once and a bounded queue.
#[derive(Debug)]
pub(crate) struct BlockingPool {
    admission: Admission,
    latency: Arc<LatencyEstimate>,
}

/// Admits at most `running` tasks at once, in arrival order; at most `waiting` wait.
#[derive(Debug)]
pub(super) struct Admission {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    running_max: usize,
    waiting_max: usize,
    /// The places in the queue that one client may hold.
    shares: Arc<Shares>,
}

/// What a pool does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// Tasks whose work has not ended, also those whose client has gone.
    pub(crate) running: usize,
    /// Tasks in the queue.
    pub(crate) waiting: usize,
}

impl Admission {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let (running_max, waiting_max) = (running.max(1), waiting.min(Semaphore::MAX_PERMITS));
        Self {
            running: Arc::new(Semaphore::new(running_max)),
            waiting: Semaphore::new(waiting_max),
            running_max,
            waiting_max,
            shares: Shares::new(waiting_max),
        }
    }

    /// Bounds the places in the queue that one client may hold.
    pub(super) fn share(&mut self, per_client: usize) {
        self.shares = Shares::new(per_client);
    }

    /// What runs and what waits now.
    pub(super) fn load(&self) -> Load {
        Load {
            running: self.running_max.saturating_sub(self.running.available_permits()),
            waiting: self.waiting_max.saturating_sub(self.waiting.available_permits()),
        }
    }

    /// The number of free permits.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.running.available_permits()
    }

    /// The number of free places in the queue.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.waiting.available_permits()
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// Immediately: 503 if the queue is full, 429 if the client holds its share of it.
    pub(super) async fn next(&self, latency: &LatencyEstimate) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let Ok(_queued) = self.waiting.try_acquire() else {
            let seconds = latency.retry_after(self.waiting_max, self.running_max);
            return Err(Problem::unavailable(
                format!("too many requests of this size are waiting; try again in {seconds} s"),
                seconds,
            ));
        };
        let Some(_share) = self.shares.take(Client::current(), 1) else {
            let seconds = latency.retry_after(self.shares.max(), self.running_max);
            return Err(Problem::too_many(
                format!("too many requests of this client are waiting; try again in {seconds} s"),
                seconds,
            ));
        };
        let permit = Arc::clone(&self.running).acquire_owned().await;
        permit.map_err(|_closed| Problem::unavailable("the server is stopping", 5))
    }
}

impl BlockingPool {
    /// A pool that runs at most `running` tasks at once and queues at most `waiting`.
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        Self { admission: Admission::new(running, waiting), latency: Arc::default() }
    }

    /// What runs and what waits now.
    pub(crate) fn load(&self) -> Load {
        self.admission.load()
    }

    /// Lets one client hold at most `per_client` places in the queue.
    pub(crate) fn with_share(mut self, per_client: usize) -> Self {
        self.admission.share(per_client);
        self
    }

    /// Runs `work` on a blocking thread as soon as it is admitted.
    ///
    /// # Errors
    /// The error of `work`; 503 if the queue is full; 500 if `work` panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run_with(Cancel::new(), move |_| work()).await
    }

    /// As [`BlockingPool::run`]; `cancel` is set when the returned future is dropped, and others may set it
    /// too.
    ///
    /// The permit is held until the work ends, even if the client has disconnected in the meantime, so that
    /// running work is always counted. Work that checks `cancel` ends soon.
    ///
    /// # Errors
    /// As [`BlockingPool::run`].
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        cancel: Cancel,
        work: impl FnOnce(&Cancel) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let guard = CancelOnDrop::new(cancel.clone());
        let permit = self.admission.next(&self.latency).await?;
        let latency = Arc::clone(&self.latency);
        let span = Span::current();
        let outcome = tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let _permit = permit;
            cancel.check().map_err(|_gone| cancelled_by_client())?;
            let start = Instant::now();
            let result = work(&cancel);
            latency.record(start);
            result
        })
        .await;
        guard.ended();
        match outcome {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request panicked");
                Err(Problem::internal("the request could not be answered; see the server's log"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn a_disconnected_client_cancels_its_work_and_frees_its_slot() {
        let blocking = Arc::new(BlockingPool::new(1, 1));
        let cancel = Cancel::new();
        let (begun, began) = mpsc::channel();
        let work = move |cancel: &Cancel| {
            begun.send(()).unwrap();
            while cancel.check().is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        };
        let running = tokio::spawn({
            let (blocking, cancel) = (Arc::clone(&blocking), cancel.clone());
            async move { blocking.run_with(cancel, work).await }
        });
        tokio::task::spawn_blocking(move || began.recv().unwrap()).await.unwrap();
        let queued = tokio::spawn({
            let blocking = Arc::clone(&blocking);
            async move { blocking.run(|| Ok(())).await }
        });
        while blocking.admission.places() > 0 {
            tokio::task::yield_now().await;
        }
        queued.abort();
        assert!(queued.await.unwrap_err().is_cancelled());
        assert_eq!(blocking.admission.places(), 1, "the queued task has freed its place");
        assert!(!cancel.is_cancelled());
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert!(cancel.is_cancelled());
        assert!(blocking.run(|| Ok(())).await.is_ok(), "the permit is returned");
    }

    #[tokio::test]
    async fn one_runs_one_waits_and_the_third_is_refused() {
        let blocking = Arc::new(BlockingPool::new(1, 1));
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let blocking = Arc::clone(&blocking);
            async move {
                let work = move || {
                    wait.recv().unwrap();
                    Ok(())
                };
                blocking.run(work).await
            }
        });
        while blocking.admission.free() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let blocking = Arc::clone(&blocking);
            async move { blocking.run(|| Ok(2)).await }
        });
        while blocking.admission.places() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(blocking.run(|| Ok(3)).await.unwrap_err().status(), 503);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(blocking.run(|| Ok(4)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_returns_its_permit() {
        let blocking = BlockingPool::new(1, 0);
        for _ in 0..3 {
            assert_eq!(blocking.run::<()>(|| panic!("on purpose")).await.unwrap_err().status(), 500);
        }
        assert!(blocking.run(|| Ok(())).await.is_ok());
    }
}
