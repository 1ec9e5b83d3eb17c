//! The thread that looks after subscriptions: it runs one delivery for each while this server holds the
//! lease.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use citymap_live::Live;

use super::{
    SUBSCRIPTIONS_MAX, WebhookError, WebhookOptions,
    delivery::Delivery,
    documents::{LIST, List, Stored, read},
    lease::LeaseState,
    shared::Shared,
};
use crate::Hub;

/// The running deliveries of a server.
pub struct Webhooks {
    shared: Arc<Shared>,
    manager: JoinHandle<()>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Webhooks {
    /// Tells the deliveries to stop, and does not wait for them.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Waits until messages in flight are answered and the lease is given back. Blocks.
    pub fn wait(self) {
        if self.manager.join().is_err() {
            tracing::error!("the thread that manages webhooks failed");
        }
    }
}

/// Starts the deliveries, on threads of their own. Must be called within a tokio runtime.
///
/// # Errors
/// The system gives no thread or no random numbers.
pub fn start(live: Arc<Live>, hub: Arc<Hub>, options: WebhookOptions) -> io::Result<Webhooks> {
    let mut revisions = live.revisions();
    let mut closing = hub.closing();
    let shared = Arc::new(Shared::new(live, hub, options).map_err(io::Error::other)?);
    let rung = Arc::clone(&shared);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = revisions.changed() => if changed.is_err() { return },
                _ = closing.changed() => return,
            }
            rung.bell.ring();
        }
    });
    let manager = thread::Builder::new().name("webhooks".to_owned()).spawn({
        let shared = Arc::clone(&shared);
        move || Manager { shared, workers: BTreeMap::new(), lease: LeaseState::default() }.run()
    })?;
    Ok(Webhooks { shared, manager })
}

/// A thread that delivers to one subscriber.
struct Worker {
    subscription: Stored,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

struct Manager {
    shared: Arc<Shared>,
    workers: BTreeMap<String, Worker>,
    lease: LeaseState,
}

impl Manager {
    fn run(mut self) {
        let mut failing = false;
        // Revisions ring the bell too, perhaps many a second; the subscriptions are not read that often.
        while self.shared.is_running() {
            match self.reconcile() {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "the subscriptions of webhooks cannot be read");
                    }
                    failing = true;
                }
            }
            let until = Instant::now() + self.shared.options.poll;
            while let Some(rest) = until.checked_duration_since(Instant::now()) {
                if !self.shared.is_running() || rest.is_zero() {
                    break;
                }
                let seen = self.shared.bell.count();
                self.shared.bell.wait(seen, rest);
            }
        }
        self.shared.bell.ring();
        for (_, worker) in std::mem::take(&mut self.workers) {
            if worker.thread.join().is_err() {
                tracing::error!(subscription = worker.subscription.name, "the thread of a delivery failed");
            }
        }
        self.shared.lease.release(self.shared.live.store(), &mut self.lease);
    }

    /// Reads the subscriptions, and starts and stops deliveries to match them.
    fn reconcile(&mut self) -> Result<(), WebhookError> {
        let store = self.shared.live.store();
        let (list, _) = read::<List>(store, LIST)?;
        let mut active: BTreeMap<String, Stored> = list
            .subscriptions
            .into_iter()
            .filter(|subscription| !subscription.paused && subscription.ended.is_none())
            .take(SUBSCRIPTIONS_MAX)
            .map(|subscription| (subscription.id.clone(), subscription))
            .collect();
        if active.is_empty() {
            if self.workers.is_empty() {
                self.shared.lease.release(store, &mut self.lease);
            }
        } else if !self.shared.lease.renew(store, &mut self.lease)? {
            active.clear();
        }
        for (id, worker) in &self.workers {
            if active.get(id) != Some(&worker.subscription) {
                worker.stop.store(true, Ordering::Relaxed);
            }
        }
        self.shared.bell.ring();
        self.workers.retain(|_, worker| !worker.thread.is_finished());
        for (id, subscription) in active {
            // A worker that was told to stop must end first: two would send the same revisions.
            if !self.workers.contains_key(&id) {
                match self.start_worker(subscription) {
                    Ok(worker) => drop(self.workers.insert(id, worker)),
                    Err(error) => {
                        tracing::error!(subscription = id, %error, "a subscriber cannot be served");
                    }
                }
            }
        }
        Ok(())
    }

    fn start_worker(&self, subscription: Stored) -> Result<Worker, WebhookError> {
        let stop = Arc::new(AtomicBool::new(false));
        let delivery = Delivery::new(Arc::clone(&self.shared), subscription.clone(), Arc::clone(&stop))?;
        let thread = thread::Builder::new()
            .name(format!("webhook-{}", subscription.id))
            .spawn(move || delivery.run())
            .map_err(|source| WebhookError::Thread { subscription: subscription.id.clone(), source })?;
        Ok(Worker { subscription, stop, thread })
    }
}
