//! Waiting for the next revision: the log is the truth, a notification only a hint to read it.
//!
//! One listener serves all callers that wait. It reads the newest revision after each `NOTIFY citymap` and at
//! least every second; on a standby, where `LISTEN` is not possible, every 50 ms. If its connection is lost,
//! it connects again, to another host if necessary, and its first query finds what was committed in the
//! meantime.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use citymap_model::RevisionNumber;
use sqlx::{
    Error as Sql, Row as _,
    postgres::{PgListener, PgPoolOptions, PgRow},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{connect::Database, failure, pool::Lender};
use crate::StoreError;

/// How long the listener waits for a notification before it reads the log anyway.
const LOOK: Duration = Duration::from_secs(1);

/// How often the log of a standby is read.
const POLL: Duration = Duration::from_millis(50);

/// The pause after a failure before the next connection is tried.
const REST: Duration = Duration::from_millis(200);

/// The newest revision, and whether its host is a standby.
const STATE: &str = "SELECT coalesce(max(number), 0), pg_is_in_recovery() FROM citymap.revision";

/// What the listener has found out so far.
#[derive(Clone, Debug, Default)]
struct Heard {
    newest: Option<RevisionNumber>,
    /// Why the database cannot be reached; `None` while it can.
    away: Option<String>,
}

/// Waits on behalf of a store; the first call starts the listener.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    heard: OnceLock<watch::Receiver<Heard>>,
}

impl Waiter {
    /// Waits until the newest revision is above `known`, or the time is over.
    pub(super) fn wait(
        &self,
        database: &Database,
        known: RevisionNumber,
        time: Duration,
    ) -> Result<RevisionNumber, StoreError> {
        let mut heard = self
            .heard
            .get_or_init(|| {
                let (tell, heard) = watch::channel(Heard::default());
                database.spawn(listen(Arc::clone(database.lender()), tell));
                heard
            })
            .clone();
        let until = Instant::now() + time;
        let newest = database.run(async {
            // A database that is away may come back in time.
            let above = heard.wait_for(|heard| heard.newest.is_some_and(|newest| newest > known));
            match timeout(time, above).await {
                Ok(Ok(heard)) => heard.newest,
                Ok(Err(_)) | Err(_) => None,
            }
        });
        if let Some(newest) = newest {
            return Ok(newest);
        }
        let last = heard.borrow().clone();
        match last {
            Heard { away: Some(reason), .. } => Err(database.lender().away(reason)),
            Heard { newest: Some(newest), away: None } => Ok(newest),
            // The time was so short that the listener has not read the log yet.
            Heard { newest: None, away: None } if Instant::now() >= until => super::log::newest(database),
            Heard { newest: None, away: None } => Ok(known),
        }
    }
}

/// Listens until the store is dropped.
async fn listen(lender: Arc<Lender>, tell: watch::Sender<Heard>) {
    while !tell.is_closed() {
        if let Err(reason) = follow(&lender, &tell).await {
            tell.send_modify(|heard| heard.away = Some(reason));
        }
        sleep(REST).await;
    }
}

/// Follows one host as long as it answers. Gives why it stopped answering, or `None` if another host should
/// be used.
async fn follow(lender: &Arc<Lender>, tell: &watch::Sender<Heard>) -> Result<(), String> {
    let host = lender.near();
    let name = &lender.address.hosts[host].name;
    let said = |error: Sql| format!("{name}: {}", failure::plain(&error));
    let wait = lender.connect_timeout();
    // The listener of sqlx needs a pool; this pool has only its one connection.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(lender.address.hosts[host].options.clone());
    let connected = PgListener::connect_with(&pool).await;
    lender.note(host, connected.is_err());
    let mut listener = connected.map_err(said)?;
    listener.eager_reconnect(false);
    let standby = match timeout(wait, async { sqlx::query(STATE).fetch_one(&mut listener).await }).await {
        Ok(row) => row.and_then(|row| row.try_get::<bool, _>(1)).map_err(said)?,
        Err(_) => return Err(format!("{name} did not answer within {wait:?}")),
    };
    if !standby {
        listener.listen("citymap").await.map_err(said)?;
    }
    loop {
        let row: PgRow =
            match timeout(wait, async { sqlx::query(STATE).fetch_one(&mut listener).await }).await {
                Ok(row) => row.map_err(said)?,
                Err(_) => {
                    lender.note(host, true);
                    return Err(format!("{name} did not answer within {wait:?}"));
                }
            };
        let newest: i64 = row.try_get(0).map_err(said)?;
        tell.send_if_modified(|heard| {
            let newest = Some(newest.unsigned_abs());
            let news = heard.newest != newest || heard.away.is_some();
            *heard = Heard { newest, away: None };
            news
        });
        // If the standby was promoted, it can be listened to; if an earlier host of the address is back, it
        // is used again.
        if row.try_get::<bool, _>(1).map_err(said)? != standby || lender.near() != host || tell.is_closed() {
            return Ok(());
        }
        if standby {
            sleep(POLL).await;
            continue;
        }
        match timeout(LOOK, listener.try_recv()).await {
            Err(_) | Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => return Err(format!("{name} closed the connection")),
            Ok(Err(error)) => return Err(said(error)),
        }
        // One query covers all notifications that arrived together.
        while listener.next_buffered().is_some() {}
    }
}
