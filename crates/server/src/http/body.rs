//! The body of a request, within its bound.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};

use crate::http::problem::Problem;

/// Reads the body. The router bounds its length; `bytes_max` is that bound, for the message.
///
/// # Errors
/// 413 if the body is too large, 400 if it cannot be read.
pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(bytes_max)
        } else {
            Problem::body(format!("the body could not be read: {rejection}"))
        }
    })
}
