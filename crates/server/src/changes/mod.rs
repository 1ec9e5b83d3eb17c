//! What changed: revisions page by page, as a stream of events, and the history of one feature.

pub(crate) mod changes;
pub(crate) mod events;
pub(crate) mod history;

use citymap_model::LayerId;

use crate::http::{problem::Problem, request::RequestContext};

/// The layers that `layers=a,b` names; `None` where it is absent.
fn filter(context: &mut RequestContext) -> Result<Option<Vec<LayerId>>, Problem> {
    if !context.given.pairs().any(|(name, _)| name == "layers") {
        return Ok(None);
    }
    Ok(Some(context.layers()?.iter().map(|snapshot| snapshot.layer().id.clone()).collect()))
}
