//! Whether the process runs, and whether it serves the city.

use std::sync::atomic::Ordering;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::http::{
    problem::Problem,
    request::RequestContext,
    response::{JSON, ResponseBuilder},
};

/// `GET /health/live`: the process runs.
pub(crate) async fn live() -> Response {
    say(json!({"status": "live"}))
}

/// `GET /health/ready`: the city is in memory, its store answers, and the server is not stopping.
pub(crate) async fn ready(context: RequestContext) -> Result<Response, Problem> {
    if context.app.stopping.load(Ordering::Relaxed) {
        return Err(Problem::unavailable("the server is stopping; use another one", 5));
    }
    // The reason names the store, which is of no concern to the public; the log has it.
    if context.app.live.failure().is_some() {
        let revision = context.city_snapshot.revision();
        return Err(Problem::unavailable(
            format!("the store does not answer, revision {revision} is served from memory"),
            5,
        ));
    }
    Ok(say(json!({"status": "ready", "revision": context.city_snapshot.revision(),
            "layers": context.city_snapshot.city.layers.len()})))
}

fn say(document: serde_json::Value) -> Response {
    ResponseBuilder::new(JSON, document.to_string()).with(header::CACHE_CONTROL, "no-store").into_response()
}
