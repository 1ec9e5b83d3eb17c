//! Readers, encodings, validation and quarantine: files to change sets.
//!
//! [`import`] reads files (through GDAL, or by our own readers where GDAL is lenient), finds out their coordinate
//! system and encoding, checks and where harmless repairs every geometry, and puts what is sound into one
//! transaction of the store. Every feature read is accepted or rejected, and every reject has a reason and a place.
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

mod check;
pub mod encoding;
mod error;
mod export;
mod gdal_log;
mod guess;
mod hash;
mod import;
mod plan;
mod rejects;
mod report;
mod request;
mod source;
mod srs;
mod text;
mod validity;
mod wkb;

pub use encoding::{Encoding, UnknownEncoding};
pub use error::ImportError;
pub use export::{Export, ExportError, export};
pub use import::import;
pub use report::{CrsReport, EncodingReport, FileReport, Issue, IssueKind, LayerReport, Report};
pub use request::{Progress, RepairTolerance, Request};
