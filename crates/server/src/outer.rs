//! What holds for every answer: its revision, its request's number, who may read it, what a browser may do with it, how
//! long it may take, and a line in the log.

use std::{
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

use crate::{app::App, problem::Problem};

const REVISION: HeaderName = HeaderName::from_static("citymap-revision");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The map's own scripts and styles, workers from blobs (MapLibre), pictures from data; nothing from another host.
const MAP_POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self' blob:; child-src 'self' blob:; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; \
     object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
/// Pages of the interface have no script at all.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";

/// Around everything, also around what no route knows.
pub(crate) async fn outer(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let scene = app.live.scene();
    let revision = scene.revision();
    request.extensions_mut().insert(scene);
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());

    let mut response = guarded(&app, request, next).await;

    finish(response.headers_mut(), revision, &id, &path);
    // Neither the query nor any header: what people ask may be personal.
    let (status, ms) = (response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
    let route = route.unwrap_or_else(|| path.chars().take(100).collect());
    if status >= 500 {
        tracing::warn!(%method, route, status, ms, id, "request");
    } else {
        tracing::debug!(%method, route, status, ms, id, "request");
    }
    response
}

async fn guarded(app: &Arc<App>, request: Request, next: Next) -> Response {
    let limits = &app.config.limits;
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > limits.url_bytes_max {
        return Problem::url_too_long(limits.url_bytes_max).into_response();
    }
    if request.method() == Method::OPTIONS {
        return preflight();
    }
    // A task of its own, so that a panic in it ends that request alone.
    let task = tokio::spawn(next.run(request));
    let aborted = AbortOnDrop(task.abort_handle());
    let outcome = tokio::time::timeout(limits.request_timeout, task).await;
    drop(aborted);
    match outcome {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "a request failed");
            Problem::internal("the request could not be answered; the server's log says why").into_response()
        }
        Err(_elapsed) => {
            let seconds = limits.request_timeout.as_secs_f64();
            Problem::unavailable(format!("the answer took longer than {seconds} s; ask for less"), 10)
                .into_response()
        }
    }
}

/// Ends the task when its client goes away or its time is over.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ALLOW, "GET, HEAD, OPTIONS, POST"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Accept, Accept-Language, Content-Type, If-None-Match, Last-Event-ID, X-Request-Id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn finish(headers: &mut HeaderMap, revision: u64, id: &str, path: &str) {
    headers.insert(REVISION, revision.into());
    headers.extend(HeaderValue::from_str(id).ok().map(|id| (REQUEST_ID, id)));
    let html =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if html && path.starts_with("/api") { PAGE_POLICY } else { MAP_POLICY };
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "Citymap-Revision, Content-Crs, ETag, Link, Retry-After, X-Request-Id",
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The client's number for its request, where it can be repeated safely, else one of ours.
fn request_id(headers: &HeaderMap) -> String {
    static START: LazyLock<u64> =
        LazyLock::new(|| crate::app::hash_of(&(std::time::SystemTime::now(), std::process::id())));
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let good = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(good) {
        Some(id) => id.to_owned(),
        None => format!("{:08x}-{}", *START as u32, NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}
