//! The functions that GeoPackage's triggers ask for, so that our own edits may go by the triggers too.

use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use super::blob::{self, Bounds};

/// Makes `ST_IsEmpty`, `ST_MinX`, `ST_MaxX`, `ST_MinY` and `ST_MaxY` known to a connection.
pub(super) fn register(conn: &Connection) -> rusqlite::Result<()> {
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

/// The bounds of a geometry: `None` if there is none, `Some(None)` if it is empty.
fn bounds(value: ValueRef<'_>) -> rusqlite::Result<Option<Option<Bounds>>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(bytes) => blob::bounds(bytes).map(Some).map_err(|error| unreadable(error)),
        _ => Err(unreadable("a geometry is no blob")),
    }
}

fn unreadable(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(reason.into())
}
