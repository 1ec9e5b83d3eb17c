//! One change set: an SQLite transaction from the first layer to the revision's row.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};
use citymap_model::{
    CommitMeta, Feature, Fid, Layer, LayerChange, LayerId, Mode, NewFeature, Revision, RevisionNumber,
};
use rusqlite::{Connection, params};

use super::{
    catalogue,
    connection::Opener,
    decode::Decoder,
    edited,
    editor::LayerEditor,
    entry::{self, Entry},
    failure::Failure,
    history::{self, Recorder},
    opening::end_generation,
    revisions, waiting,
    writer::LayerWriter,
};
use crate::{
    Edit, Put, StoreError, Transaction,
    turn::{self, Call},
};

/// Holds SQLite's write lock until it is committed or dropped.
pub(super) struct GeoPackageTransaction {
    conn: Connection,
    location: String,
    meta: CommitMeta,
    number: RevisionNumber,
    changes: Vec<LayerChange>,
    /// The number of features of each change's layer after it.
    counts: Vec<u64>,
    current: Option<Turn>,
    /// How often other programs had edited each layer when the transaction began.
    edited: BTreeMap<String, i64>,
    /// Whether a call has failed: then nothing may become a revision.
    broken: bool,
}

/// The layer that the transaction has turned to.
enum Turn {
    Write(Box<LayerWriter>),
    Edit(Box<LayerEditor>),
}

impl Turn {
    fn entry(&self) -> &Entry {
        match self {
            Self::Write(writer) => writer.entry(),
            Self::Edit(editor) => editor.entry(),
        }
    }
}

impl GeoPackageTransaction {
    pub(super) fn begin(opener: &Opener, meta: CommitMeta) -> Result<Self, StoreError> {
        let conn = opener.writer()?;
        let location = opener.location();
        let start = || {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            Ok((revisions::newest(&conn)? + 1, edited::counts(&conn)?))
        };
        let (number, edited) = start().map_err(|failure: Failure| failure.at(&location))?;
        Ok(Self {
            conn,
            location,
            meta,
            number,
            changes: Vec::new(),
            counts: Vec::new(),
            current: None,
            edited,
            broken: false,
        })
    }

    fn turn_away(&mut self, time: &DateTime<Utc>) -> Result<(), Failure> {
        let time = revisions::time_text(time);
        let (change, count) = match self.current.take() {
            None => return Ok(()),
            Some(Turn::Write(writer)) => writer.finish(&self.conn, &time)?,
            Some(Turn::Edit(editor)) => editor.finish(&self.conn, &time)?,
        };
        self.changes.push(change);
        self.counts.push(count);
        Ok(())
    }

    fn turn_to(&mut self, layer: &Layer, mode: Mode) -> Result<(), Failure> {
        self.turn_away(&now())?;
        match mode {
            Mode::Drop => self.take_away(&layer.id)?,
            Mode::Edit => {
                let editor = LayerEditor::open(&self.conn, layer, self.number)?;
                self.current = Some(Turn::Edit(Box::new(editor)));
            }
            _ => {
                let writer = LayerWriter::open(&self.conn, layer, mode, self.number)?;
                self.current = Some(Turn::Write(Box::new(writer)));
            }
        }
        Ok(())
    }

    fn take_away(&mut self, id: &LayerId) -> Result<(), Failure> {
        let conn = &self.conn;
        let entry = catalogue::get(conn, id)?.ok_or_else(|| StoreError::NoLayer(id.clone()))?;
        let known = catalogue::known_last_fid(conn, id)?;
        let last_fid = known.max(catalogue::last_fid(conn, id, true)?);
        let mut recorder = Recorder::open(conn, &entry, self.number)?;
        recorder.add_all(known + 1, last_fid);
        end_generation(conn, &entry, &recorder)?;
        history::save_version(conn, id, self.number, None)?;
        catalogue::know_last_fid(conn, id, last_fid)?;
        self.changes.push(LayerChange { removed: entry.count, ..turn::no_change(id, Mode::Drop) });
        self.counts.push(0);
        Ok(())
    }

    fn finish(&mut self) -> Result<Revision, Failure> {
        // The log's times never go back, even if the clock was set back.
        let time = now().max(revisions::newest_time(&self.conn)?.unwrap_or(DateTime::UNIX_EPOCH));
        self.turn_away(&time)?;
        let (meta, changes) = (std::mem::take(&mut self.meta), std::mem::take(&mut self.changes));
        let revision = Revision { number: self.number, time, meta, changes };
        revisions::add(&self.conn, &revision, &self.counts)?;
        self.end()?;
        Ok(revision)
    }

    fn end(&self) -> Result<(), Failure> {
        edited::restore(&self.conn, &self.edited)?;
        self.conn.execute_batch("COMMIT")?;
        waiting::tell();
        Ok(())
    }

    fn repeat(&mut self, revision: &Revision) -> Result<(), Failure> {
        if revision.number != self.number {
            return Err(Failure::Content(format!(
                "revision {} cannot be repeated here, where the next one is {}",
                revision.number, self.number
            )));
        }
        let before = revisions::newest_time(&self.conn)?;
        if before.is_some_and(|before| before > revision.time) {
            return Err(Failure::Content(format!(
                "revision {} cannot be repeated here: its time is before that of the revision before it",
                revision.number
            )));
        }
        self.turn_away(&revision.time)?;
        if let Some(other) =
            self.changes.iter().find(|own| revision.changes.iter().all(|change| change.layer != own.layer))
        {
            return Err(Failure::Content(format!(
                "revision {} cannot be repeated with layer `{}`, which it did not touch",
                revision.number, other.layer
            )));
        }
        let mut counts = Vec::new();
        for change in &revision.changes {
            // A layer is marked as touched by this revision even if nothing changed in the end.
            self.conn.execute(
                "UPDATE citymap_layer SET revision = ?2 WHERE id = ?1",
                params![change.layer.as_str(), revision.number],
            )?;
            counts.push(catalogue::get(&self.conn, &change.layer)?.map_or(0, |entry| entry.count));
        }
        revisions::add(&self.conn, revision, &counts)?;
        self.end()
    }

    fn find(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, Failure> {
        let entry = match self.current.as_mut() {
            Some(turn) if turn.entry().layer.id == *layer => {
                if let Turn::Write(writer) = turn {
                    writer.flush(&self.conn)?;
                }
                turn.entry().clone()
            }
            _ => catalogue::get(&self.conn, layer)?.ok_or_else(|| StoreError::NoLayer(layer.clone()))?,
        };
        let mut statement =
            self.conn.prepare_cached(&format!("{} WHERE \"fid\" = ?1", entry::select(&entry)))?;
        let mut rows = statement.query([fid])?;
        rows.next()?.map(|row| Decoder::new(&entry).feature(row)).transpose()
    }

    fn look_up(&self, layer: &LayerId) -> Result<Option<Layer>, Failure> {
        match &self.current {
            Some(turn) if turn.entry().layer.id == *layer => Ok(Some(turn.entry().layer.clone())),
            _ => Ok(catalogue::get(&self.conn, layer)?.map(|entry| entry.layer)),
        }
    }

    /// The error for a feature before the first layer: a mistake in the program, not in the data.
    fn without_layer(&self) -> StoreError {
        StoreError::database(
            self.location.clone(),
            "a feature came before its layer, a mistake in the program".to_owned(),
        )
    }

    fn settle<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        outcome.map_err(|failure| {
            self.broken = true;
            failure.at(&self.location)
        })
    }

    fn is_whole(&self) -> Result<(), StoreError> {
        if !self.broken {
            return Ok(());
        }
        Err(StoreError::database(
            self.location.clone(),
            "the change set failed half way, and nothing of it was committed".to_owned(),
        ))
    }
}

/// The current time, to the millisecond, as the log holds it.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

impl Transaction for GeoPackageTransaction {
    fn number(&self) -> RevisionNumber {
        self.number
    }

    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError> {
        let outcome = self.turn_to(layer, mode);
        self.settle(outcome)
    }

    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError> {
        let outcome = match self.current.as_mut() {
            None => return Err(self.without_layer()),
            Some(Turn::Write(writer)) => writer.put(&self.conn, feature),
            Some(Turn::Edit(editor)) => Err(misused(editor.entry(), Mode::Edit, Call::Put)),
        };
        self.settle(outcome)
    }

    fn put_at(&mut self, fid: Fid, feature: NewFeature) -> Result<Put, StoreError> {
        let outcome = match self.current.as_mut() {
            None => return Err(self.without_layer()),
            Some(Turn::Write(writer)) => writer.put_at(&self.conn, fid, feature),
            Some(Turn::Edit(editor)) => Err(misused(editor.entry(), Mode::Edit, Call::PutAt)),
        };
        self.settle(outcome)
    }

    fn edit(&mut self, edit: Edit) -> Result<Put, StoreError> {
        let outcome = match self.current.as_mut() {
            None => return Err(self.without_layer()),
            Some(Turn::Edit(editor)) => editor.edit(&self.conn, edit),
            Some(Turn::Write(writer)) => Err(misused(writer.entry(), writer.mode(), Call::Edit)),
        };
        self.settle(outcome)
    }

    fn feature(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, StoreError> {
        let outcome = self.find(layer, fid);
        outcome.map_err(|failure| failure.at(&self.location))
    }

    fn definition(&mut self, layer: &LayerId) -> Result<Option<Layer>, StoreError> {
        self.look_up(layer).map_err(|failure| failure.at(&self.location))
    }

    fn rejected(&mut self, count: u64) -> Result<(), StoreError> {
        match self.current.as_mut() {
            None => return Err(self.without_layer()),
            Some(Turn::Write(writer)) => writer.rejected(count),
            Some(Turn::Edit(editor)) => editor.rejected(count),
        }
        Ok(())
    }

    fn changes(&mut self) -> Result<Vec<LayerChange>, StoreError> {
        self.is_whole()?;
        let outcome = self.turn_away(&now());
        self.settle(outcome)?;
        Ok(self.changes.clone())
    }

    fn commit(mut self: Box<Self>) -> Result<Revision, StoreError> {
        self.is_whole()?;
        let outcome = self.finish();
        self.settle(outcome)
    }

    fn commit_as(mut self: Box<Self>, revision: &Revision) -> Result<(), StoreError> {
        self.is_whole()?;
        let outcome = self.repeat(revision);
        self.settle(outcome)
    }
}

/// The failure of a call that does not go with the mode of the turn.
fn misused(entry: &Entry, mode: Mode, call: Call) -> Failure {
    match turn::check_call(&entry.layer, mode, call) {
        Err(error) => error.into(),
        Ok(()) => Failure::Content(format!("mode {mode:?} takes no {call:?}, a mistake in the program")),
    }
}
