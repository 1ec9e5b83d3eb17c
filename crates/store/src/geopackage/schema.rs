//! The tables that a GeoPackage must have, and ours beside them.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::failure::Failure;

/// The version of our tables; a higher one in a file was written by a later citymap.
pub(super) const STORE_VERSION: i64 = 2;

/// `GPKG` as the number in SQLite's header.
pub(super) const APPLICATION_ID: i64 = 0x4750_4B47;

/// GeoPackage 1.3, as the number in SQLite's header.
pub(super) const USER_VERSION: i64 = 10300;

/// Makes an empty store in a database without tables, in one transaction.
pub(super) fn create(conn: &mut Connection) -> Result<(), Failure> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Two processes may come here at once; the second one finds the first one's work.
    if has_table(&transaction, "citymap_store")? {
        return Ok(());
    }
    standard(&transaction)?;
    transaction.execute_batch(OURS)?;
    transaction.execute_batch(HISTORY)?;
    transaction.execute("INSERT INTO citymap_store VALUES ('version', ?1)", [STORE_VERSION])?;
    transaction.commit()?;
    // GDAL reads the application id from the file's header, not through the write-ahead log.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// What every GeoPackage has, in a database without tables.
pub(super) fn standard(conn: &Connection) -> Result<(), Failure> {
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", USER_VERSION)?;
    conn.execute_batch(GEOPACKAGE)?;
    conn.execute(
        "INSERT INTO gpkg_spatial_ref_sys VALUES \
         ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'), \
         ('Undefined geographic', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system'), \
         ('WGS 84', 4326, 'EPSG', 4326, ?1, 'longitude, latitude in degrees on the WGS 84 ellipsoid')",
        [WGS84],
    )?;
    Ok(())
}

/// Whether the database has a table with this name.
pub(super) fn has_table(conn: &Connection, name: &str) -> Result<bool, Failure> {
    let found = conn
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [name],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

/// OGC 12-128r18, annex C, with the R-tree and schema extensions, and GDAL's feature counts,
/// which GDAL and QGIS keep right when they edit.
const GEOPACKAGE: &str = r"
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE gpkg_ogr_contents (table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL);
INSERT INTO gpkg_extensions VALUES
  ('gpkg_data_columns', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec130/#extension_schema', 'read-write'),
  ('gpkg_data_column_constraints', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec130/#extension_schema',
   'read-write'),
  (NULL, NULL, 'gdal_aspatial', 'http://gdal.org/geopackage_aspatial.html', 'read-write');
";

/// Ours. The extension `gdal_aspatial` above keeps GDAL from listing these as layers: without it,
/// GDAL lists every table that `gpkg_contents` lacks.
const OURS: &str = r"
CREATE TABLE citymap_store (key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE citymap_layer (
  id TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL, columns TEXT NOT NULL, revision INTEGER NOT NULL,
  count INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE citymap_revision (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, author TEXT NOT NULL, message TEXT NOT NULL, source TEXT,
  source_sha256 TEXT);
CREATE TABLE citymap_change (
  revision INTEGER NOT NULL, position INTEGER NOT NULL, layer TEXT NOT NULL, mode TEXT NOT NULL,
  added INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER NOT NULL, rejected INTEGER NOT NULL,
  count_after INTEGER, PRIMARY KEY (revision, position)) WITHOUT ROWID;
";

/// What the second version of the store added, for the history and beside it.
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
CREATE TABLE citymap_document (name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, body TEXT) WITHOUT ROWID;
CREATE INDEX citymap_change_layer ON citymap_change (layer, revision);
";

const WGS84: &str = concat!(
    "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,AUTHORITY[\"EPSG\",\"7030\"]],",
    "AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],",
    "UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AXIS[\"Latitude\",NORTH],",
    "AXIS[\"Longitude\",EAST],AUTHORITY[\"EPSG\",\"4326\"]]"
);
