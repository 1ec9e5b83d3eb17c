//! Deltas that have grown are folded into their base by a thread of its own: readers go on with the old snapshot, and
//! what is committed meanwhile is applied again to the merged one before that is shown.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use citymap_engine::{EngineError, LayerSnapshot};
use citymap_model::{Layer, LayerId, RevisionNumber};

use crate::{CitySnapshot, Keeping, Shared, read::Changes, refresh::indexed};

/// Features of a delta from which it is merged, where a hundredth of the layer is less.
const DELTA: usize = 2_000;

/// What brought a layer from one revision to a later one.
pub(crate) struct Step {
    pub(crate) layer: Layer,
    pub(crate) revision: RevisionNumber,
    pub(crate) changes: Changes,
}

/// A merge that runs.
pub(crate) struct Merging {
    layer: LayerId,
    /// What the layer has gone through since the merge began.
    since: Vec<Step>,
    /// The layer has become another one: what is being merged is of no use.
    abandoned: bool,
}

impl Merging {
    /// Remembers what the layer goes through.
    pub(crate) fn follow(&mut self, steps: Vec<Step>, replaced: &[LayerId]) {
        self.abandoned |= replaced.contains(&self.layer);
        self.since.extend(steps.into_iter().filter(|step| step.layer.id == self.layer));
    }

    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
    }
}

/// Begins to merge a layer whose delta has grown, unless another one is being merged.
pub(crate) fn start_if_due(shared: &Arc<Shared>, keeping: &mut Keeping) {
    if keeping.merging.is_some() {
        return;
    }
    let city_snapshot = shared.snapshot();
    let due = |layer: &&Arc<LayerSnapshot>| {
        layer.delta_len() > DELTA.max(layer.len() / 100) && !keeping.full.contains(&layer.base().id())
    };
    let due = city_snapshot.city.layers.values().find(due).cloned();
    let Some(snapshot) = due else { return };
    let layer = snapshot.layer().id.clone();
    let name = "merge-delta".to_owned();
    let work = {
        let shared = Arc::clone(shared);
        move || {
            let done = Done(shared);
            merge(&done.0, &snapshot);
        }
    };
    match thread::Builder::new().name(name).spawn(work) {
        Ok(_runs) => keeping.merging = Some(Merging { layer, since: Vec::new(), abandoned: false }),
        Err(error) => tracing::warn!(%error, "no thread to merge a delta; the next revision tries again"),
    }
}

/// Lets the next merge begin, however this one ended.
struct Done(Arc<Shared>);

impl Drop for Done {
    fn drop(&mut self) {
        let mut keeping = self.0.keep();
        keeping.merging = None;
        if !thread::panicking() {
            start_if_due(&self.0, &mut keeping);
        }
    }
}

fn merge(shared: &Shared, snapshot: &Arc<LayerSnapshot>) {
    let start = Instant::now();
    let id = snapshot.layer().id.clone();
    let merged = Arc::new(snapshot.merged());
    if merged.base().id() == snapshot.base().id() {
        tracing::warn!(layer = %id, "a delta is too much for its base; it stays beside it");
        shared.keep().full.push(snapshot.base().id());
        return;
    }
    // The names of the new base are indexed before anybody has to wait for it.
    let mut prepared = shared.snapshot();
    prepared = with_layer(&prepared, Arc::clone(&merged));
    prepared = indexed(prepared);

    let mut keeping = shared.keep();
    let held = Instant::now();
    let Some(Merging { since, abandoned: false, .. }) = keeping.merging.take() else { return };
    let now = shared.snapshot();
    let next = match replay(&merged, since) {
        Ok(Some(next)) => Arc::new(next),
        Ok(None) => merged,
        Err(error) => {
            // The same steps went through on the old base, so this cannot be; the old base stays in use.
            tracing::error!(layer = %id, %error, "a delta could not be merged");
            keeping.full.push(snapshot.base().id());
            return;
        }
    };
    let city_snapshot = with_layer(&now, next);
    shared.show(indexed(CitySnapshot { search: prepared.search, ..city_snapshot }));
    tracing::info!(
        layer = %id,
        ms = start.elapsed().as_millis() as u64,
        held_ms = held.elapsed().as_secs_f64() * 1e3,
        "delta merged"
    );
    drop(keeping);
    if let Some(keeper) = &shared.keeper {
        keeper.wake();
    }
}

fn replay(merged: &LayerSnapshot, since: Vec<Step>) -> Result<Option<LayerSnapshot>, EngineError> {
    let mut next: Option<LayerSnapshot> = None;
    for Step { layer, revision, changes } in since {
        next = Some(next.as_ref().unwrap_or(merged).apply(layer, revision, changes)?);
    }
    Ok(next)
}

fn with_layer(city_snapshot: &CitySnapshot, layer: Arc<LayerSnapshot>) -> CitySnapshot {
    let mut city = (*city_snapshot.city).clone();
    city.layers.insert(layer.layer().id.clone(), layer);
    CitySnapshot { city: Arc::new(city), ..city_snapshot.clone() }
}

impl crate::Live {
    /// Waits until no delta is being merged, or the time is over; whether none is. For tests and measurements.
    pub fn wait_for_merges(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while self.shared.keep().merging.is_some() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}
