//! The city at one revision, as a request holds it.

use std::{fmt, sync::Arc};

use citymap_engine::{Cancel, Cancelled, City, LayerSnapshot};
use citymap_model::RevisionNumber;
use citymap_search::{Answer, SearchIndex, SearchQuery};

use crate::ChangeTracker;

/// A city in memory with the index that finds its names. Cheap to clone; what it shows never changes.
#[derive(Clone, Default)]
pub struct CitySnapshot {
    /// All layers as of one revision.
    pub city: Arc<City>,
    /// Grows when the store turns out to hold another record than before, for example a restored backup. Two
    /// snapshots show the same data if both epoch and revision are the same.
    pub epoch: u64,
    /// Where the latest revisions changed the layers. In a former snapshot ([`crate::Live::snapshot_at`])
    /// these are the latest revisions of the newest snapshot.
    pub changes: Arc<ChangeTracker>,
    /// Names, addresses and keys of `searched`.
    pub(crate) search: Arc<SearchIndex>,
    /// The city that the index is of. It differs from `city` during the seconds in which a large new layer is
    /// indexed, and in former snapshots.
    pub(crate) searched: Arc<City>,
    /// Whether there is an index.
    pub(crate) named: bool,
}

impl fmt::Debug for CitySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CitySnapshot")
            .field("revision", &self.revision())
            .field("epoch", &self.epoch)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

impl CitySnapshot {
    /// The revision that the snapshot shows.
    pub fn revision(&self) -> RevisionNumber {
        self.city.revision
    }

    /// Whether [`CitySnapshot::find`] knows the names. Indexing them takes seconds after the start; until
    /// then nothing is found.
    pub fn names_ready(&self) -> bool {
        self.named
    }

    /// Places by name, address, key or coordinates, the best first.
    ///
    /// The answer is of the newest indexed revision. While a large layer that was read as a whole is being
    /// indexed, that is the revision before; a former snapshot ([`crate::Live::snapshot_at`]) finds what is
    /// there now.
    pub fn find(&self, query: &SearchQuery) -> Answer {
        self.search.search(&self.searched, query)
    }

    /// As [`CitySnapshot::find`], but ends soon after `cancel` is set.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn find_until(&self, query: &SearchQuery, cancel: &Cancel) -> Result<Answer, Cancelled> {
        self.search.search_until(&self.searched, query, cancel)
    }

    /// The snapshot with its names indexed. Before the first index exists it is returned as it is, because a
    /// thread makes that one.
    pub(crate) fn indexed(self) -> Self {
        if !self.named {
            return self;
        }
        let search = Arc::new(SearchIndex::update(&self.search, &self.city));
        Self { search, searched: Arc::clone(&self.city), ..self }
    }

    /// The snapshot with one layer replaced.
    pub(crate) fn with_layer(&self, layer: Arc<LayerSnapshot>) -> Self {
        let mut city = (*self.city).clone();
        city.layers.insert(layer.layer().id.clone(), layer);
        Self { city: Arc::new(city), ..self.clone() }
    }
}
