//! The type of geometry that a layer declares to other programs.

use citymap_geometry::wkb::TYPE_NAMES;
use citymap_model::LayerId;
use rusqlite::Connection;

use crate::GpkgError;

/// The declaration of the geometry column in `CREATE TABLE`, after a comma.
pub(crate) fn column(name: &str) -> String {
    format!(", \"geom\" {name}")
}

/// The narrowest GeoPackage type that holds all WKB types in `codes` (bit n for code n).
fn geometry_type(codes: u8) -> String {
    let exact = TYPE_NAMES.iter().find(|(code, _)| codes == 1 << code);
    exact.map_or("GEOMETRY", |(_, name)| name).to_ascii_uppercase()
}

/// Declares the geometry type of a layer once it is known what was written, `codes` being the WKB types (bit
/// n for code n): as narrow as they allow if the layer was empty before, else wide enough for old and new.
///
/// The declared type of the column and `gpkg_geometry_columns` must agree, and SQLite has no `ALTER COLUMN`.
/// The text of the schema is edited, as SQLite's manual advises for changes that affect no stored row.
///
/// # Errors
/// [`GpkgError::Rebuilt`] if another program has written the table's definition in its own way,
/// [`GpkgError::Sqlite`] if the file cannot be written.
pub fn widen(conn: &Connection, id: &LayerId, codes: u8, was_empty: bool) -> Result<(), GpkgError> {
    if codes == 0 {
        return Ok(());
    }
    let stated: String = conn.query_row(
        "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?1",
        [id.as_str()],
        |row| row.get(0),
    )?;
    let narrow = geometry_type(codes);
    let wanted = if was_empty || narrow == stated { narrow } else { "GEOMETRY".to_owned() };
    if wanted == stated {
        return Ok(());
    }
    let sql: String = conn.query_row(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        [id.as_str()],
        |row| row.get(0),
    )?;
    let (before, after) = (format!("{},", column(&stated)), format!("{},", column(&wanted)));
    let (before_end, after_end) = (format!("{})", column(&stated)), format!("{})", column(&wanted)));
    let edited = if sql.contains(&before) {
        sql.replacen(&before, &after, 1)
    } else if sql.contains(&before_end) {
        sql.replacen(&before_end, &after_end, 1)
    } else {
        return Err(GpkgError::Rebuilt(id.to_string()));
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
        [id.as_str(), wanted.as_str()],
    )?;
    Ok(())
}
