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
    http::{
        negotiate::{accepts_gzip, matches_etag},
        problem::Problem,
    },
};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct WebFiles;

#[derive(RustEmbed)]
#[folder = "../../tiles"]
struct StyleFiles;

/// A file and the tag of its content.
struct StaticFile {
    bytes: Cow<'static, [u8]>,
    etag: String,
}

impl From<rust_embed::EmbeddedFile> for StaticFile {
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
        None => Ok(WebFiles::get(name).map(StaticFile::from)),
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
        Some((stack, range)) => glyphs(stack, range),
        None if name.ends_with(".png") || name.ends_with(".json") => {
            StyleFiles::get(name).map(StaticFile::from)
        }
        None => None,
    };
    match found {
        Some(file) => send(&app, &asked, name, file).await.unwrap_or_else(IntoResponse::into_response),
        None => {
            Problem::not_found("there is no such font, range, sprite or style; tiles/README.md lists them")
                .into_response()
        }
    }
}

/// The glyphs of the first font of the stack that has the range. A range for which none of them has a file is an empty
/// message, not an error, which would stand in every browser's console. (MapLibre by itself leaves out what an answer does not
/// hold; our page has the browser's own font draw it, see `web/src/map/glyphs.ts`.) `None` where no font of the stack is ours, or the range is none.
fn glyphs(stack: &str, range: &str) -> Option<StaticFile> {
    if !is_glyph_range(range) {
        return None;
    }
    let fonts = || stack.split(',').map(str::trim);
    let found =
        fonts().find_map(|font| StyleFiles::get(&format!("fonts/{font}/{range}")).map(StaticFile::from));
    let known = |font: &str| {
        let folder = format!("fonts/{font}/");
        StyleFiles::iter().any(|path| path.starts_with(&folder))
    };
    found.or_else(|| {
        fonts().any(known).then(|| StaticFile { bytes: Cow::Borrowed(b""), etag: "no-glyphs".to_owned() })
    })
}

/// Whether a file name is one of the ranges in which glyphs are asked for: `0-255.pbf`, `256-511.pbf`, … to the end of
/// Unicode.
fn is_glyph_range(name: &str) -> bool {
    let Some((first, last)) = name.strip_suffix(".pbf").and_then(|range| range.split_once('-')) else {
        return false;
    };
    let (Ok(from), Ok(to)) = (first.parse::<u32>(), last.parse::<u32>()) else { return false };
    // Written back, so that `+0-0255.pbf` is none.
    from % 256 == 0 && from <= 0x10_FF00 && to == from + 255 && format!("{from}-{to}.pbf") == name
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// A file below a folder, never above it; `None` where there is none.
async fn from_folder(app: &App, folder: PathBuf, name: String) -> Result<Option<StaticFile>, Problem> {
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
            let etag = format!("{:016x}", crate::hash::hash_of(&bytes));
            Ok(Some(StaticFile { bytes: bytes.into(), etag }))
        })
        .await
}

async fn send(app: &App, asked: &HeaderMap, name: &str, file: StaticFile) -> Result<Response, Problem> {
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

#[cfg(test)]
mod tests {
    use super::{glyphs, is_glyph_range};

    #[test]
    fn a_range_is_256_characters_from_a_multiple_of_256() {
        for good in ["0-255.pbf", "256-511.pbf", "65280-65535.pbf", "1113856-1114111.pbf"] {
            assert!(is_glyph_range(good), "{good}");
        }
        for bad in [
            "0-255",
            "0-256.pbf",
            "1-256.pbf",
            "00-255.pbf",
            "+0-255.pbf",
            "-255.pbf",
            "1114112-1114367.pbf",
            "../0-255.pbf",
        ] {
            assert!(!is_glyph_range(bad), "{bad}");
        }
    }

    #[test]
    fn a_range_without_glyphs_is_empty_and_an_unknown_font_is_nothing() {
        let size = |stack: &str, range: &str| glyphs(stack, range).map(|file| file.bytes.len());
        assert!(size("BeVietnamPro-Regular", "0-255.pbf") > Some(1_000));
        assert_eq!(size("BeVietnamPro-Regular", "19968-20223.pbf"), Some(0));
        assert_eq!(size("Nix,BeVietnamPro-Regular", "19968-20223.pbf"), Some(0));
        for stack in ["Nix", "", ".", "..", "build.sh", "BeVietnam"] {
            assert_eq!(size(stack, "19968-20223.pbf"), None, "{stack}");
        }
        assert_eq!(size("BeVietnamPro-Regular", "0-1.pbf"), None);
    }
}
