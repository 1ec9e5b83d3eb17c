//! A layer of the store as a file.
//!
//! GeoJSON, CSV, KML and GPX are written here, so that truths stay truths, days stay days and numbers keep
//! every digit; the other formats are GDAL's. Coordinates are transformed here in any case: GDAL would
//! shift VN-2000 by the wrong set. Everything is written into a folder of its own beside the target and
//! moved when it is whole, so that a failure leaves nothing behind; only a killed program may leave that
//! folder, whose name starts with `.citymap-export-`.

mod csv;
mod format;
mod geojson;
mod gpx;
mod kml;
mod names;
mod ogr;
mod place;
mod scan;

use std::path::Path;

use citymap_access::{Audience, visible};
use citymap_cql2::Expr;
use citymap_crs::{Crs, CrsError, Transform};
use citymap_engine::{Filter, FilterError};
use citymap_model::{Feature, FieldType, Layer, LayerId, counted, quote::without_values};
use citymap_store::{ReadView, StoreError};
use serde::Serialize;

use crate::gdal_log;
use format::Format;
use place::Place;
use scan::Scan;

/// How a layer is written.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The coordinate system of the file.
    pub crs: Crs,
    /// Whose fields are written.
    pub audience: Audience,
    /// Whether a CSV file is made safe for a spreadsheet: a byte order mark, and an apostrophe before texts
    /// that it would take for formulas.
    pub excel: bool,
    /// Only the features for which this expression is true are written; all if it is missing. It may name the
    /// fields that the audience sees.
    pub filter: Option<Expr>,
}

impl ExportOptions {
    /// A file in a coordinate system, with the fields that an audience may see.
    pub fn new(crs: Crs, audience: Audience) -> Self {
        Self { crs, audience, excel: false, filter: None }
    }
}

/// What an export wrote, and what it could not keep.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// The path of the file.
    pub path: String,
    /// GDAL's name of the format.
    pub driver: String,
    /// Features written: all that the layer has, or that the filter selects, unless a note says which ones
    /// the format cannot hold.
    pub written: u64,
    /// The personal fields that were left out.
    pub left_out: Vec<String>,
    /// What the format could not keep as it is.
    pub notes: Vec<String>,
}

/// Why a layer could not be written. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file's ending names no format.
    #[error(
        "{0}: the ending names no format; use .gpkg, .geojson, .geojsonl, .fgb, .shp, .tab, .mif, .csv, \
         .kml, \
         .gpx or .dxf"
    )]
    Format(String),
    /// Something is there already.
    #[error("{0} is there already; remove it or give another name")]
    Exists(String),
    /// The format cannot hold what the layer has.
    #[error("{path}: {reason}")]
    Unfit {
        /// The path of the file.
        path: String,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// There is no such layer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The filter does not fit the layer.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The coordinates cannot be carried.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// The disk or the format refused.
    #[error("{path}: {reason}")]
    Write {
        /// The path of the file.
        path: String,
        /// What GDAL or the system said.
        reason: String,
    },
}

/// Notes of GDAL's that are handed on; a broken layer makes millions.
const NOTES: usize = 100;

/// Writes all features of `layer` to the file `to`, whose ending says the format.
///
/// The layer is read twice: once to see what it holds. Fields that the audience may not see are left out. A
/// file that holds personal fields is readable by its owner only.
///
/// # Errors
/// [`ExportError`]; nothing is left behind then.
pub fn export(
    view: &dyn ReadView,
    layer: &LayerId,
    to: &Path,
    options: &ExportOptions,
) -> Result<Export, ExportError> {
    let ExportOptions { crs, ref audience, excel, ref filter } = *options;
    let shown = to.display().to_string();
    let format = Format::of(to).ok_or_else(|| ExportError::Format(shown.clone()))?;
    if to.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(shown));
    }
    if crs != Crs::WGS84 && format.only_wgs84() {
        let reason = format!(
            "{} is in WGS 84 by definition, so it cannot be written in {crs}; leave --crs out or use another \
             format",
            format.driver()
        );
        return Err(ExportError::Unfit { path: shown, reason });
    }
    let entries = view.layers()?;
    let entry = entries.into_iter().find(|entry| entry.layer.id == *layer);
    let whole = entry.ok_or_else(|| StoreError::NoLayer(layer.clone()))?.layer;
    let filter = filter.as_ref().map(|expr| Filter::check(expr, &whole, audience)).transpose()?;
    let left_out: Vec<String> =
        visible(&whole, audience).hidden().map(|(_, field)| field.name.clone()).collect();
    let (definition, kept) = shown_to(whole, audience);
    let private = visible(&definition, &Audience::Public).len() < definition.fields.len();
    if excel && format != Format::Csv {
        let reason = "--excel is for .csv files; leave it out, or end the name with .csv".to_owned();
        return Err(ExportError::Unfit { path: shown, reason });
    }
    let rows = Rows { view, kept: &kept, filter: filter.as_ref() };
    let transform = if crs == Crs::WGS84 { None } else { Some(Transform::new(Crs::WGS84, crs)?) };
    let scan = Scan::of(&rows, &definition, transform.as_ref())?;
    let fit = |reason| ExportError::Unfit { path: shown.clone(), reason };
    let shape = format.shape(&definition, &scan).map_err(fit)?;
    let place = Place::beside(to)?;

    gdal_log::listen();
    gdal_log::take();
    let mut notes = format.notes(&definition, &scan, crs);
    let job = ogr::Job {
        rows,
        definition: &definition,
        format,
        scan: &scan,
        shape,
        transform: transform.as_ref(),
        excel,
    };
    let written = match format {
        Format::GeoJson | Format::GeoJsonSeq => geojson::write(&job, place.file(), crs),
        Format::Csv => csv::write(&job, place.file(), crs),
        Format::Kml | Format::Gpx => {
            let written = if format == Format::Kml { kml::write } else { gpx::write };
            written(&job, place.file()).and_then(|written| ogr::check(&job, place.file(), written))
        }
        _ => ogr::write(&job, place.file(), crs),
    }
    .map_err(|failure| failure.into_error(to, place.file()))?;
    if excel && scan.formulas > 0 {
        notes.push(format!(
            "{} an apostrophe in front",
            counted(
                scan.formulas,
                "text that begins like a formula has",
                "texts that begin like a formula have"
            )
        ));
    }
    let names: Vec<&str> = definition.fields.iter().map(|field| field.name.as_str()).collect();
    add_messages(&mut notes, &names, private);
    if format.truths_are_numbers() && definition.fields.iter().any(|f| f.field_type == FieldType::Bool) {
        notes.push("truths were written as 0 and 1".to_owned());
    }
    if private {
        place.make_private()?;
    }
    place.reveal()?;
    Ok(Export { path: shown, driver: format.driver().to_owned(), written, left_out, notes })
}

/// Adds GDAL's messages without the values that they quote, which may be `names` of fields, but none that may
/// quote one otherwise where personal fields are written.
fn add_messages(notes: &mut Vec<String>, names: &[&str], private: bool) {
    let messages = gdal_log::take();
    let mut quoting = 0_u64;
    for message in messages {
        if private || message.text.starts_with("Value ") {
            quoting += 1;
            continue;
        }
        let text = without_values(&message.text, names);
        if notes.len() < NOTES && !notes.contains(&text) {
            notes.push(text);
        }
    }
    if quoting > 0 {
        notes.push(format!(
            "GDAL gave {}, not shown since values may be quoted: compare the file with the layer",
            counted(quoting, "warning", "warnings")
        ));
    }
}

/// A layer's definition with the fields that `audience` may see, and their positions in the layer.
fn shown_to(mut layer: Layer, audience: &Audience) -> (Layer, Vec<usize>) {
    let kept: Vec<usize> = visible(&layer, audience).iter().map(|(index, _)| index).collect();
    layer.fields = kept.iter().map(|&index| layer.fields[index].clone()).collect();
    (layer, kept)
}

/// The features of a layer with the values that are written.
#[derive(Clone, Copy)]
struct Rows<'a> {
    view: &'a dyn ReadView,
    /// The positions of the fields that are written, in their order.
    kept: &'a [usize],
    /// Which features are written; all if it is missing.
    filter: Option<&'a Filter>,
}

impl Rows<'_> {
    /// Hands over each feature of the layer that is written.
    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.view.read(layer, &mut |mut feature| {
            if self.filter.is_some_and(|filter| !filter.matches(&feature)) {
                return Ok(());
            }
            if self.kept.len() < feature.values.len() {
                let values = &mut feature.values;
                let value = |&index: &usize| values.get_mut(index).map(std::mem::take).unwrap_or_default();
                feature.values = self.kept.iter().map(value).collect();
            }
            sink(feature)
        })
    }
}

/// What stopped the writing.
enum Failure {
    Store(StoreError),
    Crs(CrsError),
    Gdal(gdal::errors::GdalError),
    Io(std::io::Error),
    Other(String),
}

impl Failure {
    /// `file` is where the file grew, which nobody needs to know.
    fn into_error(self, to: &Path, file: &Path) -> ExportError {
        let path = to.display().to_string();
        let reason = match self {
            Self::Store(error) => return error.into(),
            Self::Crs(error) => return error.into(),
            Self::Gdal(error) => gdal_log::first().unwrap_or_else(|| error.to_string()),
            Self::Io(error) => error.to_string(),
            Self::Other(reason) => reason,
        };
        let reason = reason.replace(&file.display().to_string(), &path);
        ExportError::Write { path, reason }
    }
}

impl From<gdal::errors::GdalError> for Failure {
    fn from(error: gdal::errors::GdalError) -> Self {
        Self::Gdal(error)
    }
}

impl From<CrsError> for Failure {
    fn from(error: CrsError) -> Self {
        Self::Crs(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
