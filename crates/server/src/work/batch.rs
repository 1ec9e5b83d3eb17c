use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use citymap_engine::Cancel;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{CancelOnDrop, blocking::Admission, cancelled_by_client, latency::LatencyEstimate};
use crate::http::problem::Problem;

/// Where large questions are worked on, so many at once, and so many that wait. Each runs in a lane: a pool of rayon's
/// threads of its own, so that what is parallel within it (`par_iter`) stays there. The system gives these threads what
/// others leave over.
pub(crate) struct BatchPool {
    name: &'static str,
    admission: Admission,
    latency: Arc<LatencyEstimate>,
    /// Lanes that stand ready; made when first wanted.
    idle: Arc<Mutex<Vec<Arc<ThreadPool>>>>,
    threads: usize,
    /// From 0 (as everybody) to 19 (only what others leave over).
    niceness: i32,
}

impl BatchPool {
    /// `running` lanes of `threads` threads each, and so many questions that wait.
    pub(crate) fn new(
        name: &'static str,
        running: usize,
        waiting: usize,
        threads: usize,
        niceness: i32,
    ) -> Self {
        // Where the system cannot be told what comes first, one thread fewer leaves room for the rest.
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

    /// Runs `work` in a lane when its turn comes; 503 at once where too many wait already. The flag is set when whoever
    /// waits for this goes away: long loops look at it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Cancel) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run_with(Cancel::new(), work).await
    }

    /// As [`BatchPool::run`], with a flag that somebody else may set too.
    pub(crate) async fn run_with<T: Send + 'static>(
        &self,
        cancel: Cancel,
        work: impl FnOnce(&Cancel) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let guard = CancelOnDrop::new(cancel.clone());
        let permit = self.admission.next(&self.latency).await?;
        let worker = Worker::take(self)?;
        let (tell, told) = oneshot::channel();
        let threads = Arc::clone(&worker.threads);
        let latency = Arc::clone(&self.latency);
        threads.spawn(move || {
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                cancel.check().map_err(|_gone| cancelled_by_client())?;
                work(&cancel)
            }));
            latency.record(start);
            // First the lane, then the turn that lets somebody look for one, then the answer.
            end(worker, permit);
            let _nobody_waits = tell.send(outcome);
        });
        let outcome = told.await;
        guard.ended();
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => {
                tracing::error!("a large question failed");
                Err(Problem::internal("the question could not be answered; the server's log says why"))
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
            .map_err(|error| Problem::unavailable(format!("no threads for a large question: {error}"), 10))
    }
}

fn end(worker: Worker, permit: OwnedSemaphorePermit) {
    drop(worker);
    drop(permit);
}

/// A pool of threads that is somebody's; given back when dropped.
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

/// Lets the calling thread, and no other, run after those that are not so nice.
#[cfg(target_os = "linux")]
pub(super) fn lower_priority(niceness: i32) {
    // On Linux a priority belongs to a thread; without an id the calling one is meant.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        tracing::warn!(%error, "a thread for large questions keeps its priority; small ones may wait for it");
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
    async fn parallel_work_stays_on_threads_that_step_back() {
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
            assert_eq!(rustix::process::getpriority_process(None).unwrap(), 0, "this thread is as it was");
        }
    }

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_sent_away_and_who_leaves_ends_the_work() {
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
    async fn a_panic_is_a_problem_and_gives_its_lane_back() {
        let batch = batch();
        for _ in 0..3 {
            assert_eq!(batch.run::<()>(|_| panic!("on purpose")).await.unwrap_err().status(), 500);
        }
        assert_eq!(batch.run(|_| Ok(1)).await.unwrap(), 1);
        assert_eq!(batch.idle.lock().unwrap().len(), 1);
    }
}
