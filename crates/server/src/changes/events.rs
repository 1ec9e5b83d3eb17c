//! `GET /api/events`: a stream of server-sent events. Each reader takes what it has room for: the next piece is made when
//! the one before has been sent, so that a slow reader costs a place and no memory.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use citymap_feed::RenderedRevision;
use citymap_model::{LayerId, RevisionNumber};
use futures_util::stream::unfold;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use super::filter;
use crate::{
    app::App,
    http::{
        auth::known_writer,
        problem::Problem,
        request::{HandlerResult, RequestContext},
    },
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL: HeaderName = HeaderName::from_static("x-accel-buffering");
/// What a reader is told first: when to come back after a cut, in milliseconds.
const OPENING: &str = "retry: 2000\n: the changes of the city, one event a revision\n\n";
/// How long to wait before a store that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes after which a piece is sent before the next revision is looked at.
const PIECE: usize = 256 << 10;

/// `GET /api/events`
pub(crate) async fn events(mut context: RequestContext) -> HandlerResult {
    let since = since(&mut context)?;
    let layers = filter(&mut context)?;
    context.params.finish(&["since", "layers"])?;
    let app = Arc::clone(&context.app);
    let Some(permit) = app.hub.open_stream() else {
        let most = app.config.limits.feed.streams_max;
        return Err(Problem::unavailable(
            format!("{most} streams of events are open, and no more are; ask /api/changes now and then"),
            10,
        )
        .into());
    };
    let newest = context.city_snapshot.revision();
    let author = known_writer(&app, &context.headers).is_some();
    let mut opening = OPENING.to_owned();
    match since {
        None => opening.push_str(&format!("id: {newest}\n{}", hello(newest))),
        // Another server has shown more than this one does yet. The reader keeps its place.
        Some(since) if since > newest => opening.push_str(&hello(newest)),
        Some(_) => {}
    }
    let stream = EventStream {
        revisions: app.live.revisions(),
        closing: app.hub.closing(),
        position: since.unwrap_or(newest),
        beat: Instant::now() + app.config.limits.feed.heartbeat,
        author,
        opening: Some(opening),
        layers,
        app,
        _permit: permit,
    };
    let mut response = Response::new(Body::from_stream(unfold(stream, EventStream::piece)));
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

/// Where the reader is. A browser that comes back says so in a header, and means that whatever its address says.
fn since(context: &mut RequestContext) -> Result<Option<RevisionNumber>, Problem> {
    let asked = context.params.number("since", 0, RevisionNumber::MAX - 1)?;
    let Some(last) = context.headers.get(LAST_EVENT_ID) else { return Ok(asked) };
    match last.to_str().map(|text| text.trim().parse::<RevisionNumber>()) {
        Ok(Ok(last)) if last < RevisionNumber::MAX => Ok(Some(last)),
        _ => Err(Problem::parameter(
            "`Last-Event-ID` is no revision's number; repeat the `id` of the last event, or leave it out",
        )),
    }
}

/// One reader's place in the feed.
struct EventStream {
    app: Arc<App>,
    revisions: watch::Receiver<RevisionNumber>,
    closing: watch::Receiver<bool>,
    /// The last revision that was sent, or need not be.
    position: RevisionNumber,
    layers: Option<Vec<LayerId>>,
    author: bool,
    opening: Option<String>,
    /// When something is to be sent at the latest.
    beat: Instant,
    _permit: OwnedSemaphorePermit,
}

impl EventStream {
    /// The next piece; the stream ends with the server.
    async fn piece(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let piece = match self.opening.take() {
            Some(opening) => opening,
            None => self.wait().await?,
        };
        self.beat = Instant::now() + self.app.config.limits.feed.heartbeat;
        Some((Ok(piece.into()), self))
    }

    /// Waits for revisions, or until it is time to say that the line still stands.
    async fn wait(&mut self) -> Option<String> {
        loop {
            if *self.closing.borrow_and_update() {
                return None;
            }
            // Seen before it is asked for, so that what comes meanwhile wakes us.
            self.revisions.borrow_and_update();
            let pause = match self.app.hub.next(&self.app.live, self.position).await {
                Ok(revisions) if revisions.is_empty() => None,
                Ok(revisions) => {
                    let piece = self.write(&revisions);
                    if !piece.is_empty() {
                        return Some(piece);
                    }
                    Some(Duration::ZERO)
                }
                Err(_away) => Some(AGAIN),
            };
            if Instant::now() >= self.beat {
                return Some(":\n\n".to_owned());
            }
            let pause = pause.map_or(self.beat, |pause| self.beat.min(Instant::now() + pause));
            tokio::select! {
                changed = self.revisions.changed() => changed.ok()?,
                _ = self.closing.changed() => return None,
                () = tokio::time::sleep_until(pause) => {}
            }
        }
    }

    fn write(&mut self, revisions: &[Arc<RenderedRevision>]) -> String {
        let mut piece = String::new();
        for revision in revisions {
            self.position = revision.number;
            if let Some(json) = revision.json(self.layers.as_deref(), self.author) {
                piece.push_str(&format!("id: {}\nevent: revision\ndata: {json}\n\n", revision.number));
            }
            if piece.len() >= PIECE {
                break;
            }
        }
        piece
    }
}
