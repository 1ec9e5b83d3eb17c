//! Refused edits as problems.

use axum::http::StatusCode;
use citymap_edit::{Fault, Refusal};
use citymap_model::counted;
use serde_json::{Value, json};

use crate::http::problem::Problem;

/// Maximum number of faults that one answer lists.
const FAULTS_LISTED: usize = 100;
/// Maximum number of refused edits that one answer lists.
const EDITS_LISTED: usize = 1_000;

/// The problem of one refused edit.
pub(crate) fn problem(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::LayerRedefined { .. } => Problem::conflict(detail),
        Refusal::NotFound { .. } => Problem::not_found(detail),
        Refusal::KeyChanged { .. } => Problem::stale(detail),
        Refusal::Stale { tag } => Problem::stale(detail).with("etag", format!("\"{tag}\"")),
        Refusal::Invalid(faults) => Problem::unprocessable(detail).with("faults", fault_list(faults)),
        _ => Problem::internal(detail),
    }
}

fn fault_list(faults: &[Fault]) -> Value {
    let one = |fault: &Fault| {
        let mut value = json!({"pointer": fault.pointer, "reason": fault.reason});
        if let Some(location) = fault.location {
            value["place"] = json!(location);
        }
        value
    };
    faults.iter().take(FAULTS_LISTED).map(one).collect()
}

/// The problem of the only edit of a request.
pub(crate) fn only(refused: Vec<(usize, Problem)>) -> Problem {
    refused
        .into_iter()
        .next()
        .map_or_else(|| Problem::internal("an edit was refused without a reason"), |(_, problem)| problem)
}

/// One problem for all refused edits of a batch: with their status if they have the same one, else 422.
pub(crate) fn of_batch(refused: Vec<(usize, Problem)>) -> Problem {
    let count = refused.len();
    let mut statuses = refused.iter().map(|(_, problem)| problem.status());
    let first = statuses.next().unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let shared =
        if statuses.all(|status| status == first) { first } else { StatusCode::UNPROCESSABLE_ENTITY };
    let detail =
        format!("{} cannot be made, see `errors`; nothing was written", counted(count, "edit", "edits"));
    let errors: Vec<Value> = refused
        .into_iter()
        .take(EDITS_LISTED)
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
        assert_eq!(of_batch(vec![(3, stale()), (5, stale())]).status(), 412);
        let mixed = of_batch(vec![(3, stale()), (5, Problem::not_found("y"))]);
        assert_eq!(mixed.status(), 422);
        let json = mixed.to_json();
        assert_eq!(json["errors"][1]["edit"], 5);
        assert_eq!(json["errors"][1]["status"], 404);
    }
}
