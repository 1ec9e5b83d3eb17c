//! The routes below `/api/processes`: what can run as a job, and starting one.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Map, Value, json};

use super::{PROCESSES, process::Process};
use crate::{
    app::App,
    features::describe::link,
    http::{
        base::BaseUrl,
        body,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    jobs::status::document,
};

const EXECUTE: &str = "http://www.opengis.net/def/rel/ogc/1.0/execute";

fn answer(document: &Value) -> HandlerResult {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// The handler of `GET /api/processes`.
pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let base = context.base();
    let processes: Vec<Value> = PROCESSES.iter().map(|process| summary(*process, &base)).collect();
    let links = [link("self", JSON, "What can be done as a job", base.url("/api/processes"))];
    answer(&json!({"processes": processes, "links": links}))
}

/// The handler of `GET /api/processes/{id}`.
pub(crate) async fn describe(process: &'static dyn Process, context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let mut document = summary(process, &context.base());
    let description = process.describe();
    let inputs: Map<String, Value> =
        description.inputs.iter().map(|input| (input.name.to_owned(), input.describe())).collect();
    document["inputs"] = inputs.into();
    document["outputs"] = description.outputs;
    answer(&document)
}

fn summary(process: &dyn Process, base: &BaseUrl) -> Value {
    let description = process.describe();
    let path = format!("/api/processes/{}", process.id());
    json!({
        "id": process.id(), "version": env!("CARGO_PKG_VERSION"), "title": description.title,
        "description": description.description,
        "jobControlOptions": ["async-execute", "dismiss"], "outputTransmission": ["value"],
        "links": [
            link("self", JSON, "The process", base.url(&path)),
            link(EXECUTE, JSON, "Start a job", base.url(&format!("{path}/execution"))),
        ],
    })
}

/// `POST /api/processes/{id}/execution`: 201 with the address of the job. It always runs as a job, whatever
/// `Prefer` says.
pub(crate) async fn execute(process: &'static dyn Process, app: Arc<App>, request: Request) -> HandlerResult {
    let (context, request) = RequestContext::split(&app, request).await?;
    context.no_query()?;
    // A page of another origin can send other types, and bodies without one, unasked.
    let kind = context.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(JSON) {
        return Err(
            Problem::media_type(format!("send the inputs as {JSON}, and say so in Content-Type")).into()
        );
    }
    let limits = &app.config.limits;
    let body = body::read(&context.headers, request, limits.body_bytes_max).await?;
    let example = || process.example("parcels");
    let request: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::body(format!("the body is not JSON: {error}; send {}", example())))?;
    let Some(inputs) = request.get("inputs").and_then(Value::as_object) else {
        return Err(Problem::body(format!("`inputs` is missing; send {}", example())).into());
    };
    let known: Vec<&str> = process.describe().inputs.iter().map(|input| input.name).collect();
    if let Some(unknown) = inputs.keys().find(|name| !known.contains(&name.as_str())) {
        let unknown: String = unknown.chars().take(40).collect();
        let detail = format!("there is no input `{unknown}`; the inputs are: {}", known.join(", "));
        return Err(Problem::body(detail).into());
    }
    let execution = process.read_inputs(inputs, &context.city_snapshot, limits)?;
    let job = app.jobs.open(process.id(), context.city_snapshot.revision(), execution.result())?;
    let answer = document(&job, &context.base()).to_string();
    let location = context.base().url(&format!("/api/jobs/{}", job.id));
    app.jobs.start(job, move |job, bytes_max, cancel| execution.run(job, bytes_max, cancel));
    let headers = [
        (header::CONTENT_TYPE, JSON.to_owned()),
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}
