use std::sync::Arc;

use citymap_engine::{LayerSnapshot, Row};
use citymap_model::{LayerId, Role};

use crate::{all::All, fields::Fields, older::Older, part::Part};

/// The names, addresses and parcel numbers of one layer as of one snapshot, in three parts: what is of the base outlives
/// all edits over it; of the delta most outlives the next edits, and only the rest is read at each.
#[derive(Debug)]
pub(crate) struct LayerIndex {
    pub(crate) id: LayerId,
    pub(crate) role: Role,
    /// The blocks of the snapshot, whose rows the parts hold.
    blocks: [u64; 2],
    fields: Fields,
    base: Arc<Part>,
    older: Arc<Older>,
    /// What of the delta is not in `older`, by the delta's own rows.
    newer: Part,
    /// The fields that make up an address, to be shown.
    pub(crate) address_fields: Vec<usize>,
    /// The fields of sheet and parcel number, where there are both.
    pub(crate) sheet_fields: Option<[usize; 2]>,
}

impl LayerIndex {
    /// The index of a snapshot; `before` is one of the same layer, of which is kept what still holds.
    pub(crate) fn build(snapshot: &LayerSnapshot, before: Option<&Self>) -> Self {
        let layer = snapshot.layer();
        let fields = Fields::of(layer);
        let blocks = [snapshot.base().id(), snapshot.delta().id()];
        let kept = before.filter(|before| before.blocks[0] == blocks[0] && before.fields == fields);
        let (base, mut older) = match kept {
            Some(kept) => (Arc::clone(&kept.base), Arc::clone(&kept.older)),
            None => (Arc::new(Part::build(snapshot.base(), &fields, None)), Arc::default()),
        };
        let mut rest = older.lacks(snapshot);
        if older.is_due(rest.len(), snapshot) {
            older = Arc::new(Older::build(snapshot, &fields));
            rest.clear();
        }
        let newer = Part::build(snapshot.delta(), &fields, Some(&rest));
        let address_fields = match (fields.address, fields.number, fields.street) {
            (Some(address), ..) => vec![address],
            (None, Some(number), Some(street)) => vec![number, street],
            _ => Vec::new(),
        };
        let sheet_fields = fields.sheet.zip(fields.parcel).map(|(sheet, parcel)| [sheet, parcel]);
        let (id, role) = (layer.id.clone(), layer.role);
        Self { id, role, blocks, fields, base, older, newer, address_fields, sheet_fields }
    }

    /// Whether it is of this very snapshot, so that its rows are the snapshot's.
    pub(crate) fn is_of(&self, snapshot: &LayerSnapshot) -> bool {
        // The delta's block is another one with each change, also where only definitions or removals changed.
        self.blocks == [snapshot.base().id(), snapshot.delta().id()]
    }

    /// The names of all parts.
    pub(crate) fn names<'a>(&'a self, snapshot: &'a LayerSnapshot) -> All<'a> {
        All::new([&self.base.names, &self.older.part.names, &self.newer.names], &self.older, snapshot)
    }

    /// The addresses of all parts.
    pub(crate) fn addresses<'a>(&'a self, snapshot: &'a LayerSnapshot) -> All<'a> {
        All::new(
            [&self.base.addresses, &self.older.part.addresses, &self.newer.addresses],
            &self.older,
            snapshot,
        )
    }

    /// The rows with this sheet and parcel number (folded texts), by fid, of the first `limit` in each part.
    pub(crate) fn parcels(
        &self,
        snapshot: &LayerSnapshot,
        sheet: &str,
        parcel: &str,
        limit: usize,
    ) -> Vec<Row> {
        let mut found = Vec::new();
        for (part, sheets) in
            [&self.base.sheets, &self.older.part.sheets, &self.newer.sheets].into_iter().enumerate()
        {
            let rows = sheets.rows(sheet, parcel);
            found.extend(rows.filter_map(|row| self.older.shown(snapshot, part, row)).take(limit));
        }
        snapshot.sort(&mut found);
        found
    }
}
