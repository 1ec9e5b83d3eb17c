//! One feature: OGC API – Features part 4.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    apply::{Done, Op, Prepared, Refused},
    draft::{Draft, Given},
    etag::Seen,
    fault,
    idempotency::Answered,
    request::{Outcome, Writing, answer, no_content, write},
};
use crate::{
    app::App,
    http::{base::segment, problem::Problem, request::HandlerResult},
};

/// What a whole feature is sent as.
pub(crate) const FEATURE: [&str; 2] = ["application/geo+json", "application/json"];
/// What a change of a feature is sent as.
pub(crate) const PATCH: [&str; 1] = ["application/merge-patch+json"];

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// `POST /api/collections/{layer}/items`
pub(crate) async fn create(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let limit = app.config.limits.body_bytes_max;
    let writing = Writing::read(&app, request, &FEATURE, limit).await?;
    let key = writing.key()?;
    let layer = writing.ask.layer()?;
    let meta = writing.meta(key.as_ref(), || format!("Create a feature of {}", layer.layer().id))?;
    let prepare = prepared(&writing, Op::Create, None)?;
    let document = |done: &[Done], revision| done.first().map_or(Value::Null, |done| summary(done, revision));
    match write(&writing.ask, meta, key, prepare, document).await? {
        Ok(Outcome::Made(_, answered) | Outcome::Before(answered)) => Ok(created(&writing, &answered)),
        Err(refused) => Err(only(refused).into()),
    }
}

/// 201 with the place of the feature. A repeat whose answer got lost with its server has the revision alone.
fn created(writing: &Writing, answered: &Answered) -> Response {
    let Some(document) = &answered.document else {
        return answer(StatusCode::OK, &json!({"revision": answered.revision, "results": null}), &[]);
    };
    let id = match &document["id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    };
    let layer = segment(writing.ask.path_param("layer"));
    let place = writing.ask.base().url(&format!("/api/collections/{layer}/items/{}", segment(&id)));
    let mut headers = vec![(header::LOCATION, place)];
    headers.extend(document["etag"].as_str().map(|etag| (header::ETAG, etag.to_owned())));
    answer(StatusCode::CREATED, document, &headers)
}

/// `PUT /api/collections/{layer}/items/{id}`
pub(crate) async fn replace(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    change(&app, request, Op::Replace, &FEATURE, "Replace").await
}

/// `PATCH /api/collections/{layer}/items/{id}`
pub(crate) async fn update(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let outcome = change(&app, request, Op::Update, &PATCH, "Change").await;
    match outcome {
        Err(crate::http::request::Rejection::Problem(problem))
            if problem.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE =>
        {
            Err(problem.header(ACCEPT_PATCH, HeaderValue::from_static(PATCH[0])).into())
        }
        outcome => outcome,
    }
}

/// `DELETE /api/collections/{layer}/items/{id}`
pub(crate) async fn delete(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    change(&app, request, Op::Delete, &[], "Delete").await
}

async fn change(
    app: &Arc<App>,
    request: Request,
    op: Op,
    kinds: &[&'static str],
    verb: &str,
) -> HandlerResult {
    let writing = Writing::read(app, request, kinds, app.config.limits.body_bytes_max).await?;
    let layer = writing.ask.layer()?;
    let id = writing.ask.path_param("id").to_owned();
    let seen = Seen::of(&writing.ask.headers)?;
    let meta = writing.meta(None, || {
        let id: String = id.chars().take(80).collect();
        format!("{verb} {id} of {}", layer.layer().id)
    })?;
    let prepare = prepared(&writing, op, Some((id, seen)))?;
    let document = |done: &[Done], revision| done.first().map_or(Value::Null, |done| summary(done, revision));
    match write(&writing.ask, meta, None, prepare, document).await? {
        Ok(Outcome::Made(done, answered)) => match (op, answered.document, done.first()) {
            (Op::Delete, ..) | (_, None, _) | (.., None) => Ok(no_content()),
            (_, Some(document), Some(done)) => {
                let etag = done.etag.as_ref().map(|etag| (header::ETAG, format!("\"{etag}\"")));
                Ok(answer(StatusCode::OK, &document, &etag.into_iter().collect::<Vec<_>>()))
            }
        },
        Ok(Outcome::Before(_)) => Ok(no_content()),
        Err(refused) => Err(only(refused).into()),
    }
}

/// Reads the body against the layer; the work itself is done where it may take its time.
fn prepared(
    writing: &Writing,
    op: Op,
    target: Option<(String, Seen)>,
) -> Result<impl FnOnce() -> Result<Vec<Prepared>, Refused> + Send + use<>, Problem> {
    let layer = writing.ask.layer()?;
    let crs = writing.crs()?;
    let json = if op == Op::Delete { None } else { Some(writing.json()?) };
    let vertices_max = writing.ask.app.config.limits.edit_vertices_max;
    let (id, seen) = target.unzip();
    Ok(move || {
        let given = Given { crs: &crs, vertices_max };
        let read = match op {
            Op::Update => Draft::patch,
            _ => Draft::whole,
        };
        let draft = json
            .map(|json| read(&json, layer.layer(), &given, id.as_deref(), ""))
            .transpose()
            .map_err(|faults| Refused::Problem(fault::problem(&faults)))?;
        Ok(vec![Prepared { op, layer, id, seen, draft, pointer: String::new() }])
    })
}

/// The problem of the only edit there is.
fn only(refused: Refused) -> Problem {
    match refused {
        Refused::Problem(problem) => problem,
        Refused::Edits(edits) => edits.into_iter().next().map_or_else(
            || Problem::internal("an edit was refused without a reason"),
            |(_, problem)| problem,
        ),
        Refused::Answered(_) => Problem::internal("an answer was taken for a refusal"),
    }
}

/// What an edit has made, as answers say it.
pub(crate) fn summary(done: &Done, revision: u64) -> Value {
    let mut summary = brief(done);
    summary["revision"] = revision.into();
    summary
}

/// The same without the revision.
pub(crate) fn brief(done: &Done) -> Value {
    json!({
        "op": done.op.as_str(),
        "layer": done.layer.as_str(),
        "id": done.id.to_json(),
        "fid": done.fid,
        "etag": done.etag.as_ref().map(|etag| format!("\"{etag}\"")),
    })
}
