//! `GET /api/changes`: the revisions, page by page.

use axum::response::IntoResponse;
use citymap_engine::{Cancel, EngineError};
use citymap_model::{LayerId, RevisionNumber};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{layer_filter, unreadable};
use crate::{
    features::describe::link,
    http::{
        auth::known_writer,
        base::{PageLinks, query_with},
        html::say,
        negotiate::{DocumentFormat, Representation},
        parameters::{LAYERS, Limit, REPRESENTATION, SINCE},
        problem::Problem,
        query::{Parameter, query},
        request::{HandlerResult, RequestContext},
        response::{HTML, JSON, ResponseBuilder},
    },
};

/// Maximum number of revisions that are read for a page, if few of them are of the requested layers.
const READ_MAX: usize = 5_000;
/// A page ends when it has this many bytes; it has at least one revision.
const PAGE_BYTES: usize = 8 << 20;

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of revisions; more than the maximum counts as the maximum",
    Limit { default: |_| 100, max: |_| 1_000 },
)
.component("changes-limit");

query! {
    /// The query of `/api/changes`.
    pub(crate) struct ChangesQuery {
        since: Option<RevisionNumber> = SINCE,
        limit: usize = LIMIT,
        layers: Option<String> = LAYERS,
        representation: Representation = REPRESENTATION,
    }
}

/// What a page is made of.
struct PageRequest {
    representation: Representation,
    since: RevisionNumber,
    limit: usize,
    layers: Option<Vec<LayerId>>,
    /// Whether the client may see who wrote.
    author: bool,
}

struct RevisionPage {
    /// The revisions as JSON, oldest first.
    revisions: Vec<String>,
    /// Where the next page begins, if there is one.
    next: Option<RevisionNumber>,
}

/// The handler of `GET /api/changes`.
pub(crate) async fn changes(mut context: RequestContext) -> HandlerResult {
    let ChangesQuery { since, limit, layers, representation } = context.query()?;
    let newest = context.city_snapshot.revision();
    if let Some(since) = since.filter(|since| *since > newest) {
        return Err(Problem::parameter(format!(
            "`since={since}` is above the newest revision, {newest}; use at most {newest}, or wait with \
             min-revision"
        ))
        .into());
    }
    let layers = layer_filter(&context, layers.as_deref())?;
    let author = known_writer(&context.app.config.writers, &context.headers).is_some();
    let etag = context.etag(representation);
    let etag = if author { format!("{}-author\"", etag.trim_end_matches('"')) } else { etag };
    context.check_if_none_match(&etag)?;
    // People want the newest revisions, programs all that they have not seen.
    let start = match representation.format {
        DocumentFormat::Json => 0,
        DocumentFormat::Html => newest.saturating_sub(limit as u64),
    };
    let request = PageRequest { representation, since: since.unwrap_or(start), limit, layers, author };
    let app = context.app.clone();
    let reply = app
        .pool
        .run_with(Cancel::new(), move |cancel| {
            let page = read(&context, &request, cancel)?;
            Ok(answer(&context, &request, &page).tagged(&etag).compressed(&context.headers))
        })
        .await?;
    Ok(reply.into_response())
}

fn read(context: &RequestContext, request: &PageRequest, cancel: &Cancel) -> Result<RevisionPage, Problem> {
    let newest = context.city_snapshot.revision();
    let mut revisions = Vec::new();
    let (mut position, mut bytes, mut seen) = (request.since, 0, 0);
    'page: while position < newest {
        cancel.check().map_err(EngineError::from)?;
        let some = context.app.hub.after(&context.app.live, position).map_err(|error| unreadable(&error))?;
        if some.is_empty() {
            return Err(Problem::unavailable(
                format!("revision {} cannot be read yet; ask again in a second", position + 1),
                1,
            ));
        }
        for revision in some {
            if revision.number > newest || revisions.len() == request.limit || seen == READ_MAX {
                break 'page;
            }
            if let Some(json) = revision.json(request.layers.as_deref(), request.author) {
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

fn answer(context: &RequestContext, request: &PageRequest, page: &RevisionPage) -> ResponseBuilder {
    let representation = request.representation;
    let newest = context.city_snapshot.revision();
    let query = |since: RevisionNumber, format: &str| {
        let since = since.to_string();
        query_with(&context.given, &[("since", Some(since.as_str())), ("f", Some(format))])
    };
    let here = |since, format: &str| context.base().url(&format!("/api/changes{}", query(since, format)));
    match representation.format {
        DocumentFormat::Html => {
            let older = (request.since > 0)
                .then(|| query(request.since.saturating_sub(request.limit as u64), "html"));
            let newer = page.next.map(|next| query(next, "html"));
            let pages = [older.as_deref(), newer.as_deref()];
            let content = table(&page.revisions, pages, representation.lang, &context.page_links());
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
                link("self", JSON, "This page", here(request.since, "json")),
                link("alternate", HTML, "This page for people", here(request.since, "html")),
                link("monitor", "text/event-stream", "The same as events", context.base().url("/api/events")),
            ];
            if let Some(next) = page.next {
                links.push(link("next", JSON, "Next page", here(next, "json")));
            }
            let list = page.revisions.join(",");
            ResponseBuilder::new(
                JSON,
                format!("{{\"revisions\":[{list}],\"newest\":{newest},\"links\":{}}}", json!(links)),
            )
        }
    }
}

/// The revisions of a page as a table, newest first, with links to the pages of older and newer ones.
fn table(revisions: &[String], [older, newer]: [Option<&str>; 2], lang: &str, links: &PageLinks) -> Markup {
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
                    th scope="col" { (say(lang, "Xóa", "Removed")) }
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
                                @if let Some(source) = revision["source"].as_str() {
                                    " " span.soft { (source) } }
                            }
                        }
                        @if let Some(layer) = layers.get(position) {
                            td { a href=(links.href(&format!("/api/collections/{}",
                                layer["layer"].as_str().unwrap_or_default()))) {
                                (layer["layer"].as_str().unwrap_or_default())
                            } }
                            @for count in ["added", "changed", "removed", "rejected"] {
                                td.n { (number(&layer[count])) } }
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
