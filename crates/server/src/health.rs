//! Whether the process runs, whether it serves the city, and what it does now.

use std::sync::atomic::Ordering;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    http::{
        problem::Problem,
        request::RequestContext,
        response::{JSON, ResponseBuilder},
    },
    work::Load,
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

/// `GET /health/load`: what the server holds and does now, next to its bounds. Numbers only.
pub(crate) async fn load(context: RequestContext) -> Result<Response, Problem> {
    context.no_query()?;
    let app = &context.app;
    let limits = &app.config.limits;
    let of = |load: Load| json!({"running": load.running, "waiting": load.waiting});
    let used = |[used, max]: [u64; 2]| json!({"used": used, "max": max});
    let connections = limits.connections_max.max(1);
    let open = connections.saturating_sub(app.connections.available_permits());
    Ok(say(json!({
        "connections": {"used": open, "max": connections},
        "bytesInFlight": used(app.in_flight.used()),
        "formerStateBytes": used([app.live.former_bytes(), limits.former_bytes_max]),
        "work": {
            "middle": of(app.pool.load()), "large": of(app.batch.load()),
            "formerStates": of(app.former.pool().load()),
            "edits": of(app.write_pool.load()), "jobs": of(app.jobs.load()),
        },
    })))
}

fn say(document: serde_json::Value) -> Response {
    ResponseBuilder::new(JSON, document.to_string()).with(header::CACHE_CONTROL, "no-store").into_response()
}
