//! The routes of files: the web map, and what its style needs.

pub(crate) mod files;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use citymap_tile::ContentEncoding;
use percent_encoding::percent_decode_str;

use self::files::{StaticFile, StaticFiles, glyphs, media_type, style};
use crate::http::{
    negotiate::{Encodings, matches_etag},
    problem::Problem,
};

/// Files of fewer bytes are not compressed.
const COMPRESS_MIN: usize = 1_000;

/// `GET /` and every file of the web map; 404 for any other path.
pub(crate) async fn web(State(files): State<StaticFiles>, uri: Uri, headers: HeaderMap) -> Response {
    let path = decoded(uri.path());
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let answer = match files.web(name).await {
        Ok(Some(file)) => send(&files, &headers, name, file).await,
        Ok(None) => Err(Problem::not_found("there is nothing here; the map is /, the interface /api")),
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

/// `GET /fonts/{fontstack}/{range}`, `/sprites/{file}`, `/styles/{file}`
pub(crate) async fn style_file(State(files): State<StaticFiles>, uri: Uri, headers: HeaderMap) -> Response {
    let path = decoded(uri.path());
    let name = path.trim_start_matches('/');
    let found = match name.strip_prefix("fonts/").and_then(|rest| rest.split_once('/')) {
        Some((stack, range)) => glyphs(stack, range),
        None => style(name),
    };
    let answer = match found {
        Some(file) => send(&files, &headers, name, file).await,
        None => Err(Problem::not_found(
            "there is no such font, range, sprite or style; tiles/README.md lists them",
        )),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

async fn send(
    files: &StaticFiles,
    request: &HeaderMap,
    name: &str,
    file: StaticFile,
) -> Result<Response, Problem> {
    let (kind, text) = media_type(name);
    let encoding = if text && file.bytes.len() > COMPRESS_MIN {
        let small = file.brotli.is_some();
        Encodings::of(request).best(|encoding| match encoding {
            ContentEncoding::Brotli => small,
            encoding => encoding == ContentEncoding::Gzip,
        })
    } else {
        ContentEncoding::Identity
    };
    let suffix = encoding.header_value().map_or(String::new(), |name| format!("-{name}"));
    let etag = format!("\"{}{suffix}\"", file.tag);
    let mut response = if matches_etag(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(name) = encoding.header_value() {
        let mut response = files.compressed(file, encoding).await?.into_response();
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        response
    } else {
        file.bytes.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.extend(HeaderValue::from_str(&etag).ok().map(|etag| (header::ETAG, etag)));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // Vite writes a hash of the content into the names of the files in `assets/`.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else if name.starts_with("fonts/") {
        "public, max-age=86400"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(response)
}
