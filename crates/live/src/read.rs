//! Reading a layer from its store: as a whole, or only what differs between two revisions.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use citymap_engine::{Cancel, EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use citymap_store::{Change, LayerEntry, ReadView, Store, StoreError, Touched};

use crate::LiveError;

/// With at most this many changed features, a layer is always updated by its changes.
const FEW: u64 = 1_000;
/// With at most this many changed features, a layer is updated by its changes if they are a small part of it.
/// They are held in memory while the layer is updated.
const MANY: u64 = 200_000;

/// Maximum number of layers that are read at the same time: a database has few connections.
const READERS: usize = 4;

/// Whether a layer of `count` features is updated by its changes rather than read as a whole.
pub(crate) fn is_small_change(touched: Touched, count: u64) -> bool {
    match touched {
        Touched::Whole => false,
        Touched::Features(n) => n <= FEW || (n <= MANY && n <= count / 5),
    }
}

/// The features that differ, in the form that the engine takes; `None` removes a feature.
pub(crate) type Changes = Vec<(Fid, Option<Feature>)>;

/// The features that differ between revision `from` and the view's revision, each as it is on the side that
/// `side` chooses.
pub(crate) fn read_changes(
    view: &dyn ReadView,
    layer: &LayerId,
    from: RevisionNumber,
    side: fn(Change) -> Option<Feature>,
) -> Result<Changes, LiveError> {
    read_changes_until(view, (layer, from), side, &Cancel::new())
}

/// As [`read_changes`], but ends soon after `cancel` is set.
///
/// # Errors
/// Also [`EngineError::Cancelled`].
pub(crate) fn read_changes_until(
    view: &dyn ReadView,
    (layer, from): (&LayerId, RevisionNumber),
    side: fn(Change) -> Option<Feature>,
    cancel: &Cancel,
) -> Result<Changes, LiveError> {
    let mut changes = Vec::new();
    let outcome = view.changes(layer, from, &mut |change| {
        cancel.check().map_err(|gone| StoreError::Stopped(gone.to_string()))?;
        changes.push((change.fid, side(change)));
        Ok(())
    });
    cancel.check().map_err(EngineError::from)?;
    outcome?;
    Ok(changes)
}

/// Reads all features of a layer into memory. Blocks.
///
/// # Errors
/// The store's failure, or a feature that cannot be held in memory.
pub fn read_layer(view: &dyn ReadView, entry: LayerEntry) -> Result<LayerSnapshot, LiveError> {
    read_layer_until(view, entry, &Cancel::new())
}

/// As [`read_layer`], but reading ends soon after `cancel` is set. The indexes are then not built.
///
/// # Errors
/// Also [`EngineError::Cancelled`].
pub(crate) fn read_layer_until(
    view: &dyn ReadView,
    entry: LayerEntry,
    cancel: &Cancel,
) -> Result<LayerSnapshot, LiveError> {
    let LayerEntry { layer, revision, .. } = entry;
    let id = layer.id.clone();
    let mut builder = SnapshotBuilder::new(layer);
    let mut failure: Option<EngineError> = None;
    let outcome = view.read(&id, &mut |feature| {
        let pushed = cancel.check().map_err(EngineError::from).and_then(|()| builder.push(&feature));
        pushed.map_err(|error| {
            // Ends the reading; the error itself is returned below.
            let stopped = StoreError::Stopped(error.to_string());
            failure = Some(error);
            stopped
        })
    });
    match failure {
        Some(error) => return Err(error.into()),
        None => outcome?,
    }
    Ok(builder.finish(revision))
}

/// Reads whole layers as of the view's revision, several at a time, each with the stamp that the store had
/// for it at that moment ([`ReadView::stamp`]).
pub(crate) fn read_layers(
    store: &dyn Store,
    view: &dyn ReadView,
    mut entries: Vec<LayerEntry>,
) -> Result<Vec<(LayerSnapshot, Option<String>)>, LiveError> {
    let read_one = |view: &dyn ReadView, entry: LayerEntry| -> Result<_, LiveError> {
        // The stamp is read before the features: an edit by another program in between must change it.
        let stamp = view.stamp(&entry.layer.id)?;
        let start = Instant::now();
        let snapshot = read_layer(view, entry)?;
        tracing::info!(
            layer = %snapshot.layer().id,
            features = snapshot.len(),
            ms = start.elapsed().as_millis() as u64,
            "layer read"
        );
        Ok((snapshot, stamp))
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(entries.len()).min(READERS);
    if threads < 2 {
        return entries.into_iter().map(|entry| read_one(view, entry)).collect();
    }
    // The largest layer is read first, so that a small one is the last to end.
    entries.sort_by_key(|entry| entry.count);
    let revision = view.revision();
    let queue = Mutex::new(entries);
    let work = || -> Result<Vec<_>, LiveError> {
        // A view of the same revision does not see what is committed in the meantime.
        let view = store.view_at(revision)?;
        let mut read = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(entry) = next else { return Ok(read) };
            read.push(read_one(view.as_ref(), entry)?);
        }
    };
    thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut read = Vec::new();
        for reader in readers {
            match reader.join() {
                Ok(outcome) => read.extend(outcome?),
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        }
        Ok(read)
    })
}
