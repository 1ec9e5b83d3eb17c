//! `GET /api/changes`: the revisions, page by page.

use axum::response::IntoResponse;
use citymap_model::{LayerId, RevisionNumber};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{filter, unreadable};
use crate::{
    features::describe::link,
    http::{
        auth::known_writer,
        base::query_with,
        html::say,
        negotiate::{DocumentFormat, Representation},
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::{HTML, JSON, ResponseBuilder},
    },
};

/// Revisions a page where none is asked for.
pub(crate) const LIMIT: usize = 100;
/// Revisions a page at most.
pub(crate) const LIMIT_MAX: usize = 1_000;
/// Revisions looked at for a page at most, where few are of the layers asked for.
const LOOKED_AT: usize = 5_000;
/// Bytes after which a page ends; at least one revision is on it.
const PAGE_BYTES: usize = 8 << 20;

struct ChangesQuery {
    since: RevisionNumber,
    limit: usize,
    layers: Option<Vec<LayerId>>,
    /// Whether the one who asks may know who wrote.
    author: bool,
}

struct RevisionPage {
    revisions: Vec<String>,
    /// Where the next page begins, if there is one.
    next: Option<RevisionNumber>,
}

/// `GET /api/changes`
pub(crate) async fn changes(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    let newest = context.city_snapshot.revision();
    let since = context.params.number("since", 0, RevisionNumber::MAX - 1)?;
    if let Some(since) = since.filter(|since| *since > newest) {
        return Err(Problem::parameter(format!(
            "`since={since}` is above the newest revision, {newest}; ask with {newest} or less, or wait by min-revision"
        ))
        .into());
    }
    let limit = context.params.limit(LIMIT, LIMIT_MAX)?;
    let layers = filter(&mut context)?;
    context.no_more(&["since", "limit", "layers"])?;
    let author = known_writer(&context.app.config.writers, &context.headers).is_some();
    let etag = context.etag(representation);
    let etag = if author { format!("{}-author\"", etag.trim_end_matches('"')) } else { etag };
    context.check_if_none_match(&etag)?;
    // People come for what is new, programs for what they have not seen.
    let start = match representation.format {
        DocumentFormat::Json => 0,
        DocumentFormat::Html => newest.saturating_sub(limit as u64),
    };
    let query = ChangesQuery { since: since.unwrap_or(start), limit, layers, author };
    let app = context.app.clone();
    let reply = app
        .pool
        .run(move || {
            let page = read(&context, &query)?;
            Ok(answer(&context, representation, &query, &page).tagged(&etag).compressed(&context.headers))
        })
        .await?;
    Ok(reply.into_response())
}

fn read(context: &RequestContext, query: &ChangesQuery) -> Result<RevisionPage, Problem> {
    let newest = context.city_snapshot.revision();
    let mut revisions = Vec::new();
    let (mut position, mut bytes, mut seen) = (query.since, 0, 0);
    'page: while position < newest {
        let some = context.app.hub.after(&context.app.live, position).map_err(|error| unreadable(&error))?;
        if some.is_empty() {
            return Err(Problem::unavailable(
                format!("revision {} cannot be read yet; ask again in a second", position + 1),
                1,
            ));
        }
        for revision in some {
            if revision.number > newest || revisions.len() == query.limit || seen == LOOKED_AT {
                break 'page;
            }
            if let Some(json) = revision.json(query.layers.as_deref(), query.author) {
                if !revisions.is_empty() && bytes + json.len() > PAGE_BYTES {
                    break 'page;
                }
                bytes += json.len();
                revisions.push(json);
            }
            position = revision.number;
            seen += 1;
        }
    }
    Ok(RevisionPage { revisions, next: (position < newest).then_some(position) })
}

fn answer(
    context: &RequestContext,
    representation: Representation,
    query: &ChangesQuery,
    page: &RevisionPage,
) -> ResponseBuilder {
    let newest = context.city_snapshot.revision();
    let here = |since: RevisionNumber, format: &str| {
        let since = since.to_string();
        let changes = [("since", Some(since.as_str())), ("f", Some(format))];
        format!("/api/changes{}", query_with(&context.given, &changes))
    };
    match representation.format {
        DocumentFormat::Html => {
            let older =
                (query.since > 0).then(|| here(query.since.saturating_sub(query.limit as u64), "html"));
            let newer = page.next.map(|next| here(next, "html"));
            let content = table(&page.revisions, older.as_deref(), newer.as_deref(), representation.lang);
            ResponseBuilder::new(
                HTML,
                crate::http::html::page(
                    context,
                    representation,
                    say(representation.lang, "Thay đổi", "Changes"),
                    &content,
                ),
            )
        }
        DocumentFormat::Json => {
            let mut links = vec![
                link("self", JSON, "This page", context.base().url(&here(query.since, "json"))),
                link(
                    "alternate",
                    HTML,
                    "This page for people",
                    context.base().url(&here(query.since, "html")),
                ),
                link("monitor", "text/event-stream", "The same as events", context.base().url("/api/events")),
            ];
            if let Some(next) = page.next {
                links.push(link("next", JSON, "Next page", context.base().url(&here(next, "json"))));
            }
            let list = page.revisions.join(",");
            ResponseBuilder::new(
                JSON,
                format!("{{\"revisions\":[{list}],\"newest\":{newest},\"links\":{}}}", json!(links)),
            )
        }
    }
}

/// The revisions of a page as a table, newest first.
fn table(revisions: &[String], older: Option<&str>, newer: Option<&str>, lang: &str) -> Markup {
    let revisions: Vec<Value> =
        revisions.iter().rev().filter_map(|json| serde_json::from_str(json).ok()).collect();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    html! {
        @if revisions.is_empty() { p { (say(lang, "Không có thay đổi nào.", "No changes.")) } }
        @else {
            div.wide { table {
                thead { tr {
                    th scope="col" { (say(lang, "Phiên bản", "Revision")) }
                    th scope="col" { (say(lang, "Thời điểm (UTC)", "Time (UTC)")) }
                    th scope="col" { (say(lang, "Nội dung", "Message")) }
                    th scope="col" { (say(lang, "Lớp", "Layer")) }
                    th scope="col" { (say(lang, "Thêm", "Added")) }
                    th scope="col" { (say(lang, "Sửa", "Changed")) }
                    th scope="col" { (say(lang, "Xoá", "Removed")) }
                    th scope="col" { (say(lang, "Bị loại", "Rejected")) }
                } }
                tbody { @for revision in &revisions {
                    @let layers = revision["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
                    @let rows = layers.len().max(1);
                    @for position in 0..rows { tr {
                        @if position == 0 {
                            th scope="rowgroup" rowspan=(rows) { (number(&revision["revision"])) }
                            td.n rowspan=(rows) { (revision["time"].as_str().unwrap_or_default()) }
                            td rowspan=(rows) {
                                (revision["message"].as_str().unwrap_or_default())
                                @if let Some(source) = revision["source"].as_str() { " " span.soft { (source) } }
                            }
                        }
                        @if let Some(layer) = layers.get(position) {
                            td { a href=(format!("/api/collections/{}", layer["layer"].as_str().unwrap_or_default())) {
                                (layer["layer"].as_str().unwrap_or_default())
                            } }
                            @for count in ["added", "changed", "removed", "rejected"] { td.n { (number(&layer[count])) } }
                        } @else { td colspan="5" {} }
                    } }
                } }
            } }
        }
        div.pages {
            @if let Some(newer) = newer { a href=(newer) rel="prev" { (say(lang, "← Mới hơn", "← Newer")) } }
            @if let Some(older) = older { a href=(older) rel="next" { (say(lang, "Cũ hơn →", "Older →")) } }
        }
    }
}
