//! What each revision changed, feature by feature: the change feed.

use std::sync::Arc;

use citymap_access::{Audience, lasting_key};
use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::{Feature, FeatureId, Layer, LayerChange, Revision, RevisionNumber, Value};
use citymap_store::{Change, ReadView, StoreError, Touched};

use crate::{
    CitySnapshot, FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, Live, LiveError, RevisionEvent,
};

/// Maximum number of features that are read only to find the box around them.
const BOXES_MAX: u64 = 50_000;

impl Live {
    /// What the revisions above `after` changed, oldest first, at most `limit` revisions, up to the one that
    /// [`Live::snapshot`] shows: whoever reads the city after an event sees at least what the event says. The
    /// newest revisions are answered from memory, others from the store. Blocks.
    ///
    /// # Errors
    /// The store's failure.
    pub fn events_after(
        &self,
        after: RevisionNumber,
        limit: usize,
    ) -> Result<Vec<Arc<RevisionEvent>>, LiveError> {
        let city_snapshot = self.snapshot();
        let newest = city_snapshot.revision();
        if after >= newest || limit == 0 {
            return Ok(Vec::new());
        }
        if let Some(events) = self.recent.after(after, limit, newest) {
            return Ok(events);
        }
        let mut events = Vec::new();
        for revision in self.store().log_after(after, limit)? {
            if revision.number > newest {
                break;
            }
            let event = match self.store().view_at(revision.number) {
                Ok(view) => event(view.as_ref(), revision, &city_snapshot)?,
                // The revision is older than the history: only the log knows of it.
                Err(StoreError::NoHistory { .. }) => from_log(revision),
                Err(error) => return Err(error.into()),
            };
            let event = Arc::new(event);
            self.recent.keep(&event);
            events.push(event);
        }
        Ok(events)
    }
}

/// What the log says of a revision: which layers changed, and how many features.
fn from_log(revision: Revision) -> RevisionEvent {
    let mut layers: Vec<LayerEvent> = Vec::new();
    for change in &revision.changes {
        // A change set may turn to a layer twice; readers see one change.
        match layers.iter_mut().find(|event| event.layer == change.layer) {
            Some(event) => {
                event.mode = change.mode;
                event.added += change.added;
                event.changed += change.changed;
                event.removed += change.removed;
                event.rejected += change.rejected;
            }
            None => layers.push(whole_layer(change)),
        }
    }
    RevisionEvent { revision, layers }
}

/// The event of a revision: the log's counts, and what the history knows.
fn event(
    view: &dyn ReadView,
    revision: Revision,
    city_snapshot: &CitySnapshot,
) -> Result<RevisionEvent, StoreError> {
    let catalogue = view.layers()?;
    let mut event = from_log(revision);
    for layer in &mut event.layers {
        // Of a layer that was dropped there is nothing to read.
        let Some(entry) = catalogue.iter().find(|entry| entry.layer.id == layer.layer) else { continue };
        match add_features(view, &entry.layer, layer, city_snapshot) {
            // The revision before the first one with history cannot be read.
            Ok(()) | Err(StoreError::NoHistory { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(event)
}

/// An event that says only what the log says: readers must read the whole layer again.
fn whole_layer(change: &LayerChange) -> LayerEvent {
    LayerEvent {
        layer: change.layer.clone(),
        mode: change.mode,
        added: change.added,
        changed: change.changed,
        removed: change.removed,
        rejected: change.rejected,
        whole: true,
        bbox: None,
        features: Vec::new(),
        truncated: false,
    }
}

/// Adds the features that the history knows.
fn add_features(
    view: &dyn ReadView,
    layer: &Layer,
    event: &mut LayerEvent,
    city_snapshot: &CitySnapshot,
) -> Result<(), StoreError> {
    let before = view.revision().saturating_sub(1);
    let Touched::Features(count) = view.touched(&layer.id, before)? else { return Ok(()) };
    event.whole = count > FEATURES_MAX;
    event.truncated = event.whole;
    if count == 0 || count > BOXES_MAX {
        return Ok(());
    }
    let ids = RevisionIds::new(layer, view.revision(), city_snapshot);
    view.changes(&layer.id, before, &mut |change| {
        let [was, is] = [&change.before, &change.after].map(|side| bbox(side.as_ref()));
        for side in [was, is].into_iter().flatten() {
            event.bbox = Some(event.bbox.map_or(side, |all| all.union(side)));
        }
        if !event.whole {
            event.features.extend(feature_event(&change, &ids, was, is));
        }
        Ok(())
    })
}

fn feature_event(
    change: &Change,
    ids: &RevisionIds<'_>,
    before: Option<Bbox>,
    bbox: Option<Bbox>,
) -> Option<FeatureEvent> {
    let (op, feature) = match (&change.before, &change.after) {
        (None, Some(after)) => (FeatureOp::Added, after),
        (Some(_), Some(after)) => (FeatureOp::Changed, after),
        (Some(before), None) => (FeatureOp::Removed, before),
        (None, None) => return None,
    };
    Some(FeatureEvent { fid: change.fid, id: ids.id(feature), op, bbox, before })
}

fn bbox(feature: Option<&Feature>) -> Option<Bbox> {
    Bbox::of(feature?.geometry.as_ref()?)
}

/// Finds the ids that features of one layer had at a revision.
struct RevisionIds<'a> {
    /// The position of the key field, if everybody could see it then and can see it now.
    key: Option<usize>,
    revision: RevisionNumber,
    snapshot: Option<&'a LayerSnapshot>,
}

impl<'a> RevisionIds<'a> {
    fn new(layer: &Layer, revision: RevisionNumber, city_snapshot: &'a CitySnapshot) -> Self {
        let snapshot = city_snapshot.city.layer(layer.id.as_str()).map(AsRef::as_ref);
        Self {
            key: lasting_key(layer, snapshot.map(|snapshot| snapshot.layer()), &Audience::Public),
            revision,
            snapshot,
        }
    }

    fn id(&self, feature: &Feature) -> FeatureId {
        let fid = feature.fid;
        let Some(key) = self.key else { return FeatureId::Fid(fid) };
        // A snapshot of the layer at this revision knows all ids.
        if let Some(snapshot) = self.snapshot
            && snapshot.revision() == self.revision
            && let Some(row) = snapshot.row_of_fid(fid)
        {
            return snapshot.id(row);
        }
        let key = feature.values.get(key).unwrap_or(&Value::Null);
        match self.snapshot {
            Some(snapshot) => snapshot.likely_id(key, fid),
            None => FeatureId::of_key(key.to_key(), fid, false),
        }
    }
}
