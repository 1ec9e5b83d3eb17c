//! `citymap serve`.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_feed::{FeedLimits, webhooks::WebhookOptions};
use citymap_live::{Live, Options};
use citymap_server::{Config, Limits};

use crate::{
    args::{Cli, ServeArgs},
    database,
    output::{self, Failure, thousands},
    snapshots,
};

pub(crate) fn run(cli: &Cli, args: &ServeArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let store = database::open(cli, false)?;
    let options = Options { snapshots: snapshots::folder(args.snapshots.as_deref(), &cli.store) };
    let live = Arc::new(Live::open_with(store, &options)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = config(args)?;
    runtime.block_on(citymap_server::serve(
        Arc::clone(&live),
        config,
        |address| {
            let city = live.snapshot().city;
            let features: usize = city.layers.values().map(|layer| layer.len()).sum();
            let seconds = start.elapsed().as_secs_f64();
            if cli.json {
                output::print_json(&serde_json::json!({
                    "url": format!("http://{address}"),
                    "store": live.location(),
                    "revision": city.revision,
                    "layers": city.layers.len(),
                    "features": features,
                    "seconds": seconds,
                }));
            } else {
                println!(
                    "the map is on http://{address}: {} layers, {} features, revision {}, ready in {seconds:.1} s",
                    city.layers.len(),
                    thousands(features as u64),
                    city.revision
                );
            }
        },
        stop_signal(),
    ))?;
    live.write_snapshots();
    // Work that no client waits for any more must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
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
            edit_vertices_max: args.edit_vertices_max,
            batch_edits_max: args.batch_edits_max,
            batch_bytes_max: args.batch_max,
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
                tracing::warn!("SIGTERM cannot be listened to: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
