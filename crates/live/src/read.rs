//! A layer from its store: whole, or the one in memory with what has changed.

use std::time::Instant;

use citymap_engine::{EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use citymap_store::{Change, LayerEntry, StoreError, Touched, View};

use crate::LiveError;

/// Changed features up to which a layer is always brought up by them.
const FEW: u64 = 1_000;
/// Changed features up to which it is where they are a small part of it: they are held in memory meanwhile.
const MANY: u64 = 200_000;

/// Whether a layer of `count` features is brought from one revision to the other by what differs.
pub(crate) fn stepwise(touched: Touched, count: u64) -> bool {
    match touched {
        Touched::Whole => false,
        Touched::Features(n) => n <= FEW || (n <= MANY && n <= count / 5),
    }
}

/// What differs, feature by feature, as the engine takes it: `None` is a feature that goes.
pub(crate) type Changes = Vec<(Fid, Option<Feature>)>;

/// What differs between revision `from` and the view's, seen from the side that `side` chooses.
pub(crate) fn differing(
    view: &dyn View,
    layer: &LayerId,
    from: RevisionNumber,
    side: fn(Change) -> Option<Feature>,
) -> Result<Changes, StoreError> {
    let mut changes = Vec::new();
    view.changes(layer, from, &mut |change| {
        changes.push((change.fid, side(change)));
        Ok(())
    })?;
    Ok(changes)
}

/// Reads all features of a layer.
pub(crate) fn whole(view: &dyn View, entry: LayerEntry) -> Result<LayerSnapshot, LiveError> {
    let start = Instant::now();
    let LayerEntry { layer, revision, count } = entry;
    let id = layer.id.clone();
    let mut builder = SnapshotBuilder::new(layer);
    let mut failure: Option<EngineError> = None;
    let outcome = view.read(&id, &mut |feature| {
        builder.push(&feature).map_err(|error| {
            let stopped = StoreError::Stopped(error.to_string());
            failure = Some(error);
            stopped
        })
    });
    match failure {
        Some(error) => return Err(error.into()),
        None => outcome?,
    }
    let snapshot = builder.finish(revision);
    tracing::info!(layer = %id, features = count, ms = start.elapsed().as_millis() as u64, "layer read");
    Ok(snapshot)
}
