//! Edits for machines.

use citymap_model::Layer;
use serde_json::{Map, Value, json};

use crate::{
    config::Limits,
    features::describe::layer_title,
    http::response::{GEOJSON, JSON},
    write::single::PATCH,
};

/// How writers say who they are.
pub(super) fn security() -> Value {
    json!({"writer": {
        "type": "http", "scheme": "bearer",
        "description": "A token that the server was started with (--writers). Without any, writing is off (403).",
    }})
}

fn header(name: &str, required: bool, description: &str) -> Value {
    json!({"name": name, "in": "header", "required": required, "description": description, "schema": {"type": "string"}})
}

fn if_match() -> Value {
    header("If-Match", true, "The ETag of the feature as it was read, or * for whatever is there")
}

fn common() -> Vec<Value> {
    vec![header("Citymap-Message", false, "Why, for the log; UTF-8, percent-encoded")]
}

fn content_crs() -> Value {
    header("Content-Crs", false, "The system of the coordinates, in its axis order; CRS84 without it")
}

fn key() -> Value {
    header(
        "Idempotency-Key",
        false,
        "Any text of 1 to 255 letters. A repeat with the same key and body within a day gives the first answer and writes nothing",
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
        "tags": ["edits"], "operationId": id, "summary": summary, "parameters": parameters, "security": [{"writer": []}],
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
        "headers": {"Citymap-Revision": {"description": "The revision that it made", "schema": {"type": "integer"}}},
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/edited"}}},
    })
}

fn feature(properties: &Value, geometry: &Value) -> Value {
    let schema = json!({"$ref": "#/components/schemas/newFeature"});
    let example = json!({"type": "Feature", "geometry": geometry, "properties": properties});
    json!({GEOJSON: {"schema": schema, "example": example}, JSON: {"schema": schema}})
}

/// Adds the edits of a layer to its paths.
pub(super) fn of_layer(paths: &mut Map<String, Value>, layer: &Layer, id: &Value) {
    let (name, title) = (layer.id.as_str(), layer_title(layer, "en"));
    let body = feature(&json!({}), &Value::Null);
    let path = format!("/collections/{name}/items");
    if let Some(items) = paths.get_mut(&path) {
        let parameters = [common(), vec![content_crs(), key()]].concat();
        let mut created = made("The feature is there; Location leads to it");
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
        format!("{title}: give a feature other contents"),
        parameters(vec![content_crs()]),
        Some(body),
        json!({"200": made("It has the new contents")}),
    );
    let schema = json!({"schema": {"type": "object"}, "example": {"properties": {}}});
    item["patch"] = operation(
        &format!("{name}.update"),
        format!("{title}: change some values of a feature, or its geometry"),
        parameters(vec![content_crs()]),
        Some(json!({PATCH[0]: schema})),
        json!({"200": made("It has the new values")}),
    );
    item["delete"] = operation(
        &format!("{name}.delete"),
        format!("{title}: take a feature away"),
        parameters(Vec::new()),
        None,
        json!({"204": {"description": "It is no longer there; former revisions have it"}}),
    );
}

/// Many edits at once.
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
                    "ifMatch": {"type": "string", "description": "Its ETag as it was read, or *; not for create"},
                    "feature": {"type": "object", "description": "A feature, for update a merge patch of one; not for delete"},
                },
            }},
        },
    });
    let mut done = made("All of it is one revision");
    done["content"][JSON]["schema"] = json!({"$ref": "#/components/schemas/batchDone"});
    let summary = "Make many edits, in any layers, one revision or nothing".to_owned();
    let parameters = [common(), vec![content_crs(), key()]].concat();
    operation("batch", summary, parameters, Some(json!({JSON: {"schema": schema}})), json!({"200": done}))
}

/// What edits are made of, and what they give.
pub(super) fn schemas() -> [(&'static str, Value); 3] {
    let result = json!({
        "type": "object", "required": ["op", "layer", "id", "fid"],
        "properties": {
            "op": {"type": "string"}, "layer": {"type": "string"}, "id": {}, "fid": {"type": "integer"},
            "etag": {"description": "For If-Match; null where the feature went"},
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
                    "results": {"description": "In the order of the edits: what each made; null where the answer of a repeat got lost"},
                },
            }),
        ),
    ]
}
