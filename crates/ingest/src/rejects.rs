//! The quarantine: rejected features as a GeoPackage, in the source's coordinates, with their reasons.
//!
//! Each import adds a table of its own for each layer with rejects, and leaves those of earlier imports as
//! they are. It writes a copy under a hidden name, which takes the file's place when the import has come to
//! its end, so that a file that is read by the same import, or by nobody, stays whole.

mod present;

use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use citymap_crs::Crs;
use citymap_files::{PartialFile, Protected};
use citymap_model::{Field, FieldType, LayerId, Value};
use gdal::{
    Dataset, DatasetOptions, DriverManager, GdalOpenFlags,
    spatial_ref::SpatialRef,
    vector::{Feature, FieldDefn, Geometry, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType},
};

use crate::{ImportError, check::Reject, gdal_log, source::Original};
use present::Present;
pub(crate) use present::own_columns;

/// The option that names the file.
const OPTION: &str = "--rejects";

/// A quarantine file on its way; made when the first reject comes.
pub(crate) struct Rejects {
    path: PathBuf,
    /// The file as earlier imports left it.
    present: Present,
    /// What was imported, for the tables' descriptions.
    source: String,
    file: Option<(PartialFile, Dataset)>,
    /// The tables of this import.
    tables: Vec<String>,
    layer: Option<Now>,
}

/// The layer whose rejects come now.
struct Now {
    id: LayerId,
    /// The names of the columns of our own.
    own: [String; 4],
    fields: Vec<(String, FieldType)>,
    crs: Option<Crs>,
    /// The name of its table, once it is made.
    table: Option<String>,
}

/// A quarantine file that is complete, under its hidden name.
pub(crate) struct Finished {
    file: PartialFile,
    path: PathBuf,
}

impl Rejects {
    /// A file at `path`, made when the first reject comes. `source` names what is imported.
    ///
    /// # Errors
    /// [`ImportError::Output`] if the file is one of `protected`, or is there and no rejects file, or another
    /// program has it open.
    pub(crate) fn new(path: &Path, protected: &Protected, source: String) -> Result<Self, ImportError> {
        protected.check(OPTION, path)?;
        let present = Present::look(path)?;
        Ok(Self { path: path.to_owned(), present, source, file: None, tables: Vec::new(), layer: None })
    }

    /// The path of the file, if anything was written.
    pub(crate) fn written(&self) -> Option<String> {
        self.file.as_ref().map(|_| self.path.display().to_string())
    }

    /// The tables that this import has written.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.tables.clone()
    }

    /// The path of a file of earlier imports to which this one has added nothing.
    pub(crate) fn earlier(&self) -> Option<String> {
        (self.file.is_none() && matches!(self.present, Present::Ours(_)))
            .then(|| self.path.display().to_string())
    }

    /// Turns to the next layer. `fields` are those of the values that its rejects bring.
    pub(crate) fn layer(&mut self, id: &LayerId, fields: &[Field], crs: Option<Crs>) {
        self.layer = Some(Now {
            id: id.clone(),
            own: present::own_names(fields),
            fields: fields.iter().map(|field| (field.name.clone(), field.field_type)).collect(),
            crs,
            table: None,
        });
    }

    pub(crate) fn put(&mut self, index: u64, line: Option<u64>, reject: &Reject) -> Result<(), ImportError> {
        let path = self.path.display().to_string();
        self.try_put(index, line, reject).map_err(|failure| match failure {
            Failure::Import(error) => error,
            Failure::Gdal(reason) => ImportError::Rejects {
                path,
                reason: gdal_log::first().map_or(reason.clone(), |said| format!("{reason} ({said})")),
            },
        })
    }

    fn try_put(&mut self, index: u64, line: Option<u64>, reject: &Reject) -> Result<(), Failure> {
        if self.file.is_none() {
            self.file = Some(self.begin()?);
        }
        let (Some((_, dataset)), Some(now)) = (self.file.as_mut(), self.layer.as_mut()) else {
            return Err(Failure::Gdal("no layer was begun".into()));
        };
        if now.table.is_none() {
            let table = free_name(&format!("{}_rejects", now.id), self.present.tables(), &self.tables);
            now.create(dataset, &table, &self.source)?;
            self.tables.push(table.clone());
            now.table = Some(table);
        }
        let layer = dataset.layer_by_name(now.table.as_deref().unwrap_or_default())?;
        let mut feature = Feature::new(layer.defn())?;
        feature.set_field_string(0, &clean(&reject.reason))?;
        feature.set_field_integer64(1, i64::try_from(index).unwrap_or(i64::MAX))?;
        if let Some(line) = line {
            feature.set_field_integer64(2, i64::try_from(line).unwrap_or(i64::MAX))?;
        }
        match &reject.original {
            Some(Original::Wkb(bytes)) => match Geometry::from_wkb(bytes) {
                Ok(geometry) => feature.set_geometry(geometry)?,
                Err(error) => feature.set_field_string(3, &format!("unreadable WKB: {error}"))?,
            },
            Some(Original::Text(original)) => feature.set_field_string(3, &clean(original))?,
            None => {}
        }
        for (i, (value, _)) in reject.values.iter().zip(&now.fields).enumerate() {
            let column = now.own.len() + i;
            match value {
                Value::Null => Ok(()),
                Value::Int(number) => feature.set_field_integer64(column, *number),
                Value::Real(number) => feature.set_field_double(column, *number),
                other => feature.set_field_string(column, &clean(&other.to_key().unwrap_or_default())),
            }?;
        }
        Ok(feature.create(&layer)?)
    }

    /// Opens the file under its hidden name: a new one, or a copy of the one that is there.
    fn begin(&self) -> Result<(PartialFile, Dataset), Failure> {
        let file = PartialFile::replacing(&self.path).map_err(ImportError::from)?;
        let path = file.path().to_owned();
        let dataset = match &self.present {
            Present::Absent => {
                let dataset = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(&path)?;
                // Before anything is in it.
                file.make_private().map_err(ImportError::from)?;
                dataset
            }
            Present::Ours(_) => {
                present::copy(&self.path, &path).map_err(|reason| ImportError::Rejects {
                    path: self.path.display().to_string(),
                    reason,
                })?;
                Dataset::open_ex(
                    &path,
                    DatasetOptions {
                        open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_UPDATE,
                        allowed_drivers: Some(&["GPKG"]),
                        ..DatasetOptions::default()
                    },
                )?
            }
        };
        Ok((file, dataset))
    }

    /// Writes everything to disk, still under the hidden name; `None` if nothing was rejected.
    pub(crate) fn finish(self) -> Result<Option<Finished>, ImportError> {
        let Some((file, dataset)) = self.file else { return Ok(None) };
        match dataset.close() {
            Ok(()) => Ok(Some(Finished { file, path: self.path })),
            Err(error) => {
                Err(ImportError::Rejects { path: self.path.display().to_string(), reason: error.to_string() })
            }
        }
    }
}

impl Finished {
    /// Gives the file its name.
    pub(crate) fn reveal(self) -> Result<(), ImportError> {
        self.file.reveal().map_err(|error| ImportError::Rejects {
            path: self.path.display().to_string(),
            reason: error.to_string(),
        })
    }
}

impl Now {
    /// Makes the table of the layer.
    fn create(&self, dataset: &mut Dataset, table: &str, source: &str) -> Result<(), Failure> {
        let srs = self.crs.and_then(|crs| SpatialRef::from_epsg(crs.code()).ok());
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let description = format!("DESCRIPTION=Rejected by the import of {source} at {time}");
        let layer = dataset.create_layer(LayerOptions {
            name: table,
            srs: srs.as_ref(),
            ty: OGRwkbGeometryType::wkbUnknown,
            // Names that no source is likely to have.
            options: Some(&["FID=reject_fid", "GEOMETRY_NAME=reject_geom", &clean(&description)]),
        })?;
        let kinds = present::OWN.iter().map(|(_, kind)| *kind);
        for (name, kind) in self.own.iter().zip(kinds) {
            FieldDefn::new(name, kind).and_then(|field| field.add_to_layer(&layer))?;
        }
        for (name, field_type) in &self.fields {
            let kind = match field_type {
                FieldType::Int => OGRFieldType::OFTInteger64,
                FieldType::Real => OGRFieldType::OFTReal,
                _ => OGRFieldType::OFTString,
            };
            FieldDefn::new(name, kind).and_then(|field| field.add_to_layer(&layer))?;
        }
        Ok(())
    }
}

/// What stopped the writing of a reject.
enum Failure {
    Import(ImportError),
    Gdal(String),
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<gdal::errors::GdalError> for Failure {
    fn from(error: gdal::errors::GdalError) -> Self {
        Self::Gdal(error.to_string())
    }
}

/// A name that no table has: the name itself, or with a number after it.
fn free_name(name: &str, present: &[String], made: &[String]) -> String {
    let taken = |name: &str| present.iter().chain(made).any(|table| table.eq_ignore_ascii_case(name));
    let mut free = name.to_owned();
    let mut number = 2;
    while taken(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

/// C strings end at a zero byte.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
