//! The lease that lets one server at a time deliver: the server that writes it again and again holds it.
//!
//! Clocks of different machines are never compared. A server that waits takes over when, by its own clock,
//! the version of the lease has not changed for its whole length. The holder stops earlier than that by its
//! own clock.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use citymap_store::Store;
use serde::{Deserialize, Serialize};

use super::{
    WebhookError,
    documents::{read, write},
    secret::random_id,
};

const NAME: &str = "webhooks/lease";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// The document of the lease.
struct LeaseDocument {
    /// The server that holds it; `None` if it was given back.
    holder: Option<String>,
}

/// The lease as this server sees it.
pub(super) struct Lease {
    /// The random name of this server.
    server: String,
    length: Duration,
    /// Until when this server may deliver.
    until: Mutex<Option<Instant>>,
}

/// What the thread that renews the lease knows of it.
#[derive(Default)]
pub(super) struct LeaseState {
    /// The version that this server wrote.
    written_version: Option<u64>,
    /// When this server wrote it.
    written_at: Option<Instant>,
    /// The version that another server wrote, and when this server first saw it.
    others_version: Option<(u64, Instant)>,
}

impl Lease {
    pub(super) fn new(length: Duration) -> Result<Self, WebhookError> {
        Ok(Self { server: random_id()?, length, until: Mutex::new(None) })
    }

    /// Whether this server may deliver now.
    pub(super) fn held(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Takes or renews the lease if that is due. Returns whether this server holds it afterwards.
    pub(super) fn renew(&self, store: &dyn Store, state: &mut LeaseState) -> Result<bool, WebhookError> {
        let start = Instant::now();
        if self.held() && state.written_at.is_some_and(|written| written.elapsed() < self.length / 3) {
            return Ok(true);
        }
        let (body, version) = read::<LeaseDocument>(store, NAME)?;
        let free = version == 0 || body.holder.is_none();
        let ours = state.written_version == Some(version);
        if !free && !ours {
            state.written_version = None;
            self.set(None);
            match state.others_version {
                Some((seen, since)) if seen == version => {
                    if since.elapsed() < self.length {
                        return Ok(false);
                    }
                    tracing::info!("the server that delivered webhooks is silent; this one takes over");
                }
                _ => {
                    state.others_version = Some((version, Instant::now()));
                    return Ok(false);
                }
            }
        }
        if !write(store, NAME, version, &LeaseDocument { holder: Some(self.server.clone()) })? {
            state.written_version = None;
            self.set(None);
            return Ok(false);
        }
        let (body, version) = read::<LeaseDocument>(store, NAME)?;
        if body.holder.as_ref() != Some(&self.server) {
            return Ok(false);
        }
        state.written_version = Some(version);
        state.written_at = Some(start);
        state.others_version = None;
        self.set(Some(start + self.length.mul_f64(0.8)));
        Ok(true)
    }

    /// Gives the lease back, so that another server can take it at once.
    pub(super) fn release(&self, store: &dyn Store, state: &mut LeaseState) {
        self.set(None);
        let Some(version) = state.written_version.take() else { return };
        if let Err(error) = write(store, NAME, version, &LeaseDocument::default()) {
            tracing::debug!(%error, "the lease of webhooks could not be given back; it expires by itself");
        }
    }
}
