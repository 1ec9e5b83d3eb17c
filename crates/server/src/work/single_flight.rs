//! One computation for all that wait for the same result.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::{sync::watch, task::AbortHandle};
use tracing::Instrument;

use crate::http::{client::Client, problem::Problem};

/// A computation that several requests wait for. It is aborted when the last of them is dropped.
struct SharedTask<T> {
    outcome: watch::Receiver<Option<Result<T, Problem>>>,
    task: AbortHandle,
}

impl<T> Drop for SharedTask<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A slot for at most one running computation.
pub(crate) struct SingleFlight<T>(Mutex<Weak<SharedTask<T>>>);

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(Weak::new()))
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Waits for the running computation, or for the one that `begin` starts if there is none.
    ///
    /// # Errors
    /// The error of the computation; 500 if it panics.
    pub(crate) async fn join<F>(&self, begin: impl FnOnce() -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let flight = self.flight(begin);
        let mut outcome = flight.outcome.clone();
        let result = match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_ended) => None,
        };
        drop(flight);
        result.unwrap_or_else(|| Err(Problem::internal("the answer could not be made; see the server's log")))
    }

    fn flight<F>(&self, begin: impl FnOnce() -> F) -> Arc<SharedTask<T>>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An ended computation cannot be joined: its result is stored elsewhere, or it failed.
        if let Some(flight) = slot.upgrade().filter(|flight| !flight.task.is_finished()) {
            return flight;
        }
        let (sender, outcome) = watch::channel(None);
        let work = begin();
        let computation = async move {
            let result = work.await;
            // An error means that nobody waits any more.
            sender.send(Some(result)).ok();
        };
        // Whoever comes first waits for a place in the queue.
        let computation = Client::scope(Client::current(), computation);
        let task = tokio::spawn(computation.in_current_span());
        let flight = Arc::new(SharedTask { outcome, task: task.abort_handle() });
        *slot = Arc::downgrade(&flight);
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn all_who_wait_share_one_computation_until_the_last_one_leaves() {
        let single_flight = Arc::new(SingleFlight::<u32>::default());
        let begun = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicUsize::new(0));
        struct Count(Arc<AtomicUsize>);
        impl Drop for Count {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let ask = |millis: u64| {
            let (single_flight, begun, ended) =
                (Arc::clone(&single_flight), Arc::clone(&begun), Arc::clone(&ended));
            tokio::spawn(async move {
                let begin = || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    async move {
                        let _count = Count(ended);
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                        Ok(7)
                    }
                };
                single_flight.join(begin).await
            })
        };
        let crowd: Vec<_> = (0..20).map(|_| ask(50)).collect();
        for one in crowd {
            assert_eq!(one.await.unwrap().unwrap(), 7);
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);

        let two = [ask(60_000), ask(60_000)];
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        two[0].abort();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ended.load(Ordering::Relaxed), 1, "one still waits");
        two[1].abort();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ended.load(Ordering::Relaxed), 2, "nobody waits");
    }
}
