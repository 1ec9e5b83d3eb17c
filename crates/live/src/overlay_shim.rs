//! Until the engine has overlays.
use std::collections::BTreeMap;

use citymap_engine::{EngineError, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Fid, Layer, RevisionNumber};

pub(crate) trait Overlay: Sized {
    fn apply(
        &self,
        layer: Layer,
        revision: RevisionNumber,
        changes: impl IntoIterator<Item = (Fid, Option<Feature>)>,
    ) -> Result<Self, EngineError>;
    fn overlay_len(&self) -> usize {
        0
    }
    fn base_id(&self) -> u64 {
        0
    }
    fn merged(&self) -> Self;
}

impl Overlay for LayerSnapshot {
    fn apply(
        &self,
        layer: Layer,
        revision: RevisionNumber,
        changes: impl IntoIterator<Item = (Fid, Option<Feature>)>,
    ) -> Result<Self, EngineError> {
        let mut all: BTreeMap<Fid, Feature> = (0..self.len() as u32)
            .map(|row| {
                let values =
                    (0..self.layer().fields.len()).map(|field| self.value(row, field).to_value()).collect();
                (self.fid(row), Feature { fid: self.fid(row), geometry: self.geometry(row), values })
            })
            .collect();
        for (fid, feature) in changes {
            match feature {
                Some(feature) => all.insert(fid, feature),
                None => all.remove(&fid),
            };
        }
        let mut builder = SnapshotBuilder::new(layer);
        for feature in all.values() {
            builder.push(feature)?;
        }
        Ok(builder.finish(revision))
    }

    fn merged(&self) -> Self {
        self.apply(self.layer().clone(), self.revision(), []).unwrap_or_else(|_| unreachable!())
    }
}
