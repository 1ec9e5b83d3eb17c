//! One tile of an archive.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_tile::{ContentEncoding, archive::decompress_within, compress};

use super::{source::ArchiveFault, store::not_served};
use crate::{
    http::{
        negotiate::{Encodings, matches_etag},
        request::{HandlerResult, RequestContext},
    },
    tiles::position,
};

/// Maximum size of a decompressed tile in bytes.
const DECOMPRESSED_MAX: usize = 64 << 20;

/// The handler of `GET /archives/{name}/{z}/{x}/{y}`.
pub(crate) async fn tile(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let y = context.path_param("y");
    // The addresses of other tile servers end like this.
    let y = [".mvt", ".pbf"].into_iter().find_map(|ending| y.strip_suffix(ending)).unwrap_or(y);
    let tile = position(context.path_param("z"), context.path_param("x"), y)?;
    let accepted = Encodings::of(&context.headers);
    let request_headers = context.headers.clone();
    let archives = context.app.archives.clone().ok_or_else(not_served)?;
    let (etag, found) = archives
        .with(context.path_param("name"), move |archives, opened| {
            let header = &opened.header;
            let stored = header.encoding;
            // The stored bytes can be sent as they are if the client accepts their encoding.
            let encoding = accepted.best(|encoding| encoding == stored);
            let etag = format!("\"{}-{tile}-{encoding:?}\"", opened.version.tag).replace('/', "-");
            if matches_etag(&request_headers, &etag) {
                return Ok((etag, None));
            }
            let bytes = match archives.tile(opened, tile)? {
                Some(bytes) if encoding != stored => {
                    let plain =
                        decompress_within(&bytes, stored, DECOMPRESSED_MAX).map_err(ArchiveFault::from)?;
                    Some(compress(&plain, encoding))
                }
                bytes => bytes,
            };
            Ok((etag, Some((bytes, encoding, header.tile_type))))
        })
        .await?;
    let mut response = match found {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some((None, ..)) => StatusCode::NO_CONTENT.into_response(),
        Some((Some(bytes), encoding, tile_type)) => {
            let mut response = Response::new(Body::from(bytes));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(tile_type.media_type()));
            if let Some(name) = ContentEncoding::header_value(encoding) {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}
