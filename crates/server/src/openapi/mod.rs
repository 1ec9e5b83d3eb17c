//! The OpenAPI document, made from the layers, the limits and the declarations of the parameters.
//!
//! It uses only what OpenAPI 3.0 and 3.1 have in common, and names the version that the client can read: GDAL
//! asks for 3.0.

mod edits;
mod feed;
mod jobs;
mod parameters;
mod paths;
mod within;

use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::{
    features::landing::{OPENAPI_30, OPENAPI_31},
    http::{
        html::{self, Page},
        negotiate::{Representation, accepts},
        parameters::{Choice, REPRESENTATION},
        query::{Parameter, query},
        request::{HandlerResult, RequestContext, catalogue},
        response::JSON,
    },
};

pub(crate) static VERSION: Parameter<Choice> = Parameter::new(
    "version",
    "Version of OpenAPI, instead of Accept",
    Choice { values: &["3.0", "3.1"], default: None },
);

query! {
    /// The query of this document.
    pub(crate) struct OpenApiQuery {
        version: Option<&'static str> = VERSION,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api/openapi.json`.
pub(crate) async fn openapi(mut context: RequestContext) -> HandlerResult {
    let OpenApiQuery { version, representation } = context.query()?;
    let text = context
        .headers
        .get(axum::http::header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let wants = |version: &str| text.replace(' ', "").contains(version);
    let (version, kind) = if let Some(asked) = version {
        if asked == "3.0" { ("3.0.3", OPENAPI_30) } else { ("3.1.0", OPENAPI_31) }
    } else if accepts(&context.headers, "application/vnd.oai.openapi+json") {
        if wants("version=3.0") && !wants("version=3.1") {
            ("3.0.3", OPENAPI_30)
        } else {
            ("3.1.0", OPENAPI_31)
        }
    } else if accepts(&context.headers, JSON) {
        ("3.1.0", JSON)
    } else {
        ("3.1.0", OPENAPI_31)
    };
    let etag = format!("{}-{version}\"", context.etag(representation).trim_end_matches('"'));
    context.check_if_none_match(&etag)?;
    let document = document(&context, version);
    let page = Page { representation, title: "OpenAPI", kind, etag: &etag };
    Ok(html::reply(&context, &page, &document).into_response())
}

fn document(context: &RequestContext, version: &str) -> Value {
    let layers = catalogue(&context.city_snapshot);
    let limits = &context.app.config.limits;
    json!({
        "openapi": version,
        "info": {
            "title": "citymap",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Parcels, planning zones and infrastructure of a city. Positions in answers are \
                WGS 84 longitude, latitude \
                unless `crs` asks otherwise; `crs` and `bbox-crs` of features follow the axis order of the \
                authority (latitude first in \
                EPSG:4326 and EPSG:4756, easting first in every grid listed); x and y in questions are \
                easting and northing always. Every \
                answer names its data revision in the Citymap-Revision header. Every error is \
                application/problem+json.",
            "license": {"name": "Apache-2.0"},
            // Service metadata of OGC API – Common, annex B.4: the bounds of pictures.
            "x-OGC-limits": {"maps": {
                "maxWidth": limits.map_side_max, "maxHeight": limits.map_side_max,
                "maxPixels": limits.map_pixels_max,
            }},
        },
        "servers": [{"url": context.base().url("/api")}],
        "tags": [
            {"name": "features", "description": "Layers and their features (OGC API - Features)"},
            {"name": "questions", "description": "Spatial questions across layers"},
            {"name": "edits", "description": "Writing features, one by one or many as one revision; needs a \
                token"},
            {"name": "changes", "description": "What each revision changed, as pages and as a stream"},
            {"name": "jobs", "description": "Work that takes longer than a request"},
            {"name": "tiles", "description": "Vector tiles and what the style of the map needs"},
            {"name": "maps", "description": "Pictures of the map (OGC API - Maps)"},
            {"name": "styles", "description": "Styles of the map (OGC API - Styles)"},
            {"name": "health", "description": "Whether the server runs and serves the city"},
        ],
        "paths": paths::all(&layers, limits, &context.base(), !context.app.config.writers.is_empty()),
        "components": {
            "parameters": parameters::shared(limits),
            "securitySchemes": edits::security(),
            "schemas": schemas(),
            "responses": {
                "problem": {
                    "description": "The request cannot be answered; `detail` says what to do next",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}},
                    },
                },
                "busy": {
                    "description": "The server, or this client's share of it, is taken up; try again after \
                        Retry-After",
                    "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}},
                    },
                },
                "unchanged": {"description": "The client has this answer already (If-None-Match)"},
            },
        },
    })
}

fn schemas() -> Value {
    let mut schemas = shapes();
    for (name, schema) in edits::schemas().into_iter().chain(style_schemas()) {
        schemas[name] = schema;
    }
    schemas
}

/// The shapes of styles and of their lists.
fn style_schemas() -> [(&'static str, Value); 4] {
    let links = json!({"type": "array", "items": {"$ref": "#/components/schemas/link"}});
    let list = json!({
        "type": "object", "required": ["styles"],
        "properties": {
            "styles": {"type": "array", "items": {"$ref": "#/components/schemas/styleDescription"}},
            "default": {"type": "string"}, "links": links,
        },
    });
    let description = json!({
        "type": "object", "required": ["id", "links"],
        "properties": {
            "id": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"},
            "links": links,
        },
    });
    let style = json!({
        "type": "object", "required": ["version", "sources", "layers"],
        "description": "A style (MapLibre style specification)",
        "properties": {
            "version": {"type": "integer", "enum": [8]}, "name": {"type": "string"},
            "sources": {"type": "object"}, "layers": {"type": "array", "items": {"type": "object"}},
        },
    });
    let entry = json!({"type": "object", "required": ["label", "geometry", "parts"]});
    let group = json!({
        "type": "object", "required": ["collection", "title", "entries"],
        "properties": {
            "collection": {"type": "string"}, "title": {"type": "string"},
            "entries": {"type": "array", "items": entry},
        },
    });
    let legend = json!({
        "type": "object", "required": ["style", "zoom", "groups"],
        "properties": {
            "style": {"type": "string"}, "zoom": {"type": "number"},
            "groups": {"type": "array", "items": group}, "links": links,
        },
    });
    [("styles", list), ("styleDescription", description), ("style", style), ("legend", legend)]
}

fn shapes() -> Value {
    let link = json!({
        "type": "object", "required": ["href", "rel"],
        "properties": {
            "href": {"type": "string"}, "rel": {"type": "string"}, "type": {"type": "string"},
                "title": {"type": "string"},
        },
    });
    let geometry =
        json!({"type": "object", "description": "GeoJSON geometry (RFC 7946)", "required": ["type"]});
    let mut schemas = json!({
        "problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                    "detail": {"type": "string"},
            },
        },
        "link": link,
        "landingPage": {
            "type": "object", "required": ["links"],
            "properties": {
                "title": {"type": "string"}, "description": {"type": "string"},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
            },
        },
        "conformance": {
            "type": "object", "required": ["conformsTo"],
            "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}},
        },
        "collections": {
            "type": "object", "required": ["links", "collections"],
            "properties": {
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
                "collections": {"type": "array", "items": {"$ref": "#/components/schemas/collection"}},
            },
        },
        "collection": {
            "type": "object", "required": ["id", "links", "citymap"],
            "properties": {
                "id": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
                "extent": {"type": "object"}, "itemType": {"type": "string"},
                "crs": {"type": "array", "items": {"type": "string"}}, "storageCrs": {"type": "string"},
                "citymap": {
                    "type": "object",
                    "description": "Titles, role, key, fields with code lists, provenance, tiles",
                    "properties": {"shown": {
                        "type": "boolean",
                        "description": "Whether the map shows the layer before the user chooses",
                    }},
                },
            },
        },
        "geometry": geometry,
        "feature": {
            "type": "object", "required": ["type", "id", "geometry", "properties"],
            "properties": {
                "type": {"type": "string", "enum": ["Feature"]}, "id": {}, "geometry": {},
                    "properties": {"type": "object"},
            },
        },
        "featureCollection": {
            "type": "object", "required": ["type", "features"],
            "properties": {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
                "timeStamp": {"type": "string", "format": "date-time"},
                "numberMatched": {"type": "integer", "minimum": 0},
                    "numberReturned": {"type": "integer", "minimum": 0},
            },
        },
        "measure": {
            "type": "object", "required": ["value", "unit", "method"],
            "properties": {
                "value": {"type": "number"}, "unit": {"type": "string"},
                "method": {"type": "string", "enum": ["grid", "ellipsoid"]}, "crs": {"type": "string"},
            },
        },
        "at": {
            "type": "object", "required": ["point", "revision", "layers"],
            "properties": {
                "point": {"type": "object"}, "vn2000": {}, "revision": {"type": "integer"},
                "layers": {"type": "array",
                    "items": {"type": "object", "required": ["layer", "features", "truncated"]}},
            },
        },
        "within": within::answer(),
        "inside": within::sums(),
        "search": {
            "type": "object", "required": ["query", "results"],
            "properties": {
                "query": {"type": "string"}, "revision": {"type": "integer"},
                "place": {"type": "object", "required": ["label", "bbox", "matched"],
                    "description": "The place, if any, that the text names beside what it looks for; \
                        `matched` is false if nothing there fits, and all results are elsewhere"},
                "results": {"type": "array",
                    "items": {"type": "object",
                        "required": ["kind", "label", "lon", "lat", "communes", "elsewhere", "similar"]}},
            },
        },
        "transform": {
            "type": "object", "required": ["point", "results"],
            "properties": {
                "point": {"type": "object"},
                "results": {"type": "array", "items": {"type": "object", "required": ["crs", "x", "y"]}},
            },
        },
        "changes": feed::changes(),
        "history": feed::history(),
        "revision": feed::revision(),
        "tilesets": {
            "type": "object", "required": ["tilesets"],
            "properties": {"tilesets": {"type": "array", "items": {"$ref": "#/components/schemas/tileset"}}},
        },
        "tileset": {
            "type": "object", "required": ["dataType", "crs", "tileMatrixSetURI", "links"],
            "properties": {
                "dataType": {"type": "string", "enum": ["vector", "map"]}, "crs": {"type": "string"},
                "tileMatrixSetURI": {"type": "string"},
                "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
            },
        },
        "tilejson": {"type": "object", "required": ["tilejson", "tiles", "vector_layers"]},
        "schema": {"type": "object", "description": "A JSON Schema (2020-12)"},
        "load": {
            "type": "object", "required": ["connections", "bytesInFlight", "formerStateBytes", "work"],
            "properties": {
                "connections": {"$ref": "#/components/schemas/used"},
                "bytesInFlight": {"$ref": "#/components/schemas/used"},
                "formerStateBytes": {"$ref": "#/components/schemas/used"},
                "work": {"type": "object", "additionalProperties": {
                    "type": "object", "required": ["running", "waiting"],
                    "properties": {"running": {"type": "integer"}, "waiting": {"type": "integer"}},
                }},
            },
        },
        "used": {
            "type": "object", "required": ["used", "max"],
            "properties": {"used": {"type": "integer"}, "max": {"type": "integer"}},
        },
        "health": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
    });
    schemas["functions"] = functions();
    schemas["explanation"] = explanation();
    schemas
}

/// The list of functions (OGC API – Features Part 3).
fn functions() -> Value {
    let kind = json!({"type": "string",
        "enum": ["string", "number", "integer", "datetime", "geometry", "boolean"]});
    let argument = json!({
        "type": "object", "required": ["type"],
        "properties": {"title": {"type": "string"}, "type": {"type": "array", "items": kind}},
    });
    json!({
        "type": "object", "required": ["functions"],
        "properties": {
            "functions": {"type": "array", "items": {
                "type": "object", "required": ["name", "returns"],
                "properties": {
                    "name": {"type": "string"}, "description": {"type": "string"},
                    "descriptions": {"type": "object", "description": "The description in each language"},
                    "arguments": {"type": "array", "items": argument},
                    "returns": {"type": "array", "items": kind},
                },
            }},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    })
}

/// How the features of a page were found.
fn explanation() -> Value {
    json!({
        "type": "object",
        "required": ["layer", "features", "index", "candidates", "tested", "numberReturned", "milliseconds"],
        "properties": {
            "layer": {"type": "string"}, "revision": {"type": "integer"}, "filter": {"type": "string"},
            "features": {"type": "integer", "description": "Features of the layer"},
            "index": {"type": "string", "enum": ["none", "ids", "key", "space"]},
            "candidates": {"type": "integer", "description": "Features that the index left"},
            "tested": {"type": "integer", "description": "Candidates that were tested"},
            "numberReturned": {"type": "integer"},
            "more": {"type": "boolean", "description": "Whether there is a page after this one"},
            "milliseconds": {"type": "number"},
        },
    })
}
