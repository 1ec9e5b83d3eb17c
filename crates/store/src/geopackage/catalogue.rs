//! The catalogue of layers: ours (`citymap_layer`) and GeoPackage's (`gpkg_contents` and its like).

use citymap_model::{GeometryKind, Layer, LayerId};
use rusqlite::{Connection, Row, params};

use super::{
    blob::{Bounds, SRS_ID},
    failure::Failure,
    rtree,
};
use crate::{
    columns::{self, GEOM, quoted},
    wkb_write::code,
};

/// A layer of the catalogue, with what only this store needs to know.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) layer: Layer,
    /// The column of each field.
    pub(super) columns: Vec<String>,
    pub(super) revision: u64,
    /// Features now, also after another program's edits.
    pub(super) count: u64,
    /// Features when the last revision of the layer ended.
    pub(super) count_then: u64,
}

const SELECT: &str = "SELECT l.id, l.definition, l.columns, l.revision, coalesce(o.feature_count, l.count), l.count \
                      FROM citymap_layer l LEFT JOIN gpkg_ogr_contents o ON o.table_name = l.id";

/// All layers, by id.
pub(super) fn all(conn: &Connection) -> Result<Vec<Entry>, Failure> {
    let mut statement = conn.prepare(&format!("{SELECT} ORDER BY l.id"))?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

/// One layer.
pub(super) fn get(conn: &Connection, id: &LayerId) -> Result<Option<Entry>, Failure> {
    let mut statement = conn.prepare(&format!("{SELECT} WHERE l.id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(entry).transpose()
}

fn entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let id: String = row.get(0)?;
    let damaged = |what: &str, error: serde_json::Error| {
        Failure::Content(format!("the catalogue's {what} of layer `{id}` cannot be read: {error}"))
    };
    let layer: Layer = serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)
        .map_err(|error| damaged("definition", error))?;
    let columns: Vec<String> = serde_json::from_str(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)
        .map_err(|error| damaged("list of columns", error))?;
    if columns.len() != layer.fields.len() {
        return Err(Failure::Content(format!(
            "the catalogue lists other columns than fields for layer `{id}`"
        )));
    }
    Ok(Entry { layer, columns, revision: row.get(3)?, count: row.get(4)?, count_then: row.get(5)? })
}

/// The statement that reads all of a layer: fid, geometry (NULL for a table without one), values.
pub(super) fn select(entry: &Entry) -> String {
    let geom = if entry.layer.geometry == GeometryKind::None { "NULL".to_owned() } else { quoted(GEOM) };
    let mut sql = format!("SELECT {}, {geom}", quoted(columns::FID));
    for column in &entry.columns {
        sql.push_str(", ");
        sql.push_str(&quoted(column));
    }
    sql.push_str(" FROM ");
    sql.push_str(&quoted(entry.layer.id.as_str()));
    sql
}

/// The name of the index over a layer's key column.
pub(super) fn key_index(id: &LayerId) -> String {
    format!("citymap_key_{id}")
}

/// Makes the table of a layer and its rows in GeoPackage's tables, without R-tree and triggers.
pub(super) fn create(conn: &Connection, layer: &Layer, columns: &[String]) -> Result<(), Failure> {
    let id = layer.id.as_str();
    let spatial = layer.geometry != GeometryKind::None;
    let mut sql = format!("CREATE TABLE {} (\"fid\" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", quoted(id));
    if spatial {
        sql.push_str(&geometry_column("GEOMETRY"));
    }
    for (field, column) in layer.fields.iter().zip(columns) {
        sql.push_str(&format!(", {} {}", quoted(column), columns::sql_type(field.field_type)));
    }
    sql.push(')');
    conn.execute_batch(&sql)?;
    let kind = if spatial { "features" } else { "attributes" };
    conn.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?1, ?2, ?1, ?3, ?4)",
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
    let mut titles = conn.prepare("INSERT INTO gpkg_data_columns VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL)")?;
    for (field, column) in layer.fields.iter().zip(columns) {
        if !field.title.is_empty() || field.name != *column {
            let (title, also) = (field.title.get("vi"), field.title.get("en"));
            titles.execute(params![id, column, field.name, title, (also != title).then_some(also)])?;
        }
    }
    Ok(())
}

fn description(layer: &Layer) -> String {
    let (vi, en) = (layer.title.get("vi"), layer.title.get("en"));
    if vi == en { vi.to_owned() } else { format!("{vi} – {en}") }
}

/// Takes a layer away, with all that belongs to it.
pub(super) fn drop(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    let id = &entry.layer.id;
    rtree::drop_triggers(conn, id)?;
    rtree::drop(conn, id)?;
    conn.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(id.as_str())))?;
    for table in [
        "gpkg_data_columns",
        "gpkg_extensions",
        "gpkg_geometry_columns",
        "gpkg_ogr_contents",
        "gpkg_contents",
    ] {
        conn.execute(&format!("DELETE FROM {table} WHERE lower(table_name) = ?1"), [id.as_str()])?;
    }
    conn.execute("DELETE FROM citymap_layer WHERE id = ?1", [id.as_str()])?;
    Ok(())
}

/// The highest number ever given in a layer's table, or 0. `exists` says whether the table is there.
pub(super) fn last_fid(conn: &Connection, id: &LayerId, exists: bool) -> Result<i64, Failure> {
    let given: Option<i64> =
        conn.query_row("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", [id.as_str()], |row| {
            row.get(0)
        })?;
    // SQLite counts what is inserted, not what another program renumbers.
    let there: Option<i64> = if exists {
        conn.query_row(&format!("SELECT max(\"fid\") FROM {}", quoted(id.as_str())), [], |row| row.get(0))?
    } else {
        None
    };
    Ok(given.max(there).unwrap_or(0).max(0))
}

/// Sets the highest number ever given, so that a table made anew never gives one twice.
pub(super) fn set_last_fid(conn: &Connection, id: &LayerId, fid: i64) -> Result<(), Failure> {
    if conn.execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1", params![id.as_str(), fid])? == 0 {
        conn.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![id.as_str(), fid])?;
    }
    Ok(())
}

/// Writes what a change set leaves behind: the catalogue's row, counts, extent, time.
pub(super) fn save(
    conn: &Connection,
    entry: &Entry,
    extent: Option<Bounds>,
    time: &str,
) -> Result<(), Failure> {
    let id = entry.layer.id.as_str();
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| {
            Failure::Content(format!("the definition of layer `{id}` cannot be written: {error}"))
        })
    };
    conn.execute(
        "INSERT INTO citymap_layer VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET \
         definition = excluded.definition, columns = excluded.columns, revision = excluded.revision, \
         count = excluded.count",
        params![
            id,
            json(serde_json::to_string(&entry.layer))?,
            json(serde_json::to_string(&entry.columns))?,
            entry.revision,
            entry.count
        ],
    )?;
    conn.execute(
        "INSERT INTO gpkg_ogr_contents VALUES (?1, ?2) ON CONFLICT (table_name) DO UPDATE SET \
         feature_count = excluded.feature_count",
        params![id, entry.count],
    )?;
    let bounds = extent.map_or([None; 4], |bounds| bounds.map(Some));
    conn.execute(
        "UPDATE gpkg_contents SET last_change = ?2, min_x = ?3, max_x = ?4, min_y = ?5, max_y = ?6 WHERE table_name = ?1",
        params![id, time, bounds[0], bounds[1], bounds[2], bounds[3]],
    )?;
    Ok(())
}

/// The extent that `gpkg_contents` states, degrees.
pub(super) fn extent(conn: &Connection, id: &LayerId) -> Result<Option<Bounds>, Failure> {
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

fn geometry_column(name: &str) -> String {
    format!(", \"geom\" {name}")
}

/// The narrowest GeoPackage type that holds all WKB types in `codes` (bit n for code n).
fn geometry_type(codes: u8) -> &'static str {
    const fn bit(code: u32) -> u8 {
        1 << code
    }
    const NAMES: [(u8, &str); 7] = [
        (bit(code::POINT), "POINT"),
        (bit(code::LINE_STRING), "LINESTRING"),
        (bit(code::POLYGON), "POLYGON"),
        (bit(code::MULTI_POINT), "MULTIPOINT"),
        (bit(code::MULTI_LINE_STRING), "MULTILINESTRING"),
        (bit(code::MULTI_POLYGON), "MULTIPOLYGON"),
        (bit(code::COLLECTION), "GEOMETRYCOLLECTION"),
    ];
    NAMES.iter().find(|(bits, _)| *bits == codes).map_or("GEOMETRY", |(_, name)| name)
}

/// States the geometry type of a layer once it is known what came, `codes` being the WKB types of
/// what was written: as narrow as that allows when the layer was empty before, else wide enough
/// for both. The column's declared type and `gpkg_geometry_columns` must agree, and SQLite has no
/// `ALTER COLUMN`; the schema text is edited as its manual advises for what changes no stored row.
pub(super) fn widen_type(conn: &Connection, id: &LayerId, codes: u8, was_empty: bool) -> Result<(), Failure> {
    if codes == 0 {
        return Ok(());
    }
    let stated: String = conn.query_row(
        "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?1",
        [id.as_str()],
        |row| row.get(0),
    )?;
    let narrow = geometry_type(codes);
    let wanted = if was_empty || narrow == stated { narrow } else { "GEOMETRY" };
    if wanted == stated {
        return Ok(());
    }
    let sql: String = conn.query_row(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [id.as_str()],
        |row| row.get(0),
    )?;
    let (before, after) = (format!("{},", geometry_column(&stated)), format!("{},", geometry_column(wanted)));
    let (before_end, after_end) =
        (format!("{})", geometry_column(&stated)), format!("{})", geometry_column(wanted)));
    let edited = if sql.contains(&before) {
        sql.replacen(&before, &after, 1)
    } else if sql.contains(&before_end) {
        sql.replacen(&before_end, &after_end, 1)
    } else {
        return Err(Failure::Content(format!(
            "another program rebuilt the table of layer `{id}`; import the layer again with --mode replace"
        )));
    };
    let version: i64 = conn.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
    conn.execute_batch("PRAGMA writable_schema = ON")?;
    let changed = conn
        .execute(
            "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1",
            [id.as_str(), edited.as_str()],
        )
        .and_then(|_| conn.execute_batch(&format!("PRAGMA schema_version = {}", version + 1)));
    conn.execute_batch("PRAGMA writable_schema = RESET")?;
    changed?;
    conn.execute(
        "UPDATE gpkg_geometry_columns SET geometry_type_name = ?2 WHERE table_name = ?1",
        [id.as_str(), wanted],
    )?;
    Ok(())
}
