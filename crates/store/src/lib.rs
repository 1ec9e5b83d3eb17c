//! The record: what the city knows, on disk. One trait, [`Store`], and a GeoPackage file behind it.
//!
//! Nothing but this room writes. A [`Transaction`] becomes one [`Revision`] or nothing at all,
//! also when the process is killed while it commits. A [`View`] reads all layers as of one revision.

mod error;
pub mod geopackage;

use std::path::Path;

use citymap_model::{CommitMeta, Feature, Fid, Layer, LayerId, Mode, NewFeature, Revision, RevisionNumber};
pub use error::StoreError;
pub use geopackage::GeoPackage;

/// Opens the record at `location`: the path of a GeoPackage file. With `create`, one that is not
/// there is made, with the folders above it.
///
/// # Errors
/// [`StoreError::Missing`] if nothing is there and `create` is false, [`StoreError::Format`] if
/// what is there is not ours or of a later version, [`StoreError::Unsupported`] for `postgres://`.
pub fn open(location: &str, create: bool) -> Result<Box<dyn Store>, StoreError> {
    if ["postgres://", "postgresql://"].iter().any(|scheme| location.starts_with(scheme)) {
        // The password, if there is one, stands before the `@`.
        let shown = location
            .rsplit_once('@')
            .map_or("postgres://…".to_owned(), |(_, host)| format!("postgres://…@{host}"));
        return Err(StoreError::Unsupported {
            location: shown,
            reason: "PostGIS as a store is not in this version; give the path of a .gpkg file".to_owned(),
        });
    }
    let path = Path::new(location);
    Ok(Box::new(if create { GeoPackage::open_or_create(path)? } else { GeoPackage::open(path)? }))
}

/// A layer in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEntry {
    /// What it is.
    pub layer: Layer,
    /// The revision that last touched it.
    pub revision: RevisionNumber,
    /// How many features it has.
    pub count: u64,
}

/// What became of a feature that was put into a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    /// It is new and has this number.
    Added(Fid),
    /// It took the place of the feature with its key, which keeps its number. The log counts it
    /// as changed only if its geometry or values are others now.
    Changed(Fid),
    /// It was not taken, for this reason: a coordinate that is no finite number, a geometry that the
    /// layer does not hold, an upsert without a key or with a repeated one. The log does not count
    /// it unless the caller does, by [`Transaction::rejected`].
    Rejected(String),
}

/// The record of one city. Calls block: never make them on an async worker thread.
pub trait Store: Send + Sync {
    /// Where the record is, for people.
    fn location(&self) -> String;

    /// The newest revision; 0 for an empty city. Cheap enough to ask several times a second.
    fn revision(&self) -> Result<RevisionNumber, StoreError>;

    /// All that can be read, as of the newest revision now.
    fn view(&self) -> Result<Box<dyn View + '_>, StoreError>;

    /// Starts a change set. One at a time: a second one waits, then fails as
    /// [`StoreError::Busy`]. Dropping it without [`Transaction::commit`] changes nothing.
    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// The newest `limit` revisions, newest first.
    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// Looks for what is wrong with the record (`citymap doctor`).
    fn check(&self) -> Result<Vec<Finding>, StoreError>;
}

/// All layers as of one revision.
pub trait View {
    /// The revision.
    fn revision(&self) -> RevisionNumber;

    /// The catalogue, sorted by id.
    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError>;

    /// Hands each feature of a layer to `sink`, ordered by fid.
    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A change set on its way: layers are written one after the other.
pub trait Transaction {
    /// Turns to a layer, creating it if it is not there. With [`Mode::Replace`] its former
    /// features go and its definition becomes `layer`; a feature whose key is the same and
    /// unique before and after keeps its fid. With the other modes the layer's fields must be
    /// among those of the existing one, with the same types ([`StoreError::Schema`] otherwise);
    /// values of missing fields become null.
    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError>;

    /// Puts a feature into the current layer.
    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError>;

    /// Says how many features of the current layer's source were not accepted, for the log.
    fn rejected(&mut self, count: u64) -> Result<(), StoreError>;

    /// Makes all of it one revision. When this returns, the revision survives a crash.
    fn commit(self: Box<Self>) -> Result<Revision, StoreError>;
}

/// Something that `check` found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Whether it hurts.
    pub severity: Severity,
    /// What it is, and what to do.
    pub message: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Error,
}
