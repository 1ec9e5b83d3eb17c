//! The overlay: of one feature at once, of whole layers as a job.

use std::sync::Arc;

use citymap_engine::LayerSnapshot;
use serde_json::{Map, Value, json};

use super::parameters::{place, shared_ref};
use crate::{
    processes::{PROCESSES, process::Process},
    questions::overlay::{LIMIT, LIMIT_MAX},
};

/// What jobs and the overlay add to the paths.
pub(super) fn paths(paths: &mut Map<String, Value>, layers: &[Arc<LayerSnapshot>]) {
    let first = layers.first().map(|snapshot| snapshot.layer().id.to_string()).unwrap_or_default();
    let example = layers.first().and_then(|snapshot| Some(snapshot.id(snapshot.rows().next()?).to_string()));
    let query = |name: &str, say: &str, schema: Value, example: Value| json!({"name": name, "in": "query", "required": true, "description": say, "schema": schema, "example": example});
    let text = || json!({"type": "string"});
    let mut parameters = vec![
        query("layer", "The feature's layer", text(), first.clone().into()),
        query("id", "The feature's id", text(), example.unwrap_or_default().into()),
        query("with", "Layers to lay over it, with commas between", text(), first.clone().into()),
        json!({"name": "limit", "in": "query", "description": "Pieces a layer",
            "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}}),
    ];
    parameters.extend(["datetime", "revision", "min-revision", "f", "lang"].map(shared_ref));
    paths.insert(
        "/overlay".to_owned(),
        json!({"get": {
            "tags": ["questions"], "operationId": "overlay", "parameters": parameters,
            "summary": "What does one feature share with those of other layers? Areas, lengths, shares",
            "responses": answers(&json!({"200": object("The pieces, layer by layer"),
                "304": {"$ref": "#/components/responses/unchanged"}})),
        }}),
    );
    let job = place("job", "The job's id", text(), "0123456789abcdef0123456789abcdef".into());
    paths.insert(
        "/processes".to_owned(),
        get("processes", "What can be done as a job", &[], &object("The processes")),
    );
    for &process in PROCESSES {
        of_process(paths, process, &first);
    }
    paths.insert(
        "/jobs".to_owned(),
        get("jobs", "The jobs, for callers with a writer's token; for others none", &[], &object("The jobs")),
    );
    let mut one = get("job", "How far a job is", &[&job], &object("The job"));
    one["delete"] = get(
        "dismissJob",
        "Cancel a job, and take its result away",
        &[&job],
        &object("The job as it was"),
    )["get"]
        .take();
    paths.insert("/jobs/{job}".to_owned(), one);
    let file = json!({"schema": {"type": "string", "format": "binary"}});
    let kinds = ["application/vnd.apache.parquet", "application/geopackage+sqlite3", "text/csv"];
    let content: Map<String, Value> = kinds.iter().map(|kind| ((*kind).to_owned(), file.clone())).collect();
    let mut results = get(
        "jobResults",
        "The result of a job; ranges are served",
        &[&job],
        &json!({"description": "The file", "content": content}),
    );
    results["get"]["responses"]["206"] = json!({"description": "A part of the file"});
    results["get"]["responses"]["416"] = json!({"description": "The part lies beyond the file"});
    paths.insert("/jobs/{job}/results".to_owned(), results);
}

fn of_process(paths: &mut Map<String, Value>, process: &dyn Process, layer: &str) {
    let (id, description) = (process.id(), process.describe());
    let mut camel = id.to_owned();
    camel[..1].make_ascii_uppercase();
    let path = format!("/processes/{id}");
    let described = get(&format!("{id}Process"), description.summary, &[], &object("The process"));
    let required: Vec<&str> =
        description.inputs.iter().filter(|input| input.required).map(|input| input.name).collect();
    let properties: Map<String, Value> =
        description.inputs.iter().map(|input| (input.name.to_owned(), (input.openapi)())).collect();
    let inputs = json!({"type": "object", "required": required, "properties": properties});
    let execution = json!({"post": {
        "tags": ["jobs"], "operationId": format!("start{camel}"), "summary": description.start,
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": {"type": "object", "required": ["inputs"], "properties": {"inputs": inputs}},
            "example": process.example(layer),
        }}},
        "responses": answers(&json!({"201": {
            "description": "The job; Location is its address",
            "headers": {"Location": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": {"type": "object"}}},
        }})),
    }});
    paths.insert(path.clone(), described);
    paths.insert(format!("{path}/execution"), execution);
}

fn object(say: &str) -> Value {
    json!({"description": say, "content": {"application/json": {"schema": {"type": "object"}}}})
}

fn answers(good: &Value) -> Value {
    let mut all = good.clone();
    all["default"] = json!({"$ref": "#/components/responses/problem"});
    all
}

fn get(id: &str, summary: &str, parameters: &[&Value], answer: &Value) -> Value {
    json!({"get": {
        "tags": ["jobs"], "operationId": id, "summary": summary, "parameters": parameters,
        "responses": answers(&json!({"200": answer})),
    }})
}
