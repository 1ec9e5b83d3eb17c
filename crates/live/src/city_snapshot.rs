use std::sync::Arc;

use citymap_engine::City;
use citymap_model::RevisionNumber;
use citymap_search::{Hit, SearchIndex, SearchQuery};

use crate::Touches;

/// A city in memory with the index that finds its names. Cheap to clone; what it shows never changes.
#[derive(Clone, Default)]
pub struct CitySnapshot {
    /// The layers.
    pub city: Arc<City>,
    /// Which record it is of: grows when the store turns out to be another one than before (a backup was restored). Two
    /// snapshots are of the same data where both epoch and revision are the same.
    pub epoch: u64,
    /// Where its latest revisions touched its layers. In a former snapshot ([`crate::Live::snapshot_at`]) those of the newest one.
    pub touches: Arc<Touches>,
    /// Names, addresses and keys of `searched`.
    pub(crate) search: Arc<SearchIndex>,
    /// The city that the index is of: the same one, but for the seconds that indexing a large new layer takes, and
    /// but for former snapshots.
    pub(crate) searched: Arc<City>,
    /// Whether there is an index.
    pub(crate) named: bool,
}

impl CitySnapshot {
    /// The revision that it shows.
    pub fn revision(&self) -> RevisionNumber {
        self.city.revision
    }

    /// Whether [`CitySnapshot::find`] knows the names yet: indexing them takes seconds after the start, and until then it finds nothing.
    pub fn names_ready(&self) -> bool {
        self.named
    }

    /// Places by name, address, key or coordinates, best first.
    ///
    /// The answer is of the newest revision that is indexed: for seconds after a large layer was read anew that may be the
    /// one before, and a former snapshot ([`crate::Live::snapshot_at`]) finds what is there now.
    pub fn find(&self, query: &SearchQuery) -> Vec<Hit> {
        self.search.search(&self.searched, query)
    }
}
