//! Where each revision changed each layer, so that a result computed from one part of a layer stays valid
//! while other parts change.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::{Fid, LayerId, RevisionNumber};

/// Maximum number of boxes of one step; a step with more counts as a change of the whole layer.
const STEP_BOXES_MAX: usize = 4_096;
/// Maximum number of boxes kept for a layer.
const LAYER_BOXES_MAX: usize = 16_384;
/// Maximum number of steps kept for a layer.
const LAYER_STEPS_MAX: usize = 512;

/// The boxes of the features that the latest revisions changed, by layer: before and after the change, and
/// those of features whose id changed because of it. The memory is bounded; the oldest changes are forgotten
/// first.
#[derive(Clone, Debug, Default)]
pub struct ChangeTracker {
    layers: BTreeMap<LayerId, Arc<LayerChanges>>,
}

#[derive(Clone, Debug, Default)]
struct LayerChanges {
    /// All changes after this revision are known.
    floor: RevisionNumber,
    steps: VecDeque<Arc<TrackedStep>>,
    boxes: usize,
}

/// What brought a layer from one revision to a later one.
#[derive(Debug)]
struct TrackedStep {
    from: RevisionNumber,
    to: RevisionNumber,
    boxes: Vec<Bbox>,
}

impl ChangeTracker {
    /// The boxes (WGS 84 degrees) of what changed in a layer after the revision `after`, up to and including
    /// `upto`; `None` if that is not known and all of the layer may have changed. The time is proportional to
    /// the number of steps since.
    pub fn between(
        &self,
        layer: &LayerId,
        after: RevisionNumber,
        upto: RevisionNumber,
    ) -> Option<impl Iterator<Item = &Bbox>> {
        let changes = self.layers.get(layer).filter(|changes| changes.floor <= after)?;
        let last = changes.steps.back().map_or(changes.floor, |step| step.to);
        if upto > last {
            return None;
        }
        let steps = changes.steps.iter().rev().take_while(move |step| step.to > after);
        Some(steps.filter(move |step| step.from < upto).flat_map(|step| &step.boxes))
    }

    /// Notes that a layer was read as a whole or redefined, so that all of it may differ from what was before
    /// `revision`.
    pub(crate) fn replaced(&mut self, layer: &LayerId, revision: RevisionNumber) {
        let fresh = LayerChanges { floor: revision, ..LayerChanges::default() };
        self.layers.insert(layer.clone(), Arc::new(fresh));
    }

    /// Notes that a layer no longer exists.
    pub(crate) fn removed(&mut self, layer: &LayerId) {
        self.layers.remove(layer);
    }

    /// Notes that changes of the features `changed` (ascending) brought a layer from one snapshot to the
    /// next.
    pub(crate) fn step(&mut self, before: &LayerSnapshot, after: &LayerSnapshot, changed: &[Fid]) {
        let layer = &after.layer().id;
        let known = self.layers.get(layer).is_some_and(|changes| {
            changes.steps.back().map_or(changes.floor, |step| step.to) == before.revision()
        });
        if !known || before.layer() != after.layer() || changed.len() > STEP_BOXES_MAX / 2 {
            return self.replaced(layer, after.revision());
        }
        let boxes = boxes(before, after, changed);
        if boxes.len() > STEP_BOXES_MAX {
            return self.replaced(layer, after.revision());
        }
        let step = TrackedStep { from: before.revision(), to: after.revision(), boxes };
        if let Some(changes) = self.layers.get_mut(layer) {
            Arc::make_mut(changes).push(step);
        }
    }
}

impl LayerChanges {
    fn push(&mut self, step: TrackedStep) {
        self.boxes += step.boxes.len();
        self.steps.push_back(Arc::new(step));
        while self.steps.len() > LAYER_STEPS_MAX || self.boxes > LAYER_BOXES_MAX {
            let Some(oldest) = self.steps.pop_front() else { return };
            self.boxes -= oldest.boxes.len();
            self.floor = oldest.to;
        }
    }
}

/// The boxes of changed features before and after the change, and of features whose id changed because of it.
fn boxes(before: &LayerSnapshot, after: &LayerSnapshot, changed: &[Fid]) -> Vec<Bbox> {
    let mut boxes: Vec<Bbox> = Vec::with_capacity(2 * changed.len());
    for &fid in changed {
        let [was, is] =
            [before, after].map(|snapshot| snapshot.row_of_fid(fid).and_then(|row| snapshot.bbox(row)));
        boxes.extend(was);
        // Most edits change only values.
        boxes.extend(is.filter(|_| is != was));
    }
    boxes.extend(after.renamed(before, changed).into_iter().filter_map(|row| after.bbox(row)));
    boxes
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
    use geo_types::Point;

    use super::*;

    fn feature(fid: Fid, key: &str, x: f64) -> Feature {
        Feature { fid, geometry: Some(Point::new(x, 1.0).into()), values: vec![Value::Text(key.into())] }
    }

    fn layer() -> Layer {
        let mut layer =
            Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
        layer.fields = vec![Field::new("key", FieldType::Text)];
        layer.key = Some("key".into());
        layer
    }

    fn start() -> (ChangeTracker, LayerSnapshot) {
        let mut builder = SnapshotBuilder::new(layer());
        for (fid, key) in [(1, "a"), (2, "b"), (3, "a")] {
            builder.push(&feature(fid, key, fid as f64)).unwrap();
        }
        let mut tracker = ChangeTracker::default();
        tracker.replaced(&layer().id, 5);
        (tracker, builder.finish(5))
    }

    /// The longitudes of the boxes, sorted.
    fn found(tracker: &ChangeTracker, after: u64, upto: u64) -> Option<Vec<f64>> {
        let mut found: Vec<f64> =
            tracker.between(&layer().id, after, upto)?.map(|bbox| bbox.min[0]).collect();
        found.sort_by(f64::total_cmp);
        Some(found)
    }

    #[test]
    fn old_and_new_places_are_known_after_the_floor() {
        let (mut tracker, base) = start();
        let moved = base.apply(layer(), 7, [(2, Some(feature(2, "b", 20.0)))]).unwrap();
        tracker.step(&base, &moved, &[2]);
        let changed = moved.apply(layer(), 8, [(2, Some(feature(2, "c", 20.0)))]).unwrap();
        tracker.step(&moved, &changed, &[2]);
        assert_eq!(found(&tracker, 5, 8), Some(vec![2.0, 20.0, 20.0]));
        assert_eq!(found(&tracker, 5, 7), Some(vec![2.0, 20.0]));
        assert_eq!(found(&tracker, 6, 7), Some(vec![2.0, 20.0]), "a step that began before counts whole");
        assert_eq!(found(&tracker, 7, 8), Some(vec![20.0]));
        assert_eq!(found(&tracker, 8, 8), Some(vec![]));
        assert_eq!(found(&tracker, 4, 8), None, "before the floor");
        assert_eq!(found(&tracker, 8, 9), None, "not known yet");
        assert_eq!(tracker.between(&"roads".parse().unwrap(), 0, 0).map(|_| ()), None);
    }

    #[test]
    fn the_neighbour_that_inherits_a_key_counts_as_changed() {
        let (mut tracker, base) = start();
        let removed = base.apply(layer(), 6, [(1, None)]).unwrap();
        tracker.step(&base, &removed, &[1]);
        assert_eq!(found(&tracker, 5, 6), Some(vec![1.0, 3.0]), "3 was a~3 and is a");
    }

    #[test]
    fn another_definition_changes_the_whole_layer() {
        let (mut tracker, base) = start();
        let mut other = layer();
        other.fields[0].personal = true;
        let after = base.apply(other, 6, [(2, Some(feature(2, "b", 2.0)))]).unwrap();
        tracker.step(&base, &after, &[2]);
        assert_eq!(found(&tracker, 5, 6), None);
        assert_eq!(found(&tracker, 6, 6), Some(vec![]));
    }

    #[test]
    fn the_oldest_steps_are_forgotten() {
        let (mut tracker, mut now) = start();
        for revision in 6..=6 + LAYER_STEPS_MAX as u64 {
            let next = now.apply(layer(), revision, [(2, Some(feature(2, "b", revision as f64)))]).unwrap();
            tracker.step(&now, &next, &[2]);
            now = next;
        }
        let newest = now.revision();
        assert_eq!(found(&tracker, 5, newest), None);
        assert_eq!(found(&tracker, 6, newest).unwrap().len(), 2 * LAYER_STEPS_MAX);
    }
}
