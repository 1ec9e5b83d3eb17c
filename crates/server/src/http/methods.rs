//! Requests whose method the route does not have: 405, and the answer to a browser's preflight.
//!
//! The router writes `Allow` from the methods that are registered, so that the header cannot differ from what
//! is served.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::http::problem::Problem;

/// The methods that a page of another origin may use.
const CORS_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The request headers that a page of another origin may send.
const CORS_HEADERS: &str = "Accept, Accept-Language, Authorization, Citymap-Message, Citymap-Min-Revision, \
    Content-Crs, \
     Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-Request-Id";

/// The fallback of every route: 204 to `OPTIONS`, 405 to any other method that the route does not have. The
/// router adds `Allow` to both.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    let method = request.method();
    if method == Method::OPTIONS {
        return preflight();
    }
    Problem::method(format!("{method} is not allowed here; the Allow header lists the methods that are"))
        .into_response()
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, CORS_METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, CORS_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Wraps the whole router, because the router adds `Allow` after all layers within it.
pub(crate) async fn complete_options(request: Request, next: Next) -> Response {
    let options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if options {
        complete_allow(response.headers_mut());
    }
    response
}

/// Completes the `Allow` header of an answer to `OPTIONS`: the router lists what it routes, and every route
/// also answers `OPTIONS`. In alphabetical order.
fn complete_allow(headers: &mut HeaderMap) {
    let routed = headers.get(header::ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut methods: Vec<&str> =
        routed.split(',').map(str::trim).filter(|method| !method.is_empty()).collect();
    methods.push(Method::OPTIONS.as_str());
    methods.sort_unstable();
    methods.dedup();
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        headers.insert(header::ALLOW, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_is_added_to_the_methods_of_the_router() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ALLOW, HeaderValue::from_static("GET,HEAD,POST"));
        complete_allow(&mut headers);
        assert_eq!(headers[header::ALLOW], "GET, HEAD, OPTIONS, POST");
    }
}
