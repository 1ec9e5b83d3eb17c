//! How much of a resource one client may hold, and how many bytes all of them may.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::{client::Client, problem::Problem};

/// What each client holds of one resource, with a maximum.
#[derive(Debug)]
pub(crate) struct Shares {
    max: usize,
    held: Mutex<HashMap<Client, usize>>,
}

impl Shares {
    /// Shares of at most `max` units for each client.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, held: Mutex::default() })
    }

    /// Takes units for a client; `None` if it would hold more than its share. A client that holds nothing
    /// gets what it asks for, so that one answer larger than a share is possible. Work without a client
    /// (`None`) is not bounded.
    pub(crate) fn take(self: &Arc<Self>, client: Option<Client>, units: usize) -> Option<Share> {
        if let Some(client) = client {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let own = held.entry(client).or_default();
            if *own > 0 && *own + units > self.max {
                return None;
            }
            *own += units;
        }
        Some(Share { shares: Arc::clone(self), client, units })
    }

    /// Maximum number of units that one client holds together.
    pub(crate) fn max(&self) -> usize {
        self.max
    }
}

/// Units that a client holds until this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    client: Option<Client>,
    units: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(client) = self.client else { return };
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(&client) {
            *own = own.saturating_sub(self.units);
            // Clients that hold nothing are forgotten.
            if *own == 0 {
                held.remove(&client);
            }
        }
    }
}

/// The bytes of request bodies and answers that are in memory at once.
#[derive(Clone, Debug)]
pub(crate) struct ByteBudget {
    /// A permit for each KiB.
    all: Arc<Semaphore>,
    all_max: usize,
    shares: Arc<Shares>,
}

/// Bytes of the budget, returned when dropped.
#[derive(Debug)]
pub(crate) struct ByteLoan {
    _permit: OwnedSemaphorePermit,
    _share: Share,
}

impl ByteLoan {
    /// The bytes; the loan is returned with the last of them.
    pub(crate) fn with(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(LentBytes { bytes, _loan: self })
    }
}

/// Bytes with the loan that counts them.
struct LentBytes {
    bytes: Bytes,
    _loan: ByteLoan,
}

impl AsRef<[u8]> for LentBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ByteBudget {
    /// A budget of `bytes`, of which one client holds at most a quarter.
    pub(crate) fn new(bytes: u64) -> Self {
        let kib = usize::try_from(bytes >> 10).unwrap_or(usize::MAX);
        let all_max = kib.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self { all: Arc::new(Semaphore::new(all_max)), all_max, shares: Shares::new((all_max / 4).max(1)) }
    }

    /// The bytes that are lent now, and how many may be.
    pub(crate) fn used(&self) -> [u64; 2] {
        let kib = |permits: usize| (permits as u64) << 10;
        [kib(self.all_max.saturating_sub(self.all.available_permits())), kib(self.all_max)]
    }

    /// Takes `bytes` for a client, rounded up to KiB. More than the whole budget counts as the whole.
    ///
    /// # Errors
    /// 429 if the client holds its share already, 503 if the budget is used up.
    pub(crate) fn take(&self, client: Option<Client>, bytes: u64) -> Result<ByteLoan, Problem> {
        let kib = usize::try_from(bytes.div_ceil(1 << 10)).unwrap_or(usize::MAX).clamp(1, self.all_max);
        let share = self.shares.take(client, kib).ok_or_else(|| {
            Problem::too_many(
                format!(
                    "{} MiB of requests and answers of this client are on their way, the maximum; read \
                     the answers, then try again",
                    self.shares.max() >> 10
                ),
                2,
            )
        })?;
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        match Arc::clone(&self.all).try_acquire_many_owned(permits) {
            Ok(permit) => Ok(ByteLoan { _permit: permit, _share: share }),
            Err(_used_up) => Err(Problem::unavailable(
                "too many bytes of requests and answers are on their way; try again in 2 s, or ask for less",
                2,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(last: u8) -> Option<Client> {
        Some(IpAddr::from([192, 0, 2, last]).into())
    }

    #[test]
    fn a_client_has_its_share_and_others_theirs() {
        let shares = Shares::new(2);
        let (first, second) = (shares.take(client(1), 1), shares.take(client(1), 1));
        assert!(first.is_some() && second.is_some());
        assert!(shares.take(client(1), 1).is_none());
        assert!(shares.take(client(2), 1).is_some() && shares.take(None, 100).is_some());
        drop(first);
        assert!(shares.take(client(1), 1).is_some());
        drop(second);
        assert!(shares.take(client(1), 7).is_some(), "who holds nothing may take more at once");
        assert!(shares.held.lock().unwrap().is_empty(), "nobody is remembered who holds nothing");
    }

    #[test]
    fn beyond_the_budget_is_503_and_beyond_a_share_429() {
        let budget = ByteBudget::new(8 << 10);
        let small = budget.take(client(1), 100).unwrap();
        let more = budget.take(client(1), 1 << 10).unwrap();
        assert_eq!(budget.take(client(1), 1).unwrap_err().status(), 429);
        let large = budget.take(client(2), 6 << 10).unwrap();
        assert_eq!(budget.take(client(3), 1).unwrap_err().status(), 503);
        drop((small, more, large));
        assert!(budget.take(client(3), u64::MAX).is_ok(), "the whole budget has come back");
    }
}
