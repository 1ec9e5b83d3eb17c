//! The route that sends the result of a job: the whole file, or the range that is asked for.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::job::{Job, JobState};
use crate::http::{
    connection::HeldAtOnce,
    problem::{Problem, exception},
    request::{HandlerResult, RequestContext},
    response::JSON,
};

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// The handler of `GET /api/jobs/{job}/results`: the file, or a document that refers to it, as the client
/// that started the job asked.
pub(crate) async fn results(context: RequestContext) -> HandlerResult {
    let job = finished(&context)?;
    let Some(output) = job.result.referred_as else { return file(&context, &job).await };
    let href = context.base().url(&format!("/api/jobs/{}/results/{output}", job.id));
    let document = json!({output: {"href": href, "type": job.result.media_type}});
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "private")];
    Ok((headers, document.to_string()).into_response())
}

/// The handler of `GET /api/jobs/{job}/results/{output}`: the file that a document refers to.
pub(crate) async fn output(context: RequestContext) -> HandlerResult {
    let job = finished(&context)?;
    if job.result.referred_as != Some(context.path_param("output")) {
        let detail =
            format!("the job has no output of this name; /api/jobs/{}/results has its result", job.id);
        return Err(Problem::not_found(detail).into());
    }
    file(&context, &job).await
}

/// The job that the path names, if it is successful.
///
/// # Errors
/// 404 for any other.
fn finished(context: &RequestContext) -> Result<Arc<Job>, Problem> {
    context.no_query()?;
    let job = context.app.jobs.find(context.path_param("job"))?;
    let status = job.status();
    if status.state != JobState::Successful {
        let detail = if status.state.has_ended() {
            format!("the job has no result: {}", status.message)
        } else {
            format!("the job has not ended ({} %); ask /api/jobs/{} again", status.progress, job.id)
        };
        let mut problem = Problem::not_found(detail).with("jobStatus", status.state.as_str());
        if !status.state.has_ended() {
            problem = problem.with("type", exception("result-not-ready"));
        }
        return Err(problem);
    }
    Ok(job)
}

/// The result file, whole or in part.
async fn file(context: &RequestContext, job: &Job) -> HandlerResult {
    let path = job.file.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok::<_, io::Error>((file, length))
    });
    let Ok(Ok((file, length))) = opened.await else {
        return Err(Problem::not_found("the result has been removed; start another job").into());
    };
    let tag = format!("\"{}\"", job.id);
    let Ok(part) = range(&context.headers, &tag, length) else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
        insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
        return Ok(response);
    };
    let (first, count) = part.unwrap_or((0, length));
    let mut response = Response::new(Body::from_stream(stream(file, first, count)));
    // One part is sent while the next one is read.
    response.extensions_mut().insert(HeldAtOnce(count.min(2 * CHUNK as u64)));
    if part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = response.headers_mut();
    if part.is_some() {
        let last = first + count - 1;
        insert(headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
    }
    insert(headers, header::CONTENT_LENGTH, &count.to_string());
    insert(headers, header::CONTENT_TYPE, job.result.media_type);
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, header::ETAG, &tag);
    insert(headers, header::CACHE_CONTROL, "private, no-transform");
    // The name has letters, digits, underscores and a dot only: layer ids do.
    insert(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", job.result.name));
    Ok(response)
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The requested range as its first byte and its length; `None` for the whole file, which also answers a
/// request for several ranges. `Err` if the range is beyond the end of the file.
fn range(headers: &HeaderMap, tag: &str, length: u64) -> Result<Option<(u64, u64)>, ()> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(asked) = text(header::RANGE).and_then(|text| text.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    if text(header::IF_RANGE).is_some_and(|known| known != tag) || asked.contains(',') {
        return Ok(None);
    }
    let Some((first, last)) = asked.split_once('-') else { return Ok(None) };
    let (first, last) = (first.trim(), last.trim());
    let bounds = if first.is_empty() {
        last.parse::<u64>().ok().map(|count| (length.saturating_sub(count), length))
    } else {
        let end = if last.is_empty() {
            Some(length)
        } else {
            last.parse::<u64>().ok().map(|last| last.saturating_add(1))
        };
        first.parse::<u64>().ok().zip(end)
    };
    match bounds {
        // A range that is not understood is ignored (RFC 9110, 14.2).
        None => Ok(None),
        Some((first, end)) if first < end.min(length) => Ok(Some((first, end.min(length) - first))),
        Some(_) => Err(()),
    }
}

/// The `count` bytes from `first` on, read at the speed of the client.
fn stream(file: File, first: u64, count: u64) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    futures_util::stream::try_unfold((Some(file), Some(first), count), |(file, seek, left)| async move {
        let Some(mut file) = file.filter(|_| left > 0) else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            if let Some(first) = seek {
                file.seek(SeekFrom::Start(first))?;
            }
            let mut bytes = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK)];
            file.read_exact(&mut bytes)?;
            Ok::<_, io::Error>((file, bytes))
        });
        let (file, bytes) = read.await.map_err(io::Error::other)??;
        let left = left - bytes.len() as u64;
        Ok(Some((Bytes::from(bytes), (Some(file), None, left))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let of = |text: &'static str| {
            let headers = [(header::RANGE, HeaderValue::from_static(text))].into_iter().collect();
            range(&headers, "\"x\"", 100)
        };
        assert_eq!(of("bytes=0-9"), Ok(Some((0, 10))));
        assert_eq!(of("bytes=90-"), Ok(Some((90, 10))));
        assert_eq!(of("bytes=90-1000"), Ok(Some((90, 10))));
        assert_eq!(of("bytes=-5"), Ok(Some((95, 5))));
        assert_eq!(of("bytes=100-"), Err(()));
        assert_eq!(of("bytes=-0"), Err(()));
        for whole in ["bytes=0-1,5-6", "bytes=x-1", "lines=1-2"] {
            assert_eq!(of(whole), Ok(None), "{whole}");
        }
    }
}
