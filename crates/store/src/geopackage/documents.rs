//! Small texts next to the record, in no revision.

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Failure;
use crate::Document;

/// Reads a document; `None` if there is none of this name, or if it was deleted.
pub(super) fn get(conn: &Connection, name: &str) -> Result<Option<Document>, Failure> {
    let mut statement = conn
        .prepare_cached("SELECT version, body FROM citymap_document WHERE name = ?1 AND body IS NOT NULL")?;
    let found = statement
        .query_row([name], |row| Ok(Document { version: row.get(0)?, body: row.get(1)? }))
        .optional()?;
    Ok(found)
}

/// The names of all documents, sorted.
pub(super) fn names(conn: &Connection) -> Result<Vec<String>, Failure> {
    let mut statement =
        conn.prepare("SELECT name FROM citymap_document WHERE body IS NOT NULL ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// Writes a document if its version is `expected`. Gives whether it was written. A deleted document leaves
/// its version behind, so that a new one of the same name has another version.
pub(super) fn put(conn: &Connection, name: &str, expected: u64, body: Option<&str>) -> Result<bool, Failure> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let written = if expected == 0 && body.is_none() {
        // There is nothing to delete.
        usize::from(get(conn, name)?.is_none())
    } else if expected == 0 {
        conn.execute(
            "INSERT INTO citymap_document VALUES (?1, 1, ?2) ON CONFLICT (name) DO UPDATE SET \
             version = version + 1, body = excluded.body WHERE citymap_document.body IS NULL",
            params![name, body],
        )?
    } else {
        conn.execute(
            "UPDATE citymap_document SET version = version + 1, body = ?3 WHERE name = ?1 AND version = ?2 \
             AND body IS NOT NULL",
            params![name, expected, body],
        )?
    };
    conn.execute_batch("COMMIT")?;
    Ok(written > 0)
}
