//! The catalogue of layers: our own (`citymap_layer`) and that of the format (`gpkg_contents` and others).

use citymap_gpkg::{blob::Bounds, rtree, table};
use citymap_model::{Layer, LayerId, RevisionNumber};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    entry::{Entry, entry},
    failure::Failure,
    history, triggers,
};
use crate::columns::quoted;

const SELECT: &str = "SELECT l.id, l.definition, l.columns, l.generation, l.revision, \
                      coalesce(o.feature_count, l.count), l.count FROM citymap_layer l \
                      LEFT JOIN gpkg_ogr_contents o ON o.table_name = l.id";

/// All layers of the catalogue, sorted by id.
pub(super) fn all(conn: &Connection) -> Result<Vec<Entry>, Failure> {
    let mut statement = conn.prepare(&format!("{SELECT} ORDER BY l.id"))?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// One layer of the catalogue; `None` if it does not exist.
pub(super) fn get(conn: &Connection, id: &LayerId) -> Result<Option<Entry>, Failure> {
    let mut statement = conn.prepare(&format!("{SELECT} WHERE l.id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(entry).transpose()
}

/// The catalogue as of a former revision, sorted by id; only the layer `id` if one is given.
pub(super) fn former(
    conn: &Connection,
    revision: RevisionNumber,
    id: Option<&LayerId>,
) -> Result<Vec<Entry>, Failure> {
    let mut statement = conn.prepare_cached(
        "SELECT v.layer, v.definition, v.columns, v.generation, c.revision, coalesce(c.count_after, 0), \
         coalesce(c.count_after, 0) FROM citymap_layer_version v JOIN citymap_change c ON c.layer = v.layer \
         WHERE (?2 IS NULL OR v.layer = ?2) AND v.definition IS NOT NULL AND v.revision = (SELECT \
         max(w.revision) FROM citymap_layer_version w WHERE w.layer = v.layer AND w.revision <= ?1) AND \
         c.revision = (SELECT max(d.revision) FROM citymap_change d WHERE d.layer = v.layer AND d.revision \
         <= ?1) AND c.position = (SELECT max(e.position) FROM citymap_change e WHERE e.layer = v.layer AND \
         e.revision = c.revision) ORDER BY v.layer",
    )?;
    let mut rows = statement.query(params![revision, id.map(LayerId::as_str)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// The name of the index over a layer's key column.
pub(super) fn key_index(id: &LayerId) -> String {
    format!("citymap_key_{id}")
}

/// The name of a layer's former table while it is replaced.
pub(super) const ASIDE: &str = "citymap_aside";

/// Removes a layer with all that belongs to it; its history stays.
pub(super) fn drop(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    forget(conn, entry)?;
    let table = quoted(entry.layer.id.as_str());
    Ok(conn.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?)
}

/// Removes a layer as [`drop`] does, but keeps its features in the table [`ASIDE`].
pub(super) fn set_aside(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    forget(conn, entry)?;
    let id = &entry.layer.id;
    Ok(conn.execute_batch(&format!(
        "DROP INDEX IF EXISTS {}; ALTER TABLE {} RENAME TO {ASIDE}",
        quoted(&key_index(id)),
        quoted(id.as_str())
    ))?)
}

/// Removes a layer's triggers, index and rows in the catalogue.
fn forget(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    let id = &entry.layer.id;
    triggers::drop(conn, id)?;
    rtree::drop(conn, id)?;
    table::forget(conn, id)?;
    conn.execute("DELETE FROM citymap_layer WHERE id = ?1", [id.as_str()])?;
    Ok(())
}

/// The highest number ever given in a layer's table, or 0. `exists` says whether the table exists.
pub(super) fn last_fid(conn: &Connection, id: &LayerId, exists: bool) -> Result<i64, Failure> {
    let given: Option<i64> =
        conn.query_row("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", [id.as_str()], |row| {
            row.get(0)
        })?;
    // SQLite remembers numbers that were inserted, not those that another program has changed.
    let there: Option<i64> = if exists {
        conn.query_row(&format!("SELECT max(\"fid\") FROM {}", quoted(id.as_str())), [], |row| row.get(0))?
    } else {
        None
    };
    Ok(given.max(there).unwrap_or(0).max(0))
}

/// The highest number that our own revisions have given in a layer; 0 if there is none.
pub(super) fn known_last_fid(conn: &Connection, id: &LayerId) -> Result<i64, Failure> {
    let mut statement = conn.prepare_cached("SELECT fid FROM citymap_last_fid WHERE layer = ?1")?;
    Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Remembers it in a table that outlives the layer.
pub(super) fn know_last_fid(conn: &Connection, id: &LayerId, fid: i64) -> Result<(), Failure> {
    conn.execute("INSERT OR REPLACE INTO citymap_last_fid VALUES (?1, ?2)", params![id.as_str(), fid])?;
    Ok(())
}

/// Sets the highest number ever given, so that a new table never gives a number twice.
pub(super) fn set_last_fid(conn: &Connection, id: &LayerId, fid: i64) -> Result<(), Failure> {
    if conn.execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1", params![id.as_str(), fid])? == 0 {
        conn.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![id.as_str(), fid])?;
    }
    Ok(())
}

/// Writes what a change set has made of a layer: the catalogue's row, counts, extent, time.
pub(super) fn save(
    conn: &Connection,
    entry: &Entry,
    extent: Option<Bounds>,
    last_fid: i64,
    time: &str,
) -> Result<(), Failure> {
    let id = entry.layer.id.as_str();
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| {
            Failure::Content(format!("the definition of layer `{id}` cannot be written: {error}"))
        })
    };
    let definition = json(serde_json::to_string(&entry.layer))?;
    let columns = json(serde_json::to_string(&entry.columns))?;
    conn.execute(
        "INSERT INTO citymap_layer VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET \
         definition = excluded.definition, columns = excluded.columns, revision = excluded.revision, \
         count = excluded.count, generation = excluded.generation",
        params![id, definition, columns, entry.revision, entry.count, entry.generation],
    )?;
    let version = Some((definition.as_str(), columns.as_str(), entry.generation));
    history::save_version(conn, &entry.layer.id, entry.revision, version)?;
    know_last_fid(conn, &entry.layer.id, last_fid)?;
    Ok(table::state_contents(conn, &entry.layer.id, entry.count, extent, Some(time))?)
}

/// The layers whose definitions are from before fields had meanings, sorted.
pub(super) fn former_definitions(conn: &Connection) -> Result<Vec<LayerId>, Failure> {
    let mut statement = conn.prepare("SELECT id, definition FROM citymap_layer ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, definition): (String, String) = (row.get(0)?, row.get(1)?);
        if Layer::lacks_meanings(&definition)
            && let Ok(id) = id.parse()
        {
            found.push(id);
        }
    }
    Ok(found)
}
