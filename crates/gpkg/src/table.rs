//! A layer's table, and its rows in the metadata tables.

use citymap_model::{GeometryKind, Layer, LayerId};
use rusqlite::{Connection, params};

use crate::{
    GpkgError,
    blob::{Bounds, SRS_ID},
    columns::{self, GEOM, quoted},
    data_columns, geometry_type,
};

/// Creates the table of a layer and its metadata, with one column for each field. The spatial index and the
/// triggers are made separately, once the features are in the table.
///
/// # Errors
/// [`GpkgError::Sqlite`] if there is a table of this name, or it cannot be written.
pub fn create(conn: &Connection, layer: &Layer, columns: &[String]) -> Result<(), GpkgError> {
    let id = layer.id.as_str();
    let spatial = layer.geometry != GeometryKind::None;
    let mut sql = format!("CREATE TABLE {} (\"fid\" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", quoted(id));
    if spatial {
        sql.push_str(&geometry_type::column("GEOMETRY"));
    }
    for (field, column) in layer.fields.iter().zip(columns) {
        sql.push_str(&format!(", {} {}", quoted(column), columns::sql_type(field.field_type)));
    }
    sql.push(')');
    conn.execute_batch(&sql)?;
    let kind = if spatial { "features" } else { "attributes" };
    conn.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) \
         VALUES (?1, ?2, ?1, ?3, ?4)",
        params![id, kind, description(layer), spatial.then_some(SRS_ID)],
    )?;
    conn.execute("INSERT INTO gpkg_ogr_contents VALUES (?1, 0)", [id])?;
    if spatial {
        conn.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, ?2, 'GEOMETRY', ?3, 0, 0)",
            params![id, GEOM, SRS_ID],
        )?;
        conn.execute(
            "INSERT INTO gpkg_extensions VALUES (?1, ?2, 'gpkg_rtree_index', \
             'http://www.geopackage.org/spec130/#extension_rtree', 'write-only')",
            [id, GEOM],
        )?;
    }
    data_columns::describe(conn, layer, columns)
}

fn description(layer: &Layer) -> String {
    let (vi, en) = (layer.title.get("vi"), layer.title.get("en"));
    if vi == en { vi.to_owned() } else { format!("{vi} – {en}") }
}

/// Replaces the titles of a layer and what is said of its fields after its definition has changed.
///
/// # Errors
/// [`GpkgError::Sqlite`] if they cannot be written.
pub fn retitle(conn: &Connection, layer: &Layer, columns: &[String]) -> Result<(), GpkgError> {
    let id = layer.id.as_str();
    conn.execute(
        "UPDATE gpkg_contents SET description = ?2 WHERE table_name = ?1",
        params![id, description(layer)],
    )?;
    data_columns::forget(conn, &layer.id)?;
    data_columns::describe(conn, layer, columns)
}

/// Removes what the metadata tables say about a layer; the table itself is left to the caller.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn forget(conn: &Connection, id: &LayerId) -> Result<(), GpkgError> {
    data_columns::forget(conn, id)?;
    for table in ["gpkg_extensions", "gpkg_geometry_columns", "gpkg_ogr_contents", "gpkg_contents"] {
        conn.execute(&format!("DELETE FROM {table} WHERE lower(table_name) = ?1"), [id.as_str()])?;
    }
    Ok(())
}

/// States how many features a layer has, the extent of all of them, and when it was last changed; `None`
/// leaves the time as it is.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn state_contents(
    conn: &Connection,
    id: &LayerId,
    count: u64,
    extent: Option<Bounds>,
    changed: Option<&str>,
) -> Result<(), GpkgError> {
    let id = id.as_str();
    conn.execute(
        "INSERT INTO gpkg_ogr_contents VALUES (?1, ?2) ON CONFLICT (table_name) DO UPDATE SET \
         feature_count = excluded.feature_count",
        params![id, count],
    )?;
    let bounds = extent.map_or([None; 4], |bounds| bounds.map(Some));
    conn.execute(
        "UPDATE gpkg_contents SET last_change = coalesce(?2, last_change), min_x = ?3, max_x = ?4, min_y = \
         ?5, max_y = ?6 WHERE table_name = ?1",
        params![id, changed, bounds[0], bounds[1], bounds[2], bounds[3]],
    )?;
    Ok(())
}

/// The extent that the file states for a layer, in degrees; `None` if it states none.
///
/// # Errors
/// [`GpkgError::Sqlite`] if the file has no such layer.
pub fn extent(conn: &Connection, id: &LayerId) -> Result<Option<Bounds>, GpkgError> {
    let bounds: [Option<f64>; 4] = conn.query_row(
        "SELECT min_x, max_x, min_y, max_y FROM gpkg_contents WHERE table_name = ?1",
        [id.as_str()],
        |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
    )?;
    Ok(match bounds {
        [Some(a), Some(b), Some(c), Some(d)] => Some([a, b, c, d]),
        _ => None,
    })
}
