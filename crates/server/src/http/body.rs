//! The body of a request, within its bound.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};

use crate::http::problem::Problem;

/// Refuses a packed body, which no handler unpacks: a small one could become very large.
///
/// # Errors
/// 415 if `Content-Encoding` names anything but `identity`.
pub(crate) fn check_content_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let packed = encodings.map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    match packed.into_iter().find(|encoding| !matches!(encoding.as_str(), "" | "identity")) {
        None => Ok(()),
        Some(encoding) => Err(Problem::media_type(format!(
            "a body in Content-Encoding `{encoding}` cannot be read here; send it without Content-Encoding"
        ))
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
    }
}

/// Reads the body of a request with these headers. The router bounds its length; `bytes_max` is that bound,
/// for the message.
///
/// # Errors
/// 413 if the body is too large, 415 if it is packed, 400 if it cannot be read.
pub(crate) async fn read(headers: &HeaderMap, request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    check_content_encoding(headers)?;
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(bytes_max)
        } else {
            Problem::body(format!("the body could not be read: {rejection}"))
        }
    })
}
