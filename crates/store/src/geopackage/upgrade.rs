//! Brings a store of an earlier version of the program up to this one.

use citymap_gpkg::schema::has_table;
use rusqlite::{Connection, TransactionBehavior, params};

use super::{catalogue, failure::Failure, history, revisions, schema};

/// Upgrades version 1, which kept no history: the history begins with the newest revision.
pub(super) fn upgrade(conn: &mut Connection) -> Result<(), Failure> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 =
        transaction
            .query_row("SELECT value FROM citymap_store WHERE key = 'version'", [], |row| row.get(0))?;
    // Two processes may get here at the same time; the second one finds the tables of the first.
    if version >= schema::STORE_VERSION {
        return Ok(());
    }
    // An old program that has the file open fails at its next import, because the tables have other columns
    // now.
    transaction.execute_batch(
        "ALTER TABLE citymap_layer ADD COLUMN generation INTEGER NOT NULL DEFAULT 0; \
         ALTER TABLE citymap_change ADD COLUMN count_after INTEGER",
    )?;
    transaction.execute_batch(schema::HISTORY)?;
    let newest = revisions::newest(&transaction)?;
    for entry in catalogue::all(&transaction)? {
        let id = &entry.layer.id;
        let generation = history::begin(&transaction, &entry.layer, newest)?;
        transaction.execute(
            "UPDATE citymap_layer SET generation = ?2 WHERE id = ?1",
            params![id.as_str(), generation],
        )?;
        // What another program edited until now is part of what is kept.
        transaction.execute(
            "UPDATE citymap_change SET count_after = ?2 WHERE layer = ?1 AND revision = \
             (SELECT max(revision) FROM citymap_change WHERE layer = ?1)",
            params![id.as_str(), entry.count],
        )?;
        transaction.execute(
            "INSERT INTO citymap_layer_version SELECT id, ?2, definition, columns, generation FROM \
             citymap_layer WHERE id = ?1",
            params![id.as_str(), newest],
        )?;
        let exists = has_table(&transaction, id.as_str())?;
        catalogue::know_last_fid(&transaction, id, catalogue::last_fid(&transaction, id, exists)?)?;
    }
    transaction.execute("INSERT INTO citymap_store VALUES ('history_since', ?1)", [newest])?;
    transaction
        .execute("UPDATE citymap_store SET value = ?1 WHERE key = 'version'", [schema::STORE_VERSION])?;
    transaction.commit()?;
    Ok(())
}
