use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::negotiate::accepts_gzip;

/// What JSON answers are.
pub(crate) const JSON: &str = "application/json";
/// What features are.
pub(crate) const GEOJSON: &str = "application/geo+json";
/// What pages are.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// What schemas are.
pub(crate) const SCHEMA: &str = "application/schema+json";

/// Bytes below which compression is not worth its header.
const SMALL: usize = 1_000;

/// An answer: its bytes, what they are, and what else to say.
pub(crate) struct ResponseBuilder {
    kind: &'static str,
    bytes: Vec<u8>,
    gzipped: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ResponseBuilder {
    /// An answer of this media type.
    pub(crate) fn new(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind, bytes: bytes.into(), gzipped: false, headers: Vec::new() }
    }

    /// The same with a header, left out where its value cannot be sent.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// The same with its tag; caches ask again each time.
    pub(crate) fn tagged(self, etag: &str) -> Self {
        self.with(header::ETAG, etag).with(header::CACHE_CONTROL, "no-cache")
    }

    /// What is sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is sent compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.gzipped
    }

    /// The same, compressed where the client takes it and it is worth it. CPU work of its length.
    pub(crate) fn compressed(mut self, asked: &HeaderMap) -> Self {
        if !self.gzipped && self.bytes.len() >= SMALL && accepts_gzip(asked) {
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
        headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding, Accept-Language"));
        if self.gzipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.extend(self.headers);
        response
    }
}
