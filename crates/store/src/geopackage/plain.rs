//! A GeoPackage for others to read: one table, no history, written row by row and then closed.

use std::path::{Path, PathBuf};

use citymap_model::{Geometry, GeometryKind, Layer, LayerId};
use rusqlite::{Connection, ToSql, params, types::ToSqlOutput};

use super::{
    blob::{self, Bounds},
    bulk_rtree::Box32,
    catalogue,
    failure::Failure,
    geometry_type, rtree, schema,
};
use crate::{
    StoreError,
    columns::{GEOM, names, quoted},
};

/// A value of a row, as SQLite takes it. Days and instants are texts of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// 64-bit signed integer.
    Int(i64),
    /// 64-bit floating point; what is no number becomes null.
    Real(f64),
    /// Unicode text.
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

/// A GeoPackage file with one table while it grows. It is not to be relied on before [`PlainGeoPackage::finish`]; a file
/// that is given up is the caller's to remove.
#[derive(Debug)]
pub struct PlainGeoPackage {
    conn: Connection,
    path: PathBuf,
    id: LayerId,
    insert: String,
    spatial: bool,
    width: usize,
    count: i64,
    codes: u8,
    boxes: Vec<Box32>,
    extent: Option<Bounds>,
}

impl PlainGeoPackage {
    /// Begins a new file with the table of `layer`: its id, title, kind of geometry and fields.
    ///
    /// # Errors
    /// [`StoreError::Database`] where the file cannot be made or is there already.
    pub fn create(path: &Path, layer: &Layer) -> Result<Self, StoreError> {
        Self::begin(path, layer).map_err(|failure| failure.at(&path.display().to_string()))
    }

    fn begin(path: &Path, layer: &Layer) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(Failure::Content("there is a file of this name already; give another".to_owned()));
        }
        let conn = Connection::open(path)?;
        // Nobody reads the file before it is whole, and an unfinished one is thrown away: no journal, no waiting for
        // the disk.
        conn.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; \
             PRAGMA locking_mode = EXCLUSIVE; BEGIN",
        )?;
        schema::standard(&conn)?;
        let columns = names(&layer.fields);
        catalogue::create(&conn, layer, &columns)?;
        let spatial = layer.geometry != GeometryKind::None;
        let mut into: Vec<String> = if spatial { vec![quoted(GEOM)] } else { Vec::new() };
        into.extend(columns.iter().map(|column| quoted(column)));
        let places: Vec<String> = (1..=into.len()).map(|number| format!("?{number}")).collect();
        let insert = if into.is_empty() {
            format!("INSERT INTO {} DEFAULT VALUES", quoted(layer.id.as_str()))
        } else {
            format!(
                "INSERT INTO {} ({}) VALUES ({})",
                quoted(layer.id.as_str()),
                into.join(", "),
                places.join(", ")
            )
        };
        Ok(Self {
            conn,
            path: path.to_owned(),
            id: layer.id.clone(),
            insert,
            spatial,
            width: layer.fields.len(),
            count: 0,
            codes: 0,
            boxes: Vec::new(),
            extent: None,
        })
    }

    /// Adds a row: its geometry (WGS 84 degrees), where the table has one, and a cell for each field.
    ///
    /// # Errors
    /// [`StoreError::Database`] where it cannot be written, or does not fit the table.
    pub fn put(&mut self, geometry: Option<&Geometry>, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let location = self.path.display().to_string();
        self.add(geometry, cells).map_err(|failure| failure.at(&location))
    }

    fn add(&mut self, geometry: Option<&Geometry>, cells: &[Cell<'_>]) -> Result<(), Failure> {
        if cells.len() != self.width {
            let (found, width) = (cells.len(), self.width);
            return Err(Failure::Content(format!("a row of {found} values came for {width} fields")));
        }
        self.count += 1;
        let mut statement = self.conn.prepare_cached(&self.insert)?;
        let mut first = 1;
        if self.spatial {
            let blob = match geometry {
                Some(geometry) => Some(blob::write(geometry).map_err(|_not_finite| {
                    Failure::Content(format!("row {}: a coordinate is no finite number", self.count))
                })?),
                None => None,
            };
            if let Some(blob) = &blob {
                self.codes |= 1 << blob.code;
                if let Some(bounds) = blob.bounds {
                    self.boxes.push(Box32 { id: self.count, bounds: rtree::rounded(bounds) });
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

    /// Builds the index, states the extent and closes the file; how many rows it has.
    ///
    /// # Errors
    /// [`StoreError::Database`] where it cannot be written.
    pub fn finish(self) -> Result<u64, StoreError> {
        let location = self.path.display().to_string();
        self.end().map_err(|failure| failure.at(&location))
    }

    fn end(self) -> Result<u64, Failure> {
        let Self { conn, id, spatial, count, codes, boxes, extent, .. } = self;
        if spatial {
            rtree::create(&conn, &id, boxes)?;
            geometry_type::widen(&conn, &id, codes, true)?;
        }
        for (_, sql) in rtree::triggers(&id, spatial) {
            conn.execute_batch(&sql)?;
        }
        conn.execute(
            "UPDATE gpkg_ogr_contents SET feature_count = ?2 WHERE table_name = ?1",
            params![id.as_str(), count],
        )?;
        let bounds = extent.map_or([None; 4], |bounds| bounds.map(Some));
        conn.execute(
            "UPDATE gpkg_contents SET min_x = ?2, max_x = ?3, min_y = ?4, max_y = ?5 WHERE table_name = ?1",
            params![id.as_str(), bounds[0], bounds[1], bounds[2], bounds[3]],
        )?;
        conn.execute_batch("COMMIT")?;
        conn.close().map_err(|(_, error)| error)?;
        Ok(count.unsigned_abs())
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
        assert!(file.put(None, &[Cell::Null]).is_err());
        file.finish().unwrap();
        let conn = Connection::open(&path).unwrap();
        let text = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(text("SELECT rtreecheck('rtree_pieces_geom')"), "ok");
        assert_eq!(text("SELECT geometry_type_name FROM gpkg_geometry_columns"), "POINT");
        assert_eq!(text("SELECT name || fid_2 FROM pieces WHERE fid = 1000"), "đất999");
        assert!(PlainGeoPackage::create(&path, &layer).is_err());
    }
}
