//! `citymap serve`: the options of the server and its life from start to signal.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_edit::EditLimits;
use citymap_feed::{FeedLimits, webhooks::WebhookOptions};
use citymap_live::{Live, Options};
use citymap_server::{Config, Limits};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
    snapshots,
    values::seconds,
};

/// The arguments of `citymap serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", env = "CITYMAP_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,

    /// Base address of links in answers. Default: from the request and the headers of a proxy.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Serve the web map from this folder instead of the built-in one.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) assets: Option<PathBuf>,

    /// Also serve the PMTiles archives of this folder, or those below an address whose server supports range
    /// requests (object storage).
    #[arg(long, env = "CITYMAP_ARCHIVES", value_parser = archives, value_name = "FOLDER|URL")]
    pub(crate) archives: Option<String>,

    /// Allow writing over HTTP to the writers in this file: one line `name:token` each, readable by nobody
    /// else. Without it the API is read-only.
    #[arg(long, env = "CITYMAP_WRITERS", value_name = "FILE")]
    pub(crate) writers: Option<PathBuf>,

    /// Folder for snapshots of the layers in memory, which make the next start take half a second; `off` for
    /// none. No other server may use it. Default: next to a GeoPackage (`city.gpkg.snapshot`), for a database
    /// in the user's cache folder.
    #[arg(long, value_name = "FOLDER|off")]
    pub(crate) snapshots: Option<PathBuf>,

    /// Folder for the results of jobs (overlays over HTTP). Default: the system's folder for
    /// temporary files.
    #[arg(long, value_name = "FOLDER", help_heading = "Jobs")]
    pub(crate) jobs_dir: Option<PathBuf>,

    /// Maximum number of jobs that wait while one runs; further requests get 503 with Retry-After.
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Jobs")]
    pub(crate) jobs_waiting: usize,

    /// Seconds before a job's result is deleted.
    #[arg(
        long,
        default_value_t = 3_600.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Jobs"
    )]
    pub(crate) jobs_keep: f64,

    /// Maximum size of all results together, in bytes.
    #[arg(long, default_value_t = 4 << 30, value_name = "BYTES", help_heading = "Jobs")]
    pub(crate) jobs_bytes: u64,

    /// Let other servers deliver webhooks.
    #[arg(long, help_heading = "Webhooks")]
    pub(crate) no_webhooks: bool,

    /// Seconds that a receiver may take to answer.
    #[arg(
        long,
        default_value_t = 10.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Webhooks"
    )]
    pub(crate) webhook_timeout: f64,

    /// Hours after the first failure before a revision that a receiver does not accept becomes a dead letter.
    #[arg(
        long,
        default_value_t = 24.0,
        value_parser = seconds,
        value_name = "HOURS",
        help_heading = "Webhooks"
    )]
    pub(crate) webhook_give_up: f64,

    /// Maximum number of features in a page of /items.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) items_limit_max: usize,

    /// Number of features in a page of /items if the request does not give a limit.
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Limits")]
    pub(crate) items_limit_default: usize,

    /// Maximum search distance of /api/near, in metres.
    #[arg(long, default_value_t = 5_000.0, value_name = "METRES", help_heading = "Limits")]
    pub(crate) near_distance_max: f64,

    /// Maximum number of features in an answer of /api/near.
    #[arg(long, default_value_t = 1_000, value_name = "N", help_heading = "Limits")]
    pub(crate) near_limit_max: usize,

    /// Maximum number of features of each layer in an answer of /api/at.
    #[arg(long, default_value_t = 20, value_name = "N", help_heading = "Limits")]
    pub(crate) at_limit: usize,

    /// Maximum tolerance of /api/at, in metres.
    #[arg(long, default_value_t = 500.0, value_name = "METRES", help_heading = "Limits")]
    pub(crate) at_tolerance_max: f64,

    /// Maximum number of vertices of an area for /api/within.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) within_vertices_max: usize,

    /// Maximum number of features of each layer that /api/within lists.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) within_limit_max: usize,

    /// Maximum number of results of /api/search.
    #[arg(long, default_value_t = 50, value_name = "N", help_heading = "Limits")]
    pub(crate) search_limit_max: usize,

    /// Maximum size of a request's body, in bytes.
    #[arg(long, default_value_t = 2 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) body_max: usize,

    /// Maximum length of a request's path and query, in bytes.
    #[arg(long, default_value_t = 8 << 10, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) url_max: usize,

    /// Seconds that a request may take.
    #[arg(
        long,
        default_value_t = 30.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) request_timeout: f64,

    /// Seconds that a client may take to send a request's head, and that a connection may be idle.
    #[arg(
        long,
        default_value_t = 20.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) header_timeout: f64,

    /// Maximum number of open connections.
    #[arg(long, default_value_t = 4_096, value_name = "N", help_heading = "Limits")]
    pub(crate) connections_max: usize,

    /// Maximum number of queries and tiles that run at once. Default: one more than the machine has
    /// processors.
    #[arg(
        long,
        value_parser = clap::value_parser!(u16).range(1..),
        value_name = "N",
        help_heading = "Limits"
    )]
    pub(crate) max_concurrent: Option<u16>,

    /// Maximum number of queries and tiles that wait; further requests get 503 with Retry-After.
    #[arg(long, default_value_t = 256, value_name = "N", help_heading = "Limits")]
    pub(crate) queue: usize,

    /// Maximum number of large queries (areas of whole districts, tiles of the whole city) that run at once,
    /// at low priority.
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Limits")]
    pub(crate) large_max: usize,

    /// Maximum number of large queries that wait, and of jobs; further requests get 503 with Retry-After.
    #[arg(long, default_value_t = 32, value_name = "N", help_heading = "Limits")]
    pub(crate) large_queue: usize,

    /// Maximum size of the cache of encoded tiles, in bytes; 0 for no cache.
    #[arg(long, default_value_t = 256 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) tile_cache: u64,

    /// Maximum number of layers in one tile.
    #[arg(long, default_value_t = 64, value_name = "N", help_heading = "Limits")]
    pub(crate) tile_layers_max: usize,

    /// Seconds that running requests may take after the signal to stop.
    #[arg(
        long,
        default_value_t = 10.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) shutdown_grace: f64,

    /// Seconds between two checks for new revisions if the store does not announce them, and between attempts
    /// to reach a store that is away.
    #[arg(
        long,
        default_value_t = 0.5,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) refresh_interval: f64,

    /// Seconds that a read waits for the revision that its `min-revision` asks for.
    #[arg(
        long,
        default_value_t = 5.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) min_revision_wait: f64,

    /// Maximum number of open streams of /api/events.
    #[arg(long, default_value_t = 1_000, value_name = "N", help_heading = "Limits")]
    pub(crate) event_streams_max: usize,

    /// Seconds of silence after which a stream of events sends a heartbeat.
    #[arg(
        long,
        default_value_t = 15.0,
        value_parser = seconds,
        value_name = "SECONDS",
        help_heading = "Limits"
    )]
    pub(crate) event_heartbeat: f64,

    /// Maximum number of vertices in the geometry of one edit.
    #[arg(long, default_value_t = 20_000, value_name = "N", help_heading = "Limits")]
    pub(crate) edit_vertices_max: usize,

    /// Maximum number of edits in one batch (POST /api/changes).
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) batch_edits_max: usize,

    /// Maximum size of a batch's body, in bytes.
    #[arg(long, default_value_t = 32 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) batch_max: usize,

    /// Maximum number of requests that prepare a write at once; the store commits one after the other.
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Limits")]
    pub(crate) writers_max: usize,
}

/// Accepts a folder that exists, or an HTTP address.
fn archives(text: &str) -> Result<String, String> {
    let address = text.starts_with("http://") || text.starts_with("https://");
    if address || std::path::Path::new(text).is_dir() {
        Ok(text.to_owned())
    } else {
        Err("it is neither a folder nor an http:// or https:// address".to_owned())
    }
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(global: &Global, args: &ServeArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let store = database::open(global, false)?;
    let options = Options { snapshots: snapshots::folder(args.snapshots.as_deref(), &global.store) };
    let live = Arc::new(Live::open_with(store, &options)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = config(args)?;
    runtime.block_on(citymap_server::serve(
        Arc::clone(&live),
        config,
        |address| {
            if let Err(failure) = announce(global, &live, address, start) {
                // The server works without anybody reading this.
                tracing::warn!("{failure}");
            }
        },
        stop_signal(),
    ))?;
    live.write_snapshots();
    // Work that no client waits for must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

/// Prints where the map is and what it holds.
fn announce(global: &Global, live: &Live, address: SocketAddr, start: Instant) -> Result<(), Failure> {
    let city = live.snapshot().city;
    let features: usize = city.layers.values().map(|layer| layer.len()).sum();
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        return output::print_json(&serde_json::json!({
            "url": format!("http://{address}"),
            "store": live.location(),
            "revision": city.revision,
            "layers": city.layers.len(),
            "features": features,
            "seconds": seconds,
        }));
    }
    say!(
        "the map is on http://{address}: {} layers, {} features, revision {}, ready in {seconds:.1} s",
        city.layers.len(),
        thousands(features as u64),
        city.revision
    )
}

fn config(args: &ServeArgs) -> Result<Config, Failure> {
    let defaults = Limits::default();
    Ok(Config {
        listen: args.listen,
        base_url: args.base_url.clone(),
        assets: args.assets.clone(),
        archives: args.archives.clone(),
        writers: args.writers.as_deref().map(citymap_server::read_writers).transpose()?.unwrap_or_default(),
        jobs_dir: args.jobs_dir.clone(),
        limits: Limits {
            items_limit_max: args.items_limit_max,
            items_limit_default: args.items_limit_default,
            near_distance_max: args.near_distance_max,
            near_limit_max: args.near_limit_max,
            at_limit: args.at_limit,
            at_tolerance_max: args.at_tolerance_max,
            within_vertices_max: args.within_vertices_max,
            within_limit_max: args.within_limit_max,
            search_limit_max: args.search_limit_max,
            body_bytes_max: args.body_max,
            url_bytes_max: args.url_max,
            request_timeout: Duration::from_secs_f64(args.request_timeout),
            header_timeout: Duration::from_secs_f64(args.header_timeout),
            connections_max: args.connections_max,
            max_concurrent: args.max_concurrent.map_or(defaults.max_concurrent, usize::from),
            queue: args.queue,
            large_max: args.large_max,
            large_queue: args.large_queue,
            jobs_waiting: args.jobs_waiting,
            jobs_keep: Duration::from_secs_f64(args.jobs_keep),
            jobs_bytes_max: args.jobs_bytes,
            tile_cache_bytes: args.tile_cache,
            tile_layers_max: args.tile_layers_max,
            shutdown_grace: Duration::from_secs_f64(args.shutdown_grace),
            refresh_interval: Duration::from_secs_f64(args.refresh_interval),
            min_revision_wait: Duration::from_secs_f64(args.min_revision_wait),
            feed: FeedLimits {
                streams_max: args.event_streams_max,
                heartbeat: Duration::from_secs_f64(args.event_heartbeat),
            },
            edit: EditLimits {
                vertices_max: args.edit_vertices_max,
                batch_edits_max: args.batch_edits_max,
                batch_bytes_max: args.batch_max,
            },
            writers_max: args.writers_max,
        },
        webhooks: WebhookOptions {
            enabled: !args.no_webhooks,
            timeout: Duration::from_secs_f64(args.webhook_timeout),
            give_up: Duration::from_secs_f64(args.webhook_give_up * 3_600.0),
            ..WebhookOptions::default()
        },
    })
}

/// Ends when the process is asked to stop: Ctrl-C or SIGTERM.
async fn stop_signal() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "SIGTERM cannot be received");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
