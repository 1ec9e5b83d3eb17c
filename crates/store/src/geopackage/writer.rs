//! Writing the features of one layer, from the turn to it until the turn away from it.

use citymap_gpkg::geometry_type;
use citymap_model::{Fid, GeometryKind, Layer, LayerChange, Mode, NewFeature};
use rusqlite::Connection;

use super::{
    accept::{Accepted, accept},
    batch::RowBatch,
    catalogue::{self, ASIDE},
    entry::Entry,
    failure::Failure,
    former::{Former, Kept},
    history::Recorder,
    key_index,
    rows::{self, Fingerprint},
    triggers,
};
use crate::{
    Put, Refusal,
    fit::{FieldMapping, key_of},
    refusal::Acceptance,
    turn::{self, Call, GrowingFids, UpsertKeys},
};

/// How a feature finds the number that it has in the layer.
pub(super) enum Matching {
    /// Each feature is new.
    Append,
    /// By its key among the features that are there; `find` is the statement that looks for a key.
    Upsert { keys: UpsertKeys, find: String },
    /// By its key, else by its content, among the features of the layer that is replaced.
    Replace(Replaced),
    /// It brings its number.
    Restore { replaced: Replaced, growing: GrowingFids },
}

/// The layer that is replaced. The default is the replacement of a layer that is not there.
#[derive(Default)]
pub(super) struct Replaced {
    pub(super) former: Former,
    /// Whether the former features are in the table [`ASIDE`], to go to the history where they changed.
    pub(super) aside: bool,
    /// The numbers of those that are as they were.
    pub(super) same: Vec<Fid>,
}

/// The layer that a transaction has turned to, to put features into it.
pub(super) struct LayerWriter {
    /// The layer as it will be.
    pub(super) entry: Entry,
    /// The layer as the change set defines it: the order of the values that features bring.
    pub(super) given: Layer,
    pub(super) mapping: FieldMapping,
    pub(super) matching: Matching,
    pub(super) change: LayerChange,
    pub(super) recorder: Recorder,
    /// Whether the table was made in this turn.
    pub(super) fresh: bool,
    pub(super) was_empty: bool,
    pub(super) next_fid: Fid,
    pub(super) rows: RowBatch,
}

impl LayerWriter {
    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The mode of the turn.
    pub(super) fn mode(&self) -> Mode {
        self.change.mode
    }

    /// Counts features of the source that were not accepted.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Takes a feature without a number.
    pub(super) fn put(&mut self, conn: &Connection, feature: NewFeature) -> Result<Put, Failure> {
        turn::check_call(&self.given, self.change.mode, Call::Put)?;
        let feature = match self.accept(feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        match &mut self.matching {
            Matching::Append | Matching::Restore { .. } => self.add(conn, feature),
            Matching::Replace(replaced) => {
                let key = self.entry.layer.key_index().and_then(|key| key_of(&feature.values[key]));
                let by_key = key.and_then(|key| replaced.former.take(&key));
                let print = || Fingerprint::of(feature.bytes(), &feature.values);
                match by_key.or_else(|| replaced.former.take_like(print)) {
                    Some(kept) => self.take_over(conn, kept, feature),
                    None => self.add(conn, feature),
                }
            }
            Matching::Upsert { .. } => self.upsert(conn, feature),
        }
    }

    /// Takes a feature with its number.
    pub(super) fn put_at(
        &mut self,
        conn: &Connection,
        fid: Fid,
        feature: NewFeature,
    ) -> Result<Put, Failure> {
        turn::check_call(&self.given, self.change.mode, Call::PutAt)?;
        if let Matching::Restore { growing, .. } = &self.matching {
            growing.check(&self.given, fid)?;
        }
        let feature = match self.accept(feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        self.next_fid = self.next_fid.max(fid.saturating_add(1));
        if let Matching::Restore { replaced, growing } = &mut self.matching {
            growing.note(fid);
            if let Some(kept) = replaced.former.take_at(fid) {
                return self.take_over(conn, kept, feature);
            }
        }
        self.add_at(conn, fid, feature)
    }

    fn accept(&self, feature: NewFeature) -> Result<Acceptance<Accepted>, Failure> {
        let accepted = accept(&self.given, self.entry.layer.geometry, feature)?;
        Ok(accepted.map(|Accepted { blob, values }| Accepted { blob, values: self.mapping.apply(values) }))
    }

    fn add(&mut self, conn: &Connection, feature: Accepted) -> Result<Put, Failure> {
        let fid = self.next_fid;
        self.next_fid = self.next_fid.saturating_add(1);
        self.add_at(conn, fid, feature)
    }

    fn add_at(&mut self, conn: &Connection, fid: Fid, feature: Accepted) -> Result<Put, Failure> {
        self.change.added += 1;
        self.recorder.add(fid);
        self.rows.add(conn, &self.recorder, fid, feature)?;
        Ok(Put::Added(fid))
    }

    /// Puts a feature in the place of one of the layer that is replaced.
    fn take_over(&mut self, conn: &Connection, kept: Kept, feature: Accepted) -> Result<Put, Failure> {
        if kept.is_same(|| Fingerprint::of(feature.bytes(), &feature.values)) {
            if let Matching::Replace(replaced) | Matching::Restore { replaced, .. } = &mut self.matching {
                replaced.same.push(kept.fid);
            }
        } else {
            self.change.changed += 1;
        }
        self.rows.add(conn, &self.recorder, kept.fid, feature)?;
        Ok(Put::Changed(kept.fid))
    }

    fn upsert(&mut self, conn: &Connection, mut feature: Accepted) -> Result<Put, Failure> {
        let Matching::Upsert { keys, find } = &mut self.matching else { return self.add(conn, feature) };
        let key = match keys.take(&feature.values) {
            Ok(key) => key,
            Err(refusal) => return Ok(Put::Rejected(refusal)),
        };
        let value = keys.position().map(|position| &feature.values[position]);
        let (Some(value), false) = (value, self.was_empty) else { return self.add(conn, feature) };
        let found = {
            let mut statement = conn.prepare_cached(find)?;
            let mut found = statement.query([rows::to_sql(value)])?;
            match found.next()? {
                None => None,
                Some(row) => {
                    let first = (row.get::<_, Fid>(0)?, Fingerprint::of_row(row, self.entry.columns.len())?);
                    // What the change set does not have stays as it is.
                    for position in self.mapping.missing() {
                        let field_type = self.entry.layer.fields[position].field_type;
                        let value = rows::from_sql(row.get_ref(position + 2)?, field_type);
                        feature.values[position] = value.map_err(Failure::Content)?;
                    }
                    if found.next()?.is_some() {
                        return Ok(Put::Rejected(Refusal::AmbiguousKey { key: key.into() }));
                    }
                    Some(first)
                }
            }
        };
        let Some((fid, print)) = found else { return self.add(conn, feature) };
        if print != Fingerprint::of(feature.bytes(), &feature.values) {
            self.change.changed += 1;
            self.rows.replace(conn, &self.recorder, fid, feature)?;
        }
        Ok(Put::Changed(fid))
    }

    /// Hands SQLite the rows that are still in memory.
    pub(super) fn flush(&mut self, conn: &Connection) -> Result<(), Failure> {
        self.rows.flush(conn, &self.recorder)
    }

    /// Turns away from the layer: history, index, triggers, counts and catalogue become right. Gives what was
    /// done, and how many features there are now.
    pub(super) fn finish(mut self, conn: &Connection, time: &str) -> Result<(LayerChange, u64), Failure> {
        self.flush(conn)?;
        let id = self.entry.layer.id.clone();
        let spatial = self.entry.layer.geometry != GeometryKind::None;
        match &mut self.matching {
            Matching::Append | Matching::Upsert { .. } => self.entry.count += self.change.added,
            Matching::Replace(replaced) | Matching::Restore { replaced, .. } => {
                if replaced.aside {
                    self.recorder.keep_all_but(conn, ASIDE, std::mem::take(&mut replaced.same))?;
                    conn.execute_batch(&format!("DROP TABLE {ASIDE}"))?;
                }
                self.change.removed = replaced.former.count - replaced.former.kept;
                self.entry.count = replaced.former.kept + self.change.added;
            }
        }
        self.recorder.save(conn)?;
        if spatial {
            geometry_type::widen(conn, &id, self.rows.codes, self.was_empty)?;
            // An index over a fresh table is new; one over an old table is changed, by its size before the
            // turn.
            let before = (!self.fresh).then(|| self.entry.count.saturating_sub(self.change.added));
            self.rows.index(conn, &id, before)?;
        }
        if self.fresh {
            key_index::make(conn, &self.entry)?;
        }
        triggers::create(conn, &id, spatial)?;
        catalogue::save(conn, &self.entry, self.rows.extent, self.next_fid - 1, time)?;
        Ok((self.change, self.entry.count))
    }
}
