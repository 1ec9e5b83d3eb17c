//! The record as one GeoPackage file (OGC 12-128, version 1.3) that QGIS and GDAL open as it is.
//!
//! A layer is a table with its name: `fid`, `geom` and a column for each field. What the format has no place
//! for is in tables `citymap_*`, which other programs do not list: the catalogue, the revisions, the former
//! states of layers, documents, the store's version. Edits by other programs have no revision of their own;
//! our next change set continues from them. The file is in WAL mode, so that a server reads one revision
//! while an import writes the next. A commit is durable when it returns (`synchronous=FULL`), and because
//! SQLite's DDL is transactional, a process that is killed at any moment leaves the former revision intact.
//!
//! ```
//! use citymap_model::{
//!     CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
//! };
//! use citymap_store::{GeoPackage, Store};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap();
//! let id = "wells".parse().unwrap();
//! let mut layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
//! layer.fields.push(Field::new("depth", FieldType::Real));
//! let mut change = store.begin(CommitMeta::default()).unwrap();
//! change.layer(&layer, Mode::Replace).unwrap();
//! let geometry = Some(geo_types::Point::new(106.7, 10.77).into());
//! change.put(NewFeature { geometry, values: vec![Value::Real(31.5)] }).unwrap();
//! assert_eq!(change.commit().unwrap().number, 1);
//! assert_eq!(store.view().unwrap().layers().unwrap()[0].count, 1);
//! ```

mod accept;
mod backup;
mod batch;
mod catalogue;
mod changes;
mod check;
mod check_history;
mod connection;
mod decode;
mod documents;
mod edited;
mod editor;
mod entry;
mod failure;
mod former;
mod history;
mod key_index;
mod opening;
mod query;
mod ranges;
mod revisions;
mod rows;
mod schema;
mod state;
mod transaction;
mod triggers;
mod undo;
mod upgrade;
mod versions;
mod view;
mod waiting;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, Fid, LayerId, Revision, RevisionNumber};
use rusqlite::Connection;

use self::{connection::Opener, failure::Failure, transaction::GeoPackageTransaction, view::GeoPackageView};
use crate::{Document, Finding, ReadView, Store, StoreError, Transaction, Version};

/// How long a writer waits for another one before it fails as [`StoreError::Busy`].
pub const WRITER_WAIT: Duration = Duration::from_secs(5);

/// The record of a city in a GeoPackage file.
#[derive(Debug)]
pub struct GeoPackage {
    opener: Opener,
    /// Kept open, so that reading the revision number needs no new connection, and so that the `-wal` file is
    /// checkpointed when the store is dropped and not after every view.
    kept: Mutex<Connection>,
}

impl GeoPackage {
    /// Opens a store that exists.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none, [`StoreError::Format`] if the file is not a store of ours or
    /// of a later version, [`StoreError::Database`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(Opener::new(path, WRITER_WAIT), false)
    }

    /// Opens a store, or creates an empty one (and the folders above it) if there is none.
    ///
    /// # Errors
    /// As [`GeoPackage::open`], except [`StoreError::Missing`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        Self::start(Opener::new(path, WRITER_WAIT), true)
    }

    /// The same store with another limit for how long a writer waits for another one.
    pub fn with_writer_wait(mut self, wait: Duration) -> Self {
        self.opener.wait = wait;
        self
    }

    /// The path of the GeoPackage file.
    pub fn path(&self) -> &Path {
        &self.opener.path
    }

    /// Writes a backup: the whole store with its history, as of one moment, to the new file `to`, which is
    /// itself a store. Others may read and write in the meantime. The file gets its name only when it is
    /// complete and on disk.
    ///
    /// # Errors
    /// [`StoreError::Database`] if there is a file `to`, or it cannot be written.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        backup::back_up(&self.opener, to)
    }

    fn start(opener: Opener, create: bool) -> Result<Self, StoreError> {
        let kept = opener.first(create)?;
        Ok(Self { opener, kept: Mutex::new(kept) })
    }

    fn kept(&self) -> MutexGuard<'_, Connection> {
        // No call leaves this connection in the middle of something, so a panic elsewhere does not matter.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, failure: impl Into<Failure>) -> StoreError {
        failure.into().at(&self.opener.location())
    }
}

impl Store for GeoPackage {
    fn location(&self) -> String {
        self.opener.location()
    }

    fn revision(&self) -> Result<RevisionNumber, StoreError> {
        revisions::newest(&self.kept()).map_err(|failure| self.failed(failure))
    }

    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError> {
        Ok(Box::new(GeoPackageView::open(&self.opener, None)?))
    }

    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError> {
        Ok(Box::new(GeoPackageView::open(&self.opener, Some(revision))?))
    }

    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError> {
        waiting::wait(known, timeout, || self.revision())
    }

    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(GeoPackageTransaction::begin(&self.opener, meta)?))
    }

    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError> {
        revisions::log(&self.kept(), limit).map_err(|failure| self.failed(failure))
    }

    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError> {
        revisions::log_after(&self.kept(), after, limit).map_err(|failure| self.failed(failure))
    }

    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError> {
        revisions::at(&self.kept(), time).map_err(|failure| self.failed(failure))
    }

    fn document_names(&self) -> Result<Vec<String>, StoreError> {
        documents::names(&self.kept()).map_err(|failure| self.failed(failure))
    }

    fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        documents::get(&self.kept(), name).map_err(|failure| self.failed(failure))
    }

    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError> {
        // Not on the kept connection: reading the revision number must not wait for another writer.
        documents::put(&self.opener.writer()?, name, expected, body).map_err(|failure| self.failed(failure))
    }

    fn former_definitions(&self) -> Result<Vec<LayerId>, StoreError> {
        catalogue::former_definitions(&self.kept()).map_err(|failure| self.failed(failure))
    }

    fn versions(
        &self,
        layer: &LayerId,
        fid: Fid,
        until: RevisionNumber,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        versions::versions(&self.opener, layer, fid, until, limit)
    }

    fn check(&self) -> Result<Vec<Finding>, StoreError> {
        check::check(&self.opener)
    }
}

/// The path of a file that SQLite keeps next to the database: `-wal` or `-shm`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
