//! Detects that another program has edited a layer without a revision: triggers count every change of a row,
//! whether by QGIS, GDAL or SQLite itself. Our own change sets restore the count.

use std::collections::BTreeMap;

use citymap_gpkg::{columns::quoted, schema};
use citymap_model::LayerId;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Failure;

/// The prefix of the names of the triggers.
pub(super) const PREFIX: &str = "citymap_edited_";

const EVENTS: [&str; 3] = ["insert", "update", "delete"];

fn key(id: &str) -> String {
    format!("edited:{id}")
}

/// Creates the triggers of a layer, and its count if there is none.
pub(super) fn create(conn: &Connection, id: &LayerId) -> Result<(), Failure> {
    conn.execute("INSERT OR IGNORE INTO citymap_store VALUES (?1, 0)", [key(id.as_str())])?;
    for event in EVENTS {
        conn.execute_batch(&format!(
            "CREATE TRIGGER {} AFTER {} ON {} BEGIN UPDATE citymap_store SET value = value + 1 WHERE key = \
             '{}'; END",
            quoted(&format!("{PREFIX}{event}_{id}")),
            event.to_ascii_uppercase(),
            quoted(id.as_str()),
            key(id.as_str())
        ))?;
    }
    Ok(())
}

/// How many of a layer's triggers exist.
fn there(conn: &Connection, id: &str) -> Result<i64, Failure> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE AND \
         name IN ('citymap_edited_insert_' || ?1, 'citymap_edited_update_' || ?1, 'citymap_edited_delete_' \
         || ?1)",
    )?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

/// Creates missing triggers: of layers from an earlier version of the program, and of tables that another
/// program has rebuilt.
pub(super) fn mend(conn: &mut Connection) -> Result<(), Failure> {
    let lacking = |conn: &Connection| -> Result<Vec<LayerId>, Failure> {
        let mut statement = conn.prepare("SELECT id FROM citymap_layer")?;
        let ids: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut lacking = Vec::new();
        for id in ids {
            if there(conn, &id)? < EVENTS.len() as i64 && schema::has_table(conn, &id)? {
                lacking.extend(id.parse::<LayerId>().ok());
            }
        }
        Ok(lacking)
    };
    if lacking(conn)?.is_empty() {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for id in lacking(&transaction)? {
        for event in EVENTS {
            let name = quoted(&format!("{PREFIX}{event}_{id}"));
            transaction.execute_batch(&format!("DROP TRIGGER IF EXISTS {name}"))?;
        }
        create(&transaction, &id)?;
        // Edits were not counted until now, so there may have been some.
        transaction
            .execute("UPDATE citymap_store SET value = value + 1 WHERE key = ?1", [key(id.as_str())])?;
    }
    transaction.commit()?;
    Ok(())
}

/// The counts of all layers by key of `citymap_store`.
pub(super) fn counts(conn: &Connection) -> Result<BTreeMap<String, i64>, Failure> {
    let mut statement =
        conn.prepare("SELECT key, value FROM citymap_store WHERE key >= 'edited:' AND key < 'edited;'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Restores the counts that the layers had before a change set of our own.
pub(super) fn restore(conn: &Connection, before: &BTreeMap<String, i64>) -> Result<(), Failure> {
    for (key, now) in counts(conn)? {
        let then = before.get(&key).copied().unwrap_or(0);
        if then != now {
            conn.execute("UPDATE citymap_store SET value = ?2 WHERE key = ?1", params![key, then])?;
        }
    }
    Ok(())
}

/// A text that stays the same as long as only our own change sets change the layer; it changes if another
/// program changes a row or rebuilds the table. `None` if the triggers are missing.
pub(super) fn stamp(conn: &Connection, id: &LayerId) -> Result<Option<String>, Failure> {
    if there(conn, id.as_str())? < EVENTS.len() as i64 {
        return Ok(None);
    }
    let count: Option<i64> = conn
        .query_row("SELECT value FROM citymap_store WHERE key = ?1", [key(id.as_str())], |row| row.get(0))
        .optional()?;
    let page: Option<i64> = conn
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            [id.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(count.zip(page).map(|(count, page)| format!("{count}.{page}")))
}
