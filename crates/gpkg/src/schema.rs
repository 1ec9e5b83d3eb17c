//! The tables that every GeoPackage has, and the numbers in SQLite's header that say what the file is.

use rusqlite::{Connection, OptionalExtension};

use crate::{GpkgError, data_columns};

/// `GPKG`, the application id in SQLite's header.
pub const APPLICATION_ID: i64 = 0x4750_4B47;

/// GeoPackage 1.3, the user version in SQLite's header.
pub const USER_VERSION: i64 = 10300;

/// Creates the metadata tables in a database that has no tables, and states the format in its header.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn create_metadata(conn: &Connection) -> Result<(), GpkgError> {
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", USER_VERSION)?;
    data_columns::create(conn)?;
    conn.execute_batch(GEOPACKAGE)?;
    conn.execute(
        "INSERT INTO gpkg_spatial_ref_sys VALUES \
         ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', \
         'undefined Cartesian coordinate reference system'), \
         ('Undefined geographic', 0, 'NONE', 0, 'undefined', \
         'undefined geographic coordinate reference system'), \
         ('WGS 84', 4326, 'EPSG', 4326, ?1, 'longitude, latitude in degrees on the WGS 84 ellipsoid')",
        [WGS84],
    )?;
    Ok(())
}

/// Whether the database has a table or view of this name, in whatever case.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be read.
pub fn has_table(conn: &Connection, name: &str) -> Result<bool, GpkgError> {
    let found = conn
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [name],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

/// OGC 12-128r18, annex C, with the R-tree extension, and GDAL's feature counts, which GDAL and QGIS keep
/// right when they edit. The schema extension is in [`data_columns`].
const GEOPACKAGE: &str = r"
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_ogr_contents (table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL);
INSERT INTO gpkg_extensions VALUES
  (NULL, NULL, 'gdal_aspatial', 'http://gdal.org/geopackage_aspatial.html', 'read-write');
";

const WGS84: &str = concat!(
    "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",",
    "SPHEROID[\"WGS 84\",6378137,298.257223563,AUTHORITY[\"EPSG\",\"7030\"]],",
    "AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\",0,AUTHORITY[\"EPSG\",\"8901\"]],",
    "UNIT[\"degree\",0.0174532925199433,AUTHORITY[\"EPSG\",\"9122\"]],AXIS[\"Latitude\",NORTH],",
    "AXIS[\"Longitude\",EAST],AUTHORITY[\"EPSG\",\"4326\"]]"
);
