//! Changing single features of one layer by their numbers. The table's triggers keep the history, as they do
//! for other programs' edits.

mod batch;
mod counts;
mod statements;

use std::collections::BTreeMap;

use citymap_model::{Fid, Layer, LayerChange, Mode, NewFeature};

use self::{
    batch::BatchTable,
    counts::{Counts, Remembered},
    statements::RowWrite,
};
use super::{
    accept::{Accepted, accept},
    entry::{self, Entry},
    known::Fids,
    publish,
    schema::{self, GeometryColumn},
    session::Session,
};
use crate::{Edit, Put, Refusal, StoreError, columns::FID, fit::check_definition, refusal::Acceptance, turn};

/// Maximum number of edits that are collected before they are sent.
const BATCH: usize = 100_000;
/// Up to this many edits are sent as single statements.
const SINGLY: usize = 8;
/// Numbers that are queried one by one before all numbers are read.
const ASKED: u32 = 64;

/// What the edits so far make of a feature.
struct Pending {
    /// Whether it is in the layer's table.
    there: bool,
    /// The feature as it will be; `None` if it is deleted.
    after: Option<Accepted>,
}

/// The layer that a transaction has turned to, to edit single features.
pub(super) struct LayerEditor {
    entry: Entry,
    /// The definition before the turn.
    before: Layer,
    /// Whether an earlier turn of the same revision touched the layer.
    again: bool,
    change: LayerChange,
    /// What the statements did so far.
    done: Counts,
    next_fid: Fid,
    /// All numbers of the layer, once they were read.
    fids: Option<Fids>,
    /// How many numbers were queried one by one.
    asked: u32,
    pending: BTreeMap<Fid, Pending>,
    remembered: Remembered,
    batch: BatchTable,
    /// What the geometry column of the layer's table takes.
    column: GeometryColumn,
    /// The WKB types that were brought: bit n for code n.
    codes: u8,
}

impl LayerEditor {
    /// Turns to a layer that exists.
    pub(super) fn open(session: &mut Session<'_>, layer: &Layer, revision: i64) -> Result<Self, StoreError> {
        check_definition(layer)?;
        let entry = entry::load(session, &layer.id)?.ok_or_else(|| StoreError::NoLayer(layer.id.clone()))?;
        turn::check_edit(&entry.layer, layer)?;
        let (last_fid, _) = entry::numbering(session, &layer.id)?;
        let column = publish::geometry_column(session, &entry)?;
        let again = entry.revision == revision;
        let before = entry.layer.clone();
        Ok(Self {
            entry: Entry { layer: layer.clone(), revision, ..entry },
            before,
            again,
            change: turn::no_change(&layer.id, Mode::Edit),
            done: Counts::default(),
            next_fid: last_fid.saturating_add(1),
            fids: None,
            asked: 0,
            pending: BTreeMap::new(),
            remembered: Remembered::default(),
            batch: BatchTable::default(),
            column,
            codes: 0,
        })
    }

    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Counts features of the source that were not accepted.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Makes one edit, which later ones see.
    pub(super) fn edit(&mut self, session: &mut Session<'_>, edit: Edit) -> Result<Put, StoreError> {
        let (put, fid, after) = match edit {
            Edit::Insert(fid, feature) => {
                let feature = match self.accept(feature)? {
                    Acceptance::Accepted(feature) => feature,
                    Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
                };
                let fid = match fid {
                    None => self.next_fid,
                    Some(fid) => {
                        if let Err(refusal) = turn::check_new_fid(fid) {
                            return Ok(Put::Rejected(refusal));
                        }
                        if self.is_there(session, fid)? {
                            return Ok(Put::Rejected(Refusal::FidInUse(fid)));
                        }
                        fid
                    }
                };
                self.next_fid = self.next_fid.max(fid.saturating_add(1));
                (Put::Added(fid), fid, Some(feature))
            }
            Edit::Update(fid, feature) => {
                let feature = match self.accept(feature)? {
                    Acceptance::Accepted(feature) => feature,
                    Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
                };
                if !self.is_there(session, fid)? {
                    return Ok(Put::Rejected(Refusal::NoFeature(fid)));
                }
                (Put::Changed(fid), fid, Some(feature))
            }
            Edit::Delete(fid) => {
                if !self.is_there(session, fid)? {
                    return Ok(Put::Rejected(Refusal::NoFeature(fid)));
                }
                (Put::Removed(fid), fid, None)
            }
        };
        let there = match self.pending.get(&fid) {
            Some(pending) => pending.there,
            None => !matches!(put, Put::Added(_)),
        };
        self.pending.insert(fid, Pending { there, after });
        if self.pending.len() >= BATCH {
            self.flush(session)?;
        }
        Ok(put)
    }

    fn accept(&self, feature: NewFeature) -> Result<Acceptance<Accepted>, StoreError> {
        accept(&self.entry.layer, self.entry.layer.geometry, feature)
    }

    /// Whether there is a feature with this number after the edits so far.
    fn is_there(&mut self, session: &mut Session<'_>, fid: Fid) -> Result<bool, StoreError> {
        if let Some(pending) = self.pending.get(&fid) {
            return Ok(pending.after.is_some());
        }
        if let Some(fids) = &self.fids {
            return Ok(fids.contains(fid));
        }
        if self.asked < ASKED {
            self.asked += 1;
            let table = self.entry.shape().live();
            // A number needs no quoting.
            let found = session.numbers(format!("SELECT {FID} FROM {table} WHERE {FID} = {fid}"), &[])?;
            return Ok(found.is_some());
        }
        let (fids, _) = Fids::load(session, &self.entry)?;
        Ok(self.fids.insert(fids).contains(fid))
    }

    /// Sends the edits that were collected.
    pub(super) fn flush(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        for after in pending.values().filter_map(|pending| pending.after.as_ref()) {
            self.codes |= after.bit();
        }
        if !self.column.takes(self.codes) {
            publish::rebuild(session, &self.entry)?;
            self.column = GeometryColumn::Kind;
        }
        if self.again {
            let touched: Vec<Fid> = pending.keys().copied().collect();
            self.remembered.add(session, &self.entry, &touched)?;
        }
        if let Some(fids) = &mut self.fids {
            for (fid, pending) in &pending {
                fids.set(*fid, pending.after.is_some());
            }
        }
        let gone: Vec<Fid> =
            pending.iter().filter(|(_, now)| now.there && now.after.is_none()).map(|(fid, _)| *fid).collect();
        self.done.removed += statements::delete(session, &self.entry, &gone)?;
        let rows: Vec<RowWrite> = pending
            .into_iter()
            .filter_map(|(fid, pending)| {
                Some(RowWrite { fid, there: pending.there, feature: pending.after? })
            })
            .collect();
        if rows.len() <= SINGLY {
            for row in rows {
                let written = statements::write(session, &self.entry, &row)?;
                *if row.there { &mut self.done.changed } else { &mut self.done.added } += written;
            }
            return Ok(());
        }
        let written = self.batch.write(session, &self.entry, self.column, &rows)?;
        self.done.added += written.added;
        self.done.changed += written.changed;
        Ok(())
    }

    /// Turns away from the layer: counts and catalogue become right. Gives what was done, and how many
    /// features there are now.
    pub(super) fn finish(mut self, session: &mut Session<'_>) -> Result<(LayerChange, u64), StoreError> {
        self.flush(session)?;
        self.batch.drop(session)?;
        let counts = match self.remembered.count(session, &self.entry)? {
            Some(counts) => counts,
            None if self.done.is_zero() => self.done,
            None => Counts::settled(session, &self.entry)?,
        };
        let Counts { added, changed, removed } = counts;
        self.change = LayerChange { added, changed, removed, ..self.change };
        self.entry.count = (self.entry.count + added).saturating_sub(removed);
        let redefined = self.before != self.entry.layer;
        if redefined {
            redefine(session, &self.before, &self.entry)?;
        }
        entry::save(session, &self.entry, self.next_fid - 1, redefined)?;
        Ok((self.change, self.entry.count))
    }
}

/// Brings titles and the index over the key in line with the new definition.
fn redefine(session: &mut Session<'_>, before: &Layer, entry: &Entry) -> Result<(), StoreError> {
    session.batch(format!("{} {}", schema::comments(entry), schema::share(entry)?))?;
    if before.key == entry.layer.key {
        return Ok(());
    }
    publish::drop_key_index(session, entry)?;
    let Some(key) = entry.layer.key_index() else { return Ok(()) };
    let name = format!("{}_key", schema::unique(&entry.layer, publish::next_name(session)?));
    session.batch(schema::index_key(entry, entry.layer.id.as_str(), &name, key))
}
