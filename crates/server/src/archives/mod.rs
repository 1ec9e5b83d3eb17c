//! PMTiles archives from a folder or from another server: whole files by ranges for clients that read the
//! format, single tiles for all others.

mod file;
mod range;
mod source;
pub(crate) mod store;
mod tile;

use std::sync::Arc;

use axum::response::IntoResponse;
use serde_json::json;

pub(crate) use tile::tile;

use self::{
    source::EXTENSION,
    store::{OpenArchive, not_served},
};
use crate::http::{
    base::segment,
    problem::Problem,
    request::{HandlerResult, RequestContext},
    response::{JSON, ResponseBuilder},
};

/// The handler of `GET /archives`.
pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let archives = context.app.archives.clone().ok_or_else(not_served)?;
    let base = context.base();
    let own = Arc::clone(&archives);
    let known = own
        .pool
        .run(move || match archives.source.names() {
            // A damaged archive is listed too, by its name only; its own address says what is wrong.
            Ok(Some(names)) => Ok(names.into_iter().map(|name| (archives.open(&name).ok(), name)).collect()),
            Ok(None) => Ok(archives
                .known()
                .into_iter()
                .map(|known| (Some(Arc::clone(&known)), known.name.clone()))
                .collect()),
            Err(fault) => Err(fault.problem("")),
        })
        .await?;
    let known: Vec<(Option<Arc<OpenArchive>>, String)> = known;
    let entries: Vec<_> = known
        .iter()
        .map(|(opened, name)| {
            let path = format!("/archives/{}", segment(name));
            let mut entry = json!({
                "name": name,
                "archive": base.url(&format!("{path}{EXTENSION}")),
                "tilejson": base.url(&format!("{path}.json")),
            });
            if let Some(opened) = opened {
                let header = &opened.header;
                entry["bytes"] = opened.version.len.into();
                entry["minzoom"] = header.zooms[0].into();
                entry["maxzoom"] = header.zooms[1].into();
                entry["bounds"] = json!([
                    header.bounds.min[0],
                    header.bounds.min[1],
                    header.bounds.max[0],
                    header.bounds.max[1]
                ]);
                entry["type"] = header.tile_type.media_type().into();
            }
            entry
        })
        .collect();
    Ok(ResponseBuilder::new(JSON, json!({ "archives": entries }).to_string())
        .compressed(&context.headers)
        .into_response())
}

/// `GET /archives/{name}.pmtiles` and `GET /archives/{name}.json`
pub(crate) async fn file(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let file = context.path_param("file").to_owned();
    let archives = context.app.archives.clone();
    if let Some(name) = file.strip_suffix(EXTENSION) {
        return file::send(&context, &archives.ok_or_else(not_served)?, name).await;
    }
    let Some(name) = file.strip_suffix(".json") else {
        return Err(Problem::not_found(
            "there is nothing here; an archive is /archives/{name}.pmtiles, its description \
                /archives/{name}.json, a tile \
             /archives/{name}/{z}/{x}/{y}",
        )
        .into());
    };
    let (opened, mut document) = archives
        .ok_or_else(not_served)?
        .with(name, |archives, opened| Ok((Arc::clone(opened), archives.metadata(opened)?)))
        .await?;
    let header = &opened.header;
    let base = crate::hash::hash_of(&context.base().as_str());
    let etag = format!("W/\"{}-{base:x}-json\"", opened.version.tag);
    context.check_if_none_match(&etag)?;
    for (key, value) in [
        ("tilejson", json!("3.0.0")),
        ("scheme", json!("xyz")),
        ("tiles", json!([context.base().url(&format!("/archives/{}/{{z}}/{{x}}/{{y}}", segment(name)))])),
        ("minzoom", json!(header.zooms[0])),
        ("maxzoom", json!(header.zooms[1])),
        (
            "bounds",
            json!([header.bounds.min[0], header.bounds.min[1], header.bounds.max[0], header.bounds.max[1]]),
        ),
        ("center", json!([header.center.0[0], header.center.0[1], header.center.1])),
    ] {
        document.insert(key.to_owned(), value);
    }
    let document = serde_json::Value::Object(document).to_string();
    Ok(ResponseBuilder::new(JSON, document).tagged(&etag).compressed(&context.headers).into_response())
}
