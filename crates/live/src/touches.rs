//! Where each revision touched each layer, so that what was computed from a part of a layer is known to hold while others
//! change elsewhere.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::{Fid, LayerId, RevisionNumber};

/// Boxes of one step; one with more touched the layer as a whole.
const BOXES_A_STEP: usize = 4_096;
/// Boxes kept a layer.
const BOXES: usize = 16_384;
/// Steps kept a layer.
const STEPS: usize = 512;

/// The boxes of the features that the latest revisions changed, layer by layer: as they were and as they are, and those of
/// features that have another name since. Bounded: what lies further back is forgotten, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Touches {
    layers: BTreeMap<LayerId, Arc<LayerTouches>>,
}

#[derive(Clone, Debug, Default)]
struct LayerTouches {
    /// All that changed after this revision is known.
    floor: RevisionNumber,
    steps: VecDeque<Arc<Step>>,
    boxes: usize,
}

/// What brought a layer from one revision to a later one.
#[derive(Debug)]
struct Step {
    from: RevisionNumber,
    to: RevisionNumber,
    boxes: Vec<Bbox>,
}

impl Touches {
    /// The boxes (WGS 84 degrees) of what changed in a layer after the revision `after`, up to and including `upto`; `None`
    /// where that is not known: all of the layer may be another.
    pub fn between(
        &self,
        layer: &LayerId,
        after: RevisionNumber,
        upto: RevisionNumber,
    ) -> Option<impl Iterator<Item = &Bbox>> {
        let own = self.layers.get(layer).filter(|own| own.floor <= after)?;
        let last = own.steps.back().map_or(own.floor, |step| step.to);
        if upto > last {
            return None;
        }
        let steps = own.steps.iter().rev().take_while(move |step| step.to > after);
        Some(steps.filter(move |step| step.from < upto).flat_map(|step| &step.boxes))
    }

    /// The layer was read anew, or its definition is another one: all of it may be another than before `revision`.
    pub(crate) fn whole(&mut self, layer: &LayerId, revision: RevisionNumber) {
        let fresh = LayerTouches { floor: revision, ..LayerTouches::default() };
        self.layers.insert(layer.clone(), Arc::new(fresh));
    }

    /// The layer is no longer there.
    pub(crate) fn gone(&mut self, layer: &LayerId) {
        self.layers.remove(layer);
    }

    /// The features `changed` (ascending) brought the layer from one snapshot to the next.
    pub(crate) fn step(&mut self, before: &LayerSnapshot, after: &LayerSnapshot, changed: &[Fid]) {
        let layer = &after.layer().id;
        let known = self
            .layers
            .get(layer)
            .is_some_and(|own| own.steps.back().map_or(own.floor, |step| step.to) == before.revision());
        if !known || before.layer() != after.layer() || changed.len() > BOXES_A_STEP / 2 {
            return self.whole(layer, after.revision());
        }
        let boxes = boxes(before, after, changed);
        if boxes.len() > BOXES_A_STEP {
            return self.whole(layer, after.revision());
        }
        let step = Step { from: before.revision(), to: after.revision(), boxes };
        if let Some(own) = self.layers.get_mut(layer) {
            Arc::make_mut(own).push(step);
        }
    }
}

impl LayerTouches {
    fn push(&mut self, step: Step) {
        self.boxes += step.boxes.len();
        self.steps.push_back(Arc::new(step));
        while self.steps.len() > STEPS || self.boxes > BOXES {
            let Some(oldest) = self.steps.pop_front() else { return };
            self.boxes -= oldest.boxes.len();
            self.floor = oldest.to;
        }
    }
}

fn boxes(before: &LayerSnapshot, after: &LayerSnapshot, changed: &[Fid]) -> Vec<Bbox> {
    let mut boxes: Vec<Bbox> = Vec::with_capacity(2 * changed.len());
    for &fid in changed {
        let [was, is] =
            [before, after].map(|snapshot| snapshot.row_of_fid(fid).and_then(|row| snapshot.bbox(row)));
        boxes.extend(was);
        // Most edits are of values alone.
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

    fn start() -> (Touches, LayerSnapshot) {
        let mut builder = SnapshotBuilder::new(layer());
        for (fid, key) in [(1, "a"), (2, "b"), (3, "a")] {
            builder.push(&feature(fid, key, fid as f64)).unwrap();
        }
        let mut touches = Touches::default();
        touches.whole(&layer().id, 5);
        (touches, builder.finish(5))
    }

    /// The longitudes of the boxes, sorted.
    fn found(touches: &Touches, after: u64, upto: u64) -> Option<Vec<f64>> {
        let mut found: Vec<f64> =
            touches.between(&layer().id, after, upto)?.map(|bbox| bbox.min[0]).collect();
        found.sort_by(f64::total_cmp);
        Some(found)
    }

    #[test]
    fn old_and_new_places_are_known_from_the_floor_on() {
        let (mut touches, base) = start();
        let moved = base.apply(layer(), 7, [(2, Some(feature(2, "b", 20.0)))]).unwrap();
        touches.step(&base, &moved, &[2]);
        let changed = moved.apply(layer(), 8, [(2, Some(feature(2, "c", 20.0)))]).unwrap();
        touches.step(&moved, &changed, &[2]);
        assert_eq!(found(&touches, 5, 8), Some(vec![2.0, 20.0, 20.0]));
        assert_eq!(found(&touches, 5, 7), Some(vec![2.0, 20.0]));
        assert_eq!(found(&touches, 6, 7), Some(vec![2.0, 20.0]), "a step that began before counts whole");
        assert_eq!(found(&touches, 7, 8), Some(vec![20.0]));
        assert_eq!(found(&touches, 8, 8), Some(vec![]));
        assert_eq!(found(&touches, 4, 8), None, "before the floor");
        assert_eq!(found(&touches, 8, 9), None, "not known yet");
        assert_eq!(touches.between(&"roads".parse().unwrap(), 0, 0).map(|_| ()), None);
    }

    #[test]
    fn the_neighbour_that_inherits_a_key_is_touched_too() {
        let (mut touches, base) = start();
        let removed = base.apply(layer(), 6, [(1, None)]).unwrap();
        touches.step(&base, &removed, &[1]);
        assert_eq!(found(&touches, 5, 6), Some(vec![1.0, 3.0]), "3 was a~3 and is a");
    }

    #[test]
    fn another_definition_touches_all() {
        let (mut touches, base) = start();
        let mut other = layer();
        other.fields[0].personal = true;
        let after = base.apply(other, 6, [(2, Some(feature(2, "b", 2.0)))]).unwrap();
        touches.step(&base, &after, &[2]);
        assert_eq!(found(&touches, 5, 6), None);
        assert_eq!(found(&touches, 6, 6), Some(vec![]));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let (mut touches, mut now) = start();
        for revision in 6..=6 + STEPS as u64 {
            let next = now.apply(layer(), revision, [(2, Some(feature(2, "b", revision as f64)))]).unwrap();
            touches.step(&now, &next, &[2]);
            now = next;
        }
        let newest = now.revision();
        assert_eq!(found(&touches, 5, newest), None);
        assert_eq!(found(&touches, 6, newest).unwrap().len(), 2 * STEPS);
    }
}
