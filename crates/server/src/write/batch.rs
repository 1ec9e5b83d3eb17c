//! Many edits as one revision: `POST /api/changes`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use citymap_crs::NamedCrs;
use citymap_edit::{AppliedEdit, Draft, EditChange, EditKind, PreparedEdit, ReadOptions, Refusal, Target};
use citymap_live::CitySnapshot;
use citymap_model::{RevisionNumber, counted};
use serde_json::{Map, Value, json};

use super::{
    commit::{RequestedEdits, WriteOutcome, WriteTask, summary, write},
    if_match, refusal,
    request::{WriteRequest, answer, check_message},
};
use crate::{
    app::App,
    http::{
        problem::Problem,
        request::{HandlerResult, no_layer},
    },
};

/// The media type of a batch.
const MEDIA_TYPES: [&str; 1] = ["application/json"];
/// The members that an edit of a batch may have.
const MEMBERS: [&str; 5] = ["op", "layer", "id", "ifMatch", "feature"];

/// The edits of a batch, as its body gives them.
pub(crate) struct BatchEdits {
    edits: Vec<Value>,
    /// The city whose layers the edits are checked against.
    city_snapshot: CitySnapshot,
    crs: NamedCrs,
    vertices_max: usize,
    /// Whether edits need no `ifMatch`.
    overwrites: bool,
}

/// The handler of `POST /api/changes`.
pub(crate) async fn batch(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let limits = &app.config.limits.edit;
    let request = WriteRequest::read(&app, request, &MEDIA_TYPES, limits.batch_bytes_max).await?;
    let crs = request.crs()?;
    let key = request.key()?;
    let Value::Object(mut body) = request.json()? else { return Err(wrong_shape().into()) };
    let message = match body.remove("message") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(check_message(&text)?),
        Some(_) => return Err(Problem::body("`message` is not a text").into()),
    };
    let Some(Value::Array(edits)) = body.remove("edits") else { return Err(wrong_shape().into()) };
    if let Some(name) = body.keys().next() {
        return Err(
            Problem::body(format!("`{name}` is not known here; a batch has `message` and `edits`")).into()
        );
    }
    let count = edits.len();
    if edits.is_empty() || count > limits.batch_edits_max {
        let max = limits.batch_edits_max;
        return Err(Problem::body(format!(
            "a batch has 1 to {max} edits, not {count}; send several batches"
        ))
        .into());
    }
    let mut meta = request.meta(key.as_ref(), || counted(count, "edit", "edits"))?;
    if let Some(message) = message {
        meta.message = message;
    }
    let city_snapshot = request.context.city_snapshot.clone();
    let (vertices_max, overwrites) = (limits.vertices_max, request.overwrites);
    let edits = BatchEdits { edits, city_snapshot, crs, vertices_max, overwrites };
    let task = WriteTask { meta, key, edits: Box::new(edits) };
    match write(&request.context, task).await? {
        WriteOutcome::Written(_, answered) | WriteOutcome::Repeated(answered) => {
            let document =
                answered.document.unwrap_or_else(|| json!({"revision": answered.revision, "results": null}));
            Ok(answer(StatusCode::OK, &document, &[]))
        }
        WriteOutcome::Refused(refused) => Err(refusal::of_batch(refused).into()),
    }
}

impl RequestedEdits for BatchEdits {
    fn prepare(&self) -> Result<Vec<PreparedEdit>, Vec<(usize, Problem)>> {
        let mut prepared = Vec::with_capacity(self.edits.len());
        let mut refused = Vec::new();
        for (position, edit) in self.edits.iter().enumerate() {
            match self.prepare_one(edit, position) {
                Ok(edit) => prepared.push(edit),
                Err(problem) => refused.push((position, problem)),
            }
        }
        if refused.is_empty() { Ok(prepared) } else { Err(refused) }
    }

    fn document(&self, applied: &[AppliedEdit], revision: RevisionNumber) -> Value {
        json!({"revision": revision, "results": applied.iter().map(summary).collect::<Vec<_>>()})
    }
}

impl BatchEdits {
    fn prepare_one(&self, edit: &Value, position: usize) -> Result<PreparedEdit, Problem> {
        let body = |reason: &str| Problem::body(format!("edit {position}: {reason}"));
        let members = edit.as_object().ok_or_else(|| body("it is not an object"))?;
        if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(body(&format!("`{name}` is not known; an edit has {}", MEMBERS.join(", "))));
        }
        let kind = text(members, "op").and_then(EditKind::parse);
        let kind = kind.ok_or_else(|| body("`op` must be create, replace, update or delete"))?;
        let name = text(members, "layer").ok_or_else(|| body("`layer` is missing"))?;
        let layer = self.city_snapshot.city.layer(name);
        let layer = layer.cloned().ok_or_else(|| Problem::not_found(no_layer(&self.city_snapshot, name)))?;
        let target = match kind {
            EditKind::Create if members.contains_key("id") || members.contains_key("ifMatch") => {
                return Err(body(
                    "a new feature has neither `id` nor `ifMatch`: the store gives it a number, \
                     a field its key",
                ));
            }
            EditKind::Create => None,
            EditKind::Replace | EditKind::Update | EditKind::Delete => {
                // In a layer without keys ids are numbers, in answers too.
                let id = match members.get("id") {
                    Some(Value::String(id)) => id.clone(),
                    Some(Value::Number(id)) => id.to_string(),
                    _ => return Err(body("`id` is missing")),
                };
                let given = text(members, "ifMatch").or(self.overwrites.then_some("*"));
                let expected = if_match::parse(given.ok_or_else(if_match::missing)?);
                Some(Target { id, expected })
            }
        };
        let feature = match (kind, members.get("feature")) {
            (EditKind::Delete, Some(_)) => return Err(body("an edit that deletes has no `feature`")),
            (EditKind::Delete, None) => &Value::Null,
            (_, None) => return Err(body("`feature` is missing")),
            (_, Some(feature)) => feature,
        };
        let pointer = format!("/edits/{position}/feature");
        let options = ReadOptions { crs: &self.crs, vertices_max: self.vertices_max };
        let whole = |id: Option<&str>| Draft::whole(feature, layer.layer(), &options, id, &pointer);
        let change = match (kind, target) {
            (EditKind::Create, _) | (_, None) => whole(None).map(EditChange::Create),
            (EditKind::Replace, Some(target)) => {
                whole(Some(&target.id)).map(|draft| EditChange::Replace(target, draft))
            }
            (EditKind::Update, Some(target)) => {
                Draft::patch(feature, layer.layer(), &options, Some(&target.id), &pointer)
                    .map(|draft| EditChange::Update(target, draft))
            }
            (EditKind::Delete, Some(target)) => Ok(EditChange::Delete(target)),
        };
        let change = change.map_err(|faults| refusal::problem(&Refusal::Invalid(faults)))?;
        Ok(PreparedEdit { layer, change, pointer })
    }
}

/// The problem of a body that is not a batch.
fn wrong_shape() -> Problem {
    Problem::body(
        "a batch is {\"message\": …, \"edits\": [{\"op\": \"create|replace|update|delete\", \"layer\": …, \
         \"id\": …, \"ifMatch\": …, \"feature\": {…}}]}",
    )
}

/// The member with this name, if it is a text.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
