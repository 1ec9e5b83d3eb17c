//! Which handler answers which path.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};

use crate::{
    app::App,
    archives, assets, changes,
    features::{items, landing, schema},
    health,
    http::{
        feature_path::join_id,
        methods::{complete_allow, method_not_allowed},
        middleware::handle_request,
        prefix::{removable, remove},
        problem::Problem,
    },
    jobs, maps, openapi,
    processes::{self, PROCESSES, routes::no_such_process},
    questions, styles,
    tiles::{self, tilesets},
    write,
};

/// The paths of maps, below which their tiles are.
const MAPS: [&str; 4] = [
    "/api/map",
    "/api/styles/{styleId}/map",
    "/api/collections/{layer}/map",
    "/api/collections/{layer}/styles/{styleId}/map",
];

/// Every path except the files of the web map. The OpenAPI document is tested against this list.
pub(crate) fn routes() -> Vec<(String, MethodRouter<Arc<App>>)> {
    let fixed: Vec<(&str, MethodRouter<Arc<App>>)> = vec![
        ("/api", get(landing::landing)),
        ("/api/conformance", get(landing::conformance)),
        (landing::FUNCTIONS_PATH, get(landing::functions)),
        ("/api/openapi.json", get(openapi::openapi)),
        ("/api/collections", get(landing::collections)),
        ("/api/collections/{layer}", get(landing::one_collection)),
        ("/api/collections/{layer}/schema", get(schema::schema)),
        ("/api/collections/{layer}/queryables", get(schema::queryables)),
        ("/api/collections/{layer}/feature-schema", get(schema::feature_schema)),
        ("/api/collections/{layer}/gdal-schema", get(schema::gdal_schema)),
        ("/api/collections/{layer}/items", get(items::items).post(write::single::create)),
        ("/api/collections/{layer}/bulk-items", get(items::bulk_items)),
        ("/api/collections/{layer}/bulk-items/{id}", get(items::item)),
        (
            "/api/collections/{layer}/items/{id}",
            get(items::item)
                .put(write::single::replace)
                .patch(write::single::update)
                .delete(write::single::delete),
        ),
        ("/api/collections/{layer}/items/{id}/history", get(changes::history::history)),
        ("/api/collections/{layer}/map", get(maps::layer)),
        ("/api/collections/{layer}/styles/{styleId}/map", get(maps::styled_layer)),
        ("/api/map", get(maps::city)),
        ("/api/styles/{styleId}/map", get(maps::styled)),
        ("/api/collections/{layer}/tiles", get(tilesets::of_layer)),
        ("/api/collections/{layer}/tiles/WebMercatorQuad", get(tilesets::layer_tileset)),
        (
            "/api/collections/{layer}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}",
            get(tilesets::layer_tile),
        ),
        ("/api/collections/{layer}/styles", get(styles::lists::of_layer)),
        ("/api/collections/{layer}/styles/{styleId}", get(styles::documents::collection_style)),
        ("/api/styles", get(styles::lists::of_city)),
        ("/api/styles/{styleId}", get(styles::documents::style)),
        ("/api/styles/{styleId}/legend", get(styles::legend::legend)),
        ("/api/styles/{styleId}/metadata", get(styles::lists::metadata)),
        ("/api/tiles", get(tilesets::of_city)),
        ("/api/tiles/WebMercatorQuad", get(tilesets::city_tileset)),
        ("/api/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}", get(tilesets::city_tile)),
        ("/api/tileMatrixSets", get(tilesets::matrix_sets)),
        ("/api/tileMatrixSets/WebMercatorQuad", get(tilesets::matrix_set)),
        ("/api/changes", get(changes::pages::changes).post(write::batch::batch)),
        ("/api/events", get(changes::events::events)),
        ("/api/at", get(questions::at::at)),
        ("/api/near", get(questions::near::near)),
        ("/api/within", get(questions::within::within_bbox).post(questions::within::within_area)),
        ("/api/overlay", get(questions::overlay::overlay)),
        ("/api/parcels/{id}/report", get(questions::report::report)),
        ("/api/reports/verify", get(questions::verify::verify).post(questions::verify::verify_document)),
        ("/api/parcels/{id}/lineage", get(questions::lineage::lineage)),
        ("/api/drafts/impact", post(questions::draft::impact)),
        ("/api/processes", get(processes::routes::list)),
        ("/api/jobs", get(jobs::status::list)),
        ("/api/jobs/{job}", get(jobs::status::job).delete(jobs::status::dismiss)),
        ("/api/jobs/{job}/results", get(jobs::results::results)),
        ("/api/jobs/{job}/results/{output}", get(jobs::results::output)),
        ("/api/search", get(questions::search::search)),
        ("/api/transform", get(questions::transform::transform)),
        ("/tiles/{layers}", get(tiles::tilejson)),
        ("/tiles/{layers}/{z}/{x}/{y}", get(tiles::tile)),
        ("/archives", get(archives::list)),
        ("/archives/{file}", get(archives::file)),
        ("/archives/{name}/{z}/{x}/{y}", get(archives::tile)),
        ("/fonts/{fontstack}/{range}", get(assets::style_file)),
        ("/sprites/{file}", get(assets::style_file)),
        ("/styles/{file}", get(assets::style_file)),
        ("/health/live", get(health::live)),
        ("/health/ready", get(health::ready)),
        ("/health/load", get(health::load)),
    ];
    let mut routes: Vec<_> = fixed.into_iter().map(|(path, methods)| (path.to_owned(), methods)).collect();
    for owner in MAPS {
        routes.push((format!("{owner}/tiles"), get(tilesets::of_map)));
        routes.push((format!("{owner}/tiles/WebMercatorQuad"), get(tilesets::map_tileset)));
        let tile = format!("{owner}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}");
        routes.push((tile, get(maps::tiles::tile)));
    }
    for &process in PROCESSES {
        let path = format!("/api/processes/{}", process.id());
        let execution = format!("{path}/execution");
        routes.push((path, get(move |context| processes::routes::describe(process, context))));
        let execute = move |State(app), request| processes::routes::execute(process, app, request);
        routes.push((execution, post(execute)));
    }
    routes
}

/// The whole server as one service.
pub(crate) fn router(app: Arc<App>) -> Router {
    let body = app.config.limits.body_bytes_max;
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(&path, methods);
    }
    let routed = router
        .route("/", get(assets::web))
        .route("/api/", get(landing::landing))
        .route("/api/processes/{process}", get(no_such_process))
        .route("/api/processes/{process}/execution", post(no_such_process))
        .route("/api/{*rest}", get(nothing_in_api))
        .fallback_service(get(assets::web).fallback(method_not_allowed).with_state(Arc::clone(&app)))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), handle_request))
        .layer(DefaultBodyLimit::max(body))
        .with_state(Arc::clone(&app));
    let prefix = removable(app.config.base_url.as_deref());
    let whole = Router::new()
        .fallback_service(routed)
        .layer(from_fn_with_state(app, complete_allow))
        .layer(from_fn(join_id));
    match prefix {
        Some(prefix) => Router::new().fallback_service(whole).layer(from_fn_with_state(prefix, remove)),
        None => whole,
    }
}

async fn nothing_in_api() -> Problem {
    Problem::not_found("there is nothing here; /api links to everything")
}
