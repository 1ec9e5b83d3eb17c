//! The triggers of a layer's table: those of the GeoPackage format, and those that count other programs'
//! edits.

use citymap_gpkg::{columns::quoted, rtree};
use citymap_model::LayerId;
use rusqlite::Connection;

use super::{edited, failure::Failure};

/// Drops these triggers, under whatever names GDAL and QGIS know for them; other triggers stay.
pub(super) fn drop(conn: &Connection, id: &LayerId) -> Result<(), Failure> {
    let mut statement = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE")?;
    let names: Vec<String> =
        statement.query_map([id.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        if rtree::is_format_trigger(id, &name) || name.starts_with(edited::PREFIX) {
            conn.execute_batch(&format!("DROP TRIGGER {}", quoted(&name)))?;
        }
    }
    Ok(())
}

/// Makes all triggers again if another program removed some of the format's.
pub(super) fn mend(conn: &Connection, id: &LayerId, spatial: bool) -> Result<(), Failure> {
    if rtree::missing_triggers(conn, id, spatial)?.is_empty() {
        return Ok(());
    }
    drop(conn, id)?;
    create(conn, id, spatial)
}

/// Makes all triggers of a table that has none of them.
pub(super) fn create(conn: &Connection, id: &LayerId, spatial: bool) -> Result<(), Failure> {
    for (_, sql) in rtree::triggers(id, spatial) {
        conn.execute_batch(&sql)?;
    }
    edited::create(conn, id)
}
