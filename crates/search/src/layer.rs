//! The index of one layer as of one snapshot.

use std::sync::Arc;

use citymap_engine::{LayerSnapshot, Row};
use citymap_model::{LayerId, Role};

use crate::{
    delta_segment::{DeltaSegment, Source},
    fields::Fields,
    postings::Postings,
    segment::Segment,
};

/// The names, addresses and parcel numbers of one layer, in three segments. That of the base is kept for as
/// long as the base; that of an earlier delta is kept over many edits; only what has changed since is indexed
/// at each edit.
#[derive(Debug)]
pub(crate) struct LayerIndex {
    pub(crate) id: LayerId,
    pub(crate) role: Role,
    /// The ids of the snapshot's base and delta, whose rows the segments hold.
    blocks: [u64; 2],
    fields: Fields,
    base: Arc<Segment>,
    earlier: Arc<DeltaSegment>,
    /// The rows of the delta that are not in `earlier`, by the delta's own numbers.
    recent: Segment,
    /// The fields that make up an address for people.
    pub(crate) address_fields: Vec<usize>,
    /// The fields of sheet and parcel number, if the layer has both.
    pub(crate) sheet_fields: Option<[usize; 2]>,
    /// The field of the number of the decision, if the layer has one.
    pub(crate) decision_field: Option<usize>,
}

impl LayerIndex {
    /// Indexes a snapshot. `before` is an earlier index of the same layer; its segments are kept as far as
    /// they still hold.
    pub(crate) fn build(snapshot: &LayerSnapshot, before: Option<&Self>) -> Self {
        let layer = snapshot.layer();
        let fields = Fields::of(layer);
        let blocks = [snapshot.base().id(), snapshot.delta().id()];
        let kept = before.filter(|before| before.blocks[0] == blocks[0] && before.fields == fields);
        let (base, mut earlier) = match kept {
            Some(kept) => (Arc::clone(&kept.base), Arc::clone(&kept.earlier)),
            None => (Arc::new(Segment::build(snapshot.base(), &fields, None)), Arc::default()),
        };
        let mut missing = earlier.missing_rows(snapshot);
        if DeltaSegment::is_due(missing.len(), snapshot) {
            earlier = Arc::new(DeltaSegment::build(snapshot, &fields));
            missing.clear();
        }
        let recent = Segment::build(snapshot.delta(), &fields, Some(&missing));
        let address_fields = match (fields.address, fields.number, fields.street) {
            (Some(address), ..) => vec![address],
            (None, Some(number), Some(street)) => vec![number, street],
            _ => Vec::new(),
        };
        let sheet_fields = fields.sheet.zip(fields.parcel).map(|(sheet, parcel)| [sheet, parcel]);
        let (id, role) = (layer.id.clone(), layer.role);
        let decision_field = fields.decision;
        Self { id, role, blocks, fields, base, earlier, recent, address_fields, sheet_fields, decision_field }
    }

    /// Whether the index is of exactly this snapshot, so that its rows are the snapshot's.
    pub(crate) fn is_of(&self, snapshot: &LayerSnapshot) -> bool {
        // The delta gets a new id with each change, also if only definitions changed or features were
        // removed.
        self.blocks == [snapshot.base().id(), snapshot.delta().id()]
    }

    /// The names in all segments.
    pub(crate) fn names<'a>(&'a self, snapshot: &'a LayerSnapshot) -> Postings<'a> {
        Postings::new(
            [&self.base.names, &self.earlier.segment.names, &self.recent.names],
            &self.earlier,
            snapshot,
        )
    }

    /// The addresses in all segments.
    pub(crate) fn addresses<'a>(&'a self, snapshot: &'a LayerSnapshot) -> Postings<'a> {
        Postings::new(
            [&self.base.addresses, &self.earlier.segment.addresses, &self.recent.addresses],
            &self.earlier,
            snapshot,
        )
    }

    /// The numbers of decisions in all segments.
    pub(crate) fn decisions<'a>(&'a self, snapshot: &'a LayerSnapshot) -> Postings<'a> {
        Postings::new(
            [&self.base.decisions, &self.earlier.segment.decisions, &self.recent.decisions],
            &self.earlier,
            snapshot,
        )
    }

    /// The rows with this sheet and parcel number (folded texts), in the order of their fids; at most `limit`
    /// of each segment.
    pub(crate) fn parcels(
        &self,
        snapshot: &LayerSnapshot,
        sheet: &str,
        parcel: &str,
        limit: usize,
    ) -> Vec<Row> {
        let mut found = Vec::new();
        let segments = [&self.base.sheets, &self.earlier.segment.sheets, &self.recent.sheets];
        for (source, sheets) in Source::ALL.into_iter().zip(segments) {
            let rows = sheets.rows(sheet, parcel);
            found.extend(rows.filter_map(|row| self.earlier.snapshot_row(snapshot, source, row)).take(limit));
        }
        snapshot.sort(&mut found);
        found
    }
}
