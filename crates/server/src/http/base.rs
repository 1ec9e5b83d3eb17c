use axum::http::{HeaderMap, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::params::Params;

/// What needs no escape in a path segment or a query (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a query's value also these are read well and meant as they are.
const QUERY: &AsciiSet = &ESCAPED.remove(b',').remove(b':').remove(b'/');

/// A path segment, escaped.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A query string (with its `?`, or empty) from parameters.
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

/// The query of `params` with these set (`Some`) or left out (`None`).
pub(crate) fn query_with(params: &Params, changes: &[(&str, Option<&str>)]) -> String {
    let kept = params.pairs().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let set = changes.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
    query(kept.map(|(name, value)| (name.as_str(), value.as_str())).chain(set))
}

/// The address under which the client reached us, without a trailing slash.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// The configured address, else what the request's headers say.
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

    /// An absolute address from a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// Whether a text is a host and perhaps a port, and nothing that could end up as markup or another path.
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
    fn the_proxy_speaks_before_the_host_header() {
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
    fn a_host_that_is_none_is_not_repeated() {
        assert_eq!(base(&[("host", "a\"><script>")]), "http://localhost/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-host", "evil/path?")]), "http://map/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-proto", "javascript")]), "http://map/x");
    }

    #[test]
    fn vietnamese_survives_a_query() {
        let params = Params::parse(Some("lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=3")).unwrap();
        let again = query_with(&params, &[("after", Some("9"))]);
        assert_eq!(again, "?lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=9");
    }
}
