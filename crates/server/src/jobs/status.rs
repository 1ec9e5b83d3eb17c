//! How jobs are, and their end before their time.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use citymap_model::format_datetime;
use serde_json::{Value, json};

use super::{Job, JobState};
use crate::{
    features::describe::link,
    http::{
        auth::known_writer,
        base::BaseUrl,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

/// A job as it is told.
pub(super) fn document(job: &Job, base: &BaseUrl) -> Value {
    let status = job.status();
    let path = format!("/api/jobs/{}", job.id);
    let mut links = vec![link("self", JSON, "The job", base.url(&path))];
    if status.state == JobState::Successful {
        let href = base.url(&format!("{path}/results"));
        let rel = "http://www.opengis.net/def/rel/ogc/1.0/results";
        links.push(link(rel, job.format.media_type(), &job.name, href));
    }
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.as_ref().map(format_datetime);
    let mut document = json!({
        "jobID": job.id, "processID": "overlay", "type": "process", "status": status.state.as_str(),
        "message": status.message, "progress": status.progress, "created": format_datetime(&job.created),
        "updated": format_datetime(&status.updated), "revision": job.revision, "links": links,
    });
    for (name, time) in [("started", time(status.started)), ("finished", time(status.finished))] {
        if let Some(time) = time {
            document[name] = time.into();
        }
    }
    if let Some(summary) = &status.summary {
        document["summary"] = json!({
            "bytes": status.bytes, "rowsA": summary.rows_a, "rowsB": summary.rows_b, "pairs": summary.pairs,
            "pieces": summary.pieces, "contacts": summary.contacts, "area": summary.area,
            "length": summary.length, "count": summary.count,
        });
    }
    document
}

fn answer(document: &Value) -> HandlerResult {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// `GET /api/jobs`: all of them for writers, none for others: who knows a job's id may cancel it.
pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let base = context.base();
    let all = if known_writer(&context.app, &context.headers).is_some() {
        context.app.overlays.all()
    } else {
        Vec::new()
    };
    let jobs: Vec<Value> = all.iter().map(|job| document(job, &base)).collect();
    answer(&json!({"jobs": jobs, "links": [link("self", JSON, "The jobs", base.url("/api/jobs"))]}))
}

/// `GET /api/jobs/{job}`
pub(crate) async fn job(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let job = context.app.overlays.find(context.path_param("job"))?;
    answer(&document(&job, &context.base()))
}

/// `DELETE /api/jobs/{job}`: cancels it and takes its result away.
pub(crate) async fn dismiss(context: RequestContext) -> HandlerResult {
    context.no_more_of(&[])?;
    let job = context.app.overlays.find(context.path_param("job"))?;
    job.cancel.cancel();
    job.update(|status| {
        status.state = JobState::Dismissed;
        status.message = "cancelled; nothing is left of it".to_owned();
    });
    let mut told = document(&job, &context.base());
    told["status"] = JobState::Dismissed.as_str().into();
    context.app.overlays.remove(&job);
    answer(&told)
}
