//! Rows as files that others read: CSV, GeoPackage and GeoParquet, written row by row in bounded memory.
//!
//! A file grows under a hidden name beside its own and gets its name when it is whole: who gives up, fails or is killed leaves
//! no half of one. [`pieces`] says what the rows of an overlay are.

mod csv;
mod error;
mod geopackage;
mod parquet;
mod pieces;
mod place;
mod table;

use std::path::Path;

use citymap_engine::ValueRef;
use citymap_model::Geometry;

pub use error::OutputError;
pub use pieces::{PieceRows, pieces};
pub use table::{Column, Format, Table};

use place::Place;

/// A file while it grows. Dropped before [`Output::finish`], it leaves nothing.
pub struct Output {
    place: Place,
    writer: Box<dyn Rows + Send>,
    width: usize,
    rows: u64,
}

/// What each format does.
trait Rows {
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError>;
    fn finish(self: Box<Self>) -> Result<(), OutputError>;
}

impl Output {
    /// Begins the file `path`, which must not be there yet.
    ///
    /// # Errors
    /// [`OutputError::Exists`] where it is, [`OutputError::Write`] where it cannot be written.
    pub fn create(path: &Path, format: Format, table: &Table) -> Result<Self, OutputError> {
        let place = Place::beside(path)?;
        let at = place.part();
        let writer: Box<dyn Rows + Send> = match format {
            Format::Csv { excel } => Box::new(csv::Csv::create(at, table, excel)?),
            Format::GeoPackage => Box::new(geopackage::File::create(at, table)?),
            Format::GeoParquet => Box::new(parquet::File::create(at, table)?),
        };
        Ok(Self { place, writer, width: table.columns.len(), rows: 0 })
    }

    /// Adds a row: a value for each column, and the geometry (WGS 84 degrees) where the table has one. A value of another type
    /// than its column's is left empty.
    ///
    /// # Errors
    /// [`OutputError::Write`] where it cannot be written; the file is of no use then.
    pub fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        if values.len() != self.width {
            return Err(OutputError::Width { found: values.len(), expected: self.width });
        }
        self.rows += 1;
        self.writer.row(values, geometry)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes on disk so far.
    pub fn bytes(&self) -> u64 {
        std::fs::metadata(self.place.part()).map_or(0, |found| found.len())
    }

    /// Ends the file, waits until it is on disk, and gives it its name.
    ///
    /// # Errors
    /// As [`Output::row`]; nothing is left then.
    pub fn finish(self) -> Result<u64, OutputError> {
        self.writer.finish()?;
        self.place.reveal()?;
        Ok(self.rows)
    }
}
