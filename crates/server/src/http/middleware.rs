//! What every answer has in common: its revision, the request's id, CORS and security headers, a time limit,
//! and a line in the log.

use std::{
    net::{IpAddr, Ipv4Addr},
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use citymap_live::Live;
use futures_util::FutureExt;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    app::App,
    config::Limits,
    hash::hash_of,
    http::{
        body::BodyAccount,
        client::{self, Client},
        connection::{ConnectionState, HeldAtOnce, SentBody},
        params::{MIN_REVISION, Params},
        problem::Problem,
        request::{RequestSnapshot, RevisionHeader},
    },
    serve::Peer,
};

const REVISION: HeaderName = HeaderName::from_static("citymap-revision");
/// `min-revision` of a read, as a header.
const MIN_REVISION_HEADER: HeaderName = HeaderName::from_static("citymap-min-revision");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A read does not wait for a revision further ahead than another server can be.
const REVISIONS_AHEAD_MAX: u64 = 10_000;

/// The content security policy of the map: its own scripts and styles, workers from blobs (MapLibre),
/// pictures from data; nothing from another host.
const MAP_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src 'self' \
    blob:; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src \
     'self' blob: data:; \
     object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
/// The content security policy of the interface's pages, which have no script; forms go to
/// this server only.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
    form-action 'self'; \
     frame-ancestors 'self'";

/// Wraps every request, including those that no route matches.
///
/// The span `request` carries the id, the method and the route; layer, tile and revision are added when they
/// are known. The query and the headers are never logged: what people ask about may be personal.
pub(crate) async fn handle_request(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let peer = request.extensions().get::<Peer>().cloned();
    // Without a connection (a server inside another one) nobody is a trusted proxy.
    let address = peer.as_ref().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address);
    let client = client::identify(address, &app.config.trust_proxy, request.headers_mut());
    let connection = match peer {
        Some(peer) => peer.connection,
        None => ConnectionState::new(&app.config.limits),
    };
    let running = connection.begin(request.version() == Version::HTTP_2);
    // Counted until the answer is made, because handlers keep the body until then.
    let body = BodyAccount::new(&app.in_flight, client, app.config.limits.header_timeout);
    if !request.body().is_end_stream() {
        request = request.map(|inner| body.body(inner));
    }
    let id = request_id(request.headers());
    let origin = request.headers().get(header::ORIGIN).cloned();
    // Clones of these share their text with the request.
    let method = request.method().clone();
    let uri = request.uri().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = uri.path();
    let shown = match &route {
        Some(route) => route.as_str(),
        None => shortened(path, 100),
    };
    let span = tracing::info_span!(
        "request", id = id.to_str().unwrap_or_default(), %method, route = shown,
        layer = Empty, tile = Empty, revision = Empty
    );
    let (mut response, revision) = async {
        let waited = match min_revision(request.uri().query(), request.headers()) {
            Ok(Some(wanted)) => wait_for(&app.live, wanted, app.config.limits.min_revision_wait).await,
            Ok(None) => Ok(()),
            Err(problem) => Err(problem),
        };
        let city_snapshot = app.live.snapshot();
        let revision = RevisionHeader::new(city_snapshot.revision());
        let snapshot = RequestSnapshot { city_snapshot, revision_header: revision.clone() };
        request.extensions_mut().insert(snapshot);
        let response = match waited {
            Ok(()) => Client::scope(Some(client), guarded(&app.config.limits, request, next)).await,
            Err(problem) => problem.into_response(),
        };
        let response = match body.refused() {
            Some(problem) => problem.clone().into_response(),
            None => response,
        };
        Span::current().record("revision", revision.get());
        let (status, ms) = (response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
        if status >= 500 {
            tracing::warn!(status, ms, "answered");
        } else {
            tracing::debug!(status, ms, "answered");
        }
        (response, revision)
    }
    .instrument(span)
    .await;
    drop(body);
    let held = bytes_held(&mut response);
    let loan = match held {
        // An answer to HEAD has no bytes, whatever its length says.
        1.. if method != Method::HEAD => app.in_flight.take(Some(client), held).map(Some),
        _ => Ok(None),
    };
    let loan = loan.unwrap_or_else(|problem| {
        response = problem.into_response();
        None
    });
    finish(response.headers_mut(), revision.get(), id, path);
    app.config.cors.apply(origin.as_ref(), response.headers_mut());
    response.map(|body| Body::new(SentBody::new(body, loan, running)))
}

/// The number of bytes of an answer that are in memory at once: all, or what [`HeldAtOnce`] says of one that
/// is read while it is sent. Event streams count their own.
fn bytes_held(response: &mut Response) -> u64 {
    let streamed = response.extensions_mut().remove::<HeldAtOnce>();
    match streamed {
        Some(HeldAtOnce(bytes)) => bytes,
        None => response.body().size_hint().exact().unwrap_or(0),
    }
}

/// The first `max` bytes of a text, or fewer where a character crosses that bound.
fn shortened(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// The smallest revision that the answer may show. The query takes precedence over the header.
fn min_revision(query: Option<&str>, headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let asked = match query {
        Some(query) if query.contains(MIN_REVISION) => {
            Params::parse(Some(query))?.number(MIN_REVISION, 0, u64::MAX)?
        }
        _ => None,
    };
    let Some(header) = headers.get(MIN_REVISION_HEADER).filter(|_| asked.is_none()) else { return Ok(asked) };
    let number = header.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| {
        Problem::parameter(
            "`Citymap-Min-Revision` cannot be used; write a revision number, as Citymap-Revision gives it",
        )
    })
}

/// Waits, at most `limit`, until the city shows the revision `wanted`.
async fn wait_for(live: &Live, wanted: u64, limit: Duration) -> Result<(), Problem> {
    let shown = live.snapshot().revision();
    if wanted.saturating_sub(shown) > REVISIONS_AHEAD_MAX {
        let detail = format!("revision {wanted} is far beyond the newest, {shown}; leave out min-revision");
        return Err(Problem::parameter(detail).with("newest", shown));
    }
    let mut newest = live.revisions();
    let outcome =
        tokio::time::timeout(limit, async { newest.wait_for(|newest| *newest >= wanted).await.is_ok() })
            .await;
    if outcome == Ok(true) {
        return Ok(());
    }
    let newest = live.snapshot().revision();
    Err(Problem::unavailable(
        format!(
            "revision {wanted} is not available yet, the newest is {newest}; waited {} s. Try again, or \
                leave out \
             min-revision",
            limit.as_secs_f64()
        ),
        1,
    )
    .with("newest", newest))
}

/// Runs the route within the limits of length and time; a panic becomes a 500 for this request only.
async fn guarded(limits: &Limits, request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > limits.url_bytes_max {
        return Problem::url_too_long(limits.url_bytes_max).into_response();
    }
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limits.request_timeout, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a request panicked");
            Problem::internal("the request could not be answered; see the server's log").into_response()
        }
        // Dropping the future cancels the work that it waits for.
        Err(_elapsed) => {
            let seconds = limits.request_timeout.as_secs_f64();
            Problem::unavailable(format!("the answer took longer than {seconds} s; ask for less"), 10)
                .into_response()
        }
    }
}

fn finish(headers: &mut HeaderMap, revision: u64, id: HeaderValue, path: &str) {
    let html =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if html && path.starts_with("/api") { PAGE_POLICY } else { MAP_POLICY };
    headers.reserve(7);
    headers.insert(REVISION, revision.into());
    headers.insert(REQUEST_ID, id);
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The client's `X-Request-Id` if it is safe to repeat (1 to 64 letters, digits, `-`, `_`, `.`), else a new
/// id.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    static START: LazyLock<u32> =
        LazyLock::new(|| hash_of(&(std::time::SystemTime::now(), std::process::id())) as u32);
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let safe = |id: &&HeaderValue| {
        (1..=64).contains(&id.len())
            && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    match headers.get(REQUEST_ID).filter(safe) {
        Some(id) => id.clone(),
        // The upper half differs from start to start, the lower half counts.
        None => HeaderValue::from(
            (u64::from(*START) << 32) | (NEXT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff),
        ),
    }
}
