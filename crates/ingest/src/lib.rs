//! Readers, encodings, validation and quarantine: files to change sets.
//!
//! [`import`] reads files (through GDAL, or by our own readers where GDAL is lenient), finds out their
//! coordinate system and encoding, checks and where harmless repairs every geometry, and puts what is sound
//! into one transaction of the store. Every feature read is accepted or rejected, and every reject has a
//! reason and a place.
//!
//! # What a format cannot say
//!
//! - Absent and empty text are two things in GeoPackage, GeoJSON and File Geodatabase. In all other formats
//!   empty text comes as null, because the file (DBF, CSV) or GDAL's binding (fields that a driver leaves
//!   unset) does not tell them apart. MapInfo files have no absent values: their empty texts stay empty,
//!   their zeros zero.
//! - FlatGeobuf and File Geodatabase have instants and no days: a day comes as its midnight, of the city or
//!   of UTC.
//! - Days in CSV, DBF, KML and spreadsheets are text. They become days where a whole column says which number
//!   is the day and which the month, or where the request says it ([`DateOrder`]).
//! - DGN and DXF say neither their coordinate system nor their encoding: the one is asked for, the other
//!   detected.
//!
//! [`export()`] writes a layer as a file that comes back by an import, and notes what its format cannot keep.
//!
//! # Examples
//!
//! ```no_run
//! # fn f(store: &dyn citymap_store::Store) -> Result<(), citymap_ingest::ImportError> {
//! use citymap_ingest::{Request, import};
//!
//! let mut request = Request::new(vec!["thua_dat.shp".into()]);
//! request.key = Some("ma_thua".into());
//! let report = import(&request, store, &mut |progress| eprintln!("{} {}", progress.layer, progress.done))?;
//! assert_eq!(report.read, report.accepted + report.rejected);
//! # Ok(())
//! # }
//! ```

mod bounds;
mod build;
mod check;
mod code_file;
mod crossings;
mod crs_names;
mod dates;
mod domains;
pub mod encoding;
mod error;
mod export;
mod fit;
mod gdal_log;
mod guess;
mod hash;
mod import;
mod location;
mod outputs;
mod personal;
mod plan;
mod produce;
mod rejects;
mod report;
mod request;
mod sample;
mod settings;
mod source;
mod srs;
mod stages;
mod tally;
mod text;
mod trust;
mod validity;
pub mod worker;

pub use build::{BuildPolygons, BuildPreset};
pub use code_file::read_codes;
pub use crs_names::{UnknownCrs, find_crs};
pub use dates::{DateOrder, UnknownDateOrder};
pub use encoding::{Encoding, UnknownEncoding};
pub use error::ImportError;
pub use export::{Export, ExportError, ExportOptions, export};
pub use import::import;
pub use outputs::{ReportFile, protected};
pub use personal::PersonalField;
pub use report::{CrsReport, EncodingReport, FileReport, Issue, IssueKind, LayerReport, Report};
pub use request::{ColumnChoice, FeatureLimits, Progress, RepairBounds, RepairTolerance, Request};
pub use stages::Stages;
