//! The log of revisions.

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, LayerChange, Revision, RevisionNumber};
use sqlx::{Error as Sql, Row as _, postgres::PgRow};

use super::{
    connect::Database,
    pool::Purpose,
    reading::{content, signed},
};
use crate::StoreError;

/// The query for the newest revision.
pub(super) const NEWEST: &str = "SELECT coalesce(max(number), 0) FROM citymap.revision";

/// The newest revision; 0 for an empty city.
pub(super) fn newest(database: &Database) -> Result<RevisionNumber, StoreError> {
    let newest: i64 = database
        .run(database.ask(Purpose::Read, async |lease| {
            sqlx::query(NEWEST).fetch_one(&mut **lease).await?.try_get(0)
        }))?;
    Ok(newest.unsigned_abs())
}

/// The newest `limit` revisions, newest first.
pub(super) fn newest_first(database: &Database, limit: usize) -> Result<Vec<Revision>, StoreError> {
    const SQL: &str = "SELECT r.number, r.time, r.author, r.message, r.source, r.source_sha256, c.layer, \
         c.mode, c.added, c.changed, c.removed, c.rejected FROM (SELECT * FROM citymap.revision ORDER BY \
         number DESC LIMIT $1) r LEFT JOIN citymap.change c ON c.revision = r.number ORDER BY r.number DESC, \
         c.position";
    let limit = bound(limit);
    let rows =
        database
            .run(database.ask(Purpose::Read, async |lease| {
                sqlx::query(SQL).bind(limit).fetch_all(&mut **lease).await
            }))?;
    revisions(database, &rows)
}

/// At most `limit` revisions above `after`, oldest first.
pub(super) fn after(
    database: &Database,
    after: RevisionNumber,
    limit: usize,
) -> Result<Vec<Revision>, StoreError> {
    const SQL: &str = "SELECT r.number, r.time, r.author, r.message, r.source, r.source_sha256, c.layer, \
         c.mode, c.added, c.changed, c.removed, c.rejected FROM (SELECT * FROM citymap.revision WHERE number \
         > $1 ORDER BY number LIMIT $2) r LEFT JOIN citymap.change c ON c.revision = r.number ORDER BY \
         r.number, c.position";
    let (after, limit) = (signed(after), bound(limit));
    let rows = database.run(database.ask(Purpose::Read, async |lease| {
        sqlx::query(SQL).bind(after).bind(limit).fetch_all(&mut **lease).await
    }))?;
    revisions(database, &rows)
}

/// The newest revision that was committed at `time` or before; 0 if none was.
pub(super) fn at(database: &Database, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError> {
    const SQL: &str = "SELECT coalesce(max(number), 0) FROM citymap.revision WHERE time <= $1";
    let number: i64 = database.run(database.ask(Purpose::Read, async |lease| {
        sqlx::query(SQL).bind(time).fetch_one(&mut **lease).await?.try_get(0)
    }))?;
    Ok(number.unsigned_abs())
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// One row for each change, or one row for a revision without changes; the rows of a revision are
/// consecutive.
fn revisions(database: &Database, rows: &[PgRow]) -> Result<Vec<Revision>, StoreError> {
    let mut log: Vec<Revision> = Vec::new();
    for row in rows {
        let number = read::<i64>(database, row, 0)?.unsigned_abs();
        if log.last().is_none_or(|last| last.number != number) {
            let meta = CommitMeta {
                author: read(database, row, 2)?,
                message: read(database, row, 3)?,
                source: read(database, row, 4)?,
                source_sha256: read(database, row, 5)?,
            };
            log.push(Revision { number, time: read(database, row, 1)?, meta, changes: Vec::new() });
        }
        let (Some(layer), Some(last)) = (read::<Option<String>>(database, row, 6)?, log.last_mut()) else {
            continue;
        };
        let damaged =
            |what: String| content(database, format!("the log of revision {number} is damaged: {what}"));
        let count = |index| read::<i64>(database, row, index).map(i64::unsigned_abs);
        last.changes.push(LayerChange {
            layer: layer.parse().map_err(|error| damaged(format!("{error}")))?,
            mode: read::<String>(database, row, 7)?.parse().map_err(|error| damaged(format!("{error}")))?,
            added: count(8)?,
            changed: count(9)?,
            removed: count(10)?,
            rejected: count(11)?,
        });
    }
    Ok(log)
}

fn read<'r, T>(database: &Database, row: &'r PgRow, index: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(index).map_err(|error: Sql| database.failed(error))
}
