//! The index over a layer's key, by which an upsert finds its features.

use citymap_model::LayerId;
use rusqlite::{Connection, OptionalExtension};

use super::{catalogue, entry::Entry, failure::Failure};
use crate::columns::quoted;

/// Creates the index if the layer has a key and the index does not exist.
pub(super) fn make(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    let Some(key) = entry.layer.key_index() else { return Ok(()) };
    let id = &entry.layer.id;
    let name = catalogue::key_index(id);
    let there = conn
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1", [&name], |_| Ok(()))
        .optional()?;
    if there.is_none() {
        conn.execute_batch(&format!(
            "CREATE INDEX {} ON {} ({})",
            quoted(&name),
            quoted(id.as_str()),
            quoted(&entry.columns[key])
        ))?;
    }
    Ok(())
}

/// Drops the index of a layer whose key becomes another field.
pub(super) fn drop(conn: &Connection, id: &LayerId) -> Result<(), Failure> {
    Ok(conn.execute_batch(&format!("DROP INDEX IF EXISTS {}", quoted(&catalogue::key_index(id))))?)
}
