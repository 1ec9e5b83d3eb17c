//! Requests whose method the route does not have: 405, and the answer to a browser's preflight.
//!
//! The router writes `Allow` from the methods that are registered, so that the header cannot differ from what
//! is served. Methods that edit are taken out where this caller may not use them: a client such as QGIS
//! offers what the header lists.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    http::{
        auth::{Writer, known_writer},
        problem::Problem,
    },
};

/// The methods that a page of another origin may use.
const CORS_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The request headers that a page of another origin may send.
const CORS_HEADERS: &str = "Accept, Accept-Language, Authorization, Citymap-Message, Citymap-Min-Revision, \
    Content-Crs, \
     Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, If-Unmodified-Since, Last-Event-ID, \
     Prefer, Range, X-Request-Id";

/// The fallback of every route: 200 to `OPTIONS` (Features part 4 asks for it), 405 to any other method that
/// the route does not have. The router adds `Allow` to both.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    let method = request.method();
    if method == Method::OPTIONS {
        return preflight();
    }
    Problem::method(format!("{method} is not allowed here; the Allow header lists the methods that are"))
        .into_response()
}

fn preflight() -> Response {
    let mut response = StatusCode::OK.into_response();
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
pub(crate) async fn complete_allow(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let options = request.method() == Method::OPTIONS;
    let allowed = Allowed::of(&app.config.writers, &request);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if options || headers.contains_key(header::ALLOW) {
        complete(headers, options, allowed);
    }
    response
}

/// Which of the methods that edit a caller may use at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    /// All that are registered: nothing is edited at this path, or it is a writer who can say what he has
    /// seen.
    All,
    /// A writer who must send `If-Match` or `If-Unmodified-Since` to change a feature, and does not.
    Create,
    /// Nobody who may write.
    None,
}

impl Allowed {
    fn of(writers: &[Writer], request: &Request) -> Self {
        let path = request.uri().path();
        if path != "/api/changes" && !path.starts_with("/api/collections/") {
            return Self::All;
        }
        match known_writer(writers, request.headers()) {
            None => Self::None,
            Some(writer)
                if writer.overwrites
                    || request.headers().contains_key(header::IF_MATCH)
                    || request.headers().contains_key(header::IF_UNMODIFIED_SINCE) =>
            {
                Self::All
            }
            Some(_) => Self::Create,
        }
    }

    fn takes(self, method: &str) -> bool {
        match method {
            "PUT" | "PATCH" | "DELETE" => self == Self::All,
            "POST" => self != Self::None,
            _ => true,
        }
    }
}

/// Completes the `Allow` header: the router lists what it routes; every route also answers `OPTIONS`, which
/// an answer to it says. In alphabetical order.
fn complete(headers: &mut HeaderMap, options: bool, allowed: Allowed) {
    let routed = headers.get(header::ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut methods: Vec<&str> = routed
        .split(',')
        .map(str::trim)
        .filter(|method| !method.is_empty() && allowed.takes(method))
        .collect();
    if options {
        methods.push(Method::OPTIONS.as_str());
    }
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
        complete(&mut headers, true, Allowed::All);
        assert_eq!(headers[header::ALLOW], "GET, HEAD, OPTIONS, POST");
    }

    #[test]
    fn a_method_that_edits_is_listed_for_who_may_use_it() {
        let writers =
            Writer::parse_list("a:0123456789abcdef0123\nqgis:abcdef0123456789abcdef:overwrite").unwrap();
        let allow = |path: &str, fields: &[(&str, &str)]| {
            let mut request = axum::http::Request::builder().uri(path);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let allowed = Allowed::of(&writers, &request.body(axum::body::Body::empty()).unwrap());
            let mut headers = HeaderMap::new();
            headers.insert(header::ALLOW, HeaderValue::from_static("GET,HEAD,POST,PATCH"));
            complete(&mut headers, false, allowed);
            headers[header::ALLOW].to_str().unwrap().to_owned()
        };
        let items = "/api/collections/a/items";
        let (a, qgis) = ("Bearer 0123456789abcdef0123", "Bearer abcdef0123456789abcdef");
        assert_eq!(allow(items, &[]), "GET, HEAD");
        assert_eq!(allow(items, &[("authorization", a)]), "GET, HEAD, POST");
        assert_eq!(allow(items, &[("authorization", a), ("if-match", "*")]), "GET, HEAD, PATCH, POST");
        assert_eq!(allow(items, &[("authorization", qgis)]), "GET, HEAD, PATCH, POST");
        assert_eq!(allow("/api/changes", &[]), "GET, HEAD");
        assert_eq!(allow("/api/within", &[]), "GET, HEAD, PATCH, POST");
    }
}
