//! The SQL functions that GeoPackage's triggers call, so that our own edits may go by the triggers too.

use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use crate::{
    GpkgError,
    blob::{self, Bounds},
};

/// Registers `ST_IsEmpty`, `ST_MinX`, `ST_MaxX`, `ST_MinY` and `ST_MaxY` on a connection. Each gives NULL for
/// NULL, and the bounds are NULL for an empty geometry.
///
/// # Errors
/// [`GpkgError::Sqlite`] if SQLite does not take the functions.
pub fn register(conn: &Connection) -> Result<(), GpkgError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("ST_IsEmpty", 1, flags, |context| {
        Ok(match examine(context.get_raw(0))? {
            Examined::Null => None,
            Examined::Empty => Some(true),
            Examined::Bounds(_) => Some(false),
        })
    })?;
    for (index, name) in ["ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"].into_iter().enumerate() {
        conn.create_scalar_function(name, 1, flags, move |context| {
            Ok(match examine(context.get_raw(0))? {
                Examined::Null | Examined::Empty => None,
                Examined::Bounds(bounds) => Some(bounds[index]),
            })
        })?;
    }
    Ok(())
}

/// A value that is expected to be a geometry.
enum Examined {
    Null,
    /// A geometry without positions.
    Empty,
    Bounds(Bounds),
}

fn examine(value: ValueRef<'_>) -> rusqlite::Result<Examined> {
    match value {
        ValueRef::Null => Ok(Examined::Null),
        ValueRef::Blob(bytes) => match blob::bounds(bytes) {
            Ok(Some(bounds)) => Ok(Examined::Bounds(bounds)),
            Ok(None) => Ok(Examined::Empty),
            Err(error) => Err(rusqlite::Error::UserFunctionError(error.into())),
        },
        _ => Err(rusqlite::Error::UserFunctionError("a geometry is not a blob".into())),
    }
}
