//! Encoded tiles, kept until a change touches them.
//!
//! An entry knows the revision that it was cut at. It is valid for a later one if no change between the two
//! (`CitySnapshot::changes`) reaches its tile; the later revision is then recorded, so that the changes are
//! checked once. An edit therefore invalidates the tiles that show it, and no others.

use std::sync::Arc;

use citymap_engine::TimeInterval;
use citymap_model::RevisionNumber;
use citymap_tile::{TileId, Tiler};
use moka::{ops::compute::Op, sync::Cache};

use super::cached::{CachedTile, ContentKey, TileSource, Validity};

/// What identifies a tile in the cache.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TileKey {
    /// The ids of the layers in their order in the tile, separated by commas.
    pub(super) layers: Box<str>,
    pub(super) tile: TileId,
    pub(super) content: ContentKey,
    pub(super) time: Option<TimeInterval>,
    /// The past state of the city that the tile shows; such tiles never change. `None` for the newest state.
    pub(super) past: Option<PastState>,
}

/// A past state of the city, as far as it shows in tiles.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PastState {
    /// Which record it is of.
    pub(super) epoch: u64,
    /// The revision that last changed each layer.
    pub(super) revisions: Box<[RevisionNumber]>,
    /// A hash of the fields and of which of them are personal today.
    pub(super) definitions: u64,
}

/// Encoded tiles within a number of bytes; the ones that are requested often and recently stay.
pub(crate) struct TileCache(Cache<TileKey, Arc<CachedTile>>);

impl TileCache {
    pub(crate) fn new(bytes: u64) -> Self {
        let weigh = |_: &TileKey, entry: &Arc<CachedTile>| u32::try_from(entry.weight()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// The entry that is valid for the source, a new and empty one if there is none. False if the entry is
    /// not in the cache, because a newer one is.
    pub(super) fn entry(&self, key: &TileKey, source: &TileSource, tiler: &Tiler) -> (Arc<CachedTile>, bool) {
        if let Some(entry) = self.0.get(key)
            && (key.past.is_some() || entry.validity(source, tiler) == Validity::Valid)
        {
            return (entry, true);
        }
        let fresh = Arc::new(CachedTile::new(source));
        let mut newer = false;
        let outcome = self.0.entry_by_ref(key).and_compute_with(|present| match present {
            // Another task inserted it first.
            Some(_) if key.past.is_some() => Op::Nop,
            Some(present) => match present.value().validity(source, tiler) {
                Validity::Valid => Op::Nop,
                Validity::Stale => Op::Put(Arc::clone(&fresh)),
                Validity::Newer => {
                    newer = true;
                    Op::Nop
                }
            },
            None => Op::Put(Arc::clone(&fresh)),
        });
        match outcome.into_entry() {
            Some(entry) if !newer => (entry.into_value(), true),
            _ => (fresh, false),
        }
    }

    /// Updates the weight of an entry that has grown, unless another one has replaced it.
    pub(super) fn reweigh(&self, key: TileKey, entry: &Arc<CachedTile>) {
        self.0.entry(key).and_compute_with(|present| match present {
            Some(present) if Arc::ptr_eq(present.value(), entry) => Op::Put(present.into_value()),
            _ => Op::Nop,
        });
    }
}
