//! The thread that looks after subscriptions: one that delivers for each, while this server holds the lease.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use citymap_live::Live;

use super::{
    SUBSCRIPTIONS_MAX, WebhookError, WebhookOptions,
    delivery::Delivery,
    documents::{LIST, List, Stored, read},
    lease::{Lease, Tended},
};
use crate::feed::Hub;

/// What all deliveries share.
pub(super) struct Shared {
    pub(super) live: Arc<Live>,
    pub(super) hub: Arc<Hub>,
    pub(super) options: WebhookOptions,
    pub(super) lease: Lease,
    pub(super) bell: Bell,
    stop: AtomicBool,
}

impl Shared {
    pub(super) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Wakes the threads that wait.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// How often it has rung.
    pub(super) fn now(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has rung since, or the time is over.
    pub(super) fn wait(&self, seen: u64, timeout: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(rung, timeout, |rung| *rung == seen));
    }
}

/// The running deliveries of a server.
pub(crate) struct Webhooks {
    shared: Arc<Shared>,
    manager: JoinHandle<()>,
}

impl Webhooks {
    /// Says that it is time to stop, and does not wait.
    pub(crate) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.bell.ring();
    }

    /// Waits until what is being sent has been, and the lease is given back.
    pub(crate) fn wait(self) {
        if self.manager.join().is_err() {
            tracing::error!("the thread of webhooks failed");
        }
    }
}

/// Starts the deliveries, on threads of their own. Must be called where tokio runs.
pub(crate) fn start(live: Arc<Live>, hub: Arc<Hub>, options: WebhookOptions) -> io::Result<Webhooks> {
    let lease = Lease::new(options.lease).map_err(io::Error::other)?;
    let mut revisions = live.revisions();
    let mut closing = hub.closing();
    let shared =
        Arc::new(Shared { live, hub, options, lease, bell: Bell::default(), stop: AtomicBool::new(false) });
    let rings = Arc::clone(&shared);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = revisions.changed() => if changed.is_err() { return },
                _ = closing.changed() => return,
            }
            rings.bell.ring();
        }
    });
    let manager = thread::Builder::new().name("webhooks".to_owned()).spawn({
        let shared = Arc::clone(&shared);
        move || Manager { shared, workers: BTreeMap::new(), tended: Tended::default() }.run()
    })?;
    Ok(Webhooks { shared, manager })
}

struct Worker {
    own: Stored,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

struct Manager {
    shared: Arc<Shared>,
    workers: BTreeMap<String, Worker>,
    tended: Tended,
}

impl Manager {
    fn run(mut self) {
        let mut failing = false;
        // Revisions ring the bell too, many a second perhaps; the subscriptions are not looked at that often.
        while self.shared.goes_on() {
            match self.look() {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "the subscriptions of webhooks cannot be read");
                    }
                    failing = true;
                }
            }
            let until = std::time::Instant::now() + self.shared.options.poll;
            while let Some(rest) = until.checked_duration_since(std::time::Instant::now()) {
                if !self.shared.goes_on() || rest.is_zero() {
                    break;
                }
                let seen = self.shared.bell.now();
                self.shared.bell.wait(seen, rest);
            }
        }
        self.shared.bell.ring();
        for (_, worker) in std::mem::take(&mut self.workers) {
            if worker.thread.join().is_err() {
                tracing::error!(subscription = worker.own.name, "a delivery failed");
            }
        }
        self.shared.lease.release(self.shared.live.store(), &mut self.tended);
    }

    fn look(&mut self) -> Result<(), WebhookError> {
        let store = self.shared.live.store();
        let (list, _) = read::<List>(store, LIST)?;
        let mut active: BTreeMap<String, Stored> = list
            .subscriptions
            .into_iter()
            .filter(|own| !own.paused && own.ended.is_none())
            .take(SUBSCRIPTIONS_MAX)
            .map(|own| (own.id.clone(), own))
            .collect();
        if active.is_empty() {
            if self.workers.is_empty() {
                self.shared.lease.release(store, &mut self.tended);
            }
        } else if !self.shared.lease.tend(store, &mut self.tended)? {
            active.clear();
        }
        for (id, worker) in &self.workers {
            if active.get(id) != Some(&worker.own) {
                worker.stop.store(true, Ordering::Relaxed);
            }
        }
        self.shared.bell.ring();
        self.workers.retain(|_, worker| !worker.thread.is_finished());
        for (id, own) in active {
            // One that was told to stop ends first; two would send the same.
            if !self.workers.contains_key(&id) {
                match self.hire(own) {
                    Ok(worker) => drop(self.workers.insert(id, worker)),
                    Err(error) => tracing::error!(subscription = id, %error, "nothing can be delivered"),
                }
            }
        }
        Ok(())
    }

    fn hire(&self, own: Stored) -> Result<Worker, WebhookError> {
        let stop = Arc::new(AtomicBool::new(false));
        let delivery = Delivery::new(Arc::clone(&self.shared), own.clone(), Arc::clone(&stop))?;
        let thread = thread::Builder::new()
            .name(format!("webhook-{}", own.id))
            .spawn(move || delivery.run())
            .map_err(|error| WebhookError::Document { name: own.id.clone(), reason: error.to_string() })?;
        Ok(Worker { own, stop, thread })
    }
}
