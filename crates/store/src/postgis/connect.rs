//! The database behind a store: its connections, and the small runtime that drives them.
//!
//! The store is synchronous, as its trait says; sqlx is not. Each call blocks its own thread on the runtime
//! here, so a call from a thread of an asynchronous runtime panics: use `spawn_blocking` there.

use std::{future::Future, sync::Arc, time::Duration};

use sqlx::Error as Sql;
use tokio::{runtime::Runtime, time::timeout};

use super::{
    failure,
    pool::{Lease, Lender, Purpose},
    url::Address,
};
use crate::{Options, Pool, StoreError};

/// A database, on one host or on several.
#[derive(Debug)]
pub(crate) struct Database {
    runtime: Runtime,
    lender: Arc<Lender>,
}

impl Database {
    /// Parses the address; connects to nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for an address that cannot be used.
    pub(crate) fn new(location: &str, options: &Options) -> Result<Self, StoreError> {
        let address = Address::parse(location, &options.pool)?;
        for host in address.hosts.iter().filter(|host| host.unverified()) {
            tracing::warn!(
                host = host.name,
                "the database is on another machine and its certificate is not verified: passwords and \
                 personal data may be read on the way; add ?sslmode=verify-full&sslrootcert=FILE to its \
                 address"
            );
        }
        // One thread watches the sockets; the work is done on the callers' threads.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("citymap-postgis")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| {
                StoreError::database(
                    address.shown.clone(),
                    format!("no thread can be started for its connections: {error}"),
                )
            })?;
        Ok(Self { runtime, lender: Lender::new(address, options.pool.clone()) })
    }

    /// Runs a future to its end on this thread.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Runs a task in the background until the store is dropped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// A connection to the primary, which was checked to be the primary just now. It can be used for a long
    /// transaction: statements of the session are limited by [`Pool::statement_timeout`], which a transaction
    /// lifts with `SET LOCAL`.
    ///
    /// # Errors
    /// [`StoreError::Away`], saying which hosts were tried.
    pub(crate) async fn writer(&self) -> Result<Lease, StoreError> {
        self.lender.lend(Purpose::Write, false).await
    }

    /// A connection to the first host of the address that answers, which may be a standby.
    ///
    /// # Errors
    /// [`StoreError::Away`], saying which hosts were tried.
    pub(crate) async fn reader(&self) -> Result<Lease, StoreError> {
        self.lender.lend(Purpose::Read, false).await
    }

    /// As [`Database::reader`] or [`Database::writer`], with a connection that was not used before.
    pub(crate) async fn fresh(&self, purpose: Purpose) -> Result<Lease, StoreError> {
        self.lender.lend(purpose, true).await
    }

    /// Runs a short statement that may be repeated, on a connection for `purpose`, and again on a new one if
    /// the first was dead. Its time is limited, so that a host that stops answering counts as away.
    pub(crate) async fn ask<T, F>(&self, purpose: Purpose, question: F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Lease) -> Result<T, Sql>,
    {
        let mut lease = self.lender.lend(purpose, false).await?;
        for attempt in 0.. {
            match timeout(self.patience(), question(&mut lease)).await {
                Ok(Ok(answer)) => {
                    lease.give_back();
                    return Ok(answer);
                }
                Ok(Err(error)) if attempt == 0 && (failure::lost(&error) || failure::conflicted(&error)) => {}
                Ok(Err(error)) => return Err(self.failed(error)),
                Err(_) if attempt == 0 => {}
                Err(_) => break,
            }
            drop(lease);
            lease = self.lender.lend(purpose, true).await?;
        }
        Err(self.lender.away(format!("{} did not answer within {:?}", lease.host(), self.patience())))
    }

    /// How long a short statement may take before its host counts as away.
    pub(crate) fn patience(&self) -> Duration {
        self.lender.connect_timeout() * 2
    }

    /// Where the database is, for people; never a password.
    pub(crate) fn location(&self) -> &str {
        &self.lender.address.shown
    }

    /// The [`StoreError`] for an error of this database.
    pub(crate) fn failed(&self, error: Sql) -> StoreError {
        failure::at(error, self.location())
    }

    /// The limits of the pool.
    pub(crate) fn pool(&self) -> &Pool {
        &self.lender.pool
    }

    /// The pool of connections, for the listener and `citymap doctor`.
    pub(super) fn lender(&self) -> &Arc<Lender> {
        &self.lender
    }
}
