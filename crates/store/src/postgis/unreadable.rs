//! Warnings about features of which something cannot be read.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use citymap_model::{Fid, LayerId};

/// Maximum number of features that are warned of; further ones are in the report of `citymap doctor`.
const MOST: usize = 1_000;

/// The features that this process has warned of.
static WARNED: Mutex<BTreeSet<(LayerId, Fid)>> = Mutex::new(BTreeSet::new());

/// Warns that something of a feature was read as null; once for each feature.
pub(super) fn warn(layer: &LayerId, fid: Fid, problem: &str) {
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.len() < MOST && warned.insert((layer.clone(), fid)) {
        tracing::warn!("layer `{layer}`, feature {fid}{problem}; it is shown without it");
    }
}
