//! PMTiles archives, from a folder or from another server: as they are, by ranges, for maps that read them; tile by tile for
//! all others.

mod file;
mod range;
mod source;
mod store;
mod tile;

use std::sync::Arc;

use axum::response::IntoResponse;
use serde_json::json;

use crate::{
    app::App,
    http::{
        base::segment,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::{JSON, ResponseBuilder},
    },
};

pub(crate) use store::Archives;
pub(crate) use tile::tile;

use source::{ArchiveFault, ENDING};
use store::OpenArchive;

/// Whether a text may name an archive: nothing that leads out of the folder.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

/// What is said where nothing is served.
fn off() -> Problem {
    Problem::not_found(
        "no archives are served here; start the server with --archives and a folder or an address",
    )
}

fn problem(name: &str, fault: ArchiveFault) -> Problem {
    match fault {
        ArchiveFault::Absent => {
            Problem::not_found(format!("there is no archive `{name}`; /archives lists those there are"))
        }
        ArchiveFault::Changed => {
            Problem::unavailable(format!("archive `{name}` is being replaced; ask again"), 1)
        }
        ArchiveFault::Away(reason) => {
            tracing::warn!(name, reason, "an archive cannot be read");
            Problem::unavailable(format!("archive `{name}` cannot be read for now; ask again"), 5)
        }
        ArchiveFault::Damaged(reason) => {
            tracing::warn!(name, reason, "an archive is damaged");
            Problem::internal(format!(
                "archive `{name}` cannot be used: {reason}. Bake it again, or put it there again"
            ))
        }
    }
}

/// Does something with an archive, off the threads that talk to clients; once more where it was replaced meanwhile.
async fn with<T: Send + 'static>(
    app: &Arc<App>,
    name: &str,
    work: impl Fn(&Archives, &Arc<OpenArchive>) -> Result<T, ArchiveFault> + Send + 'static,
) -> Result<T, Problem> {
    let archives = app.archives.clone().ok_or_else(off)?;
    let name = name.to_owned();
    if !is_name(&name) {
        return Err(problem(&name.chars().take(100).collect::<String>(), ArchiveFault::Absent));
    }
    let own = Arc::clone(&archives);
    own.pool
        .run(move || {
            let once = || work(&archives, &archives.open(&name)?);
            let outcome = match once() {
                Err(ArchiveFault::Changed) => {
                    archives.forget(&name);
                    once()
                }
                outcome => outcome,
            };
            outcome.map_err(|fault| problem(&name, fault))
        })
        .await
}

/// `GET /archives`
pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let archives = context.app.archives.clone().ok_or_else(off)?;
    let base = context.base();
    let own = Arc::clone(&archives);
    let known = own
        .pool
        .run(move || match archives.source.names() {
            // One that is damaged is listed too, without what it holds: its own address says what is wrong.
            Ok(Some(names)) => Ok(names.into_iter().map(|name| (archives.open(&name).ok(), name)).collect()),
            Ok(None) => Ok(archives
                .known()
                .into_iter()
                .map(|known| (Some(Arc::clone(&known)), known.name.clone()))
                .collect()),
            Err(fault) => Err(problem("", fault)),
        })
        .await?;
    let known: Vec<(Option<Arc<OpenArchive>>, String)> = known;
    let entries: Vec<_> = known
        .iter()
        .map(|(opened, name)| {
            let path = format!("/archives/{}", segment(name));
            let mut entry = json!({
                "name": name,
                "archive": base.url(&format!("{path}{ENDING}")),
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
    context.no_more_of(&[])?;
    let file = context.path_param("file").to_owned();
    if let Some(name) = file.strip_suffix(ENDING) {
        return file::bytes(&context, name).await;
    }
    let Some(name) = file.strip_suffix(".json") else {
        return Err(Problem::not_found(
            "there is nothing here; an archive is /archives/{name}.pmtiles, its description /archives/{name}.json, a tile \
             /archives/{name}/{z}/{x}/{y}",
        )
        .into());
    };
    let (opened, mut document) =
        with(&context.app, name, |archives, opened| Ok((Arc::clone(opened), archives.metadata(opened)?)))
            .await?;
    let header = &opened.header;
    let etag = format!("W/\"{}-json\"", opened.version.tag);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for good in ["city", "city-2026.10", "a_b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0", "đ", "%2e"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
