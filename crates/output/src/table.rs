use std::path::Path;

use citymap_model::{Field, FieldType, GeometryKind, LayerId, Title};

use crate::OutputError;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8; geometry as well-known text. With `excel` a byte order mark stands first,
    /// without which Excel takes Vietnamese for something else.
    Csv {
        /// Begin with a byte order mark.
        excel: bool,
    },
    /// One table, as QGIS and GDAL open it.
    GeoPackage,
    /// GeoParquet 1.1: well-known binary with a covering box a row, compressed by zstd.
    GeoParquet,
}

impl Format {
    /// The format that the ending of a file's name says.
    ///
    /// # Errors
    /// [`OutputError::Format`] where it says none.
    pub fn of(path: &Path) -> Result<Self, OutputError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv { excel: false }),
            Some("gpkg") => Ok(Self::GeoPackage),
            Some("parquet" | "geoparquet") => Ok(Self::GeoParquet),
            _ => Err(OutputError::Format(path.display().to_string())),
        }
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::GeoPackage => "gpkg",
            Self::GeoParquet => "parquet",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv { .. } => "text/csv; charset=utf-8; header=present",
            Self::GeoPackage => "application/geopackage+sqlite3",
            Self::GeoParquet => "application/vnd.apache.parquet",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name; unique, whatever the case of letters.
    pub name: String,
    /// The type of its values.
    pub field_type: FieldType,
    /// What people read.
    pub title: Title,
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        Field { title: self.title.clone(), ..Field::new(self.name.clone(), self.field_type) }
    }
}

/// What rows a file has.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The table's name.
    pub name: LayerId,
    /// What it is, for people.
    pub title: Title,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The kind of its geometry; [`GeometryKind::None`] without one.
    pub geometry: GeometryKind,
}
