//! One server at a time: who wrote the lease last, and does so again and again, delivers.
//!
//! No clock is compared with another machine's. A server that waits takes over when the lease's version has not changed
//! for its whole length by its own clock; the one that holds it stops earlier than that, by its own clock.

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
struct Body {
    /// Who holds it; nobody where it was given back.
    holder: Option<String>,
}

/// This server's part in it.
pub(super) struct Lease {
    me: String,
    length: Duration,
    /// Until when it is ours.
    until: Mutex<Option<Instant>>,
}

/// What the thread that tends the lease knows of it.
#[derive(Default)]
pub(super) struct Tended {
    /// The version we wrote.
    own: Option<u64>,
    /// When it was written.
    written: Option<Instant>,
    /// Another one's version, and since when it has been that.
    seen: Option<(u64, Instant)>,
}

impl Lease {
    pub(super) fn new(length: Duration) -> Result<Self, WebhookError> {
        Ok(Self { me: random_id()?, length, until: Mutex::new(None) })
    }

    /// Whether this server may deliver now, and for a while yet.
    pub(super) fn held(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Takes or renews the lease where it is time to; whether it is held then.
    pub(super) fn tend(&self, store: &dyn Store, tended: &mut Tended) -> Result<bool, WebhookError> {
        let start = Instant::now();
        if self.held() && tended.written.is_some_and(|written| written.elapsed() < self.length / 3) {
            return Ok(true);
        }
        let (body, version) = read::<Body>(store, NAME)?;
        let free = version == 0 || body.holder.is_none();
        let ours = tended.own == Some(version);
        if !free && !ours {
            tended.own = None;
            self.set(None);
            match tended.seen {
                Some((seen, since)) if seen == version => {
                    if since.elapsed() < self.length {
                        return Ok(false);
                    }
                    tracing::info!("the server that delivered webhooks is silent; this one takes over");
                }
                _ => {
                    tended.seen = Some((version, Instant::now()));
                    return Ok(false);
                }
            }
        }
        if !write(store, NAME, version, &Body { holder: Some(self.me.clone()) })? {
            tended.own = None;
            self.set(None);
            return Ok(false);
        }
        let (body, version) = read::<Body>(store, NAME)?;
        if body.holder.as_ref() != Some(&self.me) {
            return Ok(false);
        }
        tended.own = Some(version);
        tended.written = Some(start);
        tended.seen = None;
        self.set(Some(start + self.length.mul_f64(0.8)));
        Ok(true)
    }

    /// Gives the lease back, so that another server need not wait.
    pub(super) fn release(&self, store: &dyn Store, tended: &mut Tended) {
        self.set(None);
        let Some(version) = tended.own.take() else { return };
        if let Err(error) = write(store, NAME, version, &Body::default()) {
            tracing::debug!(%error, "the lease of webhooks runs out by itself");
        }
    }
}
