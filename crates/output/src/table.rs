//! What a file holds: its format, its table and its columns.

use std::path::Path;

use citymap_model::{Field, FieldType, GeometryKind, LayerId, Title};

use crate::OutputError;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8; geometry as well-known text.
    Csv {
        /// Whether to begin with a byte order mark, without which Excel misreads Vietnamese.
        excel: bool,
    },
    /// A feature collection (RFC 7946).
    GeoJson,
    /// One table (`.gpkg`), as QGIS and GDAL open it.
    GeoPackage,
    /// GeoParquet 1.1: well-known binary, a covering box for each row, compressed with zstd.
    GeoParquet,
}

impl Format {
    /// The format that the extension of a path stands for: `.csv`, `.geojson`, `.gpkg`, `.parquet` or
    /// `.geoparquet`.
    ///
    /// # Errors
    /// [`OutputError::Format`] for any other extension.
    pub fn of(path: &Path) -> Result<Self, OutputError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv { excel: false }),
            Some("geojson") => Ok(Self::GeoJson),
            Some("gpkg") => Ok(Self::GeoPackage),
            Some("parquet" | "geoparquet") => Ok(Self::GeoParquet),
            _ => Err(OutputError::Format(path.display().to_string())),
        }
    }

    /// The usual extension of such a file, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::GeoJson => "geojson",
            Self::GeoPackage => "gpkg",
            Self::GeoParquet => "parquet",
        }
    }

    /// The media type for HTTP (IANA or OGC).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv { .. } => "text/csv; charset=utf-8; header=present",
            Self::GeoJson => "application/geo+json",
            Self::GeoPackage => "application/geopackage+sqlite3",
            Self::GeoParquet => "application/vnd.apache.parquet",
        }
    }
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name; unique within the table, whatever the case of letters.
    pub name: String,
    /// The type of the values; a value of another type is written as empty.
    pub field_type: FieldType,
    /// The title for people, where the format can hold one.
    pub title: Title,
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        Field { title: self.title.clone(), ..Field::new(self.name.clone(), self.field_type) }
    }
}

/// What the rows of a file consist of.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The name of the table, where the format has one.
    pub name: LayerId,
    /// The title for people, where the format can hold one.
    pub title: Title,
    /// The columns, in the order of the values in each row.
    pub columns: Vec<Column>,
    /// The kind of geometry; [`GeometryKind::None`] for rows without geometry.
    pub geometry: GeometryKind,
}
