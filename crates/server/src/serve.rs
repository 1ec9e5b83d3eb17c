//! The server process: connections, the threads behind them, and an orderly end.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use axum::{Router, http::Request};
use citymap_feed::webhooks::{self, Webhooks};
use citymap_live::Live;
use citymap_render::{print::TemplateError, styles::StylesError};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
};
use tower_service::Service;

use crate::{
    app::App,
    config::{Config, Limits},
    http::{
        client::is_trusted,
        connection::{ConnectionState, WatchedStream},
    },
    prepare::prepare_tiles,
    routes,
    work::Shares,
};

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is in use or not allowed.
    #[error(
        "cannot listen on {address}: {source}; is another server running there? --listen takes another \
            address"
    )]
    Listen {
        /// The address from the configuration.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The thread that follows the store could not be started.
    #[error("cannot start the thread that follows the store: {0}")]
    Thread(io::Error),
    /// The operator's styles cannot be used.
    #[error("the styles cannot be used: {0}")]
    Styles(#[from] StylesError),
    /// The operator's print template cannot be used.
    #[error(transparent)]
    PrintTemplate(#[from] TemplateError),
}

/// The server as one service, for tests and for use inside another server. It does not follow the store.
///
/// # Errors
/// [`ServeError::Styles`] if the operator's styles cannot be used.
pub fn router(live: Arc<Live>, config: Config) -> Result<Router, ServeError> {
    Ok(routes::router(Arc::new(App::new(live, config)?)))
}

/// Serves the city until `shutdown` completes. Then it accepts no more connections, waits up to
/// [`Limits::shutdown_grace`] for running requests, and returns. `on_ready` gets the address as soon as
/// connections are accepted.
///
/// A thread follows the store ([`Live::follow`]).
///
/// # Errors
/// [`ServeError::Listen`] if the address cannot be used, [`ServeError::Thread`] if a thread cannot be
/// started, [`ServeError::Styles`] if the operator's styles cannot be used.
pub async fn serve(
    live: Arc<Live>,
    config: Config,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future,
) -> Result<(), ServeError> {
    let address = config.listen;
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let limits = config.limits.clone();
    let webhooks = config.webhooks.clone();
    let app = Arc::new(App::new(live, config)?);
    let following = follow(Arc::clone(&app.live), limits.refresh_interval).map_err(ServeError::Thread)?;
    let webhooks = webhooks
        .enabled
        .then(|| webhooks::start(Arc::clone(&app.live), Arc::clone(&app.hub), webhooks))
        .transpose()
        .map_err(ServeError::Thread)?;
    let router = routes::router(Arc::clone(&app));
    let share = match limits.connections_per_client {
        0 => (limits.connections_max / 8).max(64),
        share => share,
    };
    let server = Server {
        app: Arc::clone(&app),
        router,
        builder: builder(&limits),
        graceful: GracefulShutdown::new(),
        shares: Shares::new(share),
    };
    tracing::info!(address = %bound, "listening");
    on_ready(bound);
    let preparing = tokio::spawn(prepare_tiles(Arc::clone(&app.live), Arc::clone(app.tiles.tiler())));

    let mut shutdown = pin!(shutdown);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&app.connections).acquire_owned() => place,
            _ = &mut shutdown => break,
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.connection(stream, peer.ip(), place.ok()),
                Err(error) => {
                    // For instance out of file handles: open connections may close in the meantime.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            _ = &mut shutdown => break,
        }
    }
    app.stopping.store(true, Ordering::Relaxed);
    app.hub.close();
    preparing.abort();
    webhooks.iter().for_each(Webhooks::stop);
    drop(listener);
    following.stop();
    tracing::info!("stopping");
    let end = tokio::time::Instant::now() + limits.shutdown_grace;
    if tokio::time::timeout_at(end, server.graceful.shutdown()).await.is_err() {
        tracing::warn!(grace = ?limits.shutdown_grace, "some requests did not end in time");
    }
    if let Some(webhooks) = webhooks {
        // Another server takes over at once if the lease is returned.
        let ended = tokio::task::spawn_blocking(move || webhooks.wait());
        if tokio::time::timeout_at(end, ended).await.is_err() {
            tracing::warn!("a receiver of a webhook did not answer in time");
        }
    }
    // An open store keeps its journal open.
    let ended = tokio::task::spawn_blocking(move || following.wait());
    if tokio::time::timeout_at(end, ended).await.is_err() {
        tracing::warn!("the store did not answer in time");
    }
    Ok(())
}

/// What a connection needs.
struct Server {
    app: Arc<App>,
    router: Router,
    builder: Builder<TokioExecutor>,
    graceful: GracefulShutdown,
    /// The connections of each client.
    shares: Arc<Shares>,
}

impl Server {
    /// Serves one connection on a task of its own, which holds `place` until the connection ends. A
    /// connection beyond the share of its client is closed at once.
    fn connection(&self, stream: TcpStream, peer: IpAddr, place: Option<OwnedSemaphorePermit>) {
        // A proxy has the connections of all its clients.
        let proxy = is_trusted(&self.app.config.trust_proxy, peer);
        let Some(share) = self.shares.take((!proxy).then(|| peer.into()), 1) else {
            tracing::debug!(max = self.shares.max(), "a client has too many connections; one is closed");
            return;
        };
        // Small answers must not wait for further bytes.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let state = ConnectionState::new(&self.app.config.limits);
        let peer = Peer { address: peer, connection: Arc::clone(&state) };
        let service = TowerToHyperService::new(PeerService { router: self.router.clone(), peer });
        let stream = TokioIo::new(WatchedStream::new(stream, Arc::clone(&state)));
        let connection = self.builder.serve_connection(stream, service).into_owned();
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let _held = (place, share);
            let mut connection = pin!(connection);
            loop {
                match tokio::time::timeout(state.period(), &mut connection).await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "a connection ended with an error");
                        break;
                    }
                    Err(_period) => {
                        if let Some(reason) = state.overdue() {
                            tracing::debug!(reason, "a connection is closed");
                            break;
                        }
                    }
                }
            }
        });
    }
}

/// Where a request comes from; an extension of each request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The other end of the connection: the client, or a proxy.
    pub(crate) address: IpAddr,
    pub(crate) connection: Arc<ConnectionState>,
}

/// The router, for the requests of one connection.
#[derive(Clone)]
struct PeerService {
    router: Router,
    peer: Peer,
}

impl<B> Service<Request<B>> for PeerService
where
    Router: Service<Request<B>>,
{
    type Response = <Router as Service<Request<B>>>::Response;
    type Error = <Router as Service<Request<B>>>::Error;
    type Future = <Router as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.router.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}

/// Bytes of request bodies that an HTTP/2 connection holds before a handler reads them.
const HTTP2_WINDOW: u32 = 256 << 10;

/// Connections with bounds on the head of a request and on idle time.
fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The head of a request is an address and some headers. A client that sends it slowly must not hold a
    // place for ever.
    let head = limits.url_bytes_max + (32 << 10);
    builder
        .http1()
        // QGIS compares the name `Location` by case.
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(head.max(16 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.header_timeout)
        .max_concurrent_streams(32)
        // What a client sends before anything reads it, and what is ready before it takes it.
        .initial_stream_window_size(HTTP2_WINDOW)
        .initial_connection_window_size(HTTP2_WINDOW)
        .max_send_buf_size(64 << 10)
        // Streams that are opened and reset at once: beyond this the connection is closed.
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    builder
}

/// Starts the thread that follows the store. It ends when the returned value is dropped.
fn follow(live: Arc<Live>, interval: Duration) -> io::Result<StoreFollower> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let thread =
        thread::Builder::new().name("follow-store".to_owned()).spawn(move || live.follow(interval, &flag))?;
    Ok(StoreFollower { stop, thread: Some(thread) })
}

/// The thread that follows the store; stopped when this is dropped.
struct StoreFollower {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl StoreFollower {
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Stops the thread and waits until it has ended. Blocks.
    fn wait(mut self) {
        self.stop();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that follows the store panicked");
        }
    }
}

impl Drop for StoreFollower {
    fn drop(&mut self) {
        self.stop();
    }
}
