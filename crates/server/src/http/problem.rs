//! Every refusal, from one place: `application/problem+json` (RFC 9457).

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_crs::CrsError;
use citymap_engine::EngineError;
use citymap_live::LiveError;
use citymap_store::StoreError;
use serde_json::{Map, Value, json};

/// What went wrong, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The last word of the problem's type, `urn:citymap:problem:<kind>`.
    kind: &'static str,
    title: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Members beside those that every problem has.
    more: Box<Map<String, Value>>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), headers: Vec::new(), more: Box::default() }
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

    /// 401: nobody who is known.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Say who you are", detail);
        let realm = HeaderValue::from_static("Bearer realm=\"citymap\"");
        problem.headers.push((header::WWW_AUTHENTICATE, realm));
        problem
    }

    /// 403: nobody may.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This is not allowed", detail)
    }

    /// 409: it does not fit what is there now.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It does not fit what is there", detail)
    }

    /// 412: the feature is another one than the client saw.
    pub(crate) fn stale(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "It has changed meanwhile", detail)
    }

    /// 422: the body is well-formed, and what it says cannot be stored.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The feature cannot be stored", detail)
    }

    /// 428: the client must say which state it has seen.
    pub(crate) fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "precondition", "If-Match is missing", detail)
    }

    /// The same with a member of its own.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
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

    /// The same with a header of its own.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The document.
    pub(crate) fn to_json(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:citymap:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            members.extend(*self.more.clone());
        }
        body
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What to do next.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.to_json().to_string()).into_response();
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

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => Self::unavailable("others are writing; try again in a second", 1),
            StoreError::Away { .. } => {
                tracing::warn!(%error, "the store is away");
                Self::unavailable(
                    "the record cannot be reached now; nothing was written, try again in some seconds",
                    5,
                )
            }
            StoreError::Uncertain { .. } => {
                tracing::error!(%error, "whether a change set is committed is not known");
                Self::unavailable(
                    "the record went away while this was committed: it holds either all of it or nothing. Look at /api/changes, \
                     or repeat the request with the same Idempotency-Key, before writing it again",
                    10,
                )
            }
            StoreError::NoLayer(_) => Self::not_found(error.to_string()),
            StoreError::Schema { .. } => Self::conflict(error.to_string()),
            StoreError::NoRevision { asked, newest } => {
                Self::parameter(format!("there is no revision {asked}; the newest is {newest}"))
                    .with("newest", newest)
            }
            StoreError::NoHistory { asked, since, .. } => Self::parameter(format!(
                "revision {asked} can no longer be read: the record was begun without history, which starts with \
                 revision {since}"
            ))
            .with("since", since),
            _ => {
                tracing::error!(%error, "the store failed");
                Self::unavailable("the record does not answer as it should; the server's log says why", 10)
            }
        }
    }
}

impl From<LiveError> for Problem {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Store(error) => error.into(),
            LiveError::Engine(error) => error.into(),
            error => Self::unavailable(error.to_string(), 5),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::InvalidArea(_) => Self::body(error.to_string()),
            EngineError::NoPolygons { .. } => Self::parameter(error.to_string()),
            EngineError::Crs(error) => error.into(),
            _ => Self::internal(error.to_string()),
        }
    }
}
