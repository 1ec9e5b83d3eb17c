//! What all requests that write have in common: who writes, the body, and the headers about it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_crs::NamedCrs;
use citymap_model::CommitMeta;
use percent_encoding::percent_decode;
use serde_json::Value;

use super::idempotency::Key;
use crate::{
    app::App,
    http::{
        auth,
        body::check_content_encoding,
        coords::named_crs,
        problem::Problem,
        request::RequestContext,
        response::{JSON, ResponseBuilder},
    },
};

const MESSAGE: HeaderName = HeaderName::from_static("citymap-message");
const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
/// Maximum number of characters of a message.
pub(crate) const MESSAGE_CHARACTERS: usize = 1_000;

/// A request that writes, from an authorised writer.
pub(crate) struct WriteRequest {
    pub(crate) context: RequestContext,
    /// The name of the writer, as the log will show it.
    pub(crate) author: String,
    /// Whether the writer's requests need no `If-Match`.
    pub(crate) overwrites: bool,
    pub(crate) body: Bytes,
}

impl WriteRequest {
    /// Checks who sends the request and what it asks for, then reads the body. `media_types` are those that
    /// the body may have; none if there is no body.
    ///
    /// # Errors
    /// 401 or 403 for who may not write, 400, 413 or 415 for what cannot be read.
    pub(crate) async fn read(
        app: &Arc<App>,
        request: Request,
        media_types: &[&'static str],
        bytes_max: usize,
    ) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let context = RequestContext::from_request_parts(&mut parts, app).await?;
        let writer = auth::writer(&app.config.writers, &context.headers)?;
        let (author, overwrites) = (writer.name.clone(), writer.overwrites);
        context.params.finish(&[])?;
        check_content_encoding(&context.headers)?;
        if !media_types.is_empty() {
            check_content_type(&context.headers, media_types)?;
        }
        Ok(Self { author, overwrites, body: read_body(&context.headers, body, bytes_max).await?, context })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        if self.body.is_empty() {
            return Err(Problem::body("the body is empty; send a GeoJSON feature"));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::body(format!("the body is not JSON: {error}")))
    }

    /// The coordinate system of the body (`Content-Crs`).
    pub(crate) fn crs(&self) -> Result<NamedCrs, Problem> {
        let Some(value) = self.context.headers.get(CONTENT_CRS) else { return Ok(NamedCrs::crs84()) };
        let text = value.to_str().unwrap_or_default().trim();
        named_crs("Content-Crs", text.trim_start_matches('<').trim_end_matches('>'))
    }

    /// What the log will say of the revision; its message is `default` if the client sends none.
    ///
    /// # Errors
    /// 400 for a message that the log cannot hold.
    pub(crate) fn meta(
        &self,
        key: Option<&Key>,
        default: impl FnOnce() -> String,
    ) -> Result<CommitMeta, Problem> {
        let message = match self.context.headers.get(MESSAGE) {
            None => default(),
            Some(value) => {
                let text = percent_decode(value.as_bytes()).decode_utf8();
                let text = text.map_err(|_not_utf8| {
                    Problem::parameter("`Citymap-Message` is not UTF-8 text; percent-encode it as UTF-8")
                })?;
                check_message(&text)?
            }
        };
        Ok(CommitMeta {
            author: self.author.clone(),
            message,
            source: key.map(Key::source),
            source_sha256: None,
        })
    }

    /// The key by which a repeat of the request is recognised (`Idempotency-Key`).
    pub(crate) fn key(&self) -> Result<Option<Key>, Problem> {
        Key::of(&self.context.headers, &self.author, self.context.path(), &self.body)
    }
}

/// A message as the log may hold it: one line of 1 to [`MESSAGE_CHARACTERS`] characters.
///
/// # Errors
/// 400 for any other text.
pub(crate) fn check_message(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MESSAGE_CHARACTERS || text.chars().any(char::is_control) {
        return Err(Problem::parameter(format!(
            "the message cannot be used; write 1 to {MESSAGE_CHARACTERS} characters on one line"
        )));
    }
    Ok(text.to_owned())
}

fn check_content_type(headers: &HeaderMap, media_types: &[&'static str]) -> Result<(), Problem> {
    let name = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_types.contains(&name.as_str()) {
        return Ok(());
    }
    let found = if name.is_empty() { "a body without Content-Type".to_owned() } else { format!("`{name}`") };
    Err(Problem::media_type(format!("{found} cannot be read here; send {}", media_types.join(" or "))))
}

async fn read_body(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > bytes_max as u64) {
        return Err(Problem::too_large(bytes_max));
    }
    to_bytes(body, bytes_max).await.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            if error.to_string().contains("length limit") {
                return Problem::too_large(bytes_max);
            }
            cause = error.source();
        }
        Problem::body(format!("the body could not be read: {error}"))
    })
}

/// A response with a JSON document, which caches must not keep.
pub(crate) fn answer(status: StatusCode, document: &Value, headers: &[(HeaderName, String)]) -> Response {
    let mut builder =
        ResponseBuilder::new(JSON, document.to_string()).with(header::CACHE_CONTROL, "no-store");
    for (name, value) in headers {
        builder = builder.with(name.clone(), value);
    }
    let mut response = builder.into_response();
    *response.status_mut() = status;
    response
}

/// A response with status 204, which caches must not keep.
pub(crate) fn no_content() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
