//! What changed: revisions page by page, as a stream of events, and the history of one feature.

pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod pages;

use citymap_live::LiveError;
use citymap_model::LayerId;
use citymap_store::StoreError;

use crate::http::{problem::Problem, request::RequestContext};

/// The ids of the layers that a list `a,b` names; `None` for all layers, including those that were removed.
fn layer_filter(context: &RequestContext, names: Option<&str>) -> Result<Option<Vec<LayerId>>, Problem> {
    let Some(names) = names else { return Ok(None) };
    let layers = context.layers(Some(names))?;
    Ok(Some(layers.iter().map(|snapshot| snapshot.layer().id.clone()).collect()))
}

/// The problem to answer if the record's changes cannot be read: 503 if trying again may help, else 500.
fn unreadable(error: &LiveError) -> Problem {
    match error {
        LiveError::Store(StoreError::Away { .. } | StoreError::Busy { .. } | StoreError::Database { .. }) => {
            // The error names the store, which is of no concern to the public.
            tracing::warn!(error = error as &dyn std::error::Error, "the record of changes cannot be read");
            Problem::unavailable("the record of changes cannot be read now; ask again in a few seconds", 5)
        }
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "the record of changes cannot be read");
            Problem::internal("the record of changes cannot be read; the server's log tells why")
        }
    }
}
