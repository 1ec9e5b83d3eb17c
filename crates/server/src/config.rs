//! How the server runs: addresses, folders, writers and limits.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use citymap_edit::EditLimits;
use citymap_feed::{FeedLimits, webhooks::WebhookOptions};
use citymap_limits::limits;

use crate::{
    http::{auth::Writer, client::Network, cors::Cors},
    jobs::limits::JobLimits,
};

/// How the server runs. The command line fills it in.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The URL that links in answers begin with (`https://map.example.vn`), for a server behind a proxy that
    /// does not set headers. Without it, `Host` decides, and the headers of a trusted proxy.
    pub base_url: Option<String>,
    /// The networks of the proxies that are believed when they say in `Forwarded` or `X-Forwarded-*` for whom
    /// and under which URL they ask. From others these headers are ignored.
    pub trust_proxy: Vec<Network>,
    /// Which pages of other origins may read answers.
    pub cors: Cors,
    /// A folder to serve the web map from, instead of the one built into the program.
    pub assets: Option<PathBuf>,
    /// A folder with styles of the operator's own, see [`citymap_render::styles::StyleBook::load`].
    pub styles: Option<PathBuf>,
    /// What is written on every printed sheet, see [`citymap_render::print::PrintTemplate::load`].
    pub print_template: Option<PathBuf>,
    /// Where PMTiles archives are that are served too: a folder, or an `http://` or `https://` URL of a
    /// server that answers range requests (object storage).
    pub archives: Option<String>,
    /// Who may write over HTTP ([`crate::read_writers`]); nobody if the list is empty.
    pub writers: Vec<Writer>,
    /// Where the results of jobs are stored, in a folder that is removed when the process ends. Default: the
    /// system's folder for temporary files.
    pub jobs_dir: Option<PathBuf>,
    /// How revisions are delivered to webhooks.
    pub webhooks: WebhookOptions,
    /// Limits on one request, and on all requests together.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: None,
            trust_proxy: Vec::new(),
            cors: Cors::default(),
            assets: None,
            styles: None,
            print_template: None,
            archives: None,
            writers: Vec::new(),
            jobs_dir: None,
            webhooks: WebhookOptions::default(),
            limits: Limits::default(),
        }
    }
}

limits! {
    /// The limits on every list, page, body, queue and wait.
    pub struct Limits under "Limits" {
        /// Maximum number of features on a page of /items; a larger `limit` counts as this one.
        pub items_limit_max: usize = 10_000, flag "items-limit-max", unit Count;
        /// Number of features on a page of /items if the request has no `limit`.
        pub items_limit_default: usize = 10, flag "items-limit-default", unit Count;
        /// Maximum search radius of /api/near.
        pub near_distance_max: f64 = 5_000.0, flag "near-distance-max", unit Metres;
        /// Maximum number of features in an answer of /api/near.
        pub near_limit_max: usize = 1_000, flag "near-limit-max", unit Count;
        /// Maximum and default number of features per layer in an answer of /api/at.
        pub at_limit: usize = 20, flag "at-limit", unit Count;
        /// Maximum tolerance of /api/at.
        pub at_tolerance_max: f64 = 500.0, flag "at-tolerance-max", unit Metres;
        /// Maximum number of vertices of an area given to /api/within.
        pub within_vertices_max: usize = 10_000, flag "within-vertices-max", unit Count;
        /// Maximum number of features per layer that /api/within lists.
        pub within_limit_max: usize = 10_000, flag "within-limit-max", unit Count;
        /// Maximum number of results of /api/search.
        pub search_limit_max: usize = 50, flag "search-limit-max", unit Count;
        /// Maximum size of the body of a request.
        pub body_bytes_max: usize = 2 << 20, flag "body-max", unit Bytes;
        /// Maximum size of path and query of a request.
        pub url_bytes_max: usize = 8 << 10, flag "url-max", unit Bytes;
        /// Maximum size of one answer before compression. A page of /items ends there and has a `next` link;
        /// an answer of a question that is larger is 400.
        pub answer_bytes_max: usize = 64 << 20, flag "answer-max", unit Bytes;
        /// Maximum time of a request, including the arrival of its body.
        pub request_timeout: Duration = Duration::from_secs(30), flag "request-timeout", unit Seconds;
        /// Maximum time in which a client must send the head of a request, and for which a connection may be
        /// idle.
        pub header_timeout: Duration = Duration::from_secs(20), flag "header-timeout", unit Seconds;
        /// Maximum number of open connections; more wait in the system's queue.
        pub connections_max: usize = 4_096, flag "connections-max", unit Count;
        /// Maximum number of connections of one client address; 0 for an eighth of --connections-max, at
        /// least 64. A trusted proxy has no such limit.
        pub connections_per_client: usize = 0, flag "connections-per-client", unit Count;
        /// Maximum time for which a connection waits until its client takes 16 KiB of an answer that is
        /// ready; then it is closed.
        pub write_timeout: Duration = Duration::from_secs(30), flag "write-timeout", unit Seconds;
        /// Maximum size of all request bodies and answers that are in memory at once; beyond it the answer
        /// is 503 with Retry-After. One client has a quarter, beyond which it is 429.
        pub in_flight_bytes_max: u64 = 512 << 20, flag "in-flight-bytes", unit Bytes;
        /// Maximum number of requests of middle size (pages, searches, uncached tiles) that run at once.
        pub max_concurrent: usize = default_concurrency(), flag "max-concurrent", unit CountFromOne,
            varies "the machine's processors and one more";
        /// Maximum number of requests of middle size that wait; more are answered 503 with Retry-After.
        pub queue: usize = 256, flag "queue", unit Count;
        /// Maximum number of waiting requests of middle size of one client; more are answered 429 with
        /// Retry-After.
        pub queue_per_client: usize = 64, flag "queue-per-client", unit Count;
        /// Maximum number of large requests (areas of whole districts, tiles of the whole city) that run at
        /// once, each on as many threads as there are processors, at low priority.
        pub large_max: usize = 1, flag "large-max", unit Count;
        /// Maximum number of large requests that wait, and as many jobs; more are answered 503 with
        /// Retry-After.
        pub large_queue: usize = 32, flag "large-queue", unit Count;
        /// Maximum number of waiting large requests of one client; more are answered 429 with Retry-After.
        pub large_queue_per_client: usize = 8, flag "large-queue-per-client", unit Count;
        /// Maximum size in memory of the city at former revisions (`revision=`), in addition to what it
        /// shares with the newest one. A single state may be larger.
        pub former_bytes_max: u64 = 256 << 20, flag "former-bytes", unit Bytes;
        /// Maximum number of former states that wait while one is made; more are answered 503 with
        /// Retry-After.
        pub former_queue: usize = 16, flag "former-queue", unit Count;
        /// Maximum number of former states that wait for one client; more are answered 429 with Retry-After.
        pub former_queue_per_client: usize = 4, flag "former-queue-per-client", unit Count;
        /// Maximum number of open streams of /api/events of one client; more are answered 429.
        pub event_streams_per_client: usize = 128, flag "event-streams-per-client", unit Count;
        /// Size of the cache of encoded tiles; 0 caches none.
        pub tile_cache_bytes: u64 = 256 << 20, flag "tile-cache", unit Bytes;
        /// Maximum number of layers in one tile.
        pub tile_layers_max: usize = 64, flag "tile-layers-max", unit Count;
        /// Maximum width and height of a map picture, in pixels.
        pub map_side_max: usize = 4_096, flag "map-side-max", unit CountFromOne;
        /// Maximum number of pixels of a map picture, which takes up to 11 bytes of memory for each while it
        /// is drawn and encoded.
        pub map_pixels_max: usize = 8_388_608, flag "map-pixels-max", unit Count;
        /// Maximum number of sheets of one print, without the index sheet.
        pub print_sheets_max: usize = 60, flag "print-sheets-max", unit CountFromOne;
        /// Maximum size of the file of one print, of which a print of one sheet is in memory.
        pub print_bytes_max: u64 = 64 << 20, flag "print-bytes", unit Bytes;
        /// Maximum time for running requests after the signal to stop.
        pub shutdown_grace: Duration = Duration::from_secs(10), flag "shutdown-grace", unit Seconds;
        /// Time between two checks of the store if nothing notifies the server, and the pause while the store
        /// does not answer. Changes are shown at once, whatever this is.
        pub refresh_interval: Duration = Duration::from_millis(500), flag "refresh-interval", unit Seconds;
        /// Maximum time for which a read waits for the `min-revision` that it asks for.
        pub min_revision_wait: Duration = Duration::from_secs(5), flag "min-revision-wait", unit Seconds;
        /// Maximum number of requests that write at once; the record commits one after the other.
        pub writers_max: usize = 4, flag "writers-max", unit Count;
        groups
        /// Limits on jobs and their results.
        pub jobs: JobLimits;
        /// Limits on the streams of the change feed.
        pub feed: FeedLimits;
        /// Limits on edits and batches of edits.
        pub edit: EditLimits;
    }
}

/// One thread per processor and one more, so that none is idle while an answer is handed over.
fn default_concurrency() -> usize {
    1 + std::thread::available_parallelism().map_or(2, usize::from)
}
