//! A store that can be taken away and exchanged while a city runs on it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, LayerId, Revision, RevisionNumber};
use citymap_store::{Document, Finding, GeoPackage, ReadView, Store, StoreError, Transaction};

/// The position of no store.
const DISCONNECTED: usize = usize::MAX;

/// A [`Store`] that passes every call on to one of several GeoPackage files, or fails as a database that is
/// away.
///
/// Clones share their state: a test keeps one clone to switch, and hands another to the city.
///
/// # Examples
/// ```
/// use citymap_store::{GeoPackage, Store, StoreError};
/// use citymap_testing::SwitchStore;
///
/// # let folder = tempfile::tempdir().unwrap();
/// let store = SwitchStore::new([GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap()]);
/// assert_eq!(store.revision().unwrap(), 0);
/// store.disconnect();
/// assert!(matches!(store.revision(), Err(StoreError::Away { .. })));
/// store.connect(0);
/// assert!(store.revision().is_ok());
/// ```
#[derive(Clone)]
pub struct SwitchStore(Arc<Switch>);

struct Switch {
    stores: Vec<GeoPackage>,
    /// The position of the store that answers.
    active: AtomicUsize,
}

impl fmt::Debug for SwitchStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwitchStore")
            .field("stores", &self.0.stores.len())
            .field("active", &self.0.active)
            .finish_non_exhaustive()
    }
}

impl SwitchStore {
    /// Starts with the first of the stores.
    pub fn new(stores: impl IntoIterator<Item = GeoPackage>) -> Self {
        Self(Arc::new(Switch { stores: stores.into_iter().collect(), active: AtomicUsize::new(0) }))
    }

    /// Lets the store at this position answer from now on.
    pub fn connect(&self, position: usize) {
        self.0.active.store(position, Ordering::Relaxed);
    }

    /// Lets every call fail from now on ([`StoreError::Away`]).
    pub fn disconnect(&self) {
        self.connect(DISCONNECTED);
    }

    fn active(&self) -> Result<&GeoPackage, StoreError> {
        let away = || StoreError::away("test", "pulled the plug");
        self.0.stores.get(self.0.active.load(Ordering::Relaxed)).ok_or_else(away)
    }
}

impl Store for SwitchStore {
    fn location(&self) -> String {
        self.active().map_or_else(|_away| "test".to_owned(), GeoPackage::location)
    }

    fn revision(&self) -> Result<RevisionNumber, StoreError> {
        self.active()?.revision()
    }

    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError> {
        self.active()?.wait(known, timeout)
    }

    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError> {
        self.active()?.view()
    }

    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError> {
        self.active()?.view_at(revision)
    }

    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError> {
        self.active()?.begin(meta)
    }

    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError> {
        self.active()?.log(limit)
    }

    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError> {
        self.active()?.log_after(after, limit)
    }

    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError> {
        self.active()?.revision_at(time)
    }

    fn document_names(&self) -> Result<Vec<String>, StoreError> {
        self.active()?.document_names()
    }

    fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.active()?.document(name)
    }

    fn document_for_reading(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.active()?.document_for_reading(name)
    }

    fn renew_home_views(&self) -> Result<(), StoreError> {
        self.active()?.renew_home_views()
    }

    fn former_definitions(&self) -> Result<Vec<LayerId>, StoreError> {
        self.active()?.former_definitions()
    }

    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError> {
        self.active()?.put_document(name, expected, body)
    }

    fn check(&self) -> Result<Vec<Finding>, StoreError> {
        self.active()?.check()
    }
}
