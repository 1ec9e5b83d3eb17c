//! The pool for large work: few tasks at once, each parallel, at low priority.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use citymap_engine::Cancel;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;
use tracing::Span;

use super::{
    CancelOnDrop,
    blocking::{Admission, Load},
    cancelled_by_client,
    latency::LatencyEstimate,
};
use crate::http::problem::Problem;

/// Runs large work with a maximum number of tasks at once and a bounded queue.
///
/// Each task runs in a [`Worker`], a rayon thread pool of its own, so that parallel loops (`par_iter`) within
/// the task stay there. The threads have low priority: they get the processor time that other threads leave.
pub(crate) struct BatchPool {
    name: &'static str,
    admission: Admission,
    latency: Arc<LatencyEstimate>,
    /// Thread pools that no task uses now. They are created when first needed.
    idle: Arc<Mutex<Vec<Arc<ThreadPool>>>>,
    threads: usize,
    /// From 0 (normal priority) to 19 (lowest).
    niceness: i32,
}

impl BatchPool {
    /// A pool of `running` workers with `threads` threads each, and a queue of `waiting` tasks.
    pub(crate) fn new(
        name: &'static str,
        running: usize,
        waiting: usize,
        threads: usize,
        niceness: i32,
    ) -> Self {
        // Without thread priorities, one thread fewer leaves room for other work.
        let threads = if cfg!(target_os = "linux") { threads } else { threads.saturating_sub(1) };
        Self {
            name,
            admission: Admission::new(running, waiting),
            latency: Arc::default(),
            idle: Arc::default(),
            threads: threads.max(1),
            niceness,
        }
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

    /// Runs `work` in a worker as soon as it is admitted. The flag that `work` gets is set when the returned
    /// future is dropped; long loops check it.
    ///
    /// # Errors
    /// The error of `work`; 503 if the queue is full; 500 if `work` panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Cancel) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run_with(Cancel::new(), work).await
    }

    /// As [`BatchPool::run`], with a flag that others may set too.
    ///
    /// # Errors
    /// As [`BatchPool::run`].
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        cancel: Cancel,
        work: impl FnOnce(&Cancel) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let guard = CancelOnDrop::new(cancel.clone());
        let permit = self.admission.next(&self.latency).await?;
        let worker = Worker::take(self)?;
        let (sender, receiver) = oneshot::channel();
        let threads = Arc::clone(&worker.threads);
        let latency = Arc::clone(&self.latency);
        let span = Span::current();
        threads.spawn(move || {
            let entered = span.entered();
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                cancel.check().map_err(|_gone| cancelled_by_client())?;
                work(&cancel)
            }));
            latency.record(start);
            drop(entered);
            // The worker first, then the permit that lets the next task look for one, then the result.
            drop(worker);
            drop(permit);
            // An error means that the client has disconnected.
            sender.send(outcome).ok();
        });
        let outcome = receiver.await;
        guard.ended();
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => {
                tracing::error!("a large request panicked");
                Err(Problem::internal("the request could not be answered; see the server's log"))
            }
        }
    }

    fn make_worker(&self) -> Result<ThreadPool, Problem> {
        let (name, niceness) = (self.name, self.niceness);
        ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(move |number| format!("{name}-{number}"))
            .start_handler(move |_| lower_priority(niceness))
            .build()
            .map_err(|error| Problem::unavailable(format!("no threads for a large request: {error}"), 10))
    }
}

/// A thread pool on loan to one task; returned to the idle ones when dropped.
struct Worker {
    threads: Arc<ThreadPool>,
    idle: Arc<Mutex<Vec<Arc<ThreadPool>>>>,
}

impl Worker {
    fn take(batch: &BatchPool) -> Result<Self, Problem> {
        let idle = batch.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let threads = match idle {
            Some(threads) => threads,
            None => Arc::new(batch.make_worker()?),
        };
        Ok(Self { threads, idle: Arc::clone(&batch.idle) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let threads = Arc::clone(&self.threads);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(threads);
    }
}

/// Lowers the priority of the calling thread only.
#[cfg(target_os = "linux")]
pub(super) fn lower_priority(niceness: i32) {
    // On Linux a priority belongs to a thread; no id means the calling one.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a batch thread keeps its normal priority; small requests may wait for it"
        );
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lower_priority(_nice: i32) {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rayon::prelude::*;

    use super::*;

    fn batch() -> Arc<BatchPool> {
        Arc::new(BatchPool::new("test", 1, 1, 2, 19))
    }

    #[tokio::test]
    async fn parallel_work_stays_on_threads_of_low_priority() {
        let names = batch()
            .run(|_| {
                let names: Vec<(String, i32)> = (0..64)
                    .into_par_iter()
                    .map(|_| {
                        let niceness = rustix::process::getpriority_process(None).unwrap();
                        (std::thread::current().name().unwrap_or_default().to_owned(), niceness)
                    })
                    .collect();
                Ok(names)
            })
            .await
            .unwrap();
        assert!(names.iter().all(|(name, _)| name.starts_with("test-")), "{names:?}");
        if cfg!(target_os = "linux") {
            assert!(names.iter().all(|(_, niceness)| *niceness == 19), "{names:?}");
            assert_eq!(
                rustix::process::getpriority_process(None).unwrap(),
                0,
                "this thread keeps its priority"
            );
        }
    }

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_refused_and_a_disconnect_ends_the_work() {
        let batch = batch();
        let ask = || {
            let batch = Arc::clone(&batch);
            tokio::spawn(async move {
                batch
                    .run(|cancel| {
                        while cancel.check().is_ok() {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        Ok(())
                    })
                    .await
            })
        };
        let first = ask();
        while batch.admission.free() > 0 {
            tokio::task::yield_now().await;
        }
        let second = ask();
        while batch.admission.places() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(batch.run(|_| Ok(())).await.unwrap_err().status(), 503);
        second.abort();
        first.abort();
        let _ = (first.await, second.await);
        assert_eq!(batch.run(|_| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_returns_its_worker() {
        let batch = batch();
        for _ in 0..3 {
            assert_eq!(batch.run::<()>(|_| panic!("on purpose")).await.unwrap_err().status(), 500);
        }
        assert_eq!(batch.run(|_| Ok(1)).await.unwrap(), 1);
        assert_eq!(batch.idle.lock().unwrap().len(), 1);
    }
}
