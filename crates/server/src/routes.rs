use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};

use crate::{
    app::App,
    archives, assets, changes,
    features::{items, landing, schema},
    health,
    http::{middleware::handle_request, problem::Problem},
    jobs, openapi, processes, questions, tiles, write,
};

/// Every path there is, the files of the web map aside. The OpenAPI document is tested against this list.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/api", get(landing::landing)),
        ("/api/conformance", get(landing::conformance)),
        ("/api/openapi.json", get(openapi::openapi)),
        ("/api/collections", get(landing::collections)),
        ("/api/collections/{layer}", get(landing::one_collection)),
        ("/api/collections/{layer}/schema", get(schema::schema)),
        ("/api/collections/{layer}/queryables", get(schema::queryables)),
        ("/api/collections/{layer}/feature-schema", get(schema::feature_schema)),
        ("/api/collections/{layer}/items", get(items::items).post(write::single::create)),
        (
            "/api/collections/{layer}/items/{id}",
            get(items::item)
                .put(write::single::replace)
                .patch(write::single::update)
                .delete(write::single::delete),
        ),
        ("/api/collections/{layer}/items/{id}/history", get(changes::history::history)),
        ("/api/collections/{layer}/tiles/WebMercatorQuad/{z}/{row}/{col}", get(tiles::ogc_tile)),
        ("/api/changes", get(changes::changes::changes).post(write::batch::batch)),
        ("/api/events", get(changes::events::events)),
        ("/api/at", get(questions::at::at)),
        ("/api/near", get(questions::near::near)),
        ("/api/within", get(questions::within::within_bbox).post(questions::within::within_area)),
        ("/api/overlay", get(questions::overlay::overlay)),
        ("/api/processes", get(processes::processes)),
        ("/api/processes/overlay", get(processes::overlay_process)),
        ("/api/processes/overlay/execution", post(jobs::execute)),
        ("/api/jobs", get(jobs::list)),
        ("/api/jobs/{job}", get(jobs::job).delete(jobs::dismiss)),
        ("/api/jobs/{job}/results", get(jobs::results)),
        ("/api/search", get(questions::search::search)),
        ("/api/transform", get(questions::transform::transform)),
        ("/tiles/{layers}", get(tiles::tilejson)),
        ("/tiles/{layers}/{z}/{x}/{y}", get(tiles::tile)),
        ("/archives", get(archives::list)),
        ("/archives/{file}", get(archives::file)),
        ("/archives/{name}/{z}/{x}/{y}", get(archives::tile)),
        ("/fonts/{fontstack}/{range}", get(assets::style)),
        ("/sprites/{file}", get(assets::style)),
        ("/styles/{file}", get(assets::style)),
        ("/health/live", get(health::live)),
        ("/health/ready", get(health::ready)),
    ]
}

/// What can be done with a route, as the `Allow` header lists it.
pub(crate) fn allowed(route: Option<&str>) -> &'static str {
    match route {
        Some("/api/collections/{layer}/items" | "/api/changes" | "/api/within") => "GET, HEAD, OPTIONS, POST",
        Some("/api/collections/{layer}/items/{id}") => "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        Some("/api/processes/overlay/execution") => "OPTIONS, POST",
        Some("/api/jobs/{job}") => "DELETE, GET, HEAD, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    }
}

/// The whole server as one service.
pub(crate) fn router(app: Arc<App>) -> Router {
    let body = app.config.limits.body_bytes_max;
    let mut router = Router::new();
    for (path, handlers) in routes() {
        router = router.route(path, handlers);
    }
    router
        .route("/", get(assets::web))
        .route("/api/", get(landing::landing))
        .route("/api/{*rest}", get(nothing_in_api))
        .fallback_service(get(assets::web).fallback(wrong_method).with_state(Arc::clone(&app)))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), handle_request))
        .layer(DefaultBodyLimit::max(body))
        .with_state(app)
}

async fn nothing_in_api() -> Problem {
    Problem::not_found("there is nothing here; /api links to all there is")
}

async fn wrong_method(request: Request) -> Response {
    let method = request.method();
    Problem::method(format!("{method} cannot be used here; the Allow header lists what can")).into_response()
}
