//! All error answers: `application/problem+json` (RFC 9457).

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_crs::CrsError;
use citymap_engine::EngineError;
use citymap_live::LiveError;
use citymap_store::StoreError;
use serde_json::{Map, Value, json};

/// The kinds of problems, each with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProblemKind {
    Parameter,
    UnknownParameter,
    Body,
    Unauthorized,
    Forbidden,
    NotFound,
    Method,
    Conflict,
    Stale,
    Slow,
    TooLarge,
    PictureTooLarge,
    UrlTooLong,
    MediaType,
    Invalid,
    PreconditionRequired,
    TooMany,
    Internal,
    Unavailable,
}

impl ProblemKind {
    /// The status, the last word of the type `urn:citymap:problem:<word>`, and the title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Parameter => (StatusCode::BAD_REQUEST, "parameter", "A parameter cannot be used"),
            Self::UnknownParameter => {
                (StatusCode::BAD_REQUEST, "unknown-parameter", "A parameter is not known")
            }
            Self::Body => (StatusCode::BAD_REQUEST, "body", "The body cannot be used"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Authentication is required"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "This is not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "It conflicts with the current data"),
            Self::Stale => (StatusCode::PRECONDITION_FAILED, "stale", "It has changed in the meantime"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "slow", "The body did not come in time"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::PictureTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "picture-too-large", "The picture is too large")
            }
            Self::UrlTooLong => (StatusCode::URI_TOO_LONG, "url-too-long", "The address is too long"),
            Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body's type is not supported")
            }
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The feature cannot be stored"),
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, "precondition", "If-Match is missing")
            }
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many", "This client asks for too much at once")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now"),
        }
    }
}

/// The type of an exception that OGC API – Processes defines: the member `type` of its problem.
pub(crate) fn exception(name: &str) -> String {
    format!("http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/{name}")
}

/// What went wrong, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: ProblemKind,
    /// The sentence for the user.
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Members beside those that every problem has.
    more: Box<Map<String, Value>>,
}

impl Problem {
    fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), headers: Vec::new(), more: Box::default() }
    }

    /// 400: the value of a parameter cannot be used.
    pub(crate) fn parameter(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Parameter, detail)
    }

    /// 400: the path does not know the parameter.
    pub(crate) fn unknown_parameter(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::UnknownParameter, detail)
    }

    /// 400: the body cannot be used.
    pub(crate) fn body(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Body, detail)
    }

    /// 401: the client is not known.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        let realm = HeaderValue::from_static("Bearer realm=\"citymap\"");
        Self::new(ProblemKind::Unauthorized, detail).header(header::WWW_AUTHENTICATE, realm)
    }

    /// 403: no client may do this.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Forbidden, detail)
    }

    /// 409: the request does not fit the current data.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Conflict, detail)
    }

    /// 412: the feature has changed since the client read it.
    pub(crate) fn stale(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Stale, detail)
    }

    /// 422: the body is well-formed, but its content cannot be stored.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Invalid, detail)
    }

    /// 428: the client must name the state that it has read.
    pub(crate) fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::PreconditionRequired, detail)
    }

    /// The problem with a further member, or with another `type`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// 404: there is nothing at this address.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    /// 405; the router adds the header `Allow`.
    pub(crate) fn method(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Method, detail)
    }

    /// 408: the body did not come in time.
    pub(crate) fn slow(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Slow, detail)
    }

    /// 413: the body has more than `limit` bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail =
            format!("the body is larger than {limit} bytes; simplify the area, or send several requests");
        Self::new(ProblemKind::TooLarge, detail)
    }

    /// 413: the picture that is asked for has too many pixels.
    pub(crate) fn picture_too_large(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::PictureTooLarge, detail)
    }

    /// 414: path and query have more than `limit` bytes.
    pub(crate) fn url_too_long(limit: usize) -> Self {
        let detail = format!(
            "path and query are longer than {limit} bytes; send a long area as the body of POST /api/within"
        );
        Self::new(ProblemKind::UrlTooLong, detail)
    }

    /// 415: the media type of the body is not supported.
    pub(crate) fn media_type(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::MediaType, detail)
    }

    /// 429: the client holds its share already; it may try again after `retry_after` seconds.
    pub(crate) fn too_many(detail: impl Into<String>, retry_after: u32) -> Self {
        Self::new(ProblemKind::TooMany, detail).header(header::RETRY_AFTER, retry_after.into())
    }

    /// 503; the client may try again after `retry_after` seconds.
    pub(crate) fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        Self::new(ProblemKind::Unavailable, detail).header(header::RETRY_AFTER, retry_after.into())
    }

    /// 500: the server failed.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Internal, detail)
    }

    /// The problem with a further header of its answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The document of RFC 9457.
    pub(crate) fn to_json(&self) -> Value {
        let (status, word, title) = self.kind.parts();
        let mut body = json!({
            "type": format!("urn:citymap:problem:{word}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            members.extend(*self.more.clone());
        }
        body
    }

    /// The HTTP status of its kind.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.parts().0
    }

    /// The sentence that says what is wrong and what to do next.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.to_json().to_string()).into_response();
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
            StoreError::Busy { .. } => {
                Self::unavailable("another write is in progress; try again in a second", 1)
            }
            StoreError::Away { .. } => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store is away");
                Self::unavailable(
                    "the record cannot be reached now and nothing was written; try again in some seconds",
                    5,
                )
            }
            StoreError::Uncertain { .. } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "whether a change set is committed is not known"
                );
                Self::unavailable(
                    "the connection to the record was lost during the commit: it has either all of it or \
                        nothing. Check /api/changes, \
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
                "revision {asked} cannot be read: the history of this record starts with revision {since}"
            ))
            .with("since", since),
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                Self::unavailable("the store returned an unexpected error; see the server's log", 10)
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
            EngineError::TooManyGroups { .. } => {
                Self::parameter(format!("{error}; group by a field with fewer, such as a code"))
            }
            EngineError::NoPolygons { .. } => Self::parameter(error.to_string()),
            EngineError::Crs(error) => error.into(),
            EngineError::Cancelled(gone) => Self::unavailable(gone.to_string(), 1),
            _ => Self::internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_type_its_status_and_its_members() {
        let problem = Problem::unavailable("try again", 5).with("newest", 7);
        let document = problem.to_json();
        assert_eq!(document["type"], "urn:citymap:problem:unavailable");
        assert_eq!((&document["status"], &document["newest"]), (&json!(503), &json!(7)));
        assert_eq!(problem.into_response().headers()[header::RETRY_AFTER], "5");
    }
}
