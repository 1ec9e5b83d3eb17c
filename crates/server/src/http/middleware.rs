//! What holds for every answer: its revision, its request's number, who may read it, what a browser may do with it, how
//! long it may take, and a line in the log.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use crate::{
    app::App,
    http::{
        params::Params,
        problem::Problem,
        request::{RequestSnapshot, RevisionHeader},
    },
    routes::allowed,
};

const REVISION: HeaderName = HeaderName::from_static("citymap-revision");
/// A read's `min-revision` as a header.
const MIN_REVISION_HEADER: HeaderName = HeaderName::from_static("citymap-min-revision");
/// The revision that an answer must show at least, as a query parameter.
pub(crate) const MIN_REVISION: &str = "min-revision";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The map's own scripts and styles, workers from blobs (MapLibre), pictures from data; nothing from another host.
const MAP_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src 'self' blob:; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; \
     object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
/// Pages of the interface have no script at all.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";

/// Around everything, also around what no route knows.
pub(crate) async fn handle_request(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let waited = match min_revision(request.uri().query(), request.headers()) {
        Ok(Some(wanted)) => wait_for(&app, wanted).await,
        Ok(None) => Ok(()),
        Err(problem) => Err(problem),
    };
    let city_snapshot = app.live.snapshot();
    let revision_header = RevisionHeader::new(city_snapshot.revision());
    request
        .extensions_mut()
        .insert(RequestSnapshot { city_snapshot, revision_header: revision_header.clone() });
    let id = request_id(request.headers());
    // All of these share what the request holds.
    let method = request.method().clone();
    let uri = request.uri().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();

    let mut response = match waited {
        Ok(()) => guarded(&app, request, next).await,
        Err(problem) => problem.into_response(),
    };

    // Neither the query nor any header: what people ask may be personal.
    let (status, ms) = (response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
    let path = uri.path();
    let route_name =
        || route.as_ref().map_or_else(|| path.chars().take(100).collect(), |route| route.as_str().to_owned());
    if status >= 500 {
        tracing::warn!(%method, route = route_name(), status, ms, ?id, "request");
    } else {
        tracing::debug!(%method, route = route_name(), status, ms, ?id, "request");
    }
    finish(response.headers_mut(), revision_header.get(), id, path);
    response
}

/// The revision that the request wants to see at least; the query speaks before the header.
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
            "`Citymap-Min-Revision` cannot be used; write a revision's number, as Citymap-Revision gives it",
        )
    })
}

/// Waits until the city shows a revision, or the time is over.
async fn wait_for(app: &App, wanted: u64) -> Result<(), Problem> {
    let mut newest = app.live.revisions();
    let limit = app.config.limits.min_revision_wait;
    let outcome =
        tokio::time::timeout(limit, async { newest.wait_for(|newest| *newest >= wanted).await.is_ok() })
            .await;
    if outcome == Ok(true) {
        return Ok(());
    }
    let newest = app.live.snapshot().revision();
    Err(Problem::unavailable(
        format!(
            "revision {wanted} is not here yet, the newest is {newest}; this was waited for {} s. Ask again, or without \
             min-revision",
            limit.as_secs_f64()
        ),
        1,
    )
    .with("newest", newest))
}

async fn guarded(app: &Arc<App>, request: Request, next: Next) -> Response {
    let limits = &app.config.limits;
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > limits.url_bytes_max {
        return Problem::url_too_long(limits.url_bytes_max).into_response();
    }
    if request.method() == Method::OPTIONS {
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        return preflight(allowed(route));
    }
    // A panic ends its own request alone.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limits.request_timeout, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a request failed");
            Problem::internal("the request could not be answered; the server's log says why").into_response()
        }
        // What it waited for is dropped with it, and so cancelled.
        Err(_elapsed) => {
            let seconds = limits.request_timeout.as_secs_f64();
            Problem::unavailable(format!("the answer took longer than {seconds} s; ask for less"), 10)
                .into_response()
        }
    }
}

fn preflight(allowed: &'static str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ALLOW, allowed),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Accept, Accept-Language, Authorization, Citymap-Message, Citymap-Min-Revision, Content-Crs, Content-Type, \
             Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-Request-Id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn finish(headers: &mut HeaderMap, revision: u64, id: HeaderValue, path: &str) {
    let html =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if html && path.starts_with("/api") { PAGE_POLICY } else { MAP_POLICY };
    headers.reserve(7);
    headers.insert(REVISION, revision.into());
    headers.insert(REQUEST_ID, id);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "Accept-Ranges, Allow, Citymap-Revision, Content-Crs, Content-Range, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id",
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The client's number for its request, where it can be repeated safely, else one of ours.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    static START: LazyLock<u32> =
        LazyLock::new(|| crate::hash::hash_of(&(std::time::SystemTime::now(), std::process::id())) as u32);
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let good = |id: &&HeaderValue| {
        (1..=64).contains(&id.len())
            && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    match headers.get(REQUEST_ID).filter(good) {
        Some(id) => id.clone(),
        // Start and number, side by side.
        None => HeaderValue::from(
            (u64::from(*START) << 32) | (NEXT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff),
        ),
    }
}
