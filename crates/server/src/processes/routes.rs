//! The routes below `/api/processes`: what can run as a job, and starting one.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Map, Value, json};

use super::{
    PROCESSES,
    paging::{LIST_LIMIT, OFFSET, Page},
    process::{ExecuteRequest, Process, ResponseForm},
};
use crate::{
    app::App,
    features::describe::link,
    http::{
        base::BaseUrl,
        body,
        problem::{Problem, exception},
        query::query,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    jobs::{job::ResultFile, status::document},
};

const EXECUTE: &str = "http://www.opengis.net/def/rel/ogc/1.0/execute";

/// What a client prefers (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

query! {
    /// The query of the list of processes.
    pub(crate) struct ProcessesQuery {
        limit: usize = LIST_LIMIT,
        offset: u64 = OFFSET,
    }
}

fn answer(document: &Value) -> HandlerResult {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// The handler of `GET /api/processes`.
pub(crate) async fn list(mut context: RequestContext) -> HandlerResult {
    let ProcessesQuery { limit, offset } = context.query()?;
    let base = context.base();
    let page = Page::new(PROCESSES.len(), limit, offset);
    let processes: Vec<Value> =
        PROCESSES[page.range()].iter().map(|process| summary(*process, &base)).collect();
    let links = page.links(&context, "/api/processes", "What can be done as a job");
    answer(&json!({"processes": processes, "links": links}))
}

/// The handler of paths below `/api/processes` that name no process.
pub(crate) async fn no_such_process() -> Problem {
    Problem::not_found("there is no such process; /api/processes lists them")
        .with("type", exception("no-such-process"))
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
    for (name, value) in process.additions() {
        document[name.as_str()] = value;
    }
    answer(&document)
}

fn summary(process: &dyn Process, base: &BaseUrl) -> Value {
    let description = process.describe();
    let path = format!("/api/processes/{}", process.id());
    let control: &[&str] = if description.quick {
        &["sync-execute", "async-execute", "dismiss"]
    } else {
        &["async-execute", "dismiss"]
    };
    json!({
        "id": process.id(), "version": env!("CARGO_PKG_VERSION"), "title": description.title,
        "description": description.description,
        "jobControlOptions": control, "outputTransmission": ["value"],
        "links": [
            link("self", JSON, "The process", base.url(&path)),
            link(EXECUTE, JSON, "Start a job", base.url(&format!("{path}/execution"))),
        ],
    })
}

/// `POST /api/processes/{id}/execution`: 201 with the address of the job. An execution that is quick or brief
/// answers 200 with its result instead, unless the client sends `Prefer: respond-async`; the others always
/// run as a job.
pub(crate) async fn execute(process: &'static dyn Process, app: Arc<App>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
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
    let request: Value = serde_json::from_slice(&body).map_err(|error| {
        Problem::body(format!("the body is not JSON: {error}; send {}", process.example("parcels")))
    })?;
    let Members { inputs, response } = read_members(process, &request)?;
    context.as_of(process.revision(inputs)?).await?;
    let former = match process.former_revision(inputs)? {
        Some(revision) => Some(app.former.at(revision).await?),
        None => None,
    };
    let request = ExecuteRequest { inputs, response, context: &context, former };
    let execution = process.read_inputs(&request, &context.city_snapshot, &app.config.limits)?;
    let prefers_job = prefers(&context.headers, "respond-async");
    if !prefers_job && let Some(result) = execution.at_once() {
        let headers =
            [(header::CONTENT_TYPE, execution.result().media_type), (header::CACHE_CONTROL, "no-store")];
        return Ok((StatusCode::OK, headers, result).into_response());
    }
    if !prefers_job && execution.is_brief() {
        let ResultFile { media_type, name, .. } = execution.result();
        let bytes = app.batch.run(move |cancel| execution.make(cancel)).await?;
        let headers = [
            (header::CONTENT_TYPE, media_type.to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            // The name has letters, digits, hyphens and a dot only.
            (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
        ];
        return Ok((StatusCode::OK, headers, bytes).into_response());
    }
    let job = app.jobs.open(process.id(), context.city_snapshot.revision(), execution.result())?;
    let answer = document(&job, &context.base()).to_string();
    let location = context.base().url(&format!("/api/jobs/{}", job.id));
    app.jobs.start(job, move |job, bytes_max, cancel| execution.run(job, bytes_max, cancel));
    let headers = [
        (header::CONTENT_TYPE, JSON.to_owned()),
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let mut response = (StatusCode::CREATED, headers, answer).into_response();
    if prefers_job {
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    }
    Ok(response)
}

/// True if the header `Prefer` (RFC 7240) has this preference.
fn prefers(headers: &HeaderMap, preference: &str) -> bool {
    let values = headers.get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = values.flat_map(|value| value.split([',', ';']));
    named.any(|name| name.trim().eq_ignore_ascii_case(preference))
}

/// The members of an execute request.
struct Members<'a> {
    inputs: &'a Map<String, Value>,
    response: ResponseForm,
}

/// Checks the members of an execute request.
///
/// # Errors
/// 400 for a member, an input or an output that is not known or cannot be used.
fn read_members<'a>(process: &dyn Process, request: &'a Value) -> Result<Members<'a>, Problem> {
    let example = || process.example("parcels");
    let members = request.as_object();
    if let Some(unknown) = members.into_iter().flatten().map(|(name, _)| name).find(|name| !is_member(name)) {
        let advice =
            "its members are inputs, outputs and response; there are webhooks instead of `subscriber`";
        return Err(Problem::body(format!("`{}` is not known here: {advice}", short(unknown))));
    }
    let Some(inputs) = request.get("inputs").and_then(Value::as_object) else {
        return Err(Problem::body(format!("`inputs` is missing; send {}", example())));
    };
    let description = process.describe();
    let known: Vec<&str> = description.inputs.iter().map(|input| input.name).collect();
    if let Some(unknown) = inputs.keys().find(|name| !known.contains(&name.as_str())) {
        let detail = format!("there is no input `{}`; the inputs are: {}", short(unknown), known.join(", "));
        return Err(Problem::body(detail));
    }
    check_outputs(request.get("outputs"), &description.outputs)?;
    let response = match request.get("response") {
        None => ResponseForm::Raw,
        Some(Value::String(form)) if form == "raw" => ResponseForm::Raw,
        Some(Value::String(form)) if form == "document" => ResponseForm::Document,
        Some(_) => return Err(Problem::body("`response` must be raw or document")),
    };
    Ok(Members { inputs, response })
}

/// True for the members of an execute request; `id` and `mode` are those of drafts of the standard.
fn is_member(name: &str) -> bool {
    ["inputs", "outputs", "response", "id", "mode"].contains(&name)
}

/// The first letters of a name, for a message.
fn short(name: &str) -> String {
    name.chars().take(40).collect()
}

/// Checks what a request says of the outputs: their names, and that they are sent by value.
fn check_outputs(given: Option<&Value>, outputs: &Value) -> Result<(), Problem> {
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(()) };
    let given = given.as_object().ok_or_else(|| Problem::body("`outputs` must be an object"))?;
    for (name, output) in given {
        if outputs.get(name).is_none() {
            return Err(Problem::body(format!("there is no output `{}`", short(name))));
        }
        if output.get("transmissionMode").is_some_and(|mode| mode != "value") {
            return Err(Problem::body("`transmissionMode` must be value: outputs are not sent by reference"));
        }
    }
    Ok(())
}
