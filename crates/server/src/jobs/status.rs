//! The routes that show jobs and cancel them.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use citymap_engine::TimeInterval;
use citymap_model::format_datetime;
use serde_json::{Map, Value, json};

use super::job::{Job, JobState};
use crate::{
    features::describe::link,
    http::{
        auth::known_writer,
        base::BaseUrl,
        parameters::{Integer, TextList, ValidTime},
        query::{Declared, Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    processes::paging::{LIST_LIMIT, OFFSET, Page},
};

/// The type of every job.
const TYPE_OF_JOBS: &str = "process";

/// A job as OGC API – Processes shows it (`statusInfo`).
pub(crate) fn document(job: &Job, base: &BaseUrl) -> Value {
    let status = job.status();
    let path = format!("/api/jobs/{}", job.id);
    let here = base.url(&path);
    let mut links = vec![
        link("self", JSON, "The job", here.clone()),
        // Clients ask here until the job has ended.
        link("monitor", JSON, "The state of the job", here),
    ];
    if status.state == JobState::Successful {
        let href = base.url(&format!("{path}/results"));
        let rel = "http://www.opengis.net/def/rel/ogc/1.0/results";
        links.push(link(rel, job.result.media_type, &job.result.name, href));
    }
    let time = |time: Option<chrono::DateTime<chrono::Utc>>| time.as_ref().map(format_datetime);
    let mut document = json!({
        "jobID": job.id, "processID": job.process, "type": TYPE_OF_JOBS, "status": status.state.as_str(),
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

/// `GET /api/jobs`: the jobs that the query selects for writers, none for others, because whoever knows a
/// job's id may cancel it. Newest first.
pub(crate) async fn list(mut context: RequestContext) -> HandlerResult {
    let query: JobsQuery = context.query()?;
    let base = context.base();
    let mut jobs = match known_writer(&context.app.config.writers, &context.headers) {
        Some(_) => context.app.jobs.all(),
        None => Vec::new(),
    };
    jobs.retain(|job| query.selects(job));
    let page = Page::new(jobs.len(), query.limit, query.offset);
    let shown: Vec<Value> = jobs[page.range()].iter().map(|job| document(job, &base)).collect();
    answer(&json!({"jobs": shown, "links": page.links(&context, "/api/jobs", "The jobs")}))
}

static TYPE: Parameter<TextList> =
    Parameter::new("type", "Only jobs of these types", TextList { values: &["process"] });

static PROCESS_ID: Parameter<TextList> =
    Parameter::new("processID", "Only jobs of these processes", TextList { values: &[] });

static STATUS: Parameter<TextList> = Parameter::new(
    "status",
    "Only jobs with one of these states",
    TextList { values: &["accepted", "running", "successful", "failed", "dismissed"] },
);

static CREATED: Parameter<ValidTime> = Parameter::new(
    "datetime",
    "Only jobs that were created then: a day or an instant, or an interval with / (.. is an open end)",
    ValidTime,
)
.component("job-datetime");

static MIN_DURATION: Parameter<Integer> = Parameter::new(
    "minDuration",
    "Only jobs that have run for at least this many seconds",
    Integer { min: 0, max: u32::MAX as u64, states_max: true },
);

static MAX_DURATION: Parameter<Integer> = Parameter::new(
    "maxDuration",
    "Only jobs that have run for at most this many seconds",
    Integer { min: 0, max: u32::MAX as u64, states_max: true },
);

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 6] =
    [&TYPE, &PROCESS_ID, &STATUS, &CREATED, &MIN_DURATION, &MAX_DURATION];

query! {
    /// The query of the list of jobs, as OGC API – Processes names it.
    pub(crate) struct JobsQuery {
        types: Option<Vec<String>> = TYPE,
        processes: Option<Vec<String>> = PROCESS_ID,
        states: Option<Vec<String>> = STATUS,
        created: Option<TimeInterval> = CREATED,
        min_duration: Option<u64> = MIN_DURATION,
        max_duration: Option<u64> = MAX_DURATION,
        limit: usize = LIST_LIMIT,
        offset: u64 = OFFSET,
    }
}

impl JobsQuery {
    fn selects(&self, job: &Job) -> bool {
        let status = job.status();
        let listed = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|own| own == name))
        };
        let created = self.created.as_ref().is_none_or(|time| {
            time.start.is_none_or(|start| start <= job.created)
                && time.end.is_none_or(|end| job.created <= end)
        });
        let listed = listed(&self.types, TYPE_OF_JOBS)
            && listed(&self.processes, job.process)
            && listed(&self.states, status.state.as_str());
        listed && created && self.lasted(status.started, status.finished)
    }

    /// Whether a job that started and finished then, or still runs, has run for as long as is asked. One that
    /// has not started has no duration.
    fn lasted(&self, started: Option<DateTime<Utc>>, finished: Option<DateTime<Utc>>) -> bool {
        if self.min_duration.is_none() && self.max_duration.is_none() {
            return true;
        }
        let Some(started) = started else { return false };
        let milliseconds = (finished.unwrap_or_else(Utc::now) - started).num_milliseconds().max(0);
        let milliseconds = milliseconds.unsigned_abs();
        self.min_duration.is_none_or(|min| milliseconds >= min * 1_000)
            && self.max_duration.is_none_or(|max| milliseconds <= max * 1_000)
    }
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
