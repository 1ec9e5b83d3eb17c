//! Merging grown deltas into their bases, on a thread of its own. Readers keep the old snapshot; what is
//! committed during a merge is applied again to the merged layer before it is shown.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use citymap_engine::{EngineError, LayerSnapshot};

use crate::{
    CitySnapshot,
    running_merge::{LayerStep, RunningMerge},
    shared::{Shared, WriterState},
};

/// A delta with more features than this, and more than a hundredth of the layer, is merged.
const DELTA_MAX: usize = 2_000;

/// Starts to merge a layer whose delta has grown, unless another merge is running.
pub(crate) fn start_if_due(shared: &Arc<Shared>, state: &mut WriterState) {
    if state.merge.is_some() {
        return;
    }
    let is_due = |layer: &&Arc<LayerSnapshot>| {
        let delta_max = DELTA_MAX.max(layer.len() / 100);
        layer.delta_len() > delta_max && !state.full_bases.contains(&layer.base().id())
    };
    let Some(snapshot) = shared.snapshot().city.layers.values().find(is_due).cloned() else { return };
    let layer = snapshot.layer().id.clone();
    let work = {
        let shared = Arc::clone(shared);
        move || {
            let end = MergeEnd(shared);
            merge(&end.0, &snapshot);
        }
    };
    match thread::Builder::new().name("merge-delta".to_owned()).spawn(work) {
        Ok(_running) => state.merge = Some(RunningMerge { layer, since: Vec::new(), abandoned: false }),
        Err(error) => tracing::warn!(%error, "no thread to merge a delta; the next revision tries again"),
    }
}

/// Lets the next merge start when it is dropped, however this merge ended.
struct MergeEnd(Arc<Shared>);

impl Drop for MergeEnd {
    fn drop(&mut self) {
        let mut state = self.0.lock_writer();
        state.merge = None;
        if !thread::panicking() {
            start_if_due(&self.0, &mut state);
        }
    }
}

fn merge(shared: &Shared, snapshot: &Arc<LayerSnapshot>) {
    let start = Instant::now();
    let id = snapshot.layer().id.clone();
    let merged = Arc::new(snapshot.merged());
    if merged.base().id() == snapshot.base().id() {
        tracing::warn!(layer = %id, "a delta does not fit into its base; it stays separate");
        shared.lock_writer().full_bases.push(snapshot.base().id());
        return;
    }
    // The names of the new base are indexed before the lock is taken, so that nobody waits for that.
    let prepared = shared.snapshot().with_layer(Arc::clone(&merged)).indexed();

    let mut state = shared.lock_writer();
    let locked = Instant::now();
    let Some(RunningMerge { since, abandoned: false, .. }) = state.merge.take() else { return };
    let next = match replay(&merged, since) {
        Ok(Some(next)) => Arc::new(next),
        Ok(None) => merged,
        Err(error) => {
            // The same steps were applied to the old base without an error, so this should not happen. The
            // old base stays in use.
            tracing::error!(layer = %id, %error, "a delta could not be merged");
            state.full_bases.push(snapshot.base().id());
            return;
        }
    };
    let city_snapshot = shared.snapshot().with_layer(next);
    shared.show(CitySnapshot { search: prepared.search, ..city_snapshot }.indexed());
    tracing::info!(
        layer = %id,
        ms = start.elapsed().as_millis() as u64,
        locked_ms = locked.elapsed().as_secs_f64() * 1e3,
        "delta merged"
    );
    drop(state);
    if let Some(writer) = &shared.snapshot_writer {
        writer.wake();
    }
}

/// The merged layer with the steps applied; `None` if there are none.
fn replay(merged: &LayerSnapshot, since: Vec<LayerStep>) -> Result<Option<LayerSnapshot>, EngineError> {
    let mut next: Option<LayerSnapshot> = None;
    for LayerStep { layer, revision, changes } in since {
        next = Some(next.as_ref().unwrap_or(merged).apply(layer, revision, changes)?);
    }
    Ok(next)
}

impl crate::Live {
    /// Waits until no delta is being merged, for at most `timeout`. Returns whether none is. For tests and
    /// measurements.
    pub fn wait_for_merges(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while self.shared.lock_writer().merge.is_some() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}
