//! Building an answer: media type, bytes, ETag and compression.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::http::negotiate::accepts_gzip;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// The media type of features.
pub(crate) const GEOJSON: &str = "application/geo+json";
/// The media type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// The media type of JSON Schema.
pub(crate) const SCHEMA: &str = "application/schema+json";

/// What an answer depends on besides its address. Links begin with the address that a trusted proxy names.
pub(crate) const VARY: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Encoding, Accept-Language, Forwarded, X-Forwarded-Host, X-Forwarded-Port, \
     X-Forwarded-Prefix, X-Forwarded-Proto",
);

/// Answers with fewer bytes are not compressed.
const COMPRESS_MIN: usize = 1_000;

/// What a target in the header `Link` cannot hold: it would end the target, or make the header invalid.
const LINK_TARGET: &AsciiSet = &CONTROLS.add(b' ').add(b'<').add(b'>').add(b'"');
/// Maximum number of bytes of the header `Link`.
const LINK_HEADER_MAX: usize = 1_500;

/// An answer with status 200: its bytes, their media type and its headers.
pub(crate) struct ResponseBuilder {
    kind: &'static str,
    bytes: Vec<u8>,
    gzipped: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ResponseBuilder {
    /// An answer without ETag and compression.
    pub(crate) fn new(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind, bytes: bytes.into(), gzipped: false, headers: Vec::new() }
    }

    /// Adds a header, unless its value is not valid.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Adds the links as the header `Link` (RFC 8288), unless they are long: proxies refuse a head of more
    /// than 4 kB, and the body has the links too.
    pub(crate) fn with_link_header(self, links: &[Value]) -> Self {
        let text = |link: &Value, name: &str| link[name].as_str().unwrap_or_default().to_owned();
        let one = |link| {
            let (href, rel, kind) = (text(link, "href"), text(link, "rel"), text(link, "type"));
            let href = utf8_percent_encode(&href, LINK_TARGET);
            format!("<{href}>; rel=\"{rel}\"; type=\"{kind}\"")
        };
        let links = links.iter().map(one).collect::<Vec<_>>().join(", ");
        if links.len() > LINK_HEADER_MAX { self } else { self.with(header::LINK, &links) }
    }

    /// Adds the ETag; caches must revalidate the answer each time.
    pub(crate) fn tagged(self, etag: &str) -> Self {
        self.with(header::ETAG, etag).with(header::CACHE_CONTROL, "no-cache")
    }

    /// The bytes that will be sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True if the bytes are compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.gzipped
    }

    /// Compresses the bytes if the client accepts gzip and they are not few. CPU work, linear in their
    /// number.
    pub(crate) fn compressed(mut self, request: &HeaderMap) -> Self {
        if !self.gzipped && self.bytes.len() >= COMPRESS_MIN && accepts_gzip(request) {
            self.bytes = citymap_tile::compress(&self.bytes, citymap_tile::ContentEncoding::Gzip);
            self.gzipped = true;
        }
        self
    }
}

impl IntoResponse for ResponseBuilder {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.bytes));
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::VARY, VARY);
        if self.gzipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.extend(self.headers);
        response
    }
}
