//! The URL under which clients reach the server, and queries and path segments of links.

use axum::http::{HeaderMap, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::{client::forwarded_member, params::Params};

mod page_links;

pub(crate) use page_links::PageLinks;

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
    /// The configured URL, else the one that the request's headers give. Headers of proxies that are not
    /// trusted have been removed from the request ([`crate::http::client::identify`]).
    ///
    /// Of a list the last element counts, which the nearest proxy wrote: what stands before it may come from
    /// the client.
    pub(crate) fn of(configured: Option<&str>, headers: &HeaderMap, uri: &Uri) -> Self {
        if let Some(base) = configured {
            return Self::configured(base);
        }
        let last = |name: &str| {
            let value = headers.get_all(name).into_iter().next_back()?.to_str().ok()?;
            Some(value.rsplit(',').next().unwrap_or_default().trim().to_owned())
        };
        let forwarded = last(header::FORWARDED.as_str());
        let named = |member: &str, name: &str| {
            forwarded.as_deref().and_then(|element| forwarded_member(element, member)).or_else(|| last(name))
        };
        let scheme = match named("proto", "x-forwarded-proto").as_deref() {
            Some("https") => "https",
            _ => "http",
        };
        let port = last("x-forwarded-port").filter(|port| port.parse::<u16>().is_ok());
        let with_port = |host: String| match &port {
            Some(port) if !has_port(&host) && Some(port.as_str()) != default_port(scheme) => {
                format!("{host}:{port}")
            }
            _ => host,
        };
        let host = named("host", "x-forwarded-host")
            .filter(|host| is_host(host))
            .map(with_port)
            .or_else(|| uri.authority().map(ToString::to_string))
            .or_else(|| last(header::HOST.as_str()))
            .filter(|host| is_host(host))
            .unwrap_or_else(|| "localhost".to_owned());
        let prefix = last("x-forwarded-prefix").filter(|prefix| is_prefix(prefix)).unwrap_or_default();
        Self(format!("{scheme}://{host}{}", prefix.trim_end_matches('/')))
    }

    /// The URL that an operator gives.
    pub(crate) fn configured(base: &str) -> Self {
        Self(base.trim_end_matches('/').to_owned())
    }

    /// The URL itself, without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path prefix below which the server is reached: empty, or with a slash at the beginning only.
    pub(crate) fn prefix(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        self.0[after_scheme..].find('/').map_or("", |slash| &self.0[after_scheme + slash..])
    }

    /// The absolute URL of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// Reads the base address that an operator gives: `http://` or `https://`, a host, and a path if the server
/// is reached below one. Without the slash at its end.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse_base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or("begin with http:// or https://, as https://map.example.vn/geo")?;
    let rest = rest.trim_end_matches('/');
    let (host, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if !is_host(host) {
        return Err(format!("`{host}` is no host; write as https://map.example.vn/geo"));
    }
    if !prefix.is_empty() && !is_prefix(prefix) {
        return Err(format!("`{prefix}` cannot be a path prefix; use letters, digits and - . _ ~ / only"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// True if a host ends in a port; the colons of an IPv6 address in brackets are none.
fn has_port(host: &str) -> bool {
    host.rsplit(']').next().is_some_and(|rest| rest.contains(':'))
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "https" => Some("443"),
        "http" => Some("80"),
        _ => None,
    }
}

/// True if a text is a path that links can begin with.
fn is_prefix(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
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
    fn what_the_nearest_proxy_wrote_counts() {
        assert_eq!(
            base(&[("x-forwarded-host", "evil.example, map.example.vn"), ("x-forwarded-port", "8443")]),
            "http://map.example.vn:8443/x"
        );
        assert_eq!(
            base(&[
                ("forwarded", "host=evil.example, for=192.0.2.1;host=\"map.example.vn\";proto=https"),
                ("x-forwarded-port", "443"),
                ("x-forwarded-prefix", "/bando/")
            ]),
            "https://map.example.vn/bando/x"
        );
        assert_eq!(base(&[("host", "map"), ("x-forwarded-prefix", "//evil.example")]), "http://map/x");
    }

    #[test]
    fn an_invalid_host_is_not_repeated() {
        assert_eq!(base(&[("host", "a\"><script>")]), "http://localhost/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-host", "evil/path?")]), "http://map/x");
        assert_eq!(base(&[("host", "map"), ("x-forwarded-proto", "javascript")]), "http://map/x");
    }

    #[test]
    fn a_base_url_has_a_scheme_a_host_and_perhaps_a_path() {
        for (given, read) in [
            ("https://map.example.vn", "https://map.example.vn"),
            ("http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
            ("https://map.example.vn/geo/city/", "https://map.example.vn/geo/city"),
        ] {
            assert_eq!(parse_base_url(given).as_deref(), Ok(read));
        }
        for wrong in [
            "map.example.vn",
            "ftp://a",
            "https://",
            "https:///geo",
            "https://a/b?c",
            "https://a/b#c",
            "https://a b",
            "https://a/b c",
            "https://a//b",
        ] {
            assert!(parse_base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_prefix_is_the_path_of_the_base() {
        let prefix = |text: &str| BaseUrl(text.to_owned()).prefix().to_owned();
        assert_eq!(prefix("https://map.example.vn"), "");
        assert_eq!(prefix("https://map.example.vn/geo/city"), "/geo/city");
    }

    #[test]
    fn a_vietnamese_query_survives_a_link() {
        let params = Params::parse(Some("lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=3")).unwrap();
        let again = query_with(&params, &[("after", Some("9"))]);
        assert_eq!(again, "?lo%E1%BA%A1i=%C4%91%E1%BA%A5t&after=9");
    }
}
