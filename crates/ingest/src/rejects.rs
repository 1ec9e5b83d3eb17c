//! The quarantine: rejected features as a GeoPackage, in the source's coordinates, with their reasons.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use citymap_crs::Crs;
use citymap_model::{Field, FieldType, LayerId, Value};
use gdal::{
    Dataset, DriverManager,
    spatial_ref::SpatialRef,
    vector::{Feature, FieldDefn, Geometry, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType},
};

use crate::{
    ImportError,
    check::Reject,
    gdal_log,
    source::{Original, distinct},
};

/// A quarantine file on its way; made when the first reject comes.
pub(crate) struct Rejects {
    path: std::path::PathBuf,
    /// Whether it will hold personal fields.
    private: bool,
    dataset: Option<Dataset>,
    layer: Option<Now>,
}

struct Now {
    name: String,
    fields: Vec<(String, FieldType)>,
    crs: Option<Crs>,
    made: bool,
}

/// Columns before the source's own: reason, feature_index, line, geometry_text.
const OWN: [(&str, OGRFieldType::Type); 4] = [
    ("reason", OGRFieldType::OFTString),
    ("feature_index", OGRFieldType::OFTInteger64),
    ("line", OGRFieldType::OFTInteger64),
    ("geometry_text", OGRFieldType::OFTString),
];

impl Rejects {
    /// A file at `path`, made when the first reject comes; with `private`, one that only its owner may read.
    pub(crate) fn new(path: &Path, private: bool) -> Self {
        Self { path: path.to_owned(), private, dataset: None, layer: None }
    }

    /// Whether anything was written.
    pub(crate) fn written(&self) -> Option<String> {
        self.dataset.as_ref().map(|_| self.path.display().to_string())
    }

    pub(crate) fn layer(&mut self, id: &LayerId, fields: &[Field], crs: Option<Crs>) {
        let mut names: Vec<String> = OWN
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .chain(fields.iter().map(|field| field.name.clone()))
            .collect();
        distinct(&mut names);
        let fields = names
            .into_iter()
            .skip(OWN.len())
            .zip(fields)
            .map(|(name, field)| (name, field.field_type))
            .collect();
        self.layer = Some(Now { name: format!("{id}_rejects"), fields, crs, made: false });
    }

    pub(crate) fn put(&mut self, index: u64, line: Option<u64>, reject: &Reject) -> Result<(), ImportError> {
        let path = self.path.display().to_string();
        self.try_put(index, line, reject).map_err(|reason| ImportError::Rejects {
            path,
            reason: gdal_log::first().map_or(reason.clone(), |said| format!("{reason} ({said})")),
        })
    }

    fn try_put(&mut self, index: u64, line: Option<u64>, reject: &Reject) -> Result<(), String> {
        let text = |error: gdal::errors::GdalError| error.to_string();
        if self.dataset.is_none() {
            if self.path.exists() {
                fs::remove_file(&self.path).map_err(|error| error.to_string())?;
            }
            let driver = DriverManager::get_driver_by_name("GPKG").map_err(text)?;
            self.dataset = Some(driver.create_vector_only(&self.path).map_err(text)?);
            if self.private {
                // Before anything is in it.
                fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600))
                    .map_err(|error| error.to_string())?;
            }
        }
        let (Some(dataset), Some(now)) = (self.dataset.as_mut(), self.layer.as_mut()) else {
            return Err("no layer was begun".into());
        };
        if !now.made {
            let srs = now.crs.and_then(|crs| SpatialRef::from_epsg(crs.code()).ok());
            let layer = dataset
                .create_layer(LayerOptions {
                    name: &now.name,
                    srs: srs.as_ref(),
                    ty: OGRwkbGeometryType::wkbUnknown,
                    // Names that no source is likely to have.
                    options: Some(&["FID=reject_fid", "GEOMETRY_NAME=reject_geom"]),
                })
                .map_err(text)?;
            for (name, kind) in OWN {
                FieldDefn::new(name, kind).and_then(|field| field.add_to_layer(&layer)).map_err(text)?;
            }
            for (name, kind) in &now.fields {
                let kind = match kind {
                    FieldType::Int => OGRFieldType::OFTInteger64,
                    FieldType::Real => OGRFieldType::OFTReal,
                    _ => OGRFieldType::OFTString,
                };
                FieldDefn::new(name, kind).and_then(|field| field.add_to_layer(&layer)).map_err(text)?;
            }
            now.made = true;
        }
        let layer = dataset.layer_by_name(&now.name).map_err(text)?;
        let mut feature = Feature::new(layer.defn()).map_err(text)?;
        feature.set_field_string(0, &clean(&reject.reason)).map_err(text)?;
        feature.set_field_integer64(1, i64::try_from(index).unwrap_or(i64::MAX)).map_err(text)?;
        if let Some(line) = line {
            feature.set_field_integer64(2, i64::try_from(line).unwrap_or(i64::MAX)).map_err(text)?;
        }
        match &reject.original {
            Some(Original::Wkb(bytes)) => match Geometry::from_wkb(bytes) {
                Ok(geometry) => feature.set_geometry(geometry).map_err(text)?,
                Err(error) => {
                    feature.set_field_string(3, &format!("unreadable WKB: {error}")).map_err(text)?;
                }
            },
            Some(Original::Text(original)) => feature.set_field_string(3, &clean(original)).map_err(text)?,
            None => {}
        }
        for (i, (value, _)) in reject.values.iter().zip(&now.fields).enumerate() {
            let column = OWN.len() + i;
            match value {
                Value::Null => Ok(()),
                Value::Int(number) => feature.set_field_integer64(column, *number),
                Value::Real(number) => feature.set_field_double(column, *number),
                other => feature.set_field_string(column, &clean(&other.to_key().unwrap_or_default())),
            }
            .map_err(text)?;
        }
        feature.create(&layer).map_err(text)
    }

    /// Writes everything to disk.
    pub(crate) fn finish(mut self) -> Result<(), ImportError> {
        match self.dataset.take().map(Dataset::close) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(error)) => {
                Err(ImportError::Rejects { path: self.path.display().to_string(), reason: error.to_string() })
            }
        }
    }
}

/// C strings end at a zero byte.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
