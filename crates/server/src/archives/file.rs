//! An archive as it is.

use std::{ops::Range, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{range, store::OpenArchive, with};
use crate::{
    app::App,
    http::{
        problem::Problem,
        request::{HandlerResult, Rejection, RequestContext},
    },
};

/// How much is in memory of an answer at a time.
const PIECE: u64 = 1 << 20;

pub(super) async fn bytes(context: &RequestContext, name: &str) -> HandlerResult {
    let opened = with(&context.app, name, |_, opened| Ok(Arc::clone(opened))).await?;
    let etag = format!("\"{}\"", opened.version.tag);
    context.check_if_none_match(&etag)?;
    let len = opened.version.len;
    let asked = match wanted(&context.headers, &etag) {
        Some(range) => range::asked(Some(range), len),
        None => range::ByteRange::All,
    };
    let (status, section) = match asked {
        range::ByteRange::All => (StatusCode::OK, 0..len),
        range::ByteRange::Part(section) => (StatusCode::PARTIAL_CONTENT, section),
        range::ByteRange::Beyond => return Ok(beyond(len)),
    };
    let length = section.end - section.start;
    let content_range = format!("bytes {}-{}/{len}", section.start, section.end.saturating_sub(1));
    let mut response = Response::new(body(&context.app, opened, section).await?);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.pmtiles"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    let range = (status == StatusCode::PARTIAL_CONTENT).then_some((header::CONTENT_RANGE, content_range));
    for (name, value) in [(header::ETAG, etag)].into_iter().chain(range) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// The range that is asked for, where `If-Range` is of this state or not given.
fn wanted<'a>(headers: &'a HeaderMap, etag: &str) -> Option<&'a str> {
    let condition = headers.get(header::IF_RANGE);
    if condition.is_some_and(|condition| condition.as_bytes() != etag.as_bytes()) {
        return None;
    }
    headers.get(header::RANGE)?.to_str().ok()
}

/// The range begins beyond the end; the header says where that is.
fn beyond(len: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{len}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// The bytes: at once where they are few, else piece by piece at the reader's pace.
async fn body(app: &Arc<App>, opened: Arc<OpenArchive>, section: Range<u64>) -> Result<Body, Rejection> {
    let first = read(app, &opened, section.start..section.end.min(section.start + PIECE)).await?;
    let at = section.start + first.len() as u64;
    if at == section.end {
        return Ok(Body::from(first));
    }
    let (app, rest) = (Arc::clone(app), at..section.end);
    let further = stream::unfold(rest, move |rest| {
        let (app, opened) = (Arc::clone(&app), Arc::clone(&opened));
        async move {
            if rest.is_empty() {
                return None;
            }
            let end = rest.end.min(rest.start + PIECE);
            let piece = read(&app, &opened, rest.start..end).await;
            // An error ends the answer before its length: the client sees that it is not whole.
            let next = if piece.is_ok() { end..rest.end } else { rest.end..rest.end };
            Some((piece.map_err(|problem| std::io::Error::other(problem.detail().to_owned())), next))
        }
    });
    let first = stream::iter([Ok(first)]);
    Ok(Body::from_stream(futures_util::StreamExt::chain(first, further)))
}

/// Reads of the state that was opened: never of another, and so not once more.
async fn read(app: &Arc<App>, opened: &Arc<OpenArchive>, section: Range<u64>) -> Result<Bytes, Problem> {
    let Some(archives) = app.archives.clone() else { return Err(super::off()) };
    let (own, opened) = (Arc::clone(&archives), Arc::clone(opened));
    own.pool
        .run(move || {
            let read = archives.source.read(
                &opened.name,
                &opened.version,
                section.start,
                section.end - section.start,
            );
            read.map(Bytes::from).map_err(|fault| {
                archives.forget(&opened.name);
                super::problem(&opened.name, fault)
            })
        })
        .await
}
