//! The next snapshot of a layer from the current one and a list of changes.

use std::sync::Arc;

use citymap_model::{Feature, Fid, Layer, RevisionNumber};

use super::{
    repeats::{RepeatUpdate, TouchedKeys},
    state::Delta,
};
use crate::{
    EngineError, LayerSnapshot, Row,
    columns::{
        block::{Block, BlockBuilder},
        extent,
        spans::{NO_ROW, RowMap, RowSpan, push_span},
    },
};

impl LayerSnapshot {
    /// Whether [`LayerSnapshot::apply`] accepts this definition: the same layer id, the same fields with the
    /// same types in the same order, and the same key. Titles, units, the label and everything else may
    /// differ.
    pub fn takes(&self, layer: &Layer) -> bool {
        let current = &self.layer;
        let same = |(a, b): (&citymap_model::Field, &citymap_model::Field)| {
            a.name == b.name && a.field_type == b.field_type
        };
        current.id == layer.id
            && current.fields.len() == layer.fields.len()
            && current.fields.iter().zip(&layer.fields).all(same)
            && current.key_index() == layer.key_index()
    }

    /// The snapshot after these changes. Each change is a fid and the feature as it is now, or `None` if it
    /// was removed; removing a feature that does not exist has no effect. Changes must come in ascending
    /// order of their fids. `layer` is the definition of the layer now, and `revision` the last revision that
    /// changed the layer.
    ///
    /// This snapshot is not changed; both share the base.
    ///
    /// # Complexity
    /// O(c log n + d + n / 64) for c changes, a delta of d features and a base of n: the delta's block is
    /// built again, and the bits that hide base rows are copied. Merge a large delta from time to time
    /// ([`LayerSnapshot::merged`]).
    ///
    /// # Errors
    /// [`EngineError::Definition`] if [`LayerSnapshot::takes`] is false, [`EngineError::Order`] if a fid
    /// repeats or comes too late, [`EngineError::Number`] if a feature's fid differs from that of its change,
    /// and the errors of [`SnapshotBuilder::push`](crate::SnapshotBuilder::push).
    pub fn apply(
        &self,
        layer: Layer,
        revision: RevisionNumber,
        changes: impl IntoIterator<Item = (Fid, Option<Feature>)>,
    ) -> Result<Self, EngineError> {
        if !self.takes(&layer) {
            return Err(EngineError::Definition { layer: layer.id });
        }
        let (base, old) = (&*self.base, &*self.delta);
        let mut hidden = old.hidden.clone();
        let mut newly_hidden = Vec::new();
        let mut fresh = BlockBuilder::new(&layer);
        let mut spans: Vec<RowSpan> = Vec::new();
        let (mut at, mut last, mut replaced) = (0, None, old.replaced);
        for (fid, feature) in changes {
            if last.replace(fid).is_some_and(|last| last >= fid) {
                return Err(EngineError::Order { layer: layer.id, fid });
            }
            let in_base = base.row_of_fid(fid);
            if let Some(row) = in_base
                && hidden.insert(row)
            {
                newly_hidden.push(row);
            }
            let place = old.block.rows_below(fid).max(at);
            push_span(&mut spans, 0, at..place);
            at = place;
            if old.block.fids.get(place as usize) == Some(&fid) {
                at += 1;
                replaced -= usize::from(in_base.is_some());
            }
            if let Some(feature) = feature {
                if feature.fid != fid {
                    return Err(EngineError::Number { layer: layer.id, fid, found: feature.fid });
                }
                fresh.push(&layer, &feature)?;
                let row = fresh.len() as Row - 1;
                push_span(&mut spans, 1, row..row + 1);
                replaced += usize::from(in_base.is_some());
            }
        }
        push_span(&mut spans, 0, at..old.block.len() as Row);
        let too_large = || EngineError::TooLarge { layer: layer.id.clone() };
        let rows: usize = spans.iter().map(|span| span.rows.len()).sum();
        if base.len() + rows >= Row::MAX as usize {
            return Err(too_large());
        }
        let key = layer.key_index();
        let fresh = fresh.finish(key);
        let sources = [&old.block, &fresh];
        let map = RowMap::new(sources.map(Block::len), &spans);
        let mut block = Block::gather(sources, &spans, &map, key).ok_or_else(too_large)?;
        let mut flipped = Vec::new();
        if let Some(field) = key {
            let gone = (0..old.block.len() as Row).filter(|&row| map.rows[0][row as usize] == NO_ROW);
            let keys = TouchedKeys::new(field)
                .with(base, newly_hidden.iter().copied())
                .with(&old.block, gone)
                .with(&fresh, 0..fresh.len() as Row);
            flipped = RepeatUpdate { base, old, hidden: &hidden, map: &map }.apply(&keys, &mut block);
        }
        let mut stamps = Vec::with_capacity(block.len());
        for span in &spans {
            match span.source {
                0 => stamps.extend_from_slice(&old.stamps[span.range()]),
                // The id of a new block is a stamp that no other version of a feature has.
                _ => stamps.extend(span.rows.clone().map(|_| fresh.id())),
            }
        }
        let on_edge = |row: &Row| {
            let bbox = base.shapes.bbox(*row);
            bbox.zip(old.base_extent).is_some_and(|(bbox, extent)| extent::is_on_edge(&bbox, &extent))
        };
        let base_extent = if newly_hidden.iter().any(on_edge) {
            extent::of_shown(base.index(), &hidden)
        } else {
            old.base_extent
        };
        let delta = Delta { block, stamps, hidden, flipped, replaced, base_extent };
        Ok(Self { layer: Arc::new(layer), revision, base: Arc::clone(&self.base), delta: Arc::new(delta) })
    }
}
