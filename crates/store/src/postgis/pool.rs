//! The pool of connections: a maximum number, a maximum age, and for each the first host that can serve its
//! purpose.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, Connection as _, Error as Sql, PgConnection, Row as _};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{failure, roles, url::Address};
use crate::{Pool, StoreError};

/// How long a host that did not answer is tried after the others.
const RESTS: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading: the first host of the address that answers, which may be a standby.
    Read,
    /// Writing: the host that is the primary now.
    Write,
}

/// Lends the connections of a store.
#[derive(Debug)]
pub(super) struct Lender {
    pub(super) address: Address,
    pub(super) pool: Pool,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    /// When each host last failed to answer.
    failed: Mutex<Vec<Option<Instant>>>,
}

#[derive(Debug)]
struct Idle {
    open: Open,
    since: Instant,
}

#[derive(Debug)]
struct Open {
    conn: PgConnection,
    host: usize,
    born: Instant,
}

/// A connection on loan. [`Lease::give_back`] returns it to the pool and must be called only if no
/// transaction is open and no rows are left to read. A lease that is dropped closes its connection, which
/// rolls back what it was doing.
#[derive(Debug)]
pub(crate) struct Lease {
    open: Open,
    lender: Arc<Lender>,
    /// `None` for a connection that does not count for the limit.
    permit: Option<OwnedSemaphorePermit>,
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.open.conn
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.open.conn
    }
}

impl Lease {
    /// The host at the other end, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.lender.address.hosts[self.open.host].name
    }

    /// Returns the connection to the pool.
    pub(crate) fn give_back(self) {
        let Self { open, lender, permit } = self;
        if permit.is_some() && open.born.elapsed() < lender.pool.max_lifetime {
            lender.idle().push(Idle { open, since: Instant::now() });
        }
    }
}

impl Lender {
    pub(super) fn new(address: Address, pool: Pool) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(pool.size.max(1) as usize));
        let failed = Mutex::new(vec![None; address.hosts.len()]);
        Arc::new(Self { address, pool, permits, idle: Mutex::new(Vec::new()), failed })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.address.connect_timeout.unwrap_or(self.pool.connect_timeout)
    }

    pub(super) fn away(&self, reason: String) -> StoreError {
        StoreError::away(self.address.shown.clone(), reason)
    }

    /// A connection; a new one if `fresh`, because after a failure the idle ones are likely to be dead too.
    pub(super) async fn lend(self: &Arc<Self>, purpose: Purpose, fresh: bool) -> Result<Lease, StoreError> {
        let wait = self.connect_timeout();
        let Ok(Ok(permit)) = timeout(wait, Arc::clone(&self.permits).acquire_owned()).await else {
            return Err(self.away(format!(
                "all {} connections are in use, and none became free within {wait:?}; try again, or allow \
                 more",
                self.pool.size
            )));
        };
        if fresh {
            self.idle().clear();
        }
        while let Some(mut open) = self.take(purpose) {
            // A writer must know that its host is still the primary; a reader notices a dead connection at
            // its first statement and tries again.
            if purpose == Purpose::Read
                || matches!(timeout(wait, is_standby(&mut open.conn)).await, Ok(Ok(false)))
            {
                return Ok(Lease { open, lender: Arc::clone(self), permit: Some(permit) });
            }
        }
        let open = self.connect(purpose).await?;
        Ok(Lease { open, lender: Arc::clone(self), permit: Some(permit) })
    }

    /// A connection that does not count for the limit and is closed when it is given back.
    pub(super) async fn extra(self: &Arc<Self>, purpose: Purpose) -> Result<Lease, StoreError> {
        Ok(Lease { open: self.connect(purpose).await?, lender: Arc::clone(self), permit: None })
    }

    /// The suitable idle connection that was used last. For reading, a connection to a later host of the
    /// address is suitable only while the earlier hosts do not answer.
    fn take(&self, purpose: Purpose) -> Option<Open> {
        let first = (purpose == Purpose::Read).then(|| self.order()[0]);
        let mut idle = self.idle();
        idle.retain(|idle| {
            idle.since.elapsed() < self.pool.idle_timeout && idle.open.born.elapsed() < self.pool.max_lifetime
        });
        let at = idle.iter().rposition(|idle| first.is_none_or(|first| first == idle.open.host))?;
        Some(idle.remove(at).open)
    }

    /// The hosts in the order in which to try them: as in the address, but those that failed recently last.
    fn order(&self) -> Vec<usize> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |host: usize| failed[host].is_some_and(|when| when.elapsed() < RESTS);
        let mut order: Vec<usize> = (0..failed.len()).collect();
        order.sort_by_key(|host| rests(*host));
        order
    }

    /// Remembers whether a host answered.
    pub(super) fn note(&self, host: usize, failed: bool) {
        let mut all = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        all[host] = failed.then(Instant::now);
    }

    async fn connect(&self, purpose: Purpose) -> Result<Open, StoreError> {
        let wait = self.connect_timeout();
        let mut tried = Vec::new();
        let mut refused = None;
        for host in self.order() {
            let name = &self.address.hosts[host].name;
            match timeout(wait, self.one(host, purpose)).await {
                Ok(Ok(Some(open))) => {
                    self.note(host, false);
                    return Ok(open);
                }
                Ok(Ok(None)) => tried.push(format!("{name} is a standby")),
                Ok(Err(error)) => {
                    self.note(host, true);
                    tried.push(format!("{name}: {}", failure::plain(&error)));
                    refused = Some(error).filter(|error| !failure::lost(error));
                }
                Err(_) => {
                    self.note(host, true);
                    tried.push(format!("{name} did not answer within {wait:?}"));
                }
            }
        }
        // Waiting does not help against a wrong password.
        if let Some(error) = refused.filter(|_| tried.len() == 1) {
            return Err(failure::at(error, &self.address.shown));
        }
        Err(self.away(match purpose {
            Purpose::Read => tried.join("; "),
            Purpose::Write => format!("no host is a primary that can be written to: {}", tried.join("; ")),
        }))
    }

    async fn one(&self, host: usize, purpose: Purpose) -> Result<Option<Open>, Sql> {
        let mut conn = self.address.hosts[host].options.connect().await?;
        if purpose == Purpose::Write && is_standby(&mut conn).await? {
            // A reader could use it, but a loan is for one purpose; it is closed.
            let _ = conn.close().await;
            return Ok(None);
        }
        if purpose == Purpose::Write {
            roles::act_as_owner(&mut conn).await?;
        }
        Ok(Some(Open { conn, host, born: Instant::now() }))
    }

    /// A connection to one host that does not count for the limit (for `citymap doctor` and the listener).
    pub(super) async fn beside(&self, host: usize) -> Result<PgConnection, StoreError> {
        let wait = self.connect_timeout();
        let name = &self.address.hosts[host].name;
        match timeout(wait, self.address.hosts[host].options.connect()).await {
            Ok(Ok(conn)) => Ok(conn),
            Ok(Err(error)) => Err(self.away(format!("{name}: {}", failure::plain(&error)))),
            Err(_) => Err(self.away(format!("{name} did not answer within {wait:?}"))),
        }
    }

    /// The host that readers use now.
    pub(super) fn near(&self) -> usize {
        self.order()[0]
    }
}

pub(super) async fn is_standby(conn: &mut PgConnection) -> Result<bool, Sql> {
    sqlx::query("SELECT pg_is_in_recovery()").fetch_one(conn).await?.try_get(0)
}
