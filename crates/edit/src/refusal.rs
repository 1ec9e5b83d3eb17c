//! Why an edit is not made.

use citymap_model::{LayerId, counted};
use citymap_store::StoreError;

use crate::Fault;

/// Why one edit is not made. Nothing of its request is written then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The fields, the key or the kind of geometry of the layer have changed since the edit was checked.
    #[error("layer `{layer}` has been redefined in the meantime; read its schema again")]
    LayerRedefined {
        /// The layer that the edit is for.
        layer: LayerId,
    },
    /// The layer has no feature with this id.
    #[error("layer `{layer}` has no feature `{id}`")]
    NotFound {
        /// The layer that the edit is for.
        layer: LayerId,
        /// The id as it was given, cut to 80 characters.
        id: String,
    },
    /// The feature that had this id has another key in the record.
    #[error("the feature with the id `{id}` has another key now; read it again")]
    KeyChanged {
        /// The id as it was given.
        id: String,
    },
    /// The feature is not in a state that the client has seen.
    #[error(
        "the feature is not as If-Match says: it has been changed in the meantime. Read it again, and \
         apply your change to what is there now"
    )]
    Stale {
        /// The [`crate::content_tag`] of the feature as it is.
        tag: String,
    },
    /// What the edit says cannot be stored.
    #[error("{}", summary(.0))]
    Invalid(Vec<Fault>),
    /// The feature was written and is not found in the transaction. This is a fault of the store.
    #[error("a feature that was written cannot be read back")]
    Lost,
}

/// The first fault with its place, and how many more there are.
fn summary(faults: &[Fault]) -> String {
    let first = faults.first().map_or_else(String::new, |fault| {
        let place = if fault.pointer.is_empty() { "the feature" } else { &fault.pointer };
        format!("{place}: {}", fault.reason)
    });
    match faults.len() {
        0 | 1 => first,
        count => format!("{first}; and {} more, see `faults`", count - 1),
    }
}

/// Why edits were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The store failed while the edits were written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some edits cannot be made; none was written.
    #[error("{} cannot be made; nothing was written", counted(.0.len(), "edit", "edits"))]
    Refused(
        /// Each refused edit by its position in the request, ascending.
        Vec<(usize, Refusal)>,
    ),
}
