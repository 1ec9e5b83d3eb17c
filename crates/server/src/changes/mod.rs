//! What changed: revisions page by page, as a stream of events, and the history of one feature.

pub(crate) mod changes;
pub(crate) mod events;
pub(crate) mod history;

use citymap_live::LiveError;
use citymap_model::LayerId;
use citymap_store::StoreError;

use crate::http::{problem::Problem, request::RequestContext};

/// The layers that `layers=a,b` names; `None` where it is absent.
fn filter(context: &mut RequestContext) -> Result<Option<Vec<LayerId>>, Problem> {
    if !context.given.pairs().any(|(name, _)| name == "layers") {
        return Ok(None);
    }
    Ok(Some(context.layers()?.iter().map(|snapshot| snapshot.layer().id.clone()).collect()))
}

/// The problem to answer if the record's changes cannot be read: 503 if trying again may help, else 500.
fn unreadable(error: &LiveError) -> Problem {
    match error {
        LiveError::Store(StoreError::Away { .. } | StoreError::Busy { .. } | StoreError::Database { .. }) => {
            Problem::unavailable(
                format!("the record of changes cannot be read now: {error}; ask again in a few seconds"),
                5,
            )
        }
        _ => Problem::internal(format!("the record of changes cannot be read: {error}")),
    }
}
