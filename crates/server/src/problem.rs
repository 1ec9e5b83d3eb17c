//! Every refusal, from one place: `application/problem+json` (RFC 9457).

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_crs::CrsError;
use citymap_engine::EngineError;
use serde_json::json;

/// What went wrong, and what to do next.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The last word of the problem's type, `urn:citymap:problem:<kind>`.
    kind: &'static str,
    title: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), headers: Vec::new() }
    }

    /// 400: a parameter's value cannot be used.
    pub(crate) fn parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter", "A parameter cannot be used", detail)
    }

    /// 400: a parameter that the path does not know.
    pub(crate) fn unknown_parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown-parameter", "A parameter is not known", detail)
    }

    /// 400: the body cannot be used.
    pub(crate) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "body", "The body cannot be used", detail)
    }

    /// 404: there is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 405; the `Allow` header is the router's.
    pub(crate) fn method(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
    }

    /// 413: the body is too large.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes; simplify the area or ask for its parts");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    /// 414: the address is too long.
    pub(crate) fn url_too_long(limit: usize) -> Self {
        let detail = format!(
            "path and query are longer than {limit} bytes; send a long area as the body of POST /api/within"
        );
        Self::new(StatusCode::URI_TOO_LONG, "url-too-long", "The address is too long", detail)
    }

    /// 415: the body's type is not known.
    pub(crate) fn media_type(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "The body's type is not supported",
            detail,
        )
    }

    /// 503, and when to come back.
    pub(crate) fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not now", detail);
        problem.headers.push((header::RETRY_AFTER, retry_after.into()));
        problem
    }

    /// 500: our fault.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed", detail)
    }

    /// The status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What to do next.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:citymap:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}

impl From<CrsError> for Problem {
    fn from(error: CrsError) -> Self {
        match error {
            CrsError::NoTransform { .. } => Self::internal(error.to_string()),
            _ => Self::parameter(error.to_string()),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::InvalidArea(_) => Self::body(error.to_string()),
            EngineError::Crs(error) => error.into(),
            _ => Self::internal(error.to_string()),
        }
    }
}
