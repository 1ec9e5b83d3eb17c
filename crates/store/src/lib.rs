//! The record: what the city knows, on disk, with its history.
//!
//! There is one trait, [`Store`], and two implementations behind it: a GeoPackage file ([`GeoPackage`]) and a
//! PostgreSQL database with PostGIS ([`Postgis`]). Both keep a layer as a plain table that QGIS and GDAL
//! read, and next to it what such a table has no room for: the catalogue, the log of revisions, and the
//! former states of features. A conformance suite (`tests/conformance`) defines the trait: one list of tests
//! that both must pass.
//!
//! Only this crate writes the record. A [`Transaction`] becomes one [`Revision`] as a whole or leaves no
//! trace, also when the process is killed while it commits. A [`ReadView`] reads all layers as of one
//! revision, the newest or a former one, and is not disturbed by what is committed in the meantime.
//!
//! The two implementations share no SQL. What must be the same in both is written once: the rules of each
//! mode (`turn`), what a feature must be to be taken ([`Refusal`]), what fits a layer's definition (`fit`),
//! and what can be built on the trait alone ([`copy`], [`roll_back`], [`checksum`]).
//!
//! All calls block: call them from threads that may wait, never from an asynchronous worker thread.
//!
//! # Examples
//! ```
//! use citymap_model::{
//!     CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
//! };
//! use citymap_store::{Edit, Put, open};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = open(folder.path().join("city.gpkg").to_str().unwrap(), true).unwrap();
//! let id = "wells".parse().unwrap();
//! let mut layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//! let well = |depth| NewFeature {
//!     geometry: Some(geo_types::Point::new(106.7, 10.77).into()),
//!     values: vec![Value::Real(depth)],
//! };
//!
//! let mut import = store.begin(CommitMeta::default()).unwrap();
//! import.layer(&layer, Mode::Replace).unwrap();
//! assert_eq!(import.put(well(31.5)).unwrap(), Put::Added(1));
//! assert_eq!(import.commit().unwrap().number, 1);
//!
//! let mut change = store.begin(CommitMeta::default()).unwrap();
//! change.layer(&layer, Mode::Edit).unwrap();
//! change.edit(Edit::Update(1, well(40.0))).unwrap();
//! change.commit().unwrap();
//!
//! // Revision 1 can still be read as it was.
//! let mut depths = Vec::new();
//! let view = store.view_at(1).unwrap();
//! view.read(&layer.id, &mut |feature| {
//!     depths.push(feature.values[0].clone());
//!     Ok(())
//! })
//! .unwrap();
//! assert_eq!(depths, [Value::Real(31.5)]);
//! ```

mod by_content;
mod checksum;
mod city;
mod columns;
mod error;
mod fit;
pub mod geopackage;
mod location;
mod meanings;
pub mod postgis;
mod refusal;
mod replay;
mod report;
mod turn;
mod versions;

use std::{path::Path, time::Duration};

pub use checksum::{Checksum, checksum};
use chrono::{DateTime, Utc};
pub use city::{city_profile, set_city_profile};
use citymap_model::{
    CommitMeta, Feature, Fid, Layer, LayerChange, LayerId, Mode, NewFeature, Revision, RevisionNumber,
};
pub use error::{Cause, StoreError};
pub use geopackage::GeoPackage;
pub use location::{has_password, is_database};
pub use meanings::add_meanings;
pub use postgis::Postgis;
pub use refusal::Refusal;
pub use replay::{copy, roll_back};
pub use versions::Version;

/// How a record is opened. The default opens what is there and creates nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether to create a GeoPackage file that does not exist, with the folders above it. A database is
    /// never created.
    pub create: bool,
    /// Whether to bring the tables of a PostGIS database up to this version of the program.
    pub migrate: bool,
    /// The connections to a PostGIS database.
    pub pool: Pool,
}

/// How many connections to a database there may be, and how long they may wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Maximum number of connections.
    pub size: u32,
    /// How long to wait for a connection to be made, or to become free.
    pub connect_timeout: Duration,
    /// How long a statement other than a bulk write may run; zero for no limit.
    pub statement_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// How long a connection is used before it is replaced.
    pub max_lifetime: Duration,
    /// How long a writer waits for another one before it fails with [`StoreError::Busy`].
    pub writer_wait: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            size: 8,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(300),
            max_lifetime: Duration::from_secs(3_600),
            writer_wait: Duration::from_secs(5),
        }
    }
}

/// Opens the record at `location`: the path of a GeoPackage file or a `postgres://` address. With `create`, a
/// file that does not exist is created, with the folders above it.
///
/// # Errors
/// [`StoreError::Missing`] if there is nothing and `create` is false, [`StoreError::Format`] if what is there
/// is not a store of ours or of a later version, [`StoreError::Away`] if a database cannot be reached.
pub fn open(location: &str, create: bool) -> Result<Box<dyn Store>, StoreError> {
    open_with(location, &Options { create, ..Options::default() })
}

/// Opens the record at `location` with options.
///
/// # Errors
/// As [`open`].
pub fn open_with(location: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    if is_database(location) {
        return Ok(Box::new(Postgis::open(location, options)?));
    }
    let path = Path::new(location);
    Ok(Box::new(if options.create { GeoPackage::open_or_create(path)? } else { GeoPackage::open(path)? }))
}

/// A layer in the catalogue, as of one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEntry {
    /// The definition of the layer.
    pub layer: Layer,
    /// The revision that last touched the layer.
    pub revision: RevisionNumber,
    /// The number of features in the layer.
    pub count: u64,
}

/// What became of a feature that was put into a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    /// It is new and has this number.
    Added(Fid),
    /// It took the place of the feature with its key or number, which keeps its number. The log counts it as
    /// changed only if its geometry or values differ.
    Changed(Fid),
    /// The feature with this number was deleted.
    Removed(Fid),
    /// It was not taken, for this reason. The log does not count it unless the caller does, by
    /// [`Transaction::rejected`].
    Rejected(Refusal),
}

/// A change of one feature, by its number.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a feature. Without a number it gets the next one. A given number must not be in use: it brings a
    /// deleted feature back, or copies one from another store.
    Insert(Option<Fid>, NewFeature),
    /// Replaces the geometry and the values of a feature.
    Update(Fid, NewFeature),
    /// Deletes the feature with this number.
    Delete(Fid),
}

/// A feature that differs between two revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The number of the feature.
    pub fid: Fid,
    /// The feature at the earlier revision, its values in the order of the layer's fields at that time;
    /// `None` if it did not exist.
    pub before: Option<Feature>,
    /// The feature at the later revision; `None` if it does not exist.
    pub after: Option<Feature>,
}

/// How much a layer differs between two revisions: an estimate from counts, made without reading features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// At most this many features differ (0: none); the definitions may differ, their fields in titles only.
    Features(u64),
    /// The fields or the kind of geometry differ, or the layer exists at one of the revisions only. A store
    /// may also answer so if they differed at some revision in between.
    Whole,
}

/// A small text kept next to the record (webhooks, settings); it belongs to no revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Grows by one with each write, from 1.
    pub version: u64,
    /// The text of the document.
    pub body: String,
}

/// The record of one city. All calls block.
///
/// # Errors
/// Every call fails with [`StoreError::Away`] if a database cannot be reached, and with
/// [`StoreError::Database`] if it or the file refuses or is damaged. What else can go wrong is said at each
/// call.
pub trait Store: Send + Sync {
    /// Where the record is, for people; never contains a password.
    fn location(&self) -> String;

    /// The newest revision; 0 for an empty city. Cheap enough to be called several times a second.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn revision(&self) -> Result<RevisionNumber, StoreError>;

    /// Waits until the newest revision is above `known` or the time is over, and gives the newest revision.
    /// Returns within milliseconds of a commit by this process or, on PostGIS, by any other.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError>;

    /// Opens a view of the newest revision.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError>;

    /// Opens a view of a former revision; 0 is the empty city.
    ///
    /// # Errors
    /// [`StoreError::NoRevision`] if it is above the newest, [`StoreError::NoHistory`] if the record keeps no
    /// history that far back.
    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError>;

    /// Begins a change set. There is one at a time. Dropping it without [`Transaction::commit`] changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another one does not end in time, see [`Pool::writer_wait`].
    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// The newest `limit` revisions, newest first.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// At most `limit` revisions above `after`, oldest first.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// The newest revision that was committed at `time` or before; 0 if there is none. The time of a revision
    /// is never before that of the revision before it.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError>;

    /// The names of all documents, sorted.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn document_names(&self) -> Result<Vec<String>, StoreError>;

    /// The document of this name, if there is one.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn document(&self, name: &str) -> Result<Option<Document>, StoreError>;

    /// A document as those have it who only read: on a standby it may be an older one, but nobody waits for a
    /// primary.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn document_for_reading(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.document(name)
    }

    /// Writes a document (`None` deletes it) if its version is still `expected` (0: it does not exist). Gives
    /// whether it was written, and then it is durable.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError>;

    /// The layers whose stored definitions are from before fields had meanings, sorted; [`add_meanings`]
    /// writes them again.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn former_definitions(&self) -> Result<Vec<LayerId>, StoreError> {
        Ok(Vec::new())
    }

    /// Brings what the store shows on the city's home grid to the grid of the city profile
    /// ([`set_city_profile`]).
    ///
    /// # Errors
    /// [`StoreError::Schema`] if other programs depend on the former grid, with what to do.
    fn renew_home_views(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The versions of one feature up to revision `until`, newest first and at most `limit`: one for each
    /// revision that added it, changed it (a change of the layer's fields counts) or deleted it. Revisions
    /// before the history begins are left out.
    ///
    /// # Errors
    /// [`StoreError::NoRevision`] if `until` is above the newest revision.
    fn versions(
        &self,
        layer: &LayerId,
        fid: Fid,
        until: RevisionNumber,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        versions::walk(self, layer, fid, until, limit)
    }

    /// Examines the record (`citymap doctor`). Damage is a finding, not an error.
    ///
    /// # Errors
    /// As for every call of [`Store`].
    fn check(&self) -> Result<Vec<Finding>, StoreError>;
}

/// All layers as of one revision, the newest or a former one.
///
/// # Errors
/// Every call that reads fails as the calls of [`Store`] do. A call for a layer that does not exist at the
/// view's revision fails with [`StoreError::NoLayer`].
pub trait ReadView {
    /// The revision that is read.
    fn revision(&self) -> RevisionNumber;

    /// The catalogue as of this revision, sorted by id.
    ///
    /// # Errors
    /// As for every call of [`ReadView`].
    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError>;

    /// Hands each feature of a layer to `sink`, ordered by number. An error of `sink` ends the reading and is
    /// returned.
    ///
    /// # Errors
    /// [`StoreError::NoLayer`] if the layer does not exist at this revision; the errors of `sink`.
    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// A text that stays the same as long as the layer is changed by revisions only: what was read of the
    /// layer is still right for the revision at which it was read. It changes when another program edits the
    /// layer's table without a revision. `None` if the store cannot tell. Cheap.
    ///
    /// # Errors
    /// As for every call of [`ReadView`].
    fn stamp(&self, layer: &LayerId) -> Result<Option<String>, StoreError> {
        let _ = layer;
        Ok(None)
    }

    /// How much a layer differs between revision `from` (not above this view's) and this view. Costs no more
    /// than counting.
    ///
    /// # Errors
    /// [`StoreError::NoLayer`] if the layer exists at neither, [`StoreError::NoRevision`] if `from` is above
    /// this view's.
    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError>;

    /// Hands each feature that differs between revision `from` (not above this view's) and this view to
    /// `sink`, ordered by number. A feature that is the same at both is left out, whatever happened in
    /// between; if the fields differ, every feature differs.
    ///
    /// # Errors
    /// As [`ReadView::touched`]; the errors of `sink`.
    ///
    /// # Performance
    /// Costs what differs, not what there is, unless [`ReadView::touched`] answers [`Touched::Whole`].
    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A change set that is being made: its layers are written one after the other. After a call that failed, the
/// transaction can only be dropped.
///
/// # Errors
/// Every call fails as the calls of [`Store`] do.
pub trait Transaction {
    /// The number that the revision will have: one above the newest, which nobody changes until the
    /// transaction ends.
    fn number(&self) -> RevisionNumber;

    /// Turns to a layer, which the next calls are about, and creates it if it does not exist.
    ///
    /// - [`Mode::Replace`]: the former features go, and the definition becomes `layer`. A feature whose key
    ///   is the same and unique before and after keeps its number.
    /// - [`Mode::Restore`]: as replace, for features that come with their numbers, by [`Transaction::put_at`]
    ///   only.
    /// - [`Mode::Append`], [`Mode::Upsert`]: the fields of `layer` must be among those of the layer that
    ///   exists, with the same types; values of missing fields become null. An upsert needs a key.
    /// - [`Mode::Edit`]: the layer must exist and have the same fields and kind of geometry. The rest of its
    ///   definition becomes that of `layer`. Features change by [`Transaction::edit`] only.
    /// - [`Mode::Drop`]: the layer and its features go; its history stays.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if the definition contradicts itself or does not fit the layer that exists,
    /// [`StoreError::NoLayer`] for an edit or drop of a layer that does not exist.
    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError>;

    /// Puts a feature into the current layer ([`Mode::Append`], [`Mode::Replace`], [`Mode::Upsert`]).
    ///
    /// # Errors
    /// [`StoreError::Schema`] if its values do not fit the fields, or the mode takes no such call.
    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError>;

    /// Puts a feature with its number into the current layer ([`Mode::Restore`]). Numbers grow from call to
    /// call.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    fn put_at(&mut self, fid: Fid, feature: NewFeature) -> Result<Put, StoreError>;

    /// Changes one feature of the current layer ([`Mode::Edit`]). Later edits see earlier ones.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    fn edit(&mut self, edit: Edit) -> Result<Put, StoreError>;

    /// A feature of any layer as the transaction sees it. Nobody else changes it before the commit.
    ///
    /// # Errors
    /// [`StoreError::NoLayer`] if the layer does not exist.
    fn feature(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, StoreError>;

    /// The definition of a layer as the transaction sees it; `None` if it does not exist.
    ///
    /// # Errors
    /// As for every call of [`Transaction`].
    fn definition(&mut self, layer: &LayerId) -> Result<Option<Layer>, StoreError>;

    /// Counts features of the current layer's source that were not accepted, for the log.
    ///
    /// # Errors
    /// [`StoreError::Database`] if no layer was turned to, a mistake in the program.
    fn rejected(&mut self, count: u64) -> Result<(), StoreError>;

    /// What was done so far, one change for each turn to a layer. Turns away from the current layer: features
    /// come again after another call of [`Transaction::layer`] only.
    ///
    /// # Errors
    /// As for every call of [`Transaction`].
    fn changes(&mut self) -> Result<Vec<LayerChange>, StoreError>;

    /// Makes everything one revision. When this returns, the revision survives a crash.
    ///
    /// # Errors
    /// [`StoreError::Away`] if nothing was committed, [`StoreError::Uncertain`] if the connection was lost
    /// and it could not be found out.
    fn commit(self: Box<Self>) -> Result<Revision, StoreError>;

    /// As [`Transaction::commit`], with the number, time, meta and counts of another store's revision, whose
    /// number must be the next one here.
    ///
    /// # Errors
    /// As [`Transaction::commit`]; [`StoreError::Database`] if the revision cannot follow the newest one
    /// here.
    fn commit_as(self: Box<Self>, revision: &Revision) -> Result<(), StoreError>;
}

/// One finding of [`Store::check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Whether something must be done about it.
    pub severity: Severity,
    /// What was found, and what to do.
    pub message: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is as it should be.
    Good,
    /// It works, but needs attention.
    Warning,
    /// It does not work, or data is damaged.
    Error,
}
