//! Rows as files for others: CSV, GeoJSON, GeoPackage and GeoParquet, written row by row in bounded memory.
//!
//! A [`Table`] says which columns a file has and which kind of geometry; an [`Output`] takes the rows. While
//! it is written, the file has a hidden name next to its own. [`Output::finish`] waits until it is on disk
//! and then gives it its name, so that nobody ever sees half a file: an `Output` that is dropped, and a
//! process that fails, leave none under that name. A file that exists is never overwritten.
//!
//! [`pieces`] makes the rows of an overlay: the ids and the visible fields of both features, the measures,
//! and the shape where it is wanted. [`faults`] makes the rows of a check.
//!
//! The crate knows neither HTTP nor the store. Geometry is in WGS 84 longitude and latitude in every format.
//!
//! # Examples
//! ```
//! use citymap_engine::ValueRef;
//! use citymap_model::{FieldType, GeometryKind, Title};
//! use citymap_output::{Column, Format, Output, Table};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("wells.csv");
//! let depth = Column { name: "depth".to_owned(), field_type: FieldType::Real, title: Title::same("Depth") };
//! let table = Table {
//!     name: "wells".parse().unwrap(),
//!     title: Title::same("Wells"),
//!     columns: vec![depth],
//!     geometry: GeometryKind::Point,
//! };
//! let mut file = Output::create(&path, Format::of(&path).unwrap(), &table).unwrap();
//! let place = geo_types::Point::new(106.7, 10.77).into();
//! file.row(&[ValueRef::Real(31.5)], Some(&place)).unwrap();
//! assert_eq!(file.finish().unwrap(), 1);
//! assert_eq!(std::fs::read_to_string(&path).unwrap(), "depth,wkt\r\n31.5,\"POINT (106.7 10.77)\"\r\n");
//! ```

mod csv;
mod error;
mod faults;
mod geojson;
mod geopackage;
mod parquet;
mod pieces;
mod table;

use std::path::Path;

use citymap_engine::ValueRef;
use citymap_files::PartialFile;
use citymap_model::Geometry;

pub use error::OutputError;
pub use faults::{FaultRows, faults};
pub use pieces::{PieceRows, pieces};
pub use table::{Column, Format, Table};

/// A file while it is being written. If it is dropped before [`Output::finish`], nothing is left.
pub struct Output {
    file: PartialFile,
    writer: Box<dyn RowWriter + Send>,
    width: usize,
    rows: u64,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("file", &self.file).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// What each format implements.
trait RowWriter {
    /// Writes one row: a value for each column, and the geometry if the table has one.
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError>;

    /// The size of the result so far, with rows that are not on disk yet.
    fn bytes(&self) -> u64;

    /// Writes what is still in memory and closes the file.
    fn finish(self: Box<Self>) -> Result<(), OutputError>;
}

impl Output {
    /// Starts to write the file `path`, which must not exist yet.
    ///
    /// # Errors
    /// [`OutputError::Exists`] if it exists, [`OutputError::Write`] if it cannot be written.
    pub fn create(path: &Path, format: Format, table: &Table) -> Result<Self, OutputError> {
        let file = PartialFile::new(path)?;
        let at = file.path();
        let writer: Box<dyn RowWriter + Send> = match format {
            Format::Csv { excel } => Box::new(csv::CsvWriter::create(at, table, excel)?),
            Format::GeoJson => Box::new(geojson::GeoJsonWriter::create(at, table)?),
            Format::GeoPackage => Box::new(geopackage::GeoPackageWriter::create(at, table)?),
            Format::GeoParquet => Box::new(parquet::GeoParquetWriter::create(at, table)?),
        };
        Ok(Self { file, writer, width: table.columns.len(), rows: 0 })
    }

    /// Adds a row: a value for each column, and the geometry (WGS 84 degrees) if the table has one. A value
    /// of another type than its column's becomes empty.
    ///
    /// # Errors
    /// [`OutputError::Width`] for another number of values than columns, [`OutputError::Write`] if it cannot
    /// be written. After a failed write the file cannot be used.
    pub fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        if values.len() != self.width {
            return Err(OutputError::Width { found: values.len(), expected: self.width });
        }
        self.rows += 1;
        self.writer.row(values, geometry)
    }

    /// The number of rows that were added so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The size of the result so far in bytes: what is on disk, or what was given to the writer, whichever is
    /// more. Indexes that the format adds at the end are not in it.
    pub fn bytes(&self) -> u64 {
        let disk = std::fs::metadata(self.file.path()).map_or(0, |found| found.len());
        disk.max(self.writer.bytes())
    }

    /// Completes the file, waits until it is on disk, and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// As [`Output::create`]; nothing is left then.
    pub fn finish(self) -> Result<u64, OutputError> {
        self.writer.finish()?;
        self.file.reveal()?;
        Ok(self.rows)
    }
}
