//! What all requests share. The types of its fields know nothing of [`App`]: each takes what it needs when it
//! is made.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::SystemTime,
};

use axum::extract::FromRef;
use citymap_feed::Hub;
use citymap_live::Live;
use citymap_render::print::PrintTemplate;
use citymap_tile::Tiler;
use tokio::sync::Semaphore;

use crate::{
    archives::store::Archives,
    assets::files::StaticFiles,
    config::Config,
    hash::hash_of,
    jobs::registry::Jobs,
    serve::ServeError,
    styles::service::StyleService,
    tiles::service::TileService,
    versions::Versions,
    work::{BatchPool, BlockingPool, ByteBudget, FormerStates, Shares},
};

/// The state of the server.
pub(crate) struct App {
    pub(crate) live: Arc<Live>,
    pub(crate) config: Config,
    /// Runs requests of middle size: uncached tiles, pages, searches.
    pub(crate) pool: Arc<BlockingPool>,
    /// Runs large requests that a client waits for (areas of whole districts, tiles of the whole city), at
    /// low priority.
    pub(crate) batch: Arc<BatchPool>,
    /// The city at former revisions.
    pub(crate) former: FormerStates,
    /// Jobs: work that takes seconds to minutes, such as overlays of whole layers.
    pub(crate) jobs: Arc<Jobs>,
    /// Prepares and commits edits, so that they take no slot from readers.
    pub(crate) write_pool: BlockingPool,
    pub(crate) tiles: Arc<TileService>,
    /// What the styles of the map are made of.
    pub(crate) styles: StyleService,
    /// What is written on every printed sheet.
    pub(crate) print_template: PrintTemplate,
    /// Baked tiles, if any are served.
    pub(crate) archives: Option<Arc<Archives>>,
    pub(crate) versions: Versions,
    pub(crate) hub: Arc<Hub>,
    /// A permit for each connection that may still be opened.
    pub(crate) connections: Arc<Semaphore>,
    /// The event streams of each client.
    pub(crate) streams: Arc<Shares>,
    /// The bytes of request bodies and answers in memory.
    pub(crate) in_flight: ByteBudget,
    /// The files of the web map and of its style.
    pub(crate) files: StaticFiles,
    /// Set when the signal to stop has come: `/health/ready` then answers 503.
    pub(crate) stopping: AtomicBool,
    /// Differs from start to start, so that an ETag of an earlier process or store never matches.
    pub(crate) boot: u64,
}

impl App {
    /// The state of a server with these settings.
    ///
    /// # Errors
    /// [`ServeError`] if the operator's styles or print template cannot be used.
    pub(crate) fn new(live: Arc<Live>, config: Config) -> Result<Self, ServeError> {
        let styles = StyleService::load(config.styles.as_deref())?;
        let print_template =
            config.print_template.as_deref().map(PrintTemplate::load).transpose()?.unwrap_or_default();
        let limits = &config.limits;
        let tiler = Arc::new(Tiler::new());
        let pool = Arc::new(
            BlockingPool::new(limits.max_concurrent, limits.queue).with_share(limits.queue_per_client),
        );
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let batch = Arc::new(
            BatchPool::new("large", limits.large_max, limits.large_queue, processors, 10)
                .with_share(limits.large_queue_per_client),
        );
        let job_pool = BatchPool::new("job", 1, limits.large_queue, processors, 19);
        let former_pool = BatchPool::new("former", 1, limits.former_queue, processors, 10)
            .with_share(limits.former_queue_per_client);
        live.bound_former(limits.former_bytes_max);
        let archives =
            config.archives.as_deref().map(|location| Arc::new(Archives::new(location, limits.queue)));
        Ok(Self {
            styles,
            print_template,
            jobs: Arc::new(Jobs::new(config.jobs_dir.clone(), &limits.jobs, job_pool)),
            write_pool: BlockingPool::new(limits.writers_max, limits.queue)
                .with_share(limits.queue_per_client),
            archives,
            former: FormerStates::new(Arc::clone(&live), former_pool),
            tiles: Arc::new(TileService::new(
                limits.tile_cache_bytes,
                Arc::clone(&tiler),
                Arc::clone(&pool),
                Arc::clone(&batch),
            )),
            hub: Arc::new(Hub::new(&limits.feed, tiler)),
            connections: Arc::new(Semaphore::new(limits.connections_max.max(1))),
            streams: Shares::new(limits.event_streams_per_client),
            in_flight: ByteBudget::new(limits.in_flight_bytes_max),
            versions: Versions::default(),
            files: StaticFiles::new(config.assets.clone(), Arc::clone(&pool)),
            stopping: AtomicBool::new(false),
            boot: hash_of(&(SystemTime::now(), std::process::id())),
            pool,
            batch,
            live,
            config,
        })
    }
}

impl FromRef<Arc<App>> for StaticFiles {
    fn from_ref(app: &Arc<App>) -> Self {
        app.files.clone()
    }
}
