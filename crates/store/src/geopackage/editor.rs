//! Changing single features of one layer by their numbers, each in milliseconds whatever the layer's size:
//! the triggers that other programs' edits fire keep index and count right.

use std::collections::HashMap;

use citymap_gpkg::{
    blob::{self, Bounds},
    geometry_type, table,
};
use citymap_model::{Fid, GeometryKind, Layer, LayerChange, Mode, NewFeature};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::{
    accept::{Accepted, accept},
    catalogue,
    entry::{self, Entry},
    failure::Failure,
    history::Recorder,
    key_index,
    rows::{self, Fingerprint},
    triggers,
};
use crate::{
    Edit, Put, Refusal, StoreError,
    columns::{FID, GEOM, quoted},
    fit::check_definition,
    refusal::Acceptance,
    turn,
};

/// The layer that a transaction has turned to, to edit single features.
pub(super) struct LayerEditor {
    entry: Entry,
    /// Whether the definition is another one now.
    redefined: bool,
    change: LayerChange,
    recorder: Recorder,
    /// The fingerprints of the edited features when the turn began and now; `None` where the feature does not
    /// exist.
    edited: HashMap<Fid, (Option<u64>, Option<u64>)>,
    was_empty: bool,
    next_fid: Fid,
    extent: Option<Bounds>,
    codes: u8,
    find: String,
    insert: String,
    update: String,
    delete: String,
}

impl LayerEditor {
    /// Turns to a layer that exists.
    pub(super) fn open(conn: &Connection, layer: &Layer, revision: u64) -> Result<Self, Failure> {
        check_definition(layer)?;
        let id = &layer.id;
        let mut entry = catalogue::get(conn, id)?.ok_or_else(|| StoreError::NoLayer(id.clone()))?;
        turn::check_edit(&entry.layer, layer)?;
        let known = catalogue::known_last_fid(conn, id)?;
        let last_fid = known.max(catalogue::last_fid(conn, id, true)?);
        let mut recorder = Recorder::open(conn, &entry, revision)?;
        recorder.add_all(known + 1, last_fid);
        triggers::mend(conn, id, layer.geometry != GeometryKind::None)?;
        let redefined = entry.layer != *layer;
        if entry.layer.key != layer.key {
            key_index::drop(conn, id)?;
        }
        entry.layer = layer.clone();
        entry.revision = revision;
        let (insert, update) = statements(&entry);
        let table = quoted(id.as_str());
        Ok(Self {
            redefined,
            change: turn::no_change(id, Mode::Edit),
            recorder,
            edited: HashMap::new(),
            was_empty: entry.count == 0,
            next_fid: last_fid.saturating_add(1),
            extent: table::extent(conn, id)?,
            codes: 0,
            find: format!("{} WHERE \"{FID}\" = ?1", entry::select(&entry)),
            insert,
            update,
            delete: format!("DELETE FROM {table} WHERE \"{FID}\" = ?1"),
            entry,
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
    pub(super) fn edit(&mut self, conn: &Connection, edit: Edit) -> Result<Put, Failure> {
        match edit {
            Edit::Insert(fid, feature) => self.insert(conn, fid, feature),
            Edit::Update(fid, feature) => self.update(conn, fid, feature),
            Edit::Delete(fid) => self.delete(conn, fid),
        }
    }

    fn insert(&mut self, conn: &Connection, fid: Option<Fid>, feature: NewFeature) -> Result<Put, Failure> {
        let feature = match accept(&self.entry.layer, self.entry.layer.geometry, feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        let fid = match fid {
            None => self.next_fid,
            Some(fid) => {
                if let Err(refusal) = turn::check_new_fid(fid) {
                    return Ok(Put::Rejected(refusal));
                }
                if self.find(conn, fid)?.is_some() {
                    return Ok(Put::Rejected(Refusal::FidInUse(fid)));
                }
                fid
            }
        };
        let print = Fingerprint::of(feature.bytes(), &feature.values);
        self.recorder.add(fid);
        self.write(conn.prepare_cached(&self.insert)?, fid, &feature)?;
        self.next_fid = self.next_fid.max(fid.saturating_add(1));
        self.note(fid, None, Some(print));
        Ok(Put::Added(fid))
    }

    fn update(&mut self, conn: &Connection, fid: Fid, feature: NewFeature) -> Result<Put, Failure> {
        let feature = match accept(&self.entry.layer, self.entry.layer.geometry, feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        let Some(before) = self.find(conn, fid)? else { return Ok(Put::Rejected(Refusal::NoFeature(fid))) };
        let print = Fingerprint::of(feature.bytes(), &feature.values);
        if print != before {
            self.recorder.keep(conn, self.entry.layer.id.as_str(), fid)?;
            self.write(conn.prepare_cached(&self.update)?, fid, &feature)?;
            self.note(fid, Some(before), Some(print));
        }
        Ok(Put::Changed(fid))
    }

    fn delete(&mut self, conn: &Connection, fid: Fid) -> Result<Put, Failure> {
        let Some(before) = self.find(conn, fid)? else { return Ok(Put::Rejected(Refusal::NoFeature(fid))) };
        self.recorder.keep(conn, self.entry.layer.id.as_str(), fid)?;
        conn.prepare_cached(&self.delete)?.execute([fid])?;
        self.note(fid, Some(before), None);
        Ok(Put::Removed(fid))
    }

    /// The fingerprint of a feature as it is now; `None` if it does not exist.
    fn find(&self, conn: &Connection, fid: Fid) -> Result<Option<u64>, Failure> {
        let width = self.entry.columns.len();
        let mut statement = conn.prepare_cached(&self.find)?;
        Ok(statement.query_row([fid], |row| Fingerprint::of_row(row, width)).optional()?)
    }

    /// Runs a statement whose parameters are the number, the geometry and the values.
    fn write(
        &mut self,
        mut statement: CachedStatement<'_>,
        fid: Fid,
        feature: &Accepted,
    ) -> Result<(), Failure> {
        statement.raw_bind_parameter(1, fid)?;
        let spatial = usize::from(self.entry.layer.geometry != GeometryKind::None);
        if spatial == 1 {
            statement.raw_bind_parameter(2, feature.bytes())?;
        }
        for (index, value) in feature.values.iter().enumerate() {
            statement.raw_bind_parameter(2 + spatial + index, rows::to_sql(value))?;
        }
        statement.raw_execute()?;
        if let Some(blob) = &feature.blob {
            self.codes |= 1 << blob.code;
            if let Some(bounds) = blob.bounds {
                self.extent = Some(blob::union(self.extent, bounds));
            }
        }
        Ok(())
    }

    fn note(&mut self, fid: Fid, before: Option<u64>, after: Option<u64>) {
        self.edited.entry(fid).or_insert((before, None)).1 = after;
    }

    /// Turns away from the layer: counts and catalogue become right. Gives what was done, and how many
    /// features there are now.
    pub(super) fn finish(mut self, conn: &Connection, time: &str) -> Result<(LayerChange, u64), Failure> {
        let id = self.entry.layer.id.clone();
        for edited in self.edited.values() {
            match edited {
                (None, Some(_)) => self.change.added += 1,
                (Some(_), None) => self.change.removed += 1,
                (before, after) => self.change.changed += u64::from(before != after),
            }
        }
        self.entry.count = (self.entry.count + self.change.added).saturating_sub(self.change.removed);
        self.recorder.save(conn)?;
        if self.redefined {
            table::retitle(conn, &self.entry.layer, &self.entry.columns)?;
            key_index::make(conn, &self.entry)?;
        }
        if self.entry.layer.geometry != GeometryKind::None {
            geometry_type::widen(conn, &id, self.codes, self.was_empty)?;
        }
        catalogue::save(conn, &self.entry, self.extent, self.next_fid - 1, time)?;
        Ok((self.change, self.entry.count))
    }
}

/// The statements that insert and update a feature.
fn statements(entry: &Entry) -> (String, String) {
    let table = quoted(entry.layer.id.as_str());
    let spatial = (entry.layer.geometry != GeometryKind::None).then(|| quoted(GEOM));
    let names: Vec<String> =
        spatial.into_iter().chain(entry.columns.iter().map(|column| quoted(column))).collect();
    let all = std::iter::once(quoted(FID)).chain(names.iter().cloned()).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; names.len() + 1].join(", ");
    let insert = format!("INSERT INTO {table} ({all}) VALUES ({places})");
    let set: Vec<String> = names.iter().zip(2..).map(|(name, place)| format!("{name} = ?{place}")).collect();
    // A layer without geometry and fields has nothing to update.
    let set = if set.is_empty() { format!("\"{FID}\" = ?1") } else { set.join(", ") };
    (insert, format!("UPDATE {table} SET {set} WHERE \"{FID}\" = ?1"))
}
