use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicBool},
    time::SystemTime,
};

use axum::body::Bytes;
use citymap_feed::Hub;
use citymap_live::Live;
use citymap_tile::{ContentEncoding, Effort, Tiler, compress_for};
use moka::sync::Cache;

use crate::{
    archives::Archives,
    config::Config,
    hash::hash_of,
    http::problem::Problem,
    jobs::Jobs,
    tiles::TileCache,
    versions::Versions,
    work::{BatchPool, BlockingPool},
};

/// What all requests share.
pub(crate) struct App {
    pub(crate) live: Arc<Live>,
    pub(crate) config: Config,
    /// Questions of middle size: cold tiles, pages, searches.
    pub(crate) pool: BlockingPool,
    /// Large questions that somebody waits for: areas of whole districts, tiles of the whole city. Threads that the system
    /// runs after all others.
    pub(crate) large: BatchPool,
    /// Jobs that take seconds to minutes (overlays, exports), one at a time, on threads that take what is left over.
    pub(crate) jobs: BatchPool,
    /// Overlays of whole layers, asked for over HTTP.
    pub(crate) overlays: Jobs,
    /// Where edits are prepared and wait for their turn, so that none of them takes a reader's place.
    pub(crate) writing: BlockingPool,
    pub(crate) tiles: TileCache,
    /// Baked tiles, where some are served.
    pub(crate) archives: Option<Arc<Archives>>,
    pub(crate) tiler: Arc<Tiler>,
    pub(crate) versions: Versions,
    pub(crate) hub: Arc<Hub>,
    /// Files of the web map, compressed when first asked for, by their tag.
    packed: Cache<String, Bytes>,
    /// Set when the signal to stop has come: ready no more.
    pub(crate) stopping: AtomicBool,
    /// Differs from start to start, so that no tag of an earlier program or store is taken for one of ours.
    pub(crate) boot: u64,
}

impl App {
    pub(crate) fn new(live: Arc<Live>, config: Config) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let tiler = Arc::new(Tiler::new());
        Self {
            pool: BlockingPool::new(config.limits.max_concurrent, config.limits.queue),
            large: BatchPool::new(
                "large",
                config.limits.large_max,
                config.limits.large_queue,
                processors,
                10,
            ),
            jobs: BatchPool::new("job", 1, config.limits.large_queue, processors, 19),
            overlays: Jobs::new(config.jobs_dir.clone(), &config.limits),
            writing: BlockingPool::new(config.limits.writers_max, config.limits.queue),
            archives: config
                .archives
                .as_deref()
                .map(|place| Arc::new(Archives::new(place, config.limits.queue))),
            tiles: TileCache::new(config.limits.tile_cache_bytes),
            hub: Arc::new(Hub::new(&config.limits.feed, Arc::clone(&tiler))),
            tiler,
            versions: Versions::default(),
            packed: Cache::new(1_000),
            stopping: AtomicBool::new(false),
            boot: hash_of(&(SystemTime::now(), std::process::id())),
            live,
            config,
        }
    }

    /// A file compressed. Its tag says all of its content.
    pub(crate) async fn packed(&self, etag: &str, bytes: Cow<'static, [u8]>) -> Result<Bytes, Problem> {
        if let Some(packed) = self.packed.get(etag) {
            return Ok(packed);
        }
        let (cache, etag) = (self.packed.clone(), etag.to_owned());
        self.pool
            .run(move || {
                Ok(cache.get_with(etag, || compress_for(&bytes, ContentEncoding::Gzip, Effort::Once).into()))
            })
            .await
    }
}
