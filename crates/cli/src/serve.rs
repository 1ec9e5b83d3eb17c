//! `citymap serve`: the options of the server and its life from start to signal.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_feed::webhooks::WebhookOptions;
use citymap_live::{Live, Options};
use citymap_server::{Config, Cors, Network};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    limit_args::LimitArgs,
    output::{self, counted, say},
    signals, snapshots,
    values::seconds,
};

/// The arguments of `citymap serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", env = "CITYMAP_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,

    /// Base address of links in answers, with the path below which a proxy serves the map, if there is one
    /// (`https://example.vn/geo`). Default: from `Host`, or from the headers of a trusted proxy.
    #[arg(long, value_parser = citymap_server::parse_base_url, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Believe `Forwarded` and `X-Forwarded-*` of the proxies in this network (such as 127.0.0.1 or
    /// 10.0.0.0/8): for whom they ask, and under which address. May be repeated. From others these headers
    /// are ignored.
    #[arg(long, value_name = "CIDR")]
    pub(crate) trust_proxy: Vec<Network>,

    /// Which pages of other origins may read answers in a browser: `*` for all, `none`, or origins such as
    /// `https://gis.example.vn`, separated by commas. A server that only an internal network reaches should
    /// not say `*`: any page that is open there could read it.
    #[arg(long, default_value = "*", env = "CITYMAP_CORS", value_name = "ORIGINS")]
    pub(crate) cors: Cors,

    /// Serve the web map from this folder instead of the built-in one.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) assets: Option<PathBuf>,

    /// Styles of your own: `NAME.json` is a MapLibre style that replaces or adds the style `NAME`,
    /// `themes.json` replaces or adds themes, `look.json` changes colours (docs/styles.md). If a file
    /// cannot be used, the server does not start, and the message names the file and the place.
    #[arg(long, env = "CITYMAP_STYLES", value_name = "FOLDER")]
    pub(crate) styles: Option<PathBuf>,

    /// What is written on every printed sheet: a JSON file with the members organization, title, disclaimer
    /// and fields (docs/pictures.md).
    #[arg(long, env = "CITYMAP_PRINT_TEMPLATE", value_name = "FILE")]
    pub(crate) print_template: Option<PathBuf>,

    /// Also serve the PMTiles archives of this folder, or those below an address whose server supports range
    /// requests (object storage).
    #[arg(long, env = "CITYMAP_ARCHIVES", value_parser = archives, value_name = "FOLDER|URL")]
    pub(crate) archives: Option<String>,

    /// Allow writing over HTTP to the writers in this file: one line `name:token` each, readable by nobody
    /// else. `name:token:overwrite` is a writer whose client cannot send If-Match, such as QGIS. Without the
    /// file the API is read-only.
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

    /// The limits of the server, whose declarations are beside the code that they bound.
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
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
        signals::stop_signal(),
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
        "the map is on http://{address}: {}, {}, revision {}, ready in {seconds:.1} s",
        counted(city.layers.len() as u64, "layer", "layers"),
        counted(features as u64, "feature", "features"),
        city.revision
    )
}

fn config(args: &ServeArgs) -> Result<Config, Failure> {
    Ok(Config {
        listen: args.listen,
        base_url: args.base_url.clone(),
        trust_proxy: args.trust_proxy.clone(),
        cors: args.cors.clone(),
        assets: args.assets.clone(),
        styles: args.styles.clone(),
        print_template: args.print_template.clone(),
        archives: args.archives.clone(),
        writers: args.writers.as_deref().map(citymap_server::read_writers).transpose()?.unwrap_or_default(),
        jobs_dir: args.jobs_dir.clone(),
        limits: args.limits.0.clone(),
        webhooks: WebhookOptions {
            enabled: !args.no_webhooks,
            timeout: Duration::from_secs_f64(args.webhook_timeout),
            give_up: Duration::from_secs_f64(args.webhook_give_up * 3_600.0),
            ..WebhookOptions::default()
        },
    })
}
