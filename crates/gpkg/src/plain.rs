//! A GeoPackage for others to read: one table, no history, written row by row and then closed.

use std::path::Path;

use citymap_geometry::Geometry;
use citymap_model::{GeometryKind, Layer, LayerId};
use rusqlite::{Connection, ToSql, types::ToSqlOutput};

use crate::{
    GpkgError, RtreeBox,
    blob::{self, Bounds},
    columns::{GEOM, names, quoted},
    geometry_type, rtree, schema, table,
};

/// A value of a row, as SQLite takes it. Days and instants are texts of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// SQL `NULL`, for a missing value.
    Null,
    /// Stored as 0 or 1.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// 64-bit floating point; NaN becomes null.
    Real(f64),
    /// A text in UTF-8.
    Text(&'a str),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::from(rusqlite::types::Null),
            Self::Bool(value) => ToSqlOutput::from(value),
            Self::Int(value) => ToSqlOutput::from(value),
            Self::Real(value) if value.is_nan() => ToSqlOutput::from(rusqlite::types::Null),
            Self::Real(value) => ToSqlOutput::from(value),
            Self::Text(value) => ToSqlOutput::from(value),
        })
    }
}

/// A GeoPackage file with one table, while it is being written. The file is incomplete until
/// [`PlainGeoPackage::finish`] has returned; if the value is dropped before, the caller removes the file.
#[derive(Debug)]
pub struct PlainGeoPackage {
    conn: Connection,
    id: LayerId,
    /// The statement that adds a row: geometry first where the table has one, then the fields.
    insert: String,
    spatial: bool,
    fields: usize,
    count: u64,
    /// The WKB types that were written: bit n for code n.
    codes: u8,
    boxes: Vec<RtreeBox>,
    extent: Option<Bounds>,
}

impl PlainGeoPackage {
    /// Creates a new file with the table of `layer`: its id, title, kind of geometry and fields.
    ///
    /// # Errors
    /// [`GpkgError::Exists`] if there is a file, [`GpkgError::Sqlite`] if it cannot be written.
    pub fn create(path: &Path, layer: &Layer) -> Result<Self, GpkgError> {
        if path.symlink_metadata().is_ok() {
            return Err(GpkgError::Exists(path.to_owned()));
        }
        let conn = Connection::open(path)?;
        // Nobody reads the file before it is complete, and an incomplete one is thrown away: no journal, and
        // no waiting for the disk.
        conn.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; \
             PRAGMA locking_mode = EXCLUSIVE; BEGIN",
        )?;
        schema::create_metadata(&conn)?;
        let columns = names(&layer.fields);
        table::create(&conn, layer, &columns)?;
        let spatial = layer.geometry != GeometryKind::None;
        let mut into: Vec<String> = if spatial { vec![quoted(GEOM)] } else { Vec::new() };
        into.extend(columns.iter().map(|column| quoted(column)));
        let parameters: Vec<String> = (1..=into.len()).map(|number| format!("?{number}")).collect();
        let insert = if into.is_empty() {
            format!("INSERT INTO {} DEFAULT VALUES", quoted(layer.id.as_str()))
        } else {
            format!(
                "INSERT INTO {} ({}) VALUES ({})",
                quoted(layer.id.as_str()),
                into.join(", "),
                parameters.join(", ")
            )
        };
        Ok(Self {
            conn,
            id: layer.id.clone(),
            insert,
            spatial,
            fields: layer.fields.len(),
            count: 0,
            codes: 0,
            boxes: Vec::new(),
            extent: None,
        })
    }

    /// Adds a row: its geometry (WGS 84 degrees) if the table has one, and a cell for each field.
    ///
    /// # Errors
    /// [`GpkgError::Width`] for another number of cells, [`GpkgError::NotFinite`] for a coordinate that is
    /// NaN or infinite, [`GpkgError::Sqlite`] if the file cannot be written.
    pub fn put(&mut self, geometry: Option<&Geometry>, cells: &[Cell<'_>]) -> Result<(), GpkgError> {
        if cells.len() != self.fields {
            return Err(GpkgError::Width { found: cells.len(), expected: self.fields });
        }
        self.count += 1;
        let row = self.count;
        let mut statement = self.conn.prepare_cached(&self.insert)?;
        let mut first = 1;
        if self.spatial {
            let blob = geometry
                .map(blob::write)
                .transpose()
                .map_err(|source| GpkgError::NotFinite { row, source })?;
            if let Some(blob) = &blob {
                self.codes |= 1 << blob.code;
                if let Some(bounds) = blob.bounds {
                    let fid = i64::try_from(row).unwrap_or(i64::MAX);
                    self.boxes.push(RtreeBox { fid, bounds: rtree::rounded(bounds) });
                    self.extent = Some(blob::union(self.extent, bounds));
                }
            }
            statement.raw_bind_parameter(first, blob.as_ref().map(|blob| &blob.bytes[..]))?;
            first += 1;
        }
        for (position, cell) in cells.iter().enumerate() {
            statement.raw_bind_parameter(first + position, cell)?;
        }
        statement.raw_execute()?;
        Ok(())
    }

    /// Builds the spatial index, states count and extent, and closes the file. Returns the number of rows.
    ///
    /// # Errors
    /// [`GpkgError::Sqlite`] if the file cannot be written.
    pub fn finish(self) -> Result<u64, GpkgError> {
        let Self { conn, id, spatial, count, codes, boxes, extent, .. } = self;
        if spatial {
            rtree::create(&conn, &id, boxes)?;
            geometry_type::widen(&conn, &id, codes, true)?;
        }
        for (_, sql) in rtree::triggers(&id, spatial) {
            conn.execute_batch(&sql)?;
        }
        table::state_contents(&conn, &id, count, extent, None)?;
        conn.execute_batch("COMMIT")?;
        conn.close().map_err(|(_, error)| error)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, Role, Title};
    use geo_types::Point;

    use super::*;

    #[test]
    fn what_is_put_in_is_there_and_the_index_is_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pieces.gpkg");
        let mut layer =
            Layer::new("pieces".parse().unwrap(), Title::same("Pieces"), Role::Other, GeometryKind::Mixed);
        layer.fields = vec![Field::new("name", FieldType::Text), Field::new("fid", FieldType::Int)];
        let mut file = PlainGeoPackage::create(&path, &layer).unwrap();
        for n in 0..1000 {
            let point = Point::new(106.0 + f64::from(n) * 1e-3, 10.0).into();
            file.put(Some(&point), &[Cell::Text("đất"), Cell::Int(i64::from(n))]).unwrap();
        }
        assert!(matches!(file.put(None, &[Cell::Null]), Err(GpkgError::Width { found: 1, expected: 2 })));
        file.finish().unwrap();
        let conn = Connection::open(&path).unwrap();
        let text = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(text("SELECT rtreecheck('rtree_pieces_geom')"), "ok");
        assert_eq!(text("SELECT geometry_type_name FROM gpkg_geometry_columns"), "POINT");
        assert_eq!(text("SELECT name || fid_2 FROM pieces WHERE fid = 1000"), "đất999");
        assert_eq!(text("SELECT CAST(feature_count AS TEXT) FROM gpkg_ogr_contents"), "1000");
        assert!(matches!(PlainGeoPackage::create(&path, &layer), Err(GpkgError::Exists(_))));
    }

    #[test]
    fn a_coordinate_that_is_not_finite_is_refused_with_its_row() {
        let folder = tempfile::tempdir().unwrap();
        let layer = Layer::new("p".parse().unwrap(), Title::same("P"), Role::Other, GeometryKind::Point);
        let mut file = PlainGeoPackage::create(&folder.path().join("p.gpkg"), &layer).unwrap();
        let error = file.put(Some(&Point::new(f64::NAN, 1.0).into()), &[]).unwrap_err();
        assert_eq!(error.to_string(), "row 1: a coordinate is not a finite number");
    }
}
