use citymap_search::SearchQuery;
use serde_json::{Value, json};

use super::{WorkSize, answer};
use crate::http::{
    coords::maybe_point,
    problem::Problem,
    request::{HandlerResult, RequestContext},
    response::JSON,
};

/// The parameters of `/api/search`.
pub(crate) const KNOWN: [&str; 7] = ["q", "limit", "lon", "lat", "x", "y", "crs"];
/// Answers where no number is asked for.
pub(crate) const LIMIT: usize = 10;
/// Letters of a question at most.
pub(crate) const LETTERS: usize = 200;

/// `GET /api/search`: places by name, key, address or coordinates.
pub(crate) async fn search(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    let Some(text) = context.params.take("q")? else {
        return Err(Problem::parameter(
            "`q` is missing; write q=ben thanh, q=123/4 Nguyễn Trãi or q=26740-12-345",
        )
        .into());
    };
    if text.chars().count() > LETTERS {
        return Err(
            Problem::parameter(format!("`q` is longer than {LETTERS} letters; leave words out")).into()
        );
    }
    let limit = context.params.limit(LIMIT, context.app.config.limits.search_limit_max)?;
    let near = maybe_point(&mut context.params)?;
    context.no_more(&KNOWN)?;
    if !context.city_snapshot.names_ready() {
        return Err(Problem::unavailable(
            "the names are being indexed, which takes some seconds after the server's start; ask again",
            1,
        )
        .into());
    }
    let etag = context.etag(representation);
    answer(context, representation, ("Tìm kiếm", "Search"), JSON, Some(etag), WorkSize::Middle, move |context| {
        let query = SearchQuery { text: text.clone(), limit, near };
        let hits = context.city_snapshot.find(&query);
        let results: Vec<Value> = hits
            .into_iter()
            .map(|hit| {
                json!({
                    "kind": hit.kind.as_str(), "layer": hit.layer.map(|id| id.to_string()), "id": hit.id.map(|id| id.to_json()),
                    "label": hit.label, "detail": hit.detail, "lon": hit.lonlat.map(|at| at[0]), "lat": hit.lonlat.map(|at| at[1]),
                    "bbox": hit.bbox.map(|bbox| [bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]]),
                    "precision": hit.precision.as_str(), "score": hit.score,
                })
            })
            .collect();
        Ok(json!({"query": text, "revision": context.city_snapshot.revision(), "results": results}).to_string().into_bytes())
    })
    .await
}
