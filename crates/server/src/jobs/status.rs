//! The routes that show jobs and cancel them.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use citymap_model::format_datetime;
use serde_json::{Map, Value, json};

use super::job::{Job, JobState};
use crate::{
    features::describe::link,
    http::{
        auth::known_writer,
        base::BaseUrl,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

/// A job as OGC API – Processes shows it (`statusInfo`).
pub(crate) fn document(job: &Job, base: &BaseUrl) -> Value {
    let status = job.status();
    let path = format!("/api/jobs/{}", job.id);
    let mut links = vec![link("self", JSON, "The job", base.url(&path))];
    if status.state == JobState::Successful {
        let href = base.url(&format!("{path}/results"));
        let rel = "http://www.opengis.net/def/rel/ogc/1.0/results";
        links.push(link(rel, job.result.media_type, &job.result.name, href));
    }
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.as_ref().map(format_datetime);
    let mut document = json!({
        "jobID": job.id, "processID": job.process, "type": "process", "status": status.state.as_str(),
        "message": status.message, "progress": status.progress, "created": format_datetime(&job.created),
        "updated": format_datetime(&status.updated), "revision": job.revision, "links": links,
    });
    for (name, time) in [("started", time(status.started)), ("finished", time(status.finished))] {
        if let Some(time) = time {
            document[name] = time.into();
        }
    }
    if let Some(figures) = status.summary {
        let mut summary = Map::from_iter([("bytes".to_owned(), Value::from(status.bytes))]);
        summary.extend(figures);
        document["summary"] = summary.into();
    }
    document
}

fn answer(document: &Value) -> HandlerResult {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// `GET /api/jobs`: all jobs for writers, none for others, because whoever knows a job's id may cancel it.
pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let base = context.base();
    let all = match known_writer(&context.app.config.writers, &context.headers) {
        Some(_) => context.app.jobs.all(),
        None => Vec::new(),
    };
    let jobs: Vec<Value> = all.iter().map(|job| document(job, &base)).collect();
    answer(&json!({"jobs": jobs, "links": [link("self", JSON, "The jobs", base.url("/api/jobs"))]}))
}

/// The handler of `GET /api/jobs/{job}`.
pub(crate) async fn job(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let job = context.app.jobs.find(context.path_param("job"))?;
    answer(&document(&job, &context.base()))
}

/// `DELETE /api/jobs/{job}`: cancels the job and removes its result.
pub(crate) async fn dismiss(context: RequestContext) -> HandlerResult {
    context.no_query()?;
    let job = context.app.jobs.find(context.path_param("job"))?;
    job.cancel.cancel();
    job.dismiss();
    let mut last = document(&job, &context.base());
    // A job that had ended is removed too. Nothing is left at its own links.
    let had_ended = job.status().state != JobState::Dismissed;
    if had_ended {
        last["message"] = "the job had ended; its result has been removed".into();
    }
    last["status"] = JobState::Dismissed.as_str().into();
    last["links"] = json!([link("up", JSON, "The jobs", context.base().url("/api/jobs"))]);
    context.app.jobs.remove(&job);
    answer(&last)
}
