//! A snapshot from the one before and what has changed.

use std::sync::Arc;

use citymap_model::{Feature, Fid, Layer, RevisionNumber};

use crate::{
    Bbox, Block, EngineError, LayerSnapshot, Row,
    bits::Bits,
    block::BlockBuilder,
    extent,
    gather::{GONE, Moved, Piece, push_piece},
    repeats::{Keys, set_repeats},
};

/// What lies over a base.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The features added or changed since.
    pub(crate) block: Block,
    /// For each row of `block` what tells this state of its feature from every other.
    pub(crate) stamps: Vec<u64>,
    /// The base rows that are not to be seen: removed, or changed and in `block`.
    pub(crate) hidden: Bits,
    /// The base rows to be seen whose key is repeated where it was not in the base alone, or the other way round; sorted.
    pub(crate) flipped: Vec<Row>,
    /// How many rows of `block` have a fid that the base has too.
    replaced: usize,
    /// The box around the base rows to be seen.
    pub(crate) base_extent: Option<Bbox>,
}

impl LayerSnapshot {
    /// A snapshot of a base alone.
    pub(crate) fn packed(layer: Arc<Layer>, revision: RevisionNumber, base: Block) -> Self {
        let overlay = Overlay {
            block: BlockBuilder::new(&layer).finish(layer.key_index()),
            stamps: Vec::new(),
            hidden: Bits::default(),
            flipped: Vec::new(),
            replaced: 0,
            base_extent: base.extent(),
        };
        Self { layer, revision, base: Arc::new(base), overlay: Arc::new(overlay) }
    }

    /// Whether [`LayerSnapshot::apply`] can go on with this definition: the same layer, the same fields of the same
    /// types in the same order, the same key. Titles, units, the label and all else may be others.
    pub fn takes(&self, layer: &Layer) -> bool {
        let own = &self.layer;
        let same = |(a, b): (&citymap_model::Field, &citymap_model::Field)| {
            a.name == b.name && a.field_type == b.field_type
        };
        own.id == layer.id
            && own.fields.len() == layer.fields.len()
            && own.fields.iter().zip(&layer.fields).all(same)
            && own.key_index() == layer.key_index()
    }

    /// The snapshot after these changes, each the number of a feature and what it is now (`None`: removed; one that was
    /// not there stays away), in the order of the numbers. `layer` is the definition now, `revision` the one that last
    /// touched the layer.
    ///
    /// It costs what changed and what the overlay holds, and a bit for each feature of the base, not what there is: fold
    /// a large overlay now and then ([`LayerSnapshot::merged`]). This snapshot stays as it is; both share the base.
    ///
    /// # Errors
    /// [`EngineError::Definition`] where [`LayerSnapshot::takes`] says no, [`EngineError::Order`] where a number comes
    /// twice or late, [`EngineError::Number`] where a feature has another number than its change, and those of
    /// [`SnapshotBuilder::push`](crate::SnapshotBuilder::push).
    pub fn apply(
        &self,
        layer: Layer,
        revision: RevisionNumber,
        changes: impl IntoIterator<Item = (Fid, Option<Feature>)>,
    ) -> Result<Self, EngineError> {
        if !self.takes(&layer) {
            return Err(EngineError::Definition { layer: layer.id });
        }
        let (base, old) = (&*self.base, &*self.overlay);
        let mut hidden = old.hidden.clone();
        let mut newly_hidden = Vec::new();
        let mut fresh = BlockBuilder::new(&layer);
        let mut pieces: Vec<Piece> = Vec::new();
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
            push_piece(&mut pieces, 0, at..place);
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
                push_piece(&mut pieces, 1, row..row + 1);
                replaced += usize::from(in_base.is_some());
            }
        }
        push_piece(&mut pieces, 0, at..old.block.len() as Row);
        let too_large = || EngineError::TooLarge { layer: layer.id.clone() };
        let rows: usize = pieces.iter().map(|piece| piece.rows.len()).sum();
        if base.len() + rows >= Row::MAX as usize {
            return Err(too_large());
        }
        let key = layer.key_index();
        let fresh = fresh.finish(key);
        let sources = [&old.block, &fresh];
        let moved = Moved::new(sources, &pieces);
        let mut block = Block::gather(sources, &pieces, &moved, key).ok_or_else(too_large)?;
        let mut flipped = Vec::new();
        if let Some(field) = key {
            let gone = (0..old.block.len() as Row).filter(|&row| moved.rows[0][row as usize] == GONE);
            let keys = Keys::new(field)
                .with(base, newly_hidden.iter().copied())
                .with(&old.block, gone)
                .with(&fresh, 0..fresh.len() as Row);
            flipped = set_repeats(&keys, base, old, &hidden, &moved, &mut block);
        }
        let mut stamps = Vec::with_capacity(block.len());
        for piece in &pieces {
            match piece.source {
                0 => stamps.extend_from_slice(&old.stamps[piece.range()]),
                // No other state of a feature came with this block.
                _ => stamps.extend(piece.rows.clone().map(|_| fresh.id())),
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
        let overlay = Overlay { block, stamps, hidden, flipped, replaced, base_extent };
        Ok(Self {
            layer: Arc::new(layer),
            revision,
            base: Arc::clone(&self.base),
            overlay: Arc::new(overlay),
        })
    }

    /// How many features differ from the base: those added, changed and removed since.
    pub fn overlay_len(&self) -> usize {
        self.overlay.hidden.len() + self.overlay.block.len() - self.overlay.replaced
    }

    /// The same features in one new base, with other rows: what was computed from this snapshot's rows does not hold for
    /// it. It costs what there is (seconds for millions of features), so run it beside readers, who go on with this one,
    /// and [`LayerSnapshot::apply`] to it what has changed meanwhile.
    ///
    /// Where nothing differs from the base, and where all of it is too much for one block, it is this snapshot again.
    pub fn merged(&self) -> Self {
        let (base, overlay) = (&*self.base, &*self.overlay);
        if self.overlay_len() == 0 {
            return self.clone();
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        for (&fid, row) in overlay.block.fids.iter().zip(0..) {
            let place = base.rows_below(fid).max(at);
            overlay.hidden.gaps(at..place).for_each(|rows| push_piece(&mut pieces, 0, rows));
            push_piece(&mut pieces, 1, row..row + 1);
            at = place;
        }
        let rest = at..base.len() as Row;
        overlay.hidden.gaps(rest).for_each(|rows| push_piece(&mut pieces, 0, rows));
        let sources = [base, &overlay.block];
        let moved = Moved::new(sources, &pieces);
        let Some(mut block) = Block::gather(sources, &pieces, &moved, self.layer.key_index()) else {
            return self.clone();
        };
        let base_repeated =
            base.keys.repeated.iter().filter(|row| overlay.flipped.binary_search(row).is_err());
        let flipped = overlay.flipped.iter().copied().filter(|&row| !base.keys.repeated.contains(row));
        let base_rows = base_repeated.chain(flipped).map(|row| moved.rows[0][row as usize]);
        let rows = base_rows.chain(overlay.block.keys.repeated.iter().map(|row| moved.rows[1][row as usize]));
        rows.filter(|&row| row != GONE).for_each(|row| {
            block.keys.repeated.insert(row);
        });
        Self::packed(Arc::clone(&self.layer), self.revision, block)
    }
}
