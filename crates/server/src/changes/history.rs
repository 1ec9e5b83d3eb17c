//! `GET /api/collections/{layer}/items/{id}/history`: the versions of one feature.

use axum::{http::HeaderName, response::IntoResponse};
use citymap_access::conceal;
use citymap_crs::NamedCrs;
use citymap_engine::{Cancel, EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Fid, Layer, LayerId, RevisionNumber, format_datetime};
use citymap_store::{StoreError, Version};
use serde_json::{Value, json};

use super::unreadable;
use crate::{
    features::{describe::link, geojson::FeatureWriter},
    http::{
        auth::known_writer,
        base::{query_with, segment},
        html::{self, Page},
        json::JsonWriter,
        negotiate::Representation,
        parameters::{CRS, Integer, Limit, REPRESENTATION},
        problem::Problem,
        query::{Parameter, query},
        request::{HandlerResult, RequestContext},
        response::{GEOJSON, HTML, JSON},
    },
};

/// Maximum and default number of versions on a page.
const VERSIONS_MAX: usize = 100;

pub(crate) static BEFORE: Parameter<Integer> = Parameter::new(
    "before",
    "Only versions of revisions below this one; the `next` link carries it",
    Integer { min: 1, max: RevisionNumber::MAX, states_max: false },
);

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of versions; more than the maximum counts as the maximum",
    Limit { default: |_| VERSIONS_MAX, max: |_| VERSIONS_MAX },
)
.component("history-limit");

query! {
    /// The query of a feature's history.
    pub(crate) struct HistoryQuery {
        before: Option<RevisionNumber> = BEFORE,
        limit: usize = LIMIT,
        crs: NamedCrs = CRS,
        representation: Representation = REPRESENTATION,
    }
}

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");

/// Which versions are read.
struct VersionsRequest {
    layer: LayerId,
    /// The feature's id as the path has it.
    id: String,
    fid: Fid,
    crs: NamedCrs,
    /// Only versions of revisions below this one.
    before: RevisionNumber,
    limit: usize,
    /// Whether the client may see who wrote.
    author: bool,
}

/// The handler of `GET /api/collections/{layer}/items/{id}/history`.
pub(crate) async fn history(mut context: RequestContext) -> HandlerResult {
    let HistoryQuery { before, limit, crs, representation } = context.query()?;
    let snapshot = context.layer()?;
    let above = context.city_snapshot.revision() + 1;
    let before = before.unwrap_or(above).min(above);
    let id = context.path_param("id").to_owned();
    let fid = fid(&snapshot, &id).ok_or_else(|| nothing(&snapshot, &id))?;
    let author = known_writer(&context.app.config.writers, &context.headers).is_some();
    let mut etag = context.etag(representation);
    if author {
        etag = format!("{}-author\"", etag.trim_end_matches('"'));
    }
    context.check_if_none_match(&etag)?;
    let layer = snapshot.layer().id.clone();
    let query = VersionsRequest { layer, id, fid, crs, before, limit, author };
    let app = context.app.clone();
    let reply = app
        .pool
        .run_with(Cancel::new(), move |cancel| {
            let document = document(&context, &snapshot, &query, cancel)?;
            let title = format!("{} – {}", query.id, html::say(representation.lang, "lịch sử", "history"));
            let page = Page { representation, title: &title, kind: JSON, etag: &etag };
            let reply = html::reply(&context, &page, &document);
            Ok(reply.with(CONTENT_CRS, &format!("<{}>", query.crs.uri)))
        })
        .await?;
    Ok(reply.into_response())
}

/// The number of the feature with this public id, or of one that was removed: then the id is the number
/// itself, or has it after a `~`.
fn fid(snapshot: &LayerSnapshot, id: &str) -> Option<Fid> {
    match snapshot.row_of_id(id) {
        Some(row) => Some(snapshot.fid(row)),
        None => id.rsplit_once('~').map_or(id, |(_, fid)| fid).parse().ok().filter(|fid| *fid > 0),
    }
}

/// 404 for a feature that neither exists nor existed.
fn nothing(snapshot: &LayerSnapshot, id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::not_found(format!(
        "layer `{}` has and had no feature `{id}`; find a removed one by its number, which /api/changes \
            lists",
        snapshot.layer().id
    ))
}

fn document(
    context: &RequestContext,
    snapshot: &LayerSnapshot,
    query: &VersionsRequest,
    cancel: &Cancel,
) -> Result<Value, Problem> {
    let live = &context.app.live;
    let read = |error: StoreError| unreadable(&error.into());
    // One more, to know whether there are older versions.
    let mut versions =
        live.store().versions(&query.layer, query.fid, query.before - 1, query.limit + 1).map_err(read)?;
    if versions.is_empty()
        && query.before > context.city_snapshot.revision()
        && snapshot.row_of_fid(query.fid).is_none()
    {
        return Err(nothing(snapshot, &query.id));
    }
    let older = versions.len() > query.limit;
    let mut until = (query.before <= context.city_snapshot.revision()).then_some(query.before);
    let mut written = Vec::with_capacity(versions.len());
    for position in 0..versions.len().min(query.limit) {
        cancel.check().map_err(EngineError::from)?;
        let earlier = versions.get(position + 1).map(|own| own.feature.is_some());
        let version = &mut versions[position];
        let entry = live.store().log_after(version.revision - 1, 1).map_err(read)?.into_iter().next();
        let op = match (&version.feature, earlier) {
            (None, _) => "removed",
            (Some(_), Some(true)) => "changed",
            (Some(_), _) => "added",
        };
        let mut member = json!({
            "from": version.revision,
            "fromTime": entry.as_ref().map(|own| format_datetime(&own.time)),
            "until": until,
            "op": op,
            "message": entry.as_ref().map(|own| &own.meta.message),
        });
        if query.author {
            member["author"] = json!(entry.as_ref().map(|own| &own.meta.author));
        }
        member["feature"] = feature(snapshot.layer(), version, &query.crs)?;
        written.push(member);
        until = Some(version.revision);
    }
    let path = format!("/api/collections/{}", segment(query.layer.as_str()));
    let own = format!("{path}/items/{}", segment(&query.id));
    let here = |changes: &[(&str, Option<&str>)]| {
        context.base().url(&format!("{own}/history{}", query_with(&context.given, changes)))
    };
    let mut links = vec![
        link("self", JSON, "This page", here(&[("f", Some("json"))])),
        link("alternate", HTML, "This page for people", here(&[("f", Some("html"))])),
        link("latest-version", GEOJSON, "The feature now", context.base().url(&own)),
        link("collection", JSON, "The layer", context.base().url(&path)),
    ];
    if let Some(last) = until.filter(|_| older) {
        let last = last.to_string();
        links.push(link(
            "next",
            JSON,
            "Older versions",
            here(&[("before", Some(&last)), ("f", Some("json"))]),
        ));
    }
    Ok(json!({"id": query.id, "fid": query.fid, "versions": written, "links": links}))
}

/// A past version of the feature as GeoJSON, without the fields that were personal then or are now.
fn feature(now: &Layer, version: &mut Version, crs: &NamedCrs) -> Result<Value, Problem> {
    let (Some(layer), Some(feature)) = (version.layer.take(), &version.feature) else {
        return Ok(Value::Null);
    };
    let mut layer = layer;
    conceal(&mut layer, now);
    let mut builder = SnapshotBuilder::new(layer);
    builder.push(feature)?;
    let snapshot = builder.finish(version.revision);
    let mut out = Vec::new();
    FeatureWriter::new(&snapshot, crs)?.feature(&mut JsonWriter::new(&mut out), 0, |_| Ok(()))?;
    serde_json::from_slice(&out)
        .map_err(|error| Problem::internal(format!("a past version could not be written: {error}")))
}
