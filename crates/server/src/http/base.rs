//! The URL under which clients reach the server, and queries and path segments of links.

use axum::http::{HeaderMap, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::params::Params;

/// Characters that are escaped in a path segment and in a query: all but the unreserved ones of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In the value of a query, `,`, `:` and `/` stay readable.
const QUERY: &AsciiSet = &ESCAPED.remove(b',').remove(b':').remove(b'/');

/// Escapes a path segment.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A query string from parameters: empty, or with its `?`.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.extend(utf8_percent_encode(name, ESCAPED));
        out.push('=');
        out.extend(utf8_percent_encode(value, QUERY));
    }
    out
}

/// The query string of `params` with some parameters set (`Some`) or left out (`None`).
pub(crate) fn query_with(params: &Params, changes: &[(&str, Option<&str>)]) -> String {
    let kept = params.pairs().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let set = changes.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
    query(kept.map(|(name, value)| (name.as_str(), value.as_str())).chain(set))
}

/// The URL under which the client reached the server, without a trailing slash.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// The configured URL, else the one that the request's headers give.
    pub(crate) fn of(configured: Option<&str>, headers: &HeaderMap, uri: &Uri) -> Self {
        if let Some(base) = configured {
            return Self(base.trim_end_matches('/').to_owned());
        }
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.split(',').next().unwrap_or_default().trim().to_owned())
        };
        let scheme = match first("x-forwarded-proto").as_deref() {
            Some("https") => "https",
            _ => "http",
        };
        let host = first("x-forwarded-host")
            .filter(|host| is_host(host))
            .or_else(|| uri.authority().map(ToString::to_string))
            .or_else(|| first(header::HOST.as_str()))
            .filter(|host| is_host(host))
            .unwrap_or_else(|| "localhost".to_owned());
        Self(format!("{scheme}://{host}"))
    }

    /// The absolute URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// True if a text is a host with or without a port, and cannot be markup or another path.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(pairs: &[(&'static str, &str)]) -> String {
        let headers = pairs
            .iter()
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        BaseUrl::of(None, &headers, &Uri::from_static("/api")).url("/x")
    }

    #[test]
    fn headers_of_a_proxy_take_precedence_over_host() {
        assert_eq!(base(&[("host", "map:8080")]), "http://map:8080/x");
        assert_eq!(
            base(&[
                ("host", "map:8080"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "map.example.vn")
            ]),
            "https://map.example.vn/x"
        );
    }

    #[test]
    fn an_invalid_host_is_not_repeated() {
        assert_eq!(base(&[("host", "a\"><script>")]), "http://localhost/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-host", "evil/path?")]), "http://map/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-proto", "javascript")]), "http://map/x");
    }

    #[test]
    fn a_vietnamese_query_survives_a_link() {
        let params = Params::parse(Some("lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=3")).unwrap();
        let again = query_with(&params, &[("after", Some("9"))]);
        assert_eq!(again, "?lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=9");
    }
}
