//! `GET /api/events`: a stream of server-sent events.
//!
//! The next chunk is made when the one before has been sent, so that a client that reads slowly holds a place
//! but no memory.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use citymap_feed::{Hub, RenderedRevision};
use citymap_live::Live;
use citymap_model::{LayerId, RevisionNumber};
use futures_util::stream::unfold;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use super::layer_filter;
use crate::{
    http::{
        auth::known_writer,
        client::Client,
        parameters::{LAYERS, SINCE},
        problem::Problem,
        query::query,
        request::{HandlerResult, RequestContext},
    },
    work::{ByteBudget, Share},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL: HeaderName = HeaderName::from_static("x-accel-buffering");
/// The first bytes of a stream: how many milliseconds a client waits before it reconnects.
const OPENING: &str = "retry: 2000\n: the changes of the city, one event a revision\n\n";
/// How long to wait before a store that did not answer is read again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A chunk of at least this many bytes is sent before further revisions are added.
const CHUNK_BYTES: usize = 256 << 10;

query! {
    /// The query of `/api/events`.
    pub(crate) struct EventsQuery {
        since: Option<RevisionNumber> = SINCE,
        layers: Option<String> = LAYERS,
    }
}

/// The handler of `GET /api/events`.
pub(crate) async fn events(mut context: RequestContext) -> HandlerResult {
    let EventsQuery { since: asked, layers } = context.query()?;
    let since = last_event(&context.headers)?.or(asked);
    let layers = layer_filter(&context, layers.as_deref())?;
    let app = Arc::clone(&context.app);
    let Some(share) = app.streams.take(Client::current(), 1) else {
        let max = app.streams.max();
        return Err(Problem::too_many(
            format!(
                "this client has {max} event streams open, which is the maximum; poll /api/changes instead"
            ),
            10,
        )
        .into());
    };
    let Some(permit) = app.hub.open_stream() else {
        let max = app.config.limits.feed.streams_max;
        return Err(Problem::unavailable(
            format!("{max} event streams are open, which is the maximum; poll /api/changes instead"),
            10,
        )
        .into());
    };
    let newest = context.city_snapshot.revision();
    let author = known_writer(&app.config.writers, &context.headers).is_some();
    let mut opening = OPENING.to_owned();
    match since {
        None => opening.push_str(&format!("id: {newest}\n{}", hello(newest))),
        // Another server has shown later revisions than this one has yet. The client keeps its position.
        Some(since) if since > newest => opening.push_str(&hello(newest)),
        Some(_) => {}
    }
    let heartbeat = app.config.limits.feed.heartbeat;
    let stream = EventStream {
        live: Arc::clone(&app.live),
        hub: Arc::clone(&app.hub),
        revisions: app.live.revisions(),
        closing: app.hub.closing(),
        position: since.unwrap_or(newest),
        heartbeat,
        silent_until: Instant::now() + heartbeat,
        author,
        opening: Some(opening),
        layers,
        budget: app.in_flight.clone(),
        client: Client::current(),
        _permit: permit,
        _share: share,
    };
    let mut response = Response::new(Body::from_stream(unfold(stream, EventStream::chunk)));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (ACCEL, "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn hello(newest: RevisionNumber) -> String {
    format!("event: hello\ndata: {{\"revision\":{newest}}}\n\n")
}

/// The last revision that a client has which reconnects: browsers send it in a header, which takes precedence
/// over the parameter that their address still has.
fn last_event(headers: &HeaderMap) -> Result<Option<RevisionNumber>, Problem> {
    let Some(last) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    match last.to_str().map(|text| text.trim().parse::<RevisionNumber>()) {
        Ok(Ok(last)) if last < RevisionNumber::MAX => Ok(Some(last)),
        _ => Err(Problem::parameter(
            "`Last-Event-ID` is not a revision number; repeat the `id` of the last event, or leave the \
                header out",
        )),
    }
}

/// One client's position in the feed.
struct EventStream {
    live: Arc<Live>,
    hub: Arc<Hub>,
    revisions: watch::Receiver<RevisionNumber>,
    closing: watch::Receiver<bool>,
    /// The last revision that was sent, or that the client had before.
    position: RevisionNumber,
    layers: Option<Vec<LayerId>>,
    author: bool,
    opening: Option<String>,
    /// How long the stream may be silent.
    heartbeat: Duration,
    /// When a comment is sent if nothing else has been.
    silent_until: Instant,
    /// Counts the chunk that is on its way.
    budget: ByteBudget,
    client: Option<Client>,
    /// The place among the open streams.
    _permit: OwnedSemaphorePermit,
    /// The same among those of its client.
    _share: Share,
}

impl EventStream {
    /// The next chunk; `None` when the server stops, or when too many bytes are on their way. The client then
    /// connects again, and continues after the last event that it has.
    async fn chunk(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let chunk = match self.opening.take() {
            Some(opening) => opening,
            None => self.wait().await?,
        };
        self.silent_until = Instant::now() + self.heartbeat;
        let loan = self.budget.take(self.client, chunk.len() as u64).ok()?;
        Some((Ok(loan.with(chunk.into())), self))
    }

    /// Waits for revisions, or until a comment must show that the connection is alive.
    async fn wait(&mut self) -> Option<String> {
        loop {
            if *self.closing.borrow_and_update() {
                return None;
            }
            // Marked as seen before the feed is read, so that a revision that arrives in the meantime wakes
            // this task.
            self.revisions.borrow_and_update();
            let pause = match self.hub.next(&self.live, self.position).await {
                Ok(revisions) if revisions.is_empty() => None,
                Ok(revisions) => {
                    let chunk = self.write(&revisions);
                    if !chunk.is_empty() {
                        return Some(chunk);
                    }
                    Some(Duration::ZERO)
                }
                Err(_away) => Some(RETRY_AFTER),
            };
            if Instant::now() >= self.silent_until {
                return Some(":\n\n".to_owned());
            }
            let pause =
                pause.map_or(self.silent_until, |pause| self.silent_until.min(Instant::now() + pause));
            tokio::select! {
                changed = self.revisions.changed() => changed.ok()?,
                _ = self.closing.changed() => return None,
                () = tokio::time::sleep_until(pause) => {}
            }
        }
    }

    fn write(&mut self, revisions: &[Arc<RenderedRevision>]) -> String {
        let mut chunk = String::new();
        for revision in revisions {
            self.position = revision.number;
            if let Some(json) = revision.json(self.layers.as_deref(), self.author) {
                chunk.push_str(&format!("id: {}\nevent: revision\ndata: {json}\n\n", revision.number));
            }
            if chunk.len() >= CHUNK_BYTES {
                break;
            }
        }
        chunk
    }
}
