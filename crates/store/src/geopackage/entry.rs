//! A layer of the catalogue, with what only this store needs to know of it.

use citymap_model::{GeometryKind, Layer};
use rusqlite::Row;

use super::failure::Failure;
use crate::columns::{FID, GEOM, quoted};

/// A layer of the catalogue.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) layer: Layer,
    /// The name of each field's column, in the order of the fields.
    pub(super) columns: Vec<String>,
    pub(super) revision: u64,
    /// The number of features now, other programs' edits included.
    pub(super) count: u64,
    /// The number of features after the last revision of the layer.
    pub(super) count_then: u64,
    /// The generation that the layer's table holds, see [`super::history`].
    pub(super) generation: i64,
}

/// Reads a row of id, definition, columns, generation, revision, count now, and count after the last
/// revision.
pub(super) fn entry(row: &Row<'_>) -> Result<Entry, Failure> {
    let id: String = row.get(0)?;
    let damaged = |what: &str, error: serde_json::Error| {
        Failure::Content(format!("the catalogue's {what} of layer `{id}` cannot be read: {error}"))
    };
    let layer = Layer::from_definition(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)
        .map_err(|error| damaged("definition", error))?;
    let columns: Vec<String> = serde_json::from_str(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)
        .map_err(|error| damaged("list of columns", error))?;
    if columns.len() != layer.fields.len() {
        return Err(Failure::Content(format!(
            "the catalogue lists other columns than fields for layer `{id}`"
        )));
    }
    Ok(Entry {
        layer,
        columns,
        generation: row.get(3)?,
        revision: row.get(4)?,
        count: row.get(5)?,
        count_then: row.get(6)?,
    })
}

/// The columns of a feature for `SELECT`: fid, geometry (NULL for a table without geometry), values.
pub(super) fn columns(entry: &Entry) -> String {
    let geom = if entry.layer.geometry == GeometryKind::None { "NULL".to_owned() } else { quoted(GEOM) };
    let mut sql = format!("{}, {geom}", quoted(FID));
    for column in &entry.columns {
        sql.push_str(", ");
        sql.push_str(&quoted(column));
    }
    sql
}

/// The statement that reads all of a layer.
pub(super) fn select(entry: &Entry) -> String {
    format!("SELECT {} FROM {}", columns(entry), quoted(entry.layer.id.as_str()))
}
