//! The record: what the city knows, on disk. One trait, [`Store`], and a GeoPackage file or a PostGIS database behind it.
//!
//! Nothing but this room writes. A [`Transaction`] becomes one [`Revision`] or nothing at all,
//! also when the process is killed while it commits. A [`ReadView`] reads all layers as of one revision.

mod checksum;
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
use citymap_model::{CommitMeta, Feature, Fid, Layer, LayerId, Mode, NewFeature, Revision, RevisionNumber};
pub use error::{Cause, StoreError};
pub use geopackage::GeoPackage;
pub use location::is_database;
pub use meanings::add_meanings;
pub use postgis::Postgis;
pub use refusal::Refusal;
pub use replay::{copy, roll_back};
pub use versions::Version;

/// How a record is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Makes a GeoPackage file that is not there, with the folders above it. A database is never made.
    pub create: bool,
    /// Brings the tables of a PostGIS database up to this version of the program.
    pub migrate: bool,
    /// The connections to a PostGIS database.
    pub pool: Pool,
}

/// How many connections to a database there are, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Connections at most.
    pub size: u32,
    /// How long to wait for a connection to be made, or to become free.
    pub connect_timeout: Duration,
    /// How long a statement other than a bulk write may run; zero for no bound.
    pub statement_timeout: Duration,
    /// How long a connection that nobody uses is kept.
    pub idle_timeout: Duration,
    /// How long a connection lives at most.
    pub max_lifetime: Duration,
    /// How long a writer waits for another one before it fails as [`StoreError::Busy`].
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

/// Opens the record at `location`: the path of a GeoPackage file or a `postgres://` address. With
/// `create`, a file that is not there is made, with the folders above it.
///
/// # Errors
/// [`StoreError::Missing`] if nothing is there and `create` is false, [`StoreError::Format`] if
/// what is there is not ours or of a later version, [`StoreError::Away`] if a database cannot be reached.
pub fn open(location: &str, create: bool) -> Result<Box<dyn Store>, StoreError> {
    open_with(location, &Options { create, ..Options::default() })
}

/// Opens the record at `location` as the options say.
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
    /// It took the place of the feature with its key or number, which keeps its number. The log counts
    /// it as changed only if its geometry or values are others now.
    Changed(Fid),
    /// The feature with this number is no longer there.
    Removed(Fid),
    /// It was not taken, for this reason. The log does not count it unless the caller does, by
    /// [`Transaction::rejected`].
    Rejected(Refusal),
}

/// A change of one feature, by its number.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a feature. Without a number it gets the next one. A number that is given must not be in use:
    /// a removed feature comes back, or another store's is copied.
    Insert(Option<Fid>, NewFeature),
    /// Gives the feature this geometry and these values.
    Update(Fid, NewFeature),
    /// Takes the feature away.
    Delete(Fid),
}

/// A feature that differs between two revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its number.
    pub fid: Fid,
    /// As it was in the former revision, its values in the order of the layer's fields then; `None`
    /// if it was not there.
    pub before: Option<Feature>,
    /// As it is in the latter; `None` if it is not there.
    pub after: Option<Feature>,
}

/// How much a layer differs between two revisions, before anybody reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Features, at most so many (0: none); definition and fields may differ in their titles only.
    Features(u64),
    /// The fields or the kind of geometry are others, or the layer is in one of the two only. A store may also say so where
    /// they were others in between.
    Whole,
}

/// A small text kept beside the record (webhooks, settings), in no revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Grows with each writing, from 1.
    pub version: u64,
    /// The text.
    pub body: String,
}

/// The record of one city. Calls block: never make them on an async worker thread.
pub trait Store: Send + Sync {
    /// Where the record is, for people; never a password.
    fn location(&self) -> String;

    /// The newest revision; 0 for an empty city. Cheap enough to ask several times a second.
    fn revision(&self) -> Result<RevisionNumber, StoreError>;

    /// Waits until the newest revision is above `known`, or the time is over; the newest revision. Wakes
    /// within milliseconds of a commit by this process or, on PostGIS, by any other.
    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError>;

    /// All that can be read, as of the newest revision now.
    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError>;

    /// All that could be read as of a former revision; 0 is the empty city.
    ///
    /// # Errors
    /// [`StoreError::NoRevision`] if it is above the newest.
    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError>;

    /// Starts a change set. One at a time: a second one waits, then fails as
    /// [`StoreError::Busy`]. Dropping it without [`Transaction::commit`] changes nothing.
    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// The newest `limit` revisions, newest first.
    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// At most `limit` revisions above `after`, oldest first.
    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError>;

    /// The newest revision that was committed at `time` or before; 0 if none was. A revision's time is never
    /// before that of the revision before it.
    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError>;

    /// The names of all documents, sorted.
    fn document_names(&self) -> Result<Vec<String>, StoreError>;

    /// A document, if there is one of this name.
    fn document(&self, name: &str) -> Result<Option<Document>, StoreError>;

    /// Writes a document (`None` takes it away) if its version is still `expected` (0: there is none); whether
    /// it was. Durable when it returns.
    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError>;

    /// The layers whose stored definitions are from before fields had meanings, sorted; [`add_meanings`] writes them anew.
    ///
    /// # Errors
    /// What reading fails with.
    fn former_definitions(&self) -> Result<Vec<LayerId>, StoreError> {
        Ok(Vec::new())
    }

    /// What became of one feature up to revision `until`, newest first, `limit` versions at most: one for each revision that
    /// added it, changed it (another list of fields counts) or took it away. Revisions before the history begins are
    /// not told.
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

    /// Looks for what is wrong with the record (`citymap doctor`).
    fn check(&self) -> Result<Vec<Finding>, StoreError>;
}

/// All layers as of one revision, newest or former.
pub trait ReadView {
    /// The revision.
    fn revision(&self) -> RevisionNumber;

    /// The catalogue, sorted by id: definitions, counts and last touching revisions as of this revision.
    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError>;

    /// Hands each feature of a layer to `sink`, ordered by fid.
    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// What is the same for as long as the layer is changed by revisions alone, so that what was read of it holds for the
    /// revision it was read at; it becomes another one when another program edits the layer past the revisions. `None` where that
    /// cannot be told: what was read holds until nobody knows when. Cheap.
    fn stamp(&self, layer: &LayerId) -> Result<Option<String>, StoreError> {
        let _ = layer;
        Ok(None)
    }

    /// How much a layer differs between revision `from` (not above this view's) and this view. Costs no more
    /// than counting.
    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError>;

    /// Hands each feature that differs between revision `from` (not above this view's) and this view to `sink`,
    /// ordered by fid. One that is the same in both is left out, whatever happened between; where the fields
    /// differ, every feature differs. Costs what differs, not what there is, unless [`ReadView::touched`] says
    /// [`Touched::Whole`].
    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A change set on its way: layers are written one after the other.
pub trait Transaction {
    /// The number that the revision will have: one above the newest, which nobody changes until the transaction ends.
    fn number(&self) -> RevisionNumber;

    /// Turns to a layer, creating it if it is not there. With [`Mode::Replace`] its former
    /// features go and its definition becomes `layer`; a feature whose key is the same and
    /// unique before and after keeps its fid. [`Mode::Restore`] does the same for features that come
    /// with their numbers, by [`Transaction::put_at`] alone. With [`Mode::Append`] and [`Mode::Upsert`] the layer's
    /// fields must be among those of the existing one, with the same types ([`StoreError::Schema`] otherwise);
    /// values of missing fields become null. With [`Mode::Edit`] the layer must be there
    /// ([`StoreError::NoLayer`] otherwise) and have the same fields and kind of geometry; the rest of its definition
    /// becomes that of `layer`, and features change by [`Transaction::edit`] alone. [`Mode::Drop`] takes the layer
    /// and its features away; its history stays.
    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError>;

    /// Puts a feature into the current layer.
    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError>;

    /// Puts a feature with its number into the current layer ([`Mode::Restore`]); numbers grow from call to call.
    fn put_at(&mut self, fid: Fid, feature: NewFeature) -> Result<Put, StoreError>;

    /// Changes one feature of the current layer ([`Mode::Edit`]). Edits are seen by those after them.
    fn edit(&mut self, edit: Edit) -> Result<Put, StoreError>;

    /// A feature of any layer as the transaction sees it. Between `begin` and `commit` nobody else changes it.
    fn feature(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, StoreError>;

    /// A layer's definition as the transaction sees it.
    fn definition(&mut self, layer: &LayerId) -> Result<Option<Layer>, StoreError>;

    /// Says how many features of the current layer's source were not accepted, for the log.
    fn rejected(&mut self, count: u64) -> Result<(), StoreError>;

    /// Makes all of it one revision. When this returns, the revision survives a crash.
    fn commit(self: Box<Self>) -> Result<Revision, StoreError>;

    /// As [`Transaction::commit`], with the number, time, meta and counts of another store's revision, whose
    /// number must be the next one here.
    fn commit_as(self: Box<Self>, revision: &Revision) -> Result<(), StoreError>;
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
