//! A layer from its store: whole, or the one in memory with what has changed.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use citymap_engine::{EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use citymap_store::{Change, LayerEntry, ReadView, Store, StoreError, Touched};

use crate::LiveError;

/// Changed features up to which a layer is always brought up by them.
const FEW: u64 = 1_000;
/// Changed features up to which it is where they are a small part of it: they are held in memory meanwhile.
const MANY: u64 = 200_000;

/// Layers that are read at a time at most: a database has few connections.
const READERS: usize = 4;

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
    view: &dyn ReadView,
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
pub(crate) fn whole(view: &dyn ReadView, entry: LayerEntry) -> Result<LayerSnapshot, LiveError> {
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

/// Reads layers whole, as of the view's revision, as many at a time as there are threads, and with each the store's stamp of
/// it ([`View::stamp`]) at that moment.
pub(crate) fn all(
    store: &dyn Store,
    view: &dyn ReadView,
    mut entries: Vec<LayerEntry>,
) -> Result<Vec<(LayerSnapshot, Option<String>)>, LiveError> {
    let one = |view: &dyn ReadView, entry: LayerEntry| -> Result<_, LiveError> {
        // Before the features: who edits past the revisions meanwhile makes it another one.
        let stamp = view.stamp(&entry.layer.id)?;
        Ok((whole(view, entry)?, stamp))
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(entries.len()).min(READERS);
    if threads < 2 {
        return entries.into_iter().map(|entry| one(view, entry)).collect();
    }
    // The largest first: the last one to end should be a small one.
    entries.sort_by_key(|entry| entry.count);
    let revision = view.revision();
    let queue = Mutex::new(entries);
    let work = || -> Result<Vec<_>, LiveError> {
        // What is committed meanwhile is not seen: the view is of the same revision.
        let view = store.view_at(revision)?;
        let mut read = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(entry) = next else { return Ok(read) };
            read.push(one(view.as_ref(), entry)?);
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
