//! Writing the features of one layer, from the turn to it until the turn away from it.

use std::collections::{HashMap, HashSet};

use citymap_gpkg::{
    RtreeBox,
    blob::{self, Bounds},
    geometry_type, rtree,
};
use citymap_model::{Fid, GeometryKind, Layer, LayerChange, Mode, NewFeature, Value};
use rusqlite::Connection;

use super::{
    accept::{Accepted, accept},
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
    Put,
    fit::{key_of, unfit},
};

/// Rows that are kept before they are handed to SQLite together.
const BATCH: usize = 1024;

/// The layer that a transaction has turned to, to put features into it.
pub(super) struct LayerWriter {
    /// The layer as it will be.
    pub(super) entry: Entry,
    /// The change set's own idea of the layer: the order of the values it brings.
    pub(super) given: Layer,
    /// For each column, the given value that goes there; `None` if they are the same.
    pub(super) mapping: Option<Vec<Option<usize>>>,
    pub(super) change: LayerChange,
    /// The place of the key among the columns.
    pub(super) key: Option<usize>,
    pub(super) former: Former,
    /// Whether the former features stand aside, to go to the history where they changed.
    pub(super) aside: bool,
    /// The numbers of those that are as they were.
    pub(super) same: Vec<Fid>,
    pub(super) recorder: Recorder,
    /// Keys that an upsert has brought so far.
    pub(super) seen: HashSet<Box<str>>,
    /// Whether the table was made in this turn.
    pub(super) fresh: bool,
    pub(super) was_empty: bool,
    pub(super) next_fid: Fid,
    /// The last number that [`LayerWriter::put_at`] was given.
    pub(super) last_at: Fid,
    pub(super) insert: String,
    pub(super) find: String,
    pub(super) pending: Vec<Row>,
    pub(super) boxes: Vec<(Fid, Option<[f32; 4]>)>,
    pub(super) extent: Option<Bounds>,
    /// The WKB types that came: bit n for code n.
    pub(super) codes: u8,
}

/// A row on its way.
pub(super) struct Row {
    fid: Fid,
    geometry: Option<Vec<u8>>,
    values: Vec<Value>,
    /// Whether it takes the place of one in the same table.
    replaces: bool,
}

impl LayerWriter {
    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Counts features that did not come this far.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Takes a feature without a number.
    pub(super) fn put(&mut self, conn: &Connection, feature: NewFeature) -> Result<Put, Failure> {
        let feature = match self.accept(feature)? {
            Ok(feature) => feature,
            Err(reason) => return Ok(Put::Rejected(reason)),
        };
        match self.change.mode {
            Mode::Append => self.add(conn, feature),
            Mode::Replace => self.replace(conn, feature),
            Mode::Upsert => self.upsert(conn, feature),
            Mode::Edit | Mode::Restore | Mode::Drop => {
                Err(unfit(&self.given, "in this mode its features come with their numbers").into())
            }
        }
    }

    /// Takes a feature with its number.
    pub(super) fn put_at(
        &mut self,
        conn: &Connection,
        fid: Fid,
        feature: NewFeature,
    ) -> Result<Put, Failure> {
        if self.change.mode != Mode::Restore {
            return Err(unfit(&self.given, "features come with their numbers in mode restore only").into());
        }
        if fid <= self.last_at {
            let reason = format!("feature {fid} came after {}, but numbers must grow", self.last_at);
            return Err(unfit(&self.given, &reason).into());
        }
        let feature = match self.accept(feature)? {
            Ok(feature) => feature,
            Err(reason) => return Ok(Put::Rejected(reason)),
        };
        self.last_at = fid;
        self.next_fid = self.next_fid.max(fid.saturating_add(1));
        if let Some(kept) = self.former.take_at(fid) {
            return self.take_over(conn, kept, feature);
        }
        self.change.added += 1;
        self.recorder.add(fid);
        self.keep(conn, fid, feature, false)?;
        Ok(Put::Added(fid))
    }

    fn accept(&self, feature: NewFeature) -> Result<Result<Accepted, String>, Failure> {
        let accepted = accept(&self.given, self.entry.layer.geometry, feature)?;
        let Some(mapping) = &self.mapping else { return Ok(accepted) };
        Ok(accepted.map(|Accepted { blob, mut values }| {
            let place =
                |from: &Option<usize>| from.map_or(Value::Null, |from| std::mem::take(&mut values[from]));
            Accepted { blob, values: mapping.iter().map(place).collect() }
        }))
    }

    fn add(&mut self, conn: &Connection, feature: Accepted) -> Result<Put, Failure> {
        let fid = self.next_fid;
        self.next_fid = self.next_fid.saturating_add(1);
        self.change.added += 1;
        self.recorder.add(fid);
        self.keep(conn, fid, feature, false)?;
        Ok(Put::Added(fid))
    }

    fn replace(&mut self, conn: &Connection, feature: Accepted) -> Result<Put, Failure> {
        let kept =
            self.key.and_then(|key| key_of(&feature.values[key])).and_then(|key| self.former.take(&key));
        match kept {
            Some(kept) => self.take_over(conn, kept, feature),
            None => self.add(conn, feature),
        }
    }

    /// Puts a feature in the place of one that stands aside.
    fn take_over(&mut self, conn: &Connection, kept: Kept, feature: Accepted) -> Result<Put, Failure> {
        if kept.is_same(|| Fingerprint::of(feature.bytes(), &feature.values)) {
            self.same.push(kept.fid);
        } else {
            self.change.changed += 1;
        }
        self.keep(conn, kept.fid, feature, false)?;
        Ok(Put::Changed(kept.fid))
    }

    fn upsert(&mut self, conn: &Connection, feature: Accepted) -> Result<Put, Failure> {
        let name = self.entry.layer.key.as_deref().unwrap_or_default();
        let Some((value, key)) =
            self.key.map(|key| &feature.values[key]).and_then(|value| Some((value, key_of(value)?)))
        else {
            return Ok(Put::Rejected(format!("it has no key: field `{name}` is empty")));
        };
        if !self.seen.insert(key.as_ref().into()) {
            return Ok(Put::Rejected(format!(
                "its key `{key}` stands in field `{name}` of an earlier one too"
            )));
        }
        if self.was_empty {
            return self.add(conn, feature);
        }
        let mut statement = conn.prepare_cached(&self.find)?;
        let mut found = statement.query([rows::to_sql(value)])?;
        let (fid, print) = match found.next()? {
            None => {
                std::mem::drop(found);
                std::mem::drop(statement);
                return self.add(conn, feature);
            }
            Some(row) => (row.get::<_, Fid>(0)?, Fingerprint::of_row(row, self.entry.columns.len())?),
        };
        if found.next()?.is_some() {
            return Ok(Put::Rejected(format!("the layer has several features with its key `{key}`")));
        }
        std::mem::drop(found);
        std::mem::drop(statement);
        if print != Fingerprint::of(feature.bytes(), &feature.values) {
            self.change.changed += 1;
            if feature.blob.as_ref().is_none_or(|blob| blob.bounds.is_none()) {
                self.boxes.push((fid, None));
            }
            self.keep(conn, fid, feature, true)?;
        }
        Ok(Put::Changed(fid))
    }

    /// Keeps a row for the next batch.
    fn keep(
        &mut self,
        conn: &Connection,
        fid: Fid,
        feature: Accepted,
        replaces: bool,
    ) -> Result<(), Failure> {
        let Accepted { blob, values } = feature;
        let geometry = blob.map(|blob| {
            self.codes |= 1 << blob.code;
            if let Some(bounds) = blob.bounds {
                self.boxes.push((fid, Some(rtree::rounded(bounds))));
                self.extent = Some(blob::union(self.extent, bounds));
            }
            blob.bytes
        });
        self.pending.push(Row { fid, geometry, values, replaces });
        if self.pending.len() >= BATCH { self.flush(conn) } else { Ok(()) }
    }

    /// Hands SQLite what was kept back.
    pub(super) fn flush(&mut self, conn: &Connection) -> Result<(), Failure> {
        let spatial = self.entry.layer.geometry != GeometryKind::None;
        let mut statement = conn.prepare_cached(&self.insert)?;
        for row in self.pending.drain(..) {
            if row.replaces {
                self.recorder.keep(conn, self.entry.layer.id.as_str(), row.fid)?;
            }
            statement.raw_bind_parameter(1, row.fid)?;
            if spatial {
                statement.raw_bind_parameter(2, &row.geometry)?;
            }
            for (index, value) in row.values.iter().enumerate() {
                statement.raw_bind_parameter(2 + usize::from(spatial) + index, rows::to_sql(value))?;
            }
            statement.raw_execute()?;
        }
        Ok(())
    }

    /// Turns away from the layer: history, index, triggers, counts and catalogue become right. What was done, and
    /// how many features there are now.
    pub(super) fn finish(mut self, conn: &Connection, time: &str) -> Result<(LayerChange, u64), Failure> {
        self.flush(conn)?;
        let id = self.entry.layer.id.clone();
        let spatial = self.entry.layer.geometry != GeometryKind::None;
        if self.aside {
            self.recorder.keep_all_but(conn, ASIDE, std::mem::take(&mut self.same))?;
            conn.execute_batch(&format!("DROP TABLE {ASIDE}"))?;
        }
        self.recorder.save(conn)?;
        if spatial {
            geometry_type::widen(conn, &id, self.codes, self.was_empty)?;
            self.index(conn)?;
        }
        if self.fresh {
            key_index::make(conn, &self.entry)?;
        }
        triggers::create(conn, &id, spatial)?;
        if matches!(self.change.mode, Mode::Replace | Mode::Restore) {
            self.change.removed = self.former.count - self.former.kept;
            self.entry.count = self.former.kept + self.change.added;
        } else {
            self.entry.count += self.change.added;
        }
        catalogue::save(conn, &self.entry, self.extent, self.next_fid - 1, time)?;
        Ok((self.change, self.entry.count))
    }

    /// Brings the R-tree up to date: filled at once where much changed, else box by box.
    fn index(&mut self, conn: &Connection) -> Result<(), Failure> {
        let id = &self.entry.layer.id;
        let changes = std::mem::take(&mut self.boxes);
        if self.fresh {
            let boxes =
                changes.into_iter().filter_map(|(fid, bounds)| Some(RtreeBox { fid, bounds: bounds? }));
            return Ok(rtree::create(conn, id, boxes.collect())?);
        }
        let many = changes.len() > 2000 && changes.len() as u64 > self.entry.count / 10;
        if !many {
            return Ok(rtree::change(conn, id, &changes)?);
        }
        let changed: HashMap<Fid, Option<[f32; 4]>> = changes.into_iter().collect();
        let mut boxes = rtree::boxes(conn, id)?;
        boxes.retain(|one| !changed.contains_key(&one.fid));
        boxes.extend(changed.into_iter().filter_map(|(fid, bounds)| Some(RtreeBox { fid, bounds: bounds? })));
        rtree::drop(conn, id)?;
        Ok(rtree::create(conn, id, boxes)?)
    }
}
