//! The ceiling of the benchmarks: bare axum that sends fixed bodies, with nothing around it.
//!
//! `cargo run --release -p citymap-server --example ceiling -- 127.0.0.1:8099`, then `/bytes/1000`, `/bytes/20000`: a body
//! of so many bytes, `application/octet-stream`. `scripts/bench-http` measures the server against it, with bodies of the
//! same size.

use std::{error::Error, net::SocketAddr, sync::OnceLock};

use axum::{Router, body::Bytes, extract::Path, routing::get, serve::ListenerExt};
use mimalloc::MiMalloc;

/// The same allocator as the program's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Bytes of the largest body.
const LARGEST: usize = 4 << 20;

async fn body(Path(len): Path<usize>) -> Bytes {
    static BODY: OnceLock<Bytes> = OnceLock::new();
    let all = BODY.get_or_init(|| vec![b'x'; LARGEST].into());
    // Shares the bytes: no copy is made for an answer.
    all.slice(..len.min(LARGEST))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr =
        std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8099".to_owned()).parse()?;
    let listener = tokio::net::TcpListener::bind(address).await?.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    });
    let router = Router::new().route("/bytes/{len}", get(body));
    axum::serve(listener, router).await?;
    Ok(())
}
