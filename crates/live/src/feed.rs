//! What each revision changed, feature by feature: the change feed.

use std::{collections::HashMap, sync::Arc};

use citymap_access::{Audience, lasting_key, visible};
use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::{Feature, FeatureId, Fid, Layer, LayerChange, LayerId, Revision, RevisionNumber, Value};
use citymap_store::{Change, LayerEntry, ReadView, StoreError, Touched};

use crate::{
    CitySnapshot, FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, Live, LiveError, RevisionEvent,
    key_holders::{KeyHolders, Known},
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
        let mut reader = EventReader::new(self, &city_snapshot);
        let mut events = Vec::new();
        for revision in self.store().log_after(after, limit)? {
            if revision.number > newest {
                break;
            }
            let event = Arc::new(reader.event(revision)?);
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

/// Makes the events of consecutive revisions.
struct EventReader<'a> {
    live: &'a Live,
    city_snapshot: &'a CitySnapshot,
    /// The catalogue of the revision before.
    catalogue: Option<(RevisionNumber, Vec<LayerEntry>)>,
    /// The keys of layers after the last revision that changed them.
    holders: HashMap<LayerId, KeyHolders<'a>>,
}

impl<'a> EventReader<'a> {
    fn new(live: &'a Live, city_snapshot: &'a CitySnapshot) -> Self {
        Self { live, city_snapshot, catalogue: None, holders: HashMap::new() }
    }

    /// The event of a revision: the log's counts, and what the history knows.
    fn event(&mut self, revision: Revision) -> Result<RevisionEvent, StoreError> {
        let number = revision.number;
        let earlier = self.catalogue.take().filter(|(of, _)| of + 1 == number);
        let store = self.live.store();
        let view = match store.view_at(number) {
            Ok(view) => view,
            // The revision is older than the history: only the log knows of it.
            Err(StoreError::NoHistory { .. }) => return Ok(from_log(revision)),
            Err(error) => return Err(error),
        };
        let catalogue = view.layers()?;
        let mut event = from_log(revision);
        let mut changes = Vec::new();
        for (position, layer) in event.layers.iter_mut().enumerate() {
            // Of a layer that was dropped there is nothing to read.
            let Some(entry) = catalogue.iter().find(|entry| entry.layer.id == layer.layer) else { continue };
            match read_features(view.as_ref(), &entry.layer, layer) {
                Ok(read) => changes.push((position, &entry.layer, read)),
                // The revision before the first one with history cannot be read.
                Err(StoreError::NoHistory { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // One view at a time: each takes a connection.
        drop(view);
        let earlier = match earlier {
            Some((_, catalogue)) => catalogue,
            None if changes.is_empty() || number < 2 => Vec::new(),
            None => match store.view_at(number - 1) {
                Ok(view) => view.layers()?,
                Err(StoreError::NoHistory { .. }) => Vec::new(),
                Err(error) => return Err(error),
            },
        };
        for (position, layer, read) in changes {
            let event = &mut event.layers[position];
            let before = earlier.iter().find(|entry| entry.layer.id == layer.id);
            if before.is_none_or(|before| named_otherwise(&before.layer, layer)) {
                *event = read_again(event);
            }
            match read {
                Some(read) if !event.whole => self.name(number, layer, &read, event)?,
                _ => {
                    self.holders.remove(&layer.id);
                }
            }
        }
        self.catalogue = Some((number, catalogue));
        Ok(event)
    }

    /// Adds the features that changed, and those whose id changed because of them.
    fn name(
        &mut self,
        number: RevisionNumber,
        layer: &Layer,
        changes: &[Change],
        event: &mut LayerEvent,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut holders = match self.holders_before(number, layer, changes)? {
            Known::Exactly(holders) => holders,
            Known::TooMuch => {
                *event = LayerEvent { truncated: true, ..read_again(event) };
                return Ok(());
            }
            Known::Otherwise => {
                let ids = LikelyIds::new(layer, self.city_snapshot);
                let id = |feature: &Option<Feature>| feature.as_ref().map(|feature| ids.id(feature));
                let named = |change: &Change| feature_event(change, [id(&change.before), id(&change.after)]);
                event.features.extend(changes.iter().filter_map(named));
                return Ok(());
            }
        };
        let mut ids = holders.step(changes);
        let named = |change: &Change| feature_event(change, ids.changed.remove(&change.fid)?);
        event.features.extend(changes.iter().filter_map(named));
        for (fid, [former, id]) in ids.moved {
            let bbox = self.bbox_at(number, layer, fid, &holders)?;
            event.bbox = event.bbox.into_iter().chain(bbox).reduce(Bbox::union);
            let (op, former_id) = (FeatureOp::Changed, Some(former));
            event.features.push(FeatureEvent { fid, id, former_id, op, bbox, before: bbox });
        }
        event.features.sort_unstable_by_key(|feature| feature.fid);
        self.holders.insert(layer.id.clone(), holders);
        Ok(())
    }

    /// The keys of a layer before the revision `number`, which made `changes`.
    fn holders_before(
        &mut self,
        number: RevisionNumber,
        layer: &Layer,
        changes: &[Change],
    ) -> Result<Known<'a>, StoreError> {
        if let Some(holders) = self.holders.remove(&layer.id) {
            return Ok(Known::Exactly(holders));
        }
        let snapshot = self.city_snapshot.city.layer(layer.id.as_str()).map(AsRef::as_ref);
        let holders = snapshot.and_then(|snapshot| Some((snapshot, KeyHolders::of(layer, snapshot)?)));
        let Some((snapshot, mut holders)) = holders else { return Ok(Known::Otherwise) };
        if snapshot.revision() == number {
            // What has changed since is what this revision changed.
            for change in changes {
                holders.set(change.fid, change.before.as_ref());
            }
            return Ok(Known::Exactly(holders));
        }
        let newest = self.live.store().view_at(self.city_snapshot.revision())?;
        holders.at(number - 1, newest.as_ref())
    }

    /// The box of a feature that the revision `number` did not change.
    fn bbox_at(
        &self,
        number: RevisionNumber,
        layer: &Layer,
        fid: Fid,
        holders: &KeyHolders<'_>,
    ) -> Result<Option<Bbox>, StoreError> {
        if !holders.differs(fid) {
            let snapshot = self.city_snapshot.city.layer(layer.id.as_str());
            return Ok(snapshot.and_then(|snapshot| snapshot.bbox(snapshot.row_of_fid(fid)?)));
        }
        let versions = self.live.store().versions(&layer.id, fid, number, 1)?;
        Ok(bbox(versions.first().and_then(|version| version.feature.as_ref())))
    }
}

/// Whether features are named by another key after a change of the definition, so that all ids change.
fn named_otherwise(before: &Layer, after: &Layer) -> bool {
    let key = |layer: &Layer| visible(layer, &Audience::Public).key_index().is_some();
    before.key != after.key || key(before) != key(after)
}

/// The event of a layer that must be read again as a whole.
fn read_again(event: &LayerEvent) -> LayerEvent {
    LayerEvent { whole: true, features: Vec::new(), ..event.clone() }
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

/// Reads what the history knows of a layer: whether all of it changed, the box around what changed, and the
/// features if they are not too many to be listed.
fn read_features(
    view: &dyn ReadView,
    layer: &Layer,
    event: &mut LayerEvent,
) -> Result<Option<Vec<Change>>, StoreError> {
    let before = view.revision().saturating_sub(1);
    let Touched::Features(count) = view.touched(&layer.id, before)? else { return Ok(None) };
    event.whole = count > FEATURES_MAX;
    event.truncated = event.whole;
    if count > BOXES_MAX {
        return Ok(None);
    }
    let mut changes = Vec::new();
    if count > 0 {
        view.changes(&layer.id, before, &mut |change| {
            let sides = [&change.before, &change.after].map(|side| bbox(side.as_ref()));
            event.bbox = event.bbox.into_iter().chain(sides.into_iter().flatten()).reduce(Bbox::union);
            if !event.whole {
                changes.push(change);
            }
            Ok(())
        })?;
    }
    Ok((!event.whole).then_some(changes))
}

/// The event of a feature with these ids before and after.
fn feature_event(change: &Change, [before, after]: [Option<FeatureId>; 2]) -> Option<FeatureEvent> {
    let (op, id, former_id) = match (before, after) {
        (None, Some(after)) => (FeatureOp::Added, after, None),
        (Some(before), Some(after)) => {
            let former = (before != after).then_some(before);
            (FeatureOp::Changed, after, former)
        }
        (Some(before), None) => (FeatureOp::Removed, before, None),
        (None, None) => return None,
    };
    let [before, bbox] = [&change.before, &change.after].map(|side| bbox(side.as_ref()));
    Some(FeatureEvent { fid: change.fid, id, former_id, op, bbox, before })
}

fn bbox(feature: Option<&Feature>) -> Option<Bbox> {
    Bbox::of(feature?.geometry.as_ref()?)
}

/// The ids that features of one layer may have had at a former revision, where they cannot be known: whether
/// a key was repeated is taken from the newest snapshot.
struct LikelyIds<'a> {
    /// The position of the key field, if everybody could see it then and can see it now.
    key: Option<usize>,
    snapshot: Option<&'a LayerSnapshot>,
}

impl<'a> LikelyIds<'a> {
    fn new(layer: &Layer, city_snapshot: &'a CitySnapshot) -> Self {
        let snapshot = city_snapshot.city.layer(layer.id.as_str()).map(AsRef::as_ref);
        let now = snapshot.map(LayerSnapshot::layer);
        Self { key: lasting_key(layer, now, &Audience::Public), snapshot }
    }

    fn id(&self, feature: &Feature) -> FeatureId {
        let fid = feature.fid;
        let Some(key) = self.key else { return FeatureId::Fid(fid) };
        let key = feature.values.get(key).unwrap_or(&Value::Null);
        match self.snapshot {
            Some(snapshot) => snapshot.likely_id(key, fid),
            None => FeatureId::of_key(key.to_key(), fid, false),
        }
    }
}
