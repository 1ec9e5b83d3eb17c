//! Our own tables next to those of the GeoPackage format.

use citymap_gpkg::schema::{create_metadata, has_table};
use rusqlite::{Connection, TransactionBehavior};

use super::failure::Failure;

/// The version of our tables; a higher one in a file was written by a later citymap.
pub(super) const STORE_VERSION: i64 = 2;

/// Creates an empty store in a database without tables, in one transaction.
pub(super) fn create(conn: &mut Connection) -> Result<(), Failure> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Two processes may get here at the same time; the second one finds the tables of the first.
    if has_table(&transaction, "citymap_store")? {
        return Ok(());
    }
    create_metadata(&transaction)?;
    transaction.execute_batch(OURS)?;
    transaction.execute_batch(HISTORY)?;
    transaction.execute("INSERT INTO citymap_store VALUES ('version', ?1)", [STORE_VERSION])?;
    transaction.commit()?;
    // GDAL reads the application id from the file's header, not through the write-ahead log.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Our own tables. The extension `gdal_aspatial` of the format's tables keeps GDAL from listing these as
/// layers: without it, GDAL lists every table that `gpkg_contents` lacks.
const OURS: &str = r"
CREATE TABLE citymap_store (key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE citymap_layer (
  id TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL, columns TEXT NOT NULL, revision INTEGER NOT NULL,
  count INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE citymap_revision (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, author TEXT NOT NULL,
  message TEXT NOT NULL, source TEXT, source_sha256 TEXT);
CREATE TABLE citymap_change (
  revision INTEGER NOT NULL, position INTEGER NOT NULL, layer TEXT NOT NULL, mode TEXT NOT NULL,
  added INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER NOT NULL, rejected INTEGER NOT NULL,
  count_after INTEGER, PRIMARY KEY (revision, position)) WITHOUT ROWID;
";

/// What the second version of the store added: the history, and documents.
///
/// - A *generation* is a span of a layer's life with one list of fields and one kind of geometry. Its former
///   features stand in the table `citymap_history_<number>`, see [`super::history`].
/// - `citymap_layer_version`: the layer's definition from this revision on; NULL where it was dropped.
/// - `citymap_added`: the features with these numbers were not there before this revision.
/// - `citymap_last_fid`: the highest number ever given in a layer, also when the layer is no longer there.
pub(super) const HISTORY: &str = r"
CREATE TABLE citymap_generation (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, layer TEXT NOT NULL, born INTEGER NOT NULL);
CREATE TABLE citymap_layer_version (
  layer TEXT NOT NULL, revision INTEGER NOT NULL, definition TEXT, columns TEXT, generation INTEGER,
  PRIMARY KEY (layer, revision)) WITHOUT ROWID;
CREATE TABLE citymap_added (
  generation INTEGER NOT NULL, revision INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (generation, revision, first)) WITHOUT ROWID;
CREATE TABLE citymap_last_fid (layer TEXT NOT NULL PRIMARY KEY, fid INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE citymap_document (
  name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, body TEXT) WITHOUT ROWID;
CREATE INDEX citymap_change_layer ON citymap_change (layer, revision);
";
