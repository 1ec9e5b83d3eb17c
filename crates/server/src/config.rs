use std::{net::SocketAddr, path::PathBuf, time::Duration};

use citymap_edit::EditLimits;
use citymap_feed::{FeedLimits, webhooks::WebhookOptions};

use crate::http::auth::Writer;

/// How the server is to run. The command line fills it in.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address that links in answers begin with (`https://map.example.vn`), where a proxy stands before the
    /// server and says nothing of itself. Without it, `X-Forwarded-Proto`, `X-Forwarded-Host` and `Host` tell.
    pub base_url: Option<String>,
    /// The folder from which the web map is served instead of the one built into the program.
    pub assets: Option<PathBuf>,
    /// Where PMTiles archives lie that are served too: a folder, or an `http://` or `https://` address of a server that answers
    /// ranges (object storage).
    pub archives: Option<String>,
    /// Who may write over HTTP ([`crate::read_writers`]). Nobody, unless somebody is named here.
    pub writers: Vec<Writer>,
    /// Where the results of jobs lie, in a folder of their own that goes with the process. Default: the system's folder for
    /// temporary files.
    pub jobs_dir: Option<PathBuf>,
    /// How revisions are sent to subscribers.
    pub webhooks: WebhookOptions,
    /// What one request, and all of them together, may take.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: None,
            assets: None,
            archives: None,
            writers: Vec::new(),
            jobs_dir: None,
            webhooks: WebhookOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// The bounds of every list, page, body, queue and wait.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Features a page of `/items` at most; a larger `limit` counts as this one. Default 10 000.
    pub items_limit_max: usize,
    /// Features a page of `/items` where none is asked for. Default 10.
    pub items_limit_default: usize,
    /// Metres that `/api/near` looks around at most. Default 5 000.
    pub near_distance_max: f64,
    /// Features that `/api/near` gives at most. Default 1 000.
    pub near_limit_max: usize,
    /// Features a layer that `/api/at` gives at most, and where none is asked for. Default 20.
    pub at_limit: usize,
    /// Metres of tolerance that `/api/at` takes at most. Default 500.
    pub at_tolerance_max: f64,
    /// Vertices that an area given to `/api/within` has at most. Default 10 000.
    pub within_vertices_max: usize,
    /// Features a layer that `/api/within` lists at most. Default 10 000.
    pub within_limit_max: usize,
    /// Answers of `/api/search` at most. Default 50.
    pub search_limit_max: usize,
    /// Bytes of a request's body at most. Default 2 MiB.
    pub body_bytes_max: usize,
    /// Bytes of a request's path and query at most. Default 8 KiB.
    pub url_bytes_max: usize,
    /// How long a request may take, its body's arrival included. Default 30 s.
    pub request_timeout: Duration,
    /// How long a client may take to send a request's head, and a connection may lie idle. Default 20 s.
    pub header_timeout: Duration,
    /// Open connections at most; more wait in the system's queue. Default 4 096.
    pub connections_max: usize,
    /// Questions and tiles worked on at once. Default: the machine's processors and one more, so that none is idle while an
    /// answer is handed over.
    pub max_concurrent: usize,
    /// Questions and tiles that wait for their turn at most; more are answered 503. Default 256.
    pub queue: usize,
    /// Large questions (areas of whole districts, tiles of the whole city) worked on at once, each on as many threads as
    /// there are processors, at low priority. Default 1.
    pub large_max: usize,
    /// Large questions that wait for their turn at most, and as many jobs; more are answered 503. Default 32.
    pub large_queue: usize,
    /// Jobs that wait while one runs, at most; more are answered 503. Default 4.
    pub jobs_waiting: usize,
    /// How long results of jobs are kept. Default 1 h.
    pub jobs_keep: Duration,
    /// Bytes that the results of all jobs have at most. Default 4 GiB.
    pub jobs_bytes_max: u64,
    /// Bytes of encoded tiles kept. Default 256 MiB.
    pub tile_cache_bytes: u64,
    /// Layers in one tile at most. Default 64.
    pub tile_layers_max: usize,
    /// How long running requests may go on after the signal to stop. Default 10 s.
    pub shutdown_grace: Duration,
    /// What the streams of `/api/events` may take.
    pub feed: FeedLimits,
    /// How long the thread that follows the store waits for news before it looks whether it should stop; also its nap
    /// while the store does not answer. News come at once, whatever this is. Default 500 ms.
    pub refresh_interval: Duration,
    /// How long a read waits for the `min-revision` that it asks for. Default 5 s.
    pub min_revision_wait: Duration,
    /// How large edits may be.
    pub edit: EditLimits,
    /// Requests that write at once; the record takes one after the other, the rest prepare. Default 4.
    pub writers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            items_limit_max: 10_000,
            items_limit_default: 10,
            near_distance_max: 5_000.0,
            near_limit_max: 1_000,
            at_limit: 20,
            at_tolerance_max: 500.0,
            within_vertices_max: 10_000,
            within_limit_max: 10_000,
            search_limit_max: 50,
            body_bytes_max: 2 << 20,
            url_bytes_max: 8 << 10,
            request_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(20),
            connections_max: 4_096,
            max_concurrent: 1 + std::thread::available_parallelism().map_or(2, usize::from),
            queue: 256,
            large_max: 1,
            large_queue: 32,
            jobs_waiting: 4,
            jobs_keep: Duration::from_secs(3_600),
            jobs_bytes_max: 4 << 30,
            tile_cache_bytes: 256 << 20,
            tile_layers_max: 64,
            shutdown_grace: Duration::from_secs(10),
            feed: FeedLimits::default(),
            refresh_interval: Duration::from_millis(500),
            min_revision_wait: Duration::from_secs(5),
            edit: EditLimits::default(),
            writers_max: 4,
        }
    }
}
