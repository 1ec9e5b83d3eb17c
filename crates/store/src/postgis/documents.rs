//! Small texts next to the record, in no revision. A write succeeds only for a writer that has seen the
//! newest version.

use sqlx::{Error as Sql, Row as _};

use super::{
    connect::Database,
    failure,
    pool::{Lease, Purpose},
    reading::signed,
};
use crate::{Document, StoreError};

/// Reads a document from the primary: compare-and-swap must not see an old version.
pub(super) fn get(database: &Database, name: &str) -> Result<Option<Document>, StoreError> {
    let asked = database.run(database.ask(Purpose::Write, async |lease| look(lease, name).await));
    match asked {
        // Without a primary an old version is better than none; a write based on it will fail.
        Err(StoreError::Away { .. }) => {
            database.run(database.ask(Purpose::Read, async |lease| look(lease, name).await))
        }
        asked => asked,
    }
}

/// A document, as any host has it.
pub(super) fn get_for_reading(database: &Database, name: &str) -> Result<Option<Document>, StoreError> {
    database.run(database.ask(Purpose::Read, async |lease| look(lease, name).await))
}

async fn look(lease: &mut Lease, name: &str) -> Result<Option<Document>, Sql> {
    sqlx::query("SELECT version, body FROM citymap.document WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut **lease)
        .await?
        .map(|row| Ok(Document { version: row.try_get::<i64, _>(0)?.unsigned_abs(), body: row.try_get(1)? }))
        .transpose()
}

/// The names of all documents, sorted.
pub(super) fn names(database: &Database) -> Result<Vec<String>, StoreError> {
    const NAMES: &str = "SELECT name FROM citymap.document ORDER BY name COLLATE \"C\"";
    database.run(database.ask(Purpose::Write, async |lease| {
        sqlx::query_scalar::<_, String>(NAMES).fetch_all(&mut **lease).await
    }))
}

/// Writes a document if its version is still `expected` (0: it does not exist). Gives whether it was written.
pub(super) fn put(
    database: &Database,
    name: &str,
    expected: u64,
    body: Option<&str>,
) -> Result<bool, StoreError> {
    database.run(async {
        let mut lease = database.writer().await?;
        match write(&mut lease, name, signed(expected), body).await {
            Ok(done) => {
                lease.give_back();
                Ok(done)
            }
            Err(error) if failure::lost(&error) => {
                drop(lease);
                again(database, name, expected, body, &error).await
            }
            Err(error) => Err(database.failed(error)),
        }
    })
}

/// After a lost connection the document may have been written or not. What is there now decides, except if
/// another writer wrote exactly the same, or deleted it too.
async fn again(
    database: &Database,
    name: &str,
    expected: u64,
    body: Option<&str>,
    why: &Sql,
) -> Result<bool, StoreError> {
    let mut lease = database.fresh(Purpose::Write).await.map_err(|error| {
        StoreError::uncertain(
            database.location().to_owned(),
            format!("{}; then: {error}", failure::plain(why)),
        )
    })?;
    let there = look(&mut lease, name).await.map_err(|error| database.failed(error))?;
    let written = match (&there, body) {
        (Some(there), Some(body)) => there.version == expected + 1 && there.body == body,
        (there, None) => there.is_none(),
        (None, Some(_)) => false,
    };
    let done = if written {
        true
    } else {
        write(&mut lease, name, signed(expected), body).await.map_err(|error| database.failed(error))?
    };
    lease.give_back();
    Ok(done)
}

async fn write(lease: &mut Lease, name: &str, expected: i64, body: Option<&str>) -> Result<bool, Sql> {
    const ADD: &str =
        "INSERT INTO citymap.document (name, version, body) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING";
    const CHANGE: &str =
        "UPDATE citymap.document SET version = version + 1, body = $3 WHERE name = $1 AND version = $2";
    const REMOVE: &str = "DELETE FROM citymap.document WHERE name = $1 AND version = $2";
    let query = match (expected, body) {
        (0, Some(body)) => sqlx::query(ADD).bind(name).bind(body),
        (_, Some(body)) => sqlx::query(CHANGE).bind(name).bind(expected).bind(body),
        (0, None) => return Ok(look(lease, name).await?.is_none()),
        (_, None) => sqlx::query(REMOVE).bind(name).bind(expected),
    };
    // Durable on return, also in a database that does not wait for its disk.
    sqlx::raw_sql(
        "BEGIN; SELECT set_config('synchronous_commit', 'on', true) \
         WHERE current_setting('synchronous_commit') = 'off'",
    )
    .execute(&mut **lease)
    .await?;
    let rows = query.execute(&mut **lease).await?.rows_affected();
    sqlx::raw_sql("COMMIT").execute(&mut **lease).await?;
    Ok(rows == 1)
}
