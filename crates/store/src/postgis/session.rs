//! The connection of a change set, as calls that block.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Error as Sql, PgConnection, Row as _};
use tokio::time::timeout;

use super::{connect::Database, copy::Copying, pool::Lease};
use crate::StoreError;

/// How long to wait for the rollback of a transaction that is given up.
const GIVE_UP: Duration = Duration::from_secs(2);

/// A connection on which a transaction is open.
pub(super) struct Session<'a> {
    pub(super) database: &'a Database,
    /// `None` while a COPY uses it, and after the transaction has ended.
    lease: Option<Lease>,
}

impl<'a> Session<'a> {
    pub(super) fn open(database: &'a Database) -> Result<Self, StoreError> {
        let lease = database.run(database.writer())?;
        Ok(Self { database, lease: Some(lease) })
    }

    /// Runs an asynchronous call on the connection.
    pub(super) fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Sql>,
    ) -> Result<T, StoreError> {
        let Some(lease) = self.lease.as_mut() else { return Err(self.lost()) };
        self.database.run(question(lease)).map_err(|error| self.database.failed(error))
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&mut self, sql: impl Into<String>) -> Result<(), StoreError> {
        let sql = sql.into();
        self.ask(async |conn| sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(|_| ()))
    }

    /// Runs a statement with numbers as parameters. Gives how many rows it affected.
    pub(super) fn affect(&mut self, sql: impl Into<String>, numbers: &[i64]) -> Result<u64, StoreError> {
        let sql = sql.into();
        self.ask(async |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for number in numbers {
                query = query.bind(*number);
            }
            Ok(query.execute(conn).await?.rows_affected())
        })
    }

    /// The numbers in the first row of a query with texts as parameters; `None` if there is no row.
    pub(super) fn numbers(
        &mut self,
        sql: impl Into<String>,
        texts: &[&str],
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let sql = sql.into();
        self.ask(async |conn| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for text in texts {
                query = query.bind(*text);
            }
            let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
            (0..row.len()).map(|index| row.try_get(index)).collect::<Result<_, _>>().map(Some)
        })
    }

    /// Starts a COPY, which uses the connection until [`Session::copied`].
    pub(super) fn copy_in(&mut self, sql: String) -> Result<Copying, StoreError> {
        let lease = self.lease.take().ok_or_else(|| self.lost())?;
        Ok(self.database.run(async { Copying::start(lease, sql) }))
    }

    /// Ends a COPY. Gives how many rows it took.
    pub(super) fn copied(&mut self, copying: Copying) -> Result<u64, StoreError> {
        let (lease, outcome) = self.database.run(copying.finish());
        self.lease = lease;
        outcome.map_err(|error| self.database.failed(error))
    }

    /// Hands the bytes of `COPY … TO STDOUT` to `sink` in pieces of any length.
    pub(super) fn copy_out(&mut self, sql: String, mut sink: impl FnMut(&[u8])) -> Result<(), StoreError> {
        self.ask(async |conn| {
            let mut stream = conn.copy_out_raw(&sql).await?;
            while let Some(bytes) = stream.try_next().await? {
                sink(&bytes);
            }
            Ok(())
        })
    }

    /// Commits the transaction of this session.
    pub(super) fn commit(&mut self, token: &str) -> Result<(), StoreError> {
        let lease = self.lease.take().ok_or_else(|| self.lost())?;
        self.database.run(self.database.commit(lease, token))
    }

    /// Commits a transaction that is no revision, and gives the connection back.
    pub(super) fn end(mut self) -> Result<(), StoreError> {
        self.batch("COMMIT")?;
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
        Ok(())
    }

    /// Rolls the transaction back.
    pub(super) fn roll_back(&mut self, copying: Option<Copying>) {
        let held = self.lease.take();
        let database = self.database;
        database.run(async move {
            let lease = match copying {
                Some(copying) => copying.abort().await,
                None => held,
            };
            let Some(mut lease) = lease else { return };
            // A connection that does not answer is closed, which rolls its transaction back too.
            if let Ok(Ok(_)) = timeout(GIVE_UP, sqlx::raw_sql("ROLLBACK").execute(&mut *lease)).await {
                lease.give_back();
            }
        });
    }

    fn lost(&self) -> StoreError {
        StoreError::database(
            self.database.location().to_owned(),
            "the change set failed half way, and nothing of it was committed".to_owned(),
        )
    }
}
