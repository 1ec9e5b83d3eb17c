//! A whole archive, or ranges of it.

use std::{ops::Range, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{
    range,
    store::{Archives, OpenArchive},
};
use crate::http::{
    connection::HeldAtOnce,
    problem::Problem,
    request::{HandlerResult, Rejection, RequestContext},
};

/// The number of bytes of an answer that are in memory at once.
const CHUNK: u64 = 1 << 20;

/// Answers `GET /archives/{name}.pmtiles` with the whole file or a range of it.
pub(super) async fn send(context: &RequestContext, archives: &Arc<Archives>, name: &str) -> HandlerResult {
    let opened = archives.with(name, |_, opened| Ok(Arc::clone(opened))).await?;
    let etag = format!("\"{}\"", opened.version.tag);
    context.check_if_none_match(&etag)?;
    let len = opened.version.len;
    let asked = match wanted(&context.headers, &etag) {
        Some(range) => range::asked(Some(range), len),
        None => range::ByteRange::All,
    };
    let (status, section) = match asked {
        range::ByteRange::All => (StatusCode::OK, 0..len),
        range::ByteRange::Section(section) => (StatusCode::PARTIAL_CONTENT, section),
        range::ByteRange::Beyond => return Ok(beyond(len)),
    };
    let length = section.end - section.start;
    let content_range = format!("bytes {}-{}/{len}", section.start, section.end.saturating_sub(1));
    let mut response = Response::new(body(archives, opened, section).await?);
    *response.status_mut() = status;
    // One chunk is sent while the next one is read.
    response.extensions_mut().insert(HeldAtOnce(length.min(2 * CHUNK)));
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

/// The `Range` header, unless `If-Range` names another state of the file.
fn wanted<'a>(headers: &'a HeaderMap, etag: &str) -> Option<&'a str> {
    let condition = headers.get(header::IF_RANGE);
    if condition.is_some_and(|condition| condition.as_bytes() != etag.as_bytes()) {
        return None;
    }
    headers.get(header::RANGE)?.to_str().ok()
}

/// 416: the range begins beyond the end of the file, which the header gives.
fn beyond(len: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{len}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// The bytes of a section: at once if they fit one chunk, else chunk by chunk at the speed of the client.
async fn body(
    archives: &Arc<Archives>,
    opened: Arc<OpenArchive>,
    section: Range<u64>,
) -> Result<Body, Rejection> {
    let first = read(archives, &opened, section.start..section.end.min(section.start + CHUNK)).await?;
    let at = section.start + first.len() as u64;
    if at == section.end {
        return Ok(Body::from(first));
    }
    let (archives, rest) = (Arc::clone(archives), at..section.end);
    let further = stream::unfold(rest, move |rest| {
        let (archives, opened) = (Arc::clone(&archives), Arc::clone(&opened));
        async move {
            if rest.is_empty() {
                return None;
            }
            let end = rest.end.min(rest.start + CHUNK);
            let chunk = read(&archives, &opened, rest.start..end).await;
            // An error ends the answer early: the client sees that bytes are missing.
            let next = if chunk.is_ok() { end..rest.end } else { rest.end..rest.end };
            Some((chunk.map_err(|problem| std::io::Error::other(problem.detail().to_owned())), next))
        }
    });
    let first = stream::iter([Ok(first)]);
    Ok(Body::from_stream(futures_util::StreamExt::chain(first, further)))
}

/// Reads a range of the state that was opened; if the file has been replaced since, that is an error.
async fn read(
    archives: &Arc<Archives>,
    opened: &Arc<OpenArchive>,
    range: Range<u64>,
) -> Result<Bytes, Problem> {
    let (reader, opened) = (Arc::clone(archives), Arc::clone(opened));
    archives
        .pool
        .run(move || {
            let read =
                reader.source.read(&opened.name, &opened.version, range.start, range.end - range.start);
            read.map(Bytes::from).map_err(|fault| {
                reader.forget(&opened.name);
                fault.problem(&opened.name)
            })
        })
        .await
}
