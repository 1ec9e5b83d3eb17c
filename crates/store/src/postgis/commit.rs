//! COMMIT, and finding out what became of it when the connection was lost.
//!
//! Each revision carries a unique token. A client that gets no answer to its COMMIT connects again and looks
//! for the token. It first takes the lock that writers hold until their transaction ends: once it has the
//! lock, the lost transaction is over, and the token is either there for good or never will be.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Error as Sql, Row as _};
use tokio::time::{sleep, timeout};

use super::{
    connect::Database,
    failure,
    pool::{Lease, Purpose},
};
use crate::StoreError;

/// The advisory lock that one writer holds at a time, as two numbers in SQL (`migrations/0001_record.sql`).
pub(crate) const WRITER_LOCK: &str = "1667855481, 1";

/// How long the outcome of a lost COMMIT is looked for, as a multiple of the time limit for connecting.
const PATIENCE: u32 = 6;

/// What is known about a commit.
enum Fate {
    Committed,
    Absent,
    /// Its transaction has not ended yet.
    OnItsWay,
}

impl Database {
    /// Commits the transaction that is open on `lease`, whose revision has this token (a UUID as text), and
    /// gives the connection back.
    ///
    /// # Errors
    /// [`StoreError::Away`] if the connection was lost and nothing was changed, [`StoreError::Uncertain`] if
    /// that could not be found out; what the database said if it refused.
    pub(crate) async fn commit(&self, mut lease: Lease, token: &str) -> Result<(), StoreError> {
        match self.say_commit(&mut lease).await {
            Ok(()) => {
                lease.give_back();
                Ok(())
            }
            Err(error) if failure::lost(&error) => {
                drop(lease);
                self.resolve(token, &failure::plain(&error)).await
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn say_commit(&self, lease: &mut Lease) -> Result<(), Sql> {
        // A statement timeout during the wait for a synchronous standby would report as committed what the
        // standby may not have, so it is lifted. A database that does not wait for its own disk must do so
        // here.
        sqlx::raw_sql(
            "SET LOCAL statement_timeout = 0; SELECT set_config('synchronous_commit', 'on', true) WHERE \
             current_setting('synchronous_commit') = 'off'",
        )
        .execute(&mut **lease)
        .await?;
        let limit = self.pool().statement_timeout;
        let commit = sqlx::raw_sql("COMMIT").execute(&mut **lease);
        if limit.is_zero() {
            commit.await?;
        } else {
            timeout(limit, commit).await.map_err(|elapsed| Sql::Io(std::io::Error::other(elapsed)))??;
        }
        Ok(())
    }

    /// Looks for a revision's token until it is known whether the revision was committed, or the time is
    /// over.
    async fn resolve(&self, token: &str, why: &str) -> Result<(), StoreError> {
        let until = Instant::now() + self.lender().connect_timeout() * PATIENCE;
        loop {
            let last = match self.look(token).await {
                Ok(Fate::Committed) => return Ok(()),
                Ok(Fate::Absent) => {
                    return Err(self.lender().away(format!(
                        "the connection was lost before the commit ({why}); nothing was changed, try again"
                    )));
                }
                Ok(Fate::OnItsWay) => {
                    "its transaction has not ended; a synchronous standby may be away".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= until {
                return Err(StoreError::uncertain(
                    self.location().to_owned(),
                    format!("{why}; then: {last}"),
                ));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn look(&self, token: &str) -> Result<Fate, StoreError> {
        let mut lease = self.fresh(Purpose::Write).await?;
        let wait = self.lender().connect_timeout().as_millis().max(1);
        let asked = async {
            sqlx::raw_sql(AssertSqlSafe(format!(
                "BEGIN; SET LOCAL lock_timeout = {wait}; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
            )))
            .execute(&mut *lease)
            .await?;
            let found: bool =
                sqlx::query("SELECT EXISTS (SELECT FROM citymap.revision WHERE token = $1::uuid)")
                    .bind(token)
                    .persistent(false)
                    .fetch_one(&mut *lease)
                    .await?
                    .try_get(0)?;
            if found {
                // The commit's own wait for a synchronous standby may have been interrupted; when the standby
                // confirms a later record, it has this one too.
                sqlx::raw_sql(
                    "SET LOCAL statement_timeout = 0; SELECT pg_logical_emit_message(true, 'citymap', '')",
                )
                .execute(&mut *lease)
                .await?;
            }
            sqlx::raw_sql("COMMIT").execute(&mut *lease).await?;
            Ok(found)
        };
        let answer: Result<bool, Sql> = match timeout(self.lender().connect_timeout() * 2, asked).await {
            Ok(answer) => answer,
            Err(_) => return Ok(Fate::OnItsWay),
        };
        match answer {
            Ok(found) => {
                lease.give_back();
                Ok(if found { Fate::Committed } else { Fate::Absent })
            }
            Err(error) if failure::code(&error).as_deref() == Some("55P03") => Ok(Fate::OnItsWay),
            Err(error) => Err(self.failed(error)),
        }
    }
}
