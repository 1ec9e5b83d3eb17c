//! One feature: OGC API – Features part 4.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use citymap_crs::NamedCrs;
use citymap_edit::{AppliedEdit, Draft, EditChange, PreparedEdit, ReadOptions, Refusal, Target};
use citymap_engine::LayerSnapshot;
use citymap_model::RevisionNumber;
use serde_json::{Value, json};

use super::{
    commit::{RequestedEdits, WriteOutcome, WriteTask, summary, write},
    idempotency::Answered,
    if_match, if_unmodified_since, refusal,
    request::{WriteRequest, answer, no_content},
};
use crate::{
    app::App,
    http::{
        base::segment,
        problem::Problem,
        request::{HandlerResult, Rejection},
    },
};

/// The media types of a whole feature.
pub(crate) const FEATURE: [&str; 2] = ["application/geo+json", "application/json"];
/// The media types of a change of a feature.
pub(crate) const PATCH: [&str; 1] = ["application/merge-patch+json"];

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Maximum number of characters of an id in the log's message.
const ID_SHOWN: usize = 80;

/// The methods that change a feature that exists.
#[derive(Clone, Copy)]
enum ChangeMethod {
    Put,
    Patch,
    Delete,
}

/// An edit of one feature, as its request gives it.
pub(crate) struct SingleEdit {
    layer: Arc<LayerSnapshot>,
    crs: NamedCrs,
    vertices_max: usize,
    change: SingleChange,
}

/// What a request does with the feature, with its body.
enum SingleChange {
    Create(Value),
    Replace(Target, Value),
    Update(Target, Value),
    Delete(Target),
}

impl SingleEdit {
    /// Reads the body against the layer.
    ///
    /// # Errors
    /// 422 with all faults.
    fn prepare_one(&self) -> Result<PreparedEdit, Problem> {
        let layer = self.layer.layer();
        let options = ReadOptions { crs: &self.crs, vertices_max: self.vertices_max };
        let whole = |json: &Value, id: Option<&str>| Draft::whole(json, layer, &options, id, "");
        let change = match &self.change {
            SingleChange::Create(json) => whole(json, None).map(EditChange::Create),
            SingleChange::Replace(target, json) => {
                whole(json, Some(&target.id)).map(|draft| EditChange::Replace(target.clone(), draft))
            }
            SingleChange::Update(target, json) => Draft::patch(json, layer, &options, Some(&target.id), "")
                .map(|draft| EditChange::Update(target.clone(), draft)),
            SingleChange::Delete(target) => Ok(EditChange::Delete(target.clone())),
        };
        let change = change.map_err(|faults| refusal::problem(&Refusal::Invalid(faults)))?;
        Ok(PreparedEdit { layer: Arc::clone(&self.layer), change, pointer: String::new() })
    }
}

impl RequestedEdits for SingleEdit {
    fn prepare(&self) -> Result<Vec<PreparedEdit>, Vec<(usize, Problem)>> {
        self.prepare_one().map(|edit| vec![edit]).map_err(|problem| vec![(0, problem)])
    }

    fn document(&self, applied: &[AppliedEdit], revision: RevisionNumber) -> Value {
        applied.first().map_or(Value::Null, |edit| {
            let mut summary = summary(edit);
            summary["revision"] = revision.into();
            summary
        })
    }
}

/// The handler of `POST /api/collections/{layer}/items`.
pub(crate) async fn create(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let request = WriteRequest::read(&app, request, &FEATURE, app.config.limits.body_bytes_max).await?;
    let key = request.key()?;
    let layer = request.context.layer()?;
    let meta = request.meta(key.as_ref(), || format!("Create a feature of {}", layer.layer().id))?;
    let crs = request.crs()?;
    let change = SingleChange::Create(request.json()?);
    let edit = SingleEdit { layer, crs, vertices_max: app.config.limits.edit.vertices_max, change };
    let task = WriteTask { meta, key, edits: Box::new(edit) };
    match write(&request.context, task).await? {
        WriteOutcome::Written(_, answered) | WriteOutcome::Repeated(answered) => {
            Ok(created(&request, &answered))
        }
        WriteOutcome::Refused(refused) => Err(refusal::only(refused).into()),
    }
}

/// 201 with the address of the feature. If the first answer was lost with its server, a repeat has only the
/// revision.
fn created(request: &WriteRequest, answered: &Answered) -> Response {
    let Some(document) = &answered.document else {
        return answer(StatusCode::OK, &json!({"revision": answered.revision, "results": null}), &[]);
    };
    let id = match &document["id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    };
    let layer = segment(request.context.path_param("layer"));
    let location = request.context.base().url(&format!("/api/collections/{layer}/items/{}", segment(&id)));
    let mut headers = vec![(header::LOCATION, location)];
    headers.extend(document["etag"].as_str().map(|etag| (header::ETAG, etag.to_owned())));
    answer(StatusCode::CREATED, document, &headers)
}

/// The handler of `PUT /api/collections/{layer}/items/{id}`.
pub(crate) async fn replace(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    change(&app, request, ChangeMethod::Put).await
}

/// The handler of `PATCH /api/collections/{layer}/items/{id}`.
pub(crate) async fn update(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    match change(&app, request, ChangeMethod::Patch).await {
        Err(Rejection::Problem(problem)) if problem.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Err(problem.header(ACCEPT_PATCH, HeaderValue::from_static(PATCH[0])).into())
        }
        outcome => outcome,
    }
}

/// The handler of `DELETE /api/collections/{layer}/items/{id}`.
pub(crate) async fn delete(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    change(&app, request, ChangeMethod::Delete).await
}

/// Replaces, updates or deletes the feature in the path.
async fn change(app: &Arc<App>, request: Request, method: ChangeMethod) -> HandlerResult {
    let (media_types, verb): (&[&'static str], _) = match method {
        ChangeMethod::Patch => (&PATCH, "Change"),
        ChangeMethod::Delete => (&[], "Delete"),
        ChangeMethod::Put => (&FEATURE, "Replace"),
    };
    let request = WriteRequest::read(app, request, media_types, app.config.limits.body_bytes_max).await?;
    let layer = request.context.layer()?;
    let id = request.context.path_param("id").to_owned();
    let headers = &request.context.headers;
    let expected = match if_unmodified_since::of(headers) {
        Some(since) => if_unmodified_since::expected(app, &layer, &id, since).await?,
        None => if_match::of(headers, request.overwrites)?,
    };
    let target = Target { id, expected };
    let there = layer.row_of_id(&target.id).is_some();
    if there && headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes().trim_ascii() == b"*")
    {
        return Err(
            Problem::stale("the feature exists, and If-None-Match: * asks for none to be there").into()
        );
    }
    // Features part 4: a PUT never creates a feature, so that If-Match cannot be met.
    if !there && matches!(method, ChangeMethod::Put) && headers.contains_key(header::IF_MATCH) {
        return Err(Problem::stale(format!(
            "layer `{}` has no such feature, so that If-Match does not match; POST to …/items adds one",
            layer.layer().id
        ))
        .into());
    }
    let meta = request.meta(None, || {
        let id: String = target.id.chars().take(ID_SHOWN).collect();
        format!("{verb} {id} of {}", layer.layer().id)
    })?;
    let crs = request.crs()?;
    let change = match method {
        ChangeMethod::Delete => SingleChange::Delete(target),
        ChangeMethod::Patch => SingleChange::Update(target, request.json()?),
        ChangeMethod::Put => SingleChange::Replace(target, request.json()?),
    };
    let edit = SingleEdit { layer, crs, vertices_max: app.config.limits.edit.vertices_max, change };
    let task = WriteTask { meta, key: None, edits: Box::new(edit) };
    match write(&request.context, task).await? {
        WriteOutcome::Written(applied, answered) => match (method, answered.document, applied.first()) {
            (ChangeMethod::Delete, ..) | (_, None, _) | (.., None) => Ok(no_content()),
            (_, Some(document), Some(edit)) => {
                let etag = edit.tag.as_ref().map(|tag| (header::ETAG, format!("\"{tag}\"")));
                Ok(answer(StatusCode::OK, &document, &etag.into_iter().collect::<Vec<_>>()))
            }
        },
        WriteOutcome::Repeated(_) => Ok(no_content()),
        WriteOutcome::Refused(refused) => Err(refusal::only(refused).into()),
    }
}
