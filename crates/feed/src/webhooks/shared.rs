//! What the manager and all deliveries share.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citymap_live::Live;

use super::{WebhookError, WebhookOptions, lease::Lease};
use crate::Hub;

/// What the manager and all deliveries share.
pub(super) struct Shared {
    pub(super) live: Arc<Live>,
    pub(super) hub: Arc<Hub>,
    pub(super) options: WebhookOptions,
    pub(super) lease: Lease,
    pub(super) bell: Bell,
    stopping: AtomicBool,
}

impl Shared {
    /// # Errors
    /// [`WebhookError::Random`] if the lease's holder cannot be named.
    pub(super) fn new(live: Arc<Live>, hub: Arc<Hub>, options: WebhookOptions) -> Result<Self, WebhookError> {
        let lease = Lease::new(options.lease)?;
        Ok(Self { live, hub, options, lease, bell: Bell::default(), stopping: AtomicBool::new(false) })
    }

    /// Tells all threads to stop, and does not wait for them.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.bell.ring();
    }

    pub(super) fn is_running(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
    }
}

/// Wakes the threads that wait for something new: a revision, a changed subscription, the end.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// The number of rings so far.
    pub(super) fn count(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are more rings than `seen`, or the time is over.
    pub(super) fn wait(&self, seen: u64, timeout: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(rung, timeout, |rung| *rung == seen));
    }
}
