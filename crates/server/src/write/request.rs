//! What all requests that write have in common.

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

use super::{
    apply::{self, Done, Prepared, Refused},
    idempotency::{Answered, Key},
};
use crate::{
    app::App,
    http::{
        auth,
        coords::named_crs,
        problem::Problem,
        request::RequestContext,
        response::{JSON, ResponseBuilder},
    },
};

const MESSAGE: HeaderName = HeaderName::from_static("citymap-message");
const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
/// Letters of a message at most.
pub(crate) const MESSAGE_LETTERS: usize = 1_000;

/// A request that writes, from somebody who may.
pub(crate) struct Writing {
    pub(crate) ask: RequestContext,
    /// Who.
    pub(crate) author: String,
    pub(crate) body: Bytes,
}

impl Writing {
    /// Looks who asks, then what for; reads the body last. `kinds` are the media types that it may have.
    pub(crate) async fn read(
        app: &Arc<App>,
        request: Request,
        kinds: &[&'static str],
        bytes_max: usize,
    ) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let ask = RequestContext::from_request_parts(&mut parts, app).await?;
        let author = auth::writer(app, &ask.headers)?.name.clone();
        ask.params.finish(&[])?;
        if !kinds.is_empty() {
            content_type(&ask.headers, kinds)?;
        }
        Ok(Self { author, body: bytes(&ask.headers, body, bytes_max).await?, ask })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        if self.body.is_empty() {
            return Err(Problem::body("the body is empty; send a GeoJSON feature"));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::body(format!("the body is not JSON: {error}")))
    }

    /// The system of the coordinates in the body.
    pub(crate) fn crs(&self) -> Result<NamedCrs, Problem> {
        let Some(value) = self.ask.headers.get(CONTENT_CRS) else { return Ok(NamedCrs::crs84()) };
        let text = value.to_str().unwrap_or_default().trim();
        named_crs("Content-Crs", text.trim_start_matches('<').trim_end_matches('>'))
    }

    /// The revision's words: `default` where the client says nothing.
    pub(crate) fn meta(
        &self,
        key: Option<&Key>,
        default: impl FnOnce() -> String,
    ) -> Result<CommitMeta, Problem> {
        let message = match self.ask.headers.get(MESSAGE) {
            None => default(),
            Some(value) => {
                let text = percent_decode(value.as_bytes()).decode_utf8();
                let text = text.map_err(|_not_utf8| {
                    Problem::parameter("`Citymap-Message` is not UTF-8 text; percent-encode it as UTF-8")
                })?;
                message(&text)?
            }
        };
        Ok(CommitMeta {
            author: self.author.clone(),
            message,
            source: key.map(Key::source),
            source_sha256: None,
        })
    }

    /// The key under which a repeat is known.
    pub(crate) fn key(&self) -> Result<Option<Key>, Problem> {
        Key::of(&self.ask.headers, &self.author, self.ask.path(), &self.body)
    }
}

/// A message as the log may hold it.
pub(crate) fn message(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MESSAGE_LETTERS || text.chars().any(char::is_control) {
        return Err(Problem::parameter(format!(
            "the message cannot be used; write 1 to {MESSAGE_LETTERS} letters on one line"
        )));
    }
    Ok(text.to_owned())
}

fn content_type(headers: &HeaderMap, kinds: &[&'static str]) -> Result<(), Problem> {
    let name = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kinds.contains(&name.as_str()) {
        return Ok(());
    }
    let said = if name.is_empty() { "a body without Content-Type".to_owned() } else { format!("`{name}`") };
    Err(Problem::media_type(format!("{said} cannot be read here; send {}", kinds.join(" or "))))
}

async fn bytes(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(Problem::too_large(most));
    }
    to_bytes(body, most).await.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(own) = cause {
            if own.to_string().contains("length limit") {
                return Problem::too_large(most);
            }
            cause = own.source();
        }
        Problem::body(format!("the body could not be read: {error}"))
    })
}

/// What came of a request.
pub(crate) enum Outcome {
    /// It was written now; the document that answers.
    Made(Vec<Done>, Answered),
    /// It was written before, under the same key.
    Before(Answered),
}

/// Writes the edits, under the key if there is one, and waits for it off the threads that talk to clients.
pub(crate) async fn write(
    ask: &RequestContext,
    meta: CommitMeta,
    key: Option<Key>,
    prepare: impl FnOnce() -> Result<Vec<Prepared>, Refused> + Send + 'static,
    document: impl FnOnce(&[Done], u64) -> Value + Send + 'static,
) -> Result<Result<Outcome, Refused>, Problem> {
    let live = Arc::clone(&ask.app.live);
    let outcome = ask
        .app
        .writing
        .run(move || {
            let store = live.store();
            if let Some(key) = &key
                && let Some(answered) = key.begin(store)?
            {
                return Ok(Ok(Outcome::Before(answered)));
            }
            let written = prepare().and_then(|edits| apply::commit(&live, meta, key.as_ref(), edits));
            Ok(match written {
                Ok((done, revision)) => {
                    let document = Some(document(&done, revision.number));
                    let answered = Answered { revision: revision.number, document };
                    if let Some(key) = &key {
                        key.finish(store, &answered);
                    }
                    Ok(Outcome::Made(done, answered))
                }
                Err(Refused::Answered(answered)) => Ok(Outcome::Before(match &key {
                    Some(key) if answered.document.is_none() => key.wait(store, answered.revision)?,
                    _ => answered,
                })),
                Err(refused) => {
                    // Where the record went away, whether it was written is not known: the key must stay.
                    let nothing_written = match &refused {
                        Refused::Edits(_) => true,
                        Refused::Problem(problem) => !problem.status().is_server_error(),
                        Refused::Answered(_) => false,
                    };
                    if let (Some(key), true) = (&key, nothing_written) {
                        key.withdraw(store);
                    }
                    Err(refused)
                }
            })
        })
        .await?;
    if let Ok(Outcome::Made(_, answered) | Outcome::Before(answered)) = &outcome {
        ask.revision_header.set(answered.revision);
    }
    Ok(outcome)
}

/// An answer with a document.
pub(crate) fn answer(status: StatusCode, document: &Value, headers: &[(HeaderName, String)]) -> Response {
    let mut reply = ResponseBuilder::new(JSON, document.to_string()).with(header::CACHE_CONTROL, "no-store");
    for (name, value) in headers {
        reply = reply.with(name.clone(), value);
    }
    let mut response = reply.into_response();
    *response.status_mut() = status;
    response
}

/// An answer without one.
pub(crate) fn no_content() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
