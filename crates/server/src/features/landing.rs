//! The landing page, the conformance classes and the list of layers.

use axum::response::IntoResponse;
use citymap_crs::{Crs, vn2000};
use citymap_model::{AsOf, CityProfile};
use serde_json::{Value, json};

use super::pages;
use crate::{
    features::describe::{collection, link, self_links, titles},
    http::{
        html::{self, Page},
        negotiate::Representation,
        parameters::{AS_OF, REPRESENTATION},
        query::query,
        request::{HandlerResult, RequestContext, catalogue},
        response::{HTML, JSON},
    },
    maps::MAP,
    styles::STYLES,
    tiles::tilesets::{MAP_TILESETS, TILESETS},
};

/// The conformance classes that are met.
const CONFORMANCE: [&str; 62] = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/png",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/jpeg",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/collection-map",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/dataset-map",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/styled-map",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/tilesets",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/display-resolution",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/png",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/jpeg",
    "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/svg",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/global-styles",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/collection-styles",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/mapbox-styles",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss",
];

/// The relation of a link to the list of processes.
const PROCESSES_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/processes";
/// The relation of a link to the list of jobs.
const JOB_LIST_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/job-list";
/// The relation of a link to the functions that filters may call.
const FUNCTIONS_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/functions";
/// Where these functions are listed.
pub(crate) const FUNCTIONS_PATH: &str = "/api/functions";
/// The relation of a link to the list of tile matrix sets.
const TILING_SCHEMES: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes";

/// The conformance classes that are met where writing is on.
const EDITING: [&str; 5] = [
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-timestamps",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
];

/// The media type of OpenAPI 3.0 documents.
pub(crate) const OPENAPI_30: &str = "application/vnd.oai.openapi+json;version=3.0";
/// The media type of OpenAPI 3.1 documents.
pub(crate) const OPENAPI_31: &str = "application/vnd.oai.openapi+json;version=3.1";

query! {
    /// The query of documents that are the same at every revision.
    pub(crate) struct PageQuery {
        representation: Representation = REPRESENTATION,
    }
}

query! {
    /// The query of descriptions of layers.
    pub(crate) struct LayerQuery {
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api`.
pub(crate) async fn landing(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let url = |path: &str| context.base().url(path);
    let mut links = self_links(&context.base(), "/api", |format| format!("?f={format}"), JSON);
    links.extend([
        link("service-desc", OPENAPI_31, "OpenAPI 3.1", url("/api/openapi.json?version=3.1")),
        link("service-desc", OPENAPI_30, "OpenAPI 3.0", url("/api/openapi.json?version=3.0")),
        link("service-doc", HTML, "OpenAPI as a page", url("/api/openapi.json?f=html")),
        link("conformance", JSON, "Standards kept", url("/api/conformance")),
        link(
            "http://www.opengis.net/def/rel/ogc/1.0/conformance",
            JSON,
            "Standards kept",
            url("/api/conformance"),
        ),
        link(FUNCTIONS_REL, JSON, "Functions of filters", url(FUNCTIONS_PATH)),
        link("data", JSON, "Layers", url("/api/collections")),
        link("http://www.opengis.net/def/rel/ogc/1.0/data", JSON, "Layers", url("/api/collections")),
        link(TILESETS, JSON, "Vector tiles of all layers", url("/api/tiles?f=json")),
        link(STYLES, JSON, "Styles of the map", url("/api/styles?f=json")),
        link(TILING_SCHEMES, JSON, "Tile matrix sets", url("/api/tileMatrixSets?f=json")),
        link(PROCESSES_REL, JSON, "What can be done as a job", url("/api/processes")),
        link(JOB_LIST_REL, JSON, "The jobs", url("/api/jobs")),
        link("search", JSON, "Search for a place", url("/api/search?q=ben%20thanh")),
        link("version-history", JSON, "What changed", url("/api/changes")),
        link("monitor", "text/event-stream", "What changes, as it does", url("/api/events")),
        link("about", HTML, "The map", url("/")),
    ]);
    // Without features there is no extent to draw.
    if context.city_snapshot.city.layers.values().any(|layer| layer.extent().is_some()) {
        links.push(link(MAP, "image/png", "A picture of the city", url("/api/map?f=png")));
        links.push(link(MAP_TILESETS, JSON, "Tiles of the map", url("/api/map/tiles?f=json")));
    }
    let city = &context.city_snapshot.city.profile;
    let name = city.name.get(representation.lang);
    let (title, description) = if representation.lang == "en" {
        (
            format!("City map of {name}"),
            "Parcels, planning zones and infrastructure: features, questions and tiles.",
        )
    } else {
        (
            format!("Bản đồ {name}"),
            "Thửa đất, quy hoạch và hạ tầng: đối tượng, câu hỏi không gian và ô bản đồ.",
        )
    };
    let document = json!({
        "title": title,
        "description": description,
        "links": links,
        "citymap": {"revision": context.city_snapshot.revision(),
            "layers": context.city_snapshot.city.layers.len(), "version": env!("CARGO_PKG_VERSION"),
                    "city": profile(city)},
    });
    Ok(html::reply(&context, &Page { representation, title: &title, kind: JSON, etag: &etag }, &document)
        .into_response())
}

/// What the web map must know of the city.
fn profile(city: &CityProfile) -> Value {
    let home = Crs::home();
    let grid = vn2000::zone(home).map(|zone| {
        json!({"crs": home.to_string(), "name": home.name(),
               "centralMeridian": zone.central_meridian, "scale": zone.scale})
    });
    json!({
        "name": titles(&city.name),
        "mapLabel": {"vi": city.map_label.vi, "en": city.map_label.en},
        "homeCrs": home.to_string(),
        "grid": grid,
        "utcOffset": city.utc_offset.to_string(),
        "view": city.view,
        "languages": city.languages,
    })
}

/// The handler of `GET /api/conformance`.
pub(crate) async fn conformance(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let editing: &[&str] = if context.app.config.writers.is_empty() { &[] } else { &EDITING };
    let classes = [&CONFORMANCE[..], editing].concat();
    let document = json!({"conformsTo": classes});
    let title = if representation.lang == "en" { "Standards kept" } else { "Chuẩn áp dụng" };
    Ok(html::reply(&context, &Page { representation, title, kind: JSON, etag: &etag }, &document)
        .into_response())
}

/// The handler of `GET /api/functions`: what filters may call beside the operators of CQL2 (OGC API –
/// Features Part 3).
pub(crate) async fn functions(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let functions: Vec<Value> = citymap_engine::functions()
        .map(|function| {
            json!({
                "name": function.name,
                "description": function.description.get(representation.lang),
                "descriptions": titles(&function.description),
                "arguments": [{
                    "title": function.argument_title.get(representation.lang),
                    "type": function.argument_types,
                }],
                "returns": function.returns,
            })
        })
        .collect();
    let links = self_links(&context.base(), FUNCTIONS_PATH, |format| format!("?f={format}"), JSON);
    let document = json!({"functions": functions, "links": links});
    let title = if representation.lang == "en" { "Functions of filters" } else { "Hàm của bộ lọc" };
    Ok(html::reply(&context, &Page { representation, title, kind: JSON, etag: &etag }, &document)
        .into_response())
}

/// The handler of `GET /api/collections`.
pub(crate) async fn collections(mut context: RequestContext) -> HandlerResult {
    let LayerQuery { revision, representation } = context.query()?;
    context.as_of(revision).await?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let layers = catalogue(&context.city_snapshot);
    let links = self_links(&context.base(), "/api/collections", |format| format!("?f={format}"), JSON);
    let collections: Vec<_> =
        layers.iter().map(|snapshot| collection(snapshot, &context.base(), representation.lang)).collect();
    let document = json!({"links": links, "collections": collections});
    let title = if representation.lang == "en" { "Layers" } else { "Các lớp dữ liệu" };
    let page = Page { representation, title, kind: JSON, etag: &etag };
    Ok(html::reply_as(&context, &page, &document, || {
        pages::collections(&layers, representation.lang, &context.page_links())
    })
    .into_response())
}

/// The handler of `GET /api/collections/{layer}`.
pub(crate) async fn one_collection(mut context: RequestContext) -> HandlerResult {
    let LayerQuery { revision, representation } = context.query()?;
    context.as_of(revision).await?;
    let snapshot = context.layer()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let document = collection(&snapshot, &context.base(), representation.lang);
    let title = crate::features::describe::layer_title(snapshot.layer(), representation.lang);
    let page = Page { representation, title, kind: JSON, etag: &etag };
    let content = || pages::collection(&snapshot, &document, representation.lang, &context.page_links());
    Ok(html::reply_as(&context, &page, &document, content).into_response())
}
