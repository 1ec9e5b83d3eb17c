//! Edits in the OpenAPI document.

use citymap_model::Layer;
use serde_json::{Map, Value, json};

use crate::{
    config::Limits,
    features::describe::layer_title,
    http::response::{GEOJSON, JSON},
    write::single::PATCH,
};

/// The security scheme: how writers authenticate.
pub(super) fn security() -> Value {
    json!({"writer": {
        "type": "http", "scheme": "bearer",
        "description": "A token that the server was started with (--writers). Without any, writing is off \
            (403).",
    }})
}

fn header(name: &str, required: bool, description: &str) -> Value {
    json!({"name": name, "in": "header", "required": required, "description": description,
        "schema": {"type": "string", "minLength": 1}})
}

fn if_match() -> Value {
    header(
        "If-Match",
        true,
        "The ETag of the feature as it was read, or * for any state. A time in If-Unmodified-Since (the \
            Last-Modified that was read) may stand for it",
    )
}

fn common() -> Vec<Value> {
    vec![header("Citymap-Message", false, "The message for the log; UTF-8, percent-encoded")]
}

fn content_crs() -> Value {
    header("Content-Crs", false, "The system of the coordinates, in its axis order; CRS84 if it is missing")
}

fn key() -> Value {
    header(
        "Idempotency-Key",
        false,
        "Any text of 1 to 255 letters. Repeating a request with the same key and body within a day gives \
            the first answer and writes nothing",
    )
}

fn operation(
    id: &str,
    summary: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Value,
) -> Value {
    let mut operation = json!({
        "tags": ["edits"], "operationId": id, "summary": summary, "parameters": parameters,
            "security": [{"writer": []}],
        "responses": answers,
    });
    operation["responses"]["default"] = json!({"$ref": "#/components/responses/problem"});
    if let Some(content) = body {
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

fn made(description: &str) -> Value {
    json!({
        "description": description,
        "headers": {"Citymap-Revision": {"description": "The revision that was \
            made", "schema": {"type": "integer"}}},
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/edited"}}},
    })
}

fn feature(properties: &Value, geometry: &Value) -> Value {
    let schema = json!({"$ref": "#/components/schemas/newFeature"});
    let example = json!({"type": "Feature", "geometry": geometry, "properties": properties});
    json!({GEOJSON: {"schema": schema, "example": example}, JSON: {"schema": schema}})
}

/// Adds the operations that edit a layer to its paths.
pub(super) fn of_layer(paths: &mut Map<String, Value>, layer: &Layer, id: &Value) {
    let (name, title) = (layer.id.as_str(), layer_title(layer, "en"));
    let body = feature(&json!({}), &Value::Null);
    let path = format!("/collections/{name}/items");
    if let Some(items) = paths.get_mut(&path) {
        let parameters = [common(), vec![content_crs(), key()]].concat();
        let mut created = made("The feature was created; Location is its address");
        created["headers"]["Location"] = json!({"schema": {"type": "string"}});
        items["post"] = operation(
            &format!("{name}.create"),
            format!("{title}: add a feature"),
            parameters,
            Some(body.clone()),
            json!({"201": created}),
        );
    }
    let Some(item) = paths.get_mut(&format!("{path}/{{id}}")) else { return };
    let parameters = |more: Vec<Value>| [vec![id.clone(), if_match()], common(), more].concat();
    item["put"] = operation(
        &format!("{name}.replace"),
        format!("{title}: replace the content of a feature"),
        parameters(vec![content_crs()]),
        Some(body),
        json!({"200": made("The feature was replaced")}),
    );
    let schema = json!({"schema": {"type": "object"}, "example": {"properties": {}}});
    item["patch"] = operation(
        &format!("{name}.update"),
        format!("{title}: change some values of a feature, or its geometry"),
        parameters(vec![content_crs()]),
        Some(json!({PATCH[0]: schema})),
        json!({"200": made("The feature was changed")}),
    );
    item["delete"] = operation(
        &format!("{name}.delete"),
        format!("{title}: remove a feature"),
        parameters(Vec::new()),
        None,
        json!({"204": {"description": "The feature was removed; earlier revisions still have it"}}),
    );
}

/// The operation that makes many edits at once.
pub(super) fn batch(limits: &Limits) -> Value {
    let schema = json!({
        "type": "object", "required": ["edits"],
        "properties": {
            "message": {"type": "string", "maxLength": crate::write::MESSAGE_CHARACTERS},
            "edits": {"type": "array", "minItems": 1, "maxItems": limits.edit.batch_edits_max, "items": {
                "type": "object", "required": ["op", "layer"],
                "properties": {
                    "op": {"type": "string", "enum": ["create", "replace", "update", "delete"]},
                    "layer": {"type": "string"},
                    "id": {"description": "The feature; not for create"},
                    "ifMatch": {"type": "string", "description": "Its ETag as it was read, or *; not for \
                        create"},
                    "feature": {"type": "object", "description": "A feature, for update a merge patch of \
                        one; not for delete"},
                },
            }},
        },
    });
    let mut done = made("All edits are one revision");
    done["content"][JSON]["schema"] = json!({"$ref": "#/components/schemas/batchDone"});
    let summary = "Make many edits, in any layers: one revision or nothing".to_owned();
    let parameters = [common(), vec![content_crs(), key()]].concat();
    operation("batch", summary, parameters, Some(json!({JSON: {"schema": schema}})), json!({"200": done}))
}

/// The schemas of edits and of their answers.
pub(super) fn schemas() -> [(&'static str, Value); 3] {
    let result = json!({
        "type": "object", "required": ["op", "layer", "id", "fid"],
        "properties": {
            "op": {"type": "string"}, "layer": {"type": "string"}, "id": {}, "fid": {"type": "integer"},
            "etag": {"description": "For If-Match; null if the feature was removed"},
        },
    });
    let mut edited = result.clone();
    edited["properties"]["revision"] = json!({"type": "integer"});
    [
        (
            "newFeature",
            json!({
                "type": "object", "required": ["type", "geometry", "properties"],
                "properties": {
                    "type": {"type": "string", "enum": ["Feature"]}, "geometry": {}, "properties": {},
                },
            }),
        ),
        ("edited", edited),
        (
            "batchDone",
            json!({
                "type": "object", "required": ["revision", "results"],
                "properties": {
                    "revision": {"type": "integer"},
                    "results": {"description": "The result of each edit, in their order; null if the answer \
                        of a repeated request is no longer known"},
                },
            }),
        ),
    ]
}
