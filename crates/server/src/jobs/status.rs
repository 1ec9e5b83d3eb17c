//! How jobs are, and their end before their time.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use citymap_model::format_datetime;
use serde_json::{Value, json};

use super::{Job, State};
use crate::{
    ask::{Answer, Ask},
    auth::known_writer,
    base::Base,
    describe::link,
    reply::JSON,
};

/// A job as it is told.
pub(super) fn document(job: &Job, base: &Base) -> Value {
    let seen = job.seen();
    let path = format!("/api/jobs/{}", job.id);
    let mut links = vec![link("self", JSON, "The job", base.url(&path))];
    if seen.state == State::Successful {
        let href = base.url(&format!("{path}/results"));
        let rel = "http://www.opengis.net/def/rel/ogc/1.0/results";
        links.push(link(rel, job.format.media_type(), &job.name, href));
    }
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.as_ref().map(format_datetime);
    let mut document = json!({
        "jobID": job.id, "processID": "overlay", "type": "process", "status": seen.state.as_str(),
        "message": seen.message, "progress": seen.progress, "created": format_datetime(&job.created),
        "updated": format_datetime(&seen.updated), "revision": job.revision, "links": links,
    });
    for (name, time) in [("started", time(seen.started)), ("finished", time(seen.finished))] {
        if let Some(time) = time {
            document[name] = time.into();
        }
    }
    if let Some(summary) = &seen.summary {
        document["summary"] = json!({
            "bytes": seen.bytes, "rowsA": summary.rows_a, "rowsB": summary.rows_b, "pairs": summary.pairs,
            "pieces": summary.pieces, "contacts": summary.contacts, "area": summary.area,
            "length": summary.length, "count": summary.count,
        });
    }
    document
}

fn answer(document: &Value) -> Answer {
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, headers, document.to_string()).into_response())
}

/// `GET /api/jobs`: all of them for writers, none for others: who knows a job's id may cancel it.
pub(crate) async fn list(ask: Ask) -> Answer {
    ask.no_more_of(&[])?;
    let base = ask.base();
    let all =
        if known_writer(&ask.app, &ask.headers).is_some() { ask.app.overlays.all() } else { Vec::new() };
    let jobs: Vec<Value> = all.iter().map(|job| document(job, &base)).collect();
    answer(&json!({"jobs": jobs, "links": [link("self", JSON, "The jobs", base.url("/api/jobs"))]}))
}

/// `GET /api/jobs/{job}`
pub(crate) async fn job(ask: Ask) -> Answer {
    ask.no_more_of(&[])?;
    let job = ask.app.overlays.find(ask.place("job"))?;
    answer(&document(&job, &ask.base()))
}

/// `DELETE /api/jobs/{job}`: cancels it and takes its result away.
pub(crate) async fn dismiss(ask: Ask) -> Answer {
    ask.no_more_of(&[])?;
    let job = ask.app.overlays.find(ask.place("job"))?;
    job.cancel.cancel();
    job.tell(|seen| {
        seen.state = State::Dismissed;
        seen.message = "cancelled; nothing is left of it".to_owned();
    });
    let mut told = document(&job, &ask.base());
    told["status"] = State::Dismissed.as_str().into();
    ask.app.overlays.remove(&job);
    answer(&told)
}
