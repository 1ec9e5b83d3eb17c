//! Single values from SQLite.

use rusqlite::Connection;

use super::failure::Failure;

/// The whole number that is the first column of the first row of a statement without parameters.
pub(super) fn number(conn: &Connection, sql: &str) -> Result<i64, Failure> {
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}
