//! One reading of one layer: a transaction that sees one moment of the database, and whose table cannot be
//! replaced while it is read.
//!
//! A view holds no transaction open: each reading has its own, and what was committed after the view's
//! revision is undone with the history. Therefore no view ever prevents an import from replacing a table or
//! the database from cleaning up, and a reading that loses its connection continues over another connection,
//! perhaps to another host.

use std::time::Duration;

use citymap_model::{Layer, LayerId, RevisionNumber};
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, TryReadyChunks, TryStreamExt as _},
};
use sqlx::{AssertSqlSafe, Error as Sql, Row as _, postgres::PgRow};
use tokio::time::timeout;

use super::{
    added::Added,
    connect::Database,
    failure,
    pool::{Lease, Purpose},
    read::{Problem, Shape},
};
use crate::StoreError;
use crate::columns::quoted;

/// Rows that are taken from the connection together.
const CHUNK: usize = 256;

/// Maximum number of attempts in a row that give no further row.
const ATTEMPTS: u32 = 3;

/// Why a reading ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The database refused, or the connection was lost.
    Sql(Sql),
    /// The host stopped answering.
    Silent,
    /// The table moved between the moment it was locked and the moment that is read.
    Moved,
    /// Anything that another attempt would not change.
    Store(StoreError),
}

impl From<Sql> for Stop {
    fn from(error: Sql) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A query with its parameters: the numbers are `$1`, `$2` and so on, the two lists follow them.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) sql: String,
    pub(super) numbers: Vec<i64>,
    pub(super) lists: Option<(Vec<i64>, Vec<i64>)>,
}

/// What the catalogue says of a layer, seen from two revisions.
#[derive(Debug)]
pub(super) struct Known {
    /// The revision that last touched the layer and its generation, if it exists now.
    live: Option<(i64, i64)>,
    /// The layer at the lower revision, if it existed.
    pub(super) from: Option<Shape>,
    /// The layer at the higher revision, if it existed.
    pub(super) at: Option<Shape>,
}

impl Known {
    /// Whether some features of the shape may be in the layer's table.
    pub(super) fn lives(&self, shape: &Shape) -> bool {
        self.live.is_some_and(|(_, generation)| generation == shape.generation)
    }

    /// Whether the layer is now as it was at `revision`.
    pub(super) fn untouched_since(&self, revision: RevisionNumber) -> bool {
        self.live.is_some_and(|(last, _)| last <= signed(revision))
    }
}

/// A revision number in PostgreSQL's type.
pub(super) fn signed(revision: RevisionNumber) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// A transaction in which one layer is read.
pub(super) struct Reading<'a> {
    pub(super) database: &'a Database,
    lease: Lease,
    layer: &'a LayerId,
    locked: bool,
}

impl<'a> Reading<'a> {
    fn open(database: &'a Database, layer: &'a LayerId, fresh: bool) -> Result<Self, Stop> {
        let lease = database.run(async {
            if fresh { database.fresh(Purpose::Read).await } else { database.reader().await }
        })?;
        Self::begin(database, layer, lease)
    }

    /// A second reading at the same time, over a connection that does not count for the pool's limit: a
    /// reader that holds one connection and waited for another could wait for itself.
    pub(super) fn beside(&self) -> Result<Self, Stop> {
        let lease = self.database.run(self.database.lender().extra(Purpose::Read))?;
        Self::begin(self.database, self.layer, lease)
    }

    fn begin(database: &'a Database, layer: &'a LayerId, mut lease: Lease) -> Result<Self, Stop> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let table = quoted(layer.as_str());
        database.run(async {
            // Locked before anything is read, so that what the transaction sees is as new as the table it
            // finds.
            let sql = format!("{BEGIN}; LOCK TABLE city.{table} IN ACCESS SHARE MODE");
            let locked = match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *lease).await {
                Ok(_) => true,
                Err(error) if failure::code(&error).as_deref() == Some("42P01") => {
                    sqlx::raw_sql("ROLLBACK").execute(&mut *lease).await?;
                    sqlx::raw_sql(BEGIN).execute(&mut *lease).await?;
                    false
                }
                Err(error) => return Err(error.into()),
            };
            Ok(Self { database, lease, layer, locked })
        })
    }

    /// What the catalogue says of the layer at two revisions, `from` being the lower one.
    pub(super) fn known(&mut self, from: RevisionNumber, at: RevisionNumber) -> Result<Known, Stop> {
        const SQL: &str = "SELECT newest.number, l.revision, l.generation, v.definition, v.columns, \
            v.spatial, v.generation, v.history FROM (VALUES (1, $2::bigint), (2, $3::bigint)) t (turn, at) \
            CROSS JOIN (SELECT coalesce(max(number), 0) AS number FROM citymap.revision) newest LEFT JOIN \
            citymap.layer l ON l.id = $1 LEFT JOIN LATERAL (SELECT * FROM citymap.layer_version v WHERE \
            v.layer = $1 AND v.revision <= t.at ORDER BY v.revision DESC LIMIT 1) v ON true ORDER BY t.turn";
        let rows = self.database.run(async {
            sqlx::query(SQL)
                .bind(self.layer.as_str())
                .bind(signed(from))
                .bind(signed(at))
                .fetch_all(&mut *self.lease)
                .await
        })?;
        let [lower, higher] = rows.as_slice() else { return Err(Sql::RowNotFound.into()) };
        let newest: i64 = lower.try_get(0)?;
        if newest < signed(at) {
            return Err(Stop::Store(self.database.lender().away(format!(
                "{} has revision {newest} only, {at} is needed; it lags behind its primary, try again",
                self.lease.host()
            ))));
        }
        let live = match (lower.try_get(1)?, lower.try_get(2)?) {
            (Some(revision), Some(generation)) => Some((revision, generation)),
            _ => None,
        };
        let known = Known { live, from: self.shape(lower)?, at: self.shape(higher)? };
        let needed = [&known.from, &known.at].into_iter().flatten().any(|shape| known.lives(shape));
        if needed && !self.locked { Err(Stop::Moved) } else { Ok(known) }
    }

    fn shape(&self, row: &PgRow) -> Result<Option<Shape>, Stop> {
        let Some(definition) = row.try_get::<Option<String>, _>(3)? else { return Ok(None) };
        Ok(Some(Shape {
            layer: parse(self.database, self.layer.as_str(), &definition)?,
            columns: row.try_get(4)?,
            spatial: row.try_get(5)?,
            generation: row.try_get(6)?,
            history: row.try_get(7)?,
        }))
    }

    /// The numbers that revisions above `after` gave to new features of a generation.
    pub(super) fn added(&mut self, generation: i64, after: RevisionNumber) -> Result<Added, Stop> {
        const SQL: &str = "SELECT revision, first, last FROM citymap.added \
             WHERE layer = $1 AND generation = $2 AND revision > $3";
        let rows = self.database.run(async {
            let query = sqlx::query(SQL).bind(self.layer.as_str()).bind(generation).bind(signed(after));
            query.fetch_all(&mut *self.lease).await
        })?;
        let ranges = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .collect::<Result<Vec<_>, Sql>>()?;
        Ok(Added::new(ranges))
    }

    /// How many features the log says were added, changed and removed by the revisions above `from`, up to
    /// `at`.
    pub(super) fn counted(&mut self, from: RevisionNumber, at: RevisionNumber) -> Result<u64, Stop> {
        // A feature that is added and removed counts twice; the result is an upper bound.
        const SQL: &str = "SELECT coalesce(sum(added + changed + removed), 0)::bigint FROM citymap.change \
             WHERE layer = $1 AND revision > $2 AND revision <= $3";
        let row = self.database.run(async {
            let query = sqlx::query(SQL).bind(self.layer.as_str()).bind(signed(from)).bind(signed(at));
            query.fetch_one(&mut *self.lease).await
        })?;
        Ok(row.try_get::<i64, _>(0)?.unsigned_abs())
    }

    /// Runs a query; rows are fetched as they are taken.
    pub(super) fn rows(&mut self, question: Question) -> Rows<'_> {
        let pool = self.database.pool();
        let limit =
            (!pool.statement_timeout.is_zero()).then(|| pool.statement_timeout + self.database.patience());
        // Not a prepared statement that is kept: a table of this name may be another one next time.
        let mut query = sqlx::query(AssertSqlSafe(question.sql)).persistent(false);
        for number in question.numbers {
            query = query.bind(number);
        }
        if let Some((firsts, lasts)) = question.lists {
            query = query.bind(firsts).bind(lasts);
        }
        let chunks = query.fetch(&mut *self.lease).try_ready_chunks(CHUNK);
        Rows { database: self.database, chunks, limit, ready: Vec::new().into_iter(), failed: None }
    }

    /// Runs a statement that returns no rows.
    pub(super) fn set(&mut self, sql: &'static str) -> Result<(), Stop> {
        self.database.run(async { sqlx::raw_sql(sql).execute(&mut *self.lease).await })?;
        Ok(())
    }

    fn close(mut self) {
        // Nothing was written, so there is nothing to commit.
        let ended = self.database.run(async { sqlx::raw_sql("ROLLBACK").execute(&mut *self.lease).await });
        if ended.is_ok() {
            self.lease.give_back();
        }
    }
}

/// Rows that are being fetched. They come in chunks, and between two chunks nothing of the runtime is on the
/// thread's stack, so that the caller may use the store in between.
pub(super) struct Rows<'s> {
    database: &'s Database,
    chunks: TryReadyChunks<BoxStream<'s, Result<PgRow, Sql>>>,
    /// How long to wait for the next chunk before the host counts as away; `None` for no limit.
    limit: Option<Duration>,
    ready: std::vec::IntoIter<PgRow>,
    failed: Option<Sql>,
}

impl Rows<'_> {
    /// The next row; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<PgRow>, Stop> {
        loop {
            if let Some(row) = self.ready.next() {
                return Ok(Some(row));
            }
            if let Some(error) = self.failed.take() {
                return Err(error.into());
            }
            let (chunks, limit) = (&mut self.chunks, self.limit);
            let next = self.database.run(async {
                match limit {
                    Some(limit) => timeout(limit, chunks.next()).await,
                    None => Ok(chunks.next().await),
                }
            });
            match next {
                Err(_) => return Err(Stop::Silent),
                Ok(None) => return Ok(None),
                Ok(Some(Ok(rows))) => self.ready = rows.into_iter(),
                Ok(Some(Err(error))) => {
                    self.ready = error.0.into_iter();
                    self.failed = Some(error.1);
                }
            }
        }
    }
}

/// Reads, and tries again after failures that another attempt may avoid. `reading` remembers what it has
/// handed on and counts it in its second argument, which shows whether an attempt made progress.
pub(super) fn read(
    database: &Database,
    layer: &LayerId,
    mut reading: impl FnMut(&mut Reading<'_>, &mut u64) -> Result<(), Stop>,
) -> Result<(), StoreError> {
    let mut progress = 0;
    let mut failures = 0;
    loop {
        let before = progress;
        let outcome = Reading::open(database, layer, failures > 0).and_then(|mut opened| {
            reading(&mut opened, &mut progress)?;
            opened.close();
            Ok(())
        });
        failures = if progress > before { 1 } else { failures + 1 };
        let last = failures >= ATTEMPTS;
        match outcome {
            Ok(()) => return Ok(()),
            Err(Stop::Store(error)) => return Err(error),
            Err(Stop::Sql(error)) => {
                if last || !(failure::lost(&error) || failure::conflicted(&error)) {
                    return Err(within(database, layer, error));
                }
            }
            Err(Stop::Silent) => {
                if last {
                    return Err(database.lender().away("it fell silent while a layer was read".to_owned()));
                }
            }
            Err(Stop::Moved) => {
                if last {
                    let reason = format!(
                        "layer `{layer}` has no table; another program dropped it: restore it, or import it \
                         again"
                    );
                    return Err(content(database, reason));
                }
            }
        }
    }
}

/// The error for what the database answered while a layer was read.
fn within(database: &Database, layer: &LayerId, error: Sql) -> StoreError {
    match failure::code(&error).as_deref() {
        // A column is gone, or its values are not of the declared type.
        Some("42703" | "42846" | "22P02" | "22003" | "22007" | "22008") => content(
            database,
            format!(
                "the table of layer `{layer}` is not as the catalogue says ({}); another program changed it, \
                 `citymap doctor` tells more",
                failure::plain(&error)
            ),
        ),
        _ => database.failed(error),
    }
}

/// The error for a record that holds what it should not.
pub(super) fn content(database: &Database, reason: String) -> StoreError {
    StoreError::database(database.location().to_owned(), reason)
}

/// The reason to stop at a feature that cannot be read.
pub(super) fn unreadable(database: &Database, layer: &LayerId, fid: i64, problem: Problem) -> Stop {
    Stop::Store(content(database, format!("layer `{layer}`, feature {fid}{}", problem.0)))
}

/// Parses a layer's definition from the catalogue.
pub(super) fn parse(database: &Database, layer: &str, definition: &str) -> Result<Layer, StoreError> {
    Layer::from_definition(definition).map_err(|error| {
        content(database, format!("the catalogue's definition of layer `{layer}` cannot be read: {error}"))
    })
}
