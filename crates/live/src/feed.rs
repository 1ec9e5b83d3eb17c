//! What each revision did, feature by feature: the change feed.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use citymap_access::{Audience, lasting_key};
use citymap_engine::Bbox;
use citymap_model::{
    Feature, FeatureId, Fid, Layer, LayerChange, LayerId, Mode, Revision, RevisionNumber, Value,
};
use citymap_store::{Change, ReadView, StoreError, Touched};

use crate::{CitySnapshot, Live, LiveError};

/// Features that a [`LayerEvent`] lists at most; a layer with more of them changed as a whole.
pub const FEATURES_MAX: u64 = 1_000;
/// Features that are read for the sake of their boxes alone at most.
const BOXES_MAX: u64 = 50_000;
/// Revisions kept in memory at most.
const REVISIONS_KEPT: usize = 512;
/// Features in the revisions kept in memory at most.
const FEATURES_KEPT: usize = 50_000;

/// What one revision did.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionEvent {
    /// The revision as the log has it.
    pub revision: Revision,
    /// The layers that it touched, each once.
    pub layers: Vec<LayerEvent>,
}

/// What one revision did to one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerEvent {
    /// The layer.
    pub layer: LayerId,
    /// How the change set met what was there.
    pub mode: Mode,
    /// Features that were not there before.
    pub added: u64,
    /// Features whose geometry or values are others now.
    pub changed: u64,
    /// Features that are no longer there.
    pub removed: u64,
    /// Features of the source that were not accepted.
    pub rejected: u64,
    /// Whether the layer is to be read anew: its fields are others, it came or went, more than
    /// [`FEATURES_MAX`] of its features were touched, or the revision is older than the history.
    pub whole: bool,
    /// The box around all features touched, as they were and as they are; `None` where there is no geometry
    /// among them, or where finding it would mean to read the layer.
    pub bbox: Option<Bbox>,
    /// The features touched, by their numbers; empty if `whole`.
    pub features: Vec<FeatureEvent>,
    /// Whether features are missing from `features` because there are too many.
    pub truncated: bool,
}

/// What one revision did to one feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureEvent {
    /// Its number.
    pub fid: Fid,
    /// What the interface called it at that revision. Whether a key was a repeated one is told by the newest snapshot,
    /// so that it may be the bare key where the features that share it have changed since.
    pub id: FeatureId,
    /// What happened to it.
    pub op: FeatureOp,
    /// The box around it as it is in this revision, WGS 84 degrees; `None` without geometry.
    pub bbox: Option<Bbox>,
    /// The box around it as it was in the revision before.
    pub before: Option<Bbox>,
}

/// What happened to a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeatureOp {
    /// It was not there before.
    Added,
    /// Its geometry or values are others now.
    Changed,
    /// It is no longer there.
    Removed,
}

impl FeatureOp {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl Live {
    /// What the revisions above `after` did, oldest first, `limit` of them at most, up to the one that
    /// [`Live::city_snapshot`] shows: who reads the city after an event sees at least what the event says. The newest ones come
    /// from memory, others from the store; then it blocks.
    ///
    /// # Errors
    /// What the store fails with.
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
        if let Some(events) = self.feed.recent(after, limit, newest) {
            return Ok(events);
        }
        let mut events = Vec::new();
        for revision in self.store().log_after(after, limit)? {
            if revision.number > newest {
                break;
            }
            let event = match self.store().view_at(revision.number) {
                Ok(view) => event(view.as_ref(), revision, &city_snapshot)?,
                // Older than the history: the log is all that is known.
                Err(StoreError::NoHistory { .. }) => from_log(revision),
                Err(error) => return Err(error.into()),
            };
            let event = Arc::new(event);
            self.feed.keep(&event);
            events.push(event);
        }
        Ok(events)
    }
}

/// What the log says of a revision: which layers, and how many features.
fn from_log(revision: Revision) -> RevisionEvent {
    let mut layers: Vec<LayerEvent> = Vec::new();
    for change in &revision.changes {
        // A change set may turn to a layer twice; what it did is one thing to the outside.
        match layers.iter_mut().find(|own| own.layer == change.layer) {
            Some(own) => {
                own.mode = change.mode;
                own.added += change.added;
                own.changed += change.changed;
                own.removed += change.removed;
                own.rejected += change.rejected;
            }
            None => layers.push(LayerEvent::of(change)),
        }
    }
    RevisionEvent { revision, layers }
}

fn event(
    view: &dyn ReadView,
    revision: Revision,
    city_snapshot: &CitySnapshot,
) -> Result<RevisionEvent, StoreError> {
    let catalogue = view.layers()?;
    let mut event = from_log(revision);
    for own in &mut event.layers {
        // A layer that went has nothing to read.
        let Some(entry) = catalogue.iter().find(|entry| entry.layer.id == own.layer) else { continue };
        match look(view, &entry.layer, own, city_snapshot) {
            // The first revision that can be read differs from one that cannot.
            Ok(()) | Err(StoreError::NoHistory { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(event)
}

impl LayerEvent {
    fn of(change: &LayerChange) -> Self {
        Self {
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
}

/// Adds what the history knows.
fn look(
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
    let names = Names::new(layer, view.revision(), city_snapshot);
    view.changes(&layer.id, before, &mut |change| {
        let [was, is] = [&change.before, &change.after].map(|side| bbox(side.as_ref()));
        for side in [was, is].into_iter().flatten() {
            event.bbox = Some(event.bbox.map_or(side, |all| all.union(side)));
        }
        if !event.whole {
            event.features.extend(feature_event(&change, &names, was, is));
        }
        Ok(())
    })
}

fn feature_event(
    change: &Change,
    names: &Names<'_>,
    before: Option<Bbox>,
    bbox: Option<Bbox>,
) -> Option<FeatureEvent> {
    let (op, feature) = match (&change.before, &change.after) {
        (None, Some(after)) => (FeatureOp::Added, after),
        (Some(_), Some(after)) => (FeatureOp::Changed, after),
        (Some(before), None) => (FeatureOp::Removed, before),
        (None, None) => return None,
    };
    Some(FeatureEvent { fid: change.fid, id: names.id(feature), op, bbox, before })
}

fn bbox(feature: Option<&Feature>) -> Option<Bbox> {
    Bbox::of(feature?.geometry.as_ref()?)
}

/// What the features of one layer are called.
struct Names<'a> {
    /// The position of the key, where it was and still is open to anybody.
    key: Option<usize>,
    revision: RevisionNumber,
    snapshot: Option<&'a citymap_engine::LayerSnapshot>,
}

impl<'a> Names<'a> {
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
        // The snapshot is the layer as of this revision: it knows.
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

/// The newest revisions, without a gap. What the store holds in their place, if it becomes another one, is not theirs.
#[derive(Debug, Default)]
pub(crate) struct Feed(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Arc<RevisionEvent>>,
    features: usize,
}

impl Feed {
    /// The revisions above `after` up to `newest`; `None` where the first of them is not kept.
    fn recent(
        &self,
        after: RevisionNumber,
        limit: usize,
        newest: RevisionNumber,
    ) -> Option<Vec<Arc<RevisionEvent>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.events.front()?.revision.number;
        let skipped = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let found: Vec<_> = kept
            .events
            .iter()
            .skip(skipped)
            .take_while(|event| event.revision.number <= newest)
            .take(limit)
            .cloned()
            .collect();
        (!found.is_empty()).then_some(found)
    }

    /// Forgets all: the store is another one.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    /// Keeps a revision if it is the next one, or begins anew where there would be a gap.
    fn keep(&self, event: &Arc<RevisionEvent>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { events, features } = &mut *kept;
        let number = event.revision.number;
        match events.back().map(|last| last.revision.number) {
            Some(last) if number <= last => return,
            Some(last) if number > last + 1 => {
                events.clear();
                *features = 0;
            }
            _ => {}
        }
        *features += weight(event);
        events.push_back(Arc::clone(event));
        while events.len() > REVISIONS_KEPT || (*features > FEATURES_KEPT && events.len() > 1) {
            *features -= events.pop_front().map_or(0, |oldest| weight(&oldest));
        }
    }
}

fn weight(event: &RevisionEvent) -> usize {
    event.layers.iter().map(|layer| layer.features.len()).sum()
}

#[cfg(test)]
mod tests {
    use citymap_model::CommitMeta;

    use super::*;

    fn event(number: RevisionNumber) -> Arc<RevisionEvent> {
        let meta = CommitMeta::default();
        let revision = Revision { number, time: chrono::DateTime::UNIX_EPOCH, meta, changes: Vec::new() };
        Arc::new(RevisionEvent { revision, layers: Vec::new() })
    }

    fn numbers(feed: &Feed, after: u64, limit: usize, newest: u64) -> Option<Vec<u64>> {
        let events = feed.recent(after, limit, newest)?;
        Some(events.iter().map(|event| event.revision.number).collect())
    }

    #[test]
    fn what_is_kept_has_no_gap() {
        let feed = Feed::default();
        assert_eq!(numbers(&feed, 0, 10, 9), None);
        for number in [3, 4, 5, 4, 3] {
            feed.keep(&event(number));
        }
        assert_eq!(numbers(&feed, 2, 10, 9), Some(vec![3, 4, 5]));
        assert_eq!(numbers(&feed, 3, 1, 9), Some(vec![4]));
        assert_eq!(numbers(&feed, 2, 10, 4), Some(vec![3, 4]), "no more than is shown");
        assert_eq!(numbers(&feed, 1, 10, 9), None, "revision 2 is not kept");
        assert_eq!(numbers(&feed, 5, 10, 9), None, "revision 6 is not kept yet");
        feed.keep(&event(9));
        assert_eq!(numbers(&feed, 4, 10, 9), None, "what lies before the gap is gone");
        assert_eq!(numbers(&feed, 8, 10, 9), Some(vec![9]));
    }

    #[test]
    fn only_so_many_are_kept() {
        let feed = Feed::default();
        let many = REVISIONS_KEPT as u64 + 10;
        (1..=many).for_each(|number| feed.keep(&event(number)));
        assert_eq!(numbers(&feed, 9, 1, many), None);
        assert_eq!(numbers(&feed, 10, many as usize, many).map(|found| found.len()), Some(REVISIONS_KEPT));
    }
}
