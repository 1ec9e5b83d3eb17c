use axum::response::IntoResponse;
use serde_json::json;

use crate::{
    ask::{Answer, Ask, catalogue},
    describe::{collection, link, self_links},
    html,
    reply::{HTML, JSON},
};

/// What of the standards is kept.
const CONFORMANCE: [&str; 15] = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/core-roles-features",
];

/// What OpenAPI 3.1 documents are.
pub(crate) const OPENAPI_31: &str = "application/vnd.oai.openapi+json;version=3.1";

/// `GET /api`
pub(crate) async fn landing(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.no_more(&[])?;
    let etag = ask.etag(view);
    ask.unless_known(&etag)?;
    let url = |path: &str| ask.base().url(path);
    let mut links = self_links(&ask.base(), "/api", |format| format!("?f={format}"), JSON);
    links.extend([
        link("service-desc", OPENAPI_31, "OpenAPI", url("/api/openapi.json")),
        link("service-doc", HTML, "OpenAPI as a page", url("/api/openapi.json?f=html")),
        link("conformance", JSON, "Standards kept", url("/api/conformance")),
        link("data", JSON, "Layers", url("/api/collections")),
        link("http://www.opengis.net/def/rel/ogc/1.0/data", JSON, "Layers", url("/api/collections")),
        link("search", JSON, "Search for a place", url("/api/search?q=ben%20thanh")),
        link("version-history", JSON, "What changed", url("/api/changes")),
        link("monitor", "text/event-stream", "What changes, as it does", url("/api/events")),
        link("about", HTML, "The map", url("/")),
    ]);
    let (title, description) = if view.lang == "en" {
        (
            "City map of Ho Chi Minh City",
            "Parcels, planning zones and infrastructure: features, questions and tiles.",
        )
    } else {
        (
            "Bản đồ Thành phố Hồ Chí Minh",
            "Thửa đất, quy hoạch và hạ tầng: đối tượng, câu hỏi không gian và ô bản đồ.",
        )
    };
    let document = json!({
        "title": title,
        "description": description,
        "links": links,
        "citymap": {"revision": ask.scene.revision(), "layers": ask.scene.city.layers.len(), "version": env!("CARGO_PKG_VERSION")},
    });
    html::reply(&ask, view, title, JSON, &document, &etag).map(IntoResponse::into_response)
}

/// `GET /api/conformance`
pub(crate) async fn conformance(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.no_more(&[])?;
    let etag = ask.etag(view);
    ask.unless_known(&etag)?;
    let document = json!({"conformsTo": CONFORMANCE});
    let title = if view.lang == "en" { "Standards kept" } else { "Chuẩn áp dụng" };
    html::reply(&ask, view, title, JSON, &document, &etag).map(IntoResponse::into_response)
}

/// `GET /api/collections`
pub(crate) async fn collections(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.as_of().await?;
    ask.no_more(&["revision"])?;
    let etag = ask.etag(view);
    ask.unless_known(&etag)?;
    let layers = catalogue(&ask.scene);
    let links = self_links(&ask.base(), "/api/collections", |format| format!("?f={format}"), JSON);
    let collections: Vec<_> =
        layers.iter().map(|snapshot| collection(snapshot, &ask.base(), view.lang)).collect();
    let document = json!({"links": links, "collections": collections});
    let title = if view.lang == "en" { "Layers" } else { "Các lớp dữ liệu" };
    html::reply_as(&ask, view, title, JSON, &document, &etag, || html::pages::collections(&layers, view.lang))
        .map(IntoResponse::into_response)
}

/// `GET /api/collections/{layer}`
pub(crate) async fn one_collection(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.as_of().await?;
    ask.no_more(&["revision"])?;
    let snapshot = ask.layer()?;
    let etag = ask.etag(view);
    ask.unless_known(&etag)?;
    let document = collection(&snapshot, &ask.base(), view.lang);
    let title = crate::describe::layer_title(snapshot.layer(), view.lang);
    html::reply_as(&ask, view, title, JSON, &document, &etag, || {
        html::pages::collection(&snapshot, view.lang)
    })
    .map(IntoResponse::into_response)
}
