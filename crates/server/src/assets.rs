//! Files: the web map, and what its style needs. Built into the program, or, the map, from a folder.

use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use rust_embed::RustEmbed;

use crate::{
    app::App,
    negotiate::{accepts_gzip, matches_etag},
    problem::Problem,
};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Web;

#[derive(RustEmbed)]
#[folder = "../../tiles"]
struct Tiles;

/// A file and the tag of its content.
struct File {
    bytes: Cow<'static, [u8]>,
    etag: String,
}

impl From<rust_embed::EmbeddedFile> for File {
    fn from(file: rust_embed::EmbeddedFile) -> Self {
        let hash = file.metadata.sha256_hash();
        let etag = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes: file.data, etag }
    }
}

/// `GET /` and every file of the web map; what is none is 404.
pub(crate) async fn web(State(app): State<Arc<App>>, uri: Uri, asked: HeaderMap) -> Response {
    let path = decoded(uri.path());
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let file = match &app.config.assets {
        Some(folder) => from_folder(&app, folder.clone(), name.to_owned()).await,
        None => Ok(Web::get(name).map(File::from)),
    };
    match file {
        Ok(Some(file)) => send(&app, &asked, name, file).await.unwrap_or_else(IntoResponse::into_response),
        Ok(None) => {
            Problem::not_found("there is nothing here; the map is /, the interface /api").into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// `GET /fonts/{fontstack}/{range}`, `/sprites/{file}`, `/styles/{file}`
pub(crate) async fn style(State(app): State<Arc<App>>, uri: Uri, asked: HeaderMap) -> Response {
    let path = decoded(uri.path());
    let name = path.trim_start_matches('/');
    let found = match name.strip_prefix("fonts/").and_then(|rest| rest.split_once('/')) {
        // The first font of the stack that has the range.
        Some((stack, range)) if range.ends_with(".pbf") => {
            stack.split(',').find_map(|font| Tiles::get(&format!("fonts/{}/{range}", font.trim())))
        }
        None if name.ends_with(".png") || name.ends_with(".json") => Tiles::get(name),
        _ => None,
    };
    match found {
        Some(file) => send(&app, &asked, name, file.into()).await.unwrap_or_else(IntoResponse::into_response),
        None => {
            Problem::not_found("there is no such font, range, sprite or style; tiles/README.md lists them")
                .into_response()
        }
    }
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// A file below a folder, never above it; `None` where there is none.
async fn from_folder(app: &App, folder: PathBuf, name: String) -> Result<Option<File>, Problem> {
    if !Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(None);
    }
    app.pool
        .run(move || {
            let Ok(folder) = folder.canonicalize() else { return Ok(None) };
            // A link must not lead out of the folder either.
            let Ok(path) = folder.join(name).canonicalize() else { return Ok(None) };
            if !path.starts_with(&folder) || !path.is_file() {
                return Ok(None);
            }
            let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
            let etag = format!("{:016x}", crate::app::hash_of(&bytes));
            Ok(Some(File { bytes: bytes.into(), etag }))
        })
        .await
}

async fn send(app: &App, asked: &HeaderMap, name: &str, file: File) -> Result<Response, Problem> {
    let (kind, text) = media_type(name);
    let gzip = text && file.bytes.len() > 1_000 && accepts_gzip(asked);
    let etag = format!("\"{}{}\"", file.etag, if gzip { "-gzip" } else { "" });
    let mut response = if matches_etag(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if gzip {
        let packed = app.packed(&file.etag, file.bytes).await?;
        let mut response = packed.into_response();
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        file.bytes.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.extend(HeaderValue::from_str(&etag).ok().map(|etag| (header::ETAG, etag)));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // Vite writes the hash of their content into the names of what lies in `assets/`.
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

/// The media type by a file's ending, and whether compressing it is worth while.
fn media_type(name: &str) -> (&'static str, bool) {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "json" | "map" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "pbf" => ("application/x-protobuf", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "ico" => ("image/x-icon", false),
        "woff2" => ("font/woff2", false),
        "woff" => ("font/woff", false),
        _ => ("application/octet-stream", false),
    }
}
