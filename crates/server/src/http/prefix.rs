//! The path of `--base-url`, where a proxy does not take it away.

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::http::base::BaseUrl;

/// The first steps of the server's own paths. Where the prefix begins with one of them, nobody knows whether
/// `/api/collections` still has the prefix `/api`.
const OWN: [&str; 8] = ["api", "archives", "assets", "fonts", "health", "sprites", "styles", "tiles"];

/// The prefix of a base address that requests may begin with; `None` without one, or if it begins like a path
/// of the server.
pub(crate) fn removable(base: Option<&str>) -> Option<String> {
    let prefix = BaseUrl::configured(base?).prefix().to_owned();
    let first = prefix.split('/').nth(1)?;
    (!OWN.contains(&first)).then_some(prefix)
}

/// Takes the prefix from the path, and leads from the prefix without its slash to the map. Wraps the whole
/// router.
pub(crate) async fn remove(State(prefix): State<String>, mut request: Request, next: Next) -> Response {
    match request.uri().path().strip_prefix(&prefix) {
        Some("") => {
            return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{prefix}/"))])
                .into_response();
        }
        Some(rest) if rest.starts_with('/') => {
            if let Some(uri) = with_path(request.uri(), rest) {
                *request.uri_mut() = uri;
            }
        }
        _ => {}
    }
    next.run(request).await
}

/// The address with another path.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_looks_like_a_path_of_the_server_stays() {
        for (base, prefix) in [
            ("https://map.example.vn/geo/city", Some("/geo/city")),
            ("https://map.example.vn/apis", Some("/apis")),
            ("https://map.example.vn/api", None),
            ("https://map.example.vn/tiles/city", None),
            ("https://map.example.vn", None),
        ] {
            assert_eq!(removable(Some(base)).as_deref(), prefix, "{base}");
        }
    }
}
