//! Gets tiles: from the cache, or cut and encoded once however many clients wait.

use std::sync::Arc;

use citymap_engine::Cancel;
use citymap_tile::{ContentEncoding, Tiler};

use super::{
    cache::{TileCache, TileKey},
    cached::{CachedTile, EncodedTile, TileSource},
};
use crate::{
    http::{negotiate::Encodings, problem::Problem},
    work::{BatchPool, BlockingPool},
};

/// Below this zoom an uncached tile shows whole districts and is cut in the batch pool.
const LARGE_BELOW: u8 = 10;

/// What getting a tile needs.
pub(crate) struct TileService {
    cache: TileCache,
    tiler: Arc<Tiler>,
    pool: Arc<BlockingPool>,
    batch: Arc<BatchPool>,
}

impl TileService {
    /// A service whose cache holds at most `cache_bytes` bytes.
    pub(crate) fn new(
        cache_bytes: u64,
        tiler: Arc<Tiler>,
        pool: Arc<BlockingPool>,
        batch: Arc<BatchPool>,
    ) -> Self {
        Self { cache: TileCache::new(cache_bytes), tiler, pool, batch }
    }

    /// The tiler, which keeps what it has derived of each layer.
    pub(crate) fn tiler(&self) -> &Arc<Tiler> {
        &self.tiler
    }

    /// The tile in the encoding that suits the client best.
    ///
    /// # Errors
    /// 503 if too many tiles wait to be cut.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        key: TileKey,
        source: TileSource,
        accepted: &Encodings,
    ) -> Result<(EncodedTile, ContentEncoding), Problem> {
        if source.filter.is_some() {
            // Filters are as many as clients write; in the cache they would displace what all clients share.
            let entry = Arc::new(CachedTile::new(&source));
            let encoding = accepted.best(|_made| false);
            let tile = Arc::clone(self).make(None, source, entry, encoding).await?;
            return Ok((tile, encoding));
        }
        let (entry, cached) = self.cache.entry(&key, &source, &self.tiler);
        let encoding = accepted.best(|encoding| entry.encoded(encoding).is_some());
        if let Some(tile) = entry.encoded(encoding) {
            return Ok((tile.clone(), encoding));
        }
        let shared = Arc::clone(&entry);
        let begin = || {
            let service = Arc::clone(self);
            async move { service.make(cached.then_some(key), source, entry, encoding).await }
        };
        let tile = shared.flights[encoding as usize].join(begin).await?;
        Ok((tile, encoding))
    }

    /// Makes the tile in the pool for its size. `key` is its key if the entry is in the cache.
    async fn make(
        self: Arc<Self>,
        key: Option<TileKey>,
        source: TileSource,
        entry: Arc<CachedTile>,
        encoding: ContentEncoding,
    ) -> Result<EncodedTile, Problem> {
        let large = source.tile.z() < LARGE_BELOW;
        let service = Arc::clone(&self);
        let work = move |cancel: &Cancel| {
            let tile = entry.make(&source, encoding, &service.tiler, cancel)?;
            if let Some(key) = key {
                service.cache.reweigh(key, &entry);
            }
            Ok(tile)
        };
        if large { self.batch.run(work).await } else { self.pool.run_with(Cancel::new(), work).await }
    }
}
