//! What jobs can do.

pub(crate) mod overlay;

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use crate::{
    features::describe::link,
    http::{
        base::BaseUrl,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

fn answer(document: &Value) -> HandlerResult {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// `GET /api/processes`
pub(crate) async fn processes(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let base = context.base();
    let links = [link("self", JSON, "What can be done as a job", base.url("/api/processes"))];
    answer(&json!({"processes": [summary(&base)], "links": links}))
}

/// `GET /api/processes/overlay`
pub(crate) async fn overlay_process(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let mut document = summary(&context.base());
    document["inputs"] = inputs();
    document["outputs"] = json!({"pieces": {
        "title": "The pieces",
        "description": "A row for each feature of the first layer and each of the second that share an area, a length or points: \
            both ids, both features' public fields, the measures, the shares, the shape (WGS 84)",
        "schema": {"oneOf": [
            {"type": "string", "format": "binary", "contentMediaType": "application/vnd.apache.parquet"},
            {"type": "string", "format": "binary", "contentMediaType": "application/geopackage+sqlite3"},
            {"type": "string", "contentMediaType": "text/csv"},
        ]},
    }});
    answer(&document)
}

fn summary(base: &BaseUrl) -> Value {
    json!({
        "id": "overlay", "version": env!("CARGO_PKG_VERSION"), "title": "Lay one layer on another",
        "description": "What each feature of one layer shares with each of the other, exactly, on the home grid",
        "jobControlOptions": ["async-execute", "dismiss"], "outputTransmission": ["value"],
        "links": [
            link("self", JSON, "The process", base.url("/api/processes/overlay")),
            link("http://www.opengis.net/def/rel/ogc/1.0/execute", JSON, "Start a job", base.url("/api/processes/overlay/execution")),
        ],
    })
}

fn inputs() -> Value {
    let input = |title: &str, least: u8, schema: Value| json!({"title": title, "minOccurs": least, "maxOccurs": 1, "schema": schema});
    let text = || json!({"type": "string"});
    json!({
        "layer": input("The first layer", 1, text()),
        "with": input("The second layer; one of the two has polygons", 1, text()),
        "id": input("Only this feature of the first layer", 0, text()),
        "within": input("Only features of the first layer that share a point with this polygon; it does not cut them", 0,
            json!({"format": "geojson-geometry"})),
        "filter": input("Only features with these values: {\"layer\":{\"field\":value}}", 0, json!({"type": "object"})),
        "datetime": input("Only what is valid then: an instant or an interval", 0, text()),
        "minArea": input("Leave out pieces of no more than so many m² (or m)", 0, json!({"type": "number", "minimum": 0})),
        "format": input("The form of the result", 0, json!({"type": "string", "enum": ["parquet", "gpkg", "csv"], "default": "parquet"})),
        "geometry": input("Whether pieces have their shapes", 0, json!({"type": "boolean", "default": true})),
    })
}
