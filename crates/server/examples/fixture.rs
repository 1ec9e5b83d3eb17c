//! Serves the small city of the tests, for trying clients against it:
//! `cargo run -p citymap-server --example fixture -- 127.0.0.1:8080`
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{env, error::Error, sync::Arc};

use citymap_live::Live;
use citymap_server::{Config, serve};
use citymap_testing::SwitchStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "info".into())).init();
    let listen = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into()).parse()?;
    // The folder of the store is deleted with it.
    let store = common::store();
    let live = Arc::new(Live::open(Box::new(SwitchStore::clone(&store)))?);
    let config = Config { listen, ..Config::default() };
    serve(live, config, |address| tracing::info!("http://{address}/api"), tokio::signal::ctrl_c()).await?;
    Ok(())
}
