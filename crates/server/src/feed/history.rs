//! `GET /api/collections/{layer}/items/{id}/history`: what became of one feature.

use axum::{http::HeaderName, response::IntoResponse};
use citymap_access::conceal;
use citymap_engine::{LayerSnapshot, SnapshotBuilder};
use citymap_model::{Fid, Layer, LayerId, RevisionNumber, format_datetime};
use citymap_store::{StoreError, Version};
use serde_json::{Value, json};

use super::trouble;
use crate::{
    ask::{Answer, Ask},
    auth::known_writer,
    base::{query_with, segment},
    coords::NamedCrs,
    describe::link,
    geojson::FeatureWriter,
    html,
    problem::Problem,
    reply::{GEOJSON, HTML, JSON},
};

/// Versions a page at most, and where none is asked for.
pub(crate) const LIMIT: usize = 100;

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");

struct Question {
    layer: LayerId,
    /// As the path has it.
    id: String,
    fid: Fid,
    crs: NamedCrs,
    /// Versions of revisions below this one.
    before: RevisionNumber,
    limit: usize,
    /// Whether the one who asks may know who wrote.
    author: bool,
}

/// `GET /api/collections/{layer}/items/{id}/history`
pub(crate) async fn history(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    let snapshot = ask.layer()?;
    let crs = ask
        .params
        .take("crs")?
        .map_or_else(|| Ok(NamedCrs::crs84()), |text| NamedCrs::parse("crs", &text))?;
    let above = ask.scene.revision() + 1;
    let before = ask.params.number("before", 1, RevisionNumber::MAX)?.unwrap_or(above).min(above);
    let limit = ask.params.limit(LIMIT, LIMIT)?;
    ask.no_more(&["before", "limit", "crs"])?;
    let id = ask.place("id").to_owned();
    let fid = fid(&snapshot, &id).ok_or_else(|| nothing(&snapshot, &id))?;
    let author = known_writer(&ask.app, &ask.headers).is_some();
    let mut etag = ask.etag(view);
    if author {
        etag = format!("{}-author\"", etag.trim_end_matches('"'));
    }
    ask.unless_known(&etag)?;
    let layer = snapshot.layer().id.clone();
    let question = Question { layer, id, fid, crs, before, limit, author };
    let app = ask.app.clone();
    let reply = app
        .pool
        .run(move || {
            let document = document(&ask, &snapshot, &question)?;
            let title = format!("{} – {}", question.id, html::say(view.lang, "lịch sử", "history"));
            // A refusal is all that this can end with: the client's tag was looked at before.
            let reply = html::reply(&ask, view, &title, JSON, &document, &etag)
                .map_err(|_stop| Problem::internal("the history could not be written"))?;
            Ok(reply.with(CONTENT_CRS, &format!("<{}>", question.crs.uri)))
        })
        .await?;
    Ok(reply.into_response())
}

/// The number of the feature that the outside calls so now, or of one that is no longer there: its number itself, or what
/// stands behind the `~` of its id.
fn fid(snapshot: &LayerSnapshot, id: &str) -> Option<Fid> {
    match snapshot.row_of_id(id) {
        Some(row) => Some(snapshot.fid(row)),
        None => id.rsplit_once('~').map_or(id, |(_, fid)| fid).parse().ok().filter(|fid| *fid > 0),
    }
}

fn nothing(snapshot: &LayerSnapshot, id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::not_found(format!(
        "layer `{}` has and had no feature `{id}`; one that was removed is found by its number, which /api/changes tells",
        snapshot.layer().id
    ))
}

fn document(ask: &Ask, snapshot: &LayerSnapshot, question: &Question) -> Result<Value, Problem> {
    let live = &ask.app.live;
    let read = |error: StoreError| trouble(&error.into());
    // One more, to see whether there are older ones.
    let mut versions = live
        .store()
        .versions(&question.layer, question.fid, question.before - 1, question.limit + 1)
        .map_err(read)?;
    if versions.is_empty()
        && question.before > ask.scene.revision()
        && snapshot.row_of_fid(question.fid).is_none()
    {
        return Err(nothing(snapshot, &question.id));
    }
    let older = versions.len() > question.limit;
    let mut until = (question.before <= ask.scene.revision()).then_some(question.before);
    let mut written = Vec::with_capacity(versions.len());
    for position in 0..versions.len().min(question.limit) {
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
        if question.author {
            member["author"] = json!(entry.as_ref().map(|own| &own.meta.author));
        }
        member["feature"] = feature(snapshot.layer(), version, &question.crs)?;
        written.push(member);
        until = Some(version.revision);
    }
    let path = format!("/api/collections/{}", segment(question.layer.as_str()));
    let own = format!("{path}/items/{}", segment(&question.id));
    let here = |changes: &[(&str, Option<&str>)]| {
        ask.base().url(&format!("{own}/history{}", query_with(&ask.given, changes)))
    };
    let mut links = vec![
        link("self", JSON, "This page", here(&[("f", Some("json"))])),
        link("alternate", HTML, "This page for people", here(&[("f", Some("html"))])),
        link("latest-version", GEOJSON, "The feature now", ask.base().url(&own)),
        link("collection", JSON, "The layer", ask.base().url(&path)),
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
    Ok(json!({"id": question.id, "fid": question.fid, "versions": written, "links": links}))
}

/// A former feature as GeoJSON, without the fields that were personal then or are now.
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
    FeatureWriter::new(&snapshot, crs)?.feature(&mut out, 0, |_| {})?;
    serde_json::from_slice(&out)
        .map_err(|error| Problem::internal(format!("a former feature could not be written: {error}")))
}
