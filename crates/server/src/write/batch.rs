//! Many edits as one revision: `POST /api/changes`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use citymap_live::CitySnapshot;
use serde_json::{Map, Value, json};

use super::{
    apply::{Done, Op, Prepared, Refused},
    draft::{Draft, Given},
    etag::{self, Seen},
    fault,
    request::{Outcome, Writing, answer, message, write},
    single::brief,
};
use crate::{
    app::App,
    http::{
        problem::Problem,
        request::{HandlerResult, no_layer},
    },
};

/// What a batch is sent as.
const KINDS: [&str; 1] = ["application/json"];
/// Members of an edit.
const MEMBERS: [&str; 5] = ["op", "layer", "id", "ifMatch", "feature"];
/// Failing edits that an answer lists at most.
const LISTED: usize = 1_000;

/// `POST /api/changes`
pub(crate) async fn batch(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let limits = &app.config.limits;
    let writing = Writing::read(&app, request, &KINDS, limits.batch_bytes_max).await?;
    let crs = writing.crs()?;
    let key = writing.key()?;
    let Value::Object(mut body) = writing.json()? else { return Err(shape().into()) };
    let said = match body.remove("message") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(message(&text)?),
        Some(_) => return Err(Problem::body("`message` is no text").into()),
    };
    let Some(Value::Array(edits)) = body.remove("edits") else { return Err(shape().into()) };
    if let Some(name) = body.keys().next() {
        return Err(
            Problem::body(format!("`{name}` is not known here; a batch has `message` and `edits`")).into()
        );
    }
    if edits.is_empty() || edits.len() > limits.batch_edits_max {
        let (most, count) = (limits.batch_edits_max, edits.len());
        return Err(Problem::body(format!("a batch has 1 to {most} edits, not {count}; send several")).into());
    }
    let count = edits.len();
    let mut meta = writing.meta(key.as_ref(), || format!("{count} edits"))?;
    if let Some(said) = said {
        meta.message = said;
    }
    let city_snapshot = writing.ask.city_snapshot.clone();
    let vertices_max = limits.edit_vertices_max;
    let prepare = move || {
        let given = Given { crs: &crs, vertices_max };
        prepare(&edits, &city_snapshot, &given)
    };
    match write(&writing.ask, meta, key, prepare, document).await? {
        Ok(Outcome::Made(_, answered) | Outcome::Before(answered)) => {
            let document =
                answered.document.unwrap_or_else(|| json!({"revision": answered.revision, "results": null}));
            Ok(answer(StatusCode::OK, &document, &[]))
        }
        Err(Refused::Problem(problem)) => Err(problem.into()),
        Err(Refused::Edits(failed)) => Err(refusal(failed).into()),
        Err(Refused::Answered(_)) => Err(Problem::internal("an answer was taken for a refusal").into()),
    }
}

fn shape() -> Problem {
    Problem::body(
        "a batch is {\"message\": …, \"edits\": [{\"op\": \"create|replace|update|delete\", \"layer\": …, \"id\": …, \
         \"ifMatch\": …, \"feature\": {…}}]}",
    )
}

fn document(done: &[Done], revision: u64) -> Value {
    json!({"revision": revision, "results": done.iter().map(brief).collect::<Vec<_>>()})
}

fn prepare(
    edits: &[Value],
    city_snapshot: &CitySnapshot,
    given: &Given<'_>,
) -> Result<Vec<Prepared>, Refused> {
    let mut good = Vec::with_capacity(edits.len());
    let mut failed = Vec::new();
    for (position, edit) in edits.iter().enumerate() {
        match one(edit, city_snapshot, given, position) {
            Ok(edit) => good.push(edit),
            Err(problem) => failed.push((position, problem)),
        }
    }
    if failed.is_empty() { Ok(good) } else { Err(Refused::Edits(failed)) }
}

fn one(
    edit: &Value,
    city_snapshot: &CitySnapshot,
    given: &Given<'_>,
    position: usize,
) -> Result<Prepared, Problem> {
    let body = |reason: &str| Problem::body(format!("edit {position}: {reason}"));
    let members = edit.as_object().ok_or_else(|| body("it is no object"))?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(body(&format!("`{name}` is not known; an edit has {}", MEMBERS.join(", "))));
    }
    let op = text(members, "op").and_then(Op::parse);
    let op = op.ok_or_else(|| body("`op` must be create, replace, update or delete"))?;
    let name = text(members, "layer").ok_or_else(|| body("`layer` is missing"))?;
    let layer = city_snapshot
        .city
        .layer(name)
        .cloned()
        .ok_or_else(|| Problem::not_found(no_layer(city_snapshot, name)))?;
    let (mut id, mut seen) = (None, None);
    if op != Op::Create {
        // A layer without keys has numbers for ids, in answers too.
        id = match members.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => return Err(body("`id` is missing")),
        };
        seen = Some(Seen::parse(text(members, "ifMatch").ok_or_else(etag::missing)?));
    } else if members.contains_key("id") || members.contains_key("ifMatch") {
        return Err(body(
            "a new feature has neither `id` nor `ifMatch`: the record gives the number, a field the key",
        ));
    }
    let pointer = format!("/edits/{position}/feature");
    let draft = match (op, members.get("feature")) {
        (Op::Delete, None) => None,
        (Op::Delete, Some(_)) => return Err(body("a feature that goes needs no `feature`")),
        (_, None) => return Err(body("`feature` is missing")),
        (Op::Update, Some(json)) => Some(Draft::patch(json, layer.layer(), given, id.as_deref(), &pointer)),
        (_, Some(json)) => Some(Draft::whole(json, layer.layer(), given, id.as_deref(), &pointer)),
    };
    let draft = draft.transpose().map_err(|faults| fault::problem(&faults))?;
    Ok(Prepared { op, layer, id, seen, draft, pointer })
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

/// One problem of all edits that fail: with their status where they share one, else 422.
fn refusal(failed: Vec<(usize, Problem)>) -> Problem {
    let count = failed.len();
    let mut statuses = failed.iter().map(|(_, problem)| problem.status());
    let first = statuses.next().unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let shared =
        if statuses.all(|status| status == first) { first } else { StatusCode::UNPROCESSABLE_ENTITY };
    let detail = format!("{count} edits cannot be made, see `errors`; nothing was written");
    let errors: Vec<Value> = failed
        .into_iter()
        .take(LISTED)
        .map(|(position, problem)| {
            let mut error = problem.to_json();
            error["edit"] = position.into();
            error
        })
        .collect();
    let problem = match shared {
        StatusCode::BAD_REQUEST => Problem::body(detail),
        StatusCode::NOT_FOUND => Problem::not_found(detail),
        StatusCode::CONFLICT => Problem::conflict(detail),
        StatusCode::PRECONDITION_FAILED => Problem::stale(detail),
        StatusCode::PRECONDITION_REQUIRED => Problem::precondition_required(detail),
        _ => Problem::unprocessable(detail),
    };
    problem.with("errors", errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_status_for_one_kind_of_failure() {
        let stale = || Problem::stale("x");
        assert_eq!(refusal(vec![(3, stale()), (5, stale())]).status(), 412);
        let mixed = refusal(vec![(3, stale()), (5, Problem::not_found("y"))]);
        assert_eq!(mixed.status(), 422);
        let json = mixed.to_json();
        assert_eq!(json["errors"][1]["edit"], 5);
        assert_eq!(json["errors"][1]["status"], 404);
    }
}
