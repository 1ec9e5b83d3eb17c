//! The paths of overlays and jobs.

use std::sync::Arc;

use citymap_engine::LayerSnapshot;
use citymap_model::Role;
use serde_json::{Map, Value, json};

use super::parameters::{path_parameter, shared_ref};
use crate::{
    config::Limits,
    http::query::Query,
    jobs::status::JobsQuery,
    processes::{PROCESSES, print::PDF, process::Process, routes::ProcessesQuery},
    questions::{
        draft::{DraftQuery, bounds},
        lineage::LineageQuery,
        overlay::OverlayQuery,
        report::ReportQuery,
        verify::{VerifyDocumentQuery, VerifyQuery},
    },
};

/// Adds the paths of overlays, processes and jobs.
pub(super) fn paths(paths: &mut Map<String, Value>, layers: &[Arc<LayerSnapshot>], limits: &Limits) {
    let first = layers.first().map(|snapshot| snapshot.layer().id.to_string()).unwrap_or_default();
    let example = layers.first().and_then(|snapshot| Some(snapshot.id(snapshot.rows().next()?).to_string()));
    let text = || json!({"type": "string"});
    // The parameters of a feature have examples from the data; the others are shared.
    let examples = [("layer", &first), ("id", &example.unwrap_or_default()), ("with", &first)];
    let parameters: Vec<Value> = OverlayQuery::declared()
        .into_iter()
        .map(|parameter| match examples.iter().find(|(name, _)| *name == parameter.name()) {
            Some((_, example)) => parameter.object(limits, Some(example)),
            None if parameter.name() == "limit" => parameter.object(limits, None),
            None => shared_ref(parameter),
        })
        .collect();
    paths.insert(
        "/overlay".to_owned(),
        json!({"get": {
            "tags": ["questions"], "operationId": "overlay", "parameters": parameters,
            "summary": "What does one feature share with those of other layers? Areas, lengths, shares",
            "responses": answers(&json!({"200": document("The pieces, layer by layer"),
                "304": {"$ref": "#/components/responses/unchanged"}})),
        }}),
    );
    let id = path_parameter("id", "The parcel's id", text(), example_parcel(layers).into());
    let mut parameters = vec![id];
    parameters.extend(references::<ReportQuery>());
    let mut report = document("Areas, pieces in order of precedence, corners");
    report["content"][PDF] = json!({"schema": {"type": "string", "format": "binary"}});
    paths.insert(
        "/parcels/{id}/report".to_owned(),
        json!({"get": {
            "tags": ["questions"], "operationId": "parcelReport", "parameters": parameters,
            "summary": "What is planned on a parcel, which plan prevails, what do rights-of-way cut off?",
            "responses": answers(&json!({"200": report,
                "304": {"$ref": "#/components/responses/unchanged"}})),
        }}),
    );
    let id = path_parameter("id", "The parcel's id, in either state", text(), example_parcel(layers).into());
    let mut parameters = vec![id];
    parameters.extend(references::<LineageQuery>());
    paths.insert(
        "/parcels/{id}/lineage".to_owned(),
        json!({"get": {
            "tags": ["questions"], "operationId": "parcelLineage", "parameters": parameters,
            "summary": "What became of a parcel between two states, and where did it come from?",
            "responses": answers(&json!({"200": document("The event that the parcel took part in")})),
        }}),
    );
    paths.insert("/reports/verify".to_owned(), verify());
    paths.insert("/drafts/impact".to_owned(), draft(limits));
    let job = path_parameter("job", "The job's id", text(), "0123456789abcdef0123456789abcdef".into());
    let list = references::<ProcessesQuery>();
    paths.insert(
        "/processes".to_owned(),
        get("processes", "What can be done as a job", &list, &object("The processes")),
    );
    for &process in PROCESSES {
        of_process(paths, process, &first);
    }
    paths.insert(
        "/jobs".to_owned(),
        get(
            "jobs",
            "The jobs, for callers with a writer's token; for others none",
            &references::<JobsQuery>(),
            &object("The jobs"),
        ),
    );
    let mut one = get("job", "The progress of a job", std::slice::from_ref(&job), &object("The job"));
    one["delete"] = get(
        "dismissJob",
        "Cancel a job and remove its result",
        std::slice::from_ref(&job),
        &object("The job as it was"),
    )["get"]
        .take();
    paths.insert("/jobs/{job}".to_owned(), one);
    let file = json!({"schema": {"type": "string", "format": "binary"}});
    let kinds = [
        "application/vnd.apache.parquet",
        "application/geopackage+sqlite3",
        "application/geo+json",
        "text/csv",
        "application/pdf",
    ];
    let mut content: Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), file.clone())).collect();
    // The result of a process that gives values, not files.
    content.insert("application/json".to_owned(), json!({"schema": {}}));
    let with_ranges = |mut results: Value| {
        results["get"]["responses"]["206"] = json!({"description": "A range of the file"});
        results["get"]["responses"]["416"] =
            json!({"description": "The range is beyond the end of the file"});
        results
    };
    let results = get(
        "jobResults",
        "The result of a job, or a document that refers to it if one was asked for; ranges are served",
        std::slice::from_ref(&job),
        &json!({"description": "The file or the document", "content": content}),
    );
    paths.insert("/jobs/{job}/results".to_owned(), with_ranges(results));
    let output =
        path_parameter("output", "The name of an output", json!({"type": "string"}), "pieces".into());
    let file = get(
        "jobOutput",
        "The file to which the results of a job refer; ranges are served",
        &[job, output],
        &json!({"description": "The file", "content": content}),
    );
    paths.insert("/jobs/{job}/results/{output}".to_owned(), with_ranges(file));
}

/// The verification of reports: by what their links hold, or by the report as a document.
fn verify() -> Value {
    let answer = document("Whether the report says what the record said, and what has changed since");
    json!({
        "get": {
            "tags": ["questions"], "operationId": "verifyReport", "parameters": references::<VerifyQuery>(),
            "summary": "Does a report on a parcel say what the record said, and what has changed since?",
            "responses": answers(&json!({"200": answer})),
        },
        "post": {
            "tags": ["questions"], "operationId": "verifyReportDocument",
            "parameters": references::<VerifyDocumentQuery>(),
            "summary": "The same of a whole report; each difference from the record is named",
            "requestBody": {
                "required": true, "description": "A report, the JSON document of /parcels/{id}/report",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": answers(&json!({"200": answer})),
        },
    })
}

/// What a draft would change.
fn draft(limits: &Limits) -> Value {
    let square = json!([[[106.69, 10.77], [106.7, 10.77], [106.7, 10.78], [106.69, 10.77]]]);
    let example = json!({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"function": "CX"},
            "geometry": {"type": "Polygon", "coordinates": square}},
        {"type": "Feature", "properties": {"width": 20},
            "geometry": {"type": "LineString", "coordinates": [[106.69, 10.77], [106.7, 10.775]]}},
    ]});
    let content = json!({"schema": {"type": "object"}, "example": example});
    json!({"post": {
        "tags": ["questions"], "operationId": "draftImpact", "parameters": references::<DraftQuery>(),
        "summary": "What would a draft of zones, roads and boundaries change?",
        "requestBody": {"required": true, "description": bounds(limits),
            "content": {"application/geo+json": content, "application/json": content}},
        "responses": answers(&json!({"200": document("What it touches, cuts off and contradicts")})),
    }})
}

/// The id of a parcel of the city, for an example.
fn example_parcel(layers: &[Arc<LayerSnapshot>]) -> String {
    let parcels = layers.iter().find(|snapshot| snapshot.layer().role == Role::Parcel);
    let id = parcels.and_then(|snapshot| Some(snapshot.id(snapshot.rows().next()?).to_string()));
    id.unwrap_or_else(|| "1".to_owned())
}

/// Adds the paths of one process, with an example whose first layer is `layer`.
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
    let prefer = json!({
        "name": "Prefer", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "respond-async: answer with a job even where the result is at hand at once",
    });
    // What a process gives at once: files in the media types of its outputs, or values.
    let outputs = description.outputs.as_object().into_iter().flatten();
    let kinds = outputs.filter_map(|(_, output)| output["schema"]["contentMediaType"].as_str());
    let mut content: Map<String, Value> = kinds
        .map(|kind| (kind.to_owned(), json!({"schema": {"type": "string", "format": "binary"}})))
        .collect();
    if content.is_empty() {
        content.insert("application/json".to_owned(), json!({"schema": {}}));
    }
    let execution = json!({"post": {
        "tags": ["jobs"], "operationId": format!("start{camel}"), "summary": description.start,
        "parameters": [prefer],
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": {"type": "object", "required": ["inputs"], "properties": {"inputs": inputs,
                "response": {"type": "string", "enum": ["raw", "document"]}}},
            "example": process.example(layer),
        }}},
        "responses": answers(&json!({"200": {
            "description": "The result, of a process that needs no job",
            "content": content,
        }, "201": {
            "description": "The job; Location is its address",
            "headers": {"Location": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": {"type": "object"}}},
        }})),
    }});
    paths.insert(path.clone(), described);
    paths.insert(format!("{path}/execution"), execution);
}

/// References to the parameters of a query.
fn references<Q: Query>() -> Vec<Value> {
    Q::declared().into_iter().map(shared_ref).collect()
}

fn object(say: &str) -> Value {
    json!({"description": say, "content": {"application/json": {"schema": {"type": "object"}}}})
}

/// As [`object`], or as a page.
fn document(say: &str) -> Value {
    let mut answer = object(say);
    answer["content"]["text/html"] = json!({"schema": {"type": "string"}});
    answer
}

fn answers(good: &Value) -> Value {
    let mut all = good.clone();
    all["default"] = json!({"$ref": "#/components/responses/problem"});
    all
}

fn get(id: &str, summary: &str, parameters: &[Value], answer: &Value) -> Value {
    json!({"get": {
        "tags": ["jobs"], "operationId": id, "summary": summary, "parameters": parameters,
        "responses": answers(&json!({"200": answer})),
    }})
}
