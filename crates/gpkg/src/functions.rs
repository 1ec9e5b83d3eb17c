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
        Ok(bounds(context.get_raw(0))?.map(|bounds| bounds.is_none()))
    })?;
    for (index, name) in ["ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"].into_iter().enumerate() {
        conn.create_scalar_function(name, 1, flags, move |context| {
            Ok(bounds(context.get_raw(0))?.flatten().map(|bounds| bounds[index]))
        })?;
    }
    Ok(())
}

/// The bounds of a geometry: `None` for NULL, `Some(None)` for an empty geometry.
fn bounds(value: ValueRef<'_>) -> rusqlite::Result<Option<Option<Bounds>>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => {
            let bounds = blob::bounds(bytes);
            bounds.map(Some).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
        }
        _ => Err(rusqlite::Error::UserFunctionError("a geometry is not a blob".into())),
    }
}
